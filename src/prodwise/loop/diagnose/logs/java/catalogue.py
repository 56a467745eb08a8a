"""The artifacts that a log mentions, in the order they were fetched, and which of them a class may come from.

Maven fetches a dependency's POM before those of what it needs, and all jars of a project in one batch: so the order tells what
came through what, and the batch which of several versions is the project's own.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import Final

from prodwise.loop.diagnose.logs.java import published
from prodwise.loop.diagnose.logs.java.names import TOP, VAGUE, houses_of, score, stem, words_of
from prodwise.loop.diagnose.logs.versions import key as version_key
from prodwise.loop.diagnose.logs.versions import newer, same_major

ARTIFACTS_MAX: Final = 4_000
OWNERS_MAX: Final = 8
OWNER_MIN: Final = 3.0
WEAK_MIN: Final = 0.9  # for a name that fits no artifact better
WEAKLY: Final = 0.6
BESIDE_KNOWN: Final = 0.5
KIN_SHARE: Final = 0.8
STEM: Final = 6
"""Letters of a word that have to be alike."""
ANOTHER: Final = 0.3
"""Of that share: a part of the house that the package does not name."""
BOM: Final = re.compile(r"(?:^|[-.])(?:bom|dependencies|platform)(?:$|[-.])")
_MORE: Final = re.compile(r"(?:[-_](?:jdk|jre|java|android|\d)[\w.-]{0,20})?")
"""What an artifact's name goes on with, for the Java or the Scala that it is for."""
_CAMEL: Final = re.compile(r"[A-Z]?[a-z0-9]{2,40}|[A-Z]{2,20}(?![a-z])")


class Jars(Enum):
    """What is known of fetched jars: nothing, that they were, or which of them are the project's own."""

    NONE = 0
    SOME = 1
    PROJECT = 2


@dataclass(slots=True)
class Seen:
    """A version of an artifact. order: when its POM (or itself) was first seen; batch: of how many jars its jar was fetched with;
    project: for the project's own classpath, and not for a plugin's.
    """

    order: int
    jar: bool = False
    batch: int = 0
    project: bool = False


@dataclass(slots=True)
class Artifact:
    group: str
    name: str
    versions: dict[str, Seen] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return f"{self.group}:{self.name}"

    @property
    def used(self) -> str:
        """The version that the project uses, as far as the log tells; "" without any."""
        jars = [(seen.project, seen.batch, -seen.order, version) for version, seen in self.versions.items() if seen.jar]
        if jars:
            return max(jars)[3]
        return min(self.versions, key=lambda version: self.versions[version].order, default="")

    @property
    def jar(self) -> bool:
        return any(seen.jar for seen in self.versions.values())

    @property
    def project(self) -> bool:
        return any(seen.project for seen in self.versions.values())

    @property
    def newest(self) -> str:
        return max(self.versions, key=version_key, default="")

    @property
    def is_bom(self) -> bool:
        return bool(BOM.search(self.name)) and not self.jar

    @property
    def is_namesake(self) -> bool:
        """Whether it has its group's name (org.name:name), so that the others of the group are parts of it."""
        return self.name.lower().replace("-", "") == houses_of(self.group)[-1]

    @property
    def is_parent(self) -> bool:
        return self.name.endswith(("parent", "project", "-pom")) or self.name in ("apache", "pom", "oss")


@dataclass(slots=True)
class Catalogue:
    """own: groups of the project itself; packages: those of its sources."""

    artifacts: dict[str, Artifact] = field(default_factory=dict)
    order: list[tuple[str, str]] = field(default_factory=list)  # (artifact, version) as first seen
    own: set[str] = field(default_factory=set)
    packages: set[str] = field(default_factory=set)
    jars: Jars = Jars.NONE
    _index: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    _news: bool = True  # whether something was added since it was made
    _families: dict[str, list[Artifact]] = field(default_factory=lambda: defaultdict(list))
    _owners: dict[str, list[tuple[str, float]]] = field(default_factory=dict)
    _usual: dict[tuple[str, int], str] = field(default_factory=dict)
    _near: dict[tuple[str, int], list[str]] = field(default_factory=dict)

    def add(self, group: str, name: str, version: str, jar: bool = False) -> Artifact | None:
        """Remembers it. None: there are too many, or it is the project's own."""
        key = f"{group}:{name}"
        artifact = self.artifacts.get(key)
        if key in self.own:
            return None
        if artifact is None:
            if len(self.artifacts) >= ARTIFACTS_MAX:
                return None
            artifact = self.artifacts[key] = Artifact(group, name)
            self._families[_family(group)].append(artifact)
            self._news = True
        seen = artifact.versions.get(version)
        if seen is None:
            seen = artifact.versions[version] = Seen(len(self.order))
            self.order.append((key, version))
        if jar and not seen.jar:
            seen.jar = self._news = True
        return artifact

    def named(self, name: str) -> str:
        """The artifact of that name, whatever its group, or else the first one that begins with the same two words, or where
        nothing is told of fetching a known one; "" for none."""
        used = [one for one in self.artifacts.values() if self.on_path(one)]
        begin = words_of(name)[:2]
        like = [one for one in used if len(begin) > 1 and words_of(one.name)[:2] == begin]
        listed = next((one.key for one in (*(one for one in used if one.name == name), *like)), "")
        return listed or (published.named(name) if self.jars is Jars.NONE else "")

    def is_own(self, name: str) -> bool:
        """Whether a class or package is the project's."""
        return any(name == one or name.startswith(one + ".") for one in self.packages)

    def owners(self, name: str) -> list[tuple[str, float]]:
        """(artifact, 0…1) that a class or package may come from, likeliest first: as is known of it, else judged by names."""
        if name not in self._owners:
            package, words = _parted(name)
            near = self._near_to(package)
            used = [one for one in near if self.on_path(one)]
            best = _best(package, words, used) or self._kin(package, used)
            best = best or _best(package, words, [one for one in near if one.jar])
            known = self._known(published.owner(name))
            others = [(key, BESIDE_KNOWN * share) for key, share in best if key != known]
            self._owners[name] = [(known, 1.0), *others] if known else best
        return self._owners[name]

    def _known(self, artifact: str) -> str:
        """What is used of an artifact, whose name may go on (with the Java or Scala that it is for) and whose group may have changed
        within its house; "" for none."""
        group, _, name = artifact.partition(":")
        near = self._near_to([*words_of(name)]) if name else []
        like = [one for one in near if self.on_path(one) and _MORE.fullmatch(one.name.removeprefix(name))]
        same = (one for one in like if one.name.startswith(name) and one.group.split(".")[:2] == group.split(".")[:2])
        return next((one.key for one in sorted(same, key=lambda one: (one.group != group, one.name))), "")

    def unlisted(self, name: str) -> str:
        """The artifact that a class is known to come from, where nothing is told of fetching, and it is mentioned nowhere; "" else."""
        artifact = published.owner(name) if self.jars is Jars.NONE else ""
        return artifact if artifact and not self._known(artifact) else ""

    def hardly(self, name: str) -> list[tuple[str, float]]:
        """The same where no name fits: those that share a word with it."""
        package, words = _parted(name)
        used = [one for one in self._near_to(package) if self.on_path(one)]
        return [(key, WEAKLY * share) for key, share in _best(package, words, used, WEAK_MIN)]

    def _near_to(self, package: list[str]) -> list[Artifact]:
        """Artifacts whose names share a word with a package."""
        if self._news:
            self._list()
        near: set[str] = set()
        for part in package:
            if part not in TOP and len(part) > 1:
                near |= self._index.get(part, set())
        return [self.artifacts[key] for key in near]

    def _list(self) -> None:
        """Puts artifacts under the words of their names; of what was fetched, those with a jar, since a POM alone has no classes."""
        self._index, self._news = defaultdict(set), False
        for key, artifact in self.artifacts.items():
            if self.jars is Jars.NONE or artifact.jar:
                words = words_of(artifact.name)
                for word in {*houses_of(artifact.group), *words, "".join(words)} - TOP:
                    self._index[word].add(key)
                    self._index[stem(word)].add(key)

    def _kin(self, package: list[str], used: list[Artifact]) -> list[tuple[str, float]]:
        """Where no name fits: what comes from the same house, the first one fetched foremost, as others came with it."""
        kin = [
            one for one in used if one.group.lower().split(".")[:2] == package[:2] and not (one.is_bom or one.is_parent)
        ]
        kin.sort(key=lambda one: (_of_another(one.group, package), not one.is_namesake, one.versions[one.used].order))
        return [
            (one.key, KIN_SHARE * 0.6**place * (ANOTHER if _of_another(one.group, package) else 1.0))
            for place, one in enumerate(kin[:3])
        ]

    def on_path(self, artifact: Artifact) -> bool:
        """Whether its classes can be in use: a jar of it was fetched (for the project, if that can be told)."""
        if artifact.name.endswith("-plugin"):
            return False
        if self.jars == Jars.NONE:
            return True
        return artifact.project if self.jars == Jars.PROJECT else artifact.jar

    def siblings(self, artifact: Artifact) -> list[Artifact]:
        """Others of its group, or of its family of groups, that are used as jars."""
        found = [one for one in self._families[_family(artifact.group)] if one is not artifact and one.jar]
        return [one for one in found if one.group == artifact.group] or found

    def usual(self, artifact: Artifact) -> str:
        """The version that the ones it belongs with share; "" if they share none."""
        known = (artifact.key, len(self.order))
        if known not in self._usual:
            self._usual[known] = self._find_usual(artifact)
        return self._usual[known]

    def _find_usual(self, artifact: Artifact) -> str:
        siblings = self.siblings(artifact)
        counted = Counter(one.used for one in siblings)
        version, count = counted.most_common(1)[0] if counted else ("", 0)
        close = len(siblings) == 1 and same_major(version, artifact.used)
        return version if count >= max(2, len(siblings) / 2) or close else ""

    def root(self, artifact: Artifact, version: str) -> Artifact:
        """The first one fetched of its family that is used at this version: the others came with it."""
        short = _short(version)
        same = [
            (seen.order, one.key) for one in self._kin_of(artifact.group) if not (one.is_parent or one.is_bom)
            for other, seen in one.versions.items() if _short(other) == short and (seen.jar or not one.jar)
        ]  # fmt: skip
        return self.artifacts[min(same)[1]] if same else artifact

    def list_of(self, artifact: Artifact, version: str) -> Artifact | None:
        """The list of versions or the parent that gave a version: of its group and version, and read before everything of these,
        as only what the project itself names is; what an artifact's own POM names is read after that.
        """
        seen = [
            (of.order, one) for one in self._kin_of(artifact.group) if one.group == artifact.group
            for other, of in one.versions.items() if other == version
        ]  # fmt: skip
        first = min(seen, key=lambda one: one[0], default=None)
        return first[1] if first and (first[1].is_bom or (first[1].is_parent and not first[1].jar)) else None

    def _kin_of(self, group: str) -> list[Artifact]:
        """Its family, and those whose group begins with its group or the other way round."""
        known = (group, len(self._families))
        if known not in self._near:
            kin = {family for family in self._families if _within(family, group) or _within(group, family)}
            self._near[known] = sorted(kin | {_family(group)})
        return [one for family in self._near[known] for one in self._families.get(family, ())]

    def read_before(self, artifact: Artifact, version: str) -> tuple[Artifact, str] | None:
        """Who probably asked for a version, and in which of its own: one of its house that moved and was read shortly before it, or
        whatever was read last.
        """
        at = artifact.versions[version].order
        before = [(self.artifacts[key], of) for key, of in reversed(self.order[max(0, at - 8) : at])]
        asked = [
            (one, of)
            for one, of in before
            if self.on_path(one) and not (one.is_parent or one.is_bom or one is artifact)
        ]
        house = artifact.group.split(".")[:2]
        moved = ((one, of) for one, of in asked if one.group.split(".")[:2] == house and self.older(one, of))
        return next(moved, None) or next(iter(asked), None)

    def came_through(self, artifact: Artifact) -> Artifact | None:
        """What brought the newer one of its house that was read just before it: that asked for it, and perhaps for a newer one."""
        at = artifact.versions[artifact.used].order
        key, version = self.order[at - 1] if at else ("", "")
        before = self.artifacts.get(key)
        if before is None or before.group.split(".")[:2] != artifact.group.split(".")[:2] or not before.jar:
            return None
        close = before.group == artifact.group or same_major(version, artifact.used)
        return self.root(before, version) if close and newer(version, artifact.used) else None

    def older(self, artifact: Artifact, version: str) -> str:
        """The nearest older version that the log mentions; "" if none."""
        lower = [one for one in artifact.versions if newer(version, one)]
        return max(lower, key=version_key, default="")


@lru_cache(maxsize=4_096)
def _family(group: str) -> str:
    return ".".join(group.split(".")[:3])


def _parted(name: str) -> tuple[list[str], set[str]]:
    """The parts of a class's package, and the words of its own name."""
    parts = [part for part in name.split(".") if part]
    classes = next((i for i, part in enumerate(parts) if part[0].isupper()), len(parts))
    words = {word.lower() for part in parts[classes:] for word in _CAMEL.findall(part)}
    return [part.lower() for part in parts[:classes]], words


def _best(
    package: list[str], words: set[str], used: list[Artifact], least: float = OWNER_MIN
) -> list[tuple[str, float]]:
    """Those whose names fit a class, and how likely each is beside the likeliest."""
    scored = [(_fits(package, words, artifact), artifact.key) for artifact in used]
    best = sorted(((score, key) for score, key in scored if score >= least), reverse=True)[:OWNERS_MAX]
    return [(key, 3 ** (score - best[0][0])) for score, key in best]


def _of_another(group: str, package: list[str]) -> bool:
    """Whether a group names a part of its house, and a package of that house another one: org.name.this, org.name.that.Type."""
    part = houses_of(group)[2:3]
    return bool(part) and part != tuple(package[2:3]) and not VAGUE & set(package[2:3])


def alike(one: Artifact, other: Artifact) -> bool:
    """Whether their names have a word in common, in whatever ending: validator, validation."""
    ours, theirs = ([word for word in words_of(of.name) if len(word) >= STEM] for of in (one, other))
    return any(mine[:STEM] == word[:STEM] for mine in ours for word in theirs)


def _within(group: str, other: str) -> bool:
    """Whether a group is the other one or one below it, which is more than a house: org.name, not org.apache."""
    return group == other or (other.count(".") == 1 and group.startswith(other + "."))


def _short(version: str) -> str:
    """Its first three numbers: parts of one release may carry a fourth one of their own."""
    return ".".join(version.split(".")[:3])


def _fits(package: list[str], classes: set[str], artifact: Artifact) -> float:
    points = score(package, classes, houses_of(artifact.group), artifact.name)
    return points - 3.0 if artifact.is_parent or artifact.is_bom else points
