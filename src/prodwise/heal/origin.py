"""Gathers what tells in which service it began: the proxy's figures of each, traces where the proxy sees none, and who calls whom."""

from __future__ import annotations

import traceback
from collections.abc import Sequence

from prodwise.heal.parts import Parts
from prodwise.heal.vitals import LiveVitals
from prodwise.loop.diagnose.origins import OriginFacts, from_traces, origin_of
from prodwise.model.reach import Surroundings
from prodwise.model.telemetry import Calls

LOOK_BACK_S = 600.0


def origins(
    service: str, parts: Parts, vitals: LiveVitals, around: Surroundings, onset: float, now: float
) -> tuple[OriginFacts, ...]:
    """Nothing where the service calls no other one."""
    links = [(one.caller, one.callee) for one in around.links]
    if all(caller != service for caller, _ in links):
        return ()
    steps = {one: vitals.window(one).steps(now - LOOK_BACK_S, now) for one in around.services}
    silent = [one for one in around.services if not any(step.requests for step in steps[one])]
    calls = _calls(parts, now) if silent else ()
    traced = {one: told for one in silent if (told := from_traces(calls, one))}
    found = origin_of(service, links, {**steps, **traced}, frozenset(traced), onset, now)
    return (found,) if found is not None else ()


def _calls(parts: Parts, now: float) -> Sequence[Calls]:
    if parts.telemetry is None:
        return ()
    try:
        return parts.telemetry.calls(now - LOOK_BACK_S, now)
    except Exception:  # noqa: BLE001 — a diagnosis waits for no trace
        traceback.print_exc()
        return ()
