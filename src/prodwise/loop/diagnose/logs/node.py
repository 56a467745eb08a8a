"""Logs of npm, Yarn, pnpm, of TypeScript and bundlers, and of Node programs and tests."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final

from prodwise.loop.diagnose.logs.asked import names_asked
from prodwise.loop.diagnose.logs.clue import Clue, Reading
from prodwise.loop.diagnose.logs.node_peers import locked, peers
from prodwise.loop.diagnose.logs.rules import apply, began, bumped, host_of, rule
from prodwise.loop.diagnose.logs.text import Log
from prodwise.loop.diagnose.logs.weights import Reason
from prodwise.model.breakage import Ecosystem, Failure

_MARKS: Final = (
    "npm ",
    "node_modules",
    "yarn ",
    "pnpm",
    "ERR_PNPM",
    "error TS",
    "    at ",
    "Cannot find module",
    "Can't resolve",
    "ERR_REQUIRE_ESM",
    "➤ YN",
    "npx ",
    "vite",
    "SyntaxError: The requested module",
    "[ERROR] ",
    "webpack",
    " is not a function",
    "Couldn't find package",
    "Couldn't find any versions",
    "lockfile",
    "●",
)
RESOLUTION, LOCK, COMPILATION, RUNTIME = Failure.RESOLUTION, Failure.LOCK, Failure.COMPILATION, Failure.RUNTIME
_PKG: Final = r"(?P<name>(?:@[\w.-]{1,80}/)?[a-z0-9_][\w.-]{0,100})"
_FULL: Final = r"(?P<name>(?:@[\w.-]{1,80}/)?[a-zA-Z0-9_][\w.-]{0,100})"
_PATH: Final = (
    r"(?:[^'\"\n]{0,300}node_modules/)?(?P<name>(?:@[\w.-]{1,80}/)?[a-zA-Z0-9_][\w.-]{0,100}(?:/[\w.@/-]{1,200})?)"
)
_VER: Final = r"(?P<version>v?\d[\w.+-]{0,60})"
_RULES: Final = (
    rule("No matching version found for", rf"found for {_PKG}@[\^~>=<]{{0,2}}{_VER}", Reason.NOT_FOUND, RESOLUTION),
    rule(
        "is not in this registry",
        rf"'{_PKG}@[\^~>=<]{{0,2}}{_VER}?[^']{{0,60}}' is not in this registry",
        Reason.NOT_FOUND,
        RESOLUTION,
    ),
    rule(
        "The requested resource '",
        rf"resource '{_PKG}(?:@[\^~>=<]{{0,2}}{_VER}?[^']{{0,60}})?' could not be found",
        Reason.NOT_FOUND,
        RESOLUTION,
    ),
    rule(
        "is not in the npm registry", rf"'{_PKG}@[^']{{0,60}}' is not in the npm registry", Reason.NOT_FOUND, RESOLUTION
    ),
    rule(
        "Couldn't find any versions for",
        rf'versions for "{_PKG}" that matches "[\^~]?{_VER}?',
        Reason.NOT_FOUND,
        RESOLUTION,
    ),
    rule("Couldn't find package", rf'package "{_PKG}(?:@[\^~]?{_VER})?"', Reason.NOT_FOUND, RESOLUTION),
    rule("No candidates found", rf"[ :]{_PKG}@npm:[\^~]?{_VER}: No candidates found", Reason.NOT_FOUND, RESOLUTION),
    rule("is incompatible with this module", rf"error {_PKG}@{_VER}: The engine", Reason.NOT_FOUND, RESOLUTION),
    rule("EBADENGINE", rf"package: '{_PKG}@{_VER}'", Reason.NOT_FOUND, RESOLUTION, 0.6),
    rule("Not compatible with your version of node/npm", rf"node/npm: {_PKG}@{_VER}", Reason.NOT_FOUND, RESOLUTION),
    rule(
        "does not satisfy",
        rf"Invalid: lock file's {_PKG}@\S{{1,60}} does not satisfy (?:@?[\w./-]{{1,160}})@{_VER}",
        Reason.DIFFERS,
        LOCK,
    ),
    rule("from lock file", rf"Missing: {_PKG}@{_VER} from lock file", Reason.DIFFERS, LOCK, 0.9),
    rule("specifiers in the lockfile", rf'"{_PKG}":"', Reason.DIFFERS, LOCK, 0.3),
    rule("EINTEGRITY", rf"EINTEGRITY.{{0,300}}/{_PKG}-{_VER}\.tgz", Reason.DIFFERS, LOCK),
    rule("ERR! path ", rf"ERR! path .{{0,300}}/node_modules/{_PKG}$", Reason.FAILS_TO_BUILD, RESOLUTION),
    rule("error path ", rf"error path .{{0,300}}/node_modules/{_PKG}$", Reason.FAILS_TO_BUILD, RESOLUTION),
    rule(
        "node_modules/",
        rf"(?:error|ERR!) .{{0,300}}/node_modules/{_PKG}: Command failed",
        Reason.FAILS_TO_BUILD,
        RESOLUTION,
    ),
    rule(
        " has no exported member",
        rf"""(?:Module ['"]+|error TS\d{{1,6}}: ['"]+){_PATH}['"]+ has no exported member""",
        Reason.LACKS,
        COMPILATION,
    ),
    rule("TS2307", rf"Cannot find module '{_PATH}'", Reason.LACKS, COMPILATION, 0.9),
    rule("TS7016", rf"declaration file for module '{_PATH}'", Reason.LACKS, COMPILATION, 0.9),
    rule("has no default export", rf"""Module ['"]+{_PATH}['"]+ has no default export""", Reason.LACKS, COMPILATION),
    rule(
        "error TS",
        rf"^(?:\./|\.\./|/)?(?:[\w./-]{{0,200}}/)?node_modules/{_PATH}[(:]\d",
        Reason.BROKEN_FILE,
        COMPILATION,
        0.8,
    ),
    rule(
        "node_modules/", rf"^\s{{0,4}}(?:\./)?node_modules/{_PATH}:\d{{1,6}}:\d{{1,6}}$", Reason.NAMED, COMPILATION, 0.9
    ),
    rule(
        " found",
        rf"(?:[Ee]nvironment|[Pp]reset|[Pp]lugin|[Mm]odule|[Ll]oader|[Pp]ackage) ['\"]?{_FULL}['\"]? "
        r"(?:in the \w{1,40} option )?(?:cannot be|was not|could not be|not) found",
        Reason.LACKS,
        RUNTIME,
    ),
    rule("node_modules/", rf"""import\("[^"]{{0,300}}node_modules/{_PATH}"\)""", Reason.NAMED, COMPILATION, 0.9),
    rule("Module not found", rf"Can't resolve '{_PATH}' in '", Reason.LACKS, COMPILATION, 0.9),
    rule("Can't resolve", rf"Can't resolve '{_PATH}'", Reason.LACKS, COMPILATION, 0.8),
    rule(
        "is not exported from package",
        rf"is not exported from package .{{0,300}}/node_modules/{_FULL}",
        Reason.LACKS,
        COMPILATION,
        1.1,
    ),
    rule("was not found in '", rf"was not found in '{_PATH}'", Reason.LACKS, COMPILATION),
    rule("is not exported from '", rf"is not exported from '{_PATH}'", Reason.LACKS, COMPILATION),
    rule(
        "is not exported by ", rf"""is not exported by "[^"]{{0,200}}node_modules/{_PATH}""", Reason.LACKS, COMPILATION
    ),
    rule(
        "No matching export in",
        rf"""No matching export in "[^"]{{0,200}}node_modules/{_PATH}" """,
        Reason.LACKS,
        COMPILATION,
    ),
    rule('Could not resolve "', rf'Could not resolve "{_PATH}"', Reason.LACKS, COMPILATION, 0.9),
    rule("failed to resolve import", rf'failed to resolve import "{_PATH}"', Reason.LACKS, COMPILATION, 0.9),
    rule("Failed to resolve import", rf'Failed to resolve import "{_PATH}"', Reason.LACKS, COMPILATION, 0.9),
    rule("Failed to resolve entry for package", rf'entry for package "{_FULL}"', Reason.LACKS, COMPILATION),
    rule('specifier in "', rf"""specifier in "{_FULL}" package""", Reason.LACKS, COMPILATION),
    rule(
        "does not provide an export named",
        rf"requested module '(?:[^']{{0,200}}node_modules/)?{_PATH}' does not provide",
        Reason.LACKS,
        RUNTIME,
    ),
    rule(
        "Named export '",
        rf"The requested module '(?:[^']{{0,200}}node_modules/)?{_PATH}' is a CommonJS",
        Reason.LACKS,
        RUNTIME,
    ),
    rule(
        "ERR_REQUIRE_ESM",
        rf"ES Module:? (?:[^ ]| (?!from )){{0,400}}/node_modules/{_PATH}(?: from|\s|$)",
        Reason.LACKS,
        RUNTIME,
        1.1,
    ),
    rule(
        'is not defined by "exports"',
        rf'is not defined by "exports" in \S{{0,300}}/node_modules/{_FULL}/package\.json',
        Reason.LACKS,
        RUNTIME,
        1.1,
    ),
    rule(
        'No "exports" main defined',
        rf"defined in \S{{0,300}}/node_modules/{_FULL}/package\.json",
        Reason.LACKS,
        RUNTIME,
        1.1,
    ),
    rule(
        "Cannot find module",
        rf"Cannot find module '(?:/[^']{{0,300}}/node_modules/)?{_PATH}'",
        Reason.LACKS,
        RUNTIME,
        0.9,
    ),
    rule("Cannot find package '", rf"Cannot find package '{_FULL}'", Reason.LACKS, RUNTIME, 0.9),
    rule("Failed to load plugin '", r"Failed to load plugin '(?P<name>[\w@/.-]{1,120})'", Reason.LACKS, RUNTIME, 0.3),
    rule("Cannot read config file", rf"node_modules/{_FULL}/", Reason.RAISES, RUNTIME, 0.5),
    rule(
        "node_modules/",
        rf"^(?:Details:)?\s{{0,8}}(?:/[\w.@/ -]{{0,300}}/)?node_modules/{_PATH}:\d{{1,6}}$",
        Reason.RAISES,
        RUNTIME,
        0.9,
    ),
    rule("Class extends value undefined", rf"node_modules/{_FULL}", Reason.RAISES, RUNTIME),
    rule("Invalid hook call", r"(?P<name>react)", Reason.NAMED, RUNTIME, 0.6),
)
_FRAME: Final = re.compile(r"^\s{1,12}at (?:.{0,200} \()?(?:file://)?([^()\s]{1,400}|[^()]{1,400}):\d{1,7}:\d{1,7}\)?")
_IN: Final = re.compile(r"node_modules/(?:\.pnpm/[^/]{1,200}/node_modules/)?((?:@[\w.-]{1,80}/)?[\w.-]{1,120})")
_VERSIONED: Final = re.compile(r"node_modules/\.pnpm/((?:@[\w.-]{1,80}\+)?[\w.-]{1,100})@(\d[\w.-]{0,60})")
_RAISED: Final = re.compile(
    r"(?:^|Uncaught |\s{1,8}|● .{0,200}|\] )((?:[A-Z]\w{0,60}\.)?(?:[A-Z]\w{0,60})?(?:Error|Exception))"
    r"(?: \[(\w{1,80})\])?: (.{0,1000})"
)
_THREW: Final = re.compile(r"^(?:Uncaught )?[A-Z]\w{0,60}Error: [^\n]{0,1500}\n\s{1,12}at ", re.MULTILINE)
_IMPORTED: Final = re.compile(
    r"\b(?:import|const|let|var) [^\n'\"]{1,200}(?:from |require\()['\"]([^'\"\n]{1,160})['\"]"
)
_CALLED: Final = re.compile(r"(?<![\w$.])([\w$]{1,80})(?:\.[\w$.]{0,200})?\)?$")
_BUILTIN: Final = frozenset(
    [
        "assert",
        "async_hooks",
        "buffer",
        "child_process",
        "cluster",
        "console",
        "constants",
        "crypto",
        "dgram",
        "dns",
        "domain",
        "events",
        "fs",
        "http",
        "http2",
        "https",
        "module",
        "net",
        "os",
        "path",
        "perf_hooks",
        "process",
        "punycode",
        "querystring",
        "readline",
        "repl",
        "stream",
        "string_decoder",
        "sys",
        "timers",
        "tls",
        "tty",
        "url",
        "util",
        "v8",
        "vm",
        "wasi",
        "worker_threads",
        *("zlib", "node"),
    ]
)
_TESTERS: Final = re.compile(
    r"^(?:jest|@jest/.*|jest-.*|mocha|vitest|@vitest/.*|jasmine.*|tap|ava|expect|chai|ts-nod"
    r"e|ts-jest|babel-jest|tsx|karma.*|cypress|npm|yarn|pnpm)$"
)


def read(log: Log) -> Reading:
    found = began(Ecosystem.NODE, log, _MARKS)
    if found is None:
        return Reading(Ecosystem.NODE)
    log = Log(log.text.replace("\\", "/"), log.cut) if "\\node_modules\\" in log.text else log
    bumped(log, found, _package)
    _installed(log, found)
    found.clues += apply(log, _RULES, _package)
    found.clues += peers(log)
    found.clues += locked(log)
    found.clues += _raised(log, found.versions)
    found.kind = _step(log, found)
    return found


def _package(name: str) -> str:
    """The package of a module's name or path; "" for the program's own and Node's."""
    if not name or name.startswith((".", "/", "node:", "~", "@/", "#")) or ":" in name:
        return ""
    parts = name.split("/")
    if name.startswith("@"):
        return "/".join(parts[:2]) if len(parts) > 1 else ""
    return "" if parts[0] in _BUILTIN or parts[0] in ("src", "app", "lib", "dist", "test", "components") else parts[0]


def _step(log: Log, found: Reading) -> Failure | None:
    kinds = {clue.kind for clue in found.clues}
    if (
        Failure.LOCK in kinds
        or "ERR_PNPM_OUTDATED_LOCKFILE" in log.text
        or "Your lockfile needs to be updated" in log.text
        or "YN0028" in log.text
    ):
        return Failure.LOCK
    if (
        any(mark in log.text for mark in ("ERESOLVE", "npm ERR! code E404", "ETARGET", "ERR_PNPM_", "npm error code E"))
        and Failure.RESOLUTION in kinds
    ):
        return Failure.RESOLUTION
    if re.search(
        r"^\s{0,4}(?:FAIL |Tests:\s|Test Suites:|\s+\d+ failing|not ok \d|# fail [1-9]| ❯ | FAIL )",
        log.text,
        re.MULTILINE,
    ):
        return Failure.TEST
    if Failure.COMPILATION in kinds:
        return Failure.COMPILATION
    if not found.clues:
        return Failure.COMPILATION if ": error TS" in log.text else Failure.RUNTIME if _THREW.search(log.text) else None
    return Failure.RESOLUTION if kinds == {Failure.RESOLUTION} else Failure.RUNTIME


def _installed(log: Log, found: Reading) -> None:
    for name, (_, version) in names_asked(log, Ecosystem.NODE):
        found.versions.setdefault(name, version)
    for _, line in log.hits("node_modules/.pnpm/", 300):
        for one in _VERSIONED.finditer(line):
            found.versions.setdefault(one[1].replace("+", "/"), one[2])
    for _, line in [*log.hits("── ", 500)]:
        for one in re.finditer(r"── ((?:@[\w.-]{1,80}/)?[\w.-]{1,100})@(\d[\w.+-]{0,60})", line):
            found.versions.setdefault(one[1], one[2])


def _raised(log: Log, known: Collection[str]) -> Iterator[Clue]:
    """Errors with their frames: the first dependency on the way, until the program's own code."""
    lines: dict[int, str] = {}
    for word in ("Error: ", "Error ["):
        lines.update(log.hits(word, 400))
    for number, line in sorted(lines.items()):
        raised = _RAISED.search(line)
        if raised is None:
            continue
        frames = _frames(log, number)
        yield from _of_error(log, number, raised[1], raised[3], frames, known)


def _frames(log: Log, number: int) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    quiet = 0
    for at, line in log.after(number, 60):
        frame = _FRAME.match(line)
        if frame:
            found.append((at, frame[1]))
        elif found and quiet:
            break
        elif found:
            quiet += 1
    return found


def _of_error(
    log: Log, number: int, name: str, message: str, frames: list[tuple[int, str]], known: Collection[str]
) -> Iterator[Clue]:
    first = True
    own = False
    lacks = " is not a " in message or "of undefined" in message
    inside = [one[-1] for _, file in frames[:30] if (one := _IN.findall(file))]
    for at, file in frames[:30]:
        inside = _IN.findall(file)
        package = inside[-1] if inside else ""
        if file.startswith(("node:", "internal/")) or _TESTERS.match(package):
            continue
        if not package:
            own = True
            break
        yield Clue(Reason.RAISES if first else Reason.PASSES, package, RUNTIME, at, share=1.0 if first else 0.7)
        if first and lacks and (host := host_of(package, {*inside, *known, *_receiver(message)})):
            yield Clue(Reason.LACKS, host, RUNTIME, number)
        first = False
    called, is_not, _ = message.partition(" is not a ")
    found = _CALLED.search(called[-300:]) if is_not else None
    if found and first:
        hint = re.sub(r"(?:_\d{1,3}|__WEBPACK_\w{1,60}|_default|_module|Module)$", "", found[1]).lstrip("_$")
        origin = _origin(log, number, found[1])
        if origin:
            yield Clue(Reason.LACKS, origin, RUNTIME, number)
        elif hint and (own or not frames) and hint not in ("default", "this", "exports", "module"):
            yield Clue(Reason.NAMED, _likely(_dashed(hint), known), RUNTIME, number, share=1.2)


def _origin(log: Log, number: int, name: str) -> str:
    """The package that a name was imported from, where the code shown under an error tells it."""
    for _, line in log.after(number, 20):
        if name in line and (one := _IMPORTED.search(line)) is not None:
            return _package(one[1])
    return ""


def _receiver(message: str) -> list[str]:
    """The variable whose method is none."""
    found = _CALLED.search(message.partition(" is not a ")[0][-300:])
    return [_dashed(found[1])] if found and "." in found[0] else []


def _likely(name: str, known: Collection[str]) -> str:
    """The one known package that the name is a word of; else the name."""
    near = [one for one in known if name in re.split(r"[@/._-]", one)]
    return near[0] if name not in known and len(near) == 1 else name


def _dashed(name: str) -> str:
    """A variable's name as a package's: nodeFetch is node-fetch."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"-\1", name).replace("_", "-").lower()
