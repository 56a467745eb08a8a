"""Which files of the program a test is about: those that it imports, also through the package that hands them on."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterable, Iterator

from prodwise.repair.source import Source

IMPORTS_MOST = 80
ROOTS = ("", "src/", "lib/")


def subjects(tests: Iterable[Source], paths: Collection[str], read: Callable[[str], Source | None]) -> frozenset[str]:
    """Those of the paths. read: a file by its path, None where there is none."""
    imports = dict.fromkeys(one for test in tests for one in _imported(test.tree, ""))
    found = set[str]()
    for module, name in list(imports)[:IMPORTS_MOST]:
        near = _places(f"{module}.{name}", paths) or _places(module, paths)
        found.update(near or _handed_on(module, name, paths, read))
    return frozenset(found)


def _imported(tree: ast.Module, package: str) -> Iterator[tuple[str, str]]:
    """(module, what is taken from it), with full names; package: where relative ones begin."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((one.name, "") for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level <= bool(package):
            parts = [package] * node.level + ([node.module] if node.module else [])
            yield from ((".".join(parts), one.asname or one.name) for one in node.names)


def _places(module: str, paths: Collection[str]) -> set[str]:
    name = module.strip(".").replace(".", "/")
    return {root + file for root in ROOTS for file in (f"{name}.py", f"{name}/__init__.py")} & {*paths}


def _handed_on(module: str, name: str, paths: Collection[str], read: Callable[[str], Source | None]) -> set[str]:
    """Where `from shop import Cart` finds `from .cart import Cart` in the package."""
    folder = module.replace(".", "/")
    sources = (read(f"{root}{folder}/__init__.py") for root in ROOTS)
    taken = (one for source in sources if source is not None for one in _imported(source.tree, module))
    return {path for inner, inner_name in taken if inner_name == name for path in _places(inner, paths)}
