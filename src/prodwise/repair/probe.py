"""Runs a repository's tests with `inside/sitecustomize.py` beside them, and reads what it tells."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prodwise.model.errors import TargetError
from prodwise.ports.repair import Limits, Ran, Tree
from prodwise.repair.edits import Edit
from prodwise.repair.localise import Lines
from prodwise.repair.source import Unit

PLACE = ".prodwise-watch"
ANSWER_MOST = 64 << 20
CANNOT = 97
_RUN = f'PYTHONPATH="$PWD/{PLACE}${{PYTHONPATH:+:$PYTHONPATH}}" exec "$@"'
_ENV = {"PYTHONDONTWRITEBYTECODE": "1"}


@dataclass(frozen=True, slots=True)
class Test:
    """One test that ran, and the lines that it ran where that was asked."""

    name: str
    failed: bool
    lines: Lines = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Covered:
    """root: as the tests see it, "" when nothing was told."""

    ran: Ran
    root: str = ""
    tests: tuple[Test, ...] = ()
    loading: Lines = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tried:
    """codes: edit id → the exit code of the command with it, None when it was ended; only what was tried. ready: whether the
    tests could be reached by forks at all; broke: edit id → tests that failed with it, first one only."""

    ready: bool
    codes: Mapping[int, int | None]
    tests: Mapping[int, frozenset[str]]


class Probe:
    """One tree, in which files are exchanged between runs and put back."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.place = tree.root / PLACE
        self.place.mkdir(exist_ok=True)
        self.place.chmod(0o777)
        for name in ("sitecustomize.py", "prodwise_watch.py"):
            shutil.copy(Path(__file__).parent / "inside" / name, self.place / name)

    def close(self) -> None:
        shutil.rmtree(self.place, ignore_errors=True)

    def plain(self, command: Sequence[str], edit: Edit | None, seconds: float) -> Ran:
        """The command by itself, in a fresh process, with an edit or without."""
        limits = Limits(seconds=seconds, cpu_s=seconds)
        if edit is None:
            return self.tree.run(command, limits, _ENV)
        with self._edited(edit):
            return self.tree.run(command, limits, _ENV)

    @contextmanager
    def _edited(self, edit: Edit) -> Iterator[None]:
        path = self.tree.root / edit.path
        old = read_text(_own(path, self.tree.root))
        write_text(path, edit.applied(old))
        try:
            yield
        finally:
            write_text(_own(path, self.tree.root), old)

    def cover(self, command: Sequence[str], only: Sequence[str] | None, seconds: float, each: float = 10.0,
              edit: Edit | None = None) -> Covered:  # fmt: skip
        """Outcomes, and lines in the files of `only` (None: all below the root; empty: no lines). each: CPU seconds after which
        a test counts as hanging, and ends the run."""
        if edit is not None:
            with self._edited(edit):
                return self.cover(command, only, seconds, each)
        ran, rows = self._watch(
            command, {"mode": "cover", "only": None if only is None else list(only), "seconds": each}, seconds
        )
        root = next((str(row["root"]) for row in rows if "root" in row), "")
        loading = next((_lines(row["loading"]) for row in rows if "loading" in row), {})
        tests = tuple(
            Test(str(row["test"]), bool(row["failed"]), _lines(row["lines"])) for row in rows if "lines" in row
        )
        return Covered(ran, root, tests, loading)

    def attempt(self, command: Sequence[str], edits: Mapping[int, tuple[Edit, Unit | None]], known: Sequence[str],
                each: float, seconds: float) -> Tried:  # fmt: skip
        """Every edit in a fork of the collected tests. known: tests that may fail."""
        texts = {path: read_text(self.tree.root / path) for path in {edit.path for edit, _ in edits.values()}}
        tries = [[at, edit.path, _unit(unit), edit.start, edit.end, edit.new] for at, (edit, unit) in edits.items()]
        plan = {"mode": "try", "known": list(known), "seconds": each, "total": max(1.0, seconds - 2), "edits": tries}
        try:
            _, rows = self._watch(command, plan, seconds)
        finally:
            for path, text in texts.items():
                write_text(_own(self.tree.root / path, self.tree.root), text)
        codes = {int(row["id"]): row["code"] for row in rows if "code" in row}
        tests: dict[int, set[str]] = {}
        for row in rows:
            if "id" in row and "test" in row and not row["failed"]:
                tests.setdefault(int(row["id"]), set()).add(str(row["test"]))
        return Tried(any("ready" in row for row in rows), codes, {at: frozenset(names) for at, names in tests.items()})

    def _watch(
        self, command: Sequence[str], plan: Mapping[str, Any], seconds: float
    ) -> tuple[Ran, list[dict[str, Any]]]:
        _own(self.place / "plan.json", self.tree.root).write_text(json.dumps(plan))
        answer = self.place / "answer.jsonl"
        answer.unlink(missing_ok=True)
        env = {**_ENV, "PYTEST_PLUGINS": "prodwise_watch", "PYTEST_XDIST_AUTO_NUM_WORKERS": "1"}
        limits = Limits(seconds=seconds, cpu_s=seconds)
        ran = self.tree.run(("/bin/sh", "-c", _RUN, "sh", *command), limits, env)
        return ran, list(_rows(answer))


def _rows(answer: Path) -> list[dict[str, Any]]:
    """What can be read: the tests might have written here as well."""
    if not answer.is_file() or answer.is_symlink():
        return []
    rows: list[dict[str, Any]] = []
    with answer.open(errors="replace") as source:
        for line in source.read(ANSWER_MOST).splitlines():
            try:
                row = json.loads(line)
            except ValueError:
                continue
            if isinstance(row, dict):
                rows.append(row)
    return rows


def _lines(data: Mapping[str, Sequence[int]]) -> Lines:
    return {path: frozenset(lines) for path, lines in data.items()}


def _unit(unit: Unit | None) -> list[Any] | None:
    return None if unit is None else [unit.first, unit.last, [list(one) for one in unit.classes]]


def _own(path: Path, root: Path) -> Path:
    """The tests may have put a link where a file was. Raises TargetError."""
    if path.is_symlink() or not path.resolve().is_relative_to(root.resolve()):
        raise TargetError(f"{path.name} leads out of the checkout.")
    return path


def read_text(path: Path) -> str:
    """With its own line endings. Raises ValueError for what is not UTF-8, OSError for what cannot be read."""
    with path.open(encoding="utf-8", newline="") as source:
        return source.read()


def write_text(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8", newline="") as out:
        out.write(text)
