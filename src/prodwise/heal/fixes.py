"""Lasting fixes: looked for once users are served again, proposed as drafts, and followed until they hold. Nothing waits for it.

Three hands: the repairers and gates run in a process of their own, without credentials (ports.Mends); this thread, in the
healer, holds the forge; a person merges.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from prodwise.clock import monotonic, now
from prodwise.heal import memory, unmet
from prodwise.heal.hands import AUTOMATION
from prodwise.heal.hearing import Hearing
from prodwise.heal.mending import Answer, Mending, answer_from, mending, pull_of
from prodwise.heal.parts import Parts
from prodwise.heal.pulls import ENTRY, Kept, Pulls, Stage, Undone, due, open_ones
from prodwise.heal.reported import leading
from prodwise.heal.rounds import Rounds
from prodwise.heal.sought import TIMES_MAX, Search, Searches
from prodwise.heal.undoing import Undoing
from prodwise.loop.group import RESOLVED, resolve, state_of
from prodwise.loop.group.state import Resolution
from prodwise.loop.publish.body import trailer
from prodwise.loop.publish.why import why
from prodwise.model.autonomy import Autonomy
from prodwise.model.diagnosis import Cause
from prodwise.model.digest import GroupState
from prodwise.model.errors import ConfigError, ForgeError, Later, ProdwiseError, Refused, UsageError
from prodwise.model.incident import Incident
from prodwise.model.outcome import Outcome
from prodwise.model.patch import Proposal
from prodwise.model.release import ReleaseState
from prodwise.ports import Forge
from prodwise.ports.repair import Mends, TakesBack, TriesBack

LOOK_S: Final = 1.0
"""So often it is looked whether anything was written down; only then, or while a fix is looked for, is there something to do."""
PACE_S: Final = 20.0
"""So often at least all of it is done."""
ASK_S: Final = 60.0
"""So often, at most, the code host is asked what people said; and whenever a release is made, which may hold what they merged."""
PROPOSED_MAX: Final = 3
"""So often a fix is proposed to a host that fails."""
RECENT_S: Final = 3600.0
LOOKED_AT: Final = 20
SOUGHT: Final = (Cause.RELEASE.value, Cause.DEPENDENCY.value, Cause.ERRORS.value, Cause.INPUT.value)


@dataclass(frozen=True)
class Fixing:
    """What it takes. forge: for one talk with the code host, raises ConfigError when it cannot be had; takes_back: None where no
    fix that does not hold is taken back by a draft; tries: None where that is not tried before."""

    mends: Mends
    forge: Callable[[], Forge]
    takes_back: TakesBack | None = None
    tries: TriesBack | None = None


class Fixes:
    def __init__(self, parts: Parts, fixing: Fixing | None) -> None:
        self._parts, self._fixing = parts, fixing
        self._pulls = Pulls(parts.records)
        takes_back, tries = (fixing.takes_back, fixing.tries) if fixing else (None, None)
        self._undoing = Undoing(parts, self._pulls, takes_back, tries)
        self._searches = Searches(parts.records)
        self._hearing = Hearing(parts.records, self._pulls, self._tell)
        self._at_work: Mending | None = None
        self._told: Mapping[str, Any] | None = None  # what the search said, until that is proposed
        self._not_before = -1e9
        self._failed = 0  # how often the host failed in proposing that
        self._asked = self._turned = -1e9
        self._patience_s = 0.0
        self._written = 0
        self._release = ""
        self._rounds = Rounds("fixes", self.look, lambda: LOOK_S, self._trouble)

    def start(self) -> None:
        if self._fixing is not None:
            self._rounds.start()

    def stop(self) -> None:
        if self._fixing is not None:
            self._fixing.mends.end()
            if self._fixing.tries is not None:
                self._fixing.tries.end()
        self._rounds.stop(within_s=1.0)

    def _trouble(self, said: str) -> None:
        self._parts.records.ledger.append(ENTRY, f"fixes cannot be proposed or followed: {said}", actor=AUTOMATION)

    def look(self) -> None:
        newest = next((one.seq for one in self._parts.records.ledger.recent(1)), 0)
        idle = newest == self._written and self._at_work is None
        if idle and monotonic() - self._turned < PACE_S:
            return
        self._written, self._turned = newest, monotonic()
        self.turn()

    def turn(self) -> None:
        """1. What was found is proposed. 2. The next fix is looked for. 3. What people answered. 4. What is to be taken
        back. 5. Whether what they merged holds."""
        if self._fixing is None:
            return
        self._take_answer(self._fixing)
        if self._at_work is None and self._may():
            self._begin_next(self._fixing.mends)
        waited, made = monotonic() - self._asked, self._release_was_made()
        if waited >= self._patience_s and (made or waited >= ASK_S):
            self._asked, self._patience_s = monotonic(), 0.0
            try:
                self._hear(self._fixing)
            finally:
                if waited >= ASK_S:  # a release that was just made may hold after all
                    self._take_back(self._fixing)
        self._follow()

    def _release_was_made(self) -> bool:
        newest = next((one.id for one in self._parts.records.releases.list(1)), "")
        made, self._release = newest != self._release, newest
        return made

    def _may(self) -> bool:
        """A person has let more than looking on, and nobody holds it back."""
        if memory.stage(self._parts) is Autonomy.OBSERVE or memory.frozen(self._parts, now()):
            return False
        return not self._parts.target.observe().stopped

    # -- looking for one ------------------------------------------------------------------------------------------------

    def _begin_next(self, mends: Mends) -> None:
        cut_off, tried = self._searches.open(), self._searches.tried()
        if cut_off is not None:
            self._again(cut_off, mends)
        elif not self._begin_asked(mends) and not self._begin_incidents(mends, tried):
            self._begin_unmet(mends, tried)

    def _begin_asked(self, mends: Mends) -> bool:
        """What a person asked for once more, however long ago it was. Whether one was begun."""
        for name in self._searches.asked():
            try:
                asked = mending(self._parts.records, self._parts.reporting, name, self._parts.serving)
            except UsageError as error:
                self._searches.passed_over(name)
                text = f"no fix is looked for again: {error.message}"
                self._parts.records.ledger.append(ENTRY, text, actor=AUTOMATION, incident=name)
                continue
            self._begin(asked, mends, "looking for a fix again, as a person asked")
            return True
        return False

    def _begin_incidents(self, mends: Mends, tried: Sequence[str]) -> bool:
        """Whether one was begun."""
        for incident in self._parts.records.incidents.list(limit=LOOKED_AT):
            if incident.id in tried or not _is_over(incident, now()):
                continue
            if leading(self._parts.records.incidents.row(incident.id)).get("cause") not in SOUGHT:
                continue
            try:
                asked = mending(self._parts.records, self._parts.reporting, incident.id, self._parts.serving)
            except UsageError:
                continue  # its errors may come in yet; an hour later nobody asks any more
            self._begin(asked, mends, "looking for a lasting fix, now that users are served again")
            return True
        return False

    def _begin_unmet(self, mends: Mends, tried: Sequence[str]) -> None:
        """Of the newest release, where it was refused before any user met it."""
        release = unmet.asking(self._parts.records, tried, now())
        if release is not None:
            asked = mending(self._parts.records, self._parts.reporting, release, self._parts.serving)
            self._begin(asked, mends, "looking for a fix: users go on with the release before it")

    def _begin(self, asked: Mending, mends: Mends, text: str) -> None:
        self._searches.begin(asked.incident)
        most = mends.models_a_day()
        model = self._searches.may_ask(most, now())
        used_up = f"; no model is asked, {most} searches of a day have asked one" if most and not model else ""
        self._note(f"{text}{used_up}", asked, state="sought")
        mends.begin(asked.incident, model=model)
        self._at_work = asked

    def _again(self, search: Search, mends: Mends) -> None:
        """It was cut off: this healer is another one, or its process ended without a word."""
        try:
            asked = mending(self._parts.records, self._parts.reporting, search.incident, self._parts.serving)
        except UsageError:
            self._searches.end()  # what it was about is known no longer
            return
        if search.times < TIMES_MAX:
            self._begin(asked, mends, "looking for a lasting fix again: the search was cut off")
            return
        self._searches.end()
        text = f"no fix is proposed: the search was cut off {search.times} times"
        self._note(text, asked, state="failed")
        self._tell(
            f"No fix was found for {search.incident}", f"{text}; `prodwise fix --incident {search.incident}` looks"
        )

    def _take_answer(self, fixing: Fixing) -> None:
        asked = self._at_work
        if asked is not None and self._told is None:
            self._told = fixing.mends.answer()
        if asked is None or self._told is None:
            return
        try:
            answer = answer_from(self._told)
        except (KeyError, TypeError, ValueError):
            self._at_work = self._told = None  # it is looked for again
            return
        self._searches.answered()
        if answer.proposal is not None and (monotonic() < self._not_before or not self._may()):
            return  # it waits: for the code host, or for the person who holds it back
        self._propose(fixing, asked, answer)

    def _propose(self, fixing: Fixing, asked: Mending, answer: Answer) -> None:
        try:
            if answer.proposal is None:
                self._note(f"no fix is proposed: {answer.reason}", asked, state=answer.status)
            else:
                pull = pull_of(asked, answer, self._parts.serving(), now())
                known = {one.name for one in open_ones(self._pulls.all())}
                kept = self._pulls.propose(fixing.forge(), pull, asked)
                if kept.name not in known:  # of one that is brought up to date people know
                    self._tell_of(asked, answer.proposal, kept)
        except Refused:
            pass  # on record with its reason
        except Later as later:
            self._not_before = monotonic() + later.seconds
            return  # publishing looks first, so that it may be repeated
        except ProdwiseError as error:
            self._failed += 1
            if isinstance(error, ForgeError) and self._failed < PROPOSED_MAX:
                self._not_before = monotonic() + ASK_S
                return  # whether it was done may not be known
            self._note(f"a fix was found and could not be proposed: {error.message}", asked, state="failed")
        self._searches.end()
        self._at_work, self._told, self._failed = None, None, 0

    def _tell_of(self, asked: Mending, proposal: Proposal, kept: Kept) -> None:
        where, said = kept.published.url or f"branch {kept.published.branch}", why(proposal)
        broke = f"{asked.title[:1].upper()}{asked.title[1:]}\n" if asked.unmet is not None else ""
        text = f"{broke}{said[:1].upper()}{said[1:]}\n{where}\nIt is a draft: merge it, or close it to say no."
        self._tell(f"A fix is proposed for {asked.subject}", text)

    def _take_back(self, fixing: Fixing) -> None:
        if not any(due(one) for one in self._pulls.all()) or not self._may():
            return
        try:
            told = self._undoing.turn(fixing.forge())
        except Later as later:
            self._patience_s = later.seconds
            return
        if told:
            self._tell("A fix does not hold", told)

    # -- following them -------------------------------------------------------------------------------------------------

    def _hear(self, fixing: Fixing) -> None:
        if not any(one.wishes for one in self._pulls.all()) and not open_ones(self._pulls.all()):
            return
        try:
            self._hearing.turn(fixing.forge())
        except Later as later:
            self._patience_s = later.seconds
            self._hearing.give_up(later.message)
        except ConfigError as error:
            self._hearing.give_up(error.message)
            raise

    def _follow(self) -> None:
        """A merged fix has shipped once a verified-good release has it; the fault then counts as over, until it is seen again."""
        for kept in self._pulls.all():
            if kept.stage is Stage.MERGED or (kept.stage is Stage.WITHDRAWN and kept.undone is Undone.NOT_YET):
                self._shipped(kept)
            elif kept.stage is Stage.HELD and not kept.undoes and self._came_back(kept):
                text = f"the fault came back in a release that has its fix ({kept.shipped})"
                self._fails(kept, Stage.CAME_BACK, text)

    def _fails(self, kept: Kept, stage: Stage, text: str) -> None:
        self._pulls.put(replace(kept, stage=stage, failed=text, turned_at=now()), f"{text}: the fix does not hold")
        self._tell(f"A fix of {kept.incident} does not hold", text)

    def _shipped(self, kept: Kept) -> None:
        records, history = self._parts.records, self._parts.history
        newest = next((one for one in records.releases.list(50) if one.state is ReleaseState.VERIFIED_GOOD), None)
        if history is None or newest is None:
            return
        if not history.holds(newest.commit, kept.published.head, trailer(kept.published.branch)):
            if kept.stage is Stage.MERGED and not kept.undoes:
                self._refused(kept)
            return
        if kept.undoes:
            self._pulls.put(
                replace(kept, stage=Stage.HELD, shipped=newest.id), f"release {newest.id} has the fix taken back"
            )
            return
        group = self._parts.reporting.archive.group(kept.published.key) if self._parts.reporting else None
        if group is not None:
            records.settings.put(RESOLVED + group.key, asdict(resolve(group, now(), AUTOMATION)), AUTOMATION)
        self._pulls.put(
            replace(kept, stage=Stage.HELD, shipped=newest.id, failed=""),
            f"release {newest.id} has the fix and is verified good: the fault counts as over",
        )

    def _refused(self, kept: Kept) -> None:
        """Merged, and the release that brought it went back: it may be the fix that made it worse."""
        failed = self._undoing.withdrawn(kept)
        if failed is not None:
            text = f"release {failed.id}, which brought the fix, did not hold: {failed.reason or 'no reason is known'}"
            self._fails(replace(kept, shipped=failed.id), Stage.WITHDRAWN, text)

    def _came_back(self, kept: Kept) -> bool:
        told = self._parts.records.settings.get(RESOLVED + kept.published.key)
        group = self._parts.reporting.archive.group(kept.published.key) if self._parts.reporting else None
        if not told or group is None or self._parts.reporting is None:
            return False
        resolution = Resolution(told["at"], told["who"], tuple(told["releases"]))
        since = [one.release for one in self._parts.reporting.archive.tallies(group.key, resolution.at)]
        return state_of(group, resolution, now(), since) is GroupState.REGRESSED

    def _note(self, text: str, asked: Mending, **data: str) -> None:
        self._parts.records.ledger.append(
            ENTRY, text, actor=AUTOMATION, service=asked.service, incident=asked.incident, data=data
        )

    def _tell(self, title: str, text: str) -> None:
        try:
            self._parts.notifier.tell(title, text)
        except ProdwiseError as error:
            self._parts.records.ledger.append(ENTRY, f"nobody could be told: {error.message}", actor=AUTOMATION)


def _is_over(incident: Incident, at: float) -> bool:
    closed = incident.closed_at
    return closed is not None and at - closed < RECENT_S and incident.outcome in (Outcome.HEALED, Outcome.ABANDONED)
