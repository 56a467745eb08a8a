"""The forms in which a graph, metrics and periods may be given, read into one. Nothing of their shape is believed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

SERIES_MAX: Final = 50_000
SAMPLES_MAX: Final = 200_000
"""Of one series."""
EDGES_MAX: Final = 1_000_000
VALUE_MAX: Final = 1e12
"""Values beyond it are taken for it: a broken clock's latency must not swallow every other one."""

Series = Mapping[float, float]
"""Time → value; only samples that are known."""
Key = tuple[str, str, str]
"""service, metric, statistic ("" when not said)."""
Table = Mapping[Key, Series]


class Unreadable(ValueError):
    """What was given for the graph, the metrics or a period cannot be read."""


@dataclass(frozen=True, slots=True)
class Period:
    """Times from `since` to `until`, both included, or exactly those in `times`."""

    since: float = -math.inf
    until: float = math.inf
    times: frozenset[float] | None = None

    def __contains__(self, at: float) -> bool:
        return at in self.times if self.times is not None else self.since <= at <= self.until


def edges_of(graph: Any) -> list[tuple[str, str]]:
    """(caller, callee) pairs, sorted, each once, without calls to oneself."""
    found = set()
    for number, pair in enumerate(_pairs(graph)):
        if number >= EDGES_MAX:
            raise Unreadable(f"the graph has more than {EDGES_MAX:,} edges")
        caller, callee = _ends(pair)
        if caller != callee:
            found.add((caller, callee))
    return sorted(found)


def tables_of(metrics: Any, normal: Any, abnormal: Any) -> tuple[Table, Table]:
    """What was measured in the normal period, and in the one in question. Each period is a table itself or a part of `metrics`."""
    whole = None
    parts: list[Table] = []
    for name, given in (("normal", normal), ("abnormal", abnormal)):
        if _is_table(given):
            parts.append(_table(given, name))
            continue
        whole = _table(metrics, "metrics") if whole is None else whole
        period = _period(given, name)
        cut = {key: {at: v for at, v in series.items() if at in period} for key, series in whole.items()}
        parts.append({key: series for key, series in cut.items() if series})
    return parts[0], parts[1]


def _pairs(graph: Any) -> Iterator[Any]:
    if hasattr(graph, "columns") and hasattr(graph, "index"):
        yield from _adjacent(graph)
    elif isinstance(graph, Mapping):
        for caller, callees in graph.items():
            if isinstance(callees, str) or not isinstance(callees, Iterable):
                raise Unreadable(
                    f"the graph's {caller!r} maps to {type(callees).__name__}: a collection of callees is needed"
                )
            weights = callees if isinstance(callees, Mapping) else {}
            yield from ((caller, one) for one in callees if _weighs(weights.get(one)))
    elif hasattr(graph, "edges"):
        yield from graph.edges() if callable(graph.edges) else graph.edges
    elif isinstance(graph, Iterable) and not isinstance(graph, str | bytes):
        yield from graph
    else:
        raise Unreadable(
            f"a graph is needed (pairs of caller and callee, a mapping, a CallGraph), not {type(graph).__name__}"
        )


def _adjacent(graph: Any) -> Iterator[tuple[Any, Any]]:
    """Of a table of adjacency: callers in rows, callees in columns."""
    for callee in graph.columns:
        yield from ((caller, callee) for caller, many in zip(graph.index, graph[callee], strict=True) if _number(many))


def _weighs(weight: Any) -> bool:
    """0 in an adjacency mapping is no edge; what is no number (an edge's attributes) belongs to one."""
    return _number(weight) != 0


def _ends(pair: Any) -> tuple[str, str]:
    if hasattr(pair, "caller") and hasattr(pair, "callee"):
        return str(pair.caller), str(pair.callee)
    if isinstance(pair, Sequence) and not isinstance(pair, str) and len(pair) >= 2:
        return str(pair[0]), str(pair[1])
    raise Unreadable(f"an edge of the graph is {pair!r:.80}: (caller, callee) is needed")


def _is_table(given: Any) -> bool:
    return isinstance(given, Mapping) or (hasattr(given, "columns") and hasattr(given, "index"))


def _table(given: Any, name: str) -> Table:
    if not _is_table(given):
        raise Unreadable(
            f"{name} is {type(given).__name__}: a mapping of (service, metric, statistic) to series is needed"
        )
    found: dict[Key, dict[float, float]] = {}
    for number, (key, raw) in enumerate(_columns(given, ())):
        if number >= SERIES_MAX:
            raise Unreadable(f"{name} holds more than {SERIES_MAX:,} series")
        series = _series(raw, f"{name} {key}")
        if series:
            found.setdefault(key, {}).update(series)
    return found


def _columns(given: Any, above: tuple[str, ...]) -> Iterator[tuple[Key, Any]]:
    """Each series with its key, however the names are nested."""
    if not isinstance(given, Mapping):
        times = list(given.index)
        for label in given.columns:
            yield _key(label, above), list(zip(times, given[label], strict=True))
        return
    for label, inner in given.items():
        names = (*above, *map(str, label)) if isinstance(label, tuple) else (*above, str(label))
        if _is_table(inner) and not _by_time(inner):
            yield from _columns(inner, names)
        else:
            yield _key((), names), inner


def _by_time(inner: Any) -> bool:
    """Whether a mapping's keys are times and not names."""
    return isinstance(inner, Mapping) and all(_time(at) is not None for at in inner)


def _key(label: Any, above: tuple[str, ...]) -> Key:
    names = (*above, *(map(str, label) if isinstance(label, tuple | list) else (str(label),)))
    if len(names) not in (2, 3):
        raise Unreadable(
            f"a series is named {names!r:.120}: (service, metric, statistic) or (service, metric) is needed"
        )
    return (names[0], names[1], names[2] if len(names) == 3 else "")


def _series(raw: Any, name: str) -> dict[float, float]:
    pairs = _timed(raw, name)
    found: dict[float, float] = {}
    for number, (at, value) in enumerate(pairs):
        if number >= SAMPLES_MAX:
            raise Unreadable(f"{name} has more than {SAMPLES_MAX:,} samples")
        known = _number(value)
        if known is None:
            continue
        when = _time(at)
        if when is None:
            raise Unreadable(f"{name} has a sample at {at!r:.60}: seconds, a datetime or an ISO date is needed")
        found[when] = known
    return found


def _timed(raw: Any, name: str) -> Iterable[tuple[Any, Any]]:
    if isinstance(raw, Mapping):
        return raw.items()
    if hasattr(raw, "index") and hasattr(raw, "items") and not isinstance(raw, str):  # a pandas Series
        return list(raw.items())
    if isinstance(raw, str | bytes) or not isinstance(raw, Iterable):
        raise Unreadable(f"{name} is {type(raw).__name__}: a series is needed (time → value, pairs, or values)")
    values = list(raw)
    if values and all(isinstance(one, tuple | list) and len(one) == 2 for one in values):
        return [(one[0], one[1]) for one in values]
    return list(enumerate(values))


def _period(given: Any, name: str) -> Period:
    """(since, until), both included; more or fewer times than two are the times themselves."""
    if given is None or isinstance(given, str | bytes) or not isinstance(given, Iterable):
        raise Unreadable(f"{name} is {type(given).__name__}: (since, until) or a table of metrics is needed")
    times = [_time(at) for at in given]
    known = [at for at in times if at is not None]
    if len(known) != len(times):
        raise Unreadable(f"{name} holds what is no time: seconds, a datetime or an ISO date is needed")
    if len(known) == 2 and not isinstance(given, set | frozenset | range):
        if known[0] > known[1]:
            raise Unreadable(f"{name} ends before it begins")
        return Period(known[0], known[1])
    return Period(times=frozenset(known))


def _time(at: Any) -> float | None:
    if isinstance(at, datetime):
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    if isinstance(at, str):
        try:
            return float(at)
        except ValueError:
            pass
        try:
            return _time(datetime.fromisoformat(at))
        except ValueError:
            return None
    try:
        found = float(at)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def _number(value: Any) -> float | None:
    """None for what is missing or no number; infinities and huge values stay at the limit."""
    if value is None or value == "":
        return None
    try:
        found = float(value)
    except OverflowError:
        return VALUE_MAX
    except (TypeError, ValueError):
        return None
    return None if math.isnan(found) else max(-VALUE_MAX, min(VALUE_MAX, found))
