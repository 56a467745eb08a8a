"""Which edit is likeliest meant: how common such a fix is, how suspect its place, and what the code around it says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from textwrap import dedent
from typing import TypeAlias

from prodwise.repair.edits import Edit
from prodwise.repair.search import conditions
from prodwise.repair.source import Function, Source, shape

PLACE_WEIGHT = 1.5
_NAME = re.compile(r"(?<![.\w])[^\W\d]\w*")
_EMPTY = ("IndexError", "KeyError", "ZeroDivisionError")
_NONE = ("AttributeError", "TypeError")
ODD_OF = 3
"""A name that a statement reads so often is hardly another one at one place alone."""


def score(edit: Edit, suspicion: float, source: Source, older: Sequence[str]) -> float:
    """Smaller is likelier. older: earlier texts of the file."""
    return max(0.0, rough(edit, suspicion) - _agreement(edit, source, older))


def rough(edit: Edit, suspicion: float) -> float:
    """By its kind and its place alone."""
    return edit.cost + PLACE_WEIGHT * (1 - suspicion)


def _agreement(edit: Edit, source: Source, older: Sequence[str]) -> float:
    found = 0.0
    if _written_elsewhere(edit.new, source):
        found += 0.25
    elif _usual(edit, source):
        found += 0.2
    if older:
        line = edited_line(edit, source)
        if line and line not in source.text and any(line in text for text in older):
            found += 1.2
    return found


def another_than_empty(edit: Edit, error: str, message: str) -> bool:
    """Whether it takes another name where one was empty, missing or None: that ends the error wherever the other one is not."""
    name = error.rpartition(".")[2]
    nothing = name in _EMPTY or (name in _NONE and "NoneType" in message)
    return nothing and edit.kind in ("variable", "attribute")


def odd_one_out(edit: Edit, source: Source, statement: ast.stmt) -> bool:
    """Whether the statement reads one name again and again, and with the edit another one once instead."""
    old = source.text[edit.start : edit.end]
    if not (old.isidentifier() and edit.new.isidentifier()):
        return False
    read = [one.id for one in source.head(statement) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load)]
    return read.count(old) >= ODD_OF and edit.new not in read


def for_nothing(edit: Edit, source: Source, statement: ast.stmt) -> bool:
    """Whether, with the edit, nothing reads any more what the function works out and keeps under a name of its own."""
    lost = set(_NAME.findall(source.text, edit.start, edit.end)) - set(_NAME.findall(edit.new))
    function = source.function(statement) if lost else None
    kept, read = _kept_and_read(source, function) if function is not None else ({}, {})
    return any(
        read.get(name) and not _outside(read[name], edit) and bool(_outside(kept[name], edit))
        for name in lost & kept.keys()
    )


_Spans: TypeAlias = dict[str, list[tuple[int, int]]]


@lru_cache(maxsize=512)
def _kept_and_read(source: Source, function: Function) -> tuple[_Spans, _Spans]:
    """Where names are assigned, one at a time, and where they are read. What others see as well is no name of its own."""
    kept: _Spans = {}
    read: _Spans = {}
    shared = set[str]()
    for node in ast.walk(function):
        if isinstance(node, ast.Assign | ast.AnnAssign):
            for one in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if isinstance(one, ast.Name):
                    kept.setdefault(one.id, []).append(source.span(one))
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            read.setdefault(node.id, []).append(source.span(node))
        elif isinstance(node, ast.Global | ast.Nonlocal):
            shared |= set(node.names)
    return {name: spans for name, spans in kept.items() if name not in shared}, read


def _outside(spans: Sequence[tuple[int, int]], edit: Edit) -> list[tuple[int, int]]:
    return [one for one in spans if not edit.start <= one[0] < one[1] <= edit.end]


def out_of_its_loop(edit: Edit, source: Source, statement: ast.stmt) -> bool:
    """Whether what a turn of a `for` works out is, with the edit, the same in all turns: nothing of the turn is read any more; or
    whether nothing in a loop or a comprehension reads what it goes through any more."""
    if any(_aimless(edit, source, target, made) for target, made in _within(source, statement)):
        return True
    loop = next((one for one in source.up(statement) if isinstance(one, ast.For | Function)), None)
    if not isinstance(loop, ast.For):
        return False
    if _aimless(edit, source, loop.target, loop.body):
        return True
    if not isinstance(statement, ast.Assign | ast.AugAssign):
        return False
    start, end = source.span(statement)
    if not start <= edit.start <= edit.end <= end:
        return False
    try:
        made = ast.parse(source.text[start : edit.start] + edit.new + source.text[edit.end : end]).body[0]
    except (SyntaxError, ValueError, IndexError):
        return False
    names = [one for node in loop.body for one in ast.walk(node) if isinstance(one, ast.Name)]
    turns = {one.id for one in ast.walk(loop.target) if isinstance(one, ast.Name)}
    turns |= {one.id for one in names if isinstance(one.ctx, ast.Store)}
    return (
        isinstance(made, ast.Assign | ast.AugAssign)
        and bool(turns & _read(statement.value))
        and not turns & _read(made.value)
    )


def _aimless(edit: Edit, source: Source, target: ast.expr, body: Sequence[ast.AST]) -> bool:
    """Whether the edit takes the only places out of the body at which it reads what a loop goes through."""
    turns = {one.id for one in ast.walk(target) if isinstance(one, ast.Name)}
    used = [one for node in body for one in ast.walk(node) if isinstance(one, ast.Name) and one.id in turns]
    spans = [source.span(one) for one in used if isinstance(one.ctx, ast.Load)]
    return (
        bool(spans)
        and not _outside(spans, edit)
        and not any(re.search(rf"\b{re.escape(name)}\b", edit.new) for name in turns)
    )


def _within(source: Source, statement: ast.stmt) -> Iterator[tuple[ast.expr, list[ast.AST]]]:
    """(what it goes through, what it makes of that) of each comprehension with one loop."""
    for node in source.head(statement):
        if isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp) and len(node.generators) == 1:
            yield node.generators[0].target, [node.elt]
        elif isinstance(node, ast.DictComp) and len(node.generators) == 1:
            yield node.generators[0].target, [node.key, node.value]


def _read(node: ast.AST) -> set[str]:
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load)}


def _written_elsewhere(new: str, source: Source) -> bool:
    try:
        text = ast.unparse(ast.parse(new.strip(), mode="eval").body)
    except (SyntaxError, ValueError):
        return False
    return text in source.words


def _usual(edit: Edit, source: Source) -> bool:
    """Whether the file asks such a question, or makes such an exception, of other things elsewhere."""
    try:
        first = ast.parse(dedent(edit.new)).body[0]
    except (SyntaxError, ValueError, IndexError, RecursionError):
        return False
    node = first.value if isinstance(first, ast.Expr) else first
    return isinstance(node, ast.If | ast.IfExp | ast.BoolOp) and shape(node) in source.idioms


def edited(edit: Edit, source: Source, statement: ast.stmt) -> str:
    """The statement as it becomes, without its blocks; where the edit lies outside of it, the first line that it changes."""
    start, line = source.span(statement)[0], source.last_head_line(statement)
    end = source.line_start(line + 1) if line < len(source.lines) else len(source.text)
    if not start <= edit.start <= edit.end <= end:
        return edited_line(edit, source)
    return (source.text[start : edit.start] + edit.new + source.text[edit.end : end]).strip()


def edited_line(edit: Edit, source: Source) -> str:
    """The first line that the edit changes, as it becomes."""
    begin = source.text.rfind("\n", 0, edit.start) + 1
    end = source.text.find("\n", edit.end)
    head, tail = source.text[begin : edit.start], source.text[edit.end : end if end >= 0 else len(source.text)]
    return (head + (edit.new + tail).partition("\n")[0]).strip()


def endless(edit: Edit, source: Source, statement: ast.stmt) -> bool:
    """Whether a loop's own counter no longer goes where the loop ends: `while n < most: n -= 1`; or away from where it begins:
    `n = -1`, `while found[n]: n += 1`."""
    if not isinstance(statement, ast.AugAssign):
        return False
    counter = ast.unparse(statement.target)
    loops = [one for one in source.up(statement) if isinstance(one, ast.While)]
    ends = {_way(one, counter) for loop in loops for one in ast.walk(loop.test) if isinstance(one, ast.Compare)} - {0}
    ends = ends or _way_along(source, statement, loops, counter)
    step = _step(edited_line(edit, source), counter)
    return len(ends) == 1 and step is not None and step * ends.pop() <= 0


def _way_along(source: Source, statement: ast.stmt, loops: Sequence[ast.While], counter: str) -> set[int]:
    """1 where it goes through what the loop asks from its first place on, -1 from its last one; nothing where that is not told."""
    asked = any(
        isinstance(one, ast.Subscript) and ast.unparse(one.slice) == counter
        for loop in loops
        for one in ast.walk(loop.test)
    )
    begins = [
        ast.unparse(one.value) for one in ast.walk(source.function(statement) or statement)
        if isinstance(one, ast.Assign) and ast.unparse(one.targets[0]) == counter
    ]  # fmt: skip
    return {{"0": 1, "-1": -1}.get(begins[0], 0)} - {0} if asked and len(begins) == 1 else set()


def _way(test: ast.Compare, counter: str) -> int:
    """1 where it must grow to end the loop, -1 where it must shrink, 0 where that is not told."""
    way = {ast.Lt: 1, ast.LtE: 1, ast.Gt: -1, ast.GtE: -1}.get(type(test.ops[0]), 0) if len(test.ops) == 1 else 0
    return way if ast.unparse(test.left) == counter else -way if ast.unparse(test.comparators[0]) == counter else 0


def _step(text: str, counter: str) -> float | None:
    """By how much it grows each time; None where no number says that."""
    try:
        node = ast.parse(text).body[0]
        by = ast.literal_eval(node.value) if isinstance(node, ast.AugAssign) else None
    except (SyntaxError, ValueError, IndexError):
        return None
    if not isinstance(node, ast.AugAssign) or not isinstance(by, int | float) or ast.unparse(node.target) != counter:
        return None
    return {ast.Add: by, ast.Sub: -by}.get(type(node.op))


def hollow(text: str) -> bool:
    """Whether an expression or a statement answers itself, or takes back what it says: `x < x`, `a and not a`, `a = a`,
    `min(x, x)`, `isinstance(x, (str, bytes)) and not isinstance(x, bytes)`, `a and (b or a)`, `a is not None or a.b`."""
    text = text.strip()
    if text.endswith(":"):
        text = text.removeprefix("el") + " pass"
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return False
    return any(_answers_itself(node) for node in ast.walk(tree))


def _answers_itself(node: ast.AST) -> bool:
    if isinstance(node, ast.Compare):
        parts = [ast.unparse(one) for one in (node.left, *node.comparators)]
        constants = all(isinstance(one, ast.Constant) for one in (node.left, *node.comparators))
        return constants or any(one == two for one, two in pairwise(parts))
    if isinstance(node, ast.BoolOp):
        parts = [ast.unparse(one) for one in node.values]
        negated = {re.sub(r"^not \(?|\)$", "", one) for one in parts if one.startswith("not ")}
        return (
            len(set(parts)) < len(parts)
            or bool(negated & set(parts))
            or any(isinstance(one, ast.Constant) for one in node.values[:-1])
            or bool(conditions.kinds(node.values, True) & conditions.kinds(node.values, False))
            or _complements(node)
            or _absorbed(node, parts)
        )
    if isinstance(node, ast.Assign):
        return ast.unparse(node.targets[0]) == ast.unparse(node.value)
    if isinstance(node, ast.BinOp | ast.AugAssign) and _neutral(node):
        return True
    if isinstance(node, ast.BinOp) and isinstance(
        node.op, ast.Sub | ast.Div | ast.FloorDiv | ast.Mod | ast.BitXor | ast.BitAnd | ast.BitOr
    ):
        return ast.unparse(node.left) == ast.unparse(node.right)
    if (
        isinstance(node, ast.Call)
        and len(node.args) > 1
        and isinstance(node.func, ast.Name)
        and node.func.id in ("max", "min")
    ):
        return len({ast.unparse(one) for one in node.args}) < len(node.args)
    return False


_OTHERWISE = {
    ast.Is: ast.IsNot, ast.Eq: ast.NotEq, ast.In: ast.NotIn, ast.Lt: ast.GtE, ast.Gt: ast.LtE,
}  # fmt: skip


def _complements(node: ast.BoolOp) -> bool:
    """Whether one part asks what another one asks the other way round: `a is None or a is not None`."""
    some = [one for one in node.values if isinstance(one, ast.Compare) and len(one.ops) == 1]
    told = {(ast.unparse(one.left), type(one.ops[0]), ast.unparse(one.comparators[0])) for one in some}
    return any((left, _OTHERWISE.get(op), right) in told for left, op, right in told)


def _absorbed(node: ast.BoolOp, parts: Sequence[str]) -> bool:
    """Whether one part says what another one says already; or asks for None what the others need anyway."""
    inner = [one for one in node.values if isinstance(one, ast.BoolOp)]
    if any(ast.unparse(one) in parts for value in inner for one in value.values):
        return True
    if isinstance(node.op, ast.And):
        return False
    there = [
        ast.unparse(one.left) for one in node.values
        if isinstance(one, ast.Compare) and ast.unparse(one).endswith(" is not None") and len(one.ops) == 1
    ]  # fmt: skip
    needed = (
        ast.unparse(one.value) for value in node.values for one in ast.walk(value)
        if isinstance(one, ast.Attribute | ast.Subscript)
    )  # fmt: skip
    return bool(there) and bool({*there} & {*needed})


def _neutral(node: ast.BinOp | ast.AugAssign) -> bool:
    """`1 * x`, `x + 0`, `x //= 1`: nothing is done."""
    left, right = (node.left, node.right) if isinstance(node, ast.BinOp) else (node.target, node.value)
    sides = [one.value if isinstance(one, ast.Constant) else None for one in (left, right)]
    if isinstance(node.op, ast.Mult):
        return any(type(one) is int and one == 1 for one in sides)
    if isinstance(node.op, ast.Add):
        return any(type(one) is int and one == 0 for one in sides)
    return isinstance(node.op, ast.FloorDiv | ast.Pow) and type(sides[1]) is int and sides[1] == 1
