"""A log's artifacts gathered into a catalogue: what was fetched, in which order, and what is named by its coordinates."""

from __future__ import annotations

import re
from itertools import islice
from typing import Final

from prodwise.loop.diagnose.logs.java import published
from prodwise.loop.diagnose.logs.java.catalogue import Catalogue, Jars, Seen
from prodwise.loop.diagnose.logs.java.fetched import JARS, fetches, tells_of_fetching
from prodwise.loop.diagnose.logs.text import Log

LINES_MAX: Final = 5_000
NAME_CHARS: Final = 160  # of a group, at most
VERSION_CHARS: Final = 82
_STEP: Final = re.compile(r"(?:---|>>>|<<<) ([\w.:-]{3,200}) \(")
_LOCAL: Final = re.compile(r"/\.m2/repository/([\w./-]{3,300})/([\w.-]{1,120})/([\w.+-]{1,80})/\2-\3[\w.-]{0,60}\.jar")
_CACHED: Final = re.compile(r"files-2\.1/([\w.-]{1,150})/([\w.-]{1,120})/([\w.+-]{1,80})/[0-9a-f]{20,64}/")
_COORDINATES: Final = re.compile(
    r"(?<![\w.-])([a-zA-Z][\w-]{0,60}(?:\.[\w-]{1,60}){0,8}):([\w.-]{1,120}):((?:[\w-]{1,30}:){0,2})("
    r"\d[\w.+-]{0,80}|v\d[\w.+-]{0,80})"
)
_THIRD: Final = re.compile(r":[\w.-]{1,120}+:(?:[\w-]{1,30}+:){0,2}v?\d")
"""The end of a coordinate, which is found faster than its beginning."""
_OWN: Final = re.compile(r"^(?:\[INFO\] )?-{2,40}< ([\w.-]{1,150}):([\w.-]{1,120}) >-{2,40}$", re.MULTILINE)
_SOURCE: Final = re.compile(
    r"src/\w{1,40}/(?:java|kotlin|scala|groovy)/([\w/]{3,300})/[A-Z]\w{0,200}\.(?:java|kt|scala|groovy)"
)
_FRAME_JAR: Final = re.compile(
    r"^\s{1,12}at ([a-z]\w{0,60}\.[a-z]\w{0,60})[\w.$<>]{1,300}\([^)\n]{0,120}\) ~?\[([\w.-]"
    r"{1,100}?)-(\d[\w.+-]{0,60}?)\.jar[!:]",
    re.MULTILINE,
)
_NOT_OWN: Final = (
    "java.",
    "jdk.",
    "sun.",
    "org.junit.",
    "org.testng.",
    "org.gradle.",
    "org.apache.maven.",
    "org.springframework.boot.",
)
_TEST_FRAME: Final = re.compile(
    r"^\s{1,12}at ((?:[a-z_]\w{0,60}\.){2,10})(?:[A-Z]\w{0,100}(?:Test|Tests|IT|Spec|Applica"
    r"tion)\.\w|[A-Z]\w{0,100}\.main\()",
    re.MULTILINE,
)
_BEGINS: Final = ("Test.", "Tests.", "IT.", "Spec.", "Application.", ".main(")
"""What the frames hold that a program or a test begins in."""
_RUNNING: Final = re.compile(r"^(?:\[INFO\] |\[ERROR\] )?Running ([a-z]\w*(?:\.\w+){1,20})", re.MULTILINE)


def gathered(log: Log, quiet: Log) -> Catalogue:
    """Reads a whole log once. quiet: the same without the lines that tell of fetching."""
    found = Catalogue()
    for match in _matches(quiet, ">-----", _OWN):
        found.own.add(f"{match[1]}:{match[2]}")
    for match in _matches(quiet, "src/", _SOURCE, 400):
        found.packages.add(".".join(match[1].split("/")[:3]))
    for match in _matches(quiet, "Running ", _RUNNING, 400):
        found.packages.add(".".join(match[1].split(".")[:3]))
    for begin in _BEGINS:
        for match in _matches(quiet, begin, _TEST_FRAME, 400):
            found.packages.add(".".join(match[1].split(".")[:3]))
    _fetched(log, found)
    names = {one.name for one in found.artifacts.values()}
    for match in _matches(quiet, ".jar", _FRAME_JAR, 5_000):
        if match[2] not in names:
            group = published.named(match[2], match[1]).partition(":")[0]
            found.add(group or match[1], match[2], match[3])
    for needle, pattern in (("/.m2/repository/", _LOCAL), ("files-2.1/", _CACHED)):
        for match in _matches(quiet, needle, pattern, 5_000):
            found.add(match[1].strip("/").replace("/", "."), match[2], match[3], jar=True)
    _named(quiet, found)
    found.packages = {
        one.strip(".") for one in found.packages if one.strip(".").count(".") >= 1 and not one.startswith(_NOT_OWN)
    }
    return found


def _matches(log: Log, needle: str, pattern: re.Pattern[str], at_most: int = LINES_MAX) -> list[re.Match[str]]:
    """What a pattern finds in the lines that hold a text, each of them once: the first ones."""
    lines = dict.fromkeys(line for _, line in log.hits(needle, LINES_MAX))
    found = (one for line in lines for one in pattern.finditer(line))
    return [*islice(found, at_most)]


def _named(quiet: Log, found: Catalogue) -> None:
    """Artifacts that are written as coordinates: looked for around the ends of what may be one."""
    told: set[str] = set()
    for version in islice(_THIRD.finditer(quiet.text), LINES_MAX):
        begin = max(0, version.start() - NAME_CHARS)
        begin = max(begin, quiet.text.rfind("\n", begin, version.start()) + 1)
        end = version.end() + VERSION_CHARS
        near = quiet.text[begin:end].partition("\n")[0]
        for match in _COORDINATES.finditer(quiet.text, begin, begin + len(near)) if near not in told else ():
            if "." in match[1] or f"{match[1]}:{match[2]}" in found.artifacts or match[1] == match[2]:
                found.add(match[1], match[2], match[4])
        told.add(near)


def _fetched(log: Log, found: Catalogue) -> None:
    """Downloads, in their order; jars that come in one go, after their POMs, are one batch."""
    batch: list[Seen] = []
    told: set[str] = set()
    lines = log.lines
    last, alone = 0, False  # the line before; whether the batch is the first one of what a step fetched
    for number, group, name, version, kind in fetches(log):
        if last and number != last + 1 and not tells_of_fetching(lines[last]):  # the line after the last one
            _close(found, batch, _begins_step(log, last) and not alone)
            last = 0
        if not last:
            alone = _of_plugin(log, number, told)
        elif batch and kind == "pom":
            _close(found, batch, False)
            alone = False
        last = number
        artifact = found.add(group, name, version, jar=kind in JARS)
        if artifact is not None and kind != "pom":
            batch.append(artifact.versions[version])
    _close(found, batch, _begins_step(log, last) and not alone)


def _of_plugin(log: Log, number: int, told: set[str]) -> bool:
    """Whether a step was announced right before that was not before: what is fetched first then is its plugin's own needs."""
    while tells_of_fetching(log.line(number)):
        number -= 1
    step = _STEP.match(log.line(number).removeprefix("[INFO]").strip())
    new = step is not None and step[1] not in told
    if step is not None:
        told.add(step[1])
    return new


def _begins_step(log: Log, last: int) -> bool:
    """Maven resolves what a step needs of the project before it announces the step, and a plugin's own needs after that."""
    return any(_STEP.match(line.removeprefix("[INFO]").strip()) for _, line in log.after(last, 3))


def _close(found: Catalogue, batch: list[Seen], project: bool) -> None:
    for seen in batch:
        seen.batch = max(seen.batch, len(batch))
        seen.project |= project
    if batch:
        found.jars = Jars.PROJECT if project or found.jars is Jars.PROJECT else Jars.SOME
    batch.clear()
