"""Names that nothing binds: misspelt, left without `self.`, not imported, or bound on one path only."""

from __future__ import annotations

import ast
import builtins
import re
import sys
from collections.abc import Iterator

from prodwise.repair.edits import Edit
from prodwise.repair.search.names import near
from prodwise.repair.search.site import Site

# From where a bare name usually comes, in the standard library.
_HOMES = {
    "defaultdict": "collections", "OrderedDict": "collections", "Counter": "collections", "deque": "collections",
    "namedtuple": "collections", "partial": "functools", "wraps": "functools", "reduce": "functools", "lru_cache": "functools",
    "datetime": "datetime", "timedelta": "datetime", "timezone": "datetime", "date": "datetime", "Path": "pathlib",
    "Decimal": "decimal", "chain": "itertools", "islice": "itertools", "groupby": "itertools", "product": "itertools",
    "dataclass": "dataclasses", "field": "dataclasses", "contextmanager": "contextlib", "Enum": "enum", "deepcopy": "copy",
    "sleep": "time", "Any": "typing", "Optional": "typing", "Union": "typing", "List": "typing", "Dict": "typing",
    "StringIO": "io", "BytesIO": "io", "ceil": "math", "floor": "math", "sqrt": "math", "Fraction": "fractions",
}  # fmt: skip


def edits(site: Site, message: str) -> Iterator[Edit]:
    found = re.search(r"'(\w{1,80})'", message)
    if found is None:
        return
    name = found[1]
    yield from _imports(site, name)
    bound = "local variable" in message or "not associated" in message
    for node in site.source.head(site.statement):
        if isinstance(node, ast.Name) and node.id == name:
            if name in site.scope.attributes:
                yield site.swap(node, f"self.{name}", "name", f"`self.{name}` is meant", 0.8)
            for other in _others(site, name):
                likeness = near(name, other)
                if likeness >= 0.6 or (bound and other in site.scope.locals):
                    yield site.swap(node, other, "name", f"`{other}` is meant instead of `{name}`", 2.0 - likeness)
    if bound:
        yield from _bound_first(site, name)


def _others(site: Site, name: str) -> list[str]:
    module = [
        one.id for one in ast.walk(site.source.tree) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
    ]
    known = dict.fromkeys((*site.scope.locals, *site.scope.functions, *module, *dir(builtins)))
    return [one for one in known if one != name]


def _imports(site: Site, name: str) -> Iterator[Edit]:
    source = site.source
    if name in sys.stdlib_module_names:
        line = f"import {name}"
    elif name in _HOMES:
        line = f"from {_HOMES[name]} import {name}"
    else:
        return
    imports = [one for one in source.tree.body if isinstance(one, ast.Import | ast.ImportFrom)]
    place = next((one for one in imports if not (isinstance(one, ast.ImportFrom) and one.module == "__future__")), None)
    if place is None:
        return
    at = source.line_start(place.lineno)
    yield Edit(source.path, at, at, line + "\n", "import", f"`{name}` is not imported", 0.6, place.lineno)


def _bound_first(site: Site, name: str) -> Iterator[Edit]:
    """A value before the first statement of the function's body that may leave it unbound."""
    source, function = site.source, site.source.function(site.statement)
    if function is None:
        return
    for top in function.body:
        if any(isinstance(one, ast.Name) and one.id == name for one in ast.walk(top)):
            for value in ("None", "[]", "{}", '""', "0", "False"):
                made = Site(source, top, site.scope).insert(
                    f"{name} = {value}", "name", f"`{name}` is not set on every path", 1.5
                )
                if made:
                    yield made
            return
