"""Lines that fit the terminal, down to a phone's: broken between words, never inside an address or a command's word."""

from __future__ import annotations

import os
import re
import sys
from typing import TextIO

_STYLE = re.compile(r"\x1b\[[0-9;]*m")
_HANG = 2


def columns(stream: TextIO) -> int:
    """How wide the stream's terminal is; 0 for what is no terminal, where nothing is folded."""
    if not stream.isatty():
        return 0
    try:
        return int(os.environ.get("COLUMNS") or 0) or os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        return 0


def shown(text: str) -> int:
    """Characters that take room: all but styles."""
    return len(_STYLE.sub("", text))


def fold(line: str, width: int) -> str:
    """The line as several of at most `width` characters, the later ones indented a little further than the first."""
    if width <= 0 or shown(line) <= width:
        return line
    indent = len(line) - len(line.lstrip(" "))
    hang = " " * min(indent + _HANG, width // 3)
    folded, room = [line[:indent]], width - indent
    for gap, word in re.findall(r"( *)([^ ]+)", line[indent:]):
        if shown(word) + len(gap) > room and folded[-1].strip():
            folded.append(hang)
            gap, room = "", width - len(hang)
        folded[-1] += gap + word
        room -= len(gap) + shown(word)
    return "\n".join(folded)


def fitted(text: str, stream: TextIO) -> str:
    """Every line of the text, folded to the stream's terminal."""
    width = columns(stream)
    return "\n".join(fold(line, width) for line in text.split("\n")) if width else text


def tell(text: str = "") -> None:
    """Prints to stdout what fits there."""
    print(fitted(text, sys.stdout))
