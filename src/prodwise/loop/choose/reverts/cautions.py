"""What speaks against taking a commit back without asking."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from prodwise.loop.changes.locks import is_lock
from prodwise.loop.choose.schema.which import is_migration

NAMED_MAX: Final = 3


def cautions(texts: Mapping[str, str]) -> tuple[str, ...]:
    """texts: the commit's files as they were after it, or before it where it removed them."""
    told = []
    migrations = sorted(path for path, text in texts.items() if is_migration(path, text))
    locks = sorted(path for path in texts if is_lock(path))
    if migrations:
        told.append(f"it holds migrations ({_named(migrations)}): the data stays as they left it")
    if locks:
        told.append(f"it changes what is installed ({_named(locks)}): `prodwise pin` takes one package back")
    return tuple(told)


def _named(paths: list[str]) -> str:
    more = f" and {len(paths) - NAMED_MAX} more" if len(paths) > NAMED_MAX else ""
    return ", ".join(paths[:NAMED_MAX]) + more
