"""A merged fix that does not hold: a draft that takes it back, and a word on the pull request that brought it. A person merges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from prodwise.clock import now
from prodwise.heal.mending import proof_of
from prodwise.heal.parts import Parts
from prodwise.heal.pulls import Kept, Pulls, Stage, Undone, due, undo_key
from prodwise.loop.publish.body import trailer
from prodwise.loop.verify.patch import Scene, policy_gate, read
from prodwise.loop.verify.patch.protected import marks, packages_of
from prodwise.model.action import ActionKind
from prodwise.model.errors import ForgeError, GateFailed, Refused, TargetError, UsageError
from prodwise.model.gate import GateResult, Verdict, worst
from prodwise.model.outside import WHOLE_APP
from prodwise.model.patch import Proposal
from prodwise.model.pull import HealingPull
from prodwise.model.release import Release, ReleaseState
from prodwise.model.revert import Revert
from prodwise.ports import Forge
from prodwise.ports.repair import TakesBack, TriesBack

REPAIRER: Final = "undo"
WAIT_S: Final = 24 * 3600.0
"""So long it is waited for calm; then a person, who was told, does it by hand."""
RELEASES: Final = 50
Said = tuple[tuple[GateResult, ...], tuple[str, ...]]
UNDO: Final = "Revert the merge commit: the fix is back then."
AFTER: Final = (
    "The release that has it is ramped and watched like any other. The fault that the fix was for is open again."
)
UNTRIED: Final = "the tests with the fix taken back: nothing was run for it, your own checks are"


class Undoing:
    """Thinks of one at a time: what was begun is ended first."""

    def __init__(self, parts: Parts, pulls: Pulls, takes_back: TakesBack | None, tries: TriesBack | None) -> None:
        self._parts, self._pulls, self._takes_back, self._tries = parts, pulls, takes_back, tries
        self._said: tuple[tuple[str, str], Said] | None = (
            None  # of what was tried last: the host may have to be asked again
        )

    def withdrawn(self, kept: Kept) -> Release | None:
        """The newest release that failed and has this fix, where none that has it is good."""
        releases, history = self._parts.records.releases.list(RELEASES), self._parts.history
        failed = next((one for one in releases if one.state is ReleaseState.FAILED and self._was_judged(one)), None)
        if failed is None or history is None or failed.id == kept.release:
            return None
        return failed if history.holds(failed.commit, kept.published.head, trailer(kept.published.branch)) else None

    def _was_judged(self, release: Release) -> bool:
        """It met users, and no person called it back: one that could not be built says nothing of the fix in it."""
        records = self._parts.records
        stages = [
            one for one in records.ledger.entries(incident=release.id) if one.kind in ("rollout_stage", "promoted")
        ]
        met = any(one.kind == "promoted" or (one.data.get("share") or 0) > 0 for one in stages)
        return met and not records.settings.get(f"cancel:{release.id}")

    def turn(self, forge: Forge) -> str:
        """1. Which one is due. 2. Is production calm? 3. What takes it back, and the gates. 4. The intent, then the draft, then the
        word on the first one. Returns what people should be told, "" for nothing. Raises ForgeError; the next turn goes on."""
        kept = next((one for one in self._pulls.all() if due(one)), None)
        if kept is None or self._takes_back is None:
            return ""
        late = now() - kept.turned_at > WAIT_S
        if not self._calm(kept):
            return self._left(kept, "production was not calm within a day") if late else ""
        try:
            made = self._pulls.propose_undo(forge, self._pull(kept, self._takes_back), kept)
        except ForgeError as error:
            if not late:
                raise  # the host may answer later
            return self._left(kept, error.message)
        except (Refused, GateFailed, TargetError, UsageError) as no:
            return self._left(kept, no.message)
        where = made.published.url or f"branch {made.published.branch}"
        try:
            kept = self._pulls.say(
                forge, kept, f"This fix does not hold: {kept.failed}. A draft takes it back: {where}"
            )
        except ForgeError:
            if not late:
                raise
        self._pulls.put(replace(kept, undone=Undone.PROPOSED), f"taking it back is proposed, as a draft: {where}")
        return f"{kept.failed}\nA draft takes it back: {where}\nA person merges it, or closes it."

    def _left(self, kept: Kept, reason: str) -> str:
        self._pulls.put(replace(kept, undone=Undone.LEFT), f"taking it back is not proposed: {reason}")
        return f"{kept.failed}\nNo draft takes it back: {reason}\nA person decides what becomes of it."

    def _calm(self, kept: Kept) -> bool:
        """Users are served, by a known release, none is on its way, and nothing is open on that service."""
        records = self._parts.records
        if not self._parts.serving() or records.rollouts.current() is not None:
            return False
        return all(one.service not in (kept.service, WHOLE_APP) for one in records.incidents.list(open_only=True))

    def _pull(self, kept: Kept, takes_back: TakesBack) -> HealingPull:
        release = self._base(kept)
        base = release.commit
        found = takes_back.undo(base, kept.published.head, trailer(kept.published.branch))
        why = f"the fix of {kept.incident} does not hold: {found.commit[:7]} is taken back"
        proposal = Proposal(REPAIRER, ActionKind.REVERT, found.diff, why, commit=found.commit)
        gates = self._gates(base, proposal, found)
        unchecked: tuple[str, ...] = (UNTRIED,)
        if self._tries is not None and worst(gates) is Verdict.PASS:
            ran, unchecked = self._tried(self._tries, release, proposal)
            gates = (*gates, *ran)
        return HealingPull(
            key=undo_key(kept), base=base, proposal=proposal, gates=gates, broke=kept.failed,
            serving=self._parts.serving(), calm=True, undo=UNDO, after=AFTER, at=kept.turned_at, proof=tuple(proof_of(gates)),
            unchecked=(*unchecked, *self._beside(kept)),
        )  # fmt: skip

    def _tried(self, tries: TriesBack, release: Release, proposal: Proposal) -> Said:
        """Raises Refused, with the reason, for what does not pass."""
        asked = (release.commit, proposal.diff)
        if self._said is None or self._said[0] != asked:
            self._said = asked, tries.tried(release.commit, release.id, proposal)
        said = self._said[1]
        for one in said[0]:
            if one.verdict is not Verdict.PASS:
                raise Refused(f"{one.gate}: {one.reason}", "a person decides")
        return said

    def _base(self, kept: Kept) -> Release:
        """Where the fix is known to be, the newest such release."""
        history, mark = self._parts.history, trailer(kept.published.branch)
        for one in self._parts.records.releases.list(RELEASES):
            if history is not None and history.holds(one.commit, kept.published.head, mark):
                return one
        raise Refused("no release is known that has the fix", "was it taken back already?")

    def _gates(self, base: str, proposal: Proposal, found: Revert) -> tuple[GateResult, ...]:
        history = self._parts.history
        names = [name for file in read(proposal.diff) for name in file.names]
        texts = history.texts(base, names) if history is not None else {}
        made = packages_of(history.texts(base, sorted(marks(names)))) if history is not None else frozenset()
        whole = GateResult("whole", Verdict.PASS, f"all of {found.commit[:7]} goes back, and no later change clashes")
        inverse = self._takes_back.inverse(base, found.commit) if self._takes_back is not None else ""
        return policy_gate(proposal, Scene(texts, inverse=inverse, packages=made)), whole

    def _beside(self, kept: Kept) -> Sequence[str]:
        """What else came with the release that failed: it may be that instead."""
        releases, history = self._parts.records.releases.list(RELEASES), self._parts.history
        failed = next((one for one in releases if one.id == kept.shipped), None)
        good = (ReleaseState.VERIFIED_GOOD, ReleaseState.RETIRED)
        before = next((one for one in releases if failed and one.number < failed.number and one.state in good), None)
        if kept.stage is not Stage.WITHDRAWN or failed is None or before is None or history is None:
            return ()
        others = [one for one in history.commits(before.commit, failed.commit) if one.sha != kept.published.head]
        return (f"whether it was the fix: {len(others)} more commits came with {failed.id}",) if others else ()
