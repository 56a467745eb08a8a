"""How well it works: time to recovery and how often the same failure comes back, each with its n."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from prodwise.model.incident import Incident
from prodwise.model.outcome import Outcome
from prodwise.server.views.words import duration, percent

WINDOW_S = 30 * 86_400.0
REPEAT_S = 7 * 86_400.0
"""The same kind of failure of the same service and route within this time of a healing: the healing did not last."""
ENOUGH = 5


@dataclass(frozen=True, slots=True)
class Figure:
    """value: seconds, or a share 0…1; None without data. n: what it rests on. text: ready to read."""

    value: float | None
    n: int
    text: str


@dataclass(frozen=True, slots=True)
class Report:
    """cut: there were more in the last 30 days than were counted: the newest were."""

    recovery: Figure
    worst: Figure
    repeats: Figure
    incidents: int
    open: int
    seconds: tuple[float, ...] = ()
    cut: bool = False


def report(
    incidents: Sequence[Incident], recovered_at: Mapping[str, float], now: float, most: int | None = None
) -> Report:
    """Over the last 30 days. incidents: the newest, `most` of them at most; recovered_at: incident id → when users
    were served again; else the time it was closed."""
    recent = [i for i in incidents if i.opened_at >= now - WINDOW_S]
    healed = [i for i in recent if i.outcome is Outcome.HEALED]
    times = [seconds for i in healed if (seconds := _seconds(i, recovered_at)) is not None]
    return Report(
        recovery=_figure(median(times) if times else None, len(times), duration),
        worst=_figure(max(times, default=None), len(times), duration, enough=1),
        repeats=_figure(_repeated(healed, recent), len(healed), percent),
        incidents=len(recent),
        open=sum(1 for i in recent if i.closed_at is None),
        seconds=tuple(times),
        cut=len(recent) == most,
    )


def onset(incident: Incident) -> float:
    """When it began, by our own eyes; what others say began earlier moves it only where we see nothing ourselves."""
    ours = [one for one in incident.symptoms if one.ours] or incident.symptoms
    return min([incident.opened_at, *(symptom.onset_at for symptom in ours)])


def _seconds(incident: Incident, recovered_at: Mapping[str, float]) -> float | None:
    end = recovered_at.get(incident.id, incident.closed_at)
    return max(0.0, end - onset(incident)) if end is not None else None


def _repeated(healed: Sequence[Incident], recent: Sequence[Incident]) -> float | None:
    """The share of healed incidents that were followed by the same failure within REPEAT_S."""
    if not healed:
        return None
    onsets: dict[tuple[str, str, str], list[float]] = {}
    for incident in recent:
        onsets.setdefault(_signature(incident), []).append(incident.opened_at)
    came_back = sum(
        any(0 < at - (incident.closed_at or incident.opened_at) <= REPEAT_S for at in onsets[_signature(incident)])
        for incident in healed
    )
    return came_back / len(healed)


def _signature(incident: Incident) -> tuple[str, str, str]:
    first = incident.symptoms[0] if incident.symptoms else None
    return incident.service, first.kind if first else "", first.route if first else ""


def _figure(value: float | None, n: int, words: object, enough: int = ENOUGH) -> Figure:
    if value is None:
        return Figure(None, n, "nothing to measure yet")
    if n < enough:
        return Figure(value, n, f"too few to say (n = {n})")
    return Figure(value, n, f"{words(value)} (n = {n})" if callable(words) else "")
