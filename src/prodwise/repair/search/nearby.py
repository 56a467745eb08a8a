"""What a file says more than once, or of other names: its questions, its one-argument calls, its chained calls with constants."""

from __future__ import annotations

import ast
import builtins
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from prodwise.repair.search.site import Site
from prodwise.repair.source import Source

TEXT_MOST = 70
BUILT_IN = frozenset(dir(builtins))


@dataclass(frozen=True, slots=True)
class Said:
    """names: those that it reads; place: the outermost function in which it stands, None at module level."""

    text: str
    names: frozenset[str]
    place: ast.AST | None


@lru_cache(maxsize=16)
def questions(source: Source) -> tuple[Said, ...]:
    """The single terms of the file's conditions, those of `and` and `or` apart."""
    found: dict[str, Said] = {}
    for node in ast.walk(source.tree):
        for test in _tests(node):
            term = test.operand if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not) else test
            text = ast.unparse(term)
            if (
                isinstance(term, ast.Compare | ast.Call | ast.Attribute | ast.Subscript)
                and len(text) <= TEXT_MOST
                and "\n" not in text
            ):
                found.setdefault(text, Said(text, names_in(term), source.function(term)))
    return tuple(found.values())


def _tests(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.If | ast.While | ast.IfExp | ast.Assert):
        yield node.test
    elif isinstance(node, ast.BoolOp):
        yield from node.values
    elif isinstance(node, ast.comprehension):
        yield from node.ifs
    elif isinstance(node, ast.Return) and isinstance(node.value, ast.Compare):
        yield node.value


def open_questions(source: Source) -> tuple[str, ...]:
    """`isinstance({}, bytes)`: those about one name that is not known in the whole file, the commonest first."""
    return _open(source)


@lru_cache(maxsize=64)
def open_here(source: Source, place: ast.AST | None) -> tuple[str, ...]:
    """Those of one function."""
    return _of(source, [one for one in questions(source) if one.place is place]) if place is not None else ()


@lru_cache(maxsize=16)
def _open(source: Source) -> tuple[str, ...]:
    return _of(source, questions(source))


def _of(source: Source, asked: Sequence[Said]) -> tuple[str, ...]:
    found = Counter[str]()
    for one in asked:
        own = one.names - source.globals - BUILT_IN
        if len(own) == 1 and not own & {"self", "cls"} and "{" not in one.text:
            found[opened(one.text, next(iter(own)))] += 1
    return tuple(text for text, _ in found.most_common(10) if "{}" in text)


def opened(text: str, name: str) -> str:
    """The text with a gap in the place of a name."""
    return re.sub(rf"(?<![\w.'\"]){name}(?![\w'\"=(])", "{}", text)


@lru_cache(maxsize=16)
def wrappers(source: Source) -> tuple[str, ...]:
    """What is called with a single argument, by how often: `os.path.abspath`, `self._clean`."""
    found = Counter[str]()
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Call) or len(node.args) != 1 or node.keywords:
            continue
        text = ast.unparse(node.func)
        single = not isinstance(node.args[0], ast.Starred | ast.GeneratorExp)
        if single and re.fullmatch(r"[A-Za-z_][\w.]{0,50}", text):
            found[text] += 1
    return tuple(text for text, _ in found.most_common(40))


@lru_cache(maxsize=16)
def called(source: Source) -> frozenset[str]:
    """What is called with nothing: `self.hash_alg`."""
    calls = (node for some in source.calls.values() for node in some)
    return frozenset(ast.unparse(node.func) for node in calls if not node.args and not node.keywords)


@dataclass(frozen=True, slots=True)
class Around:
    """A call with several arguments, one of them left open. names: those that the others read."""

    head: str
    tail: str
    names: frozenset[str]


@lru_cache(maxsize=16)
def arounds(source: Source) -> tuple[tuple[Around, int], ...]:
    """`arg_val(target, {}, scope)`, each with how often it is said."""
    found = Counter[Around]()
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Call) or not 2 <= len(node.args) <= 4 or node.keywords:
            continue
        name, texts = ast.unparse(node.func), [ast.unparse(one) for one in node.args]
        if not re.fullmatch(r"[A-Za-z_][\w.]{0,50}", name) or any("\n" in one or len(one) > 40 for one in texts):
            continue
        if any(isinstance(one, ast.Starred | ast.Constant | ast.Lambda) for one in node.args) or name in BUILT_IN:
            continue
        for at in range(len(texts)):
            others = [one for place, one in enumerate(node.args) if place != at]
            names = frozenset[str]().union(*(names_in(one) for one in (node.func, *others)))
            head, tail = ", ".join(texts[:at]), ", ".join(texts[at + 1 :])
            found[Around(f"{name}({head}{', ' if head else ''}", f"{', ' if tail else ''}{tail})", names)] += 1
    return tuple((one, many) for one, many in found.most_common(60))


@lru_cache(maxsize=16)
def chains(source: Source) -> tuple[str, ...]:
    """`.strip('/')`, `.replace('-', '_')`: methods with constants, or with nothing, by how often."""
    found = Counter[str]()
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.keywords:
            continue
        if all(isinstance(one, ast.Constant) for one in node.args) and len(node.args) <= 2:
            text = f".{node.func.attr}({', '.join(ast.unparse(one) for one in node.args)})"
            found[text] += len(text) <= 40
    return tuple(text for text, many in found.most_common(12) if many)


def names_in(node: ast.AST) -> frozenset[str]:
    return frozenset(one.id for one in ast.walk(node) if isinstance(one, ast.Name))


def visible(site: Site, names: frozenset[str]) -> bool:
    """Whether all of them mean something at this place."""
    return names <= {*site.scope.locals, *site.source.globals, *site.scope.functions, *BUILT_IN}
