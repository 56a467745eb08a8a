"""How a command is declared, and how its help looks: what it does, examples, usage, options."""

from __future__ import annotations

import inspect
import re
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from prodwise.cli.desk import Desk
from prodwise.cli.fit import columns, fold

Body = Callable[..., int | None]
"""Takes the desk first, then its arguments; returns the exit code, None for 0."""

PANELS = ("Get started", "Every day", "Act", "Prove", "Set up")

Dir = Annotated[Path, typer.Option("--dir", metavar="DIR", help="The app's folder.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Only the result, and errors.")]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Say more.")]

Json = Annotated[bool, typer.Option("--json", help="As JSON.")]
Watch = Annotated[bool, typer.Option("--watch", help="Keep showing it; with --json one line per change.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done; change nothing.")]
Yes = Annotated[bool, typer.Option("-y", "--yes", help="Do not ask.")]
NoInput = Annotated[bool, typer.Option("--no-input", help="Fail rather than ask.")]
IncidentId = Annotated[
    str, typer.Argument(metavar="ID", help="An incident's id, or the beginning of it; else the newest.")
]
Release = Annotated[str, typer.Argument(metavar="RELEASE", help="A release's id or commit, or the beginning of one.")]

HELP_WIDTH_MAX = 100
_TYPE = re.compile(r" <[^<>]*>$")
HERE = Path(".")
_COMMON = (("directory", Dir, HERE), ("quiet", Quiet, False), ("verbose", Verbose, False))


class Command(TyperCommand):
    """A command whose help begins with examples."""

    examples: tuple[str, ...] = ()

    def format_help(self, ctx: Any, formatter: Any) -> None:
        summary, _, more = inspect.cleandoc(self.help or "").partition("\n\n")
        formatter.write(fold(f"{ctx.command_path}: {' '.join(summary.split())}", formatter.width) + "\n")
        if self.examples:
            formatter.write("\n")
            for example in self.examples:
                formatter.write(fold(f"  {example}", formatter.width) + "\n")
        formatter.write("\n")
        self.format_usage(ctx, formatter)
        for paragraph in filter(None, more.split("\n\n")):
            formatter.write("\n" + _flowing(paragraph, formatter.width) + "\n")
        self.format_options(ctx, formatter)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Names and what they are for; the parser's names of types say nothing that the placeholders do not."""
        rows: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
        for parameter in self.get_params(ctx):
            if record := parameter.get_help_record(ctx):
                title = "Arguments" if parameter.param_type_name == "argument" else "Options"
                rows[title].append((_TYPE.sub("", record[0]), record[1]))
        for title, some in rows.items():
            if some:
                with formatter.section(title):
                    formatter.write_dl(some)


class Group(TyperGroup):
    """Commands in groups, in the order that a newcomer needs them."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        lines = inspect.cleandoc(self.help or "").splitlines()
        formatter.write("\n".join(fold(line, formatter.width) for line in lines) + "\n\n")
        self.format_usage(ctx, formatter)
        self.format_commands(ctx, formatter)
        self.format_epilog(ctx, formatter)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        shown = [command for command in self.commands.values() if not command.hidden]
        panels = dict.fromkeys(getattr(command, "rich_help_panel", None) or "Commands" for command in shown)
        for panel in sorted(panels, key=lambda name: PANELS.index(name) if name in PANELS else 0):
            with formatter.section(panel):
                formatter.write_dl(
                    [(str(c.name).ljust(9), _summary(c)) for c in shown if (c.rich_help_panel or "Commands") == panel]  # type: ignore[attr-defined]
                )


def _flowing(paragraph: str, width: int) -> str:
    """Its own line breaks are the source's, not the reader's."""
    return "\n".join(
        textwrap.wrap(" ".join(paragraph.split()), max(20, width), break_long_words=False, break_on_hyphens=False)
    )


def _summary(command: Any) -> str:
    """The first sentence."""
    first = " ".join(inspect.cleandoc(command.help or "").partition("\n\n")[0].split())
    return first.partition(". ")[0].rstrip(".")


def _settings() -> dict[str, Any]:
    """The parser itself takes 50 columns for the narrowest terminal; a phone has 40."""
    wide = columns(sys.stdout)
    return {
        "help_option_names": ["-h", "--help"],
        "max_content_width": HELP_WIDTH_MAX,
        "terminal_width": min(wide, HELP_WIDTH_MAX) if wide else None,
    }


def new_app(help_text: str, **more: Any) -> typer.Typer:
    return typer.Typer(
        cls=Group,
        help=help_text,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings=_settings(),
        **more,
    )


def command(
    app: typer.Typer, panel: str, *examples: str, name: str = "", hidden: bool = False, folder: bool = True
) -> Callable[[Body], Body]:
    """Registers a body as a command with the options that all share: --quiet, --verbose, and --dir if it is about an app."""

    def register(body: Body) -> Body:
        def run(quiet: bool, verbose: bool, directory: Path = HERE, **given: Any) -> int | None:
            return body(Desk(directory, quiet, verbose), **given)

        own = list(inspect.signature(body, eval_str=True).parameters.values())[1:]
        common = [
            inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
            for key, kind, default in (_COMMON if folder else _COMMON[1:])
        ]
        parameters = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own] + common
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {p.name: p.annotation for p in parameters}
        run.__doc__ = body.__doc__
        shaped = type("Command", (Command,), {"examples": examples})
        app.command(
            name or body.__name__.replace("_", "-"), cls=shaped, hidden=hidden, rich_help_panel=panel,
            help=body.__doc__, context_settings=_settings(),
        )(run)  # fmt: skip
        return body

    return register
