"""What calls are given in their places: one argument more, as others of the same name get it, or as its function asks for; a text
that others wrap before they hand it on."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache

from prodwise.repair.edits import Edit
from prodwise.repair.search import nearby
from prodwise.repair.search.arguments import name_of
from prodwise.repair.search.names import near
from prodwise.repair.search.site import Site
from prodwise.repair.source import Source

MOST = 6
LIKE_LEAST = 0.6


def edits(site: Site, node: ast.expr) -> Iterator[Edit]:
    if isinstance(node, ast.Call) and site.source.of(node).endswith(")") and not _spread(node):
        yield from _one_more(site, node)
        yield from _none_at_all(site, node)
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        yield from _wrapped(site, node)


def _spread(node: ast.Call) -> bool:
    return any(isinstance(one, ast.Starred | ast.GeneratorExp) for one in node.args) or any(
        one.arg is None for one in node.keywords
    )


def _one_more(site: Site, node: ast.Call) -> Iterator[Edit]:
    many, name, mine = len(node.args), name_of(node.func), {ast.unparse(one) for one in node.args}
    found: dict[str, float] = {}
    for other in site.source.calls.get(name, ())[:60]:
        if other is not node and len(other.args) == many + 1 and not _spread(other):
            text = ast.unparse(other.args[many])
            if len(text) <= 50 and nearby.visible(site, nearby.names_in(other.args[many])):
                found.setdefault(text, 2.0)
    target = site.source.defined.get(name)
    if target is not None:
        places = [one.arg for one in (*target.args.posonlyargs, *target.args.args)]
        bound = places[:1] in (["self"], ["cls"])
        wanted = places[many + bound : many + bound + 1]
        alike = (other for one in wanted for other in site.scope.locals if near(one, other) >= LIKE_LEAST)
        found.update((one, min(found.get(one, 9.0), 1.9)) for one in alike if one not in ("self", "cls"))
    for text in [one for one in found if one not in mine][:MOST]:
        at = site.source.span(node.args[-1])[1] if node.args else site.source.span(node.func)[1] + 1
        if not node.args and site.source.text[at - 1] != "(":
            return
        new = f", {text}" if node.args else f"{text}, " if node.keywords else text
        why = f"`{text}` is left out for `{name}`"
        yield Edit(site.source.path, at, at, new, "argument", why, found[text], node.lineno)


def _none_at_all(site: Site, node: ast.Call) -> Iterator[Edit]:
    """`f()`: its only argument is meant as by default."""
    target = site.source.defined.get(name_of(node.func))
    given = len(node.args) + len(node.keywords)
    if given != 1 or target is None or not (target.args.defaults or target.args.kw_defaults):
        return
    why = f"`{name_of(node.func)}` is meant without its argument"
    yield site.swap(node, f"{site.source.of(node.func)}()", "argument dropped", why, 2.3)


def _wrapped(site: Site, node: ast.Constant) -> Iterator[Edit]:
    """`self.seg("WITH")`, as other texts of the file."""
    parent = site.source.parents.get(node)
    if not isinstance(
        parent, ast.Call | ast.keyword | ast.Return | ast.Assign | ast.BinOp | ast.Dict | ast.Tuple | ast.List
    ):
        return
    text = site.source.of(node)
    mine = name_of(parent.func) if isinstance(parent, ast.Call) else ""
    for call in _wrappers(site.source):
        head = call.partition(".")[0]
        known = head in site.scope.locals or head in site.source.globals
        if known and mine != call.rpartition(".")[2]:
            yield site.swap(node, f"{call}({text})", "call missing", f"`{text[:60]}` lacks `{call}(…)`", 2.3)


@lru_cache(maxsize=16)
def _wrappers(source: Source) -> tuple[str, ...]:
    """What is called with a single text, more than once."""
    found = Counter(
        ast.unparse(node.func)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords
        and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str)
        and isinstance(node.func, ast.Name | ast.Attribute)
    )  # fmt: skip
    named = [one for one, many in found.most_common(12) if many > 1 and one.replace(".", "_").isidentifier()]
    return tuple(named[:3])
