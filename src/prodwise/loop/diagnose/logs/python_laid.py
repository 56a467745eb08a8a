"""Modules laid on what the log says is installed: a package may be published under a longer, shorter or older name than its module."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from typing import Final

from prodwise.loop.diagnose.logs.clue import Clue
from prodwise.loop.diagnose.logs.python_packages import canonical
from prodwise.loop.diagnose.logs.text import Log

SHARED_MIN: Final = 4  # characters that two names share, at least, to be of one package
SHARED_PART: Final = 0.6  # of the shorter one
PARTS_MAX: Final = 5


def laid(clues: Iterable[Clue], log: Log, known: Collection[str]) -> Iterator[Clue]:
    """The clues, those of packages that are not installed moved to the one installed package that they can only be of."""
    for clue in clues:
        owner = _owner(clue, log, known) if known and clue.name not in known else ""
        yield replace(clue, name=owner) if owner else clue


def _owner(clue: Clue, log: Log, known: Collection[str]) -> str:
    """1. The longest dotted name in the line that is a package's. 2. The only package whose name is like it."""
    top = clue.name.replace("-", "_")
    for found in re.finditer(rf"(?<![\w.]){re.escape(top)}(?:[./]\w{{1,80}}){{1,8}}", log.line(clue.line)):
        parts = re.split(r"[./]", found[0])[:PARTS_MAX]
        for many in range(len(parts), 1, -1):
            if (name := canonical("-".join(parts[:many]))) in known:
                return name
    like = [one for one in known if _like(_plain(clue.name), _plain(one))]
    return like[0] if len(like) == 1 else ""


def _plain(name: str) -> str:
    return name.replace("-", "")


def _like(module: str, package: str) -> bool:
    """Whether they have a long part in common, and the module little else."""
    shared = max(
        (end - begin for begin in range(len(module)) for end in range(len(module), begin, -1) if module[begin:end] in package),
        default=0,
    )  # fmt: skip
    return shared >= max(SHARED_MIN, SHARED_PART * min(len(module), len(package)))
