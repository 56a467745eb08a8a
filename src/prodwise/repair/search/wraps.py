"""An expression that goes through a call which the file uses elsewhere, has another to fall back on, or holds only sometimes."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from prodwise.repair.edits import Edit
from prodwise.repair.search import nearby
from prodwise.repair.search.names import near
from prodwise.repair.search.site import Site

_VALUES = ast.Name | ast.Attribute | ast.Call | ast.Subscript
_PLACES = (ast.Return | ast.Assign | ast.Call | ast.keyword | ast.BinOp | ast.Compare | ast.For | ast.comprehension | ast.Tuple
           | ast.List | ast.Dict | ast.FormattedValue | ast.IfExp | ast.AugAssign)  # fmt: skip
WRAPPERS_MOST = 10
AROUND_MOST = 6


def edits(site: Site, node: ast.expr) -> Iterator[Edit]:
    parent = site.source.parents.get(node)
    if not isinstance(node, _VALUES) or not isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
        return
    if isinstance(parent, ast.Call) and parent.func is node:
        return
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
        base, key = site.source.of(node.value), site.source.of(node.slice)
        yield site.swap(node, f"{base}.get({key})", "missing key", f"`{key}` may be missing in `{base}`", 2.3)
    if isinstance(parent, ast.Attribute) and isinstance(node, ast.Name | ast.Attribute):
        yield from _called(site, node, 2.6)
        if (text := site.source.of(node)) in nearby.called(site.source):
            yield site.swap(node, f"{text}()", "call missing", f"`{text[:60]}` is called elsewhere", 1.9)
        return
    if not isinstance(parent, _PLACES):
        return
    yield from _called(site, node, 2.3)
    yield from _among(site, node)
    yield from _given_none(site, node)
    yield from _chained(site, node)
    yield from _or_else(site, node, parent)
    yield from _longer(site, node, parent)
    if isinstance(parent, ast.Return | ast.Assign | ast.keyword | ast.Call | ast.Dict):
        yield from _only_if(site, node)


def _called(site: Site, node: ast.expr, cost: float) -> Iterator[Edit]:
    """As others are: `self._clean(x)`, `os.path.abspath(x)`."""
    text = site.source.of(node)
    seen = [one for one in nearby.wrappers(site.source) if _possible(site, one)][:WRAPPERS_MOST]
    for call in seen:
        if not text.startswith(f"{call}("):
            yield site.swap(node, f"{call}({text})", "call missing", f"`{text[:60]}` lacks `{call}(…)`", cost)


def _possible(site: Site, call: str) -> bool:
    head, dot, _ = call.partition(".")
    if not dot:
        return head in site.scope.functions
    return head in site.source.globals or (head in ("self", "cls") and head in site.scope.locals)


def _among(site: Site, node: ast.expr) -> Iterator[Edit]:
    """As others are, with the same company: `arg_val(target, x, scope)`."""
    text, many_seen = site.source.of(node), 0
    if isinstance(node, ast.Name) and node.id in ("self", "cls"):
        return
    for one, many in nearby.arounds(site.source):
        if many_seen >= AROUND_MOST:
            return
        inside = f"{one.head}{text}{one.tail}"
        if text in one.head or text in one.tail or not nearby.visible(site, one.names) or text.startswith(one.head):
            continue
        many_seen += 1
        yield site.swap(node, inside, "call missing", f"`{text[:60]}` lacks `{one.head}…{one.tail}`"[:160],
                        2.3 if many > 1 else 2.5)  # fmt: skip


def _given_none(site: Site, node: ast.expr) -> Iterator[Edit]:
    """`d.get("k", x)` where the key may be there with nothing."""
    match node:
        case ast.Call(func=ast.Attribute(attr="get" | "pop" as how) as func, args=[key, other], keywords=[]):
            left = f"{site.source.of(func)}({site.source.of(key)}{', None' if how == 'pop' else ''})"
        case ast.Call(func=ast.Name(id="getattr") as func, args=[thing, key, other], keywords=[]):
            left = f"getattr({site.source.of(thing)}, {site.source.of(key)}, None)"
        case _:
            return
    if not (isinstance(other, ast.Constant) and other.value is None):
        new = f"{left} or {site.source.of(other)}"
        yield site.swap(node, new, "none", f"`{site.source.of(key)[:60]}` may be there, and be nothing", 2.0)


def _chained(site: Site, node: ast.expr) -> Iterator[Edit]:
    text = site.source.of(node)
    for chain in (*nearby.chains(site.source), ".decode()", ".encode()", '.strip("/")', ".split()", ".title()"):
        if not text.endswith(chain):
            yield site.swap(node, f"{text}{chain}", "call missing", f"`{text[:60]}` lacks `{chain}`", 2.4)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and (node.args or node.keywords):
        kept = site.source.of(node.func.value)
        yield site.swap(node, kept, "call dropped", f"`.{node.func.attr}(…)` is too much here", 2.5)


def _or_else(site: Site, node: ast.expr, parent: ast.AST) -> Iterator[Edit]:
    text = site.source.of(node)
    if isinstance(parent, ast.BinOp | ast.Compare | ast.For | ast.comprehension) or text.startswith("("):
        return
    for value in ('""', "[]", "{}", "None", "0"):
        yield site.swap(node, f"{text} or {value}", "none", f"`{text[:60]}` may be empty", 2.4)
    name = text.rpartition(".")[2]
    others = [one for one in site.scope.locals if one not in (text, "self", "cls", "_")][:8]
    for other in others:
        cost = 2.6 - 0.4 * near(name, other)
        yield site.swap(node, f"{text} or {other}", "none", f"`{other}` is meant where `{text[:60]}` is empty", cost)
    for attribute in site.scope.attributes if "self" in site.scope.locals else ():
        if near(name, attribute) > 0.5 and text != f"self.{attribute}":
            why = f"`self.{attribute}` is meant where `{text[:60]}` is empty"
            yield site.swap(node, f"{text} or self.{attribute}", "none", why, 2.2)


def _longer(site: Site, node: ast.expr, parent: ast.AST) -> Iterator[Edit]:
    """`root` where the function says `path + os.sep` of another."""
    if isinstance(parent, ast.BinOp | ast.For | ast.comprehension):
        return
    text, function = site.source.of(node), site.source.function(site.statement)
    ends = dict.fromkeys(
        ast.unparse(one.right) for one in ast.walk(function or site.statement)
        if isinstance(one, ast.BinOp) and isinstance(one.op, ast.Add) and isinstance(one.right, _VALUES | ast.Constant)
    )  # fmt: skip
    for end in list(ends)[:4]:
        if end != text:
            yield site.swap(node, f"{text} + {end}", "part", f"`{end}` is left out", 2.5)


def _only_if(site: Site, node: ast.expr) -> Iterator[Edit]:
    """`f(x) if x is not None else None`: where the value speaks of a name that may be missing."""
    text = site.source.of(node)
    if isinstance(node, ast.Name):
        return
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Name):
        base, key = site.source.of(node.value), node.slice.id
        new = f"{text} if {key} is not None else {base}"
        yield site.swap(node, new, "none", f"`{key}` may be missing", 2.3)
    inner = dict.fromkeys(ast.unparse(one) for one in ast.walk(node) if one is not node and _may_be_missing(site, one))
    for name in [one for one in inner if one not in ("self", "cls") and not one.endswith(")")][:3]:
        if f"{name}(" in text:
            continue
        for test, cost in ((f"{name} is not None", 2.4), (name, 2.4)):
            for other in ("None", name, '""'):
                new = f"{text} if {test} else {other}"
                yield site.swap(node, new, "none", f"`{name}` may be missing", cost + 0.1 * (other != "None"))


def _may_be_missing(site: Site, node: ast.AST) -> bool:
    if not isinstance(site.source.parents.get(node), ast.Call | ast.Attribute):
        return False
    return isinstance(node, ast.Attribute) or (isinstance(node, ast.Name) and node.id in site.scope.locals)
