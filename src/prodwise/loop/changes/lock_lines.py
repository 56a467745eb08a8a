"""Lock files that are read line by line: their formats are no JSON or TOML, or a hundred times slower to read as what they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

Pairs = Iterator[tuple[str, str]]
ELSEWHERE: Final = "not from a registry"
"""Instead of an address, which may hold a password."""
LINE_MAX: Final = 2000
_VERSION: Final = re.compile(r"[\w.+*!~-]{1,100}", re.ASCII)
_REQUIREMENT: Final = re.compile(r"([A-Za-z0-9][\w.-]*)(?:\s*\[[^\]]*\])?\s*(.*)", re.ASCII)
_CONDITIONS: Final = re.compile(r"(?:\s*(?:===?|~=|!=|<=?|>=?)\s*[\w.+*!-]+\s*,?)+", re.ASCII)
_GEM: Final = re.compile(r" {4}(\S+) \(([^)]+)\)")
_GO: Final = re.compile(r"(?:require\s+)?(\S+)\s+(v[\w.+-]+)(?:\s*//.*)?", re.ASCII)
_YARN_VERSION: Final = re.compile(r'  version:? "?([^"\s]+)"?')
_PNPM: Final = re.compile(r"/?((?:@[^/@\s]+/)?[^/@\s(]+)[@/]([^()\s:_]+)(?:[(_].*)?")


def _lines(text: str) -> Iterator[str]:
    """Longer ones say nothing that is looked for here."""
    return (line for line in text.splitlines() if len(line) <= LINE_MAX)


def plain(version: str) -> str:
    return version if _VERSION.fullmatch(version) else ELSEWHERE


def requirements(text: str) -> Pairs:
    """`name==1.2`; other conditions as they stand; options, hashes and comments are left out."""
    for line in _lines(text):
        told = line.split(" #")[0].split(" --")[0].partition(";")[0].rstrip("\\ ").strip()
        found = _REQUIREMENT.fullmatch(told)
        if found is None or told.startswith(("-", "#")):
            continue
        name, rest = found[1].lower().replace("_", "-"), found[2].strip()
        if not rest:
            yield name, "any version"
        elif _CONDITIONS.fullmatch(rest):
            yield name, rest.removeprefix("==").strip() if "," not in rest else rest
        elif rest.startswith("@"):
            yield name, ELSEWHERE


def yarn(text: str) -> Pairs:
    """`"name@range", name@range:` and below it the version; of version 1 and of the later ones."""
    names: set[str] = set()
    for line in _lines(text):
        if line and not line[0].isspace() and not line.startswith("#"):
            entries = [one.strip().strip('"') for one in line.rstrip(":").split(",")]
            names = {one[: one.find("@", 1)] for one in entries if one.find("@", 1) > 0}
        elif names and (found := _YARN_VERSION.fullmatch(line)):
            if "0.0.0-use.local" not in found[1]:
                yield from ((name, plain(found[1])) for name in sorted(names) if name != "__metadata")
            names = set()


def pnpm(text: str) -> Pairs:
    """Keys of `packages:`: `/name/1.2`, `/name@1.2(peer)`, `name@1.2`."""
    inside = False
    for line in _lines(text):
        if line and not line[0].isspace():
            inside = line.startswith("packages:")
        elif inside and re.match(r" {2}\S", line) and line.rstrip().endswith(":"):
            key = line.strip()[:-1].strip("'\"")
            found = _PNPM.fullmatch(key)
            yield (found[1], plain(found[2])) if found else (key[:60].partition("@")[0] or "?", ELSEWHERE)


def bundler(text: str) -> Pairs:
    """`    name (1.2)` under `specs:`; what a gem needs is indented deeper."""
    for line in _lines(text):
        if found := _GEM.fullmatch(line):
            yield found[1], plain(found[2])


def go(text: str) -> Pairs:
    """`require` lines, alone or in a block; other blocks and directives are left out."""
    block = ""
    for line in _lines(text):
        told = line.strip()
        if told.endswith("("):
            block = told[:-1].strip()
        elif told == ")":
            block = ""
        elif _requires(block, told) and (found := _GO.fullmatch(told)):
            yield found[1], plain(found[2])


def _requires(block: str, line: str) -> bool:
    return block == "require" or (not block and line.startswith("require "))
