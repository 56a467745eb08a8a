"""What the failing call was given and no passing one: asked by the conditions of the function, and by what it hands on."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from prodwise.repair.edits import Edit
from prodwise.repair.search import conditions
from prodwise.repair.search.site import Site
from prodwise.repair.source import Source, scope
from prodwise.repair.values import Call, Calls, Value, questions

MOST = 8
_PLAIN = ("str", "bytes", "int", "float", "bool", "list", "tuple", "dict", "set")


def edits(source: Source, statement: ast.stmt, calls: Calls) -> Iterator[Edit]:
    """One term more for each condition of the statement: the question that tells the failing call from those that pass."""
    function = source.function(statement)
    if function is None:
        return
    last = calls.last(source.path, function)
    asked = told(last, calls.good(source.path, function)) if last else []
    if not asked:
        return
    site = Site(source, statement, scope(source, statement))
    for node in source.head(statement):
        if not conditions.is_condition(site, node):
            continue
        for question, cost in asked:
            for term, word in ((conditions.negated(question), "and"), (question, "or"), (question, "and")):
                why = f"only the failing call is one of which `{question}`"
                yield conditions.joined(site, node, term, word, why, cost + 0.3 * (term == question and word == "and"))


def told(bad: list[Call], good: list[Call]) -> list[tuple[str, float]]:
    """Questions that all failing calls answer with yes and all passing ones with no, the plainer ones first."""
    found = {one.text: 1.7 for one in questions(bad, good)}
    if not good:
        return []
    for name, value in bad[0].values.items():
        for text in _about(name, value):
            if all(_holds(text, one) for one in bad) and not any(_holds(text, one) for one in good):
                found.setdefault(text, 1.9)
    return list(found.items())[:MOST]


def _about(name: str, value: Value) -> Iterator[str]:
    """Whether it is true, and of which kind; not which text or number it is: that would name the failing call alone."""
    kind, held = value
    if kind == "bool":
        yield name if held is True else f"not {name}"
    if kind in _PLAIN:
        yield f"isinstance({name}, {kind})"


def _holds(text: str, call: Call) -> bool:
    node = ast.parse(text, mode="eval").body
    match node:
        case ast.Call(args=[one, ast.Name(id=wanted)]):
            return call.values.get(ast.unparse(one), ("", None))[0] == wanted
        case ast.UnaryOp(operand=one):
            return not _true(call.values.get(ast.unparse(one)))
    return _true(call.values.get(text))


def _true(value: Value | None) -> bool:
    return value is not None and value[0] != "NoneType" and value[1] not in (False, 0, "")
