"""What a release brought against the one before it: commits, packages, settings, names in the environment, migrations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Commit:
    """title, author: outside text."""

    id: str
    title: str
    author: str


@dataclass(frozen=True, slots=True)
class Package:
    """One package of a lock file. before, after: its versions, "" where it is not there; several are joined with commas."""

    lock: str  # the lock file's path
    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Setting:
    """One key of the configuration. how: added, removed or changed; before, after: "" where the value may be private."""

    key: str
    how: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Named:
    """Names of environment variables, never their values."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Touched:
    """The only services that a release changed, and the paths of theirs where it did. services: () where it has to count as
    having changed all; whole: why it does."""

    services: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    whole: str = ""


@dataclass(frozen=True, slots=True)
class Delta:
    """Lists are bounded; the counts beside them are whole. unknown: what could not be told, and why.

    previous: the release before; since, until: full commit ids. commits: the newest first; backwards: how many commits of the one
    before this release does not have.
    """

    previous: str
    since: str
    until: str
    commits: tuple[Commit, ...] = ()
    commit_count: int = 0
    backwards: int = 0
    packages: tuple[Package, ...] = ()
    package_count: int = 0
    settings: tuple[Setting, ...] = ()
    environment: Named = Named()
    migrations: tuple[str, ...] = ()  # paths only
    unknown: tuple[str, ...] = ()
    touched: Touched = Touched()

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Delta:
        named, touched = data["environment"], data.get("touched") or asdict(Touched())
        return cls(
            **{
                **data,
                "commits": tuple(Commit(**one) for one in data["commits"]),
                "packages": tuple(Package(**one) for one in data["packages"]),
                "settings": tuple(Setting(**one) for one in data["settings"]),
                "environment": Named(*(tuple(named[name]) for name in ("added", "removed", "changed"))),
                "migrations": tuple(data["migrations"]),
                "unknown": tuple(data["unknown"]),
                "touched": Touched(tuple(touched["services"]), tuple(touched["places"]), touched["whole"]),
            }
        )
