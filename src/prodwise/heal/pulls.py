"""Healing pull requests as they are remembered: proposed, answered, merged, shipped, held or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, Final

from prodwise.heal.hands import AUTOMATION
from prodwise.heal.mending import Mending
from prodwise.model.errors import Refused
from prodwise.model.pull import Command, HealingPull, Published, PullState
from prodwise.ports import Forge, Records

SETTING: Final = "pulls"
KEPT_MAX: Final = 200
ENTRY: Final = "pull"
SHOWN_MAX: Final = 200


class Stage(StrEnum):
    OPEN = "open"
    CLOSED = "closed"  # the answer was no
    MERGED = "merged"
    HELD = "held"  # a release that has it is verified good
    CAME_BACK = "came back"  # the fault was seen again in such a release
    WITHDRAWN = "withdrawn"  # the release that brought it failed in its ramp or watch


class Undone(StrEnum):
    """Of a fix that does not hold."""

    NOT_YET = ""
    ASKED = "asked"  # the intent is on record
    PROPOSED = "proposed"
    LEFT = "left"  # to a person, who was told why


@dataclass(frozen=True, slots=True)
class Wish:
    """A command that was heard and is not done yet. at: when it was heard; failed: why it could not be done when it was tried."""

    command: Command
    by: str
    at: float
    failed: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """release: whose fault it ends; shipped: the release that brought it, "" until then; failed, turned_at: how it showed that it does
    not hold, and when; undone: what was done then; undoes: of one that takes
    a fix back, that fix's key; wishes: what people asked for, oldest first."""

    published: Published
    incident: str
    service: str
    release: str
    stage: Stage = Stage.OPEN
    shipped: str = ""
    failed: str = ""
    turned_at: float = 0.0
    undone: Undone = Undone.NOT_YET
    undoes: str = ""
    wishes: tuple[Wish, ...] = ()

    @property
    def name(self) -> tuple[str, str, int]:
        return self.published.key, self.published.branch, self.published.number


class Pulls:
    """One repository's, oldest first; the oldest are forgotten beyond KEPT_MAX, those that are over first."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def all(self) -> tuple[Kept, ...]:
        return tuple(_kept(one) for one in self._records.settings.get(SETTING) or ())

    def propose(self, forge: Forge, pull: HealingPull, asked: Mending) -> Kept:
        """The intent is on record before anything leaves this machine; publishing looks first, so that it may be repeated.
        Raises Refused, whose reason is on record then, or ForgeError."""
        history = tuple(one.published for one in self.all())
        self._note(
            f"about to propose: {pull.proposal.why}", asked.incident, asked.service, key=pull.key, state="intent"
        )
        try:
            made = forge.publish(pull, history)
        except Refused as no:
            self._note(f"not proposed: {no.message}", asked.incident, asked.service, key=pull.key, state="refused")
            raise
        kept = Kept(made, asked.incident, asked.service, asked.release.id)
        self.put(kept, f"a fix is proposed, as a draft: {made.url or made.branch}")
        return kept

    def propose_undo(self, forge: Forge, pull: HealingPull, kept: Kept) -> Kept:
        """As `propose`, for what takes a fix back. An intent that is on record already, of a turn that broke off, is not repeated."""
        if kept.undone is Undone.NOT_YET:
            self.put(replace(kept, undone=Undone.ASKED), f"about to propose: {pull.proposal.why}")
        made = forge.publish(pull, tuple(one.published for one in self.all()))
        undo = Kept(made, kept.incident, kept.service, kept.shipped or kept.release, undoes=kept.published.key)
        self.put(undo)
        return undo

    def say(self, forge: Forge, kept: Kept, text: str) -> Kept:
        """In our one comment on it."""
        self._note(f"about to say on {kept.published.url or kept.published.branch}: {text}", kept.incident, kept.service,
                   key=kept.published.key, state="intent")  # fmt: skip
        return replace(kept, published=forge.tell(kept.published, text))

    def put(self, kept: Kept, text: str = "") -> None:
        """Remembers it as it stands now; text: what happened, for the ledger ("" for nothing that is news)."""
        others = [one for one in self.all() if one.name != kept.name]
        going = (Stage.OPEN, Stage.MERGED, Stage.HELD)
        over = [one for one in others if one.stage not in going and not due(one)]
        forgotten = set(over[: max(0, len(others) + 1 - KEPT_MAX)])
        rows = [asdict(one) for one in [*(o for o in others if o not in forgotten), kept]][-KEPT_MAX:]
        with self._records.unit():
            self._records.settings.put(SETTING, rows, AUTOMATION)
            if text:
                self._note(text, kept.incident, kept.service, key=kept.published.key, state=kept.stage.value)

    def _note(self, text: str, incident: str, service: str, **data: str) -> None:
        self._records.ledger.append(ENTRY, text, actor=AUTOMATION, service=service, incident=incident, data=data)


def turned(kept: Kept, seen: Published) -> Kept:
    """With what its host says now."""
    stages: Mapping[PullState, Stage] = {
        PullState.OPEN: Stage.OPEN,
        PullState.CLOSED: Stage.CLOSED,
        PullState.MERGED: Stage.MERGED if kept.stage in (Stage.OPEN, Stage.CLOSED) else kept.stage,
    }
    return replace(kept, published=seen, stage=stages[seen.state])


def _kept(row: Mapping[str, Any]) -> Kept:
    published = {**row["published"], "state": PullState(row["published"]["state"])}
    stage, undone = Stage(row["stage"]), Undone(row.get("undone", ""))
    wishes = tuple(Wish(**{**one, "command": Command(one["command"])}) for one in row.get("wishes", ()))
    published_now = Published(**published)
    return Kept(**{**row, "published": published_now, "stage": stage, "undone": undone, "wishes": wishes})


def due(kept: Kept) -> bool:
    """It does not hold, and nothing has come of that yet. What takes a fix back is not taken back itself."""
    failed = kept.stage in (Stage.CAME_BACK, Stage.WITHDRAWN)
    return failed and not kept.undoes and kept.undone in (Undone.NOT_YET, Undone.ASKED)


def undo_key(kept: Kept) -> str:
    """Of what takes a fix back: a fault of its own, so that a no to the one is no no to the other."""
    return f"undo-{kept.published.key}"


def open_ones(all_kept: Sequence[Kept]) -> list[Kept]:
    """Those about which people may still say something: a closed one may be asked for again."""
    return [one for one in all_kept if one.stage in (Stage.OPEN, Stage.CLOSED)]


def progress(records: Records, names: Sequence[str]) -> Mapping[str, str]:
    """Incident or release → what became of looking for its fix, newest word, of those of which that is known."""
    told: dict[str, str] = {}
    for entry in records.ledger.recent(SHOWN_MAX, [ENTRY]):
        if entry.incident in names and entry.data.get("state") != "intent":
            told.setdefault(entry.incident, entry.text)
    return told
