"""The shape of an expression: a call that is missing or too much, a term that a condition lacks, a piece from nearby."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache

from prodwise.repair.edits import Edit
from prodwise.repair.search.names import looped
from prodwise.repair.search.site import Site
from prodwise.repair.source import Function, Source

_AROUND = ("sorted", "list", "set", "str", "int", "len", "abs", "tuple", "float", "dict")
_METHODS = ("strip()", "lower()", "copy()", "items()", "values()", "rstrip()", "upper()")
_VALUES = (
    ast.Name | ast.Attribute | ast.Call | ast.Subscript | ast.BinOp | ast.ListComp | ast.SetComp | ast.GeneratorExp
)


def edits(site: Site, node: ast.expr) -> Iterator[Edit]:
    if isinstance(node, ast.Call):
        yield from _unwrapped(site, node)
    if isinstance(node, _VALUES) and isinstance(getattr(node, "ctx", ast.Load()), ast.Load) and not _callee(site, node):
        yield from _wrapped(site, node)
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        yield from _sliced(site, node)


def _callee(site: Site, node: ast.expr) -> bool:
    parent = site.source.parents.get(node)
    return (isinstance(parent, ast.Call) and parent.func is node) or isinstance(parent, ast.Attribute)


def _unwrapped(site: Site, node: ast.Call) -> Iterator[Edit]:
    if len(node.args) == 1 and not node.keywords and not isinstance(node.args[0], ast.Starred):
        kept = site.source.of(node.args[0])
        if isinstance(site.source.parents.get(node), ast.expr | ast.Return | ast.Assign | ast.For | ast.keyword):
            yield site.swap(node, kept, "call dropped", f"`{_short(site, node.func)}(…)` is too much here", 1.9)
    if not node.args and not node.keywords and isinstance(node.func, ast.Attribute):
        kept = site.source.of(node.func.value)
        yield site.swap(node, kept, "call dropped", f"`.{node.func.attr}()` is too much here", 2.2)


def _wrapped(site: Site, node: ast.expr) -> Iterator[Edit]:
    text, source = site.source.of(node), site.source
    parent = source.parents.get(node)
    name = _short(site, node)
    placed = isinstance(parent, ast.Return | ast.Assign | ast.For | ast.Call | ast.Compare | ast.BinOp | ast.Dict | ast.keyword
                        | ast.comprehension | ast.Subscript | ast.Tuple | ast.List | ast.FormattedValue)  # fmt: skip
    if not placed:
        return
    if isinstance(node, ast.GeneratorExp) and not text.startswith("("):
        return
    for call in _AROUND:
        if not text.startswith(f"{call}(") and not (call == "set" and looped(site, node)):
            yield site.swap(node, f"{call}({text})", "call missing", f"`{name}` lacks `{call}(…)`", 2.0)
    if isinstance(node, ast.Name | ast.Attribute | ast.Call | ast.Subscript):
        for method in _METHODS:
            yield site.swap(node, f"{text}.{method}", "call missing", f"`{name}` lacks `.{method}`", 2.2)
        yield site.swap(node, f"{text}()", "call missing", f"`{name}` is meant to be called", 2.2)
        for other in site.scope.functions:
            if not text.startswith(f"{other}("):
                why = f"`{name}` lacks `{other}(…)`"
                yield site.swap(node, f"{other}({text})", "call missing", why, 2.6)
    if isinstance(parent, ast.Return | ast.Assign):
        yield from _bounded(site, node, text)


def _bounded(site: Site, node: ast.expr, text: str) -> Iterator[Edit]:
    """A running best or sum that forgets what it was, or that may not fall below zero."""
    parent = site.source.parents.get(node)
    target = parent.targets[0] if isinstance(parent, ast.Assign) else None
    kept = [target.id] if isinstance(target, ast.Name) else []
    for other in (*kept, "0"):
        for call in ("max", "min"):
            cost = 2.0 if other != "0" or call == "max" else 2.6
            yield site.swap(
                node, f"{call}({other}, {text})", "call missing", f"`{_short(site, node)}` lacks a limit", cost
            )


def _sliced(site: Site, node: ast.Subscript) -> Iterator[Edit]:
    yield site.swap(
        node, site.source.of(node.value), "index dropped", f"the whole of `{_short(site, node.value)}` is meant", 2.2
    )


def pieces(site: Site, node: ast.expr) -> Iterator[Edit]:
    """Another expression of the same function in its place; names alone are another rule's."""
    function = site.source.function(site.statement)
    if function is None or not isinstance(
        node, ast.Subscript | ast.Call | ast.Compare | ast.Attribute | ast.BinOp | ast.Name
    ):
        return
    if not isinstance(getattr(node, "ctx", ast.Load()), ast.Load) or _callee(site, node):
        return
    mine = ast.unparse(node)
    for text, kind in _of_function(site.source, function).items():
        if text == mine:
            continue
        inside = mine in text or text in mine
        cost = 2.2 if kind is type(node) or inside else 2.7
        yield site.swap(node, text, "piece", f"`{text}` is meant instead of `{_short(site, node)}`", cost)


@lru_cache(maxsize=64)
def _of_function(source: Source, function: Function) -> dict[str, type[ast.expr]]:
    """The texts of a function's expressions, each with its kind."""
    found: dict[str, type[ast.expr]] = {}
    for other in ast.walk(function):
        if not isinstance(other, ast.Subscript | ast.Call | ast.Compare | ast.Attribute | ast.BinOp):
            continue
        parent = source.parents.get(other)
        callee = (isinstance(parent, ast.Call) and parent.func is other) or isinstance(parent, ast.Attribute)
        if isinstance(getattr(other, "ctx", ast.Load()), ast.Load) and not (
            isinstance(other, ast.Attribute) and callee
        ):
            text = ast.unparse(other)
            if len(text) <= 60 and "\n" not in text:
                found.setdefault(text, type(other))
    return found


def lists(site: Site, node: ast.expr) -> Iterator[Edit]:
    """An empty result where the empty or the single element is meant; a truth that depends on what was counted."""
    if isinstance(node, ast.List) and not node.elts and isinstance(site.statement, ast.Return):
        yield site.swap(node, "[[]]", "constant", "one empty result is meant, not none", 2.4)
        for name in site.scope.locals:
            yield site.swap(node, f"[{name}]", "constant", f"the result is `{name}` itself", 2.4)
    if (
        isinstance(node, ast.Constant)
        and isinstance(node.value, bool)
        and not isinstance(site.source.parents.get(node), ast.keyword)
    ):
        for name in site.scope.locals:
            if name in ("self", "cls"):
                continue
            for text in (name, f"not {name}", f"{name} == 0", f"{name} is not None"):
                cost = 2.5 if text != name else 2.3
                yield site.swap(node, text, "condition", f"the answer depends on `{name}`", cost)


def terms(site: Site, test: ast.expr) -> Iterator[Edit]:
    """A condition with one term more: about its own names, or one that the function asks elsewhere."""
    text = site.source.of(test)
    safe = text if isinstance(test, ast.Name | ast.Attribute | ast.Call | ast.Subscript | ast.Compare) else f"({text})"
    for term, cost in _terms(site, test).items():
        for word in ("and", "or"):
            guard = term.endswith("is None") or term.startswith("not ")
            kind_cost = cost + (0.0 if (word == "or") == guard else 0.3)
            new = f"{term} {word} {safe}" if _protects(term, test) else f"{safe} {word} {term}"
            why = f"the condition lacks `{term}`"
            yield site.swap(test, new, "condition", why, kind_cost)


def _terms(site: Site, test: ast.expr) -> dict[str, float]:
    found: dict[str, float] = {}
    for node in ast.walk(test):
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name | ast.Attribute)
            and node.value not in (test,)
        ):
            base = ast.unparse(node.value)
            if base not in ("self", "cls"):
                found.update({f"{base} is None": 2.2, f"{base} is not None": 2.2})
            if not _callee(site, node):
                text = ast.unparse(node)
                found.update({text: 2.2, f"{text} is None": 2.3, f"{text} is not None": 2.2})
    for name in site.scope.locals:
        if name not in ("self", "cls", "_"):
            own = any(isinstance(one, ast.Name) and one.id == name for one in ast.walk(test))
            for term in (name, f"not {name}", f"{name} is None", f"{name} is not None"):
                found.setdefault(term, 2.4 if own else 2.6)
    function = site.source.function(site.statement)
    for node in ast.walk(function) if function is not None else ():
        if isinstance(node, ast.Compare) and node is not test:
            found.setdefault(ast.unparse(node), 2.7)
    return {term: cost for term, cost in found.items() if len(term) < 60 and term != ast.unparse(test)}


def _protects(term: str, test: ast.expr) -> bool:
    """A question about None goes before what would fail on it."""
    base = term.removeprefix("not ").removesuffix(" is not None").removesuffix(" is None")
    return base in ast.unparse(test)


def _short(site: Site, node: ast.expr) -> str:
    return " ".join(site.source.of(node).split())[:60]
