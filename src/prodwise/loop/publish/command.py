"""Which comment is a command: the whole comment, and nothing else."""

from __future__ import annotations

import re

from prodwise.model.pull import Command

_GRAMMAR = re.compile(rf"/prodwise[ \t]{{1,8}}({'|'.join(Command)})", re.IGNORECASE | re.ASCII)
LONGEST = 200
_AROUND = " \t\r\n"


def command_in(body: str) -> Command | None:
    """`/prodwise explain|retry|smaller|close` alone; quoted, surrounded or longer, it is talk."""
    if len(body) > LONGEST:
        return None
    found = _GRAMMAR.fullmatch(body.strip(_AROUND))
    return Command(found[1].lower()) if found else None
