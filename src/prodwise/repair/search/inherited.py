"""What a method owes to its class: the call of the one that it overrides, a parameter that falls back on what the object holds,
a value that goes back to what it was at first."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache

from prodwise.repair.edits import Edit
from prodwise.repair.search.site import Site
from prodwise.repair.source import Function

RESETS_MOST = 6
_OPERATORS = frozenset(
    f"__{one}__"
    for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "and", "or", "xor", "lshift", "rshift")
    for one in (name, f"r{name}", f"i{name}")
) | {"__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__matmul__"}
_PLAIN = frozenset(("object", "Protocol", "Generic", "ABC", "Enum", "NamedTuple", "TypedDict"))


def edits(site: Site) -> Iterator[Edit]:
    function = site.source.function(site.statement)
    klass = site.source.parents.get(function) if function is not None else None
    if (
        function is None
        or not isinstance(klass, ast.ClassDef)
        or site.source.parents.get(site.statement) is not function
    ):
        return
    if not function.args.args or function.args.args[0].arg != "self":
        return
    body = function.body[1:] if _says(function.body[0]) and len(function.body) > 1 else function.body
    first, last = site.statement is body[0], site.statement is body[-1]
    if first or last:
        yield from _overridden(site, function, klass, first, last)
    if first:
        yield from _held(site, function)
        yield from _foreign(site, function, klass)
    yield from _at_first(site, function, klass, last)


def _says(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _overridden(site: Site, function: Function, klass: ast.ClassDef, first: bool, last: bool) -> Iterator[Edit]:
    """`super().__init__(…)` of a class that has another above it, first or last."""
    above = [one for one in klass.bases if ast.unparse(one).rpartition(".")[2].partition("[")[0] not in _PLAIN]
    known = function.name in (
        "__init__",
        "__init_subclass__",
        "setUp",
        "tearDown",
        "close",
        "save",
        "clean",
        "update",
        "reset",
    )
    if not above or "super(" in ast.unparse(function) or not (known or _other_has(klass, function.name)):
        return
    args = function.args
    names = [one.arg for one in args.args[1:]]
    given = [*names, *(f"{one.arg}={one.arg}" for one in args.kwonlyargs)]
    given = [*given[: len(names)], *([f"*{args.vararg.arg}"] if args.vararg else []), *given[len(names) :]]
    given += [f"**{args.kwarg.arg}"] if args.kwarg else []
    for handed in dict.fromkeys(((), tuple(given))):
        text = f"super().{function.name}({', '.join(handed)})"
        for after in [False] * first + [True] * (last and not isinstance(site.statement, ast.Return | ast.Raise)):
            made = site.insert(text, "statement missing", f"`{text[:60]}` is missing", 2.2, after)
            if made is not None:
                yield made


def _other_has(klass: ast.ClassDef, name: str) -> bool:
    """Whether another method of the class calls the one that it overrides."""
    return any(
        isinstance(one, Function) and one.name != name and f"super().{one.name}(" in ast.unparse(one)
        for one in klass.body
    )


def _held(site: Site, function: Function) -> Iterator[Edit]:
    """`if size is None: size = self.size`, of a parameter that is None by default."""
    args = function.args
    defaulted = dict(zip(args.args[len(args.args) - len(args.defaults) :], args.defaults, strict=True))
    defaulted.update({one: value for one, value in zip(args.kwonlyargs, args.kw_defaults, strict=True) if value})
    for one, value in defaulted.items():
        if not isinstance(value, ast.Constant) or value.value is not None:
            continue
        for attribute in (one.arg, f"_{one.arg}"):
            if attribute in site.scope.attributes and f"self.{attribute}" not in ast.unparse(function):
                text = f"if {one.arg} is None:\n    {one.arg} = self.{attribute}"
                made = site.insert(text, "statement missing", f"`{one.arg}` falls back on `self.{attribute}`", 2.1)
                if made is not None:
                    yield made


def _foreign(site: Site, function: Function, klass: ast.ClassDef) -> Iterator[Edit]:
    """`if not isinstance(other, C): return NotImplemented`, of an operator that does not ask."""
    places = function.args.args
    if len(places) != 2 or function.name not in _OPERATORS or "NotImplemented" in ast.unparse(function):
        return
    other, bases = places[1].arg, [one.id for one in klass.bases if isinstance(one, ast.Name)]
    asked = [one for one in site.source.asked_types if not one.islower()][:2]
    for kind in dict.fromkeys((klass.name, *bases, *asked)):
        text = f"if not isinstance({other}, {kind}):\n    return NotImplemented"
        made = site.insert(text, "guard", f"`{other}` may be of another kind", 2.2)
        if made is not None:
            yield made


def _at_first(site: Site, function: Function, klass: ast.ClassDef, last: bool) -> Iterator[Edit]:
    """`self.seen = []` as the object begins with it, after a statement that does so with another."""
    begins = _begins(klass)
    match site.statement:
        case ast.Assign(targets=[ast.Attribute(value=ast.Name(id="self"), attr=mine)]) if mine in begins:
            pass
        case ast.Expr(
            value=ast.Call(func=ast.Attribute(value=ast.Attribute(value=ast.Name(id="self"), attr=mine), attr="clear"))
        ):
            pass
        case _:
            return
    if function.name == "__init__":
        return
    own = ast.unparse(function)
    for name in [one for one in begins if one != mine and f"self.{one} =" not in own][:RESETS_MOST]:
        text = f"self.{name} = {begins[name]}"
        made = site.insert(text, "statement missing", f"`self.{name}` is as it was at first", 2.3, last)
        if made is not None:
            yield made


@lru_cache(maxsize=64)
def _begins(klass: ast.ClassDef) -> dict[str, str]:
    """What `__init__` gives its attributes of constants and empty containers."""
    found: dict[str, str] = {}
    init = next((one for one in klass.body if isinstance(one, Function) and one.name == "__init__"), None)
    for node in ast.walk(init) if init is not None else ():
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        for one in targets:
            if (
                isinstance(one, ast.Attribute)
                and ast.unparse(one.value) == "self"
                and value is not None
                and _empty(value)
            ):
                found[one.attr] = ast.unparse(value)
    return found


def _empty(value: ast.expr) -> bool:
    if isinstance(value, ast.Call):
        return isinstance(value.func, ast.Name) and not value.args and not value.keywords
    return isinstance(value, ast.Constant) or ast.unparse(value) in ("[]", "{}", "()")
