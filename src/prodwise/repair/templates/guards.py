"""A value of a kind that a function does not expect: asked at its beginning, replaced, or brought into the kind."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from prodwise.repair.edits import Edit
from prodwise.repair.search.site import Site
from prodwise.repair.source import Function, Source, scope

_WANTED = {"bytes": ("bytes",), "int": ("int", "float"), "float": ("int", "float"), "list": ("list", "tuple"),
           "tuple": ("list", "tuple"), "dict": ("dict",), "str": ("str",), "bool": ("bool",)}  # fmt: skip
_COMPARES = frozenset(("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"))
MOST = 80


def edits(source: Source, statement: ast.stmt, error: str, message: str, depth: int) -> Iterator[Edit]:
    """depth: 0 for the innermost frame of the app's own."""
    if error.rpartition(".")[2] not in ("TypeError", "AttributeError", "ValueError", "AssertionError"):
        return
    site = Site(source, statement, scope(source, statement))
    farther = 0.25 * depth
    if "None" in message:
        yield from _or_else(site, farther)
    function = source.function(statement)
    if function is not None and "has no attribute" in message:
        yield from _of_its_class(site, function, farther)
    if function is not None and isinstance(statement, ast.Assert) and depth == 0:
        yield from _before(site, function, statement)
    kinds = _kinds(message)
    if function is not None and kinds:
        yield from list(_early(site, function, statement, kinds, farther))[:MOST]


def _of_its_class(site: Site, function: Function, farther: float) -> Iterator[Edit]:
    """What a thing is compared with may be of any class: Python asks the other one then, or says that they differ."""
    klass, names = site.source.klass(site.statement), [one.arg for one in function.args.args]
    if klass is None or function.name not in _COMPARES or len(names) != 2:
        return
    text = f"if not isinstance({names[1]}, {klass.name}):\n    return NotImplemented"
    body = [one for one in function.body if not _docstring(one)]
    made = Site(site.source, body[0], site.scope).insert(
        text, "class", f"`{names[1]}` may be of any class", 1.4 + farther
    )
    if made:
        yield made


def _kinds(message: str) -> list[str]:
    """The kinds of value that the error complains about."""
    found = re.findall(r"'?(NoneType|bytes|int|float|bool|list|tuple|dict|str)'?", message)
    return sorted(dict.fromkeys(found), key=lambda one: one != "NoneType")[:3]


def _or_else(site: Site, farther: float) -> Iterator[Edit]:
    """`f(a.b)` as `f(a.b or "")`: an argument or operand may be None."""
    for node in site.source.head(site.statement):
        if not isinstance(node, ast.Name | ast.Attribute | ast.Subscript | ast.Call):
            continue
        parent = site.source.parents.get(node)
        called = isinstance(parent, ast.Call) and node in parent.args
        if not (called or isinstance(parent, ast.BinOp | ast.keyword | ast.Assign)) or not isinstance(
            getattr(node, "ctx", ast.Load()), ast.Load
        ):
            continue
        text = site.source.of(node)
        plain = '""' if 'b"' not in site.source.of(site.statement) else 'b""'
        for value in dict.fromkeys((plain, '""', "0", "[]", "{}", 'b""')):
            cost = (1.7 if value == plain else 2.0) + farther + (0.0 if called else 0.2)
            yield site.swap(node, f"{text} or {value}", "none", f"`{text}` may be None", cost)


def _early(site: Site, function: Function, statement: ast.stmt, kinds: list[str], farther: float) -> Iterator[Edit]:
    """`if n is None: return …` and its like as the first statement, about a parameter that the failing statement uses."""
    body = [one for one in function.body if not _docstring(one)]
    if not body:
        return
    top = Site(site.source, body[0], site.scope)
    parameters = [one.arg for one in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)]
    parameters = [one for one in parameters if one not in ("self", "cls")]
    used = {one.id for one in ast.walk(statement) if isinstance(one, ast.Name)}
    for name in sorted(parameters, key=lambda one: one not in used):
        cost = (1.9 if name in used else 2.2) + farther
        for test, rank in _tests(name, kinds):
            for at, value in enumerate(_answers(function, name, parameters)):
                text = f"if {test}:\n    return {value}".rstrip()
                made = top.insert(text, "none", f"the case `{test}` is missing", cost + rank + 0.08 * at)
                if made:
                    yield made
        if "bytes" in kinds:
            text = f'if isinstance({name}, bytes):\n    {name} = {name}.decode("utf-8")'
            made = top.insert(text, "encoding", f"`{name}` may be bytes", cost + 0.1)
            if made:
                yield made


def _before(site: Site, function: Function, statement: ast.Assert) -> Iterator[Edit]:
    """An answer for None, or for nothing at all, before an `assert` that does not hold of it."""
    parameters = [one.arg for one in function.args.args if one.arg not in ("self", "cls")]
    names = {
        one.id: None for one in ast.walk(statement.test) if isinstance(one, ast.Name) and one.id in site.scope.locals
    }
    listed = any(isinstance(one, ast.Return) and isinstance(one.value, ast.List) for one in ast.walk(function))
    for name in list(names)[:3]:
        answers = (*(["[]"] if listed else []), *_answers(function, name, parameters))
        for test, cost in ((f"{name} is None", 1.7), (f"not {name}", 2.1)):
            for at, value in enumerate(dict.fromkeys(answers)):
                text = f"if {test}:\n    return {value}"
                made = site.insert(text, "none", f"the case `{test}` is missing", cost + 0.08 * at)
                if made:
                    yield made


def _tests(name: str, kinds: list[str]) -> Iterator[tuple[str, float]]:
    if "NoneType" in kinds:
        yield f"{name} is None", 0.0
        yield f"not {name}", 0.3
    for kind in kinds:
        for wanted in _WANTED.get(kind, ())[:1]:
            yield f"isinstance({name}, {wanted})", 0.4
            yield f"not isinstance({name}, {wanted})", 0.6
    if "NoneType" in kinds or set(kinds) & {"int", "float", "list", "dict"}:
        yield f"not isinstance({name}, str)", 0.5


def _answers(function: Function, name: str, parameters: list[str]) -> list[str]:
    """What the function hands back elsewhere, the value itself, another parameter, nothing."""
    returns = [ast.unparse(one.value) for one in ast.walk(function) if isinstance(one, ast.Return) and one.value]
    constant = [
        text for text in returns if len(text) < 20 and not re.search(r"[a-z]\w*", re.sub(r"None|True|False", "", text))
    ]
    return list(dict.fromkeys((*constant, name, *parameters[:1], "None", "[]", '""')))[:6]


def _docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
