"""Operators, constants and limits: the wrong comparison, the wrong sign, one too many or too few."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache

from prodwise.repair.edits import Edit
from prodwise.repair.search.site import Site

DROPPED = "condition dropped"
_COMPARED: dict[type[ast.cmpop], tuple[str, tuple[tuple[str, float], ...]]] = {
    ast.Lt: ("<", (("<=", 0.8), (">", 1.2), (">=", 1.6))),
    ast.LtE: ("<=", (("<", 0.8), (">=", 1.2), (">", 1.6))),
    ast.Gt: (">", ((">=", 0.8), ("<", 1.2), ("<=", 1.6))),
    ast.GtE: (">=", ((">", 0.8), ("<=", 1.2), ("<", 1.6))),
    ast.Eq: ("==", (("!=", 1.2), ("<=", 1.6), (">=", 1.6), ("in", 2.0), ("is", 2.0))),
    ast.NotEq: ("!=", (("==", 1.2), ("<", 1.8), (">", 1.8), ("is not", 2.0))),
    ast.In: ("in", (("not in", 1.2), ("==", 2.0))),
    ast.Is: ("is", (("is not", 1.2), ("==", 1.2))),
}
_COUNTING = frozenset(("len", "int", "round", "sum", "ord", "abs"))
_WORDS: dict[type[ast.cmpop], tuple[str, str]] = {ast.NotIn: ("in", "not"), ast.IsNot: ("not", "is")}
_ARITHMETIC: dict[type[ast.operator], tuple[str, tuple[str, ...]]] = {
    ast.Add: ("+", ("-", "*")),
    ast.Sub: ("-", ("+",)),
    ast.Mult: ("*", ("/", "+", "//", "**")),
    ast.Div: ("/", ("//", "*")),
    ast.FloorDiv: ("//", ("/", "%")),
    ast.Mod: ("%", ("//",)),
    ast.BitAnd: ("&", ("|", "^")),
    ast.BitOr: ("|", ("&", "^")),
    ast.BitXor: ("^", ("&", "|")),
    ast.LShift: ("<<", (">>",)),
    ast.RShift: (">>", ("<<",)),
    ast.Pow: ("**", ("*",)),
}


def edits(site: Site, node: ast.expr) -> Iterator[Edit]:
    if isinstance(node, ast.Compare):
        yield from _comparisons(site, node)
    elif isinstance(node, ast.BoolOp):
        yield from _junctions(site, node)
    elif isinstance(node, ast.BinOp):
        yield from _arithmetic(site, node)
    elif isinstance(node, ast.UnaryOp):
        kept = site.source.of(node.operand)
        if isinstance(node.op, ast.Not | ast.USub):
            yield site.swap(node, kept, "sign", f"`{_short(site, node)}` is meant without its sign", 1.4)
    elif isinstance(node, ast.Constant):
        yield from _constants(site, node)
    if isinstance(node, ast.Name | ast.Attribute | ast.Call | ast.Subscript | ast.BinOp):
        yield from _one_more(site, node)


def augmented(site: Site) -> Iterator[Edit]:
    """`a += b` with another sign, or as a plain assignment; `a = b` that should add to what was there."""
    statement = site.statement
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1 and _was_something(site, statement.targets[0]):
        for sign in ("+", "-"):
            why = f"`{site.source.of(statement.targets[0])}` forgets what it was"
            made = site.between(statement.targets[0], statement.value, "=", f"{sign}=", "operator", why, 1.8)
            if made:
                yield made
    if not isinstance(statement, ast.AugAssign) or type(statement.op) not in _ARITHMETIC:
        return
    old, others = _ARITHMETIC[type(statement.op)]
    for new in (*others, ""):
        cost = 1.2 if new else 2.2
        made = site.between(
            statement.target, statement.value, f"{old}=", f"{new}=", "operator", f"`{old}=` is meant as `{new}=`", cost
        )
        if made:
            yield made


def _was_something(site: Site, target: ast.expr) -> bool:
    """Whether the name holds something before: a parameter, or set further up."""
    if not isinstance(target, ast.Name):
        return False
    function = site.source.function(site.statement)
    around = site.source.tree if function is None else function
    return any(
        (isinstance(one, ast.Name) and one.id == target.id and one.lineno < target.lineno)
        or (isinstance(one, ast.arg) and one.arg == target.id)
        for one in ast.walk(around)
    )


def _comparisons(site: Site, node: ast.Compare) -> Iterator[Edit]:
    left = node.left
    for operator, right in zip(node.ops, node.comparators, strict=True):
        if type(operator) in _COMPARED:
            old, others = _COMPARED[type(operator)]
            plain = type(operator) in (ast.Eq, ast.NotEq) and (_unordered(left) or _unordered(right))
            made_here = not all(isinstance(one, ast.Name | ast.Attribute) for one in (left, right))
            for new, cost in others:
                if (plain and new[0] in "<>") or (made_here and new.startswith("is") and old in ("==", "!=")):
                    continue
                made = site.between(left, right, old, new, "comparison", f"`{old}` is meant as `{new}`", cost)
                if made:
                    yield made
        elif type(operator) in _WORDS:
            kept = "in" if isinstance(operator, ast.NotIn) else "is"
            start, end = site.source.span(left)[1], site.source.span(right)[0]
            why = f"the comparison is meant the other way, with `{kept}`"
            yield Edit(site.source.path, start, end, f" {kept} ", "comparison", why, 1.2, node.lineno)
        left = right
    if len(node.ops) == 1 and isinstance(node.ops[0], ast.In):
        one, two = site.source.of(node.left), site.source.of(node.comparators[0])
        yield site.swap(node, f"{two} in {one}", "order", "the operands of `in` are in the wrong order", 2.0)


def _unordered(node: ast.expr) -> bool:
    """A text, a list or nothing: whether it comes before another one is hardly ever asked."""
    if isinstance(node, ast.Constant):
        return not isinstance(node.value, int | float) or isinstance(node.value, bool)
    return isinstance(node, ast.List | ast.Tuple | ast.Dict | ast.Set)


def _junctions(site: Site, node: ast.BoolOp) -> Iterator[Edit]:
    old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
    for left, right in zip(node.values, node.values[1:], strict=False):
        made = site.between(left, right, f"{old}", f"{new}", "junction", f"`{old}` is meant as `{new}`", 1.6)
        if made:
            yield made
    for at, value in enumerate(node.values):
        yield without(site, node, value)
        yield site.swap(
            value, _negated(site, value), "negation", f"`{_short(site, value)}` is meant negated", 1.6 + 0.1 * at
        )


def without(site: Site, node: ast.BoolOp, value: ast.expr) -> Edit:
    """Conditions less one of them."""
    word = " and " if isinstance(node.op, ast.And) else " or "
    rest = word.join(site.source.of(one) for one in node.values if one is not value)
    return site.swap(node, rest, DROPPED, f"the condition asks too much with `{_short(site, value)}`", 2.6)


def _negated(site: Site, node: ast.expr) -> str:
    text = site.source.of(node)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return site.source.of(node.operand)
    return f"not {text}" if isinstance(node, ast.Name | ast.Attribute | ast.Call | ast.Subscript) else f"not ({text})"


def condition(site: Site, test: ast.expr) -> Iterator[Edit]:
    """A whole condition, negated."""
    if not isinstance(test, ast.Compare | ast.BoolOp | ast.Constant):
        yield site.swap(test, _negated(site, test), "negation", f"`{_short(site, test)}` is meant negated", 1.4)


def _arithmetic(site: Site, node: ast.BinOp) -> Iterator[Edit]:
    source = site.source
    if type(node.op) in _ARITHMETIC and not (isinstance(node.op, ast.Mod) and isinstance(node.left, ast.Constant)):
        old, others = _ARITHMETIC[type(node.op)]
        for new in others:
            made = site.between(node.left, node.right, old, new, "operator", f"`{old}` is meant as `{new}`", 1.2)
            if made:
                yield made
        left, right = source.of(node.left), source.of(node.right)
        if not isinstance(node.op, ast.Mult | ast.BitAnd | ast.BitOr | ast.BitXor) and left != right:
            old = _ARITHMETIC[type(node.op)][0]
            left = (
                left
                if isinstance(node.left, ast.Name | ast.Call | ast.Constant | ast.Attribute | ast.Subscript)
                else f"({left})"
            )
            why = f"the operands of `{old}` are in the wrong order"
            yield site.swap(node, f"{right} {old} {left}", "order", why, 1.6)
    for kept, lost in ((node.left, node.right), (node.right, node.left)):
        yield site.swap(node, source.of(kept), "operand dropped", f"`{_short(site, lost)}` is too much here", 1.9)


def _constants(site: Site, node: ast.Constant) -> Iterator[Edit]:
    value = node.value
    if isinstance(site.source.parents.get(node), ast.GeneratorExp):
        return  # `sum(1 for …)` counts
    if isinstance(value, bool):
        yield site.swap(node, str(not value), "constant", f"`{value}` is meant as `{not value}`", 1.8)
    elif isinstance(value, int) and abs(value) < 10**9:
        for new in dict.fromkeys((value + 1, value - 1, -value, 0, 1)):
            if new != value:
                cost = 1.2 if abs(new - value) == 1 else 1.9
                yield site.swap(node, str(new), "constant", f"{value} is meant as {new}", cost)


def _one_more(site: Site, node: ast.expr) -> Iterator[Edit]:
    """`+ 1` and `- 1` where a count or a limit stands: an index, an argument of `range`, an operand of a comparison."""
    parent, child = site.source.parents.get(node), node
    limit = isinstance(parent, ast.Slice | ast.Compare) or (isinstance(parent, ast.Subscript) and parent.slice is node)
    limit = limit or (isinstance(parent, ast.Tuple) and isinstance(site.source.parents.get(parent), ast.Subscript))
    call = isinstance(parent, ast.Call) and parent.func is not child
    value = isinstance(parent, ast.Assign | ast.Return | ast.AugAssign) and not isinstance(
        getattr(node, "ctx", None), ast.Store
    )
    if isinstance(parent, ast.Compare) and not all(
        isinstance(op, ast.Lt | ast.LtE | ast.Gt | ast.GtE | ast.Eq) for op in parent.ops
    ):
        return
    if not (limit or call or value) or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod)):
        return
    if isinstance(node, ast.Name) and (node.id in ("self", "cls") or node.id in site.scope.functions):
        return
    ranged = isinstance(parent, ast.Call) and isinstance(parent.func, ast.Name) and parent.func.id == "range"
    compared = isinstance(parent, ast.Compare)  # where another comparison is likelier
    cost = 1.9 if compared else 1.2 if ranged or limit else 1.6 if call else 2.0 if _counts(site, node, parent) else 2.4
    text = site.source.of(node)
    for sign in ("+", "-"):
        yield site.swap(node, f"{text} {sign} 1", "limit", f"`{_short(site, node)}` is one off", cost)


def _counts(site: Site, node: ast.expr, parent: ast.AST | None) -> bool:
    """Whether anything tells that this is a number: the function reckons with it, or with what is made of it."""
    function = site.source.function(node)
    names = (
        [target for target in parent.targets if isinstance(target, ast.Name)] if isinstance(parent, ast.Assign) else []
    )
    told = _reckoned(function) if function is not None else frozenset[str]()
    return not isinstance(node, ast.Name | ast.Attribute | ast.Subscript | ast.Call) or any(
        _said(one) in told or _said(one) in _COUNTING for one in (node, *names)
    )


@lru_cache(maxsize=512)
def _reckoned(function: ast.AST) -> frozenset[str]:
    """What a function adds, orders, or takes as a place."""
    found: list[ast.expr | None] = []
    for node in ast.walk(function):
        match node:
            case ast.BinOp(left=left, right=right, op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div() | ast.FloorDiv()):
                found += [left, right] if not _texts(left) and not _texts(right) else []
            case ast.AugAssign(target=left, value=right):
                found += [left, right]
            case ast.Compare(left=left, comparators=rights, ops=[ast.Lt() | ast.LtE() | ast.Gt() | ast.GtE(), *_]):
                found += [left, *rights]
            case ast.Subscript(slice=ast.Slice(lower=left, upper=right)):
                found += [left, right]
            case ast.Subscript(slice=index):
                found.append(index)
            case ast.Call(func=ast.Name(id="range"), args=args):
                found += args
    return frozenset(_said(one) for one in found if one is not None)


def _texts(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes))


def _said(node: ast.expr) -> str:
    return ast.unparse(node.func) if isinstance(node, ast.Call) else ast.unparse(node)


def _short(site: Site, node: ast.expr) -> str:
    return " ".join(site.source.of(node).split())[:60]
