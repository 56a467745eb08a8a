"""What a project, its faults and its harmless changes are, and the edits that they are made of."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Literal

Files = dict[str, str]
Edit = Callable[[Files, Random], Files | None]
"""The files after the edit; None where it does not apply."""


@dataclass(frozen=True)
class Fault:
    """route: the request that fails once it is in."""

    name: str
    title: str
    route: str
    edit: Edit


@dataclass(frozen=True)
class Harmless:
    """A change after which everything still works."""

    title: str
    edit: Edit


@dataclass(frozen=True)
class Project:
    """language: how it is run. packages: "name version" → its only file's text. patterns: request → its route."""

    name: str
    language: Literal["python", "javascript"]
    files: Mapping[str, str]
    faults: tuple[Fault, ...]
    harmless: tuple[Harmless, ...]
    packages: Mapping[str, str] = field(default_factory=dict)
    patterns: Mapping[str, str] = field(default_factory=dict)


def swap(*pairs: tuple[str, str]) -> Edit:
    """Each text, which must stand exactly once in the whole project, becomes the other."""

    def edit(files: Files, _: Random) -> Files | None:
        files = dict(files)
        for old, new in pairs:
            holding = [path for path, text in files.items() if text.count(old) == 1]
            if len(holding) != 1:
                return None
            files[holding[0]] = files[holding[0]].replace(old, new)
        return files

    return edit


def every(old: str, new: str, inside: str = "") -> Edit:
    """Every word `old` of the files whose path holds `inside`."""

    def edit(files: Files, _: Random) -> Files | None:
        pattern = re.compile(rf"\b{re.escape(old)}\b")
        if not any(pattern.search(text) for path, text in files.items() if inside in path):
            return None
        return {path: pattern.sub(new, text) if inside in path else text for path, text in files.items()}

    return edit


def append(path_end: str, text: str) -> Edit:
    def edit(files: Files, _: Random) -> Files | None:
        found = [path for path in files if path.endswith(path_end)]
        return {**files, found[0]: files[found[0]] + text} if found and text not in files[found[0]] else None

    return edit


def create(path: str, text: str) -> Edit:
    return lambda files, _: {**files, path: text} if path not in files else None


def remove(path: str) -> Edit:
    return lambda files, _: {at: text for at, text in files.items() if at != path} if path in files else None


def rename(old: str, new: str, *words: tuple[str, str]) -> Edit:
    """Moves a file, and what names it elsewhere."""

    def edit(files: Files, _: Random) -> Files | None:
        if old not in files or new in files:
            return None
        moved = {new if path == old else path: text for path, text in files.items()}
        for was, now in words:
            moved = {path: text.replace(was, now) for path, text in moved.items()}
        return moved

    return edit


def move(start: str, end: str, target: str, *pairs: tuple[str, str]) -> Edit:
    """Cuts the text from `start` up to before `end` out of its file, appends it to another, and mends what used it."""

    def edit(files: Files, random: Random) -> Files | None:
        holding = [path for path, text in files.items() if start in text and path != target]
        if len(holding) != 1 or target not in files or files[holding[0]].count(start) != 1:
            return None
        text = files[holding[0]]
        begin = text.index(start)
        stop = text.find(end, begin + len(start)) if end else len(text)
        if stop < 0:
            return None
        block = text[begin:stop].rstrip() + "\n"
        moved = dict(files)
        moved[holding[0]] = text[:begin] + text[stop:]
        moved[target] = files[target].rstrip() + "\n\n\n" + block
        return both(swap(*pairs))(moved, random) if pairs else moved

    return edit


def both(*edits: Edit) -> Edit:
    def edit(files: Files, random: Random) -> Files | None:
        found: Files | None = files
        for one in edits:
            found = one(found, random) if found is not None else None
        return found

    return edit
