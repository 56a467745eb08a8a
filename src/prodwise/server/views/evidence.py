"""Evidence ready to read: which readings tell something, and their figures with units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prodwise.model.evidence import Evidence
from prodwise.server.views.facts import Case
from prodwise.server.views.words import duration, mapping, number, percent, sequence, visible


@dataclass(frozen=True, slots=True)
class Fact:
    id: str
    kind: str
    source: str
    since: float
    until: float
    text: str
    figures: tuple[tuple[str, str], ...]


def telling(case: Case, evidence: Sequence[Evidence]) -> list[Evidence]:
    """What the diagnosis and the plan cite, and of each thing else that was looked at the newest reading."""
    cited = {str(name) for name in sequence(case.plan.get("evidence"))}
    for entry in sequence(case.diagnosis.get("hypotheses")):
        hypothesis = mapping(entry)
        cited |= {str(n) for n in (*sequence(hypothesis.get("supports")), *sequence(hypothesis.get("contradicts")))}
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
            found.extend(_figures(value, f"{label(str(key))} ") if not prefix else [(name, f"{len(value)} values")])
        elif isinstance(value, list | tuple):
            found.append((name, visible(", ".join(str(item) for item in value[:8]), 200)))
        else:
            found.append((name, figure(str(key), value)))
    return found


LABELS = {
    "p50_ms": "typical",
    "p95_ms": "slowest 5 %",
    "requests_per_s": "requests a second",
    "n": "requests",
    "errors": "failed",
    "lanes": "users",
}


def label(key: str) -> str:
    """A figure's name in words; its unit stands with the value."""
    return LABELS.get(key) or visible(key, 60).replace("_", " ")


def figure(key: str, value: object) -> str:
    """A figure with the unit that its name tells."""
    known = number(value)
    if known is None:
        return "–" if value is None else visible(value, 200)
    if key.endswith(("share", "rate")) and 0 <= known <= 1:
        return percent(known)
    if key.endswith("_ms"):
        return f"{known:.0f} ms"
    if key.endswith(("_s", "seconds")):
        return duration(known)
    return f"{known:,.0f}" if known == int(known) else f"{known:,.3g}"
