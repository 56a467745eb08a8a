"""Arguments that a call lacks or has as a constant: a parameter that goes nowhere, what such calls are usually given, and what the
standard library lets a caller switch on or off."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from functools import lru_cache
from importlib import import_module

from prodwise.repair.edits import Edit
from prodwise.repair.search.arguments import added, name_of
from prodwise.repair.search.site import Site
from prodwise.repair.source import Function

# By the last name of what is called; those with a digit first count the arguments that must be there already.
_USUAL: dict[str, tuple[str, ...]] = {
    "open": ('encoding="utf-8"', 'errors="replace"', 'newline=""'),
    "makedirs": ("exist_ok=True",), "mkdir": ("exist_ok=True", "parents=True"),
    "dumps": ("sort_keys=True", "ensure_ascii=False", "default=str"), "dump": ("sort_keys=True", "ensure_ascii=False"),
    "sorted": ("reverse=True", "key=str"), "sort": ("reverse=True", "key=str"), "rmtree": ("ignore_errors=True",),
    "parse_qs": ("keep_blank_values=True",), "parse_qsl": ("keep_blank_values=True",), "enumerate": ("1", "start=1"),
    "decode": ('"utf-8"', '"utf-8", "replace"', 'errors="replace"', 'errors="ignore"'),
    "encode": ('"utf-8"', 'errors="replace"', 'errors="ignore"'), "split": ("1", "None, 1"), "rsplit": ("1",),
    "compile": ("re.IGNORECASE", "re.DOTALL", "re.MULTILINE"), "sub": ("flags=re.IGNORECASE", "count=1"),
    "match": ("re.IGNORECASE", "re.DOTALL"), "search": ("re.IGNORECASE", "re.DOTALL", "re.MULTILINE"),
    "findall": ("re.IGNORECASE", "re.DOTALL"), "get": ('""', "[]", "{}", "0", "False"), "getattr": ("None", '""'),
    "next": ("None",), "pop": ("None",), "max": ("default=0", "default=None"), "min": ("default=0", "default=None"),
    "splitlines": ("True", "keepends=True"), "quote": ('safe=""',), "Popen": ("universal_newlines=True",), "replace": ("1",),
}  # fmt: skip
_NEEDS = {"getattr": 2, "get": 1, "next": 1, "replace": 2, "pop": 1, "split": 1, "rsplit": 1, "compile": 1, "sub": 2}
_MOST = {"getattr": 2, "get": 1, "next": 1, "pop": 1, "split": 1, "rsplit": 1, "compile": 1, "match": 2, "search": 2, "findall": 2,
         "replace": 2, "enumerate": 1}  # fmt: skip
_NEVER = ("__", "antigravity", "idlelib", "this", "tkinter", "turtle")
"""Beginnings of modules of the standard library that show something when they are imported."""


def edits(site: Site, node: ast.expr) -> Iterator[Edit]:
    if not isinstance(node, ast.Call) or not site.source.of(node).endswith(")"):
        return
    given = {one.arg for one in node.keywords}
    if len(node.args) == 1 and isinstance(node.args[0], ast.GeneratorExp):
        return
    yield from _unused(site, node, given)
    yield from _alike(site, node, given)
    yield from _usual(site, node, given)
    yield from _switches(site, node, given)
    yield from _constant(site, node)


def _unused(site: Site, node: ast.Call, given: set[str | None]) -> Iterator[Edit]:
    """A parameter of the function around that nothing reads, or that has a default and is not handed on here."""
    function = site.source.function(site.statement)
    if function is None or isinstance(function, ast.Lambda) or None in given:
        return
    read = [one.id for one in ast.walk(function) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load)]
    here = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
    with_default = {one.arg for one in function.args.kwonlyargs}
    with_default |= {one.arg for one in function.args.args[len(function.args.args) - len(function.args.defaults) :]}
    for one in (*function.args.args, *function.args.kwonlyargs):
        name = one.arg
        if name in ("self", "cls") or name in given or name in here:
            continue
        cost = 1.8 if name not in read else 2.4 if name in with_default else 2.7
        yield added(site, node, f"{name}={name}", f"`{name}` is not handed on", cost)
    for rest, stars in ((function.args.kwarg, "**"), (function.args.vararg, "*")):
        if rest is not None and rest.arg not in here:
            cost = 1.9 if rest.arg not in read else 2.6
            yield added(site, node, f"{stars}{rest.arg}", f"`{rest.arg}` is not handed on", cost)


def _alike(site: Site, node: ast.Call, given: set[str | None]) -> Iterator[Edit]:
    """`f(name=route.name, path=route.path)` where `f` takes a `tags` as well: `tags=route.tags`."""
    function = site.source.defined.get(name_of(node.func))
    things = [ast.unparse(one.value.value) for one in node.keywords
              if isinstance(one.value, ast.Attribute) and one.value.attr == one.arg]  # fmt: skip
    if function is None or None in given or len(things) < 2 or len(set(things)) > 1:
        return
    parameters = (*function.args.args, *function.args.kwonlyargs)
    for name in [one.arg for one in parameters[len(node.args) :] if one.arg not in ("self", "cls", *given)]:
        text = f"{name}={things[0]}.{name}"
        yield added(site, node, text, f"`{name_of(node.func)}` is usually given `{text}` here", 1.7)


def _usual(site: Site, node: ast.Call, given: set[str | None]) -> Iterator[Edit]:
    name, many = name_of(node.func), len(node.args)
    if many < _NEEDS.get(name, 0) or many > _MOST.get(name, 9) or name not in _USUAL:
        return
    for text in _USUAL[name]:
        keyword = text.partition("=")[0] if "=" in text else ""
        if keyword in given or (not keyword and node.keywords):
            continue
        if name in ("compile", "match", "search", "findall", "sub") and "re" not in site.source.globals:
            continue
        yield added(site, node, text, f"`{name}` is usually given `{text}` here", 2.2)


def _switches(site: Site, node: ast.Call, given: set[str | None]) -> Iterator[Edit]:
    """`b64decode(text, validate=True)`: what a function of the standard library does or does not, unless it is told."""
    match node.func:
        case ast.Attribute(value=ast.Name(id=module), attr=name):
            home = _imported(site, module)
        case ast.Name(id=name):
            home = _imported(site, name)
            home, _, name = home.rpartition(".")
        case _:
            return
    taken = {one.partition("=")[0] for one in _USUAL.get(name, ())}
    for parameter, default in _flags(home, name) if None not in given else ():
        if parameter not in given and parameter not in taken:
            text = f"{parameter}={not default}"
            yield added(site, node, text, f"`{name}` can be given `{text}` here", 2.3)


def _imported(site: Site, name: str) -> str:
    """What a name of the module stands for by its imports, "" for others."""
    for one in site.source.tree.body:
        if isinstance(one, ast.Import) or (isinstance(one, ast.ImportFrom) and not one.level):
            home = f"{one.module}." if isinstance(one, ast.ImportFrom) else ""
            for alias in one.names:
                if (alias.asname or alias.name) == name:
                    return home + alias.name
    return ""


@lru_cache(maxsize=512)
def _flags(module: str, name: str) -> tuple[tuple[str, bool], ...]:
    """(parameter, default) of those that are true or false by default; of the standard library alone, which is safe to import."""
    top = module.partition(".")[0]
    if top not in sys.stdlib_module_names or top.startswith(_NEVER):
        return ()
    try:
        parameters = inspect.signature(getattr(import_module(module), name)).parameters.values()
    except (ImportError, AttributeError, TypeError, ValueError):
        return ()
    named = (one for one in parameters if one.kind in (one.KEYWORD_ONLY, one.POSITIONAL_OR_KEYWORD))
    return tuple((one.name, one.default) for one in named if isinstance(one.default, bool))


def _constant(site: Site, node: ast.Call) -> Iterator[Edit]:
    """`f(x, deep=False)` where the function has a `deep` of its own."""
    for one in node.keywords:
        if one.arg is None or not isinstance(one.value, ast.Constant):
            continue
        if one.arg in site.scope.locals:
            yield site.swap(one.value, one.arg, "argument", f"`{one.arg}` is not handed on", 1.8)
        elif one.arg in site.scope.attributes and "self" in site.scope.locals:
            yield site.swap(one.value, f"self.{one.arg}", "argument", f"`{one.arg}` is not handed on", 1.9)


def defaults(site: Site, function: Function, node: ast.expr) -> Iterator[Edit]:
    """Another default of a parameter: the usual empty values."""
    if node not in function.args.defaults and node not in function.args.kw_defaults:
        return
    for text in ("None", "True", "False", '""', "()", "0", "1"):
        if site.source.of(node) != text:
            yield site.swap(node, text, "default", f"the default is meant as `{text}`", 2.1)
