"""What users met of a release that goes back on its way: one incident, closed when they are back."""

from __future__ import annotations

from prodwise.clock import now
from prodwise.heal.closing import attempt, close_incident
from prodwise.heal.harm import more
from prodwise.heal.intake import Intake
from prodwise.heal.parts import Parts
from prodwise.loop.ship import ShipTurn
from prodwise.loop.watch.headline import headline
from prodwise.model.evidence import Evidence
from prodwise.model.incident import Incident, IncidentState, Symptom
from prodwise.model.outcome import Outcome


class Exposed:
    def __init__(self, parts: Parts, intake: Intake) -> None:
        self._parts, self._intake = parts, intake

    def opened(self, turn: ShipTurn, previous: str) -> str:
        """What users met of a release that is going back: one incident, closed when they are back. Returns its id."""
        records, at = self._parts.records, now()
        service = next((s.id for s in self._parts.shipped if s.ramps and not s.upstream), self._parts.shipped[0].id)
        numbers, since = self._intake.numbers_of(turn.release), self._onset(turn)
        text = f"release {turn.release} is worse than {previous or 'before'}: {turn.reason}"
        symptom = Symptom("release", service, text, since, at, release=turn.release)
        found = Incident(
            f"inc-{turn.release}",
            service,
            (symptom,),
            at,
            IncidentState.APPLYING,
            title=headline(turn.release, numbers),
        )
        opened = records.incidents.open(found)
        fact = Evidence("judge", "proxy", since, at, turn.reason, numbers)
        records.incidents.add_evidence(opened.id, [fact])
        records.ledger.append(
            "diagnosed", f"began with release {turn.release}", actor="prodwise", service=service, incident=opened.id,
            data={"cause": "release", "subject": turn.release, "evidence": [fact.id]},
        )  # fmt: skip
        records.incidents.save(
            opened.id,
            diagnosis={"hypotheses": [{"cause": "release", "text": f"began with release {turn.release}", "weight": 4.6,
                                       "supports": [fact.id], "contradicts": [], "subject": turn.release}],
                       "unknown": ["which line of the release does it"]},
            decision={"plan": None, "plan_hash": "", "refusal": None, "gates": [], "authority": "act",
                      "skipped": [{"action": "restart", "reason": "a release-onset hypothesis leads: a restart would hide it"}],
                      "why": "the old release still runs: going back is the smallest step, and takes one write"},
        )  # fmt: skip
        self._note_harm(opened.id, turn.release)
        return opened.id

    def _onset(self, turn: ShipTurn) -> float:
        """When its first request failed; without one, when it was found to be worse."""
        windows = [self._intake.vitals.window(s.id) for s in self._parts.shipped if s.ramps]
        return min((at for w in windows if (at := w.harm.began(turn.release)) is not None), default=turn.since)

    def _note_harm(self, incident: str, release: str) -> None:
        """What users met of a release: failed requests, and people, in the service where most did."""
        rollout, row = self._parts.records.rollouts.load(release), self._parts.records.incidents.row(incident)
        since = rollout.began_at if rollout is not None else 0.0
        harms = [self._intake.vitals.window(s.id).harm for s in self._parts.shipped if s.ramps]
        people = [known for harm in harms if (known := harm.people(since, release)) is not None]
        failed = max(row["requests_failed"], sum(harm.requests(release) for harm in harms))
        hit = more(row["users_hit"], max(people, default=None))
        self._parts.records.incidents.save(incident, requests_failed=failed, users_hit=hit)

    def closed(self, turn: ShipTurn) -> None:
        """Users are back on the stable release, as seen on the target."""
        for found in self._parts.records.incidents.list(open_only=True):
            if found.id == f"inc-{turn.release}":
                attempt(self._parts, "counting who was hit", found.id, self._note_harm, found.id, turn.release)
                close_incident(
                    self._parts.records, found.id, Outcome.HEALED, f"went back from {turn.release}: {turn.reason}"
                )
