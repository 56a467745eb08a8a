"""Questions that a file asks of its values before it uses them, asked of a value here: `if n is None: return []` and its like."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache
from itertools import product

from prodwise.repair.edits import Edit
from prodwise.repair.search import conditions, nearby
from prodwise.repair.search.site import Site
from prodwise.repair.source import Function, Source

GUARDS_MOST = 6
NAMES_MOST = 3
WAYS_MOST = 6


def edits(site: Site) -> Iterator[Edit]:
    """Before the statement, about what it uses; those of the same function first."""
    function, statement = site.source.function(site.statement), site.statement
    if function is None or isinstance(statement, Function | ast.ClassDef):
        return
    used = list(dict.fromkeys(
        one.id for one in site.source.head(statement) if isinstance(one, ast.Name) and one.id in site.scope.locals
    ))  # fmt: skip
    if isinstance(statement, ast.Raise):
        yield from _answered(site)
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


def _answered(site: Site) -> Iterator[Edit]:
    """Instead of an error what the file answers elsewhere, where it raises there only if it is asked to."""
    for (test, answer, place), names in _ways(site.source).items():
        if nearby.visible(site, names):
            why = f"elsewhere it is raised only if `{test}`"
            cost = 1.5 if place is site.source.function(site.statement) else 2.1
            made = site.insert(f"if {conditions.negated(test)}:\n    {answer}", "idiom", why, cost)
            if made is not None:
                yield made


@lru_cache(maxsize=16)
def _ways(source: Source) -> dict[tuple[str, str, Function | None], frozenset[str]]:
    """(question, answer, function) of `if strict: raise Wrong(x)`, `else: return None` → what the first two speak of."""
    found: dict[tuple[str, str, Function | None], frozenset[str]] = {}
    for node in ast.walk(source.tree):
        match node:
            case ast.If(test=test, body=[ast.Raise()], orelse=[ast.Return() as answer]) if len(found) < WAYS_MOST:
                text, told = ast.unparse(test), ast.unparse(answer)
                if len(text) <= nearby.TEXT_MOST and len(told) <= nearby.TEXT_MOST:
                    found[text, told, source.function(node)] = nearby.names_in(test) | nearby.names_in(answer)
    return found
