"""Commands that bring the house up and down, and set it up."""

from __future__ import annotations

import json as json_module
import time
from typing import Annotated, Any

import typer

from prodwise.cli.codes import Code
from prodwise.cli.command import DryRun, Json, NoInput, Yes, command
from prodwise.cli.desk import Desk, paint
from prodwise.clock import monotonic
from prodwise.model.autonomy import Autonomy
from prodwise.model.errors import NotRunning, ProdwiseError, UsageError

StageOption = Annotated[
    str, typer.Option("--stage", metavar="STAGE", help="How much Prodwise may do: observe, suggest or auto.")
]
NoHealer = Annotated[bool, typer.Option("--no-healer", help="Only the app, its proxy and its supervisor.")]
Foreground = Annotated[
    bool, typer.Option("--foreground", help="Stay, tell what happens, and take everything down on Ctrl-C.")
]
Unit = Annotated[bool, typer.Option("--unit", help="Only print a systemd unit that brings it up after a reboot.")]
Number = Annotated[int, typer.Argument(min=0, max=15, help="Which of the receivers.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite a prodwise.toml that is there.")]
Schema = Annotated[bool, typer.Option("--schema", help="The JSON Schema of prodwise.toml.")]

READY_S = 30.0


def add(app: typer.Typer) -> None:
    command(app, "Get started", "prodwise init", "prodwise init --dry-run", "prodwise init -y")(init)
    command(app, "Get started", "prodwise up", "prodwise up --stage suggest", "prodwise up --unit > prodwise.service")(
        up
    )
    command(app, "Get started", "prodwise down", "prodwise down -y")(down)
    command(app, "Set up", "prodwise login")(login)
    command(app, "Set up", "prodwise config", "prodwise config --json", "prodwise config --schema > schema.json")(
        config
    )
    command(app, "Set up", "prodwise version", "prodwise version --json", folder=False)(version)
    command(app, "Set up", "prodwise serve --dir /srv/shop", hidden=True)(serve)
    command(app, "Set up", "prodwise receive 0 --dir /srv/shop", hidden=True)(receive)


def init(
    desk: Desk,
    dry_run: DryRun = False,
    force: Force = False,
    yes: Yes = False,
    no_input: NoInput = False,
    json: Json = False,
) -> int:
    """Look at this folder and write a short prodwise.toml. Shows everything first; touches nothing else.

    Of .env files only the names of keys are read, never their values.
    """
    from prodwise.cli.init import run

    return run(desk, dry_run=dry_run, force=force, yes=yes, no_input=no_input, as_json=json)


def up(
    desk: Desk, stage: StageOption = "", no_healer: NoHealer = False, foreground: Foreground = False, unit: Unit = False,
    json: Json = False,
) -> int:  # fmt: skip
    """Start the app behind its proxy, and Prodwise beside it. Again is harmless: it starts what does not run, and takes up a changed
    prodwise.toml while users are served.

    Prodwise only watches until you allow more (`prodwise stage`).
    """
    from prodwise.cli.holds import stage_named

    wanted = stage_named(stage) if stage else None
    if wanted and no_healer:
        raise UsageError("--stage is about the healer, and --no-healer leaves it out", "leave one of them out")
    if unit:
        from prodwise import wiring

        desk.show(wiring.unit_text(desk.app_dir).rstrip())
        return Code.OK
    _something_to_run(desk)
    desk.say("looking at the app")
    facts = _bring_up(desk, with_healer=not no_healer)
    if not no_healer:
        try:
            facts |= _ask_healer(desk, wanted)
        except KeyboardInterrupt:
            desk.say("interrupted: the app is up, and runs on; `prodwise down` ends it", "warn")
            raise
        facts["warnings"] += _moved(desk, facts["dashboard"])
    desk.data(**facts) if json else _told(desk, facts)
    return _stay(desk) if foreground else Code.OK


def _something_to_run(desk: Desk) -> None:
    """Raises UsageError that points to init."""
    if not desk.app_dir.is_dir():
        raise UsageError(f"there is no folder {desk.app_dir}", "name the app's folder with --dir")
    if not any((desk.app_dir / name).is_file() for name in ("prodwise.toml", "Procfile")):
        where = desk.app_dir.resolve()
        raise UsageError(
            f"{where} has neither a prodwise.toml nor a Procfile", "`prodwise init` looks around and writes one"
        )


def _bring_up(desk: Desk, *, with_healer: bool) -> dict[str, Any]:
    from prodwise import wiring
    from prodwise.cli.follow import Ticker
    from prodwise.cli.interrupts import once

    ticker = Ticker(desk)
    try:
        with once():
            made = wiring.bring_up(
                desk.app_dir, with_healer=with_healer, on_progress=lambda text: ticker.say(text, "dim")
            )
    except KeyboardInterrupt:
        ticker.say("interrupted: what this had started has been ended again, what ran before runs on", "warn")
        raise
    return {
        "address": f"http://{made.address}",
        "release": made.release,
        "started": made.started,
        "warnings": list(made.warnings),
        "dsn": made.dsn,
    }


def _ask_healer(desk: Desk, wanted: Autonomy | None) -> dict[str, Any]:
    """Its stage and a login link, as soon as it answers. Raises NotRunning after READY_S."""
    client, deadline = desk.client(), monotonic() + READY_S
    while True:
        try:
            if wanted is not None:
                client.post("stage", autonomy=wanted.value)
            settings, link = client.get("settings"), str(client.post("login-link")["url"])
            return {
                "dashboard": link.partition("/login/")[0],
                "login": link,
                "stage": settings["stage"],
                "held": settings["held"],
            }
        except NotRunning:
            if monotonic() > deadline:
                raise
            time.sleep(0.1)


def _told(desk: Desk, facts: dict[str, Any]) -> None:
    from prodwise import wiring
    from prodwise.cli.holds import MEANING

    verb = "is up" if facts["started"] else "was up already"
    name = wiring.app_name(desk.app_dir)
    desk.show(f"{paint('●', 'good')} {paint(name, 'bold')} {verb}, release {facts['release']}", "")
    desk.show(f"  app        {paint(facts['address'], 'accent')}")
    if "login" not in facts:
        desk.show("  healer     not started (--no-healer)")
        return
    desk.show(
        f"  dashboard  {paint(facts['dashboard'], 'accent')}",
        f"  log in     {paint(facts['login'], 'accent')}  (once)",
        *([f"  reports    {paint(facts['dsn'], 'accent')}  (DSN for a Sentry SDK)"] if facts["dsn"] else []),
        "",
    )
    desk.show(f"  Stage {paint(facts['stage'], 'bold')}: Prodwise {MEANING[Autonomy(facts['stage'])]}.")
    if facts["held"]:
        desk.show(f"  {paint(facts['held'], 'warn')}")
    if facts["stage"] != Autonomy.AUTO:
        following = list(Autonomy)[Autonomy(facts["stage"]).rank + 1]
        desk.show(f"  Allow more: {paint(f'prodwise stage {following.value}', 'accent')} ({MEANING[following]})")
    for warning in facts["warnings"]:
        desk.show(paint(f"▲ {warning}", "warn"))
    desk.show(
        "", f"  After a reboot: {paint('prodwise up --unit', 'accent')} prints a systemd unit that starts it again."
    )
    desk.show(f"  Next: {paint('prodwise status', 'accent')}   stop all automation: {paint('prodwise stop', 'accent')}")


def _moved(desk: Desk, dashboard: str) -> list[str]:
    """The healer takes another port rather than not to start; a person who has the old one bookmarked must know."""
    from prodwise.config import load

    wanted = load(desk.app_dir).dashboard.rpartition(":")[2]
    if wanted == "0" or dashboard.endswith(f":{wanted}"):
        return []
    return [f"port {wanted} is taken: the dashboard moved. End what listens there, or set another `dashboard`"]


def _stay(desk: Desk) -> int:
    """Tells what happens until Ctrl-C, then takes everything down."""
    from prodwise import wiring
    from prodwise.cli.proof import audit

    try:
        audit(desk, watch=True)
    except KeyboardInterrupt:
        desk.say("\nending the app", "warn")
        wiring.take_down(desk.app_dir, desk.detail)
    return Code.INTERRUPTED


def down(desk: Desk, dry_run: DryRun = False, yes: Yes = False, no_input: NoInput = False, json: Json = False) -> int:
    """End the app, its proxy and Prodwise. Users get no answer until it is up again.

    Releases, the database and the history stay. Works with the healer dead.
    """
    from prodwise import wiring
    from prodwise.cli.follow import Ticker
    from prodwise.server.views.words import count

    here = desk.app_dir.resolve()
    if not wiring.is_app(here):
        desk.data(ended=[]) if json else desk.show(f"Nothing was running in {here}.")
        return Code.OK
    name = wiring.app_name(here)
    if dry_run:
        said = f"Would end {name}, its proxy, its supervisor and the healer. Nothing was changed."
        desk.data(dry_run=True, app=name) if json else desk.show(said)
        return Code.OK
    said_first = ["Users get no answer until `prodwise up`. Releases and history stay."]
    if not desk.agree(f"Take {name} down?", said_first, yes=yes, no_input=no_input):
        return Code.FAILED
    ticker = Ticker(desk)
    ended = wiring.take_down(desk.app_dir, ticker.tick)
    ticker.clear()
    if json:
        desk.data(ended=ended)
    elif ended:
        desk.show(f"{paint('✓', 'good')} {count(len(ended), 'process', 'processes')} ended")
    else:
        desk.show(f"Nothing was running in {here}.")
    return Code.OK


def login(desk: Desk, json: Json = False) -> None:
    """A link that logs a browser in, once."""
    url = str(desk.client().post("login-link")["url"])
    desk.data(url=url) if json else desk.show(url)


def config(desk: Desk, schema: Schema = False, json: Json = False) -> None:
    """The configuration in force, and where each value came from. Secrets are hidden."""
    from prodwise.cli.settings import merged, schema_of

    if schema:
        desk.show(json_module.dumps(schema_of(), indent=2))
        return
    found = merged(desk.app_dir)
    if json:
        desk.data(settings=[{"key": s.key, "value": s.value, "source": s.source} for s in found])
        return
    from prodwise.cli.tables import table

    table(("key", "value", "from"), [((s.key, "bold"), s.shown, (s.source, "dim")) for s in found])


def version(desk: Desk, json: Json = False) -> None:
    """The version of Prodwise and of what it runs on."""
    import platform
    import sqlite3

    from prodwise import __version__

    if json:
        desk.data(prodwise=__version__, python=platform.python_version(), sqlite=sqlite3.sqlite_version)
    else:
        desk.show(f"prodwise {__version__} (Python {platform.python_version()}, SQLite {sqlite3.sqlite_version})")


def serve(desk: Desk) -> None:
    """The healer's process. The supervisor runs it; a person does not."""
    from prodwise import wiring

    wiring.serve(desk.app_dir)


def receive(desk: Desk, number: Number) -> None:
    """A receiver's process: takes what programs report. The supervisor runs it; a person does not."""
    from prodwise import wiring

    wiring.receive(desk.app_dir, number)


__all__ = ["ProdwiseError", "add"]
