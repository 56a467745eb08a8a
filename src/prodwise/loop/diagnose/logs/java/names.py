"""How well the name of an artifact fits the name of a class: nothing else tells in a log where a class comes from."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

TOP: Final = frozenset(
    [
        "org",
        "com",
        "net",
        "io",
        "de",
        "uk",
        "fr",
        "eu",
        "co",
        "edu",
        "gov",
        "dev",
        "app",
        "me",
        "info",
        "biz",
        "tech",
        "ai",
        "ru",
        "ch",
        "at",
        "nl",
        "be",
        "it",
        "es",
        "se",
        "no",
        "fi",
        "dk",
        "pl",
        "cz",
        "jp",
        "cn",
        "br",
        "au",
        "ca",
        "us",
        "in",
        "se",
        "cloud",
        "systems",
        "tools",
        "one",
        "xyz",
        "software",
    ]
)
VAGUE: Final = frozenset(
    [
        "core",
        "api",
        "common",
        "commons",
        "java",
        "jdk",
        "all",
        "impl",
        "base",
        "main",
        "lib",
        "library",
        "util",
        "utils",
        "bom",
        "parent",
        "project",
        "default",
        "client",
        "server",
    ]
)

RENAMED: Final = frozenset(["javax", "jakarta"])
"""One house under its two names: an artifact may have one, and its packages the other."""

NAMED: Final = re.compile(
    r"(?<![\w.-])([a-zA-Z][\w.-]{1,150}):([\w.-]{1,120}):(?:[\w-]{1,30}:){0,2}([\dv][\w.+-]{0,80})"
)
"""An artifact as Maven writes it: group, name, version."""


_BETWEEN: Final = re.compile(r"[-._]|(?<=[a-z0-9])(?=[A-Z][a-z])")
"""What parts the words of an artifact's name: a sign, or a capital (fooImpl)."""


_NUMBER: Final = re.compile(r"\d{1,3}j?$")


@lru_cache(maxsize=4_096)
def words_of(name: str) -> tuple[str, ...]:
    return tuple(word.lower() for word in _BETWEEN.split(name) if word)


@lru_cache(maxsize=4_096)
def houses_of(group: str) -> tuple[str, ...]:
    """The parts of a group as packages write them, which have no dashes."""
    return tuple(group.lower().replace("-", "").split("."))


def stem(word: str) -> str:
    """Without the "4j" or the number that a name ends in."""
    return _NUMBER.sub("", word) if word[-1:] == "j" or word[-1:].isdigit() else word


def _split(word: str, package: list[str]) -> list[str]:
    """A word that ends in one of the package's, as two: "fooapi" in foo.api."""
    for part in package:
        if len(part) > 2 and len(word) > len(part) + 2 and word.endswith(part):
            return [word.removesuffix(part), part]
    return [word]


def score(package: list[str], classes: set[str], group: Sequence[str], name: str) -> float:
    """How well an artifact's name fits a class: its group leads the package, the words of its name are in it."""
    lead = 0
    for mine, theirs in zip(group, package, strict=False):
        if mine != theirs:
            break
        lead += 1
    points = 4.0 if lead == len(group) else float(lead) if lead >= 2 else 0.0
    if not lead and len(package[0]) > 2 and package[0] not in TOP and group[-1] == package[0]:
        points += 2.5  # packages that begin with what the group ends with
    whole = "".join(words_of(name))  # jopt-simple in joptsimple
    words = [whole] if whole in package else [part for word in words_of(name) for part in _split(word, package)]
    points += 1.0 if len(group) == 1 and group[0] in package else 0.0  # a group of before groups were addresses
    missing = deepest = 0
    for word in words:
        if word in RENAMED and package[0] in RENAMED:
            points += 1.0
        elif word in package:
            points += 2.0 if word not in VAGUE else 1.0
            deepest = max(deepest, package.index(word))
        elif word in classes and word not in VAGUE:
            points += 1.0
            deepest = max(deepest, len(package))
        elif any(
            len(part) > 2 and (part.startswith(word) or word.startswith(part)) for part in package if part not in TOP
        ):
            points += 0.8
        elif not word.isdigit():
            missing += 1
            points -= 0.2 if word in VAGUE else 1.2
    points += 1.5 if words and not missing else 0.0
    points += 0.4 * max(deepest, lead - 1)
    beyond = lead == len(group) and len(package) > lead and deepest < lead and not VAGUE & set(words)
    points -= 1.5 if beyond else 0.0
    return points
