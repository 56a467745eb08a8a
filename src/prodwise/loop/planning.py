"""Plans as JSON and back, unchanged to the last bit: the hash that an approval is bound to must survive storage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from prodwise.model.action import Action, ActionKind, Footprint
from prodwise.model.plan import Plan, Skipped


def plan_to_json(plan: Plan) -> dict[str, Any]:
    return asdict(plan)


def plan_from_json(data: Mapping[str, Any]) -> Plan:
    """Raises KeyError or TypeError when it is no plan."""
    action = data["action"]
    return Plan(
        action=Action(
            kind=ActionKind(action["kind"]),
            service=action["service"],
            targets=tuple(action["targets"]),
            params=tuple((name, value) for name, value in action["params"]),
            footprint=Footprint(**action["footprint"]),
            undo=action["undo"],
        ),
        gates=tuple(data["gates"]),
        revision=data["revision"],
        evidence=tuple(data["evidence"]),
        skipped=tuple(Skipped(**one) for one in data["skipped"]),
        policy=data["policy"],
        why=data["why"],
        watch_s=data["watch_s"],
        cost=data["cost"],
    )
