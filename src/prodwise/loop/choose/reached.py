"""How far each step would reach in a situation, and how far the fault does."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

from prodwise.loop import reach
from prodwise.loop.choose import schema
from prodwise.loop.choose.situation import Situation
from prodwise.model.action import ActionKind
from prodwise.model.reach import Reach

CANDIDATES: Final = (
    ActionKind.RESTART,
    ActionKind.FLAG_OFF,
    ActionKind.ROLLBACK,
    ActionKind.PIN,
    ActionKind.REVERT,
    ActionKind.PATCH,
    ActionKind.HANDOVER,
)


def step(situation: Situation, kind: ActionKind) -> Reach:
    """A restart reaches its service, going back what runs another release than the goal, the rest all that we ship."""
    around = situation.around or reach.unmeasured(situation.inventory, situation.now)
    back = situation.way_back
    if kind is ActionKind.RESTART:
        return reach.step(around, kind, (situation.service,) if situation.service else ())
    if kind is ActionKind.FLAG_OFF:
        return reach.step(around, kind, (), lasting=("which services read the flag is not known: taken for all",))
    if kind is not ActionKind.ROLLBACK:
        return reach.step(around, kind, ())
    if back is None:
        return reach.step(around, kind, (), data="not known, as no earlier release is there")
    lasting = (f"goes with it: {back.takes_back}",) if back.takes_back else ()
    return reach.step(around, kind, _elsewhere(situation, back.release), data=schema.asks(back.schema), lasting=lasting)


def told(situation: Situation) -> dict[str, Any]:
    """The fault's reach and each candidate's, smallest first, as JSON."""
    around = situation.around or reach.unmeasured(situation.inventory, situation.now)
    steps = sorted((step(situation, kind) for kind in CANDIDATES), key=lambda one: one.footprint)
    of_fault = reach.fault(around, situation.service, situation.symptoms)
    return {"fault": asdict(of_fault), "steps": [asdict(one) for one in steps], "front": around.front}


def _elsewhere(situation: Situation, goal: str) -> tuple[str, ...]:
    """Services of ours that are not on the goal yet, by what users reach; all of them where that is not seen."""
    outside = {one.id for one in situation.inventory if one.upstream}
    seen = [one.service for one in situation.seen.services if one.service not in outside]
    return tuple(name for name in seen if situation.running_release(name) != goal)
