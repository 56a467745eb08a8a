"""Which change a person means by a setting's name, or by the end of it."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Final

from prodwise.model.errors import Refused, UsageError
from prodwise.model.setting import Change, Left, Moves

NEAR_MAX: Final = 5
LISTED: Final = "`prodwise setting --list` shows what changed lately"


def asked(moves: Moves, key: str, path: str = "") -> Change:
    """path: "" for any file. Raises UsageError that names near ones, or Refused where it is left to a person."""
    changes = [one for one in moves.changes if path in ("", one.path)]
    left = [one for one in moves.left if path in ("", one.path)]
    found = [one for one in changes if one.name == key] or [one for one in changes if _ends(one.name, key)]
    if len(found) == 1:
        return found[0]
    if found:
        each = ", ".join(f"{one.name} in {one.path}" for one in found[:NEAR_MAX])
        raise UsageError(f"{key!r} could be more than one setting", f"say which, with its whole name or --file: {each}")
    for one in left:
        if one.name and (one.name == key or _ends(one.name, key)):
            raise Refused(f"{one.name} in {one.path} is left to a person: {one.why}", "put it back by hand")
    raise UsageError(f"no setting {key!r} changed lately{f' in {path}' if path else ''}", _near(changes, left, key))


def _ends(name: str, key: str) -> bool:
    return bool(key) and name.endswith(f".{key}")


def _near(changes: Sequence[Change], left: Sequence[Left], key: str) -> str:
    whole = next((one for one in left if not one.name), None)
    whole_names = {one.name.rpartition(".")[2]: one.name for one in changes} | {one.name: one.name for one in changes}
    alike = dict.fromkeys(whole_names[name] for name in difflib.get_close_matches(key, list(whole_names), n=3))
    if alike:
        return f"did you mean {' or '.join(alike)}?"
    return f"{LISTED}; {whole.path} is left to a person: {whole.why}" if whole is not None else LISTED
