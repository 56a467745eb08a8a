"""Questions that a file asks of its values before it uses them, asked of a value here: `if n is None: return []` and its like."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import product

from prodwise.repair.edits import Edit
from prodwise.repair.search.site import Site
from prodwise.repair.source import Function

GUARDS_MOST = 6
NAMES_MOST = 3


def edits(site: Site) -> Iterator[Edit]:
    """Before the statement, about what it uses; those of the same function first."""
    function, statement = site.source.function(site.statement), site.statement
    if function is None or isinstance(statement, Function | ast.ClassDef):
        return
    used = list(dict.fromkeys(
        one.id for one in site.source.head(statement) if isinstance(one, ast.Name) and one.id in site.scope.locals
    ))  # fmt: skip
    looped = any(isinstance(one, ast.For | ast.While) for one in site.source.up(statement))
    near = site.source.guards_in(function)
    far = [one for one in site.source.guards if one not in near][: max(0, GUARDS_MOST - len(near))]
    for guard, name in product((*near, *far), used[:NAMES_MOST]):
        text = guard.replace("{}", name)
        if name in ("self", "cls") or (text.endswith(("continue", "break")) and not looped):
            continue
        kind, cost = ("idiom", 1.9) if guard in near else ("guard", 2.3)
        made = site.insert(text, kind, f"`{text.partition(':')[0]}` is asked elsewhere, and not here", cost)
        if made is not None:
            yield made
