"""What the rules of a build forbid: banned, duplicate and diverging artifacts, and plugins that ask for a newer host, or Maven."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from prodwise.loop.diagnose.logs.clue import Clue
from prodwise.loop.diagnose.logs.java.catalogue import Catalogue
from prodwise.loop.diagnose.logs.java.names import NAMED
from prodwise.loop.diagnose.logs.text import Log
from prodwise.loop.diagnose.logs.versions import newer
from prodwise.loop.diagnose.logs.weights import Reason
from prodwise.model.breakage import Failure

HOST: Final = " requires Jenkins "
NEWER_MAVEN: Final = (" requires Maven version ", " has unmet prerequisites")
TREE_LINES: Final = 400
_WANTED: Final = re.compile(HOST + r"(\d[\w.]{1,30}?)\.? or higher")
_LINE: Final = re.compile(r"-(\d{1,4}\.\d{1,6})\.x$")
_NODE: Final = re.compile(r"^([ |\\]{0,200})[+\\]-\s?(\S{3,300})(.{0,300})$")
_RULES: Final = (
    "Found Banned Dependency:",
    HOST,
    "<--- banned",
    "Restricted to JDK",
    "Duplicate class",
    "Found duplicate",
    "Snapshot dependenc",
    *NEWER_MAVEN,
)


def clues(log: Log, known: Catalogue) -> Iterator[Clue]:
    """Everything that the rules name."""
    yield from _rules(log, known)
    yield from _tree(log, known)
    if "Dependency problems found" in log.text:
        yield from _declared(log)


def _rules(log: Log, known: Catalogue) -> Iterator[Clue]:
    for words in _RULES:
        for number, line in log.hits(words, 40):
            if "<--- banned" in line:
                yield from _came_in(log, known, number)
            elif words == HOST:
                yield from _hosted(known, number, line)
            elif "uplicate" in words:
                yield from _twice(log, known, number, line)
            elif found := NAMED.search(line):
                yield Clue(Reason.FORBIDDEN, f"{found[1]}:{found[2]}", Failure.ENFORCER, number, found[3])
                yield from _managing(known, f"{found[1]}:{found[2]}", number)


def _hosted(known: Catalogue, number: int, line: str) -> Iterator[Clue]:
    """A plugin that asks for a newer host than the project has. A list for a line of the host (bom-2.361.x) names no plugin that
    asks for more than this line: the project named such a one itself, then.
    """
    found, wanted = NAMED.search(line[: line.find(HOST)].rpartition("Dependency ")[2]), _WANTED.search(line)
    if found is None or wanted is None:
        return
    yield Clue(Reason.FORBIDDEN, f"{found[1]}:{found[2]}", Failure.ENFORCER, number, found[3])
    for clue in _managing(known, f"{found[1]}:{found[2]}", number):
        line_of = _LINE.search(clue.name)
        if line_of is not None and not newer(wanted[1], line_of[1] + ".999"):
            yield clue


def _twice(log: Log, known: Catalogue, number: int, line: str) -> Iterator[Clue]:
    """Classes that two artifacts bring: the artifacts, and what they came with."""
    for one in NAMED.finditer(line):
        yield Clue(Reason.FORBIDDEN, f"{one[1]}:{one[2]}", Failure.ENFORCER, number, one[3], 0.8)
    for below, more in log.after(number, 6):
        named = NAMED.search(more)
        if named is None or _is_own(known, f"{named[1]}:{named[2]}", named[3]):
            continue
        key, version = f"{named[1]}:{named[2]}", named[3]
        yield Clue(Reason.FORBIDDEN, key, Failure.ENFORCER, below, version, 0.7)
        yield from _managing(known, key, number)
        artifact = known.artifacts.get(key)
        root = known.root(artifact, version) if artifact is not None else None
        if root is not None and root is not artifact:
            yield Clue(Reason.LEADS_TO, root.key, Failure.ENFORCER, below, version)


def _came_in(log: Log, known: Catalogue, number: int) -> Iterator[Clue]:
    """A banned artifact in a tree drawn by indentation: what the project asks for, above it, brought it."""
    found = NAMED.search(log.line(number))
    if found is None:
        return
    above: list[tuple[int, re.Match[str]]] = [(number, found)]
    for at in range(number - 1, max(0, number - TREE_LINES), -1):
        node = NAMED.search(log.line(at))
        if node is None:
            break
        if node.start() < above[-1][1].start():
            above.append((at, node))
    path = [(at, f"{one[1]}:{one[2]}", one[3]) for at, one in above]
    path = [one for one in path if not _is_own(known, one[1], one[2])]
    for place, (at, key, version) in enumerate(path):
        if len(path) == 1 or place == len(path) - 1:
            yield Clue(Reason.FORBIDDEN if len(path) == 1 else Reason.LEADS_TO, key, Failure.ENFORCER, at, version, 1.1)
        else:
            yield Clue(Reason.NAMED, key, Failure.ENFORCER, at, version, 0.8)


def _declared(log: Log) -> Iterator[Clue]:
    """Artifacts that are declared and not used, or used and not declared."""
    for words, share in (("Unused declared dependencies", 1.0), ("Used undeclared dependencies", 0.8)):
        for number, _ in log.hits(words, 10):
            for at, line in log.after(number, 60):
                found = NAMED.search(line)
                if found is None:
                    break
                yield Clue(Reason.FORBIDDEN, f"{found[1]}:{found[2]}", Failure.ENFORCER, at, found[3], share)


def _managing(known: Catalogue, key: str, number: int) -> Iterator[Clue]:
    """A list of versions (BOM) that probably set this one: of the same house, fetched first, and nobody asked for another version."""
    artifact = known.artifacts.get(key)
    if artifact is not None and len(artifact.versions) > 1:
        return
    words = set(re.split(r"[-.]", key.partition(":")[0])) - {"org", "com", "io", "net", "plugins", "tools"}
    for one, version in known.order:
        bom = known.artifacts[one]
        if bom.is_bom and not bom.is_parent and words & set(re.split(r"[-.]", bom.group)):
            yield Clue(Reason.MANAGES, one, Failure.ENFORCER, number, version)
            return


def _tree(log: Log, known: Catalogue) -> Iterator[Clue]:
    """Paths under "upper bound" and "convergence": what leads to the versions that the rule objects to."""
    errors: list[list[Path]] = []
    for words in ("equire upper bound dependencies error for", "ependency convergence error for"):
        for number, line in log.hits(words, 12):
            paths = [path for path in _paths(log, number) if len(path) > 1]
            asked = NAMED.search(line[line.find(words) :])
            if paths:
                errors.append(paths)
            elif asked is not None:
                yield Clue(Reason.FORBIDDEN, f"{asked[1]}:{asked[2]}", Failure.ENFORCER, number, asked[3])
    counted: dict[str, float] = defaultdict(float)
    one_sided = [_one_sided(known, paths) for paths in errors]
    for nodes in one_sided:
        for name, most in {name: most for _, name, _, most in sorted(nodes, key=lambda node: node[3])}.items():
            counted[name] += most
    for nodes in one_sided:
        for at, key, version, share in nodes:
            yield Clue(
                Reason.LEADS_TO, key, Failure.ENFORCER, at, version, share * counted[key] / max(counted.values())
            )
    for paths in errors:
        for path in paths:
            if path[-1][3]:
                yield Clue(Reason.CONFLICTS, path[-1][1], Failure.ENFORCER, path[-1][0], path[-1][2], 0.3)
                yield from _lists(known, path[1][1], path[1][0])


Node = tuple[int, str, str, str]  # line, artifact, version in use, version asked for
Path = list[Node]


def _one_sided(known: Catalogue, paths: list[Path]) -> list[tuple[int, str, str, float]]:
    """(line, artifact, version, share) of what leads to one of the versions only: most to the newest, most what is near the top.

    What has the version of the dependency it came with did not change alone.
    """
    newest = ""
    ends: dict[str, set[str]] = defaultdict(set)
    for path in paths:
        end = path[-1][3] or path[-1][2]
        newest = end if not newest or newer(end, newest) else newest
        for _, key, _, _ in path:
            ends[key].add(end)
    found = []
    for path in paths:
        below = [node for node in path[1:] if not _is_own(known, node[1], node[2])]
        alone = [node for node in below if len(ends[node[1]]) == 1]
        first = [node for node in alone if node is below[0] or node[2] != below[0][2]] or alone or below
        leads = (path[-1][3] or path[-1][2]) == newest
        for place, (line, key, version, _) in enumerate(first[:4]):
            found.append((line, key, version, (1.0 if leads else 0.6) * 0.92**place))
    return found


def _lists(known: Catalogue, key: str, line: int) -> Iterator[Clue]:
    """A version in the tree that is managed: a list of versions may have set it."""
    group = key.partition(":")[0]
    for one, version in known.order:
        artifact = known.artifacts[one]
        if artifact.is_bom and artifact.group.split(".")[:2] == group.split(".")[:2]:
            yield Clue(Reason.MANAGES, one, Failure.ENFORCER, line, version, 0.4)
            return


def _is_own(known: Catalogue, key: str, version: str) -> bool:
    return key in known.own or "SNAPSHOT" in version


def _paths(log: Log, number: int) -> list[Path]:
    """Paths of a tree: (line, artifact, version in use, version asked for)."""
    paths: list[Path] = []
    depth = -1
    for at, line in log.after(number, 160):
        text = line.removeprefix("[ERROR] ").removeprefix("[WARNING] ").rstrip()
        node = _NODE.match(text)
        if node is None:
            if text.strip() in ("and", "and:", "") or text.startswith("and"):
                depth = -1
                continue
            if "+-" in text:
                continue
            break
        named = NAMED.search(node[2])
        if named is None:
            continue
        if depth < 0 or len(node[1]) <= depth:
            paths.append([])
        depth = len(node[1])
        asked = NAMED.search(node[3].partition("<--")[2]) if "<--" in node[3] else None
        paths[-1].append((at, f"{named[1]}:{named[2]}", named[3], asked[3] if asked else ""))
    return paths
