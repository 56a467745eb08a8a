"""A Python file with its exact positions: what an edit needs to know about the place that it changes."""

from __future__ import annotations

import ast
import builtins
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

Function = ast.FunctionDef | ast.AsyncFunctionDef
FILE_MOST = 1_500_000
_KNOWN = frozenset(dir(builtins))


@dataclass(frozen=True)
class Unit:
    """The outermost function around a place. first, last: its lines, decorators included; classes: (name, column) around it."""

    first: int
    last: int
    classes: tuple[tuple[str, int], ...]


class Source:
    """Raises SyntaxError for what our parser does not read, ValueError for null bytes and files that are too long."""

    def __init__(self, path: str, text: str) -> None:
        if len(text) > FILE_MOST:
            raise ValueError(f"{path} is too long")
        self.path, self.text = path, text
        self.tree = ast.parse(text)
        self.lines = text.split("\n")
        self.parents: dict[ast.AST, ast.AST] = {}
        self._starts = [0]
        for line in self.lines:
            self._starts.append(self._starts[-1] + len(line) + 1)
        for parent in ast.walk(self.tree):
            for child in ast.iter_child_nodes(parent):
                self.parents[child] = parent

    def at(self, line: int, column: int) -> int:
        """The offset of a place as `ast` counts it: columns are bytes of UTF-8."""
        text = self.lines[line - 1]
        if not text.isascii():
            column = len(text.encode()[:column].decode(errors="ignore"))
        return self._starts[line - 1] + column

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        return self.at(node.lineno, node.col_offset), self.at(node.end_lineno or 0, node.end_col_offset or 0)

    def of(self, node: ast.expr | ast.stmt) -> str:
        start, end = self.span(node)
        return self.text[start:end]

    def line_of(self, offset: int) -> int:
        return bisect_right(self._starts, offset)

    def line_start(self, line: int) -> int:
        return self._starts[line - 1]

    def indent(self, node: ast.stmt) -> str:
        text = self.lines[node.lineno - 1]
        return text[: len(text) - len(text.lstrip())]

    def up(self, node: ast.AST) -> Iterator[ast.AST]:
        while (parent := self.parents.get(node)) is not None:
            yield parent
            node = parent

    def function(self, node: ast.AST) -> Function | None:
        if isinstance(node, Function):
            return node
        return next((one for one in self.up(node) if isinstance(one, Function)), None)

    def klass(self, node: ast.AST) -> ast.ClassDef | None:
        return next((one for one in self.up(node) if isinstance(one, ast.ClassDef)), None)

    def unit(self, node: ast.AST) -> Unit | None:
        """None at module or class level, and in a function's own head: those cannot be exchanged in a living function."""
        outer: Function | None = None
        below: ast.AST = node
        for parent in self.up(node):
            if isinstance(parent, Function):
                outer = parent if below in parent.body else None
            below = parent
        if outer is None:
            return None
        classes = [(one.name, one.col_offset) for one in self.up(outer) if isinstance(one, ast.ClassDef)]
        if any(not isinstance(one, ast.ClassDef | ast.Module) for one in self.up(outer)):
            return None
        first = min([outer.lineno, *(one.lineno for one in outer.decorator_list)])
        return Unit(first, outer.end_lineno or outer.lineno, tuple(reversed(classes)))

    @cached_property
    def statements(self) -> list[ast.stmt]:
        return [node for node in ast.walk(self.tree) if isinstance(node, ast.stmt)]

    @cached_property
    def words(self) -> frozenset[str]:
        """Texts of the file's expressions: what is written elsewhere is likelier than what is not."""
        return frozenset(ast.unparse(node) for node in ast.walk(self.tree)
                         if isinstance(node, ast.Call | ast.Compare | ast.BinOp | ast.Subscript | ast.Attribute))  # fmt: skip

    @cached_property
    def calls(self) -> dict[str, list[ast.Call]]:
        """By the last name of what is called."""
        found: dict[str, list[ast.Call]] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                found.setdefault(name, []).append(node)
        return found

    @cached_property
    def defined(self) -> dict[str, Function]:
        """Functions by their names, classes by what makes an instance; None of those that are defined more than once."""
        found: dict[str, list[Function]] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, Function):
                owner = self.parents.get(node)
                made = node.name == "__init__" and isinstance(owner, ast.ClassDef)
                found.setdefault(owner.name if made and isinstance(owner, ast.ClassDef) else node.name, []).append(node)
        return {name: some[0] for name, some in found.items() if len(some) == 1}

    @cached_property
    def methods(self) -> frozenset[str]:
        """The names of all functions and classes that the file defines."""
        return frozenset(node.name for node in self.statements if isinstance(node, Function | ast.ClassDef))

    @cached_property
    def globals(self) -> frozenset[str]:
        """Names that the module binds at its top."""
        found = set[str]()
        for node in self.tree.body:
            if isinstance(node, Function | ast.ClassDef):
                found.add(node.name)
            elif isinstance(node, ast.Import | ast.ImportFrom):
                found.update((one.asname or one.name).partition(".")[0] for one in node.names)
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                found.update(one.id for one in ast.walk(node) if isinstance(one, ast.Name) and not _read(one))
        return frozenset(found)

    @cached_property
    def modules(self) -> frozenset[str]:
        """Names by which the module calls whole modules that it imports at its top."""
        return frozenset((one.asname or one.name).partition(".")[0] for node in self.tree.body
                         if isinstance(node, ast.Import) for one in node.names)  # fmt: skip

    @cached_property
    def receivers(self) -> dict[str, list[str]]:
        """Attribute → what the file asks for it, the commonest first."""
        found: dict[str, Counter[str]] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute):
                found.setdefault(node.attr, Counter())[ast.unparse(node.value)] += 1
        return {attribute: [text for text, _ in some.most_common(8)] for attribute, some in found.items()}

    @cached_property
    def asked_types(self) -> tuple[str, ...]:
        """What `isinstance` is asked about in this file, the commonest first."""
        found = Counter[str]()
        for node in self.calls.get("isinstance", ()):
            if len(node.args) == 2:
                asked = node.args[1].elts if isinstance(node.args[1], ast.Tuple) else [node.args[1]]
                found.update(ast.unparse(one) for one in asked)
        return tuple(text for text, _ in found.most_common(8))

    @cached_property
    def guards(self) -> tuple[str, ...]:
        """`if {} is None:\n    return []`: questions about one value with a short answer, the commonest first."""
        return self.guards_in(self.tree)

    def guards_in(self, place: ast.AST) -> tuple[str, ...]:
        found = Counter(text for node in ast.walk(place) if (text := self._guard(node)))
        return tuple(text for text, _ in found.most_common(8))

    def _guard(self, node: ast.AST) -> str:
        """ "" for what is none. The value's name is left open; what else it speaks of is known in the whole file."""
        if not isinstance(node, ast.If) or node.orelse or len(node.body) != 1:
            return ""
        answer = node.body[0]
        if not isinstance(answer, ast.Return | ast.Continue | ast.Break | ast.Assign):
            return ""
        asked = [one.id for one in ast.walk(node.test) if isinstance(one, ast.Name)]
        own = {name for name in asked if name not in self.globals and name not in _KNOWN}
        told = {one.id for one in ast.walk(answer) if isinstance(one, ast.Name)} - self.globals - _KNOWN
        text = ast.unparse(node)
        if len(own) != 1 or not told <= own or len(text) > 120 or "{" in text or text.count("\n") != 1:
            return ""
        return re.sub(rf"(?<![\w.'\"]){own.pop()}(?![\w'\"])", "{}", text)

    @cached_property
    def idioms(self) -> frozenset[str]:
        """The shapes of the file's questions and exceptions, whatever the names: what is usual here is likelier."""
        return frozenset(
            shape(node)
            for node in ast.walk(self.tree)
            if isinstance(node, ast.IfExp | ast.BoolOp) or (isinstance(node, ast.If) and len(node.body) == 1)
        )

    def head(self, statement: ast.stmt) -> Iterator[ast.expr]:
        """The expressions of a statement itself, not of the statements inside it."""
        stack: list[ast.AST] = [statement]
        while stack:
            node = stack.pop()
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.stmt | ast.excepthandler):
                    continue
                if isinstance(child, ast.expr):
                    yield child
                stack.append(child)

    def last_head_line(self, statement: ast.stmt) -> int:
        body = getattr(statement, "body", None)
        if not (isinstance(body, list) and body and isinstance(body[0], ast.stmt)):
            return statement.end_lineno or statement.lineno
        inner = body[0]
        decorators = inner.decorator_list if isinstance(inner, Function | ast.ClassDef) else []
        return max(statement.lineno, min([inner.lineno, *(one.lineno for one in decorators)]) - 1)


def shape(node: ast.AST) -> str:
    """What a piece of code says without its names; of an `if` the question and its first answer."""
    parts = [node.test, node.body[0]] if isinstance(node, ast.If) else [node]
    return " ".join(_NAMES.sub("id='_'", _ATTRIBUTES.sub("attr='_'", ast.dump(one))) for one in parts)


def _read(name: ast.Name) -> bool:
    return isinstance(name.ctx, ast.Load)


_NAMES = re.compile(r"id='(?!isinstance'|len'|bool')\w+'")
_ATTRIBUTES = re.compile(r"attr='\w+'")


@dataclass(frozen=True)
class Scope:
    """Names that a place can see. locals: parameters and what is bound in the function, in order; attributes: what follows
    `self.` in the class and in those of this file that it stands on; begun: those of them that `__init__` sets; functions: what the
    module defines and imports to be called."""

    locals: tuple[str, ...]
    attributes: tuple[str, ...]
    begun: tuple[str, ...]
    functions: tuple[str, ...]


def scope(source: Source, place: ast.AST) -> Scope:
    return _scope(source, source.function(place), source.klass(place))


@lru_cache(maxsize=512)
def _scope(source: Source, function: Function | None, klass: ast.ClassDef | None) -> Scope:
    names: dict[str, None] = {}
    while function is not None:
        arguments = function.args
        for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg):
            if one is not None:
                names[one.arg] = None
        for node in ast.walk(function):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                names[node.id] = None
        function = next((one for one in source.up(function) if isinstance(one, Function)), None)
    kin = list(_lineage(source, klass)) if klass is not None else []
    inits = [one for known in kin for one in known.body if isinstance(one, Function) and one.name == "__init__"]
    return Scope(tuple(names), _attributes(kin), _attributes(inits, ast.Store), _functions(source.tree))


def _lineage(source: Source, klass: ast.ClassDef) -> Iterator[ast.ClassDef]:
    """The class, and those of the same file that it stands on, the nearest first."""
    known = {one.name: one for one in source.tree.body if isinstance(one, ast.ClassDef)}
    wanted, seen = [klass], set[ast.ClassDef]()
    while wanted:
        one = wanted.pop(0)
        if one not in seen:
            seen.add(one)
            yield one
            wanted += [known[base.id] for base in one.bases if isinstance(base, ast.Name) and base.id in known]


def _attributes(places: Sequence[ast.AST], context: type[ast.expr_context] = ast.expr_context) -> tuple[str, ...]:
    return tuple(dict.fromkeys(
        node.attr for place in places for node in ast.walk(place)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
        and isinstance(node.ctx, context)
    ))  # fmt: skip


@lru_cache(maxsize=64)
def _functions(tree: ast.Module) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for node in tree.body:
        if isinstance(node, Function | ast.ClassDef):
            found[node.name] = None
        elif isinstance(node, ast.ImportFrom):
            found.update((one.asname or one.name, None) for one in node.names)
    return tuple(found)
