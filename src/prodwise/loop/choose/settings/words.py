"""What a setting that goes back is told as: bounded, in one line, and never with what looks like a secret."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from prodwise.loop.choose.settings.guarded import secret_like
from prodwise.model.redaction import Redactor
from prodwise.model.redaction.patterns import MASK
from prodwise.model.setting import Change

VALUE_MAX: Final = 40
NAME_MAX: Final = 80
NAMED_MAX: Final = 4

Named = Callable[[str], str]
"""A commit's id → how people know it."""


def shown(value: str, secret: bool = False) -> str:
    """A value, in one line."""
    clean = MASK if secret else str(Redactor().clean(value[:1000])[0])
    line = " ".join("".join(c if c.isprintable() else " " for c in clean).split())
    return f"{line[: VALUE_MAX - 1]}…" if len(line) > VALUE_MAX else line or "nothing"


def why(changes: Sequence[Change], named: Named) -> str:
    """Which settings, the value that each goes back to, which commit changed it, and how that is undone."""
    if len(changes) == 1:
        return _one(changes[0], named)
    paths = list(dict.fromkeys(one.path for one in changes))
    each = [f"{_name(one)} {_arrow(one)}" for one in changes[:NAMED_MAX]]
    more = f" and {len(changes) - NAMED_MAX} more" if len(changes) > NAMED_MAX else ""
    commits = ", ".join(dict.fromkeys(named(one.by) for one in changes[:NAMED_MAX]))
    all_of = f"put {len(changes)} settings of {', '.join(paths[:NAMED_MAX])} back ({'; '.join(each)}{more})"
    return f"{all_of}: changed by {commits}; undo: revert this commit"


def _one(one: Change, named: Named) -> str:
    name, secret, by = _name(one), secret_like(one), named(one.by)
    now, before = (None if value is None else shown(value, secret) for value in (one.now, one.before))
    if before is None:
        return f"take {name} out of {one.path} again: {by} brought it, as {now}; undo: set it to {now}"
    if now is None:
        return f"bring {name} back in {one.path}, as {before}: {by} took it out; undo: take it out"
    return f"put {name} in {one.path} back to {before}: {by} made it {now}; undo: set it to {now}"


def _name(one: Change) -> str:
    return shown(one.name)[:NAME_MAX] if one.hunk < 0 else one.name


def _arrow(one: Change) -> str:
    secret = secret_like(one)
    now, before = ("none" if value is None else shown(value, secret) for value in (one.now, one.before))
    return f"{now} → {before}"
