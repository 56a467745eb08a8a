"""Going back to an earlier release that no longer runs; a restart; an undo. Asked for by a person, or by an incident's story."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from prodwise.clock import monotonic, now
from prodwise.heal.closing import tell
from prodwise.heal.durable import Durable
from prodwise.heal.hands import AUTOMATION, Hands, reconcile
from prodwise.heal.intake import Intake
from prodwise.heal.memory import PUT_BACK
from prodwise.heal.parts import Parts
from prodwise.loop import moves
from prodwise.model.change import Change, ChangeKind
from prodwise.model.errors import ProdwiseError
from prodwise.model.evidence import digest
from prodwise.model.record import EffectState, RolloutState
from prodwise.model.release import ReleaseState
from prodwise.ports import Records
from prodwise.ports.records import Settings

LOOK_S = 0.1
PROOF_SHARE = 0.001
WAIT_S = 120.0
"""So long what a person asked for waits for another story's end: as long as `prodwise rollback` looks on."""
TWO = "never are two stories at work on one service"
RESTART_WAIT_S = 20.0
"""So long a person's way back waits for a restart that a person asked for: a kill and a start, which is over within a second
unless the target does not answer."""
ASKED = "asked"
"""The setting that holds what was asked for and has not begun yet: story id → kind of story."""
AT_WORK = "asked:stories"
"""The setting that holds what people's stories are about: story id → (service, "" for all of them; since when, Unix seconds)."""
UNSEEN_S = 600.0
"""So long a story counts as going on where it cannot be asked whether it is over."""
BACK = ("return", "undo")
"""Kinds of stories that no restart and no rollout that has not begun holds up."""
GoesOn = Callable[[str], bool | None]
"""Whether that story has begun and is not over; None where that cannot be told yet."""


def under_way(settings: Settings, goes_on: GoesOn) -> dict[str, tuple[str, float]]:
    """What people asked for that is not over, begun or not: as in AT_WORK."""
    found, waiting = dict[str, tuple[str, float]](), settings.get(ASKED, {})
    for story, (about, since) in (settings.get(AT_WORK) or {}).items():
        on = True if story in waiting else goes_on(story)
        if on or (on is None and abs(now() - since) < UNSEEN_S):
            found[story] = about, since
    return found


def way_back(settings: Settings, goes_on: GoesOn) -> str:
    """The story by which a person goes back that is not over; "" for none."""
    on = under_way(settings, goes_on)
    return next((story for story in on if any(settings.get(f"{kind}:{story}") for kind in BACK)), "")


def went_back(
    records: Records, story: str, release: str, left: str, actor: str, reason: str, leaves: ReleaseState
) -> None:
    """What the records say once users are on another release again. A return and its taking back are two changes."""
    records.releases.set_state(release, ReleaseState.VERIFIED_GOOD, f"went back to it: {reason}", actor)
    if left:
        records.releases.set_state(left, leaves, reason, actor)
    kind = ChangeKind.HEAL if actor == AUTOMATION else ChangeKind.MANUAL
    text = f"went back from {left or 'nothing'} to {release}: {reason}"
    change = story if leaves is ReleaseState.FAILED else f"{PUT_BACK}{story}"
    records.changes.record(
        Change(change, now(), kind, "", left, release, actor, f"deploy {left} again" if left else "none", text)
    )


class Returning:
    """Steps shared by stories; every method is to be called inside a story."""

    def __init__(self, parts: Parts, durable: Durable, hands: Hands, intake: Intake) -> None:
        self._parts, self._durable, self._hands, self._intake = parts, durable, hands, intake

    def go_back(
        self,
        story: str,
        label: str,
        release: str,
        actor: str,
        reason: str,
        leaves: ReleaseState = ReleaseState.FAILED,
    ) -> str:
        """Starts `release` beside what serves, waits until it is healthy, switches, ends the other. Returns why it failed, or "".

        leaves: the state of the release that served until then. When it does not become healthy, or users do not get there, nothing
        is left of the try beside what serves.
        """
        left, failure = "", str(self._durable.step(f"{label} build", self._rebuild, release))
        failure = failure or self.move(
            story, f"{label} prepare", lambda: self._plan(moves.prepare_return, release), actor
        )
        failure = failure or str(self._durable.step(f"{label} healthy", self._wait_healthy, release))
        if not failure:
            left = str(self._durable.step(f"{label} leaving", self._leaving, release))
            failure = self.move(story, f"{label} switch", lambda: self._plan(moves.complete_return, release), actor)
            failure = failure or str(self._durable.step(f"{label} there", self._elsewhere, release))
        if failure:
            self.move(story, f"{label} clear", lambda: self._plan(moves.stop_canaries, release), actor)
            return failure
        self._durable.transact(
            f"{label} record", went_back, self._parts.records, story, release, left, actor, reason, leaves
        )
        return ""

    def restart(self, story: str, label: str, service: str, actor: str) -> str:
        """Ends the service's serving process, once; returns why it failed, or ""."""
        return self.move(story, label, lambda: moves.restart(self._parts.target.observe(), service), actor)

    def put_back(self, story: str, label: str, went_to: str, left: str, actor: str) -> str:
        """Takes a return from `left` to `went_to` back, however far it had come; planned from what is seen, since slots may have
        changed hands. Returns why it failed, or ""."""
        if self._durable.step(f"{label} standing", self._stable_on, went_to):
            return self.go_back(
                story, label, left, actor, f"going back to {went_to} was taken back", ReleaseState.RETIRED
            )
        return self.move(story, f"{label} clear", lambda: self._plan(moves.stop_canaries, went_to), actor)

    def _stable_on(self, release: str) -> bool:
        """Whether any service's stable users are on it."""
        seen, shipped = self._parts.target.observe(), {service.id for service in self._parts.shipped}
        stable = [at.slot(at.active) for at in seen.services if at.service in shipped and at.active]
        return any(process is not None and process.release == release for process in stable)

    def move(self, story: str, label: str, plan: Callable[[], list[moves.Move]], actor: str) -> str:
        """Plans in a recorded step, then carries out. Returns the first failure's reason, or ""."""
        planned = self._durable.step(f"plan {label}", lambda: [m.to_json() for m in plan()])
        todo = [moves.Move(m["kind"], m["service"], m["command"], m["undo"]) for m in planned]
        failed = [e for e in self._hands.perform(story, label, todo, actor) if e.state is EffectState.FAILED]
        return f"{failed[0].kind} {failed[0].service}: {failed[0].result}" if failed else ""

    def _plan(self, plan: Callable[..., list[moves.Move]], release: str) -> list[moves.Move]:
        return plan(self._parts.shipped, self._parts.target.observe(), release)

    def _rebuild(self, release: str) -> str:
        try:
            self._parts.target.build(release, self._parts.records.releases.load(release).commit)
        except ProdwiseError as error:
            return error.message
        return ""

    def _wait_healthy(self, release: str) -> str:
        """Until every free slot that runs the release answers its probe, at most the services' own start time."""
        ends = monotonic() + max(service.start_s for service in self._parts.shipped)
        late: list[str] = []
        while monotonic() < ends:
            seen = self._intake.target()
            late = []
            for service in self._parts.shipped:
                at = seen.service(service.id)
                if not service.ramps or at is None or at.switch is None:
                    continue
                slot = next(
                    (s for s in (at.switch.stable, at.switch.stable.other) if _release(at.slot(s)) == release), None
                )
                if slot is None or not self._intake.probe_health(service.id, slot, release):
                    late.append(service.id)
            if not late:
                return ""
            time.sleep(LOOK_S)
        return f"release {release} did not become healthy: " + ", ".join(late)

    def _elsewhere(self, release: str) -> str:
        """Which services' users are not on the release, in words; "" for none."""
        late = moves.astray(self._parts.shipped, self._parts.target.observe(), release)
        missing = "it no longer ran beside what serves them"
        return f"the users of {', '.join(late)} are not on {release}: {missing}" if late else ""

    def _leaving(self, release: str) -> str:
        seen = self._parts.target.observe()
        shipped = {service.id for service in self._parts.shipped}
        ours = [at for at in seen.services if at.service in shipped]
        return next((p.release for at in ours for p in at.slots if p.release not in ("", release)), "")


class SmallStories:
    """What people ask for directly: return, restart, undo. The request stands in the settings under the story's id."""

    def __init__(self, parts: Parts, durable: Durable, returning: Returning) -> None:
        self._parts, self._durable, self._returning = parts, durable, returning

    def go_back(self, story: str) -> str:
        """A rollout that is under way was cancelled with the same word; its end is waited for. Where it does not end, nothing is
        done, and a person told."""
        asked = self._asked("return", story)
        self._durable.step("restarts", self._let_end, story, asked.get("after", []))
        busy = self._durable.step("free", self._until_free, str(asked.get("rollout", "")))
        if busy:
            again = f"`prodwise releases` shows where it is, `prodwise rollback {asked['release']}` asks once more"
            return self._not_begun(story, "going back", f"{busy}; {again}")
        failure = self._returning.go_back(story, "return", asked["release"], asked["who"], asked["reason"])
        return self._told(story, "going back", failure)

    def restart(self, story: str) -> str:
        asked = self._asked("restart", story)
        return self._told(story, "restart", self._returning.restart(story, "restart", asked["service"], asked["who"]))

    def undo(self, story: str) -> str:
        """The incident's own story ends first, so that there are never two at work. Where it does not, nothing is done, and a person
        told: the incident goes on as if nobody had asked."""
        asked = self._asked("undo", story)
        self._durable.step("restarts", self._let_end, story, asked.get("after", []))
        busy = self._durable.step("closed", self._until_closed, asked["incident"])
        if busy and self._durable.transact("not begun", self._give_up, story, asked, busy):
            short = self._parts.records.releases.load(asked["left"]).short
            return self._not_begun(story, "taking it back", f"{busy}; `prodwise deploy {short}` ships it again")
        failure = self._returning.put_back(story, "undo", asked["went_to"], asked["left"], asked["who"])
        return self._told(story, "undo", failure)

    def _until_free(self, cancelled: str) -> str:
        """Until no rollout is under way, the story of the one that was cancelled included. Why it may not be gone back yet, or "":
        one that still builds does nothing to the target any more, as it was cancelled long ago."""
        records = self._parts.records

        def under_way() -> str:
            current = records.rollouts.current()
            if current is not None:
                return current.release
            return cancelled if cancelled and self._durable.goes_on(f"ship-{cancelled}") else ""

        if self._wait(lambda: not under_way(), WAIT_S):
            return ""
        current, release = records.rollouts.current(), under_way()
        if current is not None and current.state is RolloutState.BUILDING and records.settings.get(f"cancel:{release}"):
            return ""
        return f"release {release} is still on its way after {WAIT_S:.0f} s, and {TWO}" if release else ""

    def _until_closed(self, incident: str) -> str:
        """Until the incident is; else why it may not be taken back."""
        closed = lambda: self._parts.records.incidents.row(incident)["closed_at"] is not None  # noqa: E731
        return "" if self._wait(closed, WAIT_S) else f"{incident} is not over after {WAIT_S:.0f} s, and {TWO}"

    def _wait(self, done: Callable[[], bool], most: float) -> bool:
        """Until then, at most so many seconds. Whether it is done."""
        ends = monotonic() + most
        while not (over := done()) and monotonic() < ends:
            time.sleep(LOOK_S)
        return over

    def _give_up(self, story: str, asked: Mapping[str, Any], why: str) -> bool:
        """Whether the undo is given up: not where the incident has ended after all."""
        records = self._parts.records
        if records.incidents.row(asked["incident"])["closed_at"] is not None:
            return False
        records.settings.put(f"undo:{story}", {**asked, "not_begun": why}, AUTOMATION)
        return True

    def _not_begun(self, story: str, what: str, why: str) -> str:
        self._durable.step("call", tell, self._parts, f"{what[:1].upper()}{what[1:]} was not begun", why, story)
        return self._told(story, what, f"it was not begun: {why}")

    def _let_end(self, story: str, restarts: Sequence[str]) -> None:
        """Until these are over. What one that is not has begun is looked for on the target before anything else is done there; its
        order names one process, so that it reaches none that is started from now on."""
        records = self._parts.records

        def left() -> list[str]:
            waiting = records.settings.get(ASKED, {})
            return [one for one in restarts if one in waiting or self._durable.goes_on(one)]

        self._wait(lambda: not left(), RESTART_WAIT_S)
        for one in left():
            reconcile(records.ledger, self._parts.target, one)
            text = f"{one} is not over after {RESTART_WAIT_S:.0f} s: going back all the same"
            records.ledger.append("waits", text, actor=AUTOMATION, incident=story)

    def prove(self, story: str) -> str:
        """Exercises start, switch and their undo: the serving release beside itself, a sliver of lanes there and back.

        Rollouts wait meanwhile. What is seen afterwards must be exactly what was seen before.
        """
        inventory, target, put = self._parts.shipped, self._parts.target, self._parts.records.settings.put
        before, release = self._durable.step("before", self._standing)
        if not release:
            return "busy"
        move = self._returning.move
        failure = move(story, "start", lambda: moves.start_canaries(inventory, target.observe(), release), "prodwise")
        failure = failure or move(
            story, "out", lambda: moves.ramp(inventory, target.observe(), PROOF_SHARE), "prodwise"
        )
        back = move(story, "back", lambda: moves.ramp(inventory, target.observe(), 0.0), "prodwise")
        end = move(story, "end", lambda: moves.stop_canaries(inventory, target.observe(), release), "prodwise")
        after, _ = self._durable.step("after", self._standing)
        failure = failure or back or end or ("" if before == after else "the target is not as it was before")
        if failure:
            return self._told(story, "proving that actions can be undone", failure)
        self._durable.transact("proven", lambda: put("undo_proven", {"at": now(), "revision": after}, "prodwise"))
        self._durable.transact("self-test", lambda: put("self_test", {"at": now(), "ok": True}, "prodwise"))
        return ""

    def _standing(self) -> tuple[str, str]:
        """(who serves what share with which release, as a fingerprint; the release, "" while a canary is there)."""
        seen, shipped = self._parts.target.observe(), {service.id for service in self._parts.shipped}
        ramps = [at for at in seen.services if at.switch is not None and at.service in shipped]
        runs = [
            [at.service, asdict(at.switch), sorted([p.slot, p.release] for p in at.slots)] for at in ramps if at.switch
        ]
        releases = {p.release for at in ramps for p in at.slots if p.release}
        return digest(runs), releases.pop() if len(releases) == 1 else ""

    def _asked(self, what: str, story: str) -> Mapping[str, Any]:
        return dict(self._durable.step("asked", self._parts.records.settings.get, f"{what}:{story}"))

    def _told(self, story: str, what: str, failure: str) -> str:
        if failure:
            append = self._parts.records.ledger.append
            self._durable.transact(
                "tell", lambda: append("failed", f"{what} failed: {failure}", actor="prodwise", incident=story)
            )
        return failure


def _release(process: object) -> str:
    return str(getattr(process, "release", ""))
