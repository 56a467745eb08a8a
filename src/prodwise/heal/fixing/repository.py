"""What a repository holds, read from a tree in which nothing has run yet. Links are never followed."""

from __future__ import annotations

import ast
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from prodwise.loop.verify.nearby import around, reached
from prodwise.loop.verify.patch import Scene
from prodwise.loop.verify.patch.protected import is_lock, is_manifest, is_test, marks, packages_of
from prodwise.model.diff import FileDiff
from prodwise.model.patch import Fault

PATHS_MAX: Final = 20_000
TEXT_MAX: Final = 400_000
IMPORTS_READ_MAX: Final = 400
_NAME = re.compile(
    r"^\s*(?:name\s*=\s*)?[\"']?([A-Za-z0-9][\w.-]{1,80})[\"']?(?=\s*(?:$|[=<>~!;\[\"',@:]))", re.MULTILINE
)


@dataclass
class Repository:
    """paths: files of the tree; links: symbolic links → where they point. Read once, as long as the tree stands."""

    root: Path
    paths: frozenset[str] = frozenset()
    links: dict[str, str] = field(default_factory=dict)
    _texts: dict[str, str | None] = field(default_factory=dict)
    _known: frozenset[str] | None = None
    _reached: dict[frozenset[str], tuple[frozenset[str], bool]] = field(default_factory=dict)

    @classmethod
    def of(cls, root: Path) -> Repository:
        one, found = cls(root), list[str]()
        waiting = [""]
        while waiting and len(found) < PATHS_MAX:
            folder = waiting.pop()
            with os.scandir(root / folder) as entries:
                for entry in sorted(entries, key=lambda entry: entry.name):
                    path = f"{folder}{entry.name}"
                    if entry.is_symlink():
                        one.links[path] = os.readlink(entry.path)
                    elif entry.is_dir(follow_symlinks=False):
                        waiting += [] if entry.name == ".git" else [f"{path}/"]
                    elif entry.is_file(follow_symlinks=False):
                        found.append(path)
        one.paths = frozenset(found)
        return one

    def text(self, path: str) -> str | None:
        """None for what is no UTF-8 text of the repository, or too long."""
        if path not in self._texts:
            self._texts[path] = _read(self.root / path) if path in self.paths else None
        return self._texts[path]

    def scene(self, files: tuple[FileDiff, ...], fault: Fault) -> Scene:
        names = {name for file in files for name in file.names}
        texts = {name: text for name in names if (text := self.text(name)) is not None}
        made = packages_of(marks(names) & self.paths)
        return Scene(texts, self.links, self._near(frozenset(names), fault), self.known(), packages=made)

    def _near(self, names: frozenset[str], fault: Fault) -> frozenset[str] | None:
        """As `near`, but what a fault's files lead to is read as far as needed, and once for all proposals."""
        seeds = frozenset(seed for seed in self.seeds(fault) if seed in self.paths)
        if not seeds:
            return None
        there, whole = self._reached.get(seeds, (frozenset(), False))
        if not whole and not names <= there:
            there = reached(seeds, self.paths, self.text, names)
            self._reached[seeds] = (there, not names <= there)
        return around(names, seeds, there, self.paths, self.text)

    def seeds(self, fault: Fault) -> Iterator[str]:
        """Files that the failure names: frames, its output, its command; all tests where it names none."""
        named = [frame.file for frame in fault.frames]
        named += re.findall(r"[\w./-]+\.\w{1,5}\b", " ".join((*fault.command, fault.output)))
        found = list(dict.fromkeys(path for name in named if (path := self.inside(name))))
        for word in re.findall(r"[\w.]{3,200}", " ".join(fault.command)):
            found += [path for path in (f"{word.replace('.', '/')}.py",) if path in self.paths]
        yield from found or sorted(
            path for path in self.paths if is_test(path) and path.endswith((".py", ".js", ".ts"))
        )

    def inside(self, name: str) -> str:
        """A file of the repository that a path from some machine means, "" for none."""
        parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]
        for at in range(len(parts)):
            if (path := "/".join(parts[at:])) in self.paths:
                return path
        return ""

    def known(self) -> frozenset[str]:
        """Packages that are imported or locked here, by the name that code imports them by."""
        if self._known is None:
            found = set[str]()
            for path in sorted(self.paths):
                if is_manifest(path) or is_lock(path):
                    names = _NAME.findall(self.text(path) or "")
                    found |= {name.lower().replace("-", "_").replace(".", "_") for name in names}
            code = sorted(
                (path for path in self.paths if path.endswith(".py") and not is_test(path)), key=lambda p: p.count("/")
            )
            for path in code[:IMPORTS_READ_MAX]:
                found |= set(_imports(self.text(path) or ""))
            found |= {path.split("/")[0].removesuffix(".py") for path in self.paths if path.endswith(".py")}
            self._known = frozenset(found)
        return self._known


def _imports(text: str) -> Iterator[str]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module.split(".")[0]


def _read(place: Path) -> str | None:
    try:
        descriptor = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with open(descriptor, "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode) or found.st_size > TEXT_MAX:
            return None
        content = file.read(TEXT_MAX + 1)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text
