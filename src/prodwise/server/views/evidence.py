"""Evidence ready to read: which readings tell something, and their figures with units."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prodwise.model.evidence import Evidence
from prodwise.server.views.facts import Case
from prodwise.server.views.words import count, duration, mapping, number, percent, sequence, size, visible


@dataclass(frozen=True, slots=True)
class Fact:
    id: str
    kind: str
    source: str
    since: float
    until: float
    text: str
    figures: tuple[tuple[str, str], ...]


def cited_by(case: Case) -> set[str]:
    """Ids of what the diagnosis and the plan cite."""
    cited = {str(name) for name in sequence(case.plan.get("evidence"))}
    for entry in sequence(case.diagnosis.get("hypotheses")):
        hypothesis = mapping(entry)
        cited |= {str(n) for n in (*sequence(hypothesis.get("supports")), *sequence(hypothesis.get("contradicts")))}
    return cited


def telling(case: Case, evidence: Sequence[Evidence]) -> list[Evidence]:
    """What the diagnosis and the plan cite, and of each thing else that was looked at the newest reading."""
    cited = cited_by(case)
    newest = {_subject(fact): fact.id for fact in evidence}
    kept = [fact for fact in evidence if fact.id in cited or newest[_subject(fact)] == fact.id]
    once = {(fact.kind, fact.text): fact for fact in reversed(kept)}  # the first of those that say the same
    return [fact for fact in kept if once[(fact.kind, fact.text)] is fact]


def _subject(fact: Evidence) -> tuple[str, ...]:
    named = tuple(str(fact.data.get(name, "")) for name in ("service", "slot", "route", "release", "subject"))
    return (fact.kind, fact.source, *named) if any(named) else (fact.kind, fact.source, fact.text)


def fact_of(fact: Evidence) -> Fact:
    return Fact(
        fact.id,
        visible(fact.kind, 40),
        visible(fact.source, 40),
        fact.since,
        fact.until,
        visible(fact.text, 400),
        tuple(_figures(fact.data))[:16],
    )


def _figures(data: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Scalars, one level of nesting, ready to read; lists are cut after eight items."""
    found: list[tuple[str, str]] = []
    for key, value in list(data.items())[:24]:
        name = f"{prefix}{label(str(key))}"
        if isinstance(value, Mapping):
            found.extend(_figures(value, f"{label(str(key))} ") if not prefix else [(name, count(len(value), "value"))])
        elif isinstance(value, list | tuple):
            found.append((name, visible(_listed(value), 400)))
        else:
            found.append((name, figure(str(key), value)))
    return found


def _listed(items: Sequence[object]) -> str:
    """ "payments, web"; of objects their plain values: "caller web, callee payments; caller web, callee store"."""
    nested = any(isinstance(one, Mapping) for one in items)
    told = [_object(mapping(one)) if nested else figure("", one) for one in items[:ITEMS_SHOWN]]
    more = ["…"] if len(items) > ITEMS_SHOWN else []
    return ("; " if nested else ", ").join([*told, *more]) or NOTHING


def _object(one: Mapping[str, Any]) -> str:
    plain = {str(key): value for key, value in one.items() if not isinstance(value, Mapping | list | tuple)}
    return ", ".join(f"{label(key)} {figure(key, value)}" for key, value in plain.items())


NOTHING = "–"
ITEMS_SHOWN = 8
YEARS_S = 1e9
"""A moment is more seconds than this, an interval fewer."""
LABELS = {
    "p50_ms": "typical",
    "p95_ms": "slowest 5 %",
    "p95_now_ms": "slowest 5 % now",
    "p95_usual_ms": "slowest 5 % usually",
    "requests_per_s": "requests a second",
    "rate_now": "requests a second now",
    "rate_usual": "requests a second usually",
    "kills_s": "counted for",
    "n": "requests",
    "errors": "failed",
    "lanes": "users",
}


def label(key: str) -> str:
    """A figure's name in words; its unit stands with the value."""
    bare = key.removesuffix("_ms").removesuffix("_bytes").removesuffix("_s")
    return LABELS.get(key) or visible(bare, 60).replace("_", " ")


def figure(key: str, value: object) -> str:
    """A figure with the unit that its name tells: shares, moments (UTC), durations, bytes."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    known = number(value)
    if known is None:
        return NOTHING if value in (None, "") else visible(value, 200)
    match key.rpartition("_")[2]:
        case "share" | "rate" if 0 <= known <= 1:
            return percent(known)
        case "at" | "since" | "until" | "seen" if known > YEARS_S:
            return f"{dt.datetime.fromtimestamp(known, dt.UTC):%Y-%m-%d %H:%M:%S} UTC"
        case "ms":
            return f"{known:.0f} ms"
        case "bytes":
            return size(known)
        case "s" | "seconds" if not key.endswith("per_s"):
            return duration(known)
    return f"{known:,.0f}" if known == int(known) else f"{known:,.3g}"
