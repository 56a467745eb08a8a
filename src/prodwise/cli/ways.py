"""`prodwise hooks`: where jobs ping and other tools knock, what came last, what was refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import typer

from prodwise.cli.command import Json, Watch, command
from prodwise.cli.desk import Desk, paint

STATES = {"well": "good", "running": "accent", "late": "bad", "failed": "bad", "stuck": "bad", "unknown": "dim"}


def add(app: typer.Typer) -> None:
    command(
        app, "Set up", "prodwise hooks", "prodwise hooks --watch", "prodwise hooks --json | jq -r .heartbeats[0].url"
    )(hooks)


def hooks(desk: Desk, json: Json = False, watch: Watch = False) -> int | None:
    """Where jobs ping and other tools knock: addresses, the last delivery, what was refused and why.

    Declare them in prodwise.toml as [heartbeats.NAME] and [hooks.WAY]; docs/signals.md has the lines to copy. Secrets are
    never shown: only where each is kept.
    """
    from prodwise.cli.reads import print_json
    from prodwise.cli.watching import watch as keep

    client = desk.client()
    if watch:
        return keep(desk, lambda: client.get("ways-in"), _text, as_json=json)
    answer = client.get("ways-in")
    print_json(answer) if json else _text(answer)
    return None


def _text(answer: Mapping[str, Any]) -> None:
    from prodwise.cli.tables import table
    from prodwise.cli.times import since

    beats, ways = answer["heartbeats"], answer["hooks"]
    if not beats and not ways:
        print("Nobody may knock yet: add [heartbeats.NAME] or [hooks.WAY] to prodwise.toml, then `prodwise up`.")
        return
    if beats:
        rows = [
            (
                (one["name"], "bold"), (one["state"], STATES[one["state"]]), since(one["ok_at"] or None),
                since(one["failed_at"] or None), one["url"],
            )
            for one in beats
        ]  # fmt: skip
        table(("heartbeat", "state", "ran well", "failed", "ping"), rows)
    if beats and ways:
        print()
    for one in ways:
        _hook(one)


def _hook(one: Mapping[str, Any]) -> None:
    from prodwise.cli.times import since
    from prodwise.server.views.words import tally, visible

    print(f"{paint(one['way'], 'bold')}  {visible(one['url'])}")
    print(f"  key: {visible(one['secret'])}")
    print(
        f"  last: {since(one['last_at'])}, {one['taken']} taken" + (f": {visible(one['last'])}" if one["last"] else "")
    )
    if one["refused"]:
        print(
            paint(
                f"  refused: {tally(one['refused'])}; last {since(one['refused_at'])}: {visible(one['refusal'])}",
                "warn",
            )
        )
