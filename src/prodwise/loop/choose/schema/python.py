"""What readers of Python migrations share: the text as a tree that is only looked at, never imported or run."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Mapping
from typing import Final

from prodwise.loop.choose.schema.notes import Unreadable

_CALLS: Final = frozenset(
    {"f", "text", "now", "literal_column", "false", "true", "null", "swappable_dependency", "timedelta"}
)
"""Calls in lower case that are known to make a value and do nothing; constructors begin with a capital letter."""
_FUNCTIONS: Final = ("sa.func.", "func.", "sqlalchemy.func.")


def parse(text: str) -> ast.Module:
    """Raises Unreadable."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise Unreadable("it is no Python that could be read") from None


def dotted(node: ast.expr) -> str:
    """ "sa.Column"; "" for what is no name."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join(reversed([*parts, node.id])) if isinstance(node, ast.Name) else ""


def pure(node: ast.expr) -> bool:
    """Whether it only makes a value: literals, names, constructors."""
    match node:
        case ast.Constant() | ast.Name() | ast.Attribute():
            return isinstance(node, ast.Constant | ast.Name) or bool(dotted(node))
        case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
            return all(pure(part) for part in parts)
        case ast.Dict(keys=keys, values=values):
            return all(key is not None and pure(key) for key in keys) and all(pure(value) for value in values)
        case ast.UnaryOp(operand=operand):
            return pure(operand)
        case ast.Call():
            return _makes_a_value(node)
    return False


def _makes_a_value(call: ast.Call) -> bool:
    name = dotted(call.func)
    last = name.rpartition(".")[2]
    known = last[:1].isupper() or last in _CALLS or name.startswith(_FUNCTIONS)
    return known and plain_arguments(call)


def plain_arguments(call: ast.Call) -> bool:
    named = all(keyword.arg is not None and pure(keyword.value) for keyword in call.keywords)
    return named and all(pure(argument) for argument in call.args)


def keywords(call: ast.Call) -> Mapping[str, ast.expr]:
    return {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg is not None}


def text_of(node: ast.expr | None) -> str:
    """A literal text; "" for anything else."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def texts_of(node: ast.expr | None) -> list[str]:
    """A literal list of texts; empty for anything else."""
    if not isinstance(node, ast.List | ast.Tuple):
        return []
    found = [text_of(part) for part in node.elts]
    return found if all(found) else []


def flag(node: ast.expr | None) -> bool | None:
    """A literal True or False; None for anything else."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, bool) else None


def is_none(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def imported_as(tree: ast.Module, module: str, name: str) -> bool:
    """Whether `from module import name` stands at the top, and nothing else takes that name."""
    brings = False
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom | ast.Import):
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    if not (isinstance(node, ast.ImportFrom) and node.module == module and alias.name == name):
                        return False
                    brings = True
        elif isinstance(node, ast.Name) and node.id == name and not isinstance(node.ctx, ast.Load):
            return False
    return brings


def plain_module(body: list[ast.stmt]) -> bool:
    """Imports, functions, classes and constants only: nothing else runs when it is loaded. Classes are the reader's to look into."""
    for node in body:
        match node:
            case ast.Import() | ast.ImportFrom() | ast.ClassDef(decorator_list=[], keywords=[]):
                continue
            case ast.FunctionDef(decorator_list=[]):
                plain = not _calls(node.args) and (node.returns is None or not _calls(node.returns))
            case ast.Assign(targets=[ast.Name()], value=value):
                plain = pure(value)
            case ast.AnnAssign(target=ast.Name()):
                plain = not _calls(node.annotation) and (node.value is None or pure(node.value))
            case _:
                plain = is_docstring(node)
        if not plain:
            return False
    return True


def _calls(node: ast.AST) -> bool:
    return any(isinstance(one, ast.Call) for one in ast.walk(node))
