"""What a plan rests on, as a fingerprint: if it differs when the plan is to be applied, the plan is stale."""

from __future__ import annotations

from prodwise.model.action import ActionKind
from prodwise.model.evidence import digest
from prodwise.model.target import TargetSeen


def revision(kind: ActionKind, service: str, seen: TargetSeen) -> str:
    """A restart rests on the exact processes of its service; going back rests on the releases and switches of all services.

    Going back does not rest on process ids: while a bad release keeps crashing, they change faster than one can act.
    """
    if kind is ActionKind.RESTART:
        own = seen.service(service)
        facts = [[one.slot, one.release, one.pid] for one in own.slots] if own is not None else []
        return digest([kind.value, service, facts])[:16]
    releases = [
        [
            one.service,
            [one.switch.stable.value, one.switch.share] if one.switch is not None else None,
            [[slot.slot, slot.release, slot.state.value == "stopped"] for slot in one.slots],
        ]
        for one in sorted(seen.services, key=lambda one: one.service)
    ]
    return digest([kind.value, releases])[:16]
