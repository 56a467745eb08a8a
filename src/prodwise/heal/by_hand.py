"""What people did past the healer, taken into the ledger, with the records that must follow it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prodwise.heal.returning import went_back
from prodwise.model.release import ReleaseState
from prodwise.ports import Records

_STOP, _START, _ROLLBACK = "stop", "start", "rollback"


def stop_text(who: str, reason: str) -> str:
    return f"{who} stopped the automation" + (f": {reason}" if reason else "")


def start_text(who: str) -> str:
    return f"{who} let the automation act again"


def merge(records: Records, done: Mapping[str, Any]) -> None:
    """One line of the journal ({at, actor, action, …}; anything else in it is outside text)."""
    actor, action = str(done.get("actor") or "unknown"), str(done.get("action") or "?")
    if action == _STOP:
        records.ledger.append("stop", stop_text(actor, str(done.get("reason") or "")), actor=actor, data=done)
    elif action == _START:
        records.ledger.append("start", start_text(actor), actor=actor, data=done)
    else:
        words = " ".join(f"{name} {value}" for name, value in done.items() if name not in _SAID and value)
        records.ledger.append("break_glass", f"{actor} did by hand: {action} {words}".strip(), actor=actor, data=done)
    if action == _ROLLBACK:
        _follow(records, done, actor)


_SAID = ("at", "actor", "action")


def _follow(records: Records, done: Mapping[str, Any], actor: str) -> None:
    """Ends the rollout that was gone back from; without one the releases take the states that they have now."""
    current, at = records.rollouts.current(), float(done.get("at") or 0.0)
    reason = f"{actor} went back by hand"
    if current is not None and at > current.began_at:
        records.settings.put(f"cancel:{current.release}", {"who": actor, "reason": reason}, actor)
        return
    before, after = str(done.get("before") or ""), str(done.get("after") or "")
    if after in {release.id for release in records.releases.list(1000)}:
        story = f"by-hand-{before}-{after}-{at:.0f}"
        went_back(records, story, after, before if before != after else "", actor, reason, ReleaseState.FAILED)
