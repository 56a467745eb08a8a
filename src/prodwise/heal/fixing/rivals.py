"""Whether two changes that both pass do different things."""

from __future__ import annotations

import ast

from prodwise.heal.fixing.trial import Court
from prodwise.loop.verify.patch import applied, read
from prodwise.model.patch import Proposal


def rival(court: Court, one: Proposal, other: Proposal) -> str:
    """In a few words where they differ; "" when they are the same but for how they are written."""
    mine, theirs = _after(court, one), _after(court, other)
    if {path: _shape(path, text) for path, text in mine.items()} == {
        path: _shape(path, text) for path, text in theirs.items()
    }:
        return ""
    return f"{one.why} / {other.why}"


def _after(court: Court, one: Proposal) -> dict[str, str]:
    texts = court.repository.text
    return {file.path: applied(texts(file.before) or "", file) for file in read(one.diff) if file.path and file.hunks}


def _shape(path: str, text: str) -> str:
    """Python by its syntax, with comparisons turned one way; other languages without blanks."""
    if not path.endswith(".py"):
        return "".join(text.split())
    try:
        return ast.dump(_OneWay().visit(ast.parse(text)))
    except (SyntaxError, ValueError, RecursionError):
        return text


class _OneWay(ast.NodeTransformer):
    """`b > a` as `a < b`; `not a == b` as `a != b`; the sides of `==` and `!=` in one order."""

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        inner = node.operand
        if isinstance(node.op, ast.Not) and isinstance(inner, ast.Compare) and len(inner.ops) == 1:
            other = _NOT.get(type(inner.ops[0]))
            if other is not None:
                return self.visit_Compare(ast.Compare(inner.left, [other()], inner.comparators))
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        if len(node.ops) != 1:
            return node
        left, right, op = node.left, node.comparators[0], node.ops[0]
        turned = _TURNED.get(type(op))
        if turned is not None:
            return ast.Compare(right, [turned()], [left])
        if isinstance(op, (ast.Eq, ast.NotEq)) and ast.dump(left) > ast.dump(right):
            return ast.Compare(right, [op], [left])
        return node


_NOT: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
_TURNED: dict[type[ast.cmpop], type[ast.cmpop]] = {ast.Gt: ast.Lt, ast.GtE: ast.LtE}
