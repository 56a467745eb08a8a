"""Everything that altered production: what it was, what it brought, how it is taken back, what it did to users."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from prodwise.loop.changes import told
from prodwise.loop.changes.inverse import Inverse, inverse
from prodwise.model.change import Change, ChangeKind
from prodwise.model.delta import Delta, Package, Setting, Touched
from prodwise.model.measured import Figure, Measured
from prodwise.server.views.words import actor_name, count, duration, percent, visible

GROUPS: Final = ("releases", "heals", "people", "settings", "machine", "elsewhere")
_GROUP: Final = {
    ChangeKind.RELEASE: "releases",
    ChangeKind.DEPENDENCY: "releases",
    ChangeKind.HEAL: "heals",
    ChangeKind.MANUAL: "people",
    ChangeKind.CONFIG: "settings",
    ChangeKind.FLAG: "settings",
    ChangeKind.PLATFORM: "machine",
}


@dataclass(frozen=True, slots=True)
class ChangesFacts:
    """changes: newest first; deltas: release → what it brought; measured: change → what it did; serving: the release that users
    reach, "" while that is not known; incidents: ids of those that there are; more: older ones were left out."""

    changes: Sequence[Change]
    deltas: Mapping[str, Delta] = field(default_factory=dict)
    measured: Mapping[str, Measured] = field(default_factory=dict)
    serving: str = ""
    incidents: frozenset[str] = frozenset()
    more: bool = False


@dataclass(frozen=True, slots=True)
class FigureRow:
    """difference: the interval's limits; verdict: good, bad or same, with the word for it."""

    name: str
    before: str
    after: str
    difference: str
    verdict: str
    word: str


@dataclass(frozen=True, slots=True)
class Brought:
    """A release's delta in words. headline: one line; the lists are what is behind it."""

    headline: str
    commits: tuple[tuple[str, str, str], ...]  # short id, title, author
    commits_left: str
    packages: tuple[tuple[str, str, str, str], ...]  # name, before, after, lock file
    packages_left: str
    settings: tuple[tuple[str, str], ...]  # key, what became of it
    environment: tuple[tuple[str, str], ...]  # name, what became of it
    services: str  # those that it changed, in words
    migrations: tuple[str, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """effect: what it did in one line, or why that is not known; windows: what was compared. back: the release that a button
    goes back to, "" for none; incident: where there is more to read."""

    id: str
    at: float
    group: str
    kind: str
    text: str
    who: str
    service: str
    before: str
    after: str
    effect: str
    windows: str
    figures: tuple[FigureRow, ...]
    left_out: tuple[str, ...]
    undo: Inverse
    back: str
    incident: str
    brought: Brought | None


@dataclass(frozen=True, slots=True)
class ChangesView:
    rows: tuple[ChangeRow, ...]
    more: bool


def changes_view(facts: ChangesFacts, group: str = "") -> ChangesView:
    rows = (_row(change, facts) for change in facts.changes)
    return ChangesView(tuple(row for row in rows if group in ("", row.group)), facts.more)


def _row(change: Change, facts: ChangesFacts) -> ChangeRow:
    undo, done = inverse(change, facts.serving), facts.measured.get(change.id, Measured(change.id, why_not="not known"))
    delta = facts.deltas.get(told.release_of(change))
    goes = undo.command.startswith("prodwise rollback")
    named = next((one for one in (change.id, f"inc-{change.before}") if one in facts.incidents), "")
    return ChangeRow(
        id=visible(change.id, 120),
        at=change.at,
        group="elsewhere" if change.outside else _GROUP.get(change.kind, "elsewhere"),
        kind=_kind(change),
        text=visible(change.text or _arrow(change), 300),
        who=visible(actor_name(change.who), 60),
        service=visible(change.service or "whole app", 40),
        before=visible(change.before, 60),
        after=visible(change.after, 60),
        effect=_effect(done),
        windows=_windows(done),
        figures=tuple(_figure(one) for one in done.figures),
        left_out=tuple(visible(one, 120) for one in done.not_measured),
        undo=undo,
        back=change.before if goes else "",
        incident=named,
        brought=brought(delta) if delta else None,
    )


def _kind(change: Change) -> str:
    return "clock" if told.sort_of(change) == told.CLOCK else change.kind.value


def _arrow(change: Change) -> str:
    return f"{change.before or 'nothing'} → {change.after or 'nothing'}"


def _effect(done: Measured) -> str:
    """ "Effect: failed requests 0.2 % → 3.1 %, worse"."""
    if not done.figures:
        return f"Effect: {visible(done.why_not, 160)}"
    rows = [one for one in map(_figure, done.figures) if one.verdict != "same"]
    if done.at_once:
        said = [f"{one.name} {one.before} on the release before, {one.after} on this one, {one.word}" for one in rows]
    else:
        said = [f"{one.name} {one.before} → {one.after}, {one.word}" for one in rows]
    begins = "Side by side" if done.at_once else "Effect" if done.final else "Effect so far"
    return f"{begins}: {'; '.join(said) or 'no difference shown'}"


def _windows(done: Measured) -> str:
    if not done.figures:
        return ""
    asked = f"{done.before:,} and {done.after:,} requests to {visible(done.service, 40)}"
    if done.at_once:
        return f"Side by side while both ran: {asked}"
    return f"{duration(done.window_s)} before against {duration(done.window_s)} after: {asked}"


def _figure(one: Figure) -> FigureRow:
    share = one.unit == "share"
    show = percent if share else _ms
    scale, unit = (100, "points") if share else (1, "ms")
    low, high = one.low * scale, one.high * scale
    word = {"more": "worse" if share else "slower", "less": "better" if share else "faster"}.get(one.verdict, "")
    verdict = {"more": "bad", "less": "good"}.get(one.verdict, "same")
    difference = f"{_signed(low, max(abs(low), abs(high)))} to {_signed(high, max(abs(low), abs(high)))} {unit}"
    return FigureRow(one.name, show(one.before), show(one.after), difference, verdict, word or "no difference shown")


def _ms(value: float) -> str:
    return f"{value:,.0f} ms" if value >= 10 else f"{value:.1f} ms"


def _signed(value: float, most: float) -> str:
    """As many digits as the larger limit deserves."""
    return f"{value:+,.{0 if most >= 20 else 1 if most >= 1 else 2}f}".replace("-", "−")


def brought(delta: Delta) -> Brought:
    names = delta.environment
    environment = [
        (visible(name, 100), how)
        for how, found in (("added", names.added), ("removed", names.removed), ("another value", names.changed))
        for name in found
    ]
    return Brought(
        headline=_headline(delta, len(environment)),
        commits=tuple((c.id[:7], visible(c.title, 120), visible(c.author, 60)) for c in delta.commits),
        commits_left=_left(delta.commit_count - len(delta.commits), "more commit"),
        packages=tuple(_package(one) for one in delta.packages),
        packages_left=_left(delta.package_count - len(delta.packages), "more package"),
        settings=tuple((visible(one.key, 100), _became(one)) for one in delta.settings),
        environment=tuple(environment),
        services=_services(delta.touched),
        migrations=tuple(visible(path, 160) for path in delta.migrations),
        unknown=tuple(visible(one, 200) for one in delta.unknown),
    )


def _services(touched: Touched) -> str:
    if touched.services:
        return visible(f"Changed only {', '.join(touched.services)} ({', '.join(touched.places) or 'all of it'})", 300)
    return visible(f"Counts as a change of every service: {touched.whole}", 300) if touched.whole else ""


def _headline(delta: Delta, variables: int) -> str:
    counted = (
        (delta.commit_count, "commit"),
        (delta.package_count, "package"),
        (len(delta.settings), "setting"),
        (variables, "variable"),
        (len(delta.migrations), "migration file"),
    )
    said = [count(number, one) for number, one in counted if number]
    if delta.backwards:
        said.append(f"{count(delta.backwards, 'commit')} fewer")
    if delta.unknown:
        said.append("something is not known")
    return f"Brought {', '.join(said)}" if said else "Brought nothing that differs"


def _left(number: int, what: str) -> str:
    return count(number, what) if number > 0 else ""


def _package(one: Package) -> tuple[str, str, str, str]:
    return visible(one.name, 120), visible(one.before or "–", 60), visible(one.after or "–", 60), visible(one.lock, 120)


def _became(one: Setting) -> str:
    if one.before and one.after:
        return f"{visible(one.before, 60)} → {visible(one.after, 60)}"
    return f"{one.how} {visible(one.after or one.before, 60)}".strip()
