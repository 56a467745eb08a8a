"""One expression or statement that may be edited."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from prodwise.repair.edits import Edit
from prodwise.repair.source import Scope, Source


@dataclass(frozen=True)
class Site:
    source: Source
    statement: ast.stmt
    scope: Scope

    def swap(self, node: ast.expr | ast.stmt, new: str, kind: str, why: str, cost: float) -> Edit:
        """The node's text becomes `new`, in parentheses where its neighbours would bind tighter."""
        start, end = self.source.span(node)
        held = self.source.text[start - 1 : start] == "(" and self.source.text[end : end + 1] == ")"
        if isinstance(node, ast.expr) and self.tight(node) and not held and not _closed(new):
            new = f"({new})"
        return Edit(self.source.path, start, end, new, kind, why, cost, node.lineno)

    def tight(self, node: ast.expr) -> bool:
        """Whether an operator, a call or an attribute is applied to it directly."""
        parent = self.source.parents.get(node)
        if isinstance(parent, ast.BinOp | ast.UnaryOp | ast.Compare | ast.BoolOp | ast.Await | ast.Starred):
            return True
        if isinstance(parent, ast.Attribute | ast.Subscript):
            return parent.value is node
        return isinstance(parent, ast.Call) and parent.func is node

    def between(
        self, before: ast.expr, after: ast.expr, old: str, new: str, kind: str, why: str, cost: float
    ) -> Edit | None:
        """The operator between two operands, found in the text between them."""
        start, end = self.source.span(before)[1], self.source.span(after)[0]
        text = self.source.text[start:end]
        if text.count(old) != 1 or "#" in text:
            return None
        at = start + text.index(old)
        return Edit(self.source.path, at, at + len(old), new, kind, why, cost, before.end_lineno or before.lineno)

    def insert(self, text: str, kind: str, why: str, cost: float, after: bool = False) -> Edit | None:
        """Whole lines before or after the statement, at its indentation."""
        source, indent = self.source, self.source.indent(self.statement)
        if source.lines[self.statement.lineno - 1][: self.statement.col_offset].strip():
            return None
        line = (self.statement.end_lineno or 0) + 1 if after else self.statement.lineno
        if line > len(source.lines):
            return None
        at = source.line_start(line)
        block = "".join(f"{indent}{part}\n" for part in text.split("\n"))
        return Edit(source.path, at, at, block, kind, why, cost, self.statement.lineno)


def _closed(text: str) -> bool:
    """Whether nothing binds tighter than what the text is made of."""
    try:
        node = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError):
        return True
    return isinstance(
        node,
        ast.Name
        | ast.Constant
        | ast.Call
        | ast.Attribute
        | ast.Subscript
        | ast.List
        | ast.Dict
        | ast.Set
        | ast.ListComp,
    )
