"""Which files a failure can come from: those that it names, those that tests import, and what lies next to them."""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from prodwise.loop.verify.patch.protected import is_test

STEPS_FROM_TESTS: Final = 4
STEPS: Final = 1
FILES_READ_MAX: Final = 600
_JS = re.compile(r"""(?:require\(\s*|from\s+|import\s+|import\(\s*)["'](\.[^"'\n]{0,200})["']""")
_JS_ENDS: Final = ("", ".js", ".ts", ".mjs", ".cjs", ".jsx", ".tsx", "/index.js", "/index.ts")
_ROOTS: Final = ("", "src/", "lib/")

Read = Callable[[str], str | None]


def near(changed: Iterable[str], seeds: Iterable[str], paths: frozenset[str], read: Read) -> frozenset[str] | None:
    """Those of the changed files that are near. None when no seed is a file of the repository: nothing is known then.

    Tests lead further than other code, as they stand far from what they test; a package's `__init__` costs no step."""
    known = frozenset(seed for seed in seeds if seed in paths)
    return around(changed, known, reached(known, paths, read), paths, read) if known else None


def reached(
    known: frozenset[str], paths: frozenset[str], read: Read, wanted: frozenset[str] = frozenset()
) -> frozenset[str]:
    """Files that these lead to, themselves included; looks no further once all that are wanted are among them."""
    left = {seed: STEPS_FROM_TESTS if is_test(seed) else STEPS for seed in known}
    waiting, reads = sorted(left), 0
    while waiting and reads < FILES_READ_MAX and not (wanted and wanted <= left.keys()):
        path = waiting.pop(0)
        if left[path] <= 0:
            continue
        reads += 1
        for other in imported(path, read(path) or "", paths):
            rest = left[path] - (not other.endswith("__init__.py"))
            if rest > left.get(other, -1):
                left[other] = rest
                waiting.append(other)
    return frozenset(left)


def around(
    changed: Iterable[str], known: frozenset[str], near_ones: frozenset[str], paths: frozenset[str], read: Read
) -> frozenset[str]:
    """Those of the changed files that are reached from the known ones, lie beside them, or import one of them."""
    found = set()
    others = {posixpath.dirname(one) for one in known}
    for path in changed:
        beside = not path.endswith((".py", ".js", ".ts")) and posixpath.dirname(path) in others
        if path in near_ones or beside or (path in paths and known & set(imported(path, read(path) or "", paths))):
            found.add(path)
    return frozenset(found)


def imported(path: str, text: str, paths: frozenset[str]) -> Iterator[str]:
    """Files of the repository that a file imports."""
    if path.endswith((".py", ".pyi")):
        yield from _python(path, text, paths)
        return
    folder = posixpath.dirname(path)
    for name in _JS.findall(text):
        base = posixpath.normpath(posixpath.join(folder, name))
        yield from (base + end for end in _JS_ENDS if base + end in paths)


def _python(path: str, text: str, paths: frozenset[str]) -> Iterator[str]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _files(alias.name.split("."), path, 0, paths)
        elif isinstance(node, ast.ImportFrom):
            module = (node.module or "").split(".") if node.module else []
            yield from _files(module, path, node.level, paths)
            for alias in node.names:
                yield from _files([*module, alias.name], path, node.level, paths)


def _files(parts: list[str], path: str, level: int, paths: frozenset[str]) -> Iterator[str]:
    """A module's file and the `__init__` of each package above it."""
    folder = posixpath.dirname(path)
    if level:
        roots = ["/".join(folder.split("/")[: len(folder.split("/")) - level + 1])] if folder else [""]
        roots = [f"{root}/" if root else "" for root in roots]
    else:
        above = folder.split("/") if folder else []
        roots = [*_ROOTS, *("/".join(above[:at]) + "/" for at in range(1, len(above) + 1))]
    for root in roots:
        for many in range(1, len(parts) + 1):
            base = root + "/".join(parts[:many])
            yield from (one for one in (f"{base}/__init__.py", f"{base}.py") if one in paths)
        if not parts and f"{root}__init__.py" in paths:
            yield f"{root}__init__.py"
