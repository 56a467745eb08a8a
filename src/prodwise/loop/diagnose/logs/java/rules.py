"""What the rules of a build forbid: banned, duplicate and diverging artifacts, and plugins that ask for a newer host."""

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

_NODE: Final = re.compile(r"^([ |\\]{0,200})[+\\]-\s?(\S{3,300})(.{0,300})$")
_RULES: Final = (
    "Found Banned Dependency:",
    "Dependency convergence error for",
    "equire upper bound dependencies error for",
    " requires Jenkins ",
    "Restricted to JDK",
    "Duplicate class",
    "Found duplicate",
    "Snapshot dependenc",
)


def clues(log: Log, known: Catalogue) -> Iterator[Clue]:
    """Everything that the rules name."""
    yield from _rules(log, known)
    yield from _tree(log, known)


def _rules(log: Log, known: Catalogue) -> Iterator[Clue]:
    for words in _RULES:
        for number, line in log.hits(words, 40):
            failing = Failure.ENFORCER
            text = line[: line.find(words)] if words == " requires Jenkins " else line
            found = NAMED.search(text.rpartition("Dependency ")[2] if words == " requires Jenkins " else text)
            if found and "upper bound" not in words and "convergence" not in words and "uplicate" not in words:
                yield Clue(Reason.FORBIDDEN, f"{found[1]}:{found[2]}", failing, number, found[3])
                yield from _managing(known, f"{found[1]}:{found[2]}", number)
            elif "uplicate" in words:
                for one in NAMED.finditer(line):
                    yield Clue(Reason.FORBIDDEN, f"{one[1]}:{one[2]}", failing, number, one[3], 0.8)
                for below, more in log.after(number, 6):
                    named = NAMED.search(more)
                    if named is not None and not _is_own(known, f"{named[1]}:{named[2]}", named[3]):
                        yield Clue(Reason.FORBIDDEN, f"{named[1]}:{named[2]}", failing, below, named[3], 0.7)
                        yield from _managing(known, f"{named[1]}:{named[2]}", number)


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
