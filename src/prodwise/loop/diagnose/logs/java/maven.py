"""What Maven itself says: which step failed, and what its resolver and its rules name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from prodwise.loop.diagnose.logs.clue import Clue
from prodwise.loop.diagnose.logs.java import rules
from prodwise.loop.diagnose.logs.java.catalogue import Artifact, Catalogue
from prodwise.loop.diagnose.logs.java.names import NAMED, words_of
from prodwise.loop.diagnose.logs.text import Log
from prodwise.loop.diagnose.logs.weights import Reason
from prodwise.model.breakage import Failure

_GOAL: Final = re.compile(
    r"Failed to execute goal (?:on project|[\w.-]{1,120}:([\w.-]{1,120}):[\w.-]{1,80}:([\w-]{1,60}))(.{0,1500})"
)
_STEPS: Final = (
    (("dependency-lock",), Failure.LOCK),
    (
        ("enforcer", "hpi", "animal-sniffer", "duplicate-finder", "japicmp", "revapi", "license", "dependency-check"),
        Failure.ENFORCER,
    ),
    (
        ("compiler", "kotlin", "scala", "groovy", "gmaven", "aspectj", "antlr", "plugin-plugin", "javadoc"),
        Failure.COMPILATION,
    ),
    (("surefire", "failsafe", "invoker", "tycho", "karma"), Failure.TEST),
)
_MISSING: Final = (
    "Could not find artifact ",
    "Failure to find ",
    "Could not transfer artifact ",
    "Non-resolvable import POM",
    "Non-resolvable parent POM",
    "Failed to read artifact descriptor for ",
    "No versions available for ",
    "The following artifacts could not be resolved:",
)
_LISTED: Final = re.compile(r"\[ERROR\] \d{1,3}\) ([a-zA-Z][\w.-]{1,150}):([\w.-]{1,120}):[\w-]{1,30}:([\w.+-]{1,80})$")
ASKED_FOR: Final = 0.6  # of the share of what could not be had: another asked for it
_UNVERSIONED: Final = re.compile(r"'dependenc[\w.]{1,80}version' for ([\w.-]{1,150}):([\w.-]{1,120})")


def step(log: Log) -> Failure | None:
    """The step that Maven says failed."""
    last: Failure | None = None
    for _, line in log.hits("Failed to execute goal "):
        found = _GOAL.search(line)
        if found is None:
            continue
        if "Could not resolve dependencies" in found[3] or "Failed to collect dependencies" in found[3]:
            return Failure.RESOLUTION
        if any(words in found[3] for words in rules.NEWER_MAVEN):
            return Failure.ENFORCER
        plugin = found[1] or ""
        for words, kind in _STEPS:
            if any(word in plugin for word in words) and last is None:
                last = kind
        last = Failure.TEST if last is None and found[2] in ("test", "integration-test", "verify") else last
    if last is Failure.COMPILATION and any(log.hits("warnings found and -Werror specified", 1)):
        return Failure.WERROR
    if last is None and ("[ERROR] Some problems were encountered" in log.text or "Non-resolvable " in log.text):
        return Failure.RESOLUTION
    return last


def clues(log: Log, known: Catalogue) -> Iterator[Clue]:
    """Everything that its resolver, its lock check and its rules say."""
    yield from _locked(log, known)
    yield from rules.clues(log, known)
    yield from _resolution(log, known)
    yield from _realm(log, known)


def unread(log: Log) -> Iterator[Clue]:
    """When nothing else is named: what has no POM at its address, which a build may survive."""
    for number, line in log.hits("The POM for ", 20):
        found = NAMED.search(line) if "is missing" in line else None
        if found is not None:
            yield Clue(Reason.NOT_FOUND, f"{found[1]}:{found[2]}", Failure.RESOLUTION, number, found[3], 0.8)


def of_goal(log: Log, known: Catalogue) -> Iterator[Clue]:
    """When nothing else is named: what a failed goal's plugin runs, which has the plugin's name (maven-lint-plugin runs lint)."""
    for number, line in log.hits("Failed to execute goal ", 3):
        plugin = NAMED.search(line)
        if plugin is None or any(word in plugin[2] for words, kind in _STEPS[2:] for word in words):
            continue
        words = {*words_of(plugin[2])} - {"maven", "plugin"}
        kind = step(log) or Failure.ENFORCER
        for key, artifact in known.artifacts.items():
            if artifact.jar and words <= {*words_of(artifact.name)} and not artifact.name.endswith("-plugin"):
                share = 1.0 if words == {*words_of(artifact.name)} else 0.7
                yield Clue(Reason.RAISES, key, kind, number, artifact.used, share)
        yield Clue(Reason.NAMED, f"{plugin[1]}:{plugin[2]}", kind, number, plugin[3], 0.8)


def _locked(log: Log, known: Catalogue) -> Iterator[Clue]:
    """What differs from the lock: the one whose POM was read first brought the others; a list of versions may have set several."""
    found: list[tuple[int, str, str]] = []
    for number, line in log.hits(" but found ", 60):
        sides = line.partition(" but found ")
        before, after = NAMED.search(sides[0].replace("LockedVersion{version=", "")), NAMED.search(sides[2])
        if before and after and before[2] == after[2] and before[3].rstrip("}") != after[3]:
            known.add(before[1], before[2], before[3].rstrip("}"))
            known.add(after[1], after[2], after[3], jar=True)
            found.append((number, f"{after[1]}:{after[2]}", after[3]))
    first = min(
        (known.artifacts[key].versions[version].order for _, key, version in found if key in known.artifacts), default=0
    )
    for number, key, version in found:
        artifact = known.artifacts.get(key)
        leads = artifact is not None and artifact.versions[version].order == first
        yield Clue(Reason.DIFFERS, key, Failure.LOCK, number, version, 1.0 if leads else 0.75)
    yield from _list_behind(known, found)


def _list_behind(known: Catalogue, found: list[tuple[int, str, str]]) -> Iterator[Clue]:
    """A list of versions of the family that several of those that differ belong to."""
    for one, version in known.order if len(found) > 1 else ():
        bom = known.artifacts[one]
        family = [
            number
            for number, key, after in found
            if key.startswith(f"{bom.group}") and after.startswith(version.rpartition(".")[0])
        ]
        if bom.is_bom and len(family) > 1:
            yield Clue(Reason.MANAGES, one, Failure.LOCK, family[0], version, 1.2)
            return


def _resolution(log: Log, known: Catalogue) -> Iterator[Clue]:
    for words in _MISSING:
        for number, line in log.hits(words, 40):
            if line.startswith(("[WARNING]", "[INFO]")) or "maven-metadata" in line:
                continue
            if words.startswith("Non-resolvable") and ": Could not " in line:
                continue
            found = NAMED.search(line[line.find(words) :].removeprefix(words))
            if found and f"{found[1]}:{found[2]}" not in known.own:
                alone = 1.0 if _asks(line) in (None, f"{found[1]}:{found[2]}") else ASKED_FOR
                yield Clue(Reason.NOT_FOUND, f"{found[1]}:{found[2]}", Failure.RESOLUTION, number, found[3], alone)
    for number, line in [*log.hits(" was not found in ", 40), *log.hits("[ERROR] ", 200)]:
        if line.startswith(("[WARNING]", "[INFO]")):
            continue
        found = NAMED.search(line.partition(" was not found in ")[0]) or _LISTED.match(line)
        if found and (" was not found in " in line or found.re is _LISTED):
            yield Clue(Reason.NOT_FOUND, f"{found[1]}:{found[2]}", Failure.RESOLUTION, number, found[3], 0.9)
    for number, line in log.hits("Failed to collect dependencies at ", 20):
        chain = NAMED.findall(line[line.find("Failed to collect") :])
        if chain:
            yield Clue(Reason.LEADS_TO, f"{chain[0][0]}:{chain[0][1]}", Failure.RESOLUTION, number, chain[0][2])
    yield from _unversioned(log, known)


def _asks(line: str) -> str | None:
    """What the project itself asks for, at the head of the chain that led to a failure; None without a chain."""
    chain = NAMED.search(line.partition("Failed to collect dependencies at ")[2])
    return f"{chain[1]}:{chain[2]}" if chain else None


def _unversioned(log: Log, known: Catalogue) -> Iterator[Clue]:
    """A dependency that got its version from a list or a parent, which has it no more: the one read first, or nearest by name."""
    for number, line in [*log.hits("version' for ", 40)]:
        found = _UNVERSIONED.search(line)
        if found is None or "is missing" not in line:
            continue
        lists: list[Artifact] = [
            known.artifacts[key]
            for key, _ in known.order
            if known.artifacts[key].is_bom or known.artifacts[key].is_parent
        ]
        for place, one in enumerate(lists[:3]):
            yield Clue(Reason.MANAGES, one.key, Failure.RESOLUTION, number, one.used, 1.0 - 0.3 * place)
        yield Clue(Reason.NAMED, f"{found[1]}:{found[2]}", Failure.RESOLUTION, number, "", 0.6)


def _realm(log: Log, known: Catalogue) -> Iterator[Clue]:
    """A plugin that broke inside Maven: what was added to it comes first after itself; alone, where nothing is listed."""
    for number, line in log.hits(" while executing ", 6) if "urls[1] = " not in log.text else ():
        broken = NAMED.search(line.partition(" while executing ")[2]) if _broke(line) else None
        if broken is not None:
            yield Clue(Reason.CALLS, f"{broken[1]}:{broken[2]}", step(log) or Failure.TEST, number, broken[3], 1.2)
    for number, _ in log.hits("urls[0] = ", 3):
        plugin = _jar(log.line(number))
        if not _broke(log.text):
            return
        for below, line in log.after(number, 3):
            found = _jar(line)
            if found is None:
                break
            kind = step(log) or Failure.TEST
            yield Clue(
                Reason.CALLS, f"{found[0]}:{found[1]}", kind, below, found[2], 1.0 if below == number + 1 else 0.4
            )
        if plugin is not None:
            yield Clue(Reason.PASSES, f"{plugin[0]}:{plugin[1]}", step(log) or Failure.TEST, number, plugin[2])


def _broke(text: str) -> bool:
    """Whether a plugin does not fit Maven, or what it runs with."""
    return "An API incompatibility" in text or "A required class was missing" in text


def realm(log: Log) -> set[str]:
    """The artifacts that a broken plugin ran with, where Maven lists them."""
    if not _broke(log.text):
        return set()
    jars = [
        _jar(line)
        for number, _ in log.hits("urls[0] = ", 1)
        for _, line in [(number, log.line(number)), *log.after(number, 200)]
        if "urls[" in line
    ]
    return {f"{one[0]}:{one[1]}" for one in jars if one}


_JAR: Final = re.compile(r"repository/([\w./-]{3,300})/([\w.-]{1,120})/([\w.+-]{1,80})/[\w.+-]{1,200}\.jar")


def _jar(line: str) -> tuple[str, str, str] | None:
    found = _JAR.search(line)
    return (found[1].replace("/", "."), found[2], found[3]) if found else None
