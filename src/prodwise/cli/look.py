"""Reading an app's folder, carefully: bounded, no links followed, nothing hidden, nothing executed."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

FILES_MAX, SIZE_MAX, DEPTH_MAX = 2_000, 256 * 1024, 6
SKIPPED = {"node_modules", "venv", "env", "site-packages", "__pycache__", "dist", "build", "vendor", "target"}
SOURCES = (".py", ".js", ".ts", ".mjs", ".cjs", ".rb", ".go", ".php")


@dataclass(frozen=True, slots=True)
class Found:
    """One line of the plan. key: what it is about; source: where it came from."""

    key: str
    value: str
    source: str


@dataclass(frozen=True, slots=True)
class FoundService:
    name: str
    kind: str  # web or worker
    command: str
    source: str
    probe: str = ""
    probe_source: str = ""
    note: str = ""


@dataclass(frozen=True)
class Folder:
    """An app's folder."""

    path: Path

    def has(self, name: str) -> bool:
        return (self.path / name).is_file()

    def text(self, name: str) -> str:
        """A file's beginning; "" when it is missing or not text."""
        try:
            with (self.path / name).open("rb") as file:
                return file.read(SIZE_MAX).decode("utf-8", "replace")
        except OSError:
            return ""

    @cached_property
    def files(self) -> tuple[str, ...]:
        """Relative paths, the shallow ones first."""
        found: list[str] = []
        for root, folders, names in os.walk(self.path):
            inside = Path(root).relative_to(self.path)
            folders[:] = sorted(
                name for name in folders
                if not name.startswith(".") and name not in SKIPPED and len(inside.parts) < DEPTH_MAX
                and not (Path(root) / name / "pyvenv.cfg").exists()
            )  # fmt: skip
            found += [str(inside / name) for name in sorted(names) if not (Path(root) / name).is_symlink()]
            if len(found) > FILES_MAX:
                break
        return tuple(sorted(found[:FILES_MAX], key=lambda name: (name.count("/"), _is_test(name), name)))

    @cached_property
    def sources(self) -> tuple[tuple[str, str], ...]:
        """(path, text) of source files, tests last."""
        return tuple((name, self.text(name)) for name in self.files if name.endswith(SOURCES) and not _is_test(name))

    def grep(self, pattern: str, suffixes: tuple[str, ...] = SOURCES) -> Iterator[tuple[str, int, re.Match[str]]]:
        """(path, line number, match) in source files."""
        compiled = re.compile(pattern)
        for name, text in self.sources:
            if name.endswith(suffixes):
                for number, line in enumerate(text.splitlines(), 1):
                    if len(line) < 1000 and (match := compiled.search(line)):
                        yield name, number, match

    @cached_property
    def dependencies(self) -> dict[str, str]:
        """Python package name (lower case) → the file that asks for it."""
        found: dict[str, str] = {}
        for name in ("requirements.txt", "requirements/base.txt", "requirements/production.txt", "requirements.in"):
            for line in self.text(name).splitlines():
                if match := re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)", line):
                    found.setdefault(match[1].lower().replace("_", "-"), name)
        for entry in _pyproject_dependencies(self.text("pyproject.toml")):
            if match := re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)", entry):
                found.setdefault(match[1].lower().replace("_", "-"), "pyproject.toml")
        return found

    def git(self, *arguments: str) -> str | None:
        """What git says; None when it cannot."""
        try:
            done = subprocess.run(
                ["git", "-C", str(self.path), *arguments], capture_output=True, text=True, timeout=10, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.strip() if done.returncode == 0 else None


def _is_test(name: str) -> bool:
    return bool(re.search(r"(^|/)(tests?|spec|examples|docs|migrations)/|(^|/)(test_|conftest)", name))


def _pyproject_dependencies(text: str) -> list[str]:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return []
    project, poetry = data.get("project", {}), data.get("tool", {}).get("poetry", {})
    listed = project.get("dependencies", []) if isinstance(project, dict) else []
    named = poetry.get("dependencies", {}) if isinstance(poetry, dict) else {}
    return [str(entry) for entry in listed if isinstance(listed, list)] + [str(name) for name in named]


def module_of(path: str) -> tuple[str, str]:
    """(module, folder that it is imported from). "shop/app.py" → ("shop.app", ""); "src/shop/__init__.py" → ("shop", "src")."""
    parts = list(Path(path).with_suffix("").parts)
    root = parts.pop(0) if len(parts) > 1 and parts[0] == "src" else ""
    if parts[-1] == "__init__" and len(parts) > 1:
        parts.pop()
    return ".".join(parts), root
