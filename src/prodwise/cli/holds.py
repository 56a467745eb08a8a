"""Commands that hold the automation, or let it go."""

from __future__ import annotations

from typing import Annotated

import typer

from prodwise.cli.codes import Code
from prodwise.cli.command import DryRun, Json, NoInput, Yes, command
from prodwise.cli.desk import Desk, paint, person
from prodwise.model.autonomy import Autonomy
from prodwise.model.errors import UsageError

Reason = Annotated[str, typer.Option("--reason", help="Why; shown to everyone.")]
Until = Annotated[
    str,
    typer.Option("--until", "--for", metavar="WHEN", help="2h, 18:00 or 2026-12-24T18:00; else until you unfreeze."),
]
StageName = Annotated[
    str, typer.Argument(metavar="STAGE", help="observe, suggest or auto; without it the present one is shown.")
]

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


def stop(desk: Desk, reason: Reason = "", dry_run: DryRun = False) -> int:
    """Stop all automation, at once. The app itself runs on.

    Works with the healer, its database and its pages dead or hanging, and survives a restart. `prodwise start` ends it.
    """
    if dry_run:
        desk.show("Would stop every automatic action, now and after a restart. Nothing was changed.")
        return Code.OK
    from prodwise import wiring

    wiring.stop_all(desk.app_dir, person(), reason)
    desk.show(f"{paint('■', 'bad')} Stopped: Prodwise does nothing by itself any more. The app runs on.")
    desk.say("  prodwise start lets it act again", "dim")
    return Code.OK


def start(desk: Desk, dry_run: DryRun = False) -> int:
    """Let the automation act again after a stop."""
    if dry_run:
        desk.show("Would end the stop. Nothing was changed.")
        return Code.OK
    from prodwise import wiring

    if wiring.start_again(desk.app_dir, person()):
        desk.show(f"{paint('✓', 'good')} Prodwise may act again, as far as its stage allows.")
    else:
        desk.show("It was not stopped. `prodwise status` shows what it does.")
    return Code.OK


def freeze(desk: Desk, until: Until = "", reason: Reason = "", dry_run: DryRun = False) -> int:
    """No automatic change and no deploy for a while. Watching goes on."""
    from prodwise.cli.times import clock, until_of

    ends = until_of(until) if until else None
    words = f"until {clock(ends)}" if ends else "until you unfreeze"
    if dry_run:
        desk.show(f"Would freeze {words}. Nothing was changed.")
        return Code.OK
    desk.client().post("freeze", until=ends, reason=reason)
    desk.show(f"{paint('✓', 'good')} Frozen {words}: no automatic change, no deploy.")
    return Code.OK


def unfreeze(desk: Desk, dry_run: DryRun = False) -> int:
    """End a freeze."""
    if dry_run:
        desk.show("Would end the freeze. Nothing was changed.")
        return Code.OK
    desk.client().post("unfreeze")
    desk.show(f"{paint('✓', 'good')} Not frozen any more.")
    return Code.OK


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
        desk.show(f"Would go from {now_at['stage']} to {wanted.value}: {MEANING[wanted]}. Nothing was changed.")
        return Code.OK
    raised = wanted.rank > Autonomy(now_at["stage"]).rank
    if raised and not desk.agree(
        f"Raise to {wanted.value}?", [f"Prodwise then {MEANING[wanted]}."], yes=yes, no_input=no_input
    ):
        return Code.FAILED
    answer = client.post("stage", autonomy=wanted.value)
    desk.show(f"{paint('✓', 'good')} stage {paint(answer['stage'], 'bold')}: {MEANING[Autonomy(answer['stage'])]}")
    if answer["held"]:
        desk.say(f"{answer['held']}: raise it there too if you mean it", "warn")
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
