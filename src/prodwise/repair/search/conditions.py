"""Conditions that ask too little or too much: a term which the file asks elsewhere, a kind, None where emptiness is meant."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from itertools import product

from prodwise.repair.edits import Edit
from prodwise.repair.search import nearby
from prodwise.repair.search.site import Site

TERMS_MOST = 36
_PLAIN = ast.Name | ast.Attribute | ast.Call | ast.Subscript | ast.Compare


def edits(site: Site, node: ast.expr) -> Iterator[Edit]:
    if is_condition(site, node):
        yield from _more(site, node)
        yield from _none_or_empty(site, node)
    if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        yield from _filtered(site, node)


def is_condition(site: Site, node: ast.expr) -> bool:
    """Whether it answers yes or no where it stands: a test, a term of one, or an answer that is handed on."""
    parent = site.source.parents.get(node)
    if isinstance(parent, ast.If | ast.While | ast.IfExp | ast.Assert):
        return parent.test is node
    if isinstance(parent, ast.comprehension):
        return node in parent.ifs
    if isinstance(parent, ast.BoolOp):
        return is_condition(site, parent) or isinstance(node, ast.Compare)
    if isinstance(parent, ast.UnaryOp):
        return isinstance(parent.op, ast.Not) and is_condition(site, parent)
    compared = node.values[-1] if isinstance(node, ast.BoolOp) else node
    asks = isinstance(compared, ast.Compare) or (isinstance(compared, ast.UnaryOp) and isinstance(compared.op, ast.Not))
    return asks and isinstance(parent, ast.Return | ast.Assign | ast.keyword | ast.Lambda)


def joined(site: Site, node: ast.expr, term: str, word: str, why: str, cost: float, before: bool = False) -> Edit:
    """The condition with one term more, before it where it speaks of the same thing and protects it, else after, unless told."""
    text = site.source.of(node)
    parent = site.source.parents.get(node)
    alone = isinstance(node, _PLAIN) or (isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not))
    same = isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And if word == "and" else ast.Or)
    safe = text if alone or same else f"({text})"
    first = before or (" is " in term and _base(term) in ast.unparse(node))
    new = f"{term} {word} {safe}" if first else f"{safe} {word} {term}"
    like = isinstance(parent, ast.BoolOp) and isinstance(parent.op, ast.And if word == "and" else ast.Or)
    if like:
        start, end = site.source.span(node)
        return Edit(site.source.path, start, end, new, "condition", why, cost, node.lineno)
    return site.swap(node, new, "condition", why, cost)


def _base(term: str) -> str:
    return term.removeprefix("not ").partition(" is ")[0]


def _more(site: Site, node: ast.expr) -> Iterator[Edit]:
    mine = ast.unparse(node)
    for term, cost in list(terms(site, node).items())[:TERMS_MOST]:
        if term in mine or term.removeprefix("not ") in mine:
            continue
        for word in ("and", "or"):
            yield joined(site, node, term, word, f"the condition lacks `{term}`", cost)


def terms(site: Site, node: ast.expr | ast.stmt) -> dict[str, float]:
    """Both ways: as it is asked elsewhere, and negated."""
    found: dict[str, float] = {}
    function = site.source.function(site.statement)
    used = [one for one in _names(node) if one in site.scope.locals and one not in ("self", "cls")][:3]
    for one in nearby.questions(site.source):
        near = one.place is function
        shared = bool(one.names & {*used, "self"}) or near
        if shared and nearby.visible(site, one.names):
            found.setdefault(one.text, 2.4 if not near else 2.1 if one.names & {*used} else 2.2)
    others = [name for name in site.scope.locals if name not in (*used, "self", "cls", "_")][:3]
    for name, question in product(used, nearby.open_here(site.source, function)):
        found.setdefault(question.replace("{}", name), 2.2)
    for name, question in product(used, nearby.open_questions(site.source)):
        found.setdefault(question.replace("{}", name), 2.3)
    for name, kind in product((*used, *others), (*site.source.asked_types[:3], "str")):
        if len(kind) < 40:
            found.setdefault(f"isinstance({name}, {kind})", 2.4)
    for name in used:
        found.setdefault(f"len({name}) > 1", 2.7)
        found.setdefault(f"{name} is None", 2.3)
    both = {**found, **{negated(text): cost + 0.1 for text, cost in found.items()}}
    return dict(sorted(both.items(), key=lambda item: item[1]))


def _names(node: ast.AST) -> list[str]:
    return list(dict.fromkeys(one.id for one in ast.walk(node) if isinstance(one, ast.Name)))


def kinds(terms: Sequence[ast.expr], asked: bool) -> set[tuple[str, str]]:
    """(value, kind) of each `isinstance` among the terms, or of each `not isinstance`."""
    found = set[tuple[str, str]]()
    for one in terms:
        negated = isinstance(one, ast.UnaryOp) and isinstance(one.op, ast.Not)
        match one.operand if isinstance(one, ast.UnaryOp) else one:
            case ast.Call(func=ast.Name(id="isinstance"), args=[value, kind]) if negated is not asked:
                kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
                found.update((ast.unparse(value), ast.unparse(each)) for each in kinds)
    return found


def negated(text: str) -> str:
    node = ast.parse(text, mode="eval").body
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return ast.unparse(node.operand)
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        opposite = {ast.Is: "is not", ast.IsNot: "is", ast.In: "not in", ast.NotIn: "in", ast.Eq: "!=", ast.NotEq: "=="}
        word = opposite.get(type(node.ops[0]))
        if word:
            return f"{ast.unparse(node.left)} {word} {ast.unparse(node.comparators[0])}"
    return f"not {text}" if isinstance(node, ast.Name | ast.Attribute | ast.Call | ast.Subscript) else f"not ({text})"


def _none_or_empty(site: Site, node: ast.expr) -> Iterator[Edit]:
    """`if x` where None alone is meant, and the other way round."""
    match node:
        case ast.Name() | ast.Attribute() | ast.Call() | ast.Subscript():
            negative = isinstance(site.source.parents.get(node), ast.UnaryOp)
            if not negative:
                text = site.source.of(node)
                yield site.swap(node, f"{text} is not None", "none", f"only None is meant by `{text}`", 1.7)
        case ast.UnaryOp(op=ast.Not(), operand=ast.Name() | ast.Attribute() | ast.Call() | ast.Subscript() as inner):
            text = site.source.of(inner)
            yield site.swap(node, f"{text} is None", "none", f"only None is meant by `not {text}`", 1.7)
        case ast.Compare(left=left, ops=[ast.Is() | ast.IsNot() as how], comparators=[ast.Constant(value=None)]):
            text = site.source.of(left)
            new = f"not {text}" if isinstance(how, ast.Is) else text
            yield site.swap(node, new, "none", f"`{text}` may be empty as well", 1.8)


def _filtered(site: Site, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> Iterator[Edit]:
    """`for x in xs` of which some are left out."""
    last = node.generators[-1]
    if last.ifs or not isinstance(last.target, ast.Name):
        return
    name, end = last.target.id, site.source.span(last.iter)[1]
    asked = dict.fromkeys((name, f"{name} is not None"), 2.1)
    asked.update((question.replace("{}", name), 2.4) for question in nearby.open_questions(site.source))
    for text, cost in asked.items():
        why = f"only those are meant of which `{text}`"
        yield Edit(site.source.path, end, end, f" if {text}", "condition", why, cost, node.lineno)
