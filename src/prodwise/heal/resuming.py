"""Stories that other healers left: gone on with, or handed to a person, never left lying."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from contextvars import Context
from dataclasses import replace
from threading import Lock
from typing import Final

from prodwise.clock import now
from prodwise.heal import unmet
from prodwise.heal.closing import close_incident, tell
from prodwise.heal.durable import Durable, Left
from prodwise.heal.hands import AUTOMATION, reconcile
from prodwise.heal.intake import Intake
from prodwise.heal.parts import Parts
from prodwise.heal.returning import Returning
from prodwise.heal.withdrawn import STILL
from prodwise.loop import moves
from prodwise.loop.resuming import MOST, resumed
from prodwise.model.errors import UsageError
from prodwise.model.outcome import Outcome
from prodwise.model.record import RolloutState
from prodwise.model.release import ReleaseState

RESUMED: Final = "resumed"
"""Setting: story → when it was resumed."""
TRIES: Final = 6
OFTEN: Final = f"the healer ended {MOST} times while it was at this: it may be what it ends of"
OLDER: Final = "it was begun by another version of Prodwise, which goes about it in other steps"
TOLD_LATER: Final = ("ship", "prove")
"""What becomes of a release is told once that is known; a proof is made again."""
LOST: Final = "its story ended in an error of Prodwise's own"


class Resuming:
    """ending: held while an incident ends."""

    def __init__(self, parts: Parts, durable: Durable, begin: Callable[[str, str, str], bool], ending: Lock) -> None:
        self._parts, self._durable, self._begin, self._ending = parts, durable, begin, ending

    def take_over(self, executor: str) -> None:
        """1. What others left. 2. What is handed over: told, then ended. 3. The rest goes on here."""
        settings, left = self._parts.records.settings, self._durable.left(executor)
        ours = [one.id for one in left if one.ours]
        count = resumed(settings.get(RESUMED) or {}, ours, now())
        given_up = {one.id: OLDER for one in left if not one.ours} | ({count.given_up: OFTEN} if count.given_up else {})
        for one in left:
            if one.id in given_up:
                self._hand_over(one, given_up[one.id])
        self._durable.give_up(list(given_up))
        settings.put(RESUMED, {name: list(times) for name, times in count.times.items()}, AUTOMATION)
        self._durable.resume([one for one in ours if one not in given_up])

    def broken(self, story: str, subject: str, error: Exception) -> None:
        """A story that cannot go on, in this very process."""
        self._hand_over(Left("", story, subject), f"{LOST} ({type(error).__name__})")
        if story == "ship" and self._is_on_its_way(subject):
            Context().run(self._begin, "withdraw", f"withdraw-{subject}", subject)  # no part of the story that broke
        elif story == "withdraw":
            settle(self._parts, subject)

    def begin_ship(self, release: str) -> None:
        """Its story, or where that is over and the release still on its way, the one that takes it from users. Whatever comes of
        that, the release is no longer on its way afterwards."""
        if not self._is_on_its_way(release):
            return
        if not self._durable.ended(f"ship-{release}"):
            self._begin("ship", f"ship-{release}", release)
        elif not self._durable.ended(f"withdraw-{release}"):
            self._begin("withdraw", f"withdraw-{release}", release)
        else:
            text = f"{STILL} {LOST[:1].upper()}{LOST[1:]}."
            tell(self._parts, f"Release {release} could not be taken from users", text, release)
            settle(self._parts, release)

    def begin_incident(self, incident: str) -> None:
        """Its story, or where that is over and the incident is not, a person."""
        if self._durable.ended(incident):
            self._hand_over(Left(incident, "incident", incident), LOST)
        else:
            self._begin("incident", incident, incident)

    def _hand_over(self, left: Left, why: str) -> None:
        """May be repeated. A person is told before it is closed, so that it is never closed in silence."""
        for name in acting_as(left.story, left.subject):
            reconcile(self._parts.records.ledger, self._parts.target, name)
        if left.story == "incident":
            self._escalate(left.subject, why)
        elif left.story == "ship" and not self._is_on_its_way(left.subject):
            return
        else:
            text = f"{left.story} {left.subject}: {why}"
            self._parts.records.ledger.append("failed", text, actor=AUTOMATION, incident=left.subject)
            if left.story not in TOLD_LATER:
                tell(self._parts, "Prodwise could not go on with something that it was at", text, left.subject)

    def _escalate(self, incident: str, why: str) -> None:
        records = self._parts.records
        row = records.incidents.row(incident)
        if row["closed_at"] is not None:
            return
        text = f"{why}. Look at the service, and at the healer's log."
        tell(self._parts, f"{row['service'] or self._parts.config.name} needs a person: {row['title']}", text, incident)
        with self._ending, records.unit():
            records.ledger.append("escalated", text, actor=AUTOMATION, service=row["service"], incident=incident)
            close_incident(records, incident, Outcome.ESCALATED, why)

    def _is_on_its_way(self, release: str) -> bool:
        rollout = self._parts.records.rollouts.load(release)
        return rollout is not None and not rollout.state.settled


class Withdrawing:
    """A release whose own story cannot go on is taken from users, by a story that needs nothing but the target."""

    def __init__(self, parts: Parts, durable: Durable, returning: Returning, intake: Intake) -> None:
        self._parts, self._durable, self._returning, self._intake = parts, durable, returning, intake

    def run(self, release: str) -> str:
        """Returns "" once no user meets it, else why not."""
        story, failure, shipped = f"withdraw-{release}", "", self._parts.shipped
        observe = self._parts.target.observe
        rollout = self._parts.records.rollouts.load(release)
        previous = rollout.previous if rollout is not None else ""
        for number in range(TRIES):
            if self._durable.step(f"gone {number}", self._gone, release):
                break
            failure = self._returning.move(
                story, f"back {number}", lambda: moves.withdraw(shipped, observe(), release, previous), AUTOMATION
            )
        gone = bool(self._durable.step("gone", self._gone, release))
        failure = "" if gone else failure or "it still runs"
        self._intake.end_rollout(release)
        self._durable.transact("end", settle, self._parts, release, gone)
        told = f"it could not be taken back: {failure}. {STILL}" if failure else "users are on the release before it."
        self._durable.step("tell", self._tell, release, f"The story of release {release} could not go on; {told}")
        return failure

    def _tell(self, release: str, text: str) -> None:
        records = self._parts.records
        noted, rollout = unmet.found(records, release), records.rollouts.load(release)
        if noted is not None:
            text += f" {noted.title}."
        elif rollout is not None and not rollout.stage and all(gate["verdict"] != "fail" for gate in rollout.gates):
            short = records.releases.load(release).short
            text += (
                f" Nothing was seen to be wrong with it before that, so that there is nothing to look for a fix of: "
                f"`prodwise deploy {short}` ships it again."
            )
        tell(self._parts, f"Release {release} was given up", text, release)

    def _gone(self, release: str) -> bool:
        """What its own story left open is known first."""
        for name in acting_as("ship", release):
            reconcile(self._parts.records.ledger, self._parts.target, name)
        return moves.gone(self._parts.shipped, self._parts.target.observe(), release)


def acting_as(story: str, subject: str) -> tuple[str, ...]:
    """The names under which a story's effects stand in the ledger: users are brought back from a release in its incident's."""
    if story == "ship":
        return f"ship-{subject}", f"inc-{subject}"
    return (f"withdraw-{subject}",) if story == "withdraw" else (subject,)


def settle(parts: Parts, release: str, gone: bool = False) -> None:
    """On record it has failed, and what was open about it is a person's. gone: no user meets it, as the target tells."""
    records, why = parts.records, "its story could not go on"
    rollout = records.rollouts.load(release)
    records.releases.set_state(release, ReleaseState.FAILED, why)
    if rollout is not None and not rollout.state.settled:
        share = 0.0 if gone else rollout.share
        records.rollouts.put(replace(rollout, state=RolloutState.FAILED, share=share, ended_at=now()), why)
    with contextlib.suppress(UsageError):  # where no user met it there is no incident
        close_incident(records, f"inc-{release}", Outcome.ESCALATED, why)
