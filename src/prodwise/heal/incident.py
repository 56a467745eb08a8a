"""An incident's story, durable: look, take the pure turn, carry out one command, look again."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from prodwise.clock import monotonic, now
from prodwise.heal import charge, memory, migrated
from prodwise.heal.bedside import Bedside
from prodwise.heal.closing import attempt, close_incident, tell
from prodwise.heal.durable import Durable
from prodwise.heal.hands import AUTOMATION
from prodwise.heal.intake import Intake
from prodwise.heal.parts import Parts
from prodwise.heal.returning import Returning
from prodwise.heal.rows import symptoms
from prodwise.loop import moves, reach
from prodwise.loop.choose import reached
from prodwise.loop.choose.authority import ASK, Authority, authority
from prodwise.loop.choose.choose import AlreadyDone, Choice, choose
from prodwise.loop.diagnose.diagnose import diagnose
from prodwise.loop.diagnose.evidence import evidence_of
from prodwise.loop.incident import begin, step
from prodwise.loop.planning import plan_from_json, plan_to_json
from prodwise.loop.story import (
    Applied,
    Apply,
    Ask,
    Check,
    Close,
    Command,
    Decide,
    Diagnose,
    Escalate,
    IncidentTurn,
    Observations,
    Undo,
    Wait,
    Watch,
)
from prodwise.loop.verify.before import Before, gates_before
from prodwise.model.action import ActionKind
from prodwise.model.errors import ProdwiseError
from prodwise.model.gate import GateResult, Verdict
from prodwise.model.incident import IncidentState
from prodwise.model.outcome import Outcome
from prodwise.model.plan import Plan, Refusal
from prodwise.model.record import ApprovalState

LOOK_S = 0.1
TURN_S = 20.0
SAID_MAX = 5  # sentences of others in one message
TURNS_MAX = 100_000


class IncidentStory:
    """One incident from seen to closed. `answers` are what commands brought, for the turn's round."""

    def __init__(self, parts: Parts, durable: Durable, returning: Returning, intake: Intake) -> None:
        self._parts, self._durable, self._returning, self._intake = parts, durable, returning, intake
        self._bedside = Bedside(parts, intake)
        self.ending = threading.Lock()  # whoever opens an incident must not look while one ends

    def run(self, incident: str) -> str:
        """The whole story. Returns its outcome."""
        watch_s = self._parts.config.heal.watch_seconds
        turn = IncidentTurn.from_json(self._durable.step("begin", lambda: begin(incident, now(), watch_s).to_json()))
        answers: dict[str, Any] = {"round": turn.round}
        for number in range(TURNS_MAX):
            before = turn
            data = self._durable.step(f"turn {number}", self._turn, before, answers)
            turn = IncidentTurn.from_json(data["turn"])
            if turn.round != answers["round"]:
                answers = {"round": turn.round}
            command = _command(turn, data)
            if isinstance(command, Escalate | Close):
                with self.ending:
                    self._durable.transact(f"end {number}", self._end, turn)
                if isinstance(command, Escalate):
                    self._durable.step(f"call {number}", self._call, incident, command)
                return turn.outcome.value if turn.outcome else ""
            answers = {**answers, **self._carry_out(incident, number, turn, command, answers)}
        raise ProdwiseError(f"incident {incident} did not end in {TURNS_MAX} turns")

    def _turn(self, turn: IncidentTurn, answers: Mapping[str, Any]) -> dict[str, Any]:
        """Looks until there is something to do. Only observes, and keeps the incident's row fresh for the pages."""
        ends, written = monotonic() + TURN_S, 0.0
        while True:
            seen = self._observe(turn, answers)
            after, command = step(turn, seen, now())
            first_good = after.good_since is not None and turn.good_since is None
            if after.phase is not turn.phase or first_good or monotonic() - written > 1.0:
                self._show(turn, after, command)
                written = monotonic()
            turn = after
            if not isinstance(command, Wait | Watch) or monotonic() > ends or turn.round != answers["round"]:
                return {"turn": turn.to_json(), "command": type(command).__name__, **_reason(command)}
            time.sleep(LOOK_S)

    def _observe(self, turn: IncidentTurn, answers: Mapping[str, Any]) -> Observations:
        records, row = self._parts.records, self._parts.records.incidents.row(turn.incident)
        settings = records.settings
        asked = answers.get("approval")
        return Observations(
            round=answers["round"],
            diagnosed=bool(answers.get("diagnosed")),
            decision=_choice(answers.get("decision")),
            authority=Authority(answers.get("authority", Authority.OBSERVE.value)),
            asked=bool(asked),
            approved=self._approved(asked) if asked else None,
            unanswered=self._unanswered(asked) if asked else False,
            gates=tuple(GateResult(g["gate"], Verdict(g["verdict"]), g["reason"]) for g in answers.get("gates", ())),
            applied=Applied(answers.get("applied", Applied.NOT_YET.value)),
            failure=str(answers.get("failure", "")),
            undone=bool(answers.get("undone")),
            undo_failure=str(answers.get("undo_failure", "")),
            health=self._bedside.better(row, turn),
            symptom_gone=self._bedside.gone(row["service"]),
            remedied=self._bedside.remedied(row),
            taken_over=charge.taken_over(records, turn.incident),
            undone_by=undone_by(settings.get(f"undo:undo-{turn.incident}") or {}),
        )

    def _approved(self, approval_id: str) -> bool | None:
        state = self._parts.records.approvals.load(approval_id).state
        if state in (ApprovalState.APPROVED, ApprovalState.USED):
            return True
        return False if state is ApprovalState.DENIED else None

    def _unanswered(self, approval_id: str) -> bool:
        """Nobody said yes or no while the question stood."""
        asked = self._parts.records.approvals.load(approval_id)
        return asked.state is ApprovalState.OPEN and asked.expires_at <= now()

    def _carry_out(
        self, incident: str, number: int, turn: IncidentTurn, command: Command, answers: Mapping[str, Any]
    ) -> dict[str, Any]:
        """One command. Returns the answers that it brought."""
        match command:
            case Diagnose():
                return self._durable.transact(f"diagnose {number}", self._diagnose, incident)
            case Decide():
                return self._durable.transact(f"decide {number}", self._decide, incident)
            case Ask(plan=plan, reason=reason):
                return self._ask(incident, number, plan, reason)
            case Check(plan=plan):
                return self._durable.step(
                    f"check {number}", self._check, incident, plan, str(answers.get("approval", ""))
                )
            case Apply(plan=plan, round=round_):
                return self._apply(incident, round_, plan)
            case Undo(action=action, round=round_):
                goes = action.param("to"), action.param("from")
                failure = self._returning.put_back(incident, f"{round_} undo", *goes, AUTOMATION)
                return {"undone": not failure, "undo_failure": failure}
        return {}

    def _diagnose(self, incident: str) -> dict[str, Any]:
        records = self._parts.records
        case = self._bedside.case(records.incidents.row(incident))
        found, before = diagnose(case), records.incidents.row(incident)["diagnosis"]
        leading, known = found.leading, (before or {"hypotheses": [{}]})["hypotheses"][0]
        records.incidents.save(incident, diagnosis=asdict(found))
        if (known.get("cause"), known.get("subject")) == (leading.cause.value, leading.subject):
            return {"diagnosed": True}  # looked again, and nothing new: not worth a row each time
        records.incidents.add_evidence(incident, evidence_of(case))
        data = {
            "cause": leading.cause.value,
            "subject": leading.subject,
            "weight": leading.weight,
            "evidence": list(leading.supports),
        }
        records.ledger.append(
            "diagnosed", leading.text, actor="prodwise", service=case.service, incident=incident, data=data
        )
        return {"diagnosed": True}

    def _decide(self, incident: str) -> dict[str, Any]:
        records, row = self._parts.records, self._parts.records.incidents.row(incident)
        situation = self._bedside.situation(row)
        choice, back = choose(situation), situation.way_back
        allowed = authority(choice, memory.stage(self._parts)) if isinstance(choice, Plan) else Authority.OBSERVE
        records.incidents.save(incident, decision={**_decision(choice, allowed), "reach": reached.told(situation)})
        kind, text = (
            ("refused", "; ".join(choice.reasons))
            if isinstance(choice, Refusal)
            else ("decided", _said(choice, allowed))
        )
        if (
            isinstance(choice, Plan)
            and choice.action.kind is ActionKind.ROLLBACK
            and back is not None
            and back.schema != ()
        ):
            records.incidents.add_evidence(incident, [migrated.fact(back.schema, back.release, row["opened_at"])])
        previous = [e for e in records.ledger.entries(incident=incident) if e.kind in ("refused", "decided")]
        if situation.around is not None and (isinstance(choice, Plan) or not previous or previous[-1].text != text):
            records.incidents.add_evidence(incident, [reach.evidence(situation.around)])
        if not previous or previous[-1].text != text:
            data = {"authority": allowed.value, "plan_hash": choice.hash if isinstance(choice, Plan) else ""}
            records.ledger.append(kind, text, actor="prodwise", service=row["service"], incident=incident, data=data)
        return {"decision": _choice_json(choice), "authority": allowed.value}

    def _ask(self, incident: str, number: int, plan: Plan, reason: str) -> dict[str, Any]:
        wait_s = self._parts.config.heal.approval_seconds
        asked = self._durable.transact(
            f"ask {number}",
            lambda: self._parts.records.approvals.ask(incident, plan.hash, plan_to_json(plan), wait_s).id,
        )
        text = f"I want to {plan.action.words}: {plan.why}.\nAsking because: {reason}"
        self._durable.step(f"tell {number}", tell, self._parts, "A person's yes is needed", text, incident)
        return {"approval": asked}

    def _check(self, incident: str, plan: Plan, approval: str) -> dict[str, Any]:
        proven = bool(self._parts.records.settings.get("undo_proven"))
        row = self._parts.records.incidents.row(incident)
        approved, at = bool(approval) and self._used(approval), now()
        before = Before(self._parts.target.observe(), self._parts.inventory, memory.past(self._parts, at), proven,
                        memory.frozen(self._parts, at), approved, memory.stage(self._parts))  # fmt: skip
        gates = [
            {"gate": g.gate, "verdict": g.verdict.value, "reason": g.reason} for g in gates_before(plan, before, at)
        ]
        self._parts.records.incidents.save(incident, decision={**(row["decision"] or {}), "gates": gates})
        return {"gates": gates}

    def _used(self, approval: str) -> bool:
        """Uses the yes up; again after a crash it is still this story's."""
        approvals = self._parts.records.approvals
        return approvals.use(approval) or approvals.load(approval).state is ApprovalState.USED

    def _apply(self, incident: str, round_: int, plan: Plan) -> dict[str, Any]:
        """Effects are keyed by incident and round, so that a repetition after a crash changes nothing."""
        action, label = plan.action, f"{round_} apply"
        if action.kind is ActionKind.RESTART:
            todo = [moves.restart_exactly(action.service, action.param("slot"), int(action.param("pid")))]
            failure = self._returning.move(incident, label, lambda: todo, AUTOMATION)
        elif action.kind is ActionKind.ROLLBACK:
            failure = self._returning.go_back(incident, label, action.param("to"), AUTOMATION, plan.why)
        else:
            failure = f"{action.kind.value} is not an action of this target"
        return {"applied": (Applied.FAILED if failure else Applied.DONE).value, "failure": failure}

    def _show(self, before: IncidentTurn, after: IncidentTurn, command: Command) -> None:
        note = getattr(command, "why", "") or getattr(command, "reason", "")
        until = now() + command.left_s if isinstance(command, Watch) else None
        shown = {**after.to_json(), "state": after.phase.value, "note": note, "until": until}
        row = self._parts.records.incidents.row(after.incident)
        harm = attempt(self._parts, "counting who was hit", after.incident, self._bedside.harm, row) or {}
        phase = before.phase if after.phase is IncidentState.CLOSED else after.phase
        self._parts.records.incidents.save(after.incident, state=phase.value, turn=shown, **harm)
        if after.good_since is not None and after.remedies:
            self._recovered(after)

    def _recovered(self, turn: IncidentTurn) -> None:
        """Once per story: users are served again; the watch goes on."""
        ledger, row = self._parts.records.ledger, self._parts.records.incidents.row(turn.incident)
        if not any(entry.kind == "recovered" for entry in ledger.entries(incident=turn.incident)):
            text = f"{row['service']} is well again after {turn.remedies[-1].kind.value}; watching"
            ledger.append("recovered", text, actor="prodwise", service=row["service"], incident=turn.incident)

    def _end(self, turn: IncidentTurn) -> None:
        records = self._parts.records
        records.incidents.save(turn.incident, turn={**turn.to_json(), "state": turn.phase.value, "note": turn.reason})
        proof = attempt(
            self._parts, "proving it", turn.incident, self._bedside.proof, records.incidents.row(turn.incident), turn
        )
        records.incidents.add_evidence(turn.incident, proof or ())
        outcome = turn.outcome or Outcome.ESCALATED
        if outcome is Outcome.ESCALATED:
            row, text = records.incidents.row(turn.incident), turn.text or turn.reason
            records.ledger.append("escalated", text, actor="prodwise", service=row["service"], incident=turn.incident)
        close_incident(records, turn.incident, outcome, turn.reason)

    def _call(self, incident: str, command: Escalate) -> None:
        row = self._parts.records.incidents.row(incident)
        elsewhere = memory.told_elsewhere
        if told := attempt(self._parts, "looking whom was called", incident, elsewhere, self._parts, incident, now()):
            self._parts.records.ledger.append("told_already", told, actor="prodwise", incident=incident)
            return
        said = [one.text for one in symptoms(row) if not one.ours][:SAID_MAX]
        about = row["service"] or self._parts.config.name
        tell(self._parts, f"{about} needs a person: {command.reason}", "\n".join((*said, command.text)), incident)


def undone_by(asked: Mapping[str, Any]) -> str:
    """Who takes it back, "" for nobody: an undo that could not be begun is none."""
    return "" if asked.get("not_begun") else str(asked.get("who", ""))


def _reason(command: Command) -> dict[str, Any]:
    return {
        "reason": getattr(command, "reason", ""),
        "text": getattr(command, "text", ""),
        "why": getattr(command, "why", ""),
    }


def _command(turn: IncidentTurn, data: Mapping[str, Any]) -> Command:
    """The command that a recorded turn gave: everything it needs stands in the turn."""
    name = data["command"]
    if name in ("Ask", "Check", "Apply", "Undo"):
        if turn.plan is None:
            raise ValueError(f"{turn.incident}: {name} without a plan")
        if name == "Ask":
            return Ask(turn.plan, data["reason"])
        if name == "Check":
            return Check(turn.plan)
        return Apply(turn.plan, turn.round) if name == "Apply" else Undo(turn.plan.action, turn.round)
    if name == "Close":
        return Close(turn.outcome or Outcome.ABANDONED, data["why"])
    if name == "Escalate":
        return Escalate(data["reason"], data["text"])
    if name == "Diagnose":
        return Diagnose(turn.round)
    return Decide(turn.round) if name == "Decide" else Wait(0.0, data["why"])


def _choice_json(choice: Choice) -> dict[str, Any]:
    if isinstance(choice, Plan):
        return {"plan": plan_to_json(choice)}
    if isinstance(choice, AlreadyDone):
        return {"done": {**asdict(choice), "kind": choice.kind.value}}
    return {"refusal": asdict(choice)}


def _choice(data: Mapping[str, Any] | None) -> Choice | None:
    if data is None:
        return None
    if "plan" in data:
        return plan_from_json(data["plan"])
    if "done" in data:
        return AlreadyDone(**{**data["done"], "kind": ActionKind(data["done"]["kind"])})
    return Refusal(tuple(data["refusal"]["reasons"]), (), data["refusal"]["wait_s"])


def _decision(choice: Choice, allowed: Authority) -> dict[str, Any]:
    """The row's `decision`, as pages read it."""
    skipped = [] if isinstance(choice, AlreadyDone) else [asdict(one) for one in choice.skipped]
    return {
        "plan": plan_to_json(choice) if isinstance(choice, Plan) else None,
        "plan_hash": choice.hash if isinstance(choice, Plan) else "",
        "refusal": {"reasons": list(choice.reasons)} if isinstance(choice, Refusal) else None,
        "done": {**asdict(choice), "kind": choice.kind.value} if isinstance(choice, AlreadyDone) else None,
        "skipped": skipped,
        "gates": [],
        "authority": allowed.value,
        "why": _said(choice, allowed) if not isinstance(choice, Refusal) else choice.reasons[0],
    }


def _said(choice: Choice, allowed: Authority) -> str:
    if isinstance(choice, AlreadyDone):
        return choice.reason
    if isinstance(choice, Refusal):
        return choice.reasons[0]
    verb = {Authority.ACT: "doing", Authority.ASK: "asking to do", Authority.OBSERVE: "would do"}[allowed]
    asked = choice.action.param(ASK)
    asking = f"; a person decides: {asked}" if asked else ""
    return f"{verb}: {choice.action.kind.value} of {choice.action.service}, because {choice.why}{asking}"
