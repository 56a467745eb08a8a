"""All edits of one statement, the likelier kinds first."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Sequence
from math import log2
from textwrap import dedent

from prodwise.repair.edits import Edit
from prodwise.repair.search import (
    accesses,
    arguments,
    branches,
    conditions,
    copies,
    early,
    fewer,
    flow,
    given,
    guards,
    idioms,
    inherited,
    keywords,
    missing,
    moves,
    names,
    only,
    operators,
    own_errors,
    parts,
    patterns,
    receivers,
    shapes,
    slips,
    statements,
    twins,
    ways,
    wraps,
)
from prodwise.repair.search.site import Site
from prodwise.repair.source import Function, Source, scope

MOST_OF_ONE = 900
MOST_OF_LINE = 200
ALIKE = 0.4
"""The second edit of a kind waits for so much, the fourth for twice as much: of a kind that makes many, each one is less likely.
Counted on small changes between releases, it halves the place of what was truly changed."""
_STEPS = frozenset({"branch", "copied", "flow", "only if", "statement missing", "unasked"})
"""Of whole statements there are few: they do not stand back behind the many edits inside of one."""


def of(source: Source, statement: ast.stmt) -> list[Edit]:
    site = Site(source, statement, scope(source, statement))
    seen: dict[tuple[int, int, str], Edit] = {}
    found, quoted, leaving = list(_all(site)), _quoted(site), leaves(source, statement)
    for edit in (*found, *twins.edits(site, found)):
        if any(_ends(edit, source, *one) for one in quoted) or (leaving and "return" in edit.new):
            continue
        if edit.start == edit.end and isinstance(statement, ast.If) and _asked(edit.new) & _asked_by(statement.test):
            continue
        key = (edit.start, edit.end, edit.new)
        if source.text[edit.start : edit.end] != edit.new and (key not in seen or seen[key].cost > edit.cost):
            seen[key] = edit
    lines = source.last_head_line(statement) - statement.lineno + 1
    cheapest = sorted(seen.values(), key=lambda one: one.cost)
    inside = _likeliest([one for one in cheapest if one.kind not in _STEPS])[: min(MOST_OF_ONE, MOST_OF_LINE * lines)]
    return sorted((*inside, *(one for one in cheapest if one.kind in _STEPS)), key=lambda one: one.cost)


def _asked(text: str) -> frozenset[str]:
    """What whole lines ask that are put before a statement: the same question after it has nothing left to answer."""
    try:
        first = ast.parse(dedent(text)).body[:1]
    except (SyntaxError, ValueError):
        return frozenset()
    return frozenset().union(*(_asked_by(one.test) for one in first if isinstance(one, ast.If)))


def _asked_by(test: ast.expr) -> frozenset[str]:
    """Whether a value is None, or nothing, is one question here."""
    match test:
        case (
            ast.UnaryOp(op=ast.Not(), operand=value)
            | ast.Compare(left=value, ops=[ast.Is()], comparators=[ast.Constant(value=None)])
        ):
            return frozenset((f"not {ast.unparse(value)}",))
    return frozenset((ast.unparse(test),))


def leaves(source: Source, statement: ast.stmt) -> bool:
    """Whether a block is left here: with another answer it would keep errors in, those of tests too."""
    function = source.function(statement)
    return function is not None and function.name in ("__exit__", "__aexit__")


def _likeliest(cheapest: Sequence[Edit]) -> list[Edit]:
    """Of a kind that makes many here, the later ones come after what is dearer and rare."""
    kinds = Counter[str]()
    keys: list[float] = []
    for one in cheapest:
        keys.append(one.cost + ALIKE * log2(1 + kinds[one.kind]))
        kinds[one.kind] += 1
    return [one for _, one in sorted(zip(keys, cheapest, strict=True), key=lambda pair: pair[0])]


def _quoted(site: Site) -> list[tuple[int, int, str]]:
    """The spans of f-strings, and the quote that ends each: inside of them it ends them before Python 3.12."""
    strings = [site.source.span(one) for one in site.source.head(site.statement) if isinstance(one, ast.JoinedStr)]
    text = site.source.text
    return [(start, end, text[end - 1]) for start, end in strings]


def _ends(edit: Edit, source: Source, start: int, end: int, quote: str) -> bool:
    """Whether an edit that reaches into that string puts another number of its quotes there."""
    reaches = start < edit.start < end or start < edit.end < end
    return reaches and edit.new.count(quote) != source.text.count(quote, edit.start, edit.end)


def _all(site: Site) -> Iterator[Edit]:
    statement = site.statement
    if isinstance(statement, ast.Import | ast.ImportFrom | ast.Global | ast.Nonlocal | ast.ClassDef):
        return
    if isinstance(statement, ast.Return) and leaves(site.source, statement):
        return
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return
    for node in site.source.head(statement):
        if isinstance(statement, Function) and not _default(statement, node):
            continue
        if isinstance(statement, Function):
            yield from keywords.defaults(site, statement, node)
        yield from _of_expression(site, node)
    yield from operators.augmented(site)
    if isinstance(statement, ast.If | ast.While):
        yield from operators.condition(site, statement.test)
        yield from shapes.terms(site, statement.test)
    if not isinstance(statement, Function):
        yield from idioms.edits(site)
        yield from guards.edits(site)
        yield from statements.edits(site)
        yield from copies.edits(site)
        yield from branches.edits(site)
        yield from flow.edits(site)
        yield from only.edits(site)
        yield from early.edits(site)
        yield from missing.steps(site)
        yield from inherited.edits(site)
        yield from moves.edits(site)
        yield from own_errors.edits(site)


def _of_expression(site: Site, node: ast.expr) -> Iterator[Edit]:
    yield from operators.edits(site, node)
    yield from names.edits(site, node)
    yield from shapes.edits(site, node)
    yield from shapes.pieces(site, node)
    yield from shapes.lists(site, node)
    yield from parts.edits(site, node)
    yield from arguments.edits(site, node)
    yield from receivers.edits(site, node)
    yield from accesses.edits(site, node)
    yield from idioms.parts(site, node)
    yield from conditions.edits(site, node)
    yield from ways.edits(site, node)
    yield from missing.edits(site, node)
    yield from keywords.edits(site, node)
    yield from given.edits(site, node)
    yield from fewer.edits(site, node)
    yield from wraps.edits(site, node)
    yield from patterns.edits(site, node)
    yield from slips.edits(site, node)
    if isinstance(node, ast.IfExp):
        yield from operators.condition(site, node.test)
        yield from shapes.terms(site, node.test)
    for test in getattr(node, "ifs", ()) if isinstance(node, ast.ListComp | ast.GeneratorExp | ast.SetComp) else ():
        yield from shapes.terms(site, test)


def _default(function: Function, node: ast.expr) -> bool:
    return node in function.args.defaults or node in function.args.kw_defaults
