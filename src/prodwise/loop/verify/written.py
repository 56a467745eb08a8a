"""A failing test, written from a trace: the innermost call of the app's own code of which every argument is known."""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from prodwise.loop.verify.traced import Traced

NOTES: Final = (
    "what the call should answer: the reproducer only asks that it does not raise",
    "whether the values were changed before the failure: they are as they stood when it was reported",
)
_TEXT: Final = '''"""Fails as long as {name}() raises for the values that were seen when it failed with {error}."""

import sys

sys.path.insert(0, {root!r})

from {module} import {top}


def test_{test}():
    {call}


if __name__ == "__main__":
    test_{test}()
'''
_MODULE: Final = '''"""Fails as long as {module} cannot be imported."""

import importlib
import sys

sys.path.insert(0, {root!r})


def test_import():
    importlib.import_module({module!r})


if __name__ == "__main__":
    test_import()
'''


@dataclass(frozen=True, slots=True)
class Written:
    """text: a whole module that runs by itself, and is a pytest test too."""

    text: str
    function: str


def write(
    trace: Traced, inside: Callable[[str], str], read: Callable[[str], str | None], paths: frozenset[str]
) -> Written | str:
    """Or why none can be written. inside: a frame's file → a file of the repository, "" for none."""
    why = "no frame of the trace lies in this repository"
    for frame, values in reversed(tuple(zip(trace.frames, trace.values, strict=True))):
        path = inside(frame.file)
        if not path.endswith(".py"):
            continue
        module, root = _module(path, paths)
        if not module:
            continue
        if frame.function == "<module>":
            return Written(_MODULE.format(module=module, root=root), module)
        found = _function(read(path) or "", frame.function, frame.line)
        if found is None:
            why = f"{path}:{frame.line} is in no function that can be called by itself"
            continue
        call = _call(found, values)
        if call is None:
            why = f"not all arguments of {frame.function} in {path} are known"
            continue
        words = {
            "name": found.name,
            "error": trace.error if trace.error.isidentifier() else "an error",
            "root": root,
            "module": module,
        }
        return Written(
            _TEXT.format(**words, top=found.name, test=found.name.strip("_"), call=call), f"{module}.{found.name}"
        )
    return why


def _module(path: str, paths: frozenset[str]) -> tuple[str, str]:
    """(its dotted name, the folder that it is imported from): the first one above that is no package."""
    folder, name = posixpath.split(path.removesuffix(".py"))
    parts = [] if name == "__init__" else [name]
    while folder and f"{folder}/__init__.py" in paths:
        folder, above = posixpath.split(folder)
        parts.insert(0, above)
    named = all(part.isidentifier() for part in parts)
    return (".".join(parts) if named else ""), folder or "."


Function = ast.FunctionDef | ast.AsyncFunctionDef


def _function(text: str, name: str, line: int) -> Function | None:
    """One at the top of its module: what lies in a class or another function needs more than arguments."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    for node in tree.body:
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) or node.name != name.rsplit(".", 1)[-1]:
            continue
        if not line or node.lineno <= line <= (node.end_lineno or line):
            return node
    return None


def _call(function: Function, values: Mapping[str, Any]) -> str | None:
    """None when an argument is not known, or was given another value before the failure."""
    given = function.args
    stored = {node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    plain = [one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    if any(name not in values or name in stored for name in plain):
        return None
    parts = [repr(values[one.arg]) for one in given.posonlyargs]
    more = values.get(given.vararg.arg, ()) if given.vararg else ()
    keys = values.get(given.kwarg.arg, {}) if given.kwarg else {}
    if more and isinstance(more, (list, tuple)):
        parts += [repr(values[one.arg]) for one in given.args] + [repr(one) for one in more]
    else:
        parts += [f"{one.arg}={values[one.arg]!r}" for one in given.args]
    parts += [f"{one.arg}={values[one.arg]!r}" for one in given.kwonlyargs]
    if keys and isinstance(keys, dict):
        parts.append(f"**{keys!r}")
    call = f"{function.name}({', '.join(parts)})"
    return f"__import__('asyncio').run({call})" if isinstance(function, ast.AsyncFunctionDef) else call
