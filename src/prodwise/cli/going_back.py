"""What a person who wants to go back is told first: where it leads, and what migrations did to the data since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from prodwise.cli.client import Client
from prodwise.cli.desk import Desk
from prodwise.model.release import Release, ReleaseState
from prodwise.model.schema import Finding

SHOWN_MAX = 10


@dataclass(frozen=True, slots=True)
class Goal:
    """Where a rollback leads. serving: what users reach now; plan: both in words; withdrawn: a release on its way, or left with a
    share of the users, which alone is taken back: the goal serves beside it, on the same data; asked: the release that was named, in
    full, "" for none."""

    release: str
    serving: list[str]
    plan: str
    withdrawn: str = ""
    known: tuple[Release, ...] | None = None  # None: only those on disk are known
    asked: str = ""


def goal_of(client: Client, wanted: str) -> Goal:
    """Raises what the healer would, and why not."""
    from prodwise.cli.reads import rows_begun
    from prodwise.loop.goal import meant, return_target

    seen = client.get("releases")
    older = rows_begun(client, "releases", wanted) if wanted else []
    rows = {row["id"]: row for row in (*seen["releases"], *older)}
    known = tuple(sorted(map(_release, rows.values()), key=lambda one: -one.number))
    serving = sorted(seen["serving"])
    wanted = meant(known, wanted).id if wanted else ""
    on_way = [r for r in client.get("rollouts")["rollouts"] if r["state"] not in ("queued", "verified_good", "failed")]
    # a healer of an earlier version that is still up tells neither: that must keep nobody from going back
    told = str(seen.get("stable") or next(iter(serving), "")), str(seen.get("beside", ""))
    stable, beside = (str(on_way[-1]["previous"]), "") if on_way else told
    if on_way and wanted in ("", stable):
        leaves = str(on_way[-1]["release"])
        plan = f"{leaves}, which is on its way, would be withdrawn; all users would be on {stable or 'nothing'}."
        return Goal(stable, serving, plan, leaves, known, wanted)
    goal = return_target(known, stable, wanted, beside).id
    if goal == stable and beside:
        plan = f"{beside}, which still has users, would be withdrawn; all users would be on {stable}."
        return Goal(goal, serving, plan, beside, known, wanted)
    plan = f"Users are on {', '.join(serving) or 'nothing known'}; they would go back to {goal}."
    return Goal(goal, serving, plan, known=known, asked=wanted)


def _release(row: Mapping[str, Any]) -> Release:
    return Release(**{**row, "state": ReleaseState(row["state"])})


@dataclass(frozen=True, slots=True)
class Warned:
    """What migrations did since the goal; found: None when it could not be told. why: what speaks against going back, or ""."""

    found: tuple[Finding, ...] | None
    why: str
    withdrawn: str

    @property
    def doubtful(self) -> bool:
        """Whether it takes one more yes. Withdrawing changes nothing for the release that has served all along."""
        return bool(self.why) and not self.withdrawn

    def lines(self) -> list[str]:
        if not self.why:
            return []
        unsafe = [one for one in self.found or () if not one.safe]
        told = [f"{one.kind.value}: {one.where} {one.what}: {one.reason}" for one in unsafe[:SHOWN_MAX]]
        more = [f"and {len(unsafe) - SHOWN_MAX} more"] if len(unsafe) > SHOWN_MAX else []
        first = (
            "Migrations since then do not go back with the code:"
            if unsafe
            else f"{self.why[:1].upper()}{self.why[1:]}."
        )
        stays = f"{self.withdrawn} ran them before it had users; they stay." if self.withdrawn else ""
        return [first, *(f"  {line}" for line in (*told, *more)), *filter(None, [stays])]

    def data(self) -> Mapping[str, Any]:
        return {"asks": self.why if self.doubtful else "", "schema": [asdict(one) for one in self.found or ()]}


def warned(desk: Desk, goal: Goal) -> Warned:
    """Never keeps a person from going back: what cannot be read is told as not known."""
    from prodwise import wiring
    from prodwise.loop.choose import schema

    known: Sequence[Release] | None = goal.known
    if goal.withdrawn and known is not None:
        known = [one for one in known if one.id in (goal.release, goal.withdrawn)]
    found = wiring.migrated_since(desk.app_dir, goal.release, known) if goal.release else ()
    return Warned(found, schema.asks(found), goal.withdrawn)


def agreed(desk: Desk, question: str, consequences: Sequence[str], told: Warned, *, yes: bool, no_input: bool) -> bool:
    """Told first, also with --yes; where migrations speak against it, a second question."""
    for line in told.lines():
        desk.say(line, "warn")
    if not desk.agree(question, consequences, yes=yes, no_input=no_input):
        return False
    return not told.doubtful or desk.agree("Go back all the same?", [], yes=yes, no_input=no_input)
