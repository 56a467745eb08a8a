"""Logs of pip, uv, Poetry and of Python programs and tests."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator
from typing import Final

from prodwise.loop.diagnose.logs import python_installers as installers
from prodwise.loop.diagnose.logs.clue import Clue, Reading
from prodwise.loop.diagnose.logs.python_laid import laid
from prodwise.loop.diagnose.logs.python_packages import BACKPORTS, PUBLISHED, canonical, published, site_of
from prodwise.loop.diagnose.logs.rules import apply, began, bumped, host_of
from prodwise.loop.diagnose.logs.text import Log
from prodwise.loop.diagnose.logs.weights import Reason
from prodwise.model.breakage import Ecosystem, Failure

_MARKS: Final = (
    "Traceback (most recent call last)",
    "site-packages",
    "pip",
    ".whl",
    "uv ",
    "poetry",
    "Poetry",
    "pytest",
    "No solution found when",
    "ModuleNotFoundError",
    "ImportError",
    "AttributeError",
    "version solving failed",
    "satisfies the requirement",
    "matching distribution",
    "different Python",
    "Cannot install ",
    "installation candidates",
    "Resolving dependencies",
    "which is incompatible",
    "pkg_resources",
    "unexpected keyword argument",
    "' has no attribute '",
    "SolverProblemError",
    '" has no attribute "',
)
RUNTIME: Final = Failure.RUNTIME
ALIKE_CHARS: Final = 8  # of their messages
ALIKE_MAX: Final = 24  # errors of one kind from one file: more of them say no more
_FRAME: Final = re.compile(r'File "([^"\n]{1,500})", line \d{1,9}(?:, in (.{1,200}))?')
_SHORT_FRAME: Final = re.compile(
    r"^([\w./\\@+ -]{1,400}\.py):\d{1,7}: (?:in |[A-Z]\w{1,80}(?:Error|Warning|Exception)?$|$)"
)
_RAISED: Final = re.compile(
    r"^(?:E\s{1,8}|INTERNALERROR> )?((?:[a-zA-Z_]\w{0,80}\.){0,8}[A-Z]\w{0,80}(?:Error|Exception|Warning|Fou"
    r"nd|Conflict|Exit)\w{0,20}|[a-z_][\w.]{0,200}\.(?![A-Z]{3,20}: )[A-Z]\w{2,80}): (.{0,1500})"
)
_FROM: Final = re.compile(r"^\s{1,12}from ([A-Za-z_][\w.]{0,200}) import ")
_MISSING: Final = re.compile(r"No module named '?([A-Za-z_][\w.]{0,200})'?")
_HAS_NOT: Final = re.compile(r"'(\w{1,80})' object has no attribute ")
_CALLED: Final = re.compile(r"(?<![\w.])([a-z_]\w{1,60})\.(?:\w{1,60}\.){0,4}(\w{1,60})\(")
_FUNCTION: Final = re.compile(r"(?:[\w.<>]{0,200}?\.)??(\w{1,80})(?:\.__init__)?\(\) ")
"""The function, or the class, that an error says was called in vain."""
_GAVE: Final = re.compile(r"(?<![\w.])([a-z_]\w{1,60})\.\w{1,60}\([^()]{0,200}\)\.(\w{1,60})\b")
"""A module, and a name that is asked of what its function gave."""
_INTEGRATED: Final = re.compile(r"/(?:contrib|integrations?|instrumentation|plugins?|ext)/([a-z_]\w{1,60})(?:/|\.py)")
_WORD: Final = re.compile(r"[A-Za-z_]\w{2,60}")
_ASKED: Final = re.compile(r"^\s{0,12}(?:from|import) ([A-Za-z_][\w.]{0,200})")
_UNFIT: Final = re.compile(
    r"unexpected keyword argument|required (?:positional|keyword-only) argument|positional arguments? but|multiple values for"
)
_JVM: Final = frozenset(["java", "javax", "jakarta", "kotlin", "scala", "org", "com", "net", "io"])
"""What names of exceptions begin with that are of no Python."""
_TESTERS: Final = frozenset(
    ["pytest", "pluggy", "coverage", "unittest", "nose", "tox", "nox", "hypothesis", "xdist", "pip", "uv", "virtualenv"]
)


def read(log: Log) -> Reading:
    found = began(Ecosystem.PYTHON, log, _MARKS)
    if found is None:
        return Reading(Ecosystem.PYTHON)
    installers.installed(log, found)
    bumped(log, found, _named)
    found.clues += apply(log, installers.RULES, published)
    found.clues += installers.clues(log)
    found.clues += _raised(log, found.versions)
    found.clues = [*laid(found.clues, log, found.versions)]
    found.kind = _step(log, found)
    return found


def _named(name: str) -> str:
    return "" if "/" in name or ":" in name or name.startswith("@") else canonical(name)


def _step(log: Log, found: Reading) -> Failure | None:
    kinds = {clue.kind for clue in found.clues}
    if (
        Failure.LOCK in kinds
        or "pyproject.toml changed significantly since poetry.lock" in log.text
        or "lockfile needs to be updated" in log.text
    ):
        return Failure.LOCK
    if Failure.RESOLUTION in kinds:
        return Failure.RESOLUTION
    ran = re.search(
        r"^(?:=+ .{0,200}\b\d+ (?:failed|errors?)\b|FAILED |ERROR (?:collecting )?[\w./-]+\.py|E   |FAILED \(\w)",
        log.text,
        re.MULTILINE,
    )
    if ran:
        return Failure.TEST
    if found.clues and "mypy" in log.text and "error:" in log.text and "Traceback" not in log.text:
        return Failure.COMPILATION
    return Failure.RUNTIME if found.clues or "Traceback (most recent call last)" in log.text else None


def _raised(log: Log, known: Collection[str]) -> Iterator[Clue]:
    """Tracebacks: each error line with the frames above it."""
    frames: list[tuple[int, str]] = []
    told: Counter[tuple[str, str, str]] = Counter()
    for number, line in _lines(log):
        frame = _FRAME.search(line) if 'File "' in line else None
        frame = frame or (_SHORT_FRAME.match(line) if ".py:" in line else None)
        if frame is not None:
            frames.append((number, frame[1]))
            continue
        raised = _RAISED.match(line)
        if raised is None:
            continue
        alike = (raised[1], raised[2][:ALIKE_CHARS], frames[-1][1] if frames else "")
        told[alike] += 1
        if told[alike] > ALIKE_MAX:
            frames = []
            continue
        near = [(at, file) for at, file in frames if number - at <= 120][-40:]
        if line.startswith("E "):
            near += _told_below(log, number)
        yield from _of_error(number, raised[1], raised[2], near)
        yield from _shortened(log, number, raised[2])
        yield from _of_another(log, number, raised, near, known)
        if "cannot import name" in raised[2] and " from " not in raised[2]:
            source = next((one for back in (1, 2) if (one := _FROM.search(log.line(number - back)))), None)
            if source and published(source[1]):
                yield Clue(Reason.LACKS, published(source[1]), RUNTIME, number)
        frames = []


def _shortened(log: Log, number: int, message: str) -> Iterator[Clue]:
    """Old Pythons leave out of a missing module's name what it lies in: the line that asks for it is shown above."""
    missing, asked = _MISSING.search(message), _ASKED.match(log.line(number - 1))
    if missing and asked and asked[1].endswith("." + missing[1]) and published(asked[1]):
        yield Clue(Reason.LACKS, published(asked[1]), RUNTIME, number, share=1.2)


def _of_another(
    log: Log, number: int, raised: re.Match[str], frames: list[tuple[int, str]], known: Collection[str]
) -> Iterator[Clue]:
    """The package that a call did not fit, or that lacks what a plugin of it asks for: it is not on the way to the error itself."""
    sites = dict.fromkeys(site for _, file in frames if (site := site_of(file)))
    last = site_of(frames[-1][1]) if frames else ""
    if not last:
        yield from _shown_with(log, number, frames, known)
    if raised[1] not in ("TypeError", "AttributeError"):
        return
    has_not = _HAS_NOT.match(raised[2])
    if has_not and (owner := canonical(has_not[1])) in {*sites, *known} and owner != last:
        yield Clue(Reason.LACKS, owner, RUNTIME, number)
    elif has_not and (giver := _giver(log, number, raised[2], {*sites, *known})) and giver != last:
        yield Clue(Reason.LACKS, giver, RUNTIME, number)
    if last and (host := _host(log, frames[-1][1], last, {*sites, *known})):
        yield Clue(Reason.LACKS, host, RUNTIME, number, share=0.9)
    if last and _UNFIT.search(raised[2]):
        shown = next((more for _, more in log.after(frames[-1][0], 2) if "File " not in more), "")
        called = {published(one) for one in _called(shown, raised[2])} - {last, ""}
        text = "\n".join(log.line(at) for at in range(max(1, number - 60), number))
        others = [one for one in known if one not in _TESTERS and one != last]
        for name in sorted(called) or [one for one in others if f" {one.replace('-', '_')}." in text][:3]:
            yield Clue(Reason.LACKS if called else Reason.NAMED, name, RUNTIME, number, share=0.9 if called else 1.2)


def _called(shown: str, message: str) -> list[str]:
    """The modules whose function a line calls, of those in it the one that the message tells of; else the outermost one."""
    calls = [(one[1], one[2]) for one in _CALLED.finditer(shown)]
    function = _FUNCTION.match(message)
    name = function[1] if function is not None else ""
    if name != "__init__" and re.search(rf"\b{name}\(", shown):
        return [module for module, last in calls if last == name]
    return [module for module, _ in calls[:1]]


def _giver(log: Log, number: int, message: str, near: set[str]) -> str:
    """The package whose function gave the object that lacks a name, as the line above shows; "" for one that is not known."""
    name = message.rpartition(" has no attribute ")[2].strip("'\" ")
    for back in (1, 2):
        for one in _GAVE.finditer(log.line(number - back)):
            if one[2] == name and (one[1] in BACKPORTS or published(one[1]) in near):
                return published(one[1])
    return ""


def _shown_with(log: Log, number: int, frames: list[tuple[int, str]], known: Collection[str]) -> Iterator[Clue]:
    """Installed packages that the program's own code, shown with the error, speaks of."""
    below = frames[-1][0] if frames else number
    places = [below + 1, *(at for at in range(max(1, number - 6), number) if log.line(at).startswith(">"))]
    words = {canonical(word) for at in places for word in _WORD.findall(log.line(at)) if at != number}
    for name in sorted(words & ({*known} - _TESTERS)):
        yield Clue(Reason.NAMED, name, RUNTIME, number, share=0.9)


def _host(log: Log, file: str, plugin: str, near: set[str]) -> str:
    """What a package plugs into: what its file is an integration of, or an end of its name that the log speaks of; "" for none."""
    if (whole := _integrated(log, file, near)) not in ("", plugin):
        return whole
    ends = {end for end in (plugin.partition("-")[0], plugin.rpartition("-")[2]) if len(end) > 3 and end != plugin}
    spoken = {end for end in ends if _spoken(end, log)}
    return host_of(plugin, (near - _TESTERS) | ({"pytest"} & near) | spoken)


def _integrated(log: Log, file: str, near: set[str]) -> str:
    """What a file is an integration of. A folder is called after that; a file may as well be any part of a plugin system, so
    that its name counts where the log speaks of it elsewhere.
    """
    part = _INTEGRATED.search(file.rpartition("-packages/")[2])
    if part is None:
        return ""
    whole = published(part[1])
    return whole if part[0].endswith("/") or whole in near or _spoken(part[1], log) else ""


def _spoken(name: str, log: Log) -> bool:
    """Whether the log has it as a word of its own, and not only in a path."""
    return re.search(rf"(?<![\w/.-]){re.escape(name)}(?![\w/.-])", log.text) is not None


def _told_below(log: Log, number: int) -> list[tuple[int, str]]:
    """pytest tells under an error where it was raised."""
    for at, line in log.after(number, 8):
        if (frame := _SHORT_FRAME.match(line)) is not None:
            return [(at, frame[1])]
        if line.strip() and not line.startswith("E "):
            break
    return []


def _lines(log: Log) -> list[tuple[int, str]]:
    lines: dict[int, str] = {}
    for word in ('File "', ".py:", "Error", "Exception", "Warning", "Conflict", "NotFound"):
        lines.update(log.hits(word, 3_000))
    return sorted(lines.items())


def _of_error(number: int, name: str, message: str, frames: list[tuple[int, str]]) -> Iterator[Clue]:
    """Missing modules are blamed on what asked for them or what no longer has them; other errors on the code that raised."""
    sites = [(at, site_of(file)) for at, file in frames]
    while sites and sites[-1][1] in _TESTERS and len(sites) > 1:
        sites.pop()
    missing = _MISSING.search(message)
    last = sites[-1] if sites else (number, "")
    if missing is not None:
        yield from _absent(number, missing[1], last)
        return
    if "cannot import name" in message and (lacking := site_of(message)):
        yield Clue(Reason.LACKS, lacking, RUNTIME, number, share=1.1)
    strong = name.rpartition(".")[2] in ("ImportError", "AttributeError", "TypeError", "NameError")
    deep = [one for one in sites if one[1] and one[1] not in _TESTERS]
    if last[1] and last[1] not in _TESTERS:
        asks = "cannot import name" in message
        unfit = name == "TypeError" and _UNFIT.search(message) is not None
        share = 0.8 if unfit else 1.0 if strong else 0.9
        yield Clue(Reason.CALLS if asks or unfit else Reason.RAISES, last[1], RUNTIME, last[0], share=share)
    elif deep and not last[1] and name.rpartition(".")[2] not in ("AssertionError",):
        yield Clue(Reason.PASSES, deep[-1][1], RUNTIME, deep[-1][0], share=0.6)
    for at, one in {site: at for at, site in deep if site != last[1]}.items():
        yield Clue(Reason.PASSES, at, RUNTIME, one, share=0.8)
    module = name.partition(".")[0]
    if "." in name and published(module) and module.islower() and module not in _JVM:
        yield Clue(Reason.NAMED, published(module), RUNTIME, number, share=0.9)


def _absent(number: int, module: str, last: tuple[int, str]) -> Iterator[Clue]:
    package = published(module)
    at, importer = last
    if module.startswith("_") and module.partition(".")[0] not in PUBLISHED and importer:
        yield Clue(Reason.CALLS, importer, RUNTIME, at, share=1.1)
        return
    if "." in module and package:
        yield Clue(Reason.LACKS, package, RUNTIME, number)
        if importer and importer != package:
            yield Clue(Reason.CALLS, importer, RUNTIME, at, share=0.9)
    elif package:
        yield Clue(Reason.LACKS, package, RUNTIME, number, share=0.95)
        if importer and importer != package and importer not in _TESTERS:
            yield Clue(Reason.CALLS, importer, RUNTIME, at, share=0.9)
    elif importer:
        yield Clue(Reason.CALLS, importer, RUNTIME, at, share=1.1)
