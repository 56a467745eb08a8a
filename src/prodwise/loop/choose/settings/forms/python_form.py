"""Constants of a settings module: names in capitals whose value is a literal, in the module or in a class of it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from itertools import accumulate

from prodwise.loop.choose.settings.told import NotApart, Unreadable
from prodwise.model.setting import Entry, Key


def read(text: str) -> tuple[Entry, ...]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise Unreadable(f"no Python that can be read: {getattr(error, 'msg', error)}") from None
    if "\f" in text or "\r" in text.replace("\r\n", ""):
        raise NotApart("its lines end in more than one way")
    rows = text.split("\n")
    begins = [0, *accumulate(len(row) + 1 for row in rows)]
    found = [one for node, above in _assigned(tree.body, ()) if (one := _entry(node, above, text, rows, begins))]
    names = [(*above, _name(node)) for node, above in _assigned(tree.body, ())]
    if any(names.count(one.key) > 1 for one in found):
        raise NotApart("a constant is set twice")
    return tuple(found)


def _assigned(body: Sequence[ast.stmt], above: Key) -> Iterator[tuple[ast.Assign | ast.AnnAssign, Key]]:
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield from _assigned(node.body, (*above, node.name))
        elif isinstance(node, ast.Assign | ast.AnnAssign) and _name(node):
            yield node, above


def _name(node: ast.Assign | ast.AnnAssign) -> str:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return targets[0].id if len(targets) == 1 and isinstance(targets[0], ast.Name) else ""


def _entry(node: ast.Assign | ast.AnnAssign, above: Key, text: str, rows: list[str], begins: list[int]) -> Entry | None:
    """None for what is no constant, or shares its lines with something else."""
    value, name = node.value, _name(node)
    if value is None or name != name.upper() or not _is_literal(value) or not node.end_lineno or not value.end_lineno:
        return None

    def offset(line: int, column: int) -> int:
        return begins[line - 1] + len(rows[line - 1].encode()[:column].decode())

    first, last = begins[node.lineno - 1], min(begins[node.end_lineno], len(text))
    start, end = offset(value.lineno, value.col_offset), offset(value.end_lineno, value.end_col_offset or 0)
    tail = text[offset(node.end_lineno, node.end_col_offset or 0) : last].strip()
    if text[first : offset(node.lineno, node.col_offset)].strip() or (tail and not tail.startswith("#")):
        return None
    return Entry((*above, name), first, start, end, last, text[start:end])


def _is_literal(node: ast.expr) -> bool:
    """Numbers may be reckoned: `60 * 60`."""
    if isinstance(node, ast.BinOp):
        return _is_number(node.left) and _is_number(node.right)
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def _is_number(node: ast.expr) -> bool:
    if isinstance(node, ast.BinOp):
        return _is_number(node.left) and _is_number(node.right)
    return isinstance(node, ast.Constant) and type(node.value) in (int, float)
