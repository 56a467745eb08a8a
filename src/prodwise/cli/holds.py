"""Commands that hold the automation, or let it go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from prodwise.cli.codes import Code
from prodwise.cli.command import DryRun, Json, NoInput, Yes, command
from prodwise.cli.desk import Desk, paint, person
from prodwise.clock import now
from prodwise.model.autonomy import Autonomy
from prodwise.model.errors import UsageError

if TYPE_CHECKING:
    from prodwise.cli.client import Client

Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; shown to everyone.")]
Until = Annotated[
    str,
    typer.Option("--until", "--for", metavar="WHEN", help="2h, 18:00 or 2026-12-24T18:00; else until you unfreeze."),
]
StageName = Annotated[
    str, typer.Argument(metavar="STAGE", help="observe, suggest or auto; without it the present one is shown.")
]

REASON_MAX = 500
"""Characters; a longer reason is cut: it must not keep a stop from happening."""
MEANING = {
    Autonomy.OBSERVE: "detects, diagnoses and tells you; you act with one click",
    Autonomy.SUGGEST: "also proposes a plan, and carries it out once you approve it",
    Autonomy.AUTO: "also restarts and rolls back by itself, where every check passes, within budgets",
}


def add(app: typer.Typer) -> None:
    command(app, "Every day", "prodwise stop", 'prodwise stop --reason "migrating the database"')(stop)
    command(app, "Every day", "prodwise start")(start)
    command(app, "Every day", "prodwise freeze --for 2h", 'prodwise freeze --until 18:00 --reason "launch day"')(freeze)
    command(app, "Every day", "prodwise unfreeze")(unfreeze)
    command(app, "Set up", "prodwise stage", "prodwise stage suggest", "prodwise stage auto")(stage)


def stop(desk: Desk, reason: Reason = "", dry_run: DryRun = False, json: Json = False) -> int:
    """Stop all automation, at once. The app itself runs on.

    Works with the healer, its database and its pages dead or hanging, and survives a restart. `prodwise start` ends it.
    """
    from prodwise import wiring

    _an_app(desk)
    if dry_run:
        said = "Would stop every automatic action, now and after a restart. Nothing was changed."
        desk.data(dry_run=True, stopped=True) if json else desk.show(said)
        return Code.OK
    reason = reason[:REASON_MAX]
    wiring.stop_all(desk.app_dir, person(), reason)
    if json:
        desk.data(stopped=True, reason=reason)
        return Code.OK
    desk.show(f"{paint('■', 'bad')} Stopped: Prodwise does nothing by itself any more. Your app is not touched.")
    desk.say("  prodwise start lets it act again", "dim")
    return Code.OK


def start(desk: Desk, dry_run: DryRun = False, json: Json = False) -> int:
    """Let the automation act again after a stop."""
    from prodwise import wiring

    _an_app(desk)
    if dry_run:
        desk.data(dry_run=True, stopped=False) if json else desk.show("Would end the stop. Nothing was changed.")
        return Code.OK
    was = wiring.start_again(desk.app_dir, person())
    if json:
        desk.data(stopped=False, was_stopped=was)
    elif was:
        desk.show(f"{paint('✓', 'good')} Prodwise may act again, as far as its stage allows.")
    else:
        desk.show("It was not stopped. `prodwise status` shows what it does.")
    return Code.OK


def _an_app(desk: Desk) -> None:
    """Raises UsageError in a folder without one: a stop there would stop nothing, and say that it did."""
    from prodwise import wiring
    from prodwise.cli.client import nobody_answers

    if not wiring.is_app(desk.app_dir):
        hint = nobody_answers(desk.app_dir).hint
        raise UsageError(f"there is no app of Prodwise in {desk.app_dir.resolve()}: nothing was changed", hint)


def freeze(desk: Desk, until: Until = "", reason: Reason = "", dry_run: DryRun = False, json: Json = False) -> int:
    """No automatic change and no deploy for a while. Watching goes on."""
    from prodwise.cli.times import clock, until_of

    ends = until_of(until) if until else None
    words = f"until {clock(ends)}" if ends else "until you unfreeze"
    client = desk.client()
    if dry_run:
        _freeze_now(client)
        said = f"Would freeze {words}. Nothing was changed."
        desk.data(dry_run=True, frozen=True, until=ends) if json else desk.show(said)
        return Code.OK
    client.post("freeze", until=ends, reason=reason[:REASON_MAX])
    if json:
        desk.data(frozen=True, until=ends, reason=reason)
    else:
        desk.show(f"{paint('✓', 'good')} Frozen {words}: no automatic change, no deploy.")
    return Code.OK


def unfreeze(desk: Desk, dry_run: DryRun = False, json: Json = False) -> int:
    """End a freeze."""
    client = desk.client()
    frozen = _freeze_now(client)
    by = f"{frozen['who']}'s freeze" if frozen else ""
    if not dry_run:
        client.post("unfreeze")
    if json:
        desk.data(**({"dry_run": True} if dry_run else {}), frozen=False, was_frozen=bool(frozen))
    elif dry_run:
        desk.show(f"Would end {by}. Nothing was changed." if frozen else "It is not frozen. Nothing was changed.")
    elif frozen:
        desk.show(f"{paint('✓', 'good')} Not frozen any more: {paint(by, '')} has ended.")
    else:
        desk.show("It was not frozen. `prodwise status` shows what it does.")
    return Code.OK


def _freeze_now(client: Client) -> Mapping[str, Any]:
    """The freeze in force; empty without one."""
    found = client.get("settings")["settings"].get("freeze")
    return found if found and (found["until"] is None or found["until"] > now()) else {}


def stage(
    desk: Desk,
    name: StageName = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    no_input: NoInput = False,
    json: Json = False,
) -> int:
    """How much Prodwise may do by itself. Only a person raises it."""
    client = desk.client()
    now_at = client.get("settings")
    if not name:
        desk.data(stage=now_at["stage"], held=now_at["held"]) if json else _stages(
            desk, now_at["stage"], now_at["held"]
        )
        return Code.OK
    wanted = stage_named(name)
    if dry_run:
        said = f"Would go from {now_at['stage']} to {wanted.value}: {MEANING[wanted]}. Nothing was changed."
        desk.data(dry_run=True, stage=wanted.value, before=now_at["stage"]) if json else desk.show(said)
        return Code.OK
    raised = wanted.rank > Autonomy(now_at["stage"]).rank
    then = [f"Prodwise then {MEANING[wanted]}."]
    if raised and not desk.agree(f"Raise to {wanted.value}?", then, yes=yes, no_input=no_input):
        return Code.FAILED
    answer = client.post("stage", autonomy=wanted.value)
    reached, held = Autonomy(answer["stage"]), str(answer["held"])
    if json:
        desk.data(stage=reached.value, held=held)
    else:
        desk.show(f"{paint('✓', 'good')} stage {paint(reached.value, 'bold')}: {MEANING[reached]}")
    if held:
        desk.say(f"{held}: raise it there too if you mean it", "warn")
        return Code.REFUSED
    return Code.OK


def stage_named(name: str) -> Autonomy:
    """Raises UsageError that names the stages."""
    try:
        return Autonomy(name.lower())
    except ValueError:
        raise UsageError(f"there is no stage {name!r}", "observe, suggest or auto") from None


def _stages(desk: Desk, current: str, held: str) -> None:
    for one in Autonomy:
        here = one.value == current
        mark = paint("▸", "accent") if here else " "
        desk.show(f"{mark} {paint(one.value.ljust(8), 'bold' if here else 'dim')} {MEANING[one]}")
    if held:
        desk.show(paint(f"  {held}", "warn"))
