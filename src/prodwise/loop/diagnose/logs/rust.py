"""Logs of Cargo and rustc, and of Rust programs and tests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from prodwise.loop.diagnose.logs import rust_names
from prodwise.loop.diagnose.logs.clue import Clue, Reading
from prodwise.loop.diagnose.logs.rules import apply, began, between, bumped, move, rule, wants
from prodwise.loop.diagnose.logs.rust_names import SOURCE
from prodwise.loop.diagnose.logs.text import Log
from prodwise.loop.diagnose.logs.weights import Reason
from prodwise.model.breakage import Ecosystem, Failure

_MARKS: Final = (
    "cargo",
    "Cargo",
    "error[E",
    "rustc",
    "   Compiling ",
    "crates.io",
    "crates-io",
    "no matching package",
    "failed to select a version",
    "thread '",
    ".rs:",
)
RESOLUTION, LOCK, COMPILATION, RUNTIME = Failure.RESOLUTION, Failure.LOCK, Failure.COMPILATION, Failure.RUNTIME
_CRATE: Final = r"(?P<name>[A-Za-z0-9][\w-]{0,80})"
_VER: Final = r"v?(?P<version>\d[\w.+-]{0,60})"
_RULES: Final = (
    rule(
        "failed to select a version for the requirement",
        rf"for the requirement `{_CRATE} = \"[=^~<> ]{{0,3}}{_VER}",
        Reason.NOT_FOUND,
        RESOLUTION,
    ),
    rule("no matching package named", rf"no matching package named `{_CRATE}` found", Reason.NOT_FOUND, RESOLUTION),
    rule("no matching package found", rf"searched package name: `{_CRATE}`", Reason.NOT_FOUND, RESOLUTION),
    rule("searched package name", rf"searched package name: `{_CRATE}`", Reason.NOT_FOUND, RESOLUTION),
    rule(
        "cannot be built because it requires rustc",
        rf"package `{_CRATE} {_VER}[^`]{{0,200}}` cannot be built because it requires rustc",
        Reason.NOT_FOUND,
        COMPILATION,
        1.1,
    ),
    rule(
        "it requires rustc",
        rf"package `{_CRATE} {_VER}[^`]{{0,200}}`, it requires rustc",
        Reason.NOT_FOUND,
        COMPILATION,
    ),
    rule("requires rustc", rf"^\s{{0,4}}{_CRATE}@{_VER} requires rustc", Reason.NOT_FOUND, COMPILATION, 1.1),
    rule("feature `edition", rf"/registry/src/[^/]{{1,100}}/{_CRATE}-{_VER}/Cargo\.toml", Reason.NOT_FOUND, RESOLUTION),
    rule(
        "failed to parse manifest at",
        rf"/registry/src/[^/]{{1,100}}/{_CRATE}-{_VER}/Cargo\.toml",
        Reason.NOT_FOUND,
        RESOLUTION,
    ),
    rule("failed to download", rf"failed to download(?: from)? `?{_CRATE} {_VER}", Reason.NOT_FOUND, RESOLUTION),
    rule("checksum for `", rf"checksum for `{_CRATE} {_VER}", Reason.DIFFERS, LOCK),
    rule("does not have feature", rf"depends on `{_CRATE}`,? with features", Reason.LACKS, RESOLUTION, 1.2),
    rule("does not have these features", rf"depends on `{_CRATE}`,? with features", Reason.LACKS, RESOLUTION, 1.2),
    rule(
        "does not have that feature",
        rf"package `{_CRATE}`? ?.{{0,60}}does not have that feature",
        Reason.LACKS,
        RESOLUTION,
        1.2,
    ),
    rule("links to the native library", rf"package `{_CRATE} {_VER}", Reason.CONFLICTS, RESOLUTION, 0.4),
    rule(
        "failed to run custom build command for",
        rf"build command for `{_CRATE} {_VER}",
        Reason.FAILS_TO_BUILD,
        COMPILATION,
        1.1,
    ),
    rule(
        "perhaps two different versions of crate",
        rf"two different versions of crate `{_CRATE}` are being used",
        Reason.CONFLICTS,
        COMPILATION,
        1.1,
    ),
    rule(
        "different versions of crate `",
        rf"(?:multiple|two) different versions of crate `{_CRATE}`",
        Reason.CONFLICTS,
        COMPILATION,
        1.1,
    ),
    rule(
        ", found a different `", rf"expected `{_CRATE}::[\w:]{{1,160}}`, found a ", Reason.CONFLICTS, COMPILATION, 1.1
    ),
    rule("unresolved import `", rf"unresolved import `{_CRATE}(?:::|`)", Reason.LACKS, COMPILATION),
    rule("unresolved imports `", rf"`{_CRATE}::", Reason.LACKS, COMPILATION),
    rule("unresolved module or unlinked crate", rf"unlinked crate `{_CRATE}`", Reason.LACKS, COMPILATION, 0.8),
    rule("can't find crate for", rf"can't find crate for `{_CRATE}`", Reason.NOT_FOUND, COMPILATION, 0.8),
    rule(
        "use of deprecated",
        rf"use of deprecated \w{{1,20}}(?: \w{{1,20}})? `{_CRATE}::",
        Reason.WARNS,
        COMPILATION,
        0.8,
    ),
)
_PATH: Final = re.compile(r"`(?:[A-Z]\w{0,60}: )?&?(?:mut )?(?:dyn |impl )?(?:\w{1,60}<)?([a-z][a-z0-9_]{1,80})::")
_USE: Final = re.compile(r"^\d{1,7} [|+] {1,8}(?:pub )?use ([a-z][a-z0-9_]{1,80})::")
_ERROR: Final = re.compile(r"^error(?:\[E(\d{4})\])?: (.{0,1200})")
_SHOWN: Final = re.compile(r"(?<![\w:])([a-z][a-z0-9_]{1,80})::")
_CODE: Final = re.compile(r"^\d{1,7} [|+-] ")
_COMPILING: Final = re.compile(
    r"^\s{0,8}(?:Compiling|Checking|Downloaded|Adding|Locking|Documenting) ([A-Za-z0-9][\w-]"
    r"{0,80}) v(\d[\w.+-]{0,60})( \((?:/|[A-Z]:|file:|path\+))?"
)
_UPDATING: Final = re.compile(
    r"^\s{0,8}(?:Updating|Downgrading|Upgrading) ([A-Za-z0-9][\w-]{0,80}) v(\d[\w.+-]{0,60}) -> v(\d[\w.+-]{0,60})"
)
_NOT_COMPILED: Final = re.compile(r"could not compile `([A-Za-z0-9][\w-]{0,80})`")
_SELECT: Final = re.compile(r"failed to select a version for `([A-Za-z0-9][\w-]{0,80})`")
_REQUIRED: Final = re.compile(r"required by package `([A-Za-z0-9][\w-]{0,80}) v(\d[\w.+-]{0,60})( \()?")
_MEET: Final = re.compile(r"versions that meet the requirements `([^`]{1,80})`")
_PREVIOUS: Final = re.compile(r"previously selected package `([A-Za-z0-9][\w-]{0,80}) v(\d[\w.+-]{0,60})")
_SATISFIES: Final = re.compile(r"which satisfies (?:\w{1,20} )?dependency `([A-Za-z0-9][\w-]{0,80}) = ")
_INSTALLED: Final = re.compile(r"failed to compile `([A-Za-z0-9][\w-]{0,80}) v\d[^`]{0,200}`, intermediate artifacts")
FEW: Final = 2
"""Crates that were compiled before a program whose installation failed, for each of them to be a likely cause."""
_OWN_WORDS: Final = frozenset(["crate", "self", "super", "std", "core", "alloc", "test", "proc_macro"])


def read(log: Log) -> Reading:
    found = began(Ecosystem.RUST, log, _MARKS)
    if found is None:
        return Reading(Ecosystem.RUST)
    own = _installed(log, found)
    bumped(log, found, lambda name: name if re.fullmatch(r"[A-Za-z0-9][\w-]{0,80}", name) else "")

    def named(name: str) -> str:
        crate = _crate(name, found)
        return "" if crate in own or name in _OWN_WORDS else crate

    found.clues += apply(log, _RULES, named)
    found.clues += _selected(log, own)
    lacking = ((number, named(name)) for number, name in rust_names.lacking(log))
    found.clues += [Clue(Reason.LACKS, name, COMPILATION, number) for number, name in lacking if name]
    found.clues += _compiled(log, found, own)
    found.clues += _panicked(log)
    found.clues = [*rust_names.unaliased(found.clues, log, found.versions)]
    found.kind = _step(log, found)
    return found


def _crate(name: str, found: Reading) -> str:
    """A name in code as the crate's: code writes "_" where crates may have "-"."""
    dashed = name.replace("_", "-")
    return dashed if name not in found.versions and dashed in found.versions else name


def _installed(log: Log, found: Reading) -> set[str]:
    """Reads versions; returns the crates that are built from the project's own folder, or are the program that is installed."""
    own = {one[1] for _, line in log.hits("failed to compile `", 6) if (one := _INSTALLED.search(line))}
    for word in ("Compiling ", "Checking ", "Downloaded ", "Adding ", "Locking "):
        for _, line in log.hits(word, 1_500):
            one = _COMPILING.match(line)
            if one and one[3]:
                own.add(one[1])
            elif one and one[1] not in own:
                found.versions[one[1]] = one[2]
    for word in ("Updating ", "Downgrading ", "Upgrading "):
        for number, line in log.hits(word, 500):
            if (moved := _UPDATING.match(line)) is not None:
                move(found, moved[1], moved[2], moved[3], number)
                found.versions[moved[1]] = moved[3]
    for _, line in log.hits("registry/src/", 400):
        if (source := SOURCE.search(line)) is not None and source[1] not in own:
            found.versions.setdefault(source[1], source[2])
    return own


def _step(log: Log, found: Reading) -> Failure | None:
    kinds = {clue.kind for clue in found.clues}
    if Failure.LOCK in kinds or "needs to be updated but --locked was passed" in log.text:
        return Failure.LOCK
    if Failure.COMPILATION in kinds:
        return (
            Failure.WERROR
            if found.clues and all(clue.reason is Reason.WARNS for clue in found.clues)
            else Failure.COMPILATION
        )
    if Failure.RESOLUTION in kinds:
        return Failure.RESOLUTION
    if "test result: FAILED" in log.text:
        return Failure.TEST
    if "error: could not compile `" in log.text:
        return Failure.COMPILATION
    return Failure.RUNTIME if found.clues or "' panicked at " in log.text else None


def _selected(log: Log, own: set[str]) -> Iterator[Clue]:
    """Cargo's resolver: what is wanted by whom, and what was selected before."""
    for number, line in log.hits("failed to select a version for `", 6):
        crate = _SELECT.search(line)
        if crate is None:
            continue
        text = "\n".join(more for _, more in log.after(number, 30))
        need, before = _MEET.search(text), _PREVIOUS.search(text)
        askers = [one for one in _REQUIRED.finditer(text) if not one[3] and one[1] not in own]
        first = text.partition("previously selected")[0]
        wanter = next(((one[1], one[2]) for one in askers if one[0] in first), ("", ""))
        have = before[2] if before and before[1] == crate[1] else ""
        if need and (twice := _twice(text, crate[1], need[1])):
            yield from between(RESOLUTION, number, twice, {})
            continue
        yield from wants(RESOLUTION, number, wanter, (crate[1], need[1] if need else ""), have)
        later = [one for one in askers if one[0] not in first]
        if later:
            yield Clue(Reason.NAMED, later[0][1], RESOLUTION, number, later[0][2], 0.8)


def _twice(text: str, crate: str, need: str) -> list[tuple[str, str, str, str]]:
    """Two of the project's own dependencies that want different versions of a crate of which there can be only one."""
    now, _, before = text.partition("links to the native library")
    ends = [_SATISFIES.findall(part) for part in (now, before.partition("failed to select")[0])]
    had = re.search(rf"package `{re.escape(crate)} v(\d[\w.+-]{{0,60}})`", before)
    if not all(ends) or had is None or crate in (ends[0][-1], ends[1][-1]):
        return []
    return [(ends[0][-1], "", crate, need), (ends[1][-1], "", crate, had[1])]


def _compiled(log: Log, found: Reading, own: set[str]) -> Iterator[Clue]:
    """Errors of rustc: in a dependency's own source, or about a dependency's names."""
    calling: set[str] = set()
    found_all: list[Clue] = []
    for number, line in log.hits("error", 300):
        error = _ERROR.match(line)
        if (stopped := _NOT_COMPILED.search(line)) is not None:
            if stopped[1] in found.versions and stopped[1] not in own | calling:
                version = found.versions[stopped[1]]
                found_all.append(Clue(Reason.FAILS_TO_BUILD, stopped[1], COMPILATION, number, version))
            continue
        if error is None:
            continue
        block = [(number, line), *log.after(number, 24)]
        end = next(
            (i for i, (_, more) in enumerate(block[1:], 1) if more.startswith(("error", "warning:"))), len(block)
        )
        clues = list(_of_error(block[:end], found, own))
        calling |= {clue.name for clue in clues if clue.reason is Reason.CALLS}
        found_all += clues
    if not found_all:
        found_all += [clue for clue in (*_placed(log), *_few(log, found)) if clue.name not in own]
    for clue in found_all:
        called = clue.reason is Reason.FAILS_TO_BUILD and clue.name in calling
        yield replace(clue, reason=Reason.CALLS) if called else clue


def _few(log: Log, found: Reading) -> Iterator[Clue]:
    """What a published program needs, where it does not compile any more and hardly anything else is told."""
    lines = [number for number, line in log.hits("failed to compile `", 6) if _INSTALLED.search(line)]
    if lines and "error[E" in log.text and len(found.versions) <= FEW:
        yield from (Clue(Reason.FETCHED, name, COMPILATION, lines[0], found.versions[name]) for name in found.versions)


def _placed(log: Log) -> Iterator[Clue]:
    """Where nothing but places is left of what the compiler said: the dependency whose source they are in."""
    for number, line in log.hits("registry/src/", 20):
        source = SOURCE.search(line) if re.search(r"\.rs:\d{1,7}:\d{1,5}\s*$", line) else None
        if source is not None and "panicked" not in line:
            yield Clue(Reason.FAILS_TO_BUILD, source[1], COMPILATION, number, source[2], 0.9)


def _of_error(block: list[tuple[int, str]], found: Reading, own: set[str]) -> Iterator[Clue]:
    place = next((more for _, more in block if "--> " in more), "")
    source = SOURCE.search(place)
    told = {source[1].replace("_", "-")} if source else set[str]()
    others = list(_named(block, found, own, told))
    if source and source[1] not in own:
        reason = Reason.CALLS if others else Reason.FAILS_TO_BUILD
        yield Clue(reason, source[1], COMPILATION, block[0][0], source[2], 0.9 if others else 1.0)
    yield from others


def _named(block: list[tuple[int, str]], found: Reading, own: set[str], told: set[str]) -> Iterator[Clue]:
    """Other crates that an error names: by their paths, or by the files that its notes show."""
    for at, line in block:
        noted = SOURCE.search(line) if "--> " in line or "::: " in line else None
        shown = [_crate(name, found) for name in _SHOWN.findall(line)] if _CODE.match(line) else []
        names = [_crate(name, found) for name in (*_PATH.findall(line), *_USE.findall(line))]
        names += [name for name in shown if name in found.versions]
        rivals = [_crate(name, found) for name in rust_names.implementing(line)]
        for name in [*rivals, *names, *([noted[1]] if noted else [])]:
            if (
                name
                and name not in own
                and name.replace("-", "_") not in {one.replace("-", "_") for one in own}
                and name not in _OWN_WORDS
                and name.replace("_", "-") not in told
            ):
                told.add(name.replace("_", "-"))
                sure = at == block[0][0] or name in rivals
                version = found.versions.get(name, "")
                sure = sure or bool(noted and name == noted[1])
                yield Clue(Reason.LACKS if sure else Reason.NAMED, name, COMPILATION, at, version, 1.0 if sure else 0.9)


def _panicked(log: Log) -> Iterator[Clue]:
    for number, line in log.hits("panicked at ", 20):
        source = SOURCE.search(line) or next(
            (one for _, more in log.after(number, 3) if (one := SOURCE.search(more))), None
        )
        if source:
            yield Clue(Reason.RAISES, source[1], RUNTIME, number, source[2])
