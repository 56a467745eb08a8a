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


_TITLES = (
    "Tidy up",
    "Small cleanup",
    "Improve docs",
    "Refactor",
    "wip",
    "fix lint",
    "Address review comments",
    "Minor changes",
)
_PREFIX = ("load", "find", "count", "format", "merge", "clean", "parse", "pick")
_NOUN = ("report", "label", "batch", "banner", "badge", "digest", "slot", "ticket")


def anywhere(language: str) -> tuple[Harmless, ...]:
    """Changes that any project sees: documents, tests, comments, logging, helpers, another layout."""
    suffix = ".py" if language == "python" else ".js"
    note = "#" if language == "python" else "//"

    def sources(files: Files) -> list[str]:
        return sorted(path for path in files if path.endswith(suffix) and not path.startswith(("test", "run.")))

    def readme(files: Files, random: Random) -> Files:
        line = f"- {random.choice(_PREFIX)} the {random.choice(_NOUN)} ({random.randrange(1000)})\n"
        return {**files, "README.md": files.get("README.md", "# Notes\n") + line}

    def tests(files: Files, random: Random) -> Files:
        name = f"{random.choice(_PREFIX)}_{random.choice(_NOUN)}_{random.randrange(1000)}"
        path = f"tests/test_{name}.py" if suffix == ".py" else f"tests/{name}.test.js"
        body = (
            f"def test_{name}():\n    assert '{name}'\n"
            if suffix == ".py"
            else f'test("{name}", () => {{\n  expect("{name}");\n}});\n'
        )
        return {**files, path: body}

    def remark(files: Files, random: Random) -> Files | None:
        path = random.choice(sources(files))
        return _after_a_head(
            files, path, f"{note} {random.choice(_PREFIX)}s the {random.choice(_NOUN)}, see the wiki", random
        )

    def log(files: Files, random: Random) -> Files | None:
        path = random.choice(sources(files))
        what = f"{random.choice(_PREFIX)} {random.choice(_NOUN)}"
        line = (
            f'log.debug("{what} %d", {random.randrange(100)})'
            if suffix == ".py"
            else f'log("{what}", {random.randrange(100)});'
        )
        return _after_a_head(files, path, line, random) if "log" in files[path] else None

    def helper(files: Files, random: Random) -> Files:
        path = random.choice(sources(files))
        verb, noun, count = random.choice(_PREFIX), random.choice(_NOUN), random.randrange(2, 100)
        if suffix == ".py":
            body = f"\n\ndef {verb}_{noun}_{count}(rows):\n    kept = [row for row in rows if row]\n    return kept[:{count}]\n"
        else:
            inside = f"  const kept = rows.filter(Boolean);\n  return kept.slice(0, {count});\n"
            body = f"\nfunction {verb}{noun.title()}{count}(rows) {{\n{inside}}}\n"
        return {**files, path: files[path].rstrip("\n") + "\n" + body}

    def quotes(files: Files, random: Random) -> Files:
        path = random.choice(sources(files))
        text = (
            re.sub(r'"([\w /.:-]*)"', r"'\1'", files[path])
            if '"' in files[path]
            else re.sub(r"'([\w /.:-]*)'", r'"\1"', files[path])
        )
        return {**files, path: text}

    def both_ways(files: Files, random: Random) -> Files | None:
        first = helper(files, random)
        return log(first, random)

    plain = ((readme, 2), (tests, 2), (remark, 2), (log, 3), (helper, 3), (quotes, 1), (both_ways, 2))
    return tuple(Harmless(title, edit) for edit, many in plain for title in _TITLES[:many])


def _after_a_head(files: Files, path: str, line: str, random: Random) -> Files | None:
    """The line as the first one of some function."""
    lines = files[path].split("\n")
    head = re.compile(r"^\s*(?:async )?def .*:$" if path.endswith(".py") else r"^\s*(?:async )?function .*\{$")
    found = [at for at, text in enumerate(lines) if head.match(text)]
    if not found:
        return None
    at = random.choice(found)
    indent = len(lines[at]) - len(lines[at].lstrip()) + (4 if path.endswith(".py") else 2)
    return {**files, path: "\n".join([*lines[: at + 1], " " * indent + line, *lines[at + 1 :]])}
