"""What the rules look at: the change, and the repository that it is made to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from prodwise.loop.verify.patch.apply import DoesNotApply, applied
from prodwise.loop.verify.patch.code import features
from prodwise.loop.verify.patch.found import Found
from prodwise.loop.verify.patch.protected import is_lock, is_test
from prodwise.model.action import ActionKind
from prodwise.model.diff import FileDiff
from prodwise.model.pin import HOLDS_FILE


@dataclass(frozen=True, slots=True)
class Scene:
    """texts: the changed files as they are at the base, without those that are no text or are too long; links: symbolic links of
    the repository → what they point to; near: those of the changed files that lie on the failing trace or are imported by what
    does, None when nothing of the trace is known; known: packages that the repository imports or locks, by import name; inverse: what
    takes back the commit that a revert names, as git itself tells it, "" where that is not known; past: changed file → what it held
    at the commits that changed it, for settings; packages: those of the folders above the changed files that Python imports."""

    texts: Mapping[str, str]
    links: Mapping[str, str] = field(default_factory=dict)
    near: frozenset[str] | None = None
    known: frozenset[str] = frozenset()
    inverse: str = ""
    past: Mapping[str, Sequence[str]] = field(default_factory=dict)
    packages: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Case:
    """One proposal in its scene. after: texts of changed files, "" for one that goes; news: what the code does that it did not;
    lost: what it no longer does; exact: it is, byte for byte, what takes one commit back, with more in it than tests."""

    kind: ActionKind
    files: tuple[FileDiff, ...]
    scene: Scene
    after: Mapping[str, str]
    news: Mapping[str, tuple[Found, ...]]
    lost: Mapping[str, tuple[Found, ...]]
    exact: bool = False

    def new(self, rule: str) -> Iterator[str]:
        """What breaks the rule, with its place."""
        for path, found in self.news.items():
            yield from (f"{path}:{one.line} {one.what}" for one in found if one.rule == rule)


def case(kind: ActionKind, files: tuple[FileDiff, ...], scene: Scene, exact: bool = False) -> Case:
    """Raises DoesNotApply, also for a file whose text is not known."""
    after, news, lost = dict[str, str](), dict[str, tuple[Found, ...]](), dict[str, tuple[Found, ...]]()
    for file in files:
        name = file.path or file.before
        before = scene.texts.get(file.before) if file.before else ""
        if file.binary or not (file.hunks or file.before != file.path):
            continue
        if before is None:
            raise DoesNotApply(f"{file.before} is not there, is no text, or is too long to be read")
        after[name] = applied(before, file) if file.path else ""
        if kind is ActionKind.PIN and (is_lock(name) or name == HOLDS_FILE):
            continue  # no code: what these may say, other rules and the gate of dependencies know
        if kind is ActionKind.SETTING and not name.endswith(".py"):
            continue  # no code either: it holds what it held before, or breaks the rule of settings
        if exact and is_test(name):
            continue  # as it was before that commit
        had, has = tuple(features(file.before or name, before)), tuple(features(name, after[name]))
        news[name], lost[name] = _beyond(has, had), _beyond(had, has)
    return Case(kind, files, scene, after, news, lost, exact)


def _beyond(these: tuple[Found, ...], those: tuple[Found, ...]) -> tuple[Found, ...]:
    """What is more often in these than in those."""
    left = Counter((one.rule, one.what) for one in those)
    more = list[Found]()
    for one in these:
        left[one.rule, one.what] -= 1
        if left[one.rule, one.what] < 0:
            more.append(one)
    return tuple(more)
