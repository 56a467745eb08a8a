"""Which crate a name in an error of rustc belongs to: modules and local names are no crates."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from typing import Final

from prodwise.loop.diagnose.logs.clue import Clue
from prodwise.loop.diagnose.logs.text import Log

SOURCE: Final = re.compile(r"(?:registry/src/[^/\s]{1,100}|/vendor)/([A-Za-z0-9][\w-]{0,80}?)-(\d+\.\d[\w.+-]{0,60}?)/")
NEAR_LINES: Final = 10
IMPORTS_CHARS: Final = 400_000
_CODE: Final = re.compile(r"^\s{0,8}\d{1,7}\s{1,4}[|+-] ")
_NOT_FOUND: Final = re.compile(r"could not find `\w{1,100}` in `(\w{1,80})(?:::[\w:]{1,160})?`")
_IMPORTED: Final = re.compile(r"\buse (\w{1,80})::(?:\w{1,80}::){0,8}(\w{1,80});")
_IMPLS: Final = re.compile(r"found in the following crates: ((?:`\w{1,80}`(?:, )?){1,8})")
_BINDINGS: Final = frozenset(["sys", "ffi"])
"""What crates call the one that binds a library of the system, wherever it comes from."""


def lacking(log: Log) -> Iterator[tuple[int, str]]:
    """(line, name) of what does not hold a name: a crate, or the first name of the path that leads to a module."""
    missing = [
        (number, one[1]) for number, line in log.hits("could not find `", 60) if (one := _NOT_FOUND.search(line))
    ]
    imported = {one[2]: one[1] for one in _IMPORTED.finditer(log.text, 0, IMPORTS_CHARS)} if missing else {}
    for number, module in missing:
        yield number, _led_to(log, number, module) or imported.get(module, module)


def implementing(line: str) -> list[str]:
    """The crates whose implementations an error cannot choose between: it worked until one of them gained its own."""
    found = _IMPLS.search(line)
    return re.findall(r"`(\w{1,80})`", found[1]) if found is not None else []


def _led_to(log: Log, number: int, module: str) -> str:
    """1. What leads to the module in the code that is shown. 2. The crate whose file of that name a note shows. "" for neither."""
    near = [log.line(number - 1), *(line for _, line in log.after(number, NEAR_LINES))]
    led = re.compile(
        rf"(?<![\w:])(\w{{1,80}})::(?:\w{{1,80}}::){{0,8}}{module}::|\buse (\w{{1,80}})::.{{0,300}}\b{module}\b"
    )
    for line in near:
        if _CODE.match(line) and (found := led.search(line)) is not None:
            return found[1] or found[2]
    for line in near:
        noted = SOURCE.search(line) if "--> " in line else None
        if noted is not None and re.search(rf"/{module}[./]", line[noted.end() - 1 :]):
            return noted[1]
    return ""


def unaliased(clues: Iterable[Clue], log: Log, known: Collection[str]) -> Iterator[Clue]:
    """The clues, without names that crates only have inside one another."""
    for clue in clues:
        name = clue.name if clue.name in known else _meant(clue.name, _compiled_at(log, clue.line))
        if name:
            yield replace(clue, name=name)


def _meant(name: str, crate: str) -> str:
    """`inksys` in inkstone's own source is inkstone-sys, which it writes shorter; "" where nothing tells what is meant."""
    if name in _BINDINGS:
        return ""
    plain, whole = name.replace("_", "").replace("-", ""), crate.replace("_", "").replace("-", "") + "sys"
    short = crate and plain.endswith("sys") and plain[0] == whole[0] and _abbreviates(plain, whole)
    return f"{crate}-sys" if short and plain != whole else name


def _abbreviates(short: str, whole: str) -> bool:
    """Whether the letters are found in it, in their order."""
    left = iter(whole)
    return all(letter in left for letter in short)


def _compiled_at(log: Log, number: int) -> str:
    """The dependency in whose source the error of this line is; "" for the program's own."""
    below = (line for _, line in log.after(number, 2))
    above = (log.line(at) for at in range(number, max(0, number - NEAR_LINES), -1))
    place = next((line for line in (*below, *above) if "--> " in line), "")
    found = SOURCE.search(place)
    return found[1] if found is not None else ""
