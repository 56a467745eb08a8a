"""`python -m prodwise.cli.reference > docs/commands.md`: the help of every command, as one page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from prodwise.cli.app import app
from prodwise.cli.codes import Code
from prodwise.cli.command import PANELS

WIDTH = 100

MEANING = {
    Code.OK: "ok",
    Code.FAILED: "failed",
    Code.USAGE: "the command line or the configuration is wrong",
    Code.UNHEALTHY: "the app is not known to be well, or an incident is open",
    Code.LOGIN_NEEDED: "login needed",
    Code.WAITING: "waiting for an approval, or for more evidence",
    Code.REFUSED: "refused by policy, freeze or stop; nothing was changed",
    Code.GATE_FAILED: "a gate failed; nothing was changed",
    Code.UNDONE: "changed, was not better, put back",
    Code.TIMED_OUT: "timed out",
    Code.INTERRUPTED: "interrupted",
}

HEAD = """# Commands

Made from the commands' own help by `python -m prodwise.cli.reference`; a test keeps it true.

Data goes to stdout, words to stderr. Every read takes `--json` (each answer carries `schema_version`); with `--watch` that is one
JSON object a line. Errors are one line and a hint; with `--json` they are `{"error", "code", "hint"}` on stderr. `NO_COLOR` is
respected. Commands talk to the healer over a unix socket in the app's `.prodwise/run/`; `stop`, `rollback`, `down` and
`audit verify` work with the healer dead.

| exit code | meaning |
|---|---|
"""


def page() -> str:
    """The whole page as Markdown."""
    codes = "".join(f"| {code.value} | {MEANING[code]} |\n" for code in Code)
    root: Any = typer.main.get_command(app)
    parts = [HEAD, codes]
    for panel in PANELS:
        parts.append(f"\n## {panel}\n")
        for name, command in root.commands.items():
            if not command.hidden and command.rich_help_panel == panel:
                parts += [_section(path, one) for path, one in _leaves(f"prodwise {name}", command)]
    return "".join(parts)


def _leaves(path: str, command: Any) -> Iterator[tuple[str, Any]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield path, command
        return
    for name, one in inner.items():
        yield from _leaves(f"{path} {name}", one)


def _section(path: str, command: Any) -> str:
    context = typer.Context(command, info_name=path, terminal_width=WIDTH, help_option_names=["-h", "--help"])
    return f"\n### `{path}`\n```\n{command.get_help(context).rstrip()}\n```\n"


if __name__ == "__main__":
    print(page(), end="")
