"""Tables for a terminal of any width; plain columns in a pipe."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence

from prodwise.cli.desk import colourful, paint
from prodwise.cli.fit import columns, fold
from prodwise.server.views.words import visible

PIPE_WIDTH = 160
WIDTH_MAX = 120
CELL_MAX = 600  # characters
LAST_MIN = 18
"""A last column narrower than this is no longer read as sentences."""

Row = Sequence[str | tuple[str, str]]
"""Cells: text, or (text, style of desk.Styles)."""

_RICH = {"bold": "bold", "dim": "dim", "good": "green", "bad": "bold red", "warn": "yellow", "accent": "cyan", "": ""}


def width() -> int:
    return min(WIDTH_MAX, columns(sys.stdout) or PIPE_WIDTH) if sys.stdout.isatty() else PIPE_WIDTH


def table(headings: Sequence[str], rows: Sequence[Row], indent: int = 0) -> None:
    """Prints rows in columns, the last of which wraps; as cards where the terminal is too narrow for that."""
    texts = [[visible(cell if isinstance(cell, str) else cell[0], CELL_MAX) for cell in row] for row in rows]
    widest = [max(map(len, column)) for column in zip(headings, *texts, strict=True)]
    needed = indent + sum(width + 2 for width in widest[:-1]) + min(widest[-1], LAST_MIN)
    if needed > width() and any(headings):
        _cards(headings, rows, indent)
    else:
        _columns(headings, rows, indent)


def _cards(headings: Sequence[str], rows: Sequence[Row], indent: int) -> None:
    """A row is its first cell, and beneath it the others with their names, as far as they say something."""
    for row in rows:
        cells = [(cell, "") if isinstance(cell, str) else cell for cell in row]
        painted = [paint(visible(text, CELL_MAX), style) if text.strip(" –") else "" for text, style in cells]
        named = list(zip(headings, painted, strict=True))[1:]
        print(
            fold(" " * indent + "  ".join([painted[0], *(text for name, text in named if text and not name)]), width())
        )
        if said := [f"{name}: {text}" for name, text in named if text and name]:
            print(fold(" " * (indent + 2) + " · ".join(said), width()))


def _columns(headings: Sequence[str], rows: Sequence[Row], indent: int) -> None:
    from rich.console import Console
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", show_header=any(headings))
    for index, heading in enumerate(headings):
        made.add_column(heading, no_wrap=index < len(headings) - 1, overflow="fold")
    for row in rows:
        cells = [(cell, "") if isinstance(cell, str) else cell for cell in row]
        made.add_row(*(Text(visible(text, CELL_MAX), style=_RICH[style]) for text, style in cells))
    colour = colourful(sys.stdout)
    console = Console(
        width=width(), file=io.StringIO(), highlight=False, force_terminal=colour,
        color_system="standard" if colour else None, no_color=not colour,
    )  # fmt: skip
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
