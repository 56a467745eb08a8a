"""`prodwise revert`: one commit taken back in the working tree, or the reason why it cannot be."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from prodwise.cli.codes import Code
from prodwise.cli.command import DryRun, Json, NoInput, Yes, command
from prodwise.cli.desk import Desk, paint
from prodwise.cli.edits import How, Repo, carry_out
from prodwise.model.errors import GateFailed, Refused

if TYPE_CHECKING:
    from prodwise.model.revert import Revert

Commit = Annotated[str, typer.Argument(metavar="COMMIT", help="A commit, branch or tag.")]
Mainline = Annotated[int, typer.Option("--mainline", metavar="N", min=1, help="Of a merge: the parent that is kept.")]
Anyway = Annotated[bool, typer.Option("--anyway", help="Also where it holds migrations or lock files.")]
Part = Annotated[bool, typer.Option("--part", help="What can go back, where the whole cannot.")]


def add(app: typer.Typer) -> None:
    command(
        app, "Act", "prodwise revert 7f3a91c", "prodwise revert 7f3a91c --dry-run", "prodwise revert HEAD~2 --part",
        folder=False,
    )(revert)  # fmt: skip


def revert(
    desk: Desk,
    commit: Commit,
    repo: Repo = Path("."),
    mainline: Mainline = 1,
    part: Part = False,
    anyway: Anyway = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    no_input: NoInput = False,
    json: Json = False,
) -> int:
    """Take one commit back in your working tree. Or say which later commit changed the same lines.

    It is tried in a scratch repository first; nothing is committed. Exit 6 where the commit holds migrations or lock files
    (--anyway does it all the same), 7 where it cannot go back whole (--part takes what can).
    """
    from prodwise.repair import revert as reverts
    from prodwise.repair.scratch import scratch

    with scratch(repo) as made:
        found = reverts.revert(made, made.head, made.commit(commit), mainline)
        facts: dict[str, Any] = {
            "commit": found.commit, "title": found.title, "merge": found.merge, "whole": found.whole, "files": list(found.paths),
            "diff": found.diff, "cautions": list(found.cautions),
            "clashes": [{"path": one.path, "lines": one.lines, "by": one.by or None, "title": one.title} for one in found.clashes],
        }  # fmt: skip
        told = _told(found.merge, mainline, facts)
        if found.clashes and not (part and found.diff):
            if json and dry_run:
                desk.data(dry_run=True, **facts)
                return Code.GATE_FAILED
            raise _clashing(found, told)
        short = found.commit[:7]
        if found.cautions and not anyway:
            why = f"{short} is more than code: {'; '.join(found.cautions)}"
            raise Refused(why, "add --anyway to take it back all the same")
        lines = [f"takes back {short} {paint(found.title, '')}", *told]
        return carry_out(desk, made, facts, lines, f"Take back {short}?", How(dry_run, yes, no_input, json))


def _clashing(found: Revert, told: list[str]) -> GateFailed:
    left = "take back the later commits first"
    if found.diff:
        left = f"add --part to take back what can go: {', '.join(found.paths[:4])}"
    return GateFailed(f"{found.commit[:7]} cannot be taken back as a whole", "\n".join([*told, left]))


def _told(merge: bool, mainline: int, facts: dict[str, Any]) -> list[str]:
    lines = [f"it is a merge: what it brought into its parent number {mainline} goes back"] if merge else []
    for one in facts["clashes"]:
        by = f"{one['by'][:7]} '{one['title']}' changed the same lines later" if one["by"] else "it was changed since"
        lines.append(f"{one['path']}, line {one['lines']}: {by}")
    return lines + list(facts["cautions"])
