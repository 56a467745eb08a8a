"""Runs a repository's tests with `inside/sitecustomize.py` beside them, and reads what it tells."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, astuple, dataclass, field
from pathlib import Path
from typing import Any

from prodwise.model.errors import TargetError
from prodwise.ports.repair import Limits, Ran, Tree
from prodwise.repair.edits import Edit
from prodwise.repair.localise import Lines
from prodwise.repair.source import Unit
from prodwise.repair.values import Call, read
from prodwise.repair.whole import Whole

PLACE = ".prodwise-watch"
INSIDE = ("sitecustomize.py", "prodwise_watch.py", "prodwise_forks.py", "prodwise_modules.py", "prodwise_compare.py",
          "prodwise_questions.py", "prodwise_values.py", "prodwise_differs.py", "prodwise_limits.py", "prodwise_asks.py",
          "prodwise_places.py", "prodwise_code.py", "prodwise_alone.py")  # fmt: skip
ANSWERS = "answer.jsonl"
BEST = "best"
"""The score of what passed in another lane, told while a run goes on."""
ANSWER_MOST = 64 << 20
CANNOT = 97
NEARLY = 96
HANG_ASKED_S = 4.0
"""Of processor time, after which a test in which questions are asked counts as hanging."""
_RUN = f'PYTHONPATH="$PWD/{PLACE}${{PYTHONPATH:+:$PYTHONPATH}}" exec "$@"'
_ENV = {"PYTHONDONTWRITEBYTECODE": "1"}
_LEAN = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


@dataclass(frozen=True, slots=True)
class Test:
    """One test that ran, and the lines that it ran where that was asked. cpu: seconds of processor time that it
    took then, wall: of the clock; error: the type of what it raised, "" where that is not known."""

    name: str
    failed: bool
    lines: Lines = field(default_factory=dict)
    cpu: float = 0.0
    wall: float = 0.0
    error: str = ""
    calls: tuple[Call, ...] = ()


@dataclass(frozen=True, slots=True)
class Covered:
    """root: as the tests see it, "" when nothing was told."""

    ran: Ran
    root: str = ""
    tests: tuple[Test, ...] = ()
    loading: Lines = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tried:
    """codes: edit id → 0 when all tests that must pass did, NEARLY when those that failed do and others no longer, CANNOT when a fork
    cannot take the edit, None when it was ended; only what was tried. ready: whether the tests could be reached by forks at all."""

    ready: bool
    codes: Mapping[int, int | None]


@dataclass(frozen=True, slots=True)
class Try:
    """One edit. whole: the expression whose value tells whether it is worth a try now; None where that is not asked."""

    edit: Edit
    unit: Unit | None
    score: float
    whole: Whole | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Lines where questions could be asked."""

    path: str
    first: int
    last: int
    questions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Visit:
    """A test came past a place. answers: one character for each of its questions, "1" yes, "0" no, "?" where it cannot be asked."""

    test: str
    answers: str


@dataclass(frozen=True, slots=True)
class Compared:
    """own: how many of the questions, the first ones, are the tests' own calls; answers: edit id → its answers; -1: the base."""

    own: int
    answers: Mapping[int, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Trial:
    """What a try of many edits asks. first: tests in the order in which they are run before all others; must: those that have to
    pass, known: those that may fail; each: seconds of processor time for one edit, quick: for a first look at it; margin: how much
    worse than the best that passes is still tried; look: so many are tried in any case; most: after so many that pass it ends;
    enough: after this part of the time it ends where one has passed; error: the type with which the check fails, "" where it is
    not known; idle: seconds for which it may wait."""

    first: Sequence[str]
    must: Sequence[str]
    known: Sequence[str]
    each: float
    quick: float = 3.0
    margin: float = 1e9
    look: int = 0
    most: int = 1_000_000
    enough: float = 1.0
    error: str = ""
    idle: float = 1e9


class Probe:
    """One tree, in which files are exchanged between runs and put back."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.lean = False
        """Whether tries leave pytest's installed plugins out, where the tests need none of them: they take longer than the tests."""
        self.env: Mapping[str, str] = {}
        """What the command itself sets for its program."""
        self.place = tree.root / PLACE
        self.place.mkdir(exist_ok=True)
        self.place.chmod(0o777)
        for name in INSIDE:
            shutil.copy(Path(__file__).parent / "inside" / name, self.place / name)
        self._beside: dict[str, str] = {}

    def put(self, name: str, text: str) -> None:
        """A file beside the tests, which they can import."""
        self._beside[name] = text
        (self.place / name).write_text(text, encoding="utf-8")

    def again(self, tree: Tree) -> Probe:
        """One like this in another tree."""
        other = Probe(tree)
        other.env, other.lean = self.env, self.lean
        for name, text in self._beside.items():
            other.put(name, text)
        return other

    def close(self) -> None:
        shutil.rmtree(self.place, ignore_errors=True)

    def plain(self, command: Sequence[str], edit: Edit | None, seconds: float, lean: bool = False) -> Ran:
        """The command by itself, in a fresh process, with an edit or without."""
        limits = Limits(seconds=seconds, cpu_s=seconds)
        env = {**self.env, **_ENV, **(_LEAN if lean and self.lean else {})}
        if edit is None:
            return self.tree.run(command, limits, env)
        with self._edited(edit):
            return self.tree.run(command, limits, env)

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
            Test(
                str(row["test"]),
                bool(row["failed"]),
                _lines(row["lines"]),
                float(row.get("cpu", 0)),
                float(row.get("wall", 0)),
                str(row.get("error", "")),
                read(row.get("calls", ())),
            )
            for row in rows
            if "lines" in row
        )
        return Covered(ran, root, tests, loading)

    def attempt(self, command: Sequence[str], edits: Mapping[int, Try], trial: Trial,
                seconds: float) -> Tried:  # fmt: skip
        """Edits with their scores, in order, each in a fork of the collected tests; for `seconds` where none passes."""
        plan = {
            "mode": "try",
            **asdict(trial),
            "seconds": trial.each,
            "total": max(1.0, trial.enough * seconds - 2),
            "last": max(1.0, seconds - 2),
            "edits": _rows_of(edits),
        }
        rows = self._kept(command, edits, plan, seconds)
        codes = {int(row["id"]): row["code"] for row in rows if "code" in row}
        return Tried(any("ready" in row for row in rows), codes)

    def compare(self, command: Sequence[str], edits: Mapping[int, Try], seconds: float) -> Compared:
        """What each edit answers to the tests' own calls and others like them, in the same order for all."""
        plan = {"mode": "compare", "edits": _rows_of(edits), "seconds": 3.0, "record": 5.0, "total": 0.6 * seconds}
        rows = self._kept(command, edits, plan, seconds)
        told = [row for row in rows if "answers" in row]
        answers = {int(row["id"]): tuple(map(str, row["answers"])) for row in told}
        return Compared(max((int(row.get("own", 0)) for row in told), default=0), answers)

    def ask(self, command: Sequence[str], places: Sequence[Place], failing: Sequence[str],
            seconds: float) -> list[list[Visit]]:  # fmt: skip
        """For each place how its questions are answered, in order, the first few times that each test comes past it."""
        rows = [[one.path, one.first, one.last, list(one.questions)] for one in places]
        plan = {"mode": "ask", "places": rows, "first": list(failing), "last": 0.8 * seconds, "seconds": HANG_ASKED_S}
        found: list[list[Visit]] = [[] for _ in places]
        for row in self._watch(command, plan, seconds)[1]:
            at, answers = row.get("place"), str(row.get("answers", ""))
            if isinstance(at, int) and 0 <= at < len(places) and len(answers) == len(places[at].questions):
                found[at].append(Visit(str(row.get("test", "")), answers))
        return found

    def _kept(self, command: Sequence[str], edits: Mapping[int, Try], plan: Mapping[str, Any],
              seconds: float) -> list[dict[str, Any]]:  # fmt: skip
        """Runs a plan that exchanges files, and puts them back."""
        texts = {path: read_text(self.tree.root / path) for path in {one.edit.path for one in edits.values()}}
        try:
            return self._watch(command, plan, seconds)[1]
        finally:
            for path, text in texts.items():
                write_text(_own(self.tree.root / path, self.tree.root), text)

    def _watch(
        self, command: Sequence[str], plan: Mapping[str, Any], seconds: float
    ) -> tuple[Ran, list[dict[str, Any]]]:
        _own(self.place / "plan.json", self.tree.root).write_text(json.dumps(plan))
        answer = self.place / ANSWERS
        answer.unlink(missing_ok=True)
        env = {**self.env, **_ENV, "PYTEST_PLUGINS": "prodwise_watch", "PYTEST_XDIST_AUTO_NUM_WORKERS": "1"}
        if self.lean:
            env |= _LEAN
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


def _rows_of(edits: Mapping[int, Try]) -> list[list[Any]]:
    return [
        [at, one.edit.path, _unit(one.unit), one.edit.start, one.edit.end, one.edit.new, one.score, _whole(one.whole)]
        for at, one in edits.items()
    ]


def _lines(data: Mapping[str, Sequence[int]]) -> Lines:
    return {path: frozenset(lines) for path, lines in data.items()}


def _unit(unit: Unit | None) -> list[Any] | None:
    return None if unit is None else [unit.first, unit.last, [list(one) for one in unit.classes]]


def _whole(whole: Whole | None) -> list[Any] | None:
    return None if whole is None else list(astuple(whole))


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
