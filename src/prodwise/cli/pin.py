"""`prodwise pin`: a package back to a version that worked, and held there."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from prodwise.cli.codes import Code
from prodwise.cli.command import DryRun, Json, NoInput, Yes, command
from prodwise.cli.desk import Desk, paint
from prodwise.cli.edits import How, Repo, carry_out
from prodwise.model.errors import UsageError

if TYPE_CHECKING:
    from prodwise.model.pin import Hold
    from prodwise.repair.scratch import Scratch

Package = Annotated[str, typer.Argument(metavar="PACKAGE[==VERSION]", help="Without a version: the last good one.")]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why it is held.")]
Until = Annotated[
    str, typer.Option("--until", metavar="DATE", help="The hold's last day, as 2031-01-31; else in 30 days.")
]
List = Annotated[bool, typer.Option("--list", help="Show what is held.")]
End = Annotated[str, typer.Option("--release", metavar="PACKAGE", help="End a hold.")]

RESOLVE_S: Final = 120.0
HOLD_DAYS: Final = 30


def add(app: typer.Typer) -> None:
    command(
        app, "Act", "prodwise pin requests", 'prodwise pin requests==2.31.0 --reason "timeouts" --until 2031-01-31',
        "prodwise pin requests --dry-run", "prodwise pin --list", "prodwise pin --release requests", folder=False,
    )(pin)  # fmt: skip


def pin(
    desk: Desk,
    package: Package = "",
    repo: Repo = Path("."),
    reason: Reason = "",
    until: Until = "",
    list_: List = False,
    release: End = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    no_input: NoInput = False,
    json: Json = False,
) -> int:
    """Take a package back to a version that worked, and hold it there. Only lock files, manifests and the list of holds change.

    The version is the last one in the history of your lock files that is older than the one in use, or the one you name.
    Files are changed in your working tree, after you were shown how; nothing is committed or installed. The hold is kept in
    .prodwise-holds.toml, and told to uv, Poetry, PDM, npm, pnpm and Yarn in their own manifests. docs/repairs.md has the details.
    """
    from prodwise.repair.scratch import scratch

    if sum(map(bool, (package, list_, release))) != 1:
        raise UsageError("name a package, or say --list or --release PACKAGE", "prodwise pin requests --dry-run")
    how = How(dry_run, yes, no_input, json)
    with scratch(repo) as made:
        if list_:
            return _listed(desk, made, as_json=json)
        if release:
            return _released(desk, made, release, how)
        return _pinned(desk, made, _hold(package, reason, until), how, renew=bool(reason or until))


def _pinned(desk: Desk, made: Scratch, hold: Hold, how: How, *, renew: bool) -> int:
    from prodwise.repair.pins.pin import pinned

    desk.detail("looking through the history of the lock files")
    found = pinned(made, made.head, hold, RESOLVE_S, renew=renew)
    plan = found.plan
    facts: dict[str, Any] = {
        "package": plan.package, "ecosystem": plan.ecosystem.value, "before": plan.before, "version": plan.version,
        "seen": found.seen.commit if found.seen else None, "files": list(plan.edits), "diff": found.diff,
        "told": list(plan.told), "command": plan.command or None,
    }  # fmt: skip
    if plan.command:
        return _by_hand(desk, facts, as_json=how.json)
    if not plan.edits:
        already = f"{plan.package} is held at {plan.version} already. Nothing was changed."
        desk.data(**facts, done=False) if how.json else desk.show(already)
        return Code.OK
    return carry_out(desk, made, facts, [_moves(facts), *plan.told], f"Pin {plan.package} to {plan.version}?", how)


def _hold(asked: str, reason: str, until: str) -> Hold:
    from prodwise.clock import now
    from prodwise.model.breakage import Ecosystem
    from prodwise.model.pin import Hold

    name, mark, version = asked.partition("==")
    if not mark and "@" in asked[1:]:
        name, mark, version = asked[0] + asked[1:].partition("@")[0], "@", asked[1:].partition("@")[2]
    if mark and not version:
        raise UsageError(f"{asked!r} names no version", "leave == out for the last good one")
    today = datetime.fromtimestamp(now(), UTC).date()
    try:
        expires = date.fromisoformat(until) if until else today + timedelta(days=HOLD_DAYS)
    except ValueError:
        raise UsageError(f"{until!r} is no date", "--until takes a date like 2031-01-31") from None
    if expires < today:
        raise UsageError(f"{until} is in the past", "--until takes a date to come, like 2031-01-31")
    return Hold(name.strip(), Ecosystem.PYTHON, version.strip(), reason, today, expires)


def _moves(facts: dict[str, Any]) -> str:
    seen = f"seen in {facts['seen'][:8]}" if facts["seen"] else "never used in this repository before: you vouch for it"
    return f"{facts['package']} {facts['before']} → {facts['version']} ({seen})"


def _by_hand(desk: Desk, facts: dict[str, Any], *, as_json: bool) -> int:
    if as_json:
        desk.data(**facts, done=False)
    else:
        desk.show(_moves(facts), f"Only their own tool writes {facts['ecosystem']} lock files. Run it yourself:")
        desk.show(f"  {paint(facts['command'] or 'no command is known', 'accent')}", "Nothing was changed.")
    return Code.OK


def _listed(desk: Desk, made: Scratch, *, as_json: bool) -> int:
    from prodwise.clock import now
    from prodwise.loop.choose.pins import due
    from prodwise.repair.pins.pin import held

    holds = held(made, made.head)
    late = due(holds, datetime.fromtimestamp(now(), UTC).date())
    rows = [
        {
            "package": one.package, "ecosystem": one.ecosystem.value, "version": one.version, "reason": one.reason,
            "since": one.since.isoformat(), "expires": one.expires.isoformat(), "due": one in late,
        }
        for one in holds
    ]  # fmt: skip
    if as_json:
        desk.data(holds=rows)
        return Code.OK
    if not rows:
        desk.show("Nothing is held.")
    for row in rows:
        end = paint("ran out " if row["due"] else "until ", "warn" if row["due"] else "dim") + str(row["expires"])
        desk.show(f"{paint(row['package'], 'bold')} {paint(row['version'], '')}  {end}  {paint(row['reason'], '')}")
        if row["due"]:
            desk.show(f"  end it: prodwise pin --release {paint(row['package'], '')}")
    return Code.OK


def _released(desk: Desk, made: Scratch, package: str, how: How) -> int:
    from prodwise.repair.pins.pin import released

    paths, diff = released(made, made.head, package)
    facts: dict[str, Any] = {"package": package, "files": list(paths), "diff": diff}
    lines = [f"{package} may be updated again; it stays at its version until an update moves it."]
    return carry_out(desk, made, facts, lines, f"End the hold of {package}?", how)
