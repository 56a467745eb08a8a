"""What a person means by an id, or by the beginning of one. Every command asks here, so that all take the same."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Final

from prodwise.model.errors import UsageError

NEAR_MAX: Final = 5


def one_of(wanted: str, known: Sequence[str], what: str, where: str) -> str:
    """The one that is `wanted`, else the only one that begins with it. Raises UsageError that names near ones.

    what: "incident"; where: the command that lists them.
    """
    if wanted in known:
        return wanted
    begin = [name for name in dict.fromkeys(known) if wanted and name.startswith(wanted)]
    if len(begin) == 1:
        return begin[0]
    hint = f"`{where}` lists them"
    if begin:
        more = f", or one of {len(begin) - NEAR_MAX} more" if len(begin) > NEAR_MAX else ""
        raise UsageError(f"{wanted!r} could be more than one {what}", f"say which: {', '.join(begin[:NEAR_MAX])}{more}")
    near = difflib.get_close_matches(wanted, known, n=3, cutoff=0.5)
    raise UsageError(f"there is no {what} {wanted!r}", f"did you mean {', '.join(near)}?" if near else hint)
