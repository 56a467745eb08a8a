"""A person's word on one incident: I have it, take it back, your diagnosis is wrong. The incident's story obeys it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prodwise.clock import now
from prodwise.model.diagnosis import alike
from prodwise.model.errors import Refused, UsageError
from prodwise.model.record import Approval
from prodwise.ports import Records

NOTES_MAX, NOTE_CHARS = 20, 500


def taken_over(records: Records, incident: str) -> str:
    """The person who has the incident, or ""."""
    return str((records.settings.get(f"takeover:{incident}") or {}).get("who", ""))


def take_over(records: Records, incident: str, who: str) -> None:
    """From its next turn on the story does nothing more, until it is handed back. Raises Refused, with the reason."""
    why_not = not_to_take(records.incidents.row(incident))
    if why_not:
        raise Refused(*why_not)
    if not taken_over(records, incident):
        records.settings.put(f"takeover:{incident}", {"who": who, "at": now()}, who)


def hand_back(records: Records, incident: str, who: str) -> None:
    """The story goes on, and looks afresh. Raises Refused when nobody has it."""
    if not taken_over(records, incident):
        raise Refused(f"nobody has taken {incident} over", "there is nothing to hand back")
    records.settings.put(f"takeover:{incident}", None, who)


def not_to_take(row: Mapping[str, Any]) -> tuple[str, str] | None:
    """Why an incident cannot be taken over and what to do instead; None if it can be."""
    if row["closed_at"] is not None:
        return f"{row['id']} is closed: nothing more is done about it", "`prodwise show` tells how it ended"
    if any(symptom["kind"] == "release" for symptom in row["symptoms"]):
        hint = "`prodwise stop` holds it where it is"
        return f"{row['id']} is a release on its way back: that ends by itself in a moment", hint
    return None


def call_wrong(records: Records, incident: str, note: str, who: str) -> None:
    """Keeps the note with the diagnosis that it is about, and takes an open incident over for this person.

    Raises UsageError without a note.
    """
    said, row = note.strip()[:NOTE_CHARS], records.incidents.row(incident)
    if not said:
        raise UsageError("say in a few words what is wrong with the diagnosis", "the note is kept with the incident")
    leading = _leading(row)
    about = {name: str(leading.get(name) or "") for name in ("cause", "subject", "text")}
    with records.unit():
        kept = [*notes(records, incident), {"who": who, "at": now(), "note": said, **about}]
        records.settings.put(f"wrong:{incident}", kept[-NOTES_MAX:], who)
        if not_to_take(row) is None:
            take_over(records, incident, who)


def answer(records: Records, approval_id: str, plan_hash: str, who: str, *, yes: bool) -> Approval:
    """A yes must still mean something. Raises Refused when the question is closed or the plan changed, or nothing waits for it."""
    asked = records.approvals.load(approval_id)
    if yes and (person := taken_over(records, asked.incident)):
        raise Refused(f"{person} has taken {asked.incident} over", "hand it back first; the question is then put again")
    if yes and records.incidents.row(asked.incident)["closed_at"] is not None:
        raise Refused(f"{asked.incident} is closed: nothing is left to be done about it")
    if yes and any(
        one.incident == asked.incident and one.asked_at > asked.asked_at for one in records.approvals.open()
    ):
        raise Refused("the plan changed since you were asked", "look at the new question first")
    return records.approvals.decide(approval_id, plan_hash, yes=yes, who=who)


def notes(records: Records, incident: str) -> list[Mapping[str, Any]]:
    """What people said about wrong diagnoses, oldest first: who, at, note, and the cause, subject and text it is about."""
    return list(records.settings.get(f"wrong:{incident}") or ())


def doubt(records: Records, row: Mapping[str, Any]) -> str:
    """Who called the leading hypothesis wrong, and why; "" if nobody did."""
    leading = _leading(row)
    cause, subject = leading.get("cause") or "", leading.get("subject") or ""
    said = [one for one in notes(records, row["id"]) if one["subject"] == subject and alike(one["cause"], cause)]
    return f"{said[-1]['who']}: {said[-1]['note']}" if said else ""


def _leading(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The leading hypothesis as it is stored; empty without a diagnosis."""
    hypotheses = (row["diagnosis"] or {}).get("hypotheses") or [{}]
    found: Mapping[str, Any] = hypotheses[0]
    return found
