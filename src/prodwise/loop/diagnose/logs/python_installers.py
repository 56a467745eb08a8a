"""What pip, uv and Poetry say: what they installed, what cannot be had, and what does not fit together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from prodwise.loop.diagnose.logs.clue import Clue, Reading
from prodwise.loop.diagnose.logs.python_packages import canonical
from prodwise.loop.diagnose.logs.rules import between, move, rule, wants
from prodwise.loop.diagnose.logs.text import Log
from prodwise.loop.diagnose.logs.weights import Reason
from prodwise.model.breakage import Failure

_NAME: Final = r"(?<![\w.-])(?P<name>[A-Za-z0-9][\w.-]{0,100}?)"
_VERSION: Final = r"(?P<version>\d[\w.+!]{0,60})"
RESOLUTION, RUNTIME, LOCK = Failure.RESOLUTION, Failure.RUNTIME, Failure.LOCK
RULES: Final = (
    rule(
        "Could not find a version that satisfies the requirement",
        rf"requirement {_NAME}(?:\[[\w,-]{{1,60}}\])?(?:[=<>!~]{{1,3}}{_VERSION})?(?:[ ,;(]|$)",
        Reason.NOT_FOUND,
        RESOLUTION,
    ),
    rule(
        "No matching distribution found for",
        rf"found for {_NAME}(?:\[[\w,-]{{1,60}}\])?(?:[=<>!~]{{1,3}}{_VERSION})?(?:[ ,;(]|$)",
        Reason.NOT_FOUND,
        RESOLUTION,
        0.9,
    ),
    rule(
        "requires a different Python", rf"Package '?{_NAME}'? requires a different Python", Reason.NOT_FOUND, RESOLUTION
    ),
    rule(
        "require a different python version",
        rf"[\d ]{{1,8}}; {_NAME} (?:==)?{_VERSION} Requires-Python",
        Reason.NOT_FOUND,
        RESOLUTION,
        0.5,
    ),
    rule("Failed building wheel for", rf"Failed building wheel for {_NAME}(?:\s|$)", Reason.FAILS_TO_BUILD, RESOLUTION),
    rule("Failed to build", rf"Failed to build `?{_NAME}(?:==|@){_VERSION}`?", Reason.FAILS_TO_BUILD, RESOLUTION),
    rule(
        "Failed to build",
        rf"^(?:ERROR: )?Failed to build (?:installable wheels for some pyproject.toml based proje"
        rf"cts \()?{_NAME}\)?$",
        Reason.FAILS_TO_BUILD,
        RESOLUTION,
        0.9,
    ),
    rule("Could not build wheels for", rf"Could not build wheels for {_NAME}[, ]", Reason.FAILS_TO_BUILD, RESOLUTION),
    rule(
        "Failed to download",
        rf"Failed to (?:download|fetch)(?: and build)? `{_NAME}==?{_VERSION}",
        Reason.NOT_FOUND,
        RESOLUTION,
    ),
    rule(
        "there is no version of ",
        rf"there is no version of {_NAME}(?:\[[\w,-]{{1,60}}\])?(?:[=<>!~]{{2}}{_VERSION})?(?:[ ,]|$)",
        Reason.NOT_FOUND,
        RESOLUTION,
    ),
    rule(
        "was not found in the",
        rf"(?:Because|because|and) {_NAME} was not found in the (?:package registry|provided package)",
        Reason.NOT_FOUND,
        RESOLUTION,
    ),
    rule(" not found.", rf"^Package {_NAME} \({_VERSION}\) not found\.", Reason.NOT_FOUND, RESOLUTION),
    rule(
        "Unable to find installation candidates for",
        rf"candidates for {_NAME} \({_VERSION}\)",
        Reason.NOT_FOUND,
        RESOLUTION,
    ),
    rule("all versions of ", rf"all versions of {_NAME} depend on Python", Reason.NOT_FOUND, RESOLUTION),
    rule("have mismatched hashes", rf"^\s{{0,8}}{_NAME}=={_VERSION}", Reason.DIFFERS, LOCK),
    rule("Hash mismatch for", rf"Hash mismatch for `{_NAME}=={_VERSION}`", Reason.DIFFERS, LOCK),
    rule(
        "DistributionNotFound",
        rf"The '{_NAME}(?:[=<>!~]{{1,3}}[\w.,<>=!~*]{{1,60}})?' distribution was not found",
        Reason.NOT_FOUND,
        RUNTIME,
    ),
    rule(
        "DistributionNotFound: ",
        rf"DistributionNotFound: {_NAME}(?:[=<>!~]{{1,3}}{_VERSION}.{{0,80}})?$",
        Reason.NOT_FOUND,
        RUNTIME,
    ),
    rule(
        "which doesn't match any versions",
        rf"depends on {_NAME} \([^)]{{0,80}}\)[^,]{{0,200}} which doesn't match any versions",
        Reason.NOT_FOUND,
        RESOLUTION,
    ),
    *(
        rule(
            words,
            rf"{words} (?:the )?(?!(?i:python|version|release|v\d|favou?r|this|next|a)\b){_NAME} (?:version )?v?{_VERSION}",
            Reason.LACKS,
            RUNTIME,
        )
        for words in (
            "removed in",
            "removed from",
            "renamed in",
            "changed in",
            "deprecated in",
            "dropped in",
            "expired in",
        )
    ),
    rule("to be installed", rf"requires [\"'`]{_NAME}[\"'`] to be installed", Reason.NOT_FOUND, RUNTIME, 0.9),
    rule("Missing optional dependency", rf"Missing optional dependency '{_NAME}'", Reason.NOT_FOUND, RUNTIME, 0.9),
    rule("No package metadata was found for", rf"was found for {_NAME}(?:\s|$)", Reason.NOT_FOUND, RUNTIME),
    rule("unknown hook '", rf" in plugin <module '{_NAME}(?:\.[\w.]{{1,200}})?'", Reason.LACKS, RUNTIME),
    rule(" for hook '", rf"Plugin '(?!(?:tests?|conftest)[.']){_NAME}' for hook '", Reason.CALLS, RUNTIME),
    rule(" for hook '", r"Plugin '(?P<name>[a-z]{2,40})[_-][\w-]{1,80}' for hook '(?P=name)_", Reason.LACKS, RUNTIME),
    rule("partially initialized module", rf"partially initialized module '{_NAME}['.]", Reason.LACKS, RUNTIME, 0.6),
    rule("' has no attribute '", rf"module '{_NAME}(?:\.[\w.]{{1,200}})?' has no attribute '", Reason.LACKS, RUNTIME),
    rule(
        "' attribute", rf"<module '{_NAME}(?:\.[\w.]{{1,200}})?' from \S{{1,300}}> has no '", Reason.LACKS, RUNTIME, 1.1
    ),
    rule(
        "cannot import name",
        rf"cannot import name '?\w{{1,100}}'? from (?:partially initialized module )?'{_NAME}(?:\."
        rf"[\w.]{{1,200}})?'(?! \(\S{{0,300}}site-packages)",
        Reason.LACKS,
        RUNTIME,
        1.1,
    ),
    rule(
        "cannot import name",
        rf"^cannot import name '?\w{{1,100}}'? from '{_NAME}(?:\.[\w.]{{1,200}})?'",
        Reason.LACKS,
        RUNTIME,
    ),
    rule("or newer of ", rf"or newer of '{_NAME}'", Reason.CONFLICTS, RUNTIME),
    rule("is not compatible with", rf"{_NAME} \(?{_VERSION}\)? is not compatible with", Reason.CONFLICTS, RUNTIME, 0.6),
    rule(
        " requires ",
        r"(?:ImportError|RuntimeError|OSError|ContextualVersionConflict): (?P<name>[A-Za-z][\w.-"
        r"]{1,60})[<>=!~]{1,2}[\w.,<>=!~*]{1,60} is required for a normal",
        Reason.CONFLICTS,
        RUNTIME,
    ),
    rule(
        ": error: ",
        rf": error: (?:Module|Variable|Function|Class|Type|Name) \"{_NAME}(?:\.[\w.]{{1,200}})?\"",
        Reason.LACKS,
        Failure.COMPILATION,
    ),
    rule(
        '" has no attribute "',
        rf"Module \"{_NAME}(?:\.[\w.]{{1,200}})?\" has no attribute \"",
        Reason.LACKS,
        Failure.COMPILATION,
        0.9,
    ),
    rule(
        " could not be resolved",
        rf"Import \"{_NAME}(?:\.[\w.]{{1,200}})?\" could not be resolved",
        Reason.LACKS,
        Failure.COMPILATION,
    ),
    rule(".dtype size changed", rf"{_NAME}\.dtype size changed", Reason.LACKS, RUNTIME, 0.8),
    rule(": note: ", rf"defined in \"{_NAME}(?:\.[\w.]{{1,200}})?\"", Reason.LACKS, Failure.COMPILATION, 0.9),
    rule(" requires Python ", rf"{_NAME}=={_VERSION} requires Python ", Reason.NOT_FOUND, RESOLUTION),
    rule(
        "/pip-install-",
        r"/pip-install-\w{1,20}/(?P<name>[A-Za-z0-9][\w.-]{0,100}?)(?:_[0-9a-f]{32})?/",
        Reason.FAILS_TO_BUILD,
        RESOLUTION,
    ),
    rule(
        "A module that was compiled using", r"compiled using (?P<name>[A-Z][\w]{1,30}) \d", Reason.LACKS, RUNTIME, 1.0
    ),
)
_NEEDS: Final = re.compile(
    r"(?<![\w.-])([A-Za-z0-9][\w.-]{0,100}?)(?:\[[\w,-]{1,60}\])? (\d[\w.+!]{0,60}) (?:requires|has req"
    r"uirement|depends on) ([A-Za-z0-9][\w.-]{0,100}?)(?:\[[\w,-]{1,60}\])?\s?\(?((?:[=<>!~^"
    r"]{1,3}\s?[\w.*+!]{1,60},?\s?){0,6})\)?(?:; [^,]{1,200})?, but you(?:'ll)? have (?:[\w."
    r"-]{1,100} )?(\d[\w.+!]{0,60}|[\w.-]{1,60})"
)
_DEPENDS: Final = re.compile(
    r"(?<![\w.-])([A-Za-z0-9][\w.-]{0,100}?)(?:\[[\w,-]{1,60}\])? (\d[\w.+!]{0,60}) depends on ([A-Za-z"
    r"0-9][\w.-]{0,100}?)(?:\[[\w,-]{1,60}\])?\s?((?:[=<>!~^]{1,3}\s?[\w.*+!]{1,60},?\s?){0,"
    r"6})(?:\s|;|$)"
)
_ASKED: Final = re.compile(
    r"The user requested (?:\(constraint\) )?([A-Za-z0-9][\w.-]{0,100}?)(?:\[[\w,-]{1,60}\])"
    r"?\s?((?:[=<>!~^]{1,3}\s?[\w.*+!]{1,60},?\s?){0,6})(?:\s|;|$)"
)
_ATOM: Final = (
    r"(?<![\w.-])([A-Za-z0-9][\w.-]{0,100}?)(?:\[[\w,-]{1,60}\])?\s?\(?((?:(?:[=<>!~^]{1,3})\s?[\w.*+!]"
    r"{1,60}(?:,| \|\| )?){0,6}|[\d.]{1,20})\)?"
)
_BECAUSE: Final = re.compile(rf"{_ATOM} depends on {_ATOM}(?=[\s,.]|$)")
_BOTH: Final = re.compile(rf"depends on both {_ATOM} and {_ATOM}(?=[\s,.]|$)")
_YOU: Final = re.compile(
    rf"(?:you require|your project depends on|[\w.-]{{1,80}} depends on|requested) {_ATOM}(?=[\s,.]|$)"
)
_NO_NAMES: Final = ("and", "project", "your-project", "because", "which")
_CONFLICT: Final = re.compile(
    r"ContextualVersionConflict: \(([\w.-]{1,100}) (\d\S{0,60}) .{0,300}Requirement\.parse\("
    r"'([\w.-]{1,100}?)([=<>!~].{0,100})?'\), \{(.{0,300})\}"
)
_VERSION_CONFLICT: Final = re.compile(
    r"VersionConflict: \(([\w.-]{1,100}) (\d\S{0,60}) .{0,300}Requirement\.parse\('([\w.-]{1"
    r",100}?)([=<>!~].{0,100})?'\)"
)
_GOT: Final = re.compile(
    r"(?:^|[:\s])([A-Za-z][\w-]{1,40}) (?:needs|requires) ([A-Za-z][\w-]{1,40}) ?(?:version )?([<>=!~]{0,2}) ?(\d[\w.]{0,30})"
    r"(?: or (less|lower|older|below|greater|newer|later|higher|above))?.{0,60}?\b(?:[Gg]ot|[Ff]ound|[Hh]ave|installed)"
    r" (?:[\w-]{1,40} )?(\d[\w.]{0,30})"
)
_INSTALLED: Final = re.compile(
    r"(?<![\w.-])([A-Za-z0-9][\w.]{0,80}(?:-[A-Za-z][\w.]{0,60}){0,6})-(\d[\w.+!]{0,60})(?=\s|$)"
)
_WHEEL: Final = re.compile(
    r"(?<![\w.-])([A-Za-z0-9][\w.]{0,80})-(\d[\w.+!]{0,60})(?:-[\w.]{1,80}){3}\.whl|([A-Za-z0-9][\w.-]{"
    r"0,80}?)-(\d[\w.]{0,60})\.tar\.gz"
)
_PINNED: Final = re.compile(
    r"(?:Collecting|Requirement already satisfied:|^ ?\+|Installing) ([A-Za-z0-9][\w.-]{0,10"
    r"0}?)(?:\[[\w,-]{1,60}\])?(?:==| \()(\d[\w.+!]{0,60})"
)
_UV: Final = re.compile(r"^\s{0,3}([-+~]) ([A-Za-z0-9][\w.-]{0,100})==(\d[\w.+!]{0,60})")
_FOUND: Final = re.compile(r"Found existing installation: ([\w.-]{1,100}) (\d\S{0,60})")
_POETRY: Final = re.compile(
    r"(?:Updating|Downgrading|Upgrading) ([\w.-]{1,100}) \((\d\S{0,60}) (?:->|=>) (\d[^\s)]{0,60})\)"
)


def clues(log: Log) -> Iterator[Clue]:
    """All that an installer says about why it cannot install."""
    yield from _conflicts(log)
    yield from _solved(log)
    yield from _hashes(log)
    yield from _built(log)


def installed(log: Log, found: Reading) -> None:
    """Versions that installers name, and those that they replaced."""
    removed: dict[str, str] = {}
    for _, line in log.hits("Found existing installation: "):
        if (one := _FOUND.search(line)) is not None:
            removed[canonical(one[1])] = one[2]
    for number, line in log.hits("==", 2_000):
        if (one := _UV.search(line)) is not None:
            side = removed if one[1] == "-" else found.versions
            side[canonical(one[2])] = one[3]
            _replaced(found, removed, canonical(one[2]), number)
        elif (pinned := _PINNED.search(line)) is not None:
            found.versions.setdefault(canonical(pinned[1]), pinned[2])
    for word in (".whl", ".tar.gz"):
        for _, line in log.hits(word, 2_000):
            if (wheel := _WHEEL.search(line)) is not None:
                found.versions.setdefault(canonical(wheel[1] or wheel[3]), wheel[2] or wheel[4])
    for number, line in log.hits("Successfully installed "):
        for one in _INSTALLED.finditer(line.partition("Successfully installed ")[2]):
            name = canonical(one[1])
            found.versions[name] = one[2]
            _replaced(found, removed, name, number)
    for number, line in [*log.hits("Updating "), *log.hits("Downgrading "), *log.hits("Upgrading ")]:
        if (one := _POETRY.search(line)) is not None:
            move(found, canonical(one[1]), one[2], one[3], number)
            found.versions[canonical(one[1])] = one[3]


def _replaced(found: Reading, removed: dict[str, str], name: str, number: int) -> None:
    if name in removed and name in found.versions:
        move(found, name, removed[name], found.versions[name], number)


def _conflicts(log: Log) -> Iterator[Clue]:
    """pip: what is installed beside what is needed; and the reasons it gives when nothing fits."""
    fresh = _just_installed(log)
    for number, line in [*log.hits("but you have "), *log.hits("but you'll have ")]:
        if (one := _NEEDS.search(line)) is not None:
            wanter, wanted = canonical(one[1]), canonical(one[3])
            if wanted in fresh and wanter not in fresh:
                yield Clue(Reason.CONFLICTS, wanted, RESOLUTION, number, one[5], 1.2)
            yield from wants(RESOLUTION, number, (wanter, one[2]), (wanted, one[4]), one[5], 1.0)
    for number, line in log.hits("VersionConflict: ("):
        one = _CONFLICT.search(line) or _VERSION_CONFLICT.search(line)
        if one is not None:
            by = re.findall(r"'([\w.-]{1,100})'", one[5])[:2] if one.re is _CONFLICT else []
            yield from wants(
                RUNTIME, number, (canonical(by[0]) if by else "", ""), (canonical(one[3]), one[4] or ""), one[2], 1.0
            )
    for number, line in [*log.hits(" needs ", 20), *log.hits(" requires ", 60)]:
        if (told := _GOT.search(line)) is not None and "but you have" not in line:
            sign = told[3] or {"l": "<=", "o": "<=", "b": "<="}.get((told[5] or "")[:1], ">=")
            bounds = (canonical(told[2]), sign + told[4])
            yield from wants(RUNTIME, number, (canonical(told[1]), ""), bounds, told[6])
    for number, _ in log.hits("The conflict is caused by:", 4):
        yield from _caused(log, number)


def _just_installed(log: Log) -> set[str]:
    lines = [line for _, line in log.hits("Successfully installed ", 20)]
    return {canonical(one[1]) for line in lines for one in _INSTALLED.finditer(line)}


def _caused(log: Log, number: int) -> Iterator[Clue]:
    asked: dict[str, str] = {}
    needs: list[tuple[int, str, str, str, str]] = []
    for at, line in log.after(number, 20):
        if (user := _ASKED.search(line)) is not None:
            asked[canonical(user[1])] = user[2].strip()
        elif (one := _DEPENDS.search(line)) is not None:
            needs.append((at, canonical(one[1]), one[2], canonical(one[3]), one[4].strip()))
        elif not line.strip():
            break
    roots = {name: bounds.lstrip("=<>!~^ ") for name, bounds in asked.items()}
    yield from between(RESOLUTION, needs[0][0] if needs else number, [one[1:] for one in needs], roots)


def _solved(log: Log) -> Iterator[Clue]:
    """uv and Poetry: the sentence that says why nothing fits, which may go over several lines."""
    for words in ("No solution found when resolving", "Because ", "and because "):
        for number, line in log.hits(words, 12):
            text = " ".join(
                [line.strip(" ╰─▶×│"), *(more.strip(" │╰─▶") for _, more in log.after(number, 8) if more.strip(" │"))]
            )[:2_000]
            yours = {
                canonical(one[1]): one[2]
                for one in _YOU.finditer(text)
                if not text[max(0, one.start() - 2) : one.start()].strip().endswith(")")
            }
            for both in _BOTH.finditer(text):
                yours |= {canonical(both[1]): both[2], canonical(both[3]): both[4]}
                if canonical(both[1]) == canonical(both[3]):
                    yield Clue(Reason.CONFLICTS, canonical(both[1]), RESOLUTION, number, both[4].strip("=^~<>! "))
            for one in _BECAUSE.finditer(text):
                wanter, wanted = canonical(one[1]), canonical(one[3])
                if wanter in _NO_NAMES or wanted in ("", "both"):
                    continue
                version = one[2].strip("=^~<>! ")
                have = yours.get(wanted, "").strip("=^~ ") if yours.get(wanted, "")[:1] in "=^~0123456789" else ""
                yield from wants(RESOLUTION, number, (wanter, version), (wanted, one[4]), have, 0.9)


def _hashes(log: Log) -> Iterator[Clue]:
    for number, _ in log.hits("THESE PACKAGES DO NOT MATCH THE HASHES", 3):
        for at, line in log.after(number, 6):
            one = re.match(r"\s{2,10}([A-Za-z0-9][\w.-]{0,100}?)==(\d[\w.+!]{0,60}) from", line)
            if one:
                yield Clue(Reason.DIFFERS, canonical(one[1]), LOCK, at, one[2])


def _built(log: Log) -> Iterator[Clue]:
    """A package that pip could not prepare: the one it names, or the last one that it collected."""
    for number, _ in [*log.hits("did not run successfully", 6), *log.hits("subprocess-exited-with-error", 6)]:
        for at in range(number, max(0, number - 25), -1):
            one = re.match(
                r"\s{0,4}(?:Collecting |Building wheel for |Processing (?:\S{0,300}/)?)([A-Za-z0-9][\w.-]{0,100}?)"
                r"(?:\[[\w,-]{1,60}\])?(?:(?:==|-)(\d[\w.+!]{0,60}?)(?:\.tar\.gz)?(?=\s|$)|[ (<>~!]|$)",
                log.line(at),
            )
            if one:
                yield Clue(Reason.FAILS_TO_BUILD, canonical(one[1]), RESOLUTION, at, one[2] or "")
                break
