"""Releases that were refused before any user met them: noted with what they said, and what came of looking for a fix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from prodwise.heal.hands import AUTOMATION
from prodwise.heal.parts import Parts
from prodwise.heal.spoken import ENTRY as SUSPECT
from prodwise.loop.diagnose.dependencies import fact_in
from prodwise.loop.ship import ShipTurn
from prodwise.loop.watch.unmet import SAID_MAX, at_of, built, due, path_in
from prodwise.model.breakage import Moved
from prodwise.model.outside import WHOLE_APP
from prodwise.model.redaction import Redactor
from prodwise.model.service import SlotName
from prodwise.model.unmet import Unmet, UnmetAt
from prodwise.ports import Records

ENTRY: Final = "unmet"
HEAD_MAX: Final = 2_000


def note(parts: Parts, turn: ShipTurn) -> None:
    """Its entry in the ledger, which a search for a fix hangs on; none for a release that users met, or that a person took back."""
    at = at_of(turn.refused)
    if at is None or turn.by:
        return
    service, said = ("", built(turn.reason)) if at is UnmetAt.BUILD else _said(parts, turn)
    reason = _short(turn.reason)
    path = path_in(reason) if at is UnmetAt.CHECKS else ""
    found = Unmet(turn.release, at, service, reason, _clean(said), path)
    parts.records.ledger.append(
        ENTRY, found.title, actor=AUTOMATION, service=service, incident=turn.release, data=found.to_json()
    )


def _said(parts: Parts, turn: ShipTurn) -> tuple[str, str]:
    """(the service that is to blame, what it wrote): the one of the gate that failed, else the first that wrote of an error."""
    rollout = parts.records.rollouts.load(turn.release)
    failed = {
        gate["gate"].partition(":")[0] for gate in (rollout.gates if rollout else ()) if gate["verdict"] == "fail"
    }
    ramps = [one.id for one in parts.shipped if one.ramps and not one.upstream]
    named = [one for one in ramps if one in failed] or [one for one in ramps if f"{one} " in turn.reason] or ramps
    wrote = {one: _words(parts, one, turn.release) for one in named}
    first = next((one for one in named if "Traceback (most recent call last)" in wrote[one]), named[0] if named else "")
    return first, wrote.get(first, "")


def _words(parts: Parts, service: str, release: str) -> str:
    if parts.words is None:
        return ""
    said = (parts.words.said(service, slot.value, release) for slot in SlotName)
    return next((text for text in said if text), "")


def _short(text: str) -> str:
    """Its beginning, which names what failed, and its end; without what may be secret."""
    if len(text) <= SAID_MAX:
        return _clean(text)
    head = text[:HEAD_MAX]
    return "\n".join((_clean(head.rpartition("\n")[0] or head), _clean(text[HEAD_MAX:])))


def _clean(text: str) -> str:
    """The end of it, whole lines where there are any, without what may be secret; cut once more where that cut something in two."""
    kept = str(Redactor().clean(text[-2 * SAID_MAX :])[0])
    end = kept[-SAID_MAX:]
    return kept if len(kept) <= SAID_MAX else end.partition("\n")[2] or end


def found(records: Records, release: str) -> Unmet | None:
    """What was noted of it; None for a release that was not refused so."""
    for entry in records.ledger.entries(incident=release):
        if entry.kind == ENTRY:
            return Unmet.from_json(entry.data)
    return None


def refused_unmet(records: Records, begins: str = "") -> list[str]:
    """The releases of which a fix can be looked for, newest first, of the last 100, or of those whose ids begin so."""
    return [one.id for one in records.releases.list(100, begins) if found(records, one.id) is not None]


def asking(records: Records, tried: Sequence[str], at: float) -> str | None:
    """The release of which a fix is to be looked for now: nothing else is on its way, nothing is open about its service, and no
    person has asked to go back meanwhile."""
    release = due(records.releases.list(10), at)
    if release is None or release.id in tried or records.rollouts.current() is not None:
        return None
    if records.settings.get(f"cancel:{release.id}"):
        return None
    noted = found(records, release.id)
    if noted is None:
        return None
    named = (noted.service, WHOLE_APP)
    unwell = any(not noted.service or one.service in named for one in records.incidents.list(open_only=True))
    return None if unwell else release.id


def packages(records: Records, release: str) -> tuple[Moved, ...]:
    """That its own words blame, as they were noted when it was refused."""
    told = [one for one in records.ledger.entries(incident=release) if one.kind == SUSPECT and "name" in one.data]
    return tuple(moved for one in told if (moved := fact_in(one.data).moved) is not None)
