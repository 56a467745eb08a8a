"""A limit that the tests hold from one side only: `n <= 2` passes, and so does `n < 4`. Which is meant they do not tell; a number
that the code gives beside the comparison may.

A limit next to zero, one that has a name, and one of several digits that the failing test meets exactly speak for themselves.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from prodwise.repair.edits import Edit
from prodwise.repair.pool import Candidate, Moved
from prodwise.repair.source import Source

STEPS = 2
"""So many limits further on are tried."""
NUMBERS_MOST = 6
PLACES_MOST = 4
UNTOLD = 1.0
"""What a limit costs of which nothing tells, where something tells of another."""
SMALL = 10
_DOWN = ast.Lt | ast.GtE
_ORDERED = ast.Lt | ast.LtE | ast.Gt | ast.GtE
_WORDS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10}
_NUMBER = re.compile(rf"(?<![\w.])(\d{{1,9}})(?![\w.])|\b({'|'.join(_WORDS)})\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Bound:
    """A comparison with a written number, as the question whether `operand` is less than `least`. straight: yes is yes."""

    operand: str
    least: int
    straight: bool


def marked(passed: Sequence[Candidate], source_of: Callable[[str], Source | None]) -> list[Candidate]:
    """The same, in order; those that move a limit say so."""
    return [_marked(one, source_of(one.edit.path)) for one in passed]


def others(passed: Sequence[Candidate], source_of: Callable[[str], Source | None]) -> list[Candidate]:
    """Further limits where one was moved, an end of a slice too: if the tests let them pass as well, they hold nothing against each
    other."""
    found: dict[tuple[str, int, int], Candidate] = {}
    taken = {one.moved for one in passed}
    ends = [(one, source) for one in passed if (source := source_of(one.edit.path)) is not None and not one.parts]
    for one in passed:
        source = source_of(one.edit.path)
        if one.moved is None or source is None or len({(path, at) for path, at, _ in found}) >= PLACES_MOST:
            continue
        for moved, edit in _further(source, one):
            if moved not in taken:
                found.setdefault((moved.path, moved.at, moved.least), replace(one, edit=edit, moved=moved))
    further = [replace(one, edit=edit) for one, source in ends for edit in _beyond(source, one.edit)][:PLACES_MOST]
    return sorted((*found.values(), *further), key=lambda one: one.score)


def _beyond(source: Source, edit: Edit) -> Iterator[Edit]:
    """`[:3]` where `[:1]` became `[:2]`."""
    old, new = source.text[edit.start : edit.end], edit.new
    if edit.kind == "constant" and old.isdecimal() and new.isdecimal() and _ends_slice(source, edit):
        number = str(int(new) + (1 if int(new) > int(old) else -1))
        if not number.startswith("-"):
            yield replace(edit, new=number, why=f"{old} is meant as {number}")


def _ends_slice(source: Source, edit: Edit) -> bool:
    slices = [node for node in ast.walk(source.tree) if isinstance(node, ast.Slice)]
    ends = [end for one in slices for end in (one.lower, one.upper) if end is not None]
    numbers = [one.operand if isinstance(one, ast.UnaryOp) else one for one in ends]
    return any(source.span(one) == (edit.start, edit.end) for one in numbers)


def weighed(standing: Sequence[Candidate]) -> list[Candidate]:
    """Where something tells of one limit, those cost more of which nothing tells."""
    told = {(one.moved.path, one.moved.at) for one in standing if one.moved is not None and one.moved.told}
    return [
        replace(one, score=one.score + UNTOLD)
        if one.moved is not None and not one.moved.told and (one.moved.path, one.moved.at) in told
        else one
        for one in standing
    ]


def _marked(one: Candidate, source: Source | None) -> Candidate:
    node = _around(source, one.edit) if source is not None else None
    if source is None or node is None:
        return one
    was, becomes = bound(node), _read(_applied(source, node, one.edit))
    if was is None or becomes is None or (was.operand, was.straight) != (becomes.operand, becomes.straight):
        return one
    if was.least == becomes.least or becomes.least in (0, 1) or abs(becomes.least) > SMALL:
        return one
    at = source.span(node)[0]
    return replace(one, moved=Moved(source.path, at, becomes.least, becomes.least > was.least,
                                    _is_told(becomes.least, numbers(source, node))))  # fmt: skip


def _further(source: Source, one: Candidate) -> Iterator[tuple[Moved, Edit]]:
    """The same comparison at other limits: the next ones, and those that are told of."""
    moved, node = one.moved, _around(source, one.edit)
    was = bound(node) if node is not None else None
    if moved is None or node is None or was is None:
        return
    told, way = numbers(source, node), 1 if moved.up else -1
    near = [moved.least + way * step for step in range(1, STEPS + 1)]
    given = [least for number in told for least in (number, number + 1) if 0 < way * (least - was.least) <= SMALL]
    for least in dict.fromkeys((*near, *given[:NUMBERS_MOST])):
        text = _at(source, node, least)
        if text and least not in (moved.least, was.least):
            start, end = source.span(node)
            edit = Edit(source.path, start, end, text, one.edit.kind, f"the limit is meant as `{text[:60]}`",
                        one.edit.cost, one.edit.line)  # fmt: skip
            yield replace(moved, least=least, told=_is_told(least, told)), edit


def bound(node: ast.Compare) -> Bound | None:
    """None for what is no single ordering against a whole number."""
    right, operator = node.comparators[0], node.ops[0]
    if len(node.ops) != 1 or not isinstance(operator, _ORDERED):
        return None
    limit, (operand, shift) = _number(right), _shifted(node.left)
    if limit is None or _number(node.left) is not None:
        return None
    below = isinstance(operator, ast.Lt | ast.LtE)
    least = limit - shift + (0 if isinstance(operator, _DOWN) else 1)
    return Bound(operand, least, below)


def _number(node: ast.expr) -> int | None:
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    return value if type(value) is int else None


def _shifted(node: ast.expr) -> tuple[str, int]:
    """`n - 1` is `n`, and -1."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        by = _number(node.right)
        if by is not None:
            return ast.unparse(node.left), by if isinstance(node.op, ast.Add) else -by
    return ast.unparse(node), 0


def _around(source: Source, edit: Edit) -> ast.Compare | None:
    """The innermost comparison that holds the edit; None where that reaches out of each."""
    nodes = [node for node in ast.walk(source.tree) if isinstance(node, ast.Compare)]
    spans = [(source.span(node), node) for node in nodes]
    held = [((start, end), node) for (start, end), node in spans if start <= edit.start and edit.end <= end]
    return min(held, key=lambda one: one[0][1] - one[0][0])[1] if held else None


def _applied(source: Source, node: ast.Compare, edit: Edit) -> str:
    start, end = source.span(node)
    return source.text[start : edit.start] + edit.new + source.text[edit.end : end]


def _read(text: str) -> Bound | None:
    try:
        node = ast.parse(f"({text})", mode="eval").body
    except (SyntaxError, ValueError, RecursionError):
        return None
    return bound(node) if isinstance(node, ast.Compare) else None


def _at(source: Source, node: ast.Compare, least: int) -> str:
    """The comparison as it is written, with another number."""
    was, limit = bound(node), _number(node.comparators[0])
    if was is None or limit is None:
        return ""
    (start, end), (first, last) = source.span(node), source.span(node.comparators[0])
    return f"{source.text[start:first]}{limit + least - was.least}{source.text[last:end]}"


def numbers(source: Source, node: ast.Compare) -> list[int]:
    """Those that the function gives beside the comparison: in its code, its docstring, its messages, in figures or words."""
    place = source.function(node) or source.tree
    first, last = source.span(node)
    start, end = source.span(place) if not isinstance(place, ast.Module) else (0, len(source.text))
    text = f"{source.text[start:first]} {source.text[last:end]}"
    found = (int(figure) if figure else _WORDS[word.lower()] for figure, word in _NUMBER.findall(text))
    return list(dict.fromkeys(one for one in found if one > 1))


def _is_told(least: int, told: Sequence[int]) -> bool:
    """`n < 4` and `n <= 3` are one limit: either number tells of it."""
    return least in told or least - 1 in told
