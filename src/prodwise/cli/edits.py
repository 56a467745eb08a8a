"""Commands that change files of a repository's working tree: what they are told, and how they show, ask and write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from prodwise.cli.codes import Code
from prodwise.cli.desk import Desk, paint
from prodwise.model.errors import Refused

if TYPE_CHECKING:
    from prodwise.repair.scratch import Scratch

Repo = Annotated[Path, typer.Option("--repo", metavar="DIR", help="The app's git repository.")]

SHOWN_LINES: Final = 120
"""Of a diff, before the question."""


@dataclass(frozen=True, slots=True)
class How:
    """What a command that changes files was told about the way to do it."""

    dry_run: bool
    yes: bool
    no_input: bool
    json: bool


def require_unchanged(made: Scratch, paths: Sequence[str]) -> None:
    """Raises Refused where a file differs from the commit that all was read from."""
    from prodwise.repair.scratch import unsaved

    changed = unsaved(made, paths)
    if changed:
        raise Refused(f"{', '.join(changed[:4])} {'has' if len(changed) == 1 else 'have'} changes that are not committed",
                      "commit or stash them first; nothing was changed")  # fmt: skip


def carry_out(
    desk: Desk, made: Scratch, facts: dict[str, Any], lines: Sequence[str], question: str, how: How
) -> int:  # fmt: skip
    """Shows, asks, writes: only what the diff names."""
    from prodwise.repair.scratch import put

    if how.dry_run:
        show_diff(desk, facts, lines, as_json=how.json)
        return Code.OK
    require_unchanged(made, facts["files"])
    if not how.json:
        for line in lines:
            desk.say(line)
        if not how.yes:
            for line in str(facts["diff"]).splitlines()[:SHOWN_LINES]:
                desk.say(line, "dim")
    asked = [f"Changes {', '.join(facts['files'])}. Nothing is committed."]
    if not desk.agree(question, asked, yes=how.yes, no_input=how.no_input):
        return Code.FAILED
    put(made, facts["diff"])
    if how.json:
        desk.data(**facts, done=True)
    else:
        desk.show(f"{paint('✓', 'good')} changed {', '.join(facts['files'])}: look at it, test it, commit it")
    return Code.OK


def show_diff(desk: Desk, facts: dict[str, Any], lines: Sequence[str], *, as_json: bool) -> None:
    """The diff alone on stdout, so that it can be applied; words on stderr."""
    if as_json:
        desk.data(dry_run=True, **facts)
        return
    for line in (*lines, "Nothing was changed."):
        desk.say(line)
    print(facts["diff"], end="")
