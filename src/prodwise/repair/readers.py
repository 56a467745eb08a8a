"""Which lines read the values of modules and classes: a value is as suspect as what reads it."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import TypeAlias

from prodwise.repair.source import Function, Source

Line: TypeAlias = tuple[str, int]


class Readers:
    """Of these files, by path."""

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self._lines: dict[str, set[Line]] = {}
        self._own: dict[tuple[str, int, str], set[Line]] = {}
        for path, source in sources.items():
            self._read(path, source)
        for source in sources.values():
            self._hand_on(source)

    def of(self, source: Source, statement: ast.Assign | ast.AnnAssign) -> frozenset[Line]:
        """Of a class's value not those that read another class's own one of the same name."""
        klass = source.klass(statement)
        place = (source.path, klass.lineno if klass is not None else 0)
        found = (self._lines.get(name, set()) | self._own.get((*place, name), set()) for name in bound(statement))
        return frozenset[Line]().union(*found)

    def seen(self, source: Source, statement: ast.stmt) -> frozenset[Line]:
        """What sees an edit that no function holds: of a function's head its first lines; of a module's or a class's value what
        reads it."""
        if isinstance(statement, Function):
            return frozenset((source.path, one.lineno) for one in statement.body[:2])
        if isinstance(statement, ast.Assign | ast.AnnAssign) and source.function(statement) is None:
            return self.of(source, statement)
        return frozenset()

    def _read(self, path: str, source: Source) -> None:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
                name = node.id if isinstance(node, ast.Name) else node.attr
                owner = _owner(source, node)
                lines = self._lines.setdefault(name, set())
                if owner is not None:
                    lines = self._own.setdefault((path, owner.lineno, name), set())
                lines.add((path, node.lineno))

    def _hand_on(self, source: Source) -> None:
        """What reads a value that a module makes of another one reads that one, too."""
        for statement in reversed([one for one in source.tree.body if isinstance(one, ast.Assign | ast.AnnAssign)]):
            lines = {line for name in bound(statement) for line in self._lines.get(name, ())}
            for node in ast.walk(statement.value or statement):
                if lines and isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                    self._lines[node.id] |= lines


def bound(statement: ast.Assign | ast.AnnAssign) -> list[str]:
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    return [one.id for one in targets if isinstance(one, ast.Name)]


def _owner(source: Source, node: ast.Name | ast.Attribute) -> ast.ClassDef | None:
    """The class around, if `self.node` or `cls.node` takes the value that it gives itself."""
    if (
        not isinstance(node, ast.Attribute)
        or not isinstance(node.value, ast.Name)
        or node.value.id not in ("self", "cls")
    ):
        return None
    klass = source.klass(node)
    values = klass.body if klass is not None else []
    gives = any(isinstance(one, ast.Assign | ast.AnnAssign) and node.attr in bound(one) for one in values)
    return klass if gives else None
