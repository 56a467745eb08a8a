"""`prodwise setting`: one setting of the repository's files back to what it was."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from prodwise.cli.codes import Code
from prodwise.cli.command import DryRun, Json, NoInput, Yes, command
from prodwise.cli.desk import Desk, paint
from prodwise.cli.edits import How, Repo, carry_out
from prodwise.model.errors import UsageError

if TYPE_CHECKING:
    from prodwise.model.setting import Moves
    from prodwise.repair.scratch import Scratch

Key = Annotated[str, typer.Argument(metavar="KEY", help="Its name, or the end of it: checkout.timeout, or timeout.")]
File = Annotated[str, typer.Option("--file", metavar="FILE", help="Which file, where several have it.")]
Since = Annotated[
    str,
    typer.Option("--since", metavar="COMMIT", help="To what it was there; else to what it was before it last changed."),
]
List = Annotated[bool, typer.Option("--list", help="Show what changed lately, and what is left to a person.")]


def add(app: typer.Typer) -> None:
    command(
        app, "Act", "prodwise setting checkout.timeout", "prodwise setting timeout --file config/prod.toml --dry-run",
        "prodwise setting new_cart --since v1.4", "prodwise setting --list", folder=False,
    )(setting)  # fmt: skip


def setting(
    desk: Desk,
    key: Key = "",
    repo: Repo = Path("."),
    file: File = "",
    since: Since = "",
    list_: List = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    no_input: NoInput = False,
    json: Json = False,
) -> int:
    """Put one setting back to what it was. Only that value changes: comments, order and layout stay.

    It is looked for among what the last 20 commits changed in settings files (TOML, YAML, JSON, INI, flags and the like), and
    changed in your working tree, after you were shown how; nothing is committed. What protects (certificates, roles, payments
    …) or looks like a secret is left to you: exit 6. docs/repairs.md has the details.
    """
    from prodwise.repair.scratch import scratch
    from prodwise.repair.settings.back import back
    from prodwise.repair.settings.lately import lately

    if bool(key) == list_:
        raise UsageError("name a setting, or say --list", "prodwise setting checkout.timeout --dry-run")
    with scratch(repo) as made:
        from_there = made.commit(since) if since else ""
        if list_:
            return _listed(desk, made, lately(made, made.head, from_there), file, as_json=json)
        found = back(made, made.head, key, file, from_there)
        one = found.change
        facts: dict[str, Any] = {
            "key": one.name, "file": one.path, "now": one.now, "before": one.before, "by": one.by, "said": found.said,
            "files": [one.path], "diff": found.diff,
        }  # fmt: skip
        asked = f"Put {one.name} back?" if one.before is not None else f"Take {one.name} out again?"
        return carry_out(desk, made, facts, [found.said], asked, How(dry_run, yes, no_input, json))


def _listed(desk: Desk, made: Scratch, moves: Moves, path: str, *, as_json: bool) -> int:
    from prodwise.loop.choose.settings.words import shown
    from prodwise.repair.settings.lately import named

    changes = [one for one in moves.changes if path in ("", one.path)]
    left = [one for one in moves.left if path in ("", one.path)]
    if as_json:
        desk.data(
            changes=[{"key": c.name, "file": c.path, "now": c.now, "before": c.before, "by": c.by} for c in changes],
            left=[{"key": one.name, "file": one.path, "why": one.why} for one in left],
        )
        return Code.OK
    for one in changes:
        now, before = (shown(value) if value is not None else "none" for value in (one.now, one.before))
        desk.show(f"{paint(one.name, 'bold')} in {paint(one.path, '')}  {paint(f'{before} → {now}', '')}")
        desk.show(f"  by {paint(named(made, one.by, made.head), 'dim')}")
    for it in left:
        desk.show(f"{paint(it.name or it.path, 'dim')} is left to a person: {paint(it.why, 'dim')}")
    if not changes and not left:
        desk.show("No setting changed lately.")
    return Code.OK
