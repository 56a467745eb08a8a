"""Tables for a terminal of any width; plain columns in a pipe."""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Sequence

from prodwise.cli.desk import colourful
from prodwise.server.views.words import visible

PIPE_WIDTH = 160
WIDTH_MAX = 120

Row = Sequence[str | tuple[str, str]]
"""Cells: text, or (text, style of desk.Styles)."""

_RICH = {"bold": "bold", "dim": "dim", "good": "green", "bad": "bold red", "warn": "yellow", "accent": "cyan", "": ""}


def width() -> int:
    return min(WIDTH_MAX, shutil.get_terminal_size().columns) if sys.stdout.isatty() else PIPE_WIDTH


def table(headings: Sequence[str], rows: Sequence[Row], indent: int = 0) -> None:
    """Prints rows in columns; the last column wraps, the others keep their width."""
    from rich.console import Console
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", show_header=any(headings))
    for index, heading in enumerate(headings):
        made.add_column(heading, no_wrap=index < len(headings) - 1, overflow="fold")
    for row in rows:
        cells = [(cell, "") if isinstance(cell, str) else cell for cell in row]
        made.add_row(*(Text(visible(text, 600), style=_RICH[style]) for text, style in cells))
    console = Console(
        width=width(),
        file=io.StringIO(),
        highlight=False,
        force_terminal=colourful(sys.stdout),
        color_system="standard" if colourful(sys.stdout) else None,
        no_color=not colourful(sys.stdout),
    )
    with console.capture() as captured:
        console.print(Padding(made, (0, 0, 0, indent)))
    for line in captured.get().splitlines():
        print(line.rstrip())


def wrapped(text: str, indent: str, first: str | None = None) -> str:
    """A paragraph with a hanging indent, as wide as the terminal; its own line breaks stay."""
    import textwrap

    lines, start = [], indent if first is None else first
    for line in visible(text, 4000).splitlines() or [""]:
        lines.append(textwrap.fill(line, width(), initial_indent=start, subsequent_indent=indent) or start)
        start = indent
    return "\n".join(lines)
