"""Logs of the Go tool, and of Go programs and tests."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Final

from prodwise.loop.diagnose.logs.clue import Clue, Reading
from prodwise.loop.diagnose.logs.rules import apply, began, bumped, move, rule
from prodwise.loop.diagnose.logs.text import Log
from prodwise.loop.diagnose.logs.weights import Reason
from prodwise.model.breakage import Ecosystem, Failure

_MARKS: Final = (".go:", "go: ", "go get", "go.mod", "go build", "go test", "goroutine ", "go.sum", "/pkg/mod/")
FEW: Final = 3
"""Modules that a log may name for each of them to be one that an unknown name comes from."""
GUESSED: Final = 0.5
"""The share of a module that is guessed from a name before a dot, where nothing of its name was fetched."""
RESOLUTION, LOCK, COMPILATION, RUNTIME = Failure.RESOLUTION, Failure.LOCK, Failure.COMPILATION, Failure.RUNTIME
_MOD: Final = r"(?<![\w.-])(?P<name>[a-z0-9][\w-]{0,80}(?:\.[\w-]{1,60}){1,6}(?:/[\w.~!-]{1,100}){0,10})"
_VER: Final = r"(?P<version>v\d[\w.+-]{0,80})"
_RULES: Final = (
    rule(
        "ambiguous import: found package",
        rf"found package {_MOD} in multiple modules",
        Reason.CONFLICTS,
        RESOLUTION,
        0.5,
    ),
    rule("but was required as: ", rf"but was required as: {_MOD}", Reason.NOT_FOUND, RESOLUTION),
    rule("unknown revision", rf"{_MOD}@{_VER}: (?:invalid version: )?unknown revision", Reason.NOT_FOUND, RESOLUTION),
    rule("invalid version", rf"{_MOD}@{_VER}: invalid version", Reason.NOT_FOUND, RESOLUTION),
    rule(" invalid: ", rf"{_MOD}: version \"{_VER}\" invalid: ", Reason.NOT_FOUND, RESOLUTION),
    rule("invalid: ", rf"{_MOD}@{_VER}: invalid: ", Reason.NOT_FOUND, RESOLUTION),
    rule(
        "but does not contain package",
        rf"module {_MOD}@(?:latest|{_VER}) found.{{0,120}}but does not contain package",
        Reason.LACKS,
        RESOLUTION,
        1.2,
    ),
    rule("no required module provides package", rf"provides package {_MOD}[;:]", Reason.NOT_FOUND, RESOLUTION, 0.9),
    rule(
        "cannot find module providing package",
        rf"providing package {_MOD}(?::|\s|$)",
        Reason.NOT_FOUND,
        RESOLUTION,
        0.9,
    ),
    rule("missing go.sum entry", rf"missing go\.sum entry for module providing package {_MOD}", Reason.DIFFERS, LOCK),
    rule("missing go.sum entry", rf"{_MOD}@{_VER}: missing go\.sum entry", Reason.DIFFERS, LOCK),
    rule("checksum mismatch", rf"verifying {_MOD}@{_VER}(?:/go\.mod)?: checksum mismatch", Reason.DIFFERS, LOCK),
    rule("checksum mismatch", rf"{_MOD}@{_VER}: verifying (?:module|go\.mod): checksum mismatch", Reason.DIFFERS, LOCK),
    rule("go build ", rf"^go build (?:\S{{1,300}}/)?vendor/{_MOD}: ", Reason.FAILS_TO_BUILD, COMPILATION),
    rule("vendor/modules.txt", rf"^\s{{0,4}}{_MOD}@{_VER}: is (?:explicitly|marked)", Reason.DIFFERS, LOCK),
    rule(" requires go", rf"{_MOD}@{_VER} requires go(?: >= |@)\d", Reason.NOT_FOUND, RESOLUTION),
    rule("no matching versions for query", rf"{_MOD}(?:@{_VER})?: no matching versions", Reason.NOT_FOUND, RESOLUTION),
    rule("module requires Go ", rf"{_MOD}@{_VER}.{{0,200}}module requires Go ", Reason.NOT_FOUND, RESOLUTION),
    rule(": reading ", rf"{_MOD}@{_VER}: reading ", Reason.NOT_FOUND, RESOLUTION, 0.9),
    rule("unrecognized import path", rf"{_MOD}(?:@{_VER})?: unrecognized import path", Reason.NOT_FOUND, RESOLUTION),
    rule("parsing go.mod", rf"{_MOD}@{_VER}: parsing go\.mod", Reason.NOT_FOUND, RESOLUTION),
    rule("is not in std", rf"pkg/mod/{_MOD}@{_VER}/", Reason.BROKEN_FILE, COMPILATION),
    rule(
        "rror: ",
        rf"/pkg/mod/{_MOD}@{_VER}/\S{{1,300}}\.(?:c|cc|cpp|h):\d{{1,7}}:\d{{1,5}}: (?:fatal )?error: ",
        Reason.BROKEN_FILE,
        COMPILATION,
    ),
    rule("/go.mod:", rf"/pkg/mod/{_MOD}@{_VER}/go\.mod:\d{{1,6}}: ", Reason.NOT_FOUND, RESOLUTION),
    rule("use of internal package", rf"internal package {_MOD} not allowed", Reason.LACKS, COMPILATION, 0.9),
    rule("is not in GOROOT", rf"pkg/mod/{_MOD}@{_VER}/", Reason.BROKEN_FILE, COMPILATION),
    rule("retracted by module author", rf"{_MOD}@{_VER}: retracted", Reason.NOT_FOUND, RESOLUTION, 0.3),
)
_UNDEFINED: Final = re.compile(
    r"^(?:[A-Za-z]{1,20}(?:\([\w/]{1,40}\))?: )?(?:[A-Z]:)?(?:\./|\.\./|/)?([\w./@!+~-]{1,300}\.go):\d{1,7}(?::\d{1,5})?: (.{0,1200})"
)
_LACKING: Final = re.compile(
    r"undefined|unknown field|no field or method|not enough|too many|missing method|could not import|does not implement"
)
_COMPLAINS: Final = re.compile(
    r"undefined|cannot use|not enough arguments|too many arguments|has no field or method|does not implement|"
    r"missing method|assignment mismatch|unknown field|not a type|redeclared|cannot call|want \(|have \(|"
    r"invalid operation|undeclared|not exported|could not import|deprecated"
)
_REFUSED: Final = re.compile(
    r"^(?:\./|\.\./)?[\w./@+-]{1,300}\.go:\d{1,7}:\d{1,5}: (?:undefined|cannot use|not enoug"
    r"h|too many|assignment mismatch|unknown field)",
    re.MULTILINE,
)
_PATHS: Final = re.compile(
    r"(?<![\w.-])([a-z0-9][\w-]{0,80}(?:\.[\w-]{1,60}){1,6}(?:/[\w.~-]{1,100}){1,10}?)\"?\.[A-Z]"
)
_TAKER: Final = re.compile(
    r" value in (?:argument to|assignment to|return statement)[^:]{0,300}: (?=.{1,600} does not implement )"
)
"""Who takes a value of a type: where that no longer fits, it is between the type and the value."""
_ALIAS: Final = re.compile(r"(?<![\w./\"])\*?([a-z][\w]{0,60})\.([A-Z]\w{0,120})")
_DOWNLOADING: Final = re.compile(r"go: (?:downloading|finding|extracting|added) ([\w.~!/-]{3,200}) (v\d[\w.+-]{0,80})")
_CHANGED: Final = re.compile(
    r"go(?: get)?: (?:upgraded|downgraded) ([\w.~!/-]{3,200}) (v\d[\w.+-]{0,80}) => (v\d[\w.+-]{0,80})"
)
_REQUIRES: Final = re.compile(r"^\s{0,8}([\w.~!/-]{3,200})@(v\d[\w.+-]{0,80}) requires$")
_IN_MOD: Final = re.compile(r"/pkg/mod/([a-z0-9][\w.~!/-]{2,200}?)@(v\d[\w.+-]{0,80})/")
_VERSIONED: Final = re.compile(
    r"/([a-z0-9][\w-]{0,60}(?:\.[a-z][\w-]{0,60}){1,4}(?:/[\w.~!-]{1,100}){0,8}?)@(v\d[\w.+-]{0,80})/"
)
_VENDORED: Final = re.compile(r"/vendor/([a-z0-9][\w-]{0,60}(?:\.[\w-]{1,60}){1,4}/[\w.~/-]{1,200})/[\w.-]{1,100}\.go:")
_BUILDING: Final = re.compile(r"^# ([a-z0-9][\w-]{0,60}(?:\.[\w-]{1,60}){1,4}/[\w.~/-]{1,200})")
_EXTERNAL: Final = re.compile(r"/external/(?:[\w.]{1,80}[~+]{1,2}[\w.]{1,80}[~+])?([a-z][a-z0-9_]{2,150})/")
"""A module's folder in a build of Bazel."""
BUILDING_LINES_MAX: Final = 20
_AMBIGUOUS: Final = re.compile(r"^\s{1,8}([\w.~!/-]{3,200}) (v\d[\w.+-]{0,80}) \(")
_PLACE: Final = re.compile(r"^\s{1,16}(\S{1,400}\.go:)\d")
_TOOLCHAIN: Final = re.compile(
    r"/(?:go|go[-/@]?\d[\w.]{0,20}|libexec|hostedtoolcache/go\S{0,80}|golang\.org/toolchain\S{0,80})/src/|"
    r"/src/(?:runtime|testing|net|reflect|internal|sync|encoding|database|context)/"
)
_SHARED: Final = frozenset(["github.com", "gitlab.com", "bitbucket.org", "codeberg.org", "golang.org"])
_STANDARD: Final = frozenset(
    [
        "fmt",
        "os",
        "io",
        "net",
        "http",
        "json",
        "time",
        "sync",
        "errors",
        "context",
        "bytes",
        "strings",
        "strconv",
        "testing",
        "log",
        "math",
        "sort",
        "bufio",
        "reflect",
        "regexp",
        "sql",
        "runtime",
        "unsafe",
        "rand",
        "url",
        "filepath",
        "path",
        "flag",
        "atomic",
        "template",
        "exec",
        "ioutil",
        "tls",
        "x509",
        "big",
        "hex",
        "base64",
    ]
)


def read(log: Log) -> Reading:
    found = began(Ecosystem.GO, log, _MARKS)
    if found is None:
        return Reading(Ecosystem.GO)
    bumped(log, found, lambda name: name if "." in name.split("/")[0] and "/" in name else "")
    for number, line in [*log.hits("go: ", 2_000), *log.hits("go get: ", 200)]:
        if (one := _DOWNLOADING.search(line)) is not None:
            found.versions[_plain(one[1])] = one[2]
        elif (changed := _CHANGED.search(line)) is not None:
            move(found, changed[1], changed[2], changed[3], number)
            found.versions[changed[1]] = changed[3]
    found.clues += apply(log, _RULES, lambda name: _module(_plain(name), found))
    found.clues += _ambiguous(log)
    found.clues += _compiled(log, found)
    found.clues += _panicked(log, found)
    found.kind = _step(log, found)
    return found


def _plain(path: str) -> str:
    """Module paths in the cache write a capital letter as "!" and the small one."""
    return re.sub(r"!([a-z])", lambda found: found[1].upper(), path)


def _module(path: str, reading: Reading) -> str:
    """The module of a package's path: the longest one that the log knows; else host, owner and name, with a major version."""
    known = [one for one in reading.versions if path == one or path.startswith(one + "/")]
    if known:
        return max(known, key=len)
    parts = path.split("/")
    if "." not in parts[0]:
        return ""
    hosted = parts[0] in _SHARED
    if parts[0] == "gopkg.in":
        hosted = re.search(r"\.v\d{1,3}(?:-unstable)?$", parts[1] if len(parts) > 1 else "") is None
    length = 3 if hosted else 2
    if len(parts) > length and re.fullmatch(r"v\d{1,3}", parts[length]):
        length += 1
    return "/".join(parts[:length])


def _step(log: Log, found: Reading) -> Failure | None:
    kinds = {clue.kind for clue in found.clues}
    if (
        Failure.LOCK in kinds
        or "updates to go.mod needed" in log.text
        or "updates to go.sum needed" in log.text
        or "inconsistent vendoring" in log.text
    ):
        return Failure.LOCK
    if "ambiguous import" in log.text:
        return Failure.RESOLUTION
    for kind in (Failure.COMPILATION, Failure.RESOLUTION):
        if kind in kinds:
            return kind
    if _REFUSED.search(log.text):
        return Failure.COMPILATION
    if "--- FAIL:" in log.text or re.search(r"^FAIL\s", log.text, re.MULTILINE):
        return Failure.TEST
    return Failure.RUNTIME if found.clues or re.search(r"^goroutine \d+ \[running\]", log.text, re.MULTILINE) else None


def _ambiguous(log: Log) -> Iterator[Clue]:
    """Two modules hold one package: both are named below, and what was split off later is the shorter way to an answer."""
    for number, _ in log.hits("ambiguous import: found package", 6):
        for at, line in log.after(number, 4):
            one = _AMBIGUOUS.match(line)
            if one is None:
                break
            yield Clue(Reason.CONFLICTS, one[1], RESOLUTION, at, one[2], 0.9)
    for number, line in log.hits(" requires", 40):
        one = _REQUIRES.match(line.removeprefix("go: "))
        if one is not None and number > 0:
            yield Clue(Reason.LEADS_TO, one[1], RESOLUTION, number, one[2], 0.7)


def _compiled(log: Log, found: Reading) -> Iterator[Clue]:
    """Errors of the compiler: the packages that they name, by path or by the name that the file imports them under."""
    for number, line in log.hits(".go:", 300):
        error = _UNDEFINED.match(line)
        within, version = _within(log, number, line, found) if error else ("", "")
        if error is None or not (within or _COMPLAINS.search(error[2])):
            continue
        reason = Reason.LACKS if _LACKING.search(error[2]) else Reason.NAMED
        paths = [_module(one, found) for one in _PATHS.findall(error[2])]
        named = [Clue(reason, one, COMPILATION, number, share=1.1) for one in dict.fromkeys(paths) if one]
        named = named or list(_by_alias(log, number, error[2], Reason.LACKS if within else reason, found))
        named = [one for one in (_beside(one, within) for one in named) if not _inner(one.name, within, error[1])]
        yield from named
        if within:
            others = any(clue.name != within and clue.share > GUESSED for clue in named)
            yield Clue(Reason.CALLS if others else Reason.BROKEN_FILE, within, COMPILATION, number, version, 0.9)


def _within(log: Log, number: int, line: str, found: Reading) -> tuple[str, str]:
    """The module (and its version) whose own source an error is in: by the file's path, or by what is being built; "" for none."""
    path = "/" + line.partition(".go:")[0].rpartition(": ")[2] + ".go:"
    if (inside := _of_path(path, found))[0]:
        return inside
    for back in range(number - 1, max(0, number - BUILDING_LINES_MAX), -1):
        if (building := _BUILDING.match(log.line(back))) is not None:
            return (_module(building[1], found), "") if f"/{building[1]}/" in path else ("", "")
    return "", ""


def _of_path(path: str, found: Reading) -> tuple[str, str]:
    """The module (and its version) that a file lies in: in the cache of modules, or in a vendor folder; "" for neither."""
    if (inside := _IN_MOD.search(path) or _VERSIONED.search(path)) is not None:
        return _plain(inside[1]), inside[2]
    if (vendored := _VENDORED.search(path)) is not None:
        return _module(vendored[1], found), ""
    fetched = _EXTERNAL.search(path)
    return (_of_bazel(fetched[1], found), "") if fetched is not None else ("", "")


def _of_bazel(label: str, found: Reading) -> str:
    """The module of a repository of Bazel: a fetched one that is written so, or owner and name on GitHub; "" for others."""
    for module in found.versions:
        host, _, rest = module.lower().partition("/")
        if re.sub(r"[^a-z0-9]", "_", "/".join([*reversed(host.split(".")), rest])) == label:
            return module
    owner, _, name = label.removeprefix("com_github_").partition("_")
    return f"github.com/{owner}/{name.replace('_', '-')}" if label.startswith("com_github_") and name else ""


def _inner(name: str, within: str, file: str) -> bool:
    """Whether what is guessed from a name before a dot is a folder of the very module that the error is in."""
    alias = name.rpartition("/")[2]
    return bool(within) and name != within and f"/{alias}/" in file and name.count("/") < 2


def _beside(clue: Clue, within: str) -> Clue:
    """A package of an unknown path, named in a module that has a host of its own: probably of the same host."""
    host = within.partition("/")[0]
    if "/" in clue.name or not host or host in _SHARED:
        return clue
    return replace(clue, name=f"{host}/{clue.name}", share=GUESSED)


def _by_alias(log: Log, number: int, message: str, reason: Reason, found: Reading) -> Iterator[Clue]:
    """The names before dots in an error and in the types below it."""
    below = [(at, more) for at, more in log.after(number, 3) if more.startswith(("\t", "    "))]
    told: dict[str, int] = {}
    for at, more in below[:2]:
        told |= {path: at for one in _PATHS.findall(more) if (path := _module(one, found)) and path not in told}
    for path, at in told.items():
        yield Clue(Reason.NAMED, path, COMPILATION, at, found.versions.get(path, ""), 0.6)
    text = "\n".join([_TAKER.sub(": ", message), *(more for _, more in below)])
    folder = log.line(number).partition(".go:")[0].rpartition("/")[0].rpartition("/")[2]
    for alias in dict.fromkeys(one[1] for one in _ALIAS.finditer(text) if one[1] not in _STANDARD):
        for module, share in _aliased(alias, (*found.versions, *told)) if alias != folder else ():
            yield Clue(reason, module, COMPILATION, number, found.versions.get(module, ""), share)


def _aliased(alias: str, modules: Collection[str]) -> list[tuple[str, float]]:
    """Modules that a file may import under this name. One with a "_" is made from a protocol, and is no module's name."""
    exact, near = [], []
    for module in dict.fromkeys(modules):
        parts = [part for part in module.lower().split("/") if not re.fullmatch(r"v\d{1,3}", part)]
        last = re.sub(r"\.v\d{1,3}$", "", parts[-1])
        plain = last.removeprefix("go-").removesuffix("-go").removesuffix(".go").replace("-", "").replace(".", "")
        if plain == alias or last == alias:
            exact.append(module)
        elif alias in re.split(r"[-./]", module.lower()) or plain.endswith(alias) or alias.startswith(f"{plain}_"):
            near.append(module)
    if exact:
        return [(one, 1.0) for one in exact[:3]]
    few = list(modules) if len(modules) <= FEW else []
    return [(one, 0.6) for one in near[:3] or few] or ([] if "_" in alias else [(alias, GUESSED)])


def _panicked(log: Log, found: Reading) -> Iterator[Clue]:
    """A panic: the first dependency on the stack, until the program's own code."""
    for word in ("panic: ", "panic(", "fatal error: "):
        for number, _ in log.hits(word, 10):
            first = True
            for at, line in log.after(number, 50):
                place = _PLACE.match(line)
                if place is None:
                    continue
                module, version = _of_path("/" + place[1], found)
                if not module:
                    if _TOOLCHAIN.search(line):
                        continue
                    break
                reason, share = (Reason.RAISES, 1.0) if first else (Reason.PASSES, 0.7)
                yield Clue(reason, module, RUNTIME, at, version, share)
                first = False
