"""What one incident's story sees of its service: the case, the situation, and whether it gets better."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import ceil
from typing import Any

from prodwise.clock import now
from prodwise.heal import charge, memory
from prodwise.heal.around import Around
from prodwise.heal.casebook import gather
from prodwise.heal.hands import AUTOMATION
from prodwise.heal.harm import more
from prodwise.heal.intake import Intake
from prodwise.heal.parts import Parts
from prodwise.heal.rows import stored_diagnosis, symptoms
from prodwise.heal.spoken import spoken_of
from prodwise.loop.choose.situation import Situation
from prodwise.loop.choose.trust import hearsay
from prodwise.loop.diagnose.case import Case, onset
from prodwise.loop.story import NOT_LOOKED, IncidentTurn, Remedied
from prodwise.loop.verify.after import Look, better
from prodwise.loop.verify.proof import proof_of
from prodwise.model.action import ActionKind
from prodwise.model.change import Change, ChangeKind
from prodwise.model.evidence import Evidence
from prodwise.model.gate import GateResult
from prodwise.model.outside import WHOLE_APP
from prodwise.model.record import RolloutState

SETTLE_S = 12.0
"""A restarted or returned service may take this long before what still fails counts against the remedy."""

REQUESTS_S = 10.0
PROOF_S = 300.0


class Bedside:
    """Facts for the story's pure turns."""

    def __init__(self, parts: Parts, intake: Intake) -> None:
        self._parts, self._intake = parts, intake
        self._around = Around(parts, intake.vitals)
        self._before: dict[str, Look] = {}

    def case(self, row: Mapping[str, Any]) -> Case:
        exits = tuple(self._intake.lookout.exits)
        return gather(
            row["service"],
            symptoms(row),
            parts=self._parts,
            seen=self._intake.target(),
            vitals=self._intake.vitals,
            pulse=self._intake.pulse,
            exits=exits,
            uses=self._intake.uses,
            groups=self._intake.reports.facts(row["service"], symptoms(row)),
            packages=spoken_of(self._parts, row, exits),
            credentials=self._intake.certificates.facts(row["service"], row["opened_at"]),
            around=self._around.look(),
            now=now(),
        )

    def situation(self, row: Mapping[str, Any]) -> Situation:
        service, at, seen = row["service"], now(), self._parts.target.observe()
        current = self._parts.records.rollouts.current()
        situation = Situation(
            incident=row["id"],
            service=service,
            diagnosis=stored_diagnosis(row["diagnosis"]),
            symptoms=symptoms(row),
            seen=seen,
            inventory=self._parts.inventory,
            past=memory.past(self._parts, at),
            now=at,
            health=tuple(self._intake.vitals.health().items()),
            rollout=current.release if current else "",
            frozen=memory.frozen(self._parts, at),
            doubted=charge.doubt(self._parts.records, row),
            flaps=self._intake.lookout.flaps(service, at),
            fresh=self._intake.fresh(),
            serving=self._intake.lookout.answers(service, at),
            respawned_at=self._respawned(service, row["opened_at"]),
            watch_s=self._parts.config.heal.watch_seconds,
            around=self._around.look(),
        )
        running = situation.running_release(service)
        back, kept_by = memory.way_back(self._parts, running), memory.kept_by(self._parts, running)
        return replace(situation, way_back=back, kept_by=kept_by)

    def _respawned(self, service: str, opened_at: float) -> float | None:
        """When the supervisor last replaced the service's dead process by itself, for this incident."""
        onset = opened_at - 5.0
        done = [
            e
            for e in self._parts.records.ledger.recent(50, kinds=("effect",))
            if e.actor == "supervisor" and e.service == service
        ]
        return next((entry.at for entry in done if entry.at >= onset), None)

    def gone(self, service: str) -> bool | None:
        """True only when something says so: every monitor of the service is content, and nobody outside says otherwise.

        None while that is not known."""
        if self._intake.outsiders_say(service):
            return False
        if service == WHOLE_APP:
            return True
        found = next((s for s in self._parts.inventory if s.id == service), None)
        return self._intake.lookout.well(found, now()) if found is not None else None

    def remedied(self, row: Mapping[str, Any]) -> Remedied | None:
        """A person (or a rollout's end) put another release in place since the incident was opened."""
        said = hearsay(symptoms(row))
        for change in self._parts.records.changes.own(row["opened_at"]):
            if change.kind not in (ChangeKind.MANUAL, ChangeKind.RELEASE) or change.id.startswith(row["id"]):
                continue
            if not (said and self._was_on_its_way(change, row["opened_at"])):
                return Remedied(ActionKind.ROLLBACK, change.who, change.text)
        return self._taken_back(row["opened_at"]) if said else None

    def _was_on_its_way(self, change: Change, opened_at: float) -> bool:
        """A release that had users already when others said that something is wrong: that it passed its watch remedies nothing."""
        rollout = self._parts.records.rollouts.load(change.after) if change.kind is ChangeKind.RELEASE else None
        return rollout is not None and rollout.began_at < opened_at

    def _taken_back(self, opened_at: float) -> Remedied | None:
        """What only others said was of a release on trial that our own eyes have judged meanwhile, after it had met users."""
        for rollout in self._parts.records.rollouts.list(limit=5):
            ended = rollout.state is RolloutState.FAILED and (rollout.ended_at or 0.0) >= opened_at
            if ended and any(
                one["arms"]["canary"]["n"] for one in rollout.numbers.values() if isinstance(one, Mapping)
            ):
                return Remedied(ActionKind.ROLLBACK, AUTOMATION, f"release {rollout.release} was taken back")
        return None

    def better(self, row: Mapping[str, Any], turn: IncidentTurn) -> GateResult:
        """Whether the service is well since the story's last remedy."""
        service = row["service"]
        if service == WHOLE_APP:
            return NOT_LOOKED
        if not turn.remedies:
            self._before[turn.incident] = self.look(service, row["opened_at"])
            return NOT_LOOKED
        acted_at = now() - (turn.clock - turn.remedies[-1].at)
        before = self._before.get(turn.incident) or self.look(service, row["opened_at"])
        kinds = frozenset(symptom.kind for symptom in symptoms(row))
        return better(before, self.look(service, acted_at), now(), acted_at=acted_at, settle_s=SETTLE_S, symptoms=kinds)

    def look(self, service: str, since: float) -> Look:
        """The service now; requests of the last seconds, but only those after `since`."""
        at, seen = now(), self._intake.target()
        found = seen.service(service)
        slot = found.active if found else None
        process = found.slot(slot) if found and slot else None
        noun = next((s for s in self._parts.inventory if s.id == service), None)
        window, usual = self._intake.vitals.window(service), self._intake.lookout.baseline(service).whole
        requests, failed = window.total(min(REQUESTS_S, max(0.0, at - since)), at)
        probe = self._intake.probe_health(service, slot, process.release) if slot and process else None
        if self._intake.lookout.silent(service, at):
            probe = False
        return Look(
            at=seen.at,
            probed=noun is not None and noun.probe is not None,
            probe=probe,
            running=process.pid > 0 if process is not None else None,
            exits=sum(1 for e in self._intake.lookout.exits if e.service == service and e.at > since + 1.0),
            requests=requests,
            failed=failed,
            usual_failed=usual.errors / usual.n if usual.n else None,
            p95_ms=window.latency(0.95, min(REQUESTS_S, max(0.0, at - since)), at),
            usual_p95_ms=usual.p95 or None,
        )

    def proof(self, row: Mapping[str, Any], turn: IncidentTurn) -> tuple[Evidence, ...]:
        """Requests before the onset, until it was well after the last remedy, and since: what is told of it rests on this."""
        if not turn.remedies or row["service"] == WHOLE_APP:
            return ()
        at, began = now(), onset(symptoms(row), row["opened_at"])
        well = turn.good_since if turn.good_since is not None else turn.remedies[-1].at
        acted = ceil(at - (turn.clock - well))
        window = self._intake.vitals.window(row["service"])
        stretches = {"before": (began - PROOF_S, began), "during": (began, acted), "after": (acted, at)}
        return (proof_of(row["service"], {name: window.between(*one) for name, one in stretches.items()}, acted, at),)

    def harm(self, row: Mapping[str, Any]) -> dict[str, int | None]:
        """Requests of the service that failed since the incident's onset, and people hit: never less than was known before."""
        since = min((s.onset_at for s in symptoms(row)), default=row["opened_at"]) - 1.0
        window = self._intake.vitals.window(row["service"])
        failed = window.total(now() - since, now())[1]
        return {
            "requests_failed": max(row["requests_failed"], failed),
            "users_hit": more(row["users_hit"], window.harm.people(since)),
        }
