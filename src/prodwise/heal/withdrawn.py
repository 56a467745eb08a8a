"""What users met of a release that goes back on its way to them: one incident, closed when they are back."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final

from prodwise.clock import now
from prodwise.heal import migrated
from prodwise.heal.around import Around
from prodwise.heal.closing import attempt, close_incident
from prodwise.heal.harm import more
from prodwise.heal.intake import Intake
from prodwise.heal.parts import Parts
from prodwise.loop import reach
from prodwise.loop.choose import schema
from prodwise.loop.ship import ShipTurn
from prodwise.loop.watch.withdrawn import Withdrawal
from prodwise.model.evidence import Evidence
from prodwise.model.incident import Incident, IncidentState, Symptom
from prodwise.model.outcome import Outcome

STILL: Final = "It may still have users: `prodwise releases` shows how many, `prodwise rollback` goes back."


def opened(parts: Parts, intake: Intake, turn: ShipTurn) -> str:
    """The incident's id. Its decision is the rollout's: what it did, on which verdicts, and what would have been smaller."""
    records, at, since, gone = parts.records, now(), _onset(parts, intake, turn), _withdrawal(parts, intake, turn)
    symptom = Symptom("release", gone.service, gone.text(), since, at, release=gone.release)
    found = records.incidents.open(
        Incident(f"inc-{gone.release}", gone.service, (symptom,), at, IncidentState.APPLYING, title=gone.title())
    )
    fact = Evidence("judge", "proxy", since, at, gone.reason, gone.numbers)
    records.incidents.add_evidence(found.id, [fact])
    diagnosis = gone.diagnosis(fact.id)
    leading = diagnosis["hypotheses"][0]
    records.ledger.append(
        "diagnosed", leading["text"], actor="prodwise", service=gone.service, incident=found.id,
        data={"cause": leading["cause"], "subject": gone.release, "evidence": [fact.id]},
    )  # fmt: skip
    records.incidents.save(found.id, diagnosis=diagnosis, decision=gone.decision(fact.id))
    _note_harm(parts, intake, found.id, gone.release)
    return found.id


def closed(parts: Parts, intake: Intake, turn: ShipTurn, stuck: bool) -> None:
    """Users are back on the stable release, as seen on the target; stuck: they are not, and a person was called."""
    for found in parts.records.incidents.list(open_only=True):
        if found.id == f"inc-{turn.release}":
            attempt(parts, "counting who was hit", found.id, _note_harm, parts, intake, found.id, turn.release)
            attempt(parts, "measuring how far it reached", found.id, _note_reach, parts, intake, found.id, turn.release)
            why = f"{'could not go' if stuck else 'went'} back from {turn.release}: {turn.reason}"
            close_incident(parts.records, found.id, Outcome.ESCALATED if stuck else Outcome.HEALED, why)


def _withdrawal(parts: Parts, intake: Intake, turn: ShipTurn) -> Withdrawal:
    ramps = tuple(s.id for s in parts.shipped if s.ramps and not s.upstream)
    rollout = parts.records.rollouts.load(turn.release)
    return Withdrawal(
        release=turn.release,
        previous=rollout.previous if rollout else "",
        service=ramps[0] if ramps else parts.shipped[0].id,
        services=ramps,
        share=rollout.share if rollout else 1.0,
        reason=turn.reason,
        by=turn.by,
        gates=tuple(rollout.gates) if rollout else (),
        numbers=intake.numbers_of(turn.release),
    )


def _onset(parts: Parts, intake: Intake, turn: ShipTurn) -> float:
    """When its first request failed; without one, when it was found to be worse."""
    windows = [intake.vitals.window(s.id) for s in parts.shipped if s.ramps]
    return min((at for w in windows if (at := w.harm.began(turn.release)) is not None), default=turn.since)


def _note_harm(parts: Parts, intake: Intake, incident: str, release: str) -> None:
    """What users met of a release: failed requests, and people, in the service where most did."""
    rollout, row = parts.records.rollouts.load(release), parts.records.incidents.row(incident)
    since = rollout.began_at if rollout is not None else 0.0
    harms = [intake.vitals.window(s.id).harm for s in parts.shipped if s.ramps]
    people = [known for harm in harms if (known := harm.people(since, release)) is not None]
    failed = max(row["requests_failed"], sum(harm.requests(release) for harm in harms))
    hit = more(row["users_hit"], max(people, default=None))
    parts.records.incidents.save(incident, requests_failed=failed, users_hit=hit)


def _note_reach(parts: Parts, intake: Intake, incident: str, release: str) -> None:
    """Measured once users are back: reading traces must not keep them waiting."""
    records = parts.records
    decision = records.incidents.row(incident)["decision"]
    action, rollout = decision["plan"]["action"], records.rollouts.load(release)
    previous = rollout.previous if rollout is not None else ""
    around, data = Around(parts, intake.vitals).look(), schema.asks(migrated.between(parts, previous, release))
    fault, *steps = reach.on_trial(around, action["targets"], action["footprint"]["traffic_share"], data)
    told = {"fault": asdict(fault), "steps": [asdict(one) for one in steps], "front": around.front}
    records.incidents.add_evidence(incident, [reach.evidence(around)])
    records.incidents.save(incident, decision={**decision, "reach": told})
