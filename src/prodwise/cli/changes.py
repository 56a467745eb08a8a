"""`prodwise changes`: what altered production, and what each change did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from prodwise.cli.command import Json, command
from prodwise.cli.desk import Desk, paint
from prodwise.clock import now

Service = Annotated[
    str, typer.Option("--service", metavar="NAME", help="Only what is about this service or the whole app.")
]
Since = Annotated[str, typer.Option("--since", metavar="TIME", help="So long back: 30m, 24h, 30d.")]
Limit = Annotated[int, typer.Option("--limit", metavar="N", min=1, max=1000, help="At most so many.")]

VERDICT_STYLE = {"good": "good", "bad": "bad", "same": "dim"}


def add(app: typer.Typer) -> None:
    command(
        app,
        "Every day",
        "prodwise changes",
        "prodwise changes --service web --since 24h",
        "prodwise changes --json | jq '.changes[0].brought.packages'",
    )(changes)


def changes(desk: Desk, service: Service = "", since: Since = "30d", limit: Limit = 50, json: Json = False) -> None:
    """What altered production, newest first. Releases and what they brought, heals, settings, restarts, deploys elsewhere.

    Each with its measured effect (before and after, with a 95 % interval of the difference) and how it is taken back.
    """
    from prodwise.cli.reads import print_json
    from prodwise.cli.times import seconds_of

    asked = {"since": f"{now() - seconds_of(since):.0f}", "limit": limit, "service": service or None}
    answer = desk.client().get("changes", **asked)
    print_json(answer) if json else _text(answer)


def _text(answer: Mapping[str, Any]) -> None:
    from prodwise.cli.fit import tell
    from prodwise.cli.times import since

    for change in answer["changes"]:
        row = change["view"]
        tell(f"{paint(row['text'], 'bold')}  {paint(row['kind'], 'accent')}")
        moved = f" · {row['before'] or '–'} → {row['after'] or '–'}" if row["before"] or row["after"] else ""
        tell(paint(f"  {since(row['at'])} · {row['who']} · {row['service']}{moved}", "dim"))
        _effect(row)
        if row["brought"]:
            _brought(row["brought"])
        tell(paint(f"  take back: {change['inverse']}", ""))
        print()
    if not answer["changes"]:
        print("Nothing altered production in this time.")
    if answer["more"]:
        tell(paint("There are older ones: --limit and --since show more.", "dim"))


def _effect(row: Mapping[str, Any]) -> None:
    from prodwise.cli.fit import tell

    tell(f"  {row['effect']}")
    for figure in row["figures"]:
        numbers = f"    {figure['name']}: {figure['before']} → {figure['after']} ({figure['difference']}), "
        tell(numbers + paint(figure["word"], VERDICT_STYLE[figure["verdict"]]))
    if row["windows"]:
        tell(paint(f"    {row['windows']}", "dim"))


def _brought(found: Mapping[str, Any]) -> None:
    from prodwise.cli.fit import tell

    tell(f"  {found['headline']}")
    lists: Sequence[tuple[str, Sequence[str]]] = (
        ("commit", [f"{one} {title} ({author})" for one, title, author in found["commits"]]),
        ("package", [f"{name} {before} → {after}" for name, before, after, _ in found["packages"]]),
        ("setting", [" ".join(one) for one in found["settings"]]),
        ("variable", [" ".join(one) for one in found["environment"]]),
        ("migration", found["migrations"]),
        ("services", [found["services"]] if found["services"] else []),
        ("not known", found["unknown"]),
    )
    for what, lines in lists:
        for line in lines[:5]:
            tell(paint(f"    {what}: {line}", "dim"))
        if len(lines) > 5:
            tell(paint(f"    {what}: {len(lines) - 5} more with --json", "dim"))
