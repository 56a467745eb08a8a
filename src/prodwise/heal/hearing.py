"""What people say on healing pull requests: heard once, and done until it is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from prodwise.clock import now
from prodwise.heal.pulls import Kept, Pulls, Undone, Wish, open_ones, turned
from prodwise.heal.sought import again
from prodwise.model.errors import ForgeError, Later
from prodwise.model.pull import Asked, Command, Published, PullEvent, Turned, Unheeded
from prodwise.ports import Forge, Records

WISHES_MAX: Final = 8
"""Of one pull request that are not done yet; what is said beyond them is told as not heeded."""
WAIT_S: Final = 24 * 3600.0
"""So long it is tried to do what was asked; then that is told."""
SMALLER: Final = "This is the smallest change that was found to pass all gates; `retry` looks again."


class Hearing:
    """tell: a person, besides."""

    def __init__(self, records: Records, pulls: Pulls, tell: Callable[[str, str], None]) -> None:
        self._records, self._pulls, self._tell = records, pulls, tell

    def turn(self, forge: Forge) -> None:
        """1. What was said since of each, on record as a whole: how far it was read, and what is to be done. 2. What is to be done,
        from this look or an earlier one. Raises ForgeError in the end where one could not be heard, Later at once when the host asks
        for patience: `give_up` is for what waited long enough then."""
        failed: ForgeError | None = None
        for before in open_ones(self._pulls.all()):
            try:
                looked = forge.look([before.published])
            except Later:
                raise
            except ForgeError as error:
                failed = error
                continue
            self._note(before, looked.pulls[0], looked.events)
        for kept, wish in self._wishes():
            self._do(forge, kept, wish)
        if failed is not None:
            raise failed

    def give_up(self, reason: str) -> None:
        """What was asked more than a day ago, as nothing could be asked of the host for this reason. A person is told."""
        for kept, wish in self._wishes():
            if _late(wish):
                self._failed(kept, wish, reason)

    def _wishes(self) -> Iterator[tuple[Kept, Wish]]:
        """Each beside its pull request as it stands by then."""
        for name, wish in [(one.name, wish) for one in self._pulls.all() for wish in one.wishes]:
            yield next(one for one in self._pulls.all() if one.name == name), wish

    def _note(self, before: Kept, seen: Published, events: Sequence[PullEvent]) -> None:
        kept = turned(before, seen)
        if kept == before and not events:
            return
        with self._records.unit():
            self._pulls.put(kept)
            for event in events:
                kept, said = _heard(kept, event)
                self._pulls.put(kept, said)

    def _do(self, forge: Forge, kept: Kept, wish: Wish) -> None:
        """It is struck off together with what it changed here; on the host a repetition changes nothing."""
        try:
            done = self._obeyed(forge, kept, wish)
        except Later:
            raise
        except ForgeError as error:
            self._failed(kept, wish, error.message)
            return
        done = replace(done, wishes=_without(kept, wish))
        with self._records.unit():
            if wish.command is Command.RETRY:
                self._look_again(kept)
            self._pulls.put(done, f"done: {wish.command.value}, as {wish.by} asked")

    def _failed(self, kept: Kept, wish: Wish, reason: str) -> None:
        """The reason is told when it is news; after a day it is given up, and a person told."""
        if _late(wish):
            kept = replace(kept, wishes=_without(kept, wish))
            text = f"{wish.by} asked to {wish.command.value}, which could not be done within a day: {reason}"
            self._pulls.put(kept, text)
            self._tell(f"A word on the fix of {kept.incident} could not be followed", text)
        elif reason != wish.failed:
            later = replace(wish, failed=reason)
            kept = replace(kept, wishes=tuple(later if one == wish else one for one in kept.wishes))
            self._pulls.put(kept, f"{wish.command.value}, as {wish.by} asked, is tried again: {reason}")

    def _obeyed(self, forge: Forge, kept: Kept, wish: Wish) -> Kept:
        if wish.command is Command.CLOSE:
            return turned(kept, forge.close(kept.published))
        if wish.command is Command.RETRY:
            return replace(kept, published=replace(kept.published, retried=True))
        said = _explained(kept) if wish.command is Command.EXPLAIN else SMALLER
        return replace(kept, published=forge.tell(kept.published, said))

    def _look_again(self, kept: Kept) -> None:
        if not kept.undoes:
            again(self._records, kept.incident)
            return
        for one in self._pulls.all():
            if one.published.key == kept.undoes and one.undone in (Undone.PROPOSED, Undone.LEFT):
                self._pulls.put(replace(one, undone=Undone.NOT_YET, turned_at=now()))


def _heard(kept: Kept, event: PullEvent) -> tuple[Kept, str]:
    """(as it is remembered then, what the ledger says)."""
    by = event.by or "somebody"
    if isinstance(event, Turned):
        return kept, f"{by}: the proposed fix is {event.state.value}"
    if isinstance(event, Unheeded):
        return kept, f"a command by {by} was not heeded: {event.reason}"
    if len(kept.wishes) >= WISHES_MAX:
        return kept, f"a command by {by} was not heeded: {WISHES_MAX} are waiting already"
    return replace(kept, wishes=(*kept.wishes, _wish(event))), f"{by} asked to {event.command.value}"


def _explained(kept: Kept) -> str:
    if kept.incident == kept.release:
        return f"This is for release {kept.release}, which no user met: `prodwise why {kept.release}` tells why it was refused."
    return (
        f"This is for incident {kept.incident} of {kept.service}, seen in release {kept.release}: "
        f"`prodwise report {kept.incident}` tells it with its evidence."
    )


def _late(wish: Wish) -> bool:
    return now() - wish.at > WAIT_S


def _wish(event: Asked) -> Wish:
    return Wish(event.command, event.by or "somebody", now())


def _without(kept: Kept, wish: Wish) -> tuple[Wish, ...]:
    at = kept.wishes.index(wish)
    return (*kept.wishes[:at], *kept.wishes[at + 1 :])
