"""A release's story, durable: look, take the pure turn, carry out what it commands."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any

from prodwise.clock import now
from prodwise.heal import memory, migrated, spoken, unmet, withdrawn
from prodwise.heal.building import build
from prodwise.heal.closing import attempt, tell
from prodwise.heal.durable import Durable
from prodwise.heal.hands import AUTOMATION, REFUSED, Hands
from prodwise.heal.intake import Intake
from prodwise.heal.parts import Parts
from prodwise.heal.returning import Returning, way_back
from prodwise.loop import moves
from prodwise.loop.ship import CanarySeen, ShipCommand, ShipOp, ShipPhase, ShipRules, ShipSeen, ShipTurn, begin, step
from prodwise.model.change import Change, ChangeKind
from prodwise.model.gate import GateResult, Verdict
from prodwise.model.record import EffectState, Rollout, RolloutState
from prodwise.model.release import ReleaseState
from prodwise.model.target import TargetSeen

LOOK_S = 0.1
TURN_S = 20.0
"""A look without news ends after this long, so that a story's record stays fresh."""

FRESH_S = 1.0
BACKS_MAX = 6
EXPOSED = (ShipPhase.RAMPING, ShipPhase.WATCHING)

STATES = {
    ShipPhase.QUEUED: RolloutState.QUEUED,
    ShipPhase.BUILDING: RolloutState.BUILDING,
    ShipPhase.STARTING: RolloutState.CHECKING,
    ShipPhase.CHECKING: RolloutState.CHECKING,
    ShipPhase.RAMPING: RolloutState.RAMPING,
    ShipPhase.WATCHING: RolloutState.WATCHING,
    ShipPhase.FINISHING: RolloutState.WATCHING,
    ShipPhase.REVERTING: RolloutState.RAMPING,
}


class ShipStory:
    """One release from asked-for to verified-good, or back."""

    def __init__(self, parts: Parts, durable: Durable, hands: Hands, intake: Intake, returning: Returning) -> None:
        self._parts, self._durable, self._hands, self._intake = parts, durable, hands, intake
        self._returning = returning
        ramp = parts.config.ramp
        start_s = max(service.start_s for service in parts.shipped)
        self._rules = ShipRules(ramp.stages(), ramp.stage_seconds_max, ramp.watch_seconds, start_s)

    def run(self, release: str) -> str:
        """The whole story. Returns the release's last state."""
        story, failure, backs = f"ship-{release}", "", 0
        checks: tuple[GateResult, ...] = ()
        turn = ShipTurn.from_json(self._durable.step("begin", lambda: begin(release, now()).to_json()))
        for number in range(100_000):
            data = self._durable.step(f"turn {number}", self._turn, turn, checks, failure)
            exposed, turn = turn.phase in EXPOSED, ShipTurn.from_json(data["turn"])
            command = ShipCommand(ShipOp(data["command"]["op"]), data["command"]["share"], data["command"]["reason"])
            if data["row"] is not None:
                self._durable.transact(f"note {number}", self._note, data["row"], command.reason, turn)
            if command.op is ShipOp.END:
                break
            backs += command.op is ShipOp.BACK
            if backs > BACKS_MAX:
                self._durable.step("call", self._call, turn)
                break
            checks, failure = self._carry_out(story, number, turn, command, checks, failure, exposed)
        if not turn.good:  # after users are back: telling it must not keep them waiting
            if not turn.by:
                previous = self._previous(release)
                self._tell_after("spoken", release, spoken.withdrawn, self._parts, release, previous, turn.reason)
            self._tell_after("migrated", release, migrated.withdrawn, self._parts, release, self._previous(release))
        state = str(self._durable.transact("end", self._end, turn, backs > BACKS_MAX))
        return self._go_back_after(story, turn) if turn.good else state

    def _tell_after(self, name: str, release: str, function: Callable[..., None], *args: Any) -> None:
        self._durable.step(name, attempt, self._parts, f"telling of it ({name})", release, function, *args)

    def _open_incident(self, turn: ShipTurn) -> str:
        """Returns the story under which users are brought back, whatever goes wrong in telling of it."""
        here = (self._parts, self._intake, turn)
        found = attempt(self._parts, "telling who was hit", turn.release, withdrawn.opened, *here)
        return found or f"ship-{turn.release}"

    def _go_back_after(self, story: str, turn: ShipTurn) -> str:
        """A person's wish to go back that came while the release was just becoming stable."""
        cancel = self._durable.step("cancelled", self._parts.records.settings.get, f"cancel:{turn.release}")
        previous = self._previous(turn.release)
        if cancel and previous:
            failure = self._returning.go_back(story, "after", previous, cancel["who"], cancel["reason"])
            if failure:
                self._durable.step("after failed", self._stays, turn.release, previous, cancel["who"], failure)
        return self._parts.records.releases.load(turn.release).state.value

    def _stays(self, release: str, previous: str, who: str, failure: str) -> None:
        text = f"going back to {previous}, as {who} asked, failed: {failure}"
        self._parts.records.ledger.append("failed", text, actor=AUTOMATION, incident=release)
        tell(self._parts, f"Release {release} still serves", text, release)

    def _turn(self, turn: ShipTurn, checks: tuple[GateResult, ...], failure: str) -> dict[str, Any]:
        """Looks until there is something to do, or another phase or stage begins. Only observes, and keeps the rollout's row fresh.

        What changed is written once this turn is on record: a healer that dies of the writing has got that far, and the next one
        does not begin the turn anew.
        """
        ends, written = time.monotonic() + TURN_S, 0.0
        while True:
            seen = self._look(turn, checks, failure)
            after, command = step(turn, seen, self._rules, now())
            changed = (after.phase, after.stage) != (turn.phase, turn.stage)
            was, turn = turn.phase, after
            if changed or command.op is not ShipOp.WAIT or time.monotonic() > ends:
                row = row_json(self._row(was, turn, seen, command)) if changed else None
                return {"turn": turn.to_json(), "command": asdict(command), "row": row}
            if time.monotonic() - written > FRESH_S:
                self._parts.records.rollouts.put(self._row(was, turn, seen, command))
                written = time.monotonic()
            if turn.phase in EXPOSED and not seen.stopped:
                self._intake.make_evidence(turn.release)
            time.sleep(LOOK_S)

    def _note(self, row: Mapping[str, Any], reason: str, turn: ShipTurn) -> None:
        """Why no user is to meet it is on record with the very turn that decided it: whatever becomes of this story from here on, a
        search for a fix has something to hang on."""
        self._parts.records.rollouts.put(row_of(row), reason)
        if turn.phase is ShipPhase.REVERTING:
            attempt(self._parts, "noting why no user met it", turn.release, unmet.note, self._parts, turn)

    def _look(self, turn: ShipTurn, checks: tuple[GateResult, ...], failure: str) -> ShipSeen:
        records = self._parts.records
        seen = self._parts.target.observe()  # fresh: an old share would be set a second time
        facts = records.releases.facts(turn.release)
        cancel: Mapping[str, Any] = records.settings.get(f"cancel:{turn.release}") or {}
        gates: tuple[GateResult, ...] = ()
        if turn.phase is ShipPhase.RAMPING:
            gates = self._intake.ramp_gates(turn.release, self._rules.stages[turn.stage])
        elif turn.phase is ShipPhase.WATCHING:
            gates = self._intake.watch_gates(turn.release)
        return ShipSeen(
            ahead=self._ahead(turn.release) if turn.phase is ShipPhase.QUEUED else "",
            built=bool(facts.get("built")),
            failure=failure,
            canaries=tuple(self._canaries(seen, turn.release)),
            checks=checks,
            gates=gates,
            cancelled=str(cancel.get("reason", "")),
            cancelled_by=str(cancel.get("who", "")),
            stopped=seen.stopped,
            frozen=memory.frozen(self._parts, now()),
            followed=turn.phase is not ShipPhase.WATCHING or moves.followed(self._parts.shipped, seen, turn.release),
            reverted=moves.gone(self._parts.shipped, seen, turn.release),
            finished=moves.returned(self._parts.shipped, seen, turn.release) and self._alone(seen),
            beside=moves.beside(seen, turn.release),
        )

    def _ahead(self, release: str) -> str:
        """Oldest first; and who wants to go back waits for none that has not begun."""
        records, mine = self._parts.records, int(release.split("-")[0])
        if any(not r.state.settled and int(r.release.split("-")[0]) < mine for r in records.rollouts.list(limit=200)):
            return "another rollout is under way"
        return "a person goes back first" if way_back(records.settings, self._durable.goes_on) else ""

    def _alone(self, seen: TargetSeen) -> bool:
        return all(at.switch is None or at.switch.share == 0 for at in seen.services)

    def _canaries(self, seen: TargetSeen, release: str) -> list[CanarySeen]:
        found = []
        for service in self._parts.shipped:
            at = seen.service(service.id)
            if not service.ramps or at is None or at.switch is None:
                continue
            slot = at.switch.stable.other
            process = at.slot(slot)
            placed = process is not None and process.release == release
            runs = placed and process is not None and process.pid > 0
            healthy = self._intake.probe_health(service.id, slot, release)
            detail = "" if runs and healthy else self._intake.why_unhealthy(service.id, slot, release, seen)
            exits = process.exits if placed and process is not None else 0
            found.append(CanarySeen(service.id, runs, healthy, at.switch.share, detail, placed, exits))
        return found

    def _carry_out(
        self,
        story: str,
        number: int,
        turn: ShipTurn,
        command: ShipCommand,
        checks: tuple[GateResult, ...],
        failure: str,
        exposed: bool,
    ) -> tuple[tuple[GateResult, ...], str]:
        """Does what the turn commanded. Returns the checks' answers and the failure so far."""
        if command.op is ShipOp.BUILD:
            failure = str(
                self._durable.step(
                    f"build {number}", build, self._parts, self._intake, turn.release, self._previous(turn.release)
                )
            )
        elif command.op is ShipOp.CHECK:
            answers = self._durable.step(f"check {number}", self._check, turn.release)
            checks = tuple(GateResult(a["gate"], Verdict(a["verdict"]), a["reason"]) for a in answers)
        elif command.op is ShipOp.BACK:
            told = story
            if exposed:
                told = self._durable.transact(f"tell {number}", self._open_incident, turn)
            self._move(told, f"back {number}", "withdraw", turn, actor=turn.by or AUTOMATION)
        elif command.op is not ShipOp.WAIT:
            failed = self._move(story, f"{command.op.value} {number}", command.op.value, turn, command.share)
            if command.op is ShipOp.START and REFUSED not in failed:
                failure = failed
            if command.op is ShipOp.PROMOTE:
                self._durable.transact(f"promoted {number}", self._promoted, turn)
        return checks, failure

    def _move(
        self, story: str, label: str, what: str, turn: ShipTurn, share: float = 0.0, actor: str = AUTOMATION
    ) -> str:
        """Plans from what is seen now, records the plan, carries it out. Returns the first failure's reason, or ""."""
        planned = self._durable.step(f"plan {label}", self._plan, what, turn.release, share)
        todo = [moves.Move(m["kind"], m["service"], m["command"], m["undo"]) for m in planned]
        failed = [e for e in self._hands.perform(story, label, todo, actor) if e.state is EffectState.FAILED]
        return f"{failed[0].kind} {failed[0].service}: {failed[0].result}" if failed else ""

    def _plan(self, what: str, release: str, share: float) -> list[dict[str, Any]]:
        inventory, seen = self._parts.shipped, self._parts.target.observe()
        previous = self._previous(release)
        plans = {
            "start": lambda: moves.start_canaries(inventory, seen, release),
            "switch": lambda: moves.ramp(inventory, seen, share),
            "promote": lambda: moves.promote(inventory, seen, release),
            "finish": lambda: moves.finish(inventory, seen, release),
            "withdraw": lambda: moves.withdraw(inventory, seen, release, previous),
        }
        return [move.to_json() for move in plans[what]()]

    def _previous(self, release: str) -> str:
        rollout = self._parts.records.rollouts.load(release)
        return rollout.previous if rollout else ""

    def _check(self, release: str) -> list[Mapping[str, str]]:
        return [_gate_json(result) for result in self._intake.check_canary(release)]

    def _promoted(self, turn: ShipTurn) -> None:
        records = self._parts.records
        records.releases.set_state(turn.release, ReleaseState.PROMOTED, "100 % of traffic, watched")
        records.ledger.append(
            "promoted",
            f"release {turn.release} serves everyone and is watched",
            actor="prodwise",
            incident=turn.release,
        )

    def _end(self, turn: ShipTurn, stuck: bool) -> str:
        """stuck: it was to be taken from users, and could not be."""
        records = self._parts.records
        self._intake.end_rollout(turn.release)
        previous = self._previous(turn.release)
        state = ReleaseState.VERIFIED_GOOD if turn.good else ReleaseState.FAILED
        records.releases.set_state(turn.release, state, turn.reason)
        if turn.good and previous:
            records.releases.set_state(previous, ReleaseState.RETIRED, f"superseded by {turn.release}")
            records.changes.record(
                Change(f"release-{turn.release}", now(), ChangeKind.RELEASE, "", previous, turn.release,
                       self._asked_by(turn.release), f"roll back to {previous}", f"release {turn.release} replaced {previous}")
            )  # fmt: skip
        final = RolloutState.VERIFIED_GOOD if turn.good else RolloutState.FAILED
        row = records.rollouts.load(turn.release)
        if row is not None:
            share = 1.0 if turn.good else row.share if stuck else 0.0
            records.rollouts.put(replace(row, state=final, share=share, ended_at=now()), turn.reason)
        if not turn.good:
            withdrawn.closed(self._parts, self._intake, turn, stuck)
        return state.value

    def _call(self, turn: ShipTurn) -> None:
        """Going back was tried often enough: a person must do it."""
        text = f"release {turn.release} could not be withdrawn after {BACKS_MAX} tries. {withdrawn.STILL} It was to go: {turn.reason}"
        tell(self._parts, "A release could not be withdrawn", text, turn.release)

    def _row(self, was: ShipPhase, turn: ShipTurn, seen: ShipSeen, command: ShipCommand) -> Rollout:
        """What it replaces is what serves when its turn comes: while it waited, one before it may have become stable."""
        row = self._parts.records.rollouts.load(turn.release)
        stages = self._rules.stages
        stage = (
            stages[turn.stage].name if turn.phase is ShipPhase.RAMPING else ("100 %" if turn.phase in EXPOSED else "")
        )
        gates: tuple[Mapping[str, str], ...] = tuple(_gate_json(result) for result in (seen.gates or seen.checks))
        if was is ShipPhase.REVERTING and row is not None:
            gates = row.gates  # what it goes back for
        shares = [c.share for c in seen.canaries if c.placed]  # a queued one has no part in what another one has
        return Rollout(
            release=turn.release,
            previous=self._parts.serving() if was is ShipPhase.QUEUED or row is None else row.previous,
            state=STATES.get(turn.phase, row.state if row else RolloutState.QUEUED),
            stage=stage,
            share=max(shares, default=0.0),
            began_at=row.began_at if row else now(),
            watch_until=turn.watch_until or None,
            gates=gates,
            numbers={**self._intake.numbers_of(turn.release), "waiting_for": command.reason},
            asked_by=row.asked_by if row else "",
        )

    def _asked_by(self, release: str) -> str:
        rollout = self._parts.records.rollouts.load(release)
        return rollout.asked_by if rollout else "prodwise"


def row_json(row: Rollout) -> dict[str, Any]:
    return {**asdict(row), "state": row.state.value, "gates": [dict(gate) for gate in row.gates]}


def row_of(values: Mapping[str, Any]) -> Rollout:
    return Rollout(**{**values, "state": RolloutState(values["state"]), "gates": tuple(values["gates"])})


def _gate_json(result: GateResult) -> dict[str, str]:
    return {"gate": result.gate, "verdict": result.verdict.value, "reason": result.reason}
