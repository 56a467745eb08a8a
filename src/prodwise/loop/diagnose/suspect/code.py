"""What a file's text says of itself, read by names and indentation only: the same for every language, and never run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

LINES_MAX: Final = 20_000
LINE_CHARS: Final = 300
"""A longer line is generated or minified; what is behind is not read."""

_NAME = r"[A-Za-z_$][\w$]*"
_DEFINES = re.compile(
    rf"""^(?:export\s+|default\s+|public\s+|private\s+|protected\s+|static\s+|abstract\s+|final\s+|async\s+|pub\s+)*
    (?:
      (?:def|class|function\*?|fn|fun|interface|struct|module|trait|object)\s+(?:self\.)?(?P<named>{_NAME})
    | func\s+(?:\([^)]*\)\s*)?(?P<go>{_NAME})
    | (?:const|let|var)\s+(?P<bound>{_NAME})\s*(?::[^=]{{0,80}})?=(?!=)
    | (?:module\.)?exports\.(?P<exported>{_NAME})\s*=(?!=)
    | {_NAME}\.prototype\.(?P<proto>{_NAME})\s*=
    | (?:get\s+|set\s+|\*)?(?P<method>{_NAME})\s*\([^;]*\)\s*(?::[^{{;]{{0,80}})?\{{\s*(?:[^}}]*\}},?)?\s*$
    | (?P<key>{_NAME})\s*:\s*(?:async\s+)?(?:function\b|\([^)]*\)\s*=>|{_NAME}\s*=>)
    | (?P<value>{_NAME})\s*(?::[^=]{{0,80}})?=(?!=)
    )""",
    re.VERBOSE,
)
_NOT_DEFINED = frozenset(("if", "for", "while", "switch", "catch", "with", "return", "else", "function", "do", "try"))
_CLOSES = re.compile(r"^[})\]]+[;,)]*$|^end\b")
_CONTINUES = re.compile(r"^[})\]]")
_WORD = re.compile(_NAME)
_CALL = re.compile(rf"({_NAME})\s*\(")
_STRING = re.compile(r"""(["'`])((?:(?!\1)[^\\\n]|\\.){0,200})\1""")
_IMPORT = re.compile(
    r"""^\s*(?:
      from\s+(?P<source>[\w.]+)\s+import\s+(?P<names>[^#]*)
    | import\s+(?P<modules>[\w.]+(?:\s+as\s+\w+)?(?:\s*,\s*[\w.]+(?:\s+as\s+\w+)?)*)\s*(?:\#.*)?$
    | (?:const|let|var)\s+(?P<required>.{1,200}?)\s*=\s*(?:await\s+)?(?:require|import)\(\s*["'](?P<path>[^"']+)["']\s*\)
    | import\s+(?P<bindings>.{1,200}?)\s+from\s+["'](?P<from>[^"']+)["']
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Definition:
    """A function, class or value of a file: lines start to end, both included; depth: columns of its indentation."""

    name: str
    start: int
    end: int
    depth: int
    is_value: bool = False


@lru_cache(maxsize=256)
def lines_of(text: str) -> tuple[str, ...]:
    return tuple(line[:LINE_CHARS] for line in text.split("\n", LINES_MAX)[:LINES_MAX])


@lru_cache(maxsize=256)
def definitions(text: str) -> tuple[Definition, ...]:
    """In the order of their first lines. A value that lies inside something else is none: it is a part of that."""
    found: list[Definition] = []
    open_: list[tuple[str, int, int, bool]] = []  # name, start, depth, is_value
    last = above = 0
    for number, line in enumerate(lines_of(text), 1):
        bare = line.strip()
        if not bare:
            continue
        depth = len(line) - len(line.lstrip())
        while open_ and depth <= open_[-1][2] and not (depth == open_[-1][2] and _CONTINUES.match(bare)):
            name, start, at, is_value = open_.pop()
            found.append(Definition(name, start, last, at, is_value))
        last = number
        if open_ and depth == open_[-1][2] and _CLOSES.match(bare):
            name, start, at, is_value = open_.pop()
            found.append(Definition(name, start, number, at, is_value))
        above = (above or number) if bare.startswith("@") else above
        name, is_value = _defined(bare)
        if name and not (is_value and depth and open_):
            open_.append((name, above or number, depth, is_value))
        if not bare.startswith("@"):
            above = 0
    found += [Definition(name, start, last, at, is_value) for name, start, at, is_value in open_]
    return tuple(sorted(found, key=lambda one: (one.start, -one.end, one.name)))


def _defined(bare: str) -> tuple[str, bool]:
    """(the name that the line defines, whether as a value); "" when it defines nothing."""
    found = _DEFINES.match(bare)
    kind = found.lastgroup if found else None
    if found is None or kind is None or found[kind] in _NOT_DEFINED:
        return "", False
    value = kind == "value" or (kind in ("bound", "exported") and "=>" not in bare and "function" not in bare)
    return found[kind], value


def enclosing(text: str, line: int) -> Definition | None:
    """The innermost function (or else class or value) that holds the line."""
    around = [one for one in definitions(text) if one.start <= line <= one.end]
    return max((one for one in around if not one.is_value), key=lambda one: one.start, default=next(iter(around), None))


def named(text: str, name: str, near: int = 0) -> Definition | None:
    """The definition of that name, the nearest to a line when there are several."""
    plain = name.rsplit(".", 1)[-1]
    alike = [one for one in definitions(text) if one.name == plain]
    return min(alike, key=lambda one: (not one.start <= near <= one.end, abs(one.start - near)), default=None)


def words(line: str) -> frozenset[str]:
    return frozenset(_WORD.findall(line))


def calls(line: str) -> frozenset[str]:
    return frozenset(_CALL.findall(line)) - _NOT_DEFINED


def strings(line: str) -> tuple[str, ...]:
    return tuple(found[2] for found in _STRING.finditer(line))


def imports(text: str) -> Iterator[tuple[str, frozenset[str]]]:
    """(module or path, the names that it is known by in this file)."""
    for line in lines_of(text):
        found = _IMPORT.match(line) if "import" in line or "require" in line else None
        if found is None:
            continue
        if found["source"]:
            yield found["source"], words(found["names"]) - {"as"}
        elif found["modules"]:
            for one in found["modules"].split(","):
                yield one.split()[0], frozenset({one.split()[-1].split(".")[0]})
        elif found["path"]:
            yield found["path"], words(found["required"])
        else:
            yield found["from"], words(found["bindings"]) - {"as", "type"}
