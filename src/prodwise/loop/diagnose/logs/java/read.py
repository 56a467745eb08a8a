"""A Java log, read: what its tools and its compiler say, laid on the artifacts that were fetched."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from prodwise.loop.diagnose.logs.clue import Clue, Reading
from prodwise.loop.diagnose.logs.java import boot, code, gradle, maven, published
from prodwise.loop.diagnose.logs.java.catalogue import BESIDE_KNOWN, Artifact, Catalogue, Jars, alike
from prodwise.loop.diagnose.logs.java.gathered import gathered
from prodwise.loop.diagnose.logs.java.naming import Naming
from prodwise.loop.diagnose.logs.text import Log
from prodwise.loop.diagnose.logs.versions import newer, same_major
from prodwise.loop.diagnose.logs.weights import Reason
from prodwise.model.breakage import Ecosystem, Failure

_MARKS: Final = (
    ".java",
    ".kt",
    ".scala",
    ".groovy",
    "java.",
    "[INFO] ",
    "[ERROR] ",
    "* What went wrong:",
    " FAILED",
    "\tat ",
    "class file",
    ":jar",
    "convergence error",
    "bound dependencies error",
    "NoClassDefFoundError",
    "NoSuchMethodError",
    "ClassNotFoundException",
    "Failed to execute goal",
    "Could not find artifact",
    "> Could not resolve ",
    "Caused by: ",
    "APPLICATION FAILED TO START",
)
_LED: Final = re.compile(r"^\s{0,12}\[(?:java|exec|junit)\] ", re.MULTILINE)
_FETCHED: Final = (".pom", ".jar", "maven")
_FRAMES: Final = (Reason.RAISES, Reason.PASSES, Reason.CALLS)
FETCHED_MAX = 5
"""Artifacts that were fetched, at most, for the others to have been at hand."""
HARDLY = 0.3
"""Of the share of a clue: a package with less is as good as not named beside it."""
TRACE = 0.02
"""The same where it only stands on the way."""
OWNERS_ASKED = 3
"""Of the likely owners of what is missing, how many are looked at for a newer version that somebody asked for."""
UNLIKE = 0.7
"""Of a share, for what was only read before the other, and has no word in common with it."""
FEW = 2
"""Artifacts that a log may mention for none of them to be a dependency: a plugin of the build and the project itself."""


def read(whole: Log, few: Log) -> Reading:
    """Clues from the tools first, then from code; then what the versions beside each other say. few: without fetching and monotony."""
    if not any(mark in few.text for mark in _MARKS):
        return Reading(Ecosystem.JAVA)
    log, known = few, gathered(whole, few)
    kind = maven.step(log) or gradle.step(log)
    found = Reading(Ecosystem.JAVA, kind=kind)
    found.clues += maven.clues(log, known)
    found.clues += gradle.clues(log, known)
    namings = [*code.compiled(log), *boot.named(log), *code.thrown(log, lambda name: _whose(known, name))]
    if kind is Failure.WERROR:
        namings += code.warned(log)
    realm = maven.realm(log)
    for one in namings:
        clues = _owned(one, known, kind)
        found.clues += (
            [replace(clue, share=0.5 * clue.share) for clue in clues if clue.name in realm] if realm else clues
        )
    if not found.clues:
        found.clues += [*maven.of_goal(log, known)] or [*maven.unread(log)]
    if not found.clues and kind is not None:
        found.clues += _fresh(known, kind)
    found.clues += [] if realm else _beside(found.clues, known)
    found.clues += _fetched(whole, known, kind)
    _versions(found, known)
    return found


def quiet(log: Log) -> Log:
    """The same, each line where it was, without what tells of fetching artifacts: most of a long log of Maven."""
    if "ownload" not in log.text or not any(ending in log.text for ending in _FETCHED):
        return _unled(log)
    kept = [
        "" if "ownload" in line and "://" in line and (".pom" in line or ".jar" in line or "maven" in line) else line
        for line in log.lines
    ]
    return _unled(Log.of(kept, log.cut))


def _unled(log: Log) -> Log:
    """Without what the runner of another program's output puts before its lines."""
    return Log(_LED.sub("", log.text), log.cut) if "[java] " in log.text else log


def _whose(known: Catalogue, name: str) -> str:
    if known.is_own(name):
        return code.OWN
    if known.jars is Jars.NONE and len(known.artifacts) <= FEW:
        return published.owner(name) or ".".join(name.split(".")[:3])
    return next((key for key, _ in known.owners(name)), "")


def _owned(one: Naming, known: Catalogue, kind: Failure | None) -> Iterator[Clue]:
    """The artifacts that a class may come from."""
    failing = one.kind if kind is None or one.kind is Failure.WERROR else kind
    if one.artifact.startswith(":"):
        if key := known.named(one.artifact[1:]) or _guessed(one, known):
            used = known.artifacts[key].used if key in known.artifacts else ""
            yield Clue(one.reason, key, failing, one.line, one.version or used, one.share)
        return
    if one.artifact:
        yield Clue(one.reason, one.artifact, failing, one.line, one.version)
        return
    if known.is_own(one.name) and one.reason is not Reason.LACKS:
        return
    owners = _not_of(known.owners(one.name), known.owners(one.by) if one.by else [])
    owners = owners or (known.hardly(one.name) if one.reason not in _FRAMES else [])
    if one.reason is Reason.LACKS and one.name.startswith("javax."):  # what was renamed does not bring the old names
        owners = [(key, share) for key, share in owners if not key.startswith("jakarta.")]
    stranger = known.unlisted(one.name) if one.reason not in _FRAMES else ""
    if stranger:
        yield Clue(one.reason, stranger, failing, one.line, share=one.share)
        asks = {key for key, _ in known.owners(one.by)[:1]} if one.by else set()
        owners = [(key, share) for key, share in owners if key not in asks]
    for key, share in owners:
        share *= BESIDE_KNOWN if stranger else 1.0
        yield Clue(one.reason, key, failing, one.line, known.artifacts[key].used, one.share * share)
    if one.reason is Reason.LACKS:
        yield from _asked_for(one, owners, known, failing)
    of_maven = one.name.startswith("org.apache.maven.") and one.reason is not Reason.LACKS  # it runs the build
    if (
        not (owners or stranger)
        and one.reason is not Reason.PASSES
        and known.jars is Jars.NONE
        and "." in one.name
        and not of_maven
    ):
        package = [part for part in one.name.split(".") if not part[:1].isupper()]
        if package:
            yield Clue(
                one.reason,
                published.owner(one.name) or ".".join(package[:3]),
                failing,
                one.line,
                share=(0.9 if one.reason is Reason.LACKS else 0.6) * one.share,
            )


def _guessed(one: Naming, known: Catalogue) -> str:
    """A jar's coordinates by a class in it, where nothing else tells its group: the house that the class is of."""
    parts = one.name.split(".")
    if known.jars is not Jars.NONE or len(parts) < 3:
        return ""
    return ".".join(parts[: 3 if parts[1] in ("github", "gitlab") else 2]) + one.artifact


def _not_of(owners: list[tuple[str, float]], callers: list[tuple[str, float]]) -> list[tuple[str, float]]:
    """Who may own a name that is not there: hardly the very artifact that asks for it, which was compiled whole."""
    if len(owners) < 2 or not callers or owners[0][0] != callers[0][0]:
        return owners
    return [(key, share / owners[1][1]) for key, share in owners[1:]]


def _asked_for(one: Naming, owners: list[tuple[str, float]], known: Catalogue, kind: Failure) -> Iterator[Clue]:
    """What is missing was asked for by somebody: by whoever wanted a newer version of its owner, or renamed its packages."""
    for key, share in owners[:OWNERS_ASKED]:
        artifact = known.artifacts[key]
        near = known.read_before(artifact, artifact.newest) if newer(artifact.newest, artifact.used) else None
        if near is not None:
            asker = known.root(*near)
            calls = any(near[0].key == caller for caller, _ in known.owners(one.by)[:1]) if one.by else False
            yield Clue(Reason.DEMANDS, asker.key, kind, one.line, asker.used, 1.0 if calls else share)
        elif key == owners[0][0] and (before := known.came_through(artifact)) is not None:
            yield Clue(Reason.DEMANDS, before.key, kind, one.line, before.used, 1.2 * share)
    if one.name.startswith("javax."):
        renamed = "jakarta." + one.name.removeprefix("javax.")
        for key, share in known.owners(renamed)[:1]:
            artifact = known.artifacts[key]
            if artifact.group.startswith("jakarta"):
                near = known.read_before(artifact, artifact.used)
                asker = known.root(*near) if near else artifact
                sure = near is None or alike(near[0], artifact)
                yield Clue(Reason.DEMANDS, asker.key, kind, one.line, asker.used, share if sure else UNLIKE * share)
                if not sure:
                    yield Clue(Reason.DEMANDS, key, kind, one.line, artifact.used, share)


def _beside(clues: list[Clue], known: Catalogue) -> list[Clue]:
    """For each suspected artifact: how its version stands beside its family's, and which of them came first."""
    found: list[Clue] = []
    named = {clue.name: clue for clue in sorted(clues, key=lambda one: one.share)}
    sure = {
        clue.name
        for clue in clues
        if clue.reason in (Reason.DIFFERS, Reason.FORBIDDEN, Reason.LEADS_TO, Reason.NOT_FOUND)
    }
    for key, clue in named.items():
        artifact = known.artifacts.get(key)
        if artifact is None or artifact.is_bom or key in sure:
            continue
        version = clue.version or artifact.used
        found += _standing(artifact, version, clue, known)
        changed = clue.reason is Reason.LACKS or clue.kind is Failure.COMPILATION
        root = (known.list_of(artifact, version) if changed else None) or known.root(artifact, version)
        if root is not artifact:
            found.append(Clue(Reason.FOLLOWS, key, clue.kind, clue.line))
            if root.key not in named or named[root.key].share < (HARDLY if changed else TRACE) * clue.share:
                found += [
                    Clue(one.reason, root.key, one.kind, one.line, version, 0.9 * one.share)
                    for one in clues
                    if one.name == key
                ][:6]
                found += _standing(root, version, clue, known)
    return found


def _fresh(known: Catalogue, kind: Failure) -> Iterator[Clue]:
    """When nothing is named: what the project uses in a version newer than those that it belongs with, or that the log mentions in an
    older one, too. A guess, and weighed as one.
    """
    for key, artifact in known.artifacts.items():
        if not artifact.project or not known.on_path(artifact):
            continue
        if known.older(artifact, artifact.used):
            yield Clue(Reason.SEEN_TWICE, key, kind, 0, artifact.used)
        usual = known.usual(artifact)
        if usual and newer(artifact.used, usual) and known.root(artifact, artifact.used) is artifact:
            yield Clue(Reason.STANDS_OUT, key, kind, 0, artifact.used, 0.8)


def _fetched(whole: Log, known: Catalogue, kind: Failure | None) -> Iterator[Clue]:
    """Where everything else was at hand from before: the few artifacts that were not are what is new."""
    jars = [one for one in known.artifacts.values() if any(seen.batch for seen in one.versions.values())]
    new = [one for one in jars if not one.name.endswith("-plugin")]
    if kind is not None and len(jars) <= FETCHED_MAX:
        for one in new:
            line = next((number for number, _ in whole.hits(f"/{one.name}-{one.used}.", 1)), 0)
            yield Clue(Reason.FETCHED, one.key, kind, line, one.used)


def _standing(artifact: Artifact, version: str, clue: Clue, known: Catalogue) -> list[Clue]:
    usual = known.usual(artifact)
    if usual and newer(version, usual):
        return [Clue(Reason.STANDS_OUT, artifact.key, clue.kind, clue.line)]
    siblings = known.siblings(artifact)
    if newer(artifact.newest, version) or any(newer(one.used, version) for one in siblings if usual):
        return [Clue(Reason.LAGS, artifact.key, clue.kind, clue.line)]
    above = any(newer(one.used, version) and same_major(one.used, version) for one in siblings)
    first = known.root(artifact, version) is artifact and version == artifact.used
    passed = any(newer(version, one) and not seen.jar for one, seen in artifact.versions.items())
    if clue.reason is Reason.LACKS and first and passed and not above:
        return [Clue(Reason.STANDS_OUT, artifact.key, clue.kind, clue.line, share=0.6)]
    return []


def _versions(found: Reading, known: Catalogue) -> None:
    for clue in found.clues:
        artifact = known.artifacts.get(clue.name)
        if artifact is None:
            continue
        version = clue.version or artifact.used
        found.versions.setdefault(clue.name, version)
        usual = known.usual(artifact)
        older = known.older(artifact, version)
        before = usual if usual and newer(version, usual) else older
        if before:
            found.before.setdefault(clue.name, before)
