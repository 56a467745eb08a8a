"""What a test is about: the files of the program that it imports, also through the package that hands them on, and what of them; and
whose values a file of the program takes."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator

from prodwise.repair.source import Source

Reader = Callable[[str], Source | None]
IMPORTS_MOST = 80
ROOTS = ("", "src/", "lib/")


def subjects(tests: Iterable[Source], read: Reader) -> dict[str, set[str]]:
    """Path → the names that are taken from there. read: a file of the program by its path, None where there is none."""
    imports = dict.fromkeys(one for test in tests for one in _imported(test.tree, ""))
    found: dict[str, set[str]] = {}
    for module, name in list(imports)[:IMPORTS_MOST]:
        for path, taken in _places(module, name, read) or _handed_on(module, name, read):
            found.setdefault(path, set()).add(taken)
    return found


def lent(source: Source, read: Reader) -> dict[str, set[str]]:
    """Path → the values of that module which this file takes by name (`from .keywords import PATTERNS`)."""
    package = source.path.rpartition("/")[0].replace("/", ".")
    for root in ROOTS[1:]:
        package = package.removeprefix(root.replace("/", "."))
    found: dict[str, set[str]] = {}
    for module, name in list(dict.fromkeys(_imported(source.tree, package)))[:IMPORTS_MOST]:
        for path, taken in _places(module, name, read) if name else ():
            lender = read(path)
            if lender is not None and taken in values(lender):
                found.setdefault(path, set()).add(taken)
    return found


def values(source: Source) -> frozenset[str]:
    """The names that a module's own assignments bind."""
    bound = (
        target
        for one in source.tree.body
        if isinstance(one, ast.Assign | ast.AnnAssign)
        for target in (one.targets if isinstance(one, ast.Assign) else [one.target])
    )
    return frozenset(one.id for one in bound if isinstance(one, ast.Name))


def _imported(tree: ast.Module, package: str) -> Iterator[tuple[str, str]]:
    """(module, what is taken from it), with full names; package: where relative ones begin."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((one.name, "") for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level <= bool(package):
            parts = [package] * node.level + ([node.module] if node.module else [])
            yield from ((".".join(parts), one.name) for one in node.names)


def _places(module: str, name: str, read: Reader) -> list[tuple[str, str]]:
    """The module, or the one inside of it that is taken; not a package that only hands on."""
    folder = module.replace(".", "/")
    inner = [f"{root}{folder}/{name}{end}" for root in ROOTS for end in (".py", "/__init__.py")] if name else []
    own = [f"{root}{folder}.py" for root in ROOTS]
    made = [(path, "") for path in inner] + [(path, name) for path in own]
    for root in ROOTS:
        package = read(f"{root}{folder}/__init__.py")
        if package is not None and (not name or _defines(package, name)):
            made.append((package.path, name))
    return next(([one] for one in made if read(one[0]) is not None), [])


def _defines(package: Source, name: str) -> bool:
    stored = (one.id for one in ast.walk(package.tree) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store))
    return name in package.methods or name in stored


def _handed_on(module: str, name: str, read: Reader) -> list[tuple[str, str]]:
    """Where `from shop import Cart` finds `from .cart import Cart` in the package."""
    folder, found = module.replace(".", "/"), list[tuple[str, str]]()
    for source in (read(f"{root}{folder}/__init__.py") for root in ROOTS):
        for inner, taken in _imported(source.tree, module) if source is not None else ():
            if taken == name:
                found += _places(inner, taken, read)
    return found
