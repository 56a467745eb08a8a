"""Changes that stand in other records: settings of Prodwise itself, restarts, releases on their way and those taken back on it.

Each is told once where it happens; read together with the change ledger they are all that altered production.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from prodwise.model.change import Change, ChangeKind
from prodwise.model.record import Effect, EffectState, Entry, Rollout, RolloutState

AUTOMATION: Final = "prodwise"
STAGE, STOP, FREEZE, CLOCK, RESTART = "stage", "stop", "freeze", "clock", "restart"
FILE, OWN_FILE = "file", "own-file"
"""prodwise.toml: whatever users may meet of it, and what Prodwise alone goes by."""
UNDER_WAY, WITHDRAWN = "under-way", "withdrawn"
"""How the ids of these begin, before a colon."""
OWN_KEYS: Final = frozenset({
    "version", "name", "dashboard", "stage", "keep_releases", "notify_command", "heartbeats", "hooks", "ramp", "heal", "signals",
})  # fmt: skip
ENTRIES: Final = ("setting", "stop", "start", "settings_file", "clock")
"""Kinds of ledger entries that are read."""
OBSERVE: Final = "observe"


def sort_of(change: Change) -> str:
    """STAGE, STOP, … or "" for one that the change ledger holds itself."""
    found, colon, _ = change.id.partition(":")
    return found if colon else ""


def release_of(change: Change) -> str:
    """The release that it is about, with what that brought; "" for none of ours."""
    if sort_of(change) == WITHDRAWN:
        return change.before
    return change.after if change.kind is ChangeKind.RELEASE and not change.outside else ""


def from_entries(entries: Sequence[Entry], *, whole: bool) -> Iterator[Change]:
    """entries: newest first, of the kinds ENTRIES; whole: there are no older ones."""
    stage, stopped, frozen = OBSERVE if whole else "", "", ""
    for entry in reversed(entries):
        name, value = str(entry.data.get("name", "")), entry.data.get("value")
        if entry.kind == "setting" and name == "autonomy":
            if stage != value:
                yield _setting(STAGE, entry, stage, str(value))
            stage = str(value)
        elif entry.kind == "setting" and name == "freeze":
            after = "frozen" if value else ""
            if frozen != after:
                yield _setting(FREEZE, entry, frozen, after)
            frozen = after
        elif entry.kind in ("stop", "start"):
            after = "stopped" if entry.kind == "stop" else ""
            if stopped != after:
                yield _setting(STOP, entry, stopped, after)
            stopped = after
        elif entry.kind == "settings_file":
            yield _setting(OWN_FILE if _own(entry) else FILE, entry, "", "")
        elif entry.kind == "clock":
            yield Change(f"{CLOCK}:{entry.seq}", entry.at, ChangeKind.PLATFORM, "", "", "", "the clock", "", entry.text)


def _own(entry: Entry) -> bool:
    """Whether every key that was set otherwise is Prodwise's own; not known is no."""
    settings = entry.data.get("settings")
    keys = (
        [str(one.get("key", "")) for one in settings if isinstance(one, Mapping)] if isinstance(settings, list) else []
    )
    return bool(keys) and all(key.partition(".")[0] in OWN_KEYS for key in keys)


def _setting(sort: str, entry: Entry, before: str, after: str) -> Change:
    who = entry.actor
    return Change(f"{sort}:{entry.seq}", entry.at, ChangeKind.CONFIG, "", before, after, who, "", entry.text)


def from_effects(effects: Sequence[Effect]) -> Iterator[Change]:
    """Restarts that took effect; what moves users is in the change ledger."""
    for effect in effects:
        if effect.kind == RESTART and effect.state is EffectState.DONE:
            at = effect.settled_at or effect.intended_at
            kind = ChangeKind.HEAL if effect.actor == AUTOMATION else ChangeKind.MANUAL
            text = f"{effect.service} was started again"
            yield Change(f"{RESTART}:{effect.key}", at, kind, effect.service, "", "", effect.actor, "", text)


def from_rollouts(rollouts: Sequence[Rollout], entries: Sequence[Entry]) -> Iterator[Change]:
    """A release that has a share of the users now, and one that had and was taken back. entries: as for `from_entries`."""
    asked = {str(one.data.get("name", "")): one.actor for one in entries if one.data.get("value")}
    for rollout in rollouts:
        release, before = rollout.release, rollout.previous
        if rollout.state is RolloutState.FAILED and rollout.ended_at and any(met(rollout).values()):
            who = asked.get(f"cancel:{release}", AUTOMATION)
            kind = ChangeKind.HEAL if who == AUTOMATION else ChangeKind.MANUAL
            text = f"release {release} was taken back on its way to users"
            yield Change(f"{WITHDRAWN}:{release}", rollout.ended_at, kind, "", release, before, who, "", text)
        elif not rollout.state.settled and rollout.share > 0:
            text = f"release {release} is on its way: {rollout.stage or 'some'} of users"
            at, kind, who = rollout.began_at, ChangeKind.RELEASE, rollout.asked_by
            yield Change(f"{UNDER_WAY}:{release}", at, kind, "", before, release, who, "", text)


def met(rollout: Rollout) -> dict[str, int]:
    """Service → requests that its new release answered, as its judges counted them."""
    return {name: number(arms(rollout, name), "canary", "n") for name in rollout.numbers}


def arms(rollout: Rollout, service: str) -> Mapping[str, Any]:
    one = rollout.numbers.get(service)
    found = one.get("arms") if isinstance(one, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def number(sides: Mapping[str, Any], side: str, name: str) -> int:
    found = sides.get(side)
    value = found.get(name, 0) if isinstance(found, Mapping) else 0
    return int(value) if isinstance(value, int | float) else 0
