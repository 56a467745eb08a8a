"""Reverts on real histories: whole, in part, explained; and the guilty commit found by running the command in the sandbox."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from prodwise.loop.choose.reverts import Span, after, changed
from prodwise.model.action import ActionKind
from prodwise.model.errors import Refused, TargetError, UsageError
from prodwise.model.event import Frame
from prodwise.model.patch import Fault, Proposal
from prodwise.ports.repair import Limits, Ran
from prodwise.repair.revert import only, revert
from prodwise.repair.reverts import RevertRepairer
from prodwise.repair.scratch import put, scratch
from prodwise.sandbox import jail
from prodwise.sandbox.workshop import SandboxTree, Workshop
from tests.repair.repos import commit, git, new

CODE = "".join(f"line {n}\n" for n in range(1, 21))


def line(text: str, number: int, said: str) -> str:
    rows = text.splitlines()
    rows[number - 1] = said
    return "\n".join(rows) + "\n"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    place = new(tmp_path / "app")
    commit(place, {"a.py": CODE, "b.py": CODE}, "first")
    return place


def test_a_commit_goes_back_whole_and_later_work_stays(repo: Path) -> None:
    bad = commit(repo, {"a.py": line(CODE, 5, "bad"), "new.py": "x\n"}, "break it")
    commit(repo, {"a.py": line(line(CODE, 5, "bad"), 15, "later")}, "work")
    before = git(repo, "count-objects", "-v")
    with scratch(repo) as made:
        found = revert(made, made.head, made.commit(bad[:8]))
        assert git(repo, "count-objects", "-v") == before
        put(made, found.diff)
    assert found.whole
    assert found.title == "break it"
    assert (repo / "a.py").read_text() == line(CODE, 15, "later")
    assert not (repo / "new.py").exists()


def test_what_clashes_is_explained_by_the_commit_that_changed_the_same_lines(repo: Path) -> None:
    bad = commit(repo, {"a.py": line(line(CODE, 5, "bad"), 12, "bad too"), "b.py": line(CODE, 3, "bad")}, "break it")
    now = (repo / "a.py").read_text()
    commit(repo, {"a.py": "above\n" + now}, "only moves it")
    now = (repo / "a.py").read_text()
    later = commit(repo, {"a.py": line(now, 6, "later")}, "rework")
    commit(repo, {"README": "x"}, "beside")
    with scratch(repo) as made:
        found = revert(made, made.head, bad)
        put(made, found.diff)
    assert not found.whole
    assert [(one.path, one.by, one.title) for one in found.clashes] == [("a.py", later, "rework")]
    assert (repo / "b.py").read_text() == CODE
    assert (repo / "a.py").read_text() == "above\n" + line(CODE, 5, "later")
    assert only(found, ["b.py"]).paths == ("b.py",)
    assert only(found, ["b.py"]).diff.count("diff --git") == 1
    assert only(found, ["elsewhere.py"]) == found


def test_a_clash_in_what_is_no_text_keeps_the_file_as_it_is(repo: Path) -> None:
    (repo / "logo.png").write_bytes(b"\x00old")
    commit(repo, {})
    (repo / "logo.png").write_bytes(b"\x00bad")
    bad = commit(repo, {"b.py": line(CODE, 3, "bad"), "gone.py": "x\n"}, "break it")
    (repo / "logo.png").write_bytes(b"\x00later")
    commit(repo, {"gone.py": "y\n"}, "rework")
    with scratch(repo) as made:
        found = revert(made, made.head, bad)
    assert {one.path for one in found.clashes} == {"logo.png", "gone.py"}
    assert found.paths == ("b.py",)


def test_text_that_is_not_utf_8_is_not_written_back_as_another_text(repo: Path) -> None:
    (repo / "latin.txt").write_bytes("caf\xe9\n".encode("latin-1"))
    commit(repo, {})
    (repo / "latin.txt").write_text("cafe\n")
    bad = commit(repo, {}, "spell it")
    with scratch(repo) as made, pytest.raises(TargetError, match="UTF-8"):
        revert(made, made.head, bad)


def test_a_merge_goes_back_to_the_parent_that_is_kept(repo: Path) -> None:
    git(repo, "checkout", "-q", "-b", "side")
    commit(repo, {"a.py": line(CODE, 5, "side")}, "side work")
    git(repo, "checkout", "-q", "main")
    commit(repo, {"b.py": line(CODE, 5, "main")}, "main work")
    git(repo, "merge", "-q", "--no-ff", "-m", "merge side", "side")
    with scratch(repo) as made:
        found, other = (revert(made, made.head, made.head, mainline) for mainline in (1, 2))
        with pytest.raises(UsageError, match="no parent number 3"):
            revert(made, made.head, made.head, 3)
    assert (found.merge, found.paths, other.paths) == (True, ("a.py",), ("b.py",))


def test_migrations_and_locks_are_said(repo: Path) -> None:
    files = {
        "app/migrations/0002_x.py": "from django.db import migrations\n",
        "requirements.txt": "six==1\n",
        "a.py": "x\n",
    }
    bad = commit(repo, files, "more than code")
    with scratch(repo) as made:
        told = revert(made, made.head, bad).cautions
    assert [one.partition(" (")[0] for one in told] == ["it holds migrations", "it changes what is installed"]
    assert list(RevertRepairer(repo).propose(Fault((), suspects=(bad,)), Unused(), bad, 10.0)) == []


def test_a_merge_that_changed_the_lines_since_is_named(repo: Path) -> None:
    bad = commit(repo, {"a.py": line(CODE, 5, "bad")}, "break it")
    git(repo, "checkout", "-q", "-b", "side")
    commit(repo, {"a.py": line(CODE, 5, "side")}, "side work")
    git(repo, "checkout", "-q", "main")
    commit(repo, {"b.py": line(CODE, 5, "main")}, "main work")
    git(repo, "merge", "-q", "--no-ff", "-m", "merge side", "side")
    with scratch(repo) as made:
        found = revert(made, made.head, bad)
        texts = [text for _, text in made.history("a.py", 10)]
    assert [(one.path, one.lines, one.title) for one in found.clashes] == [("a.py", "5", "merge side")]
    assert texts == [line(CODE, 5, "side"), line(CODE, 5, "bad"), CODE]


def test_what_is_no_part_of_it_or_gone_already_is_said(repo: Path) -> None:
    first = git(repo, "rev-parse", "HEAD")
    bad = commit(repo, {"a.py": line(CODE, 5, "bad")}, "break it")
    commit(repo, {"a.py": CODE}, "mend it")
    with scratch(repo) as made:
        with pytest.raises(Refused, match="nothing of"):
            revert(made, made.head, bad)
        with pytest.raises(UsageError, match="not part of"):
            revert(made, first, bad)
        with pytest.raises(UsageError, match="no parent"):
            revert(made, made.head, first)
        with pytest.raises(UsageError, match="no commit"):
            made.commit("--all")


def test_lines_are_followed_through_later_changes() -> None:
    hunks = changed("@@ -2,0 +3,2 @@\n+x\n+y\n@@ -10 +12 @@\n-a\n+b\n@@ -20,3 +21,0 @@\n")
    assert hunks == [(Span(3, 0), Span(3, 2)), (Span(10, 1), Span(12, 1)), (Span(20, 3), Span(22, 0))]
    kept, hit = after([Span(1, 1), Span(6, 2), Span(10, 1), Span(30, 1)], hunks)
    assert kept == [Span(1, 1), Span(8, 2), Span(29, 1)]
    assert hit == [Span(10, 1)]


class Unused:
    """For a repairer that is to run nothing."""

    def fresh(self, commit: str) -> object:
        raise AssertionError("nothing is to be run")

    def history(self, path: str, most: int) -> list[tuple[str, str]]:
        raise AssertionError("nothing is to be asked")


@dataclass
class Counting:
    """The real workshop; remembers where something was run."""

    inner: Workshop
    ran: list[str] = field(default_factory=list)

    @contextmanager
    def fresh(self, commit: str) -> Iterator[Tree]:
        with self.inner.fresh(commit) as tree:
            yield Tree(tree, commit, self.ran)

    def history(self, path: str, most: int) -> Sequence[tuple[str, str]]:
        return self.inner.history(path, most)


@dataclass
class Tree:
    inner: SandboxTree
    commit: str
    ran: list[str]

    @property
    def root(self) -> Path:
        return self.inner.root

    def apply(self, diff: str) -> None:
        self.inner.apply(diff)

    def diff(self) -> str:
        return self.inner.diff()

    def run(self, command: Sequence[str], limits: Limits, env: Mapping[str, str] | None = None) -> Ran:
        self.ran.append(self.commit)
        return self.inner.run(command, limits, env)


CHECK = "import price\nassert price.total(2) == 4, 'wrong total'\n"


def history(repo: Path, many: int, guilty: int) -> list[str]:
    """Commits that each change a file of their own; one also breaks the price."""
    commit(repo, {"price.py": "def total(n):\n    return n * 2\n", "check.py": CHECK}, "a price")
    found = []
    for number in range(many):
        files: dict[str, str | None] = {f"part{number}.py": f"x = {number}\n"}
        if number == guilty:
            files["price.py"] = "def total(n):\n    return n * 3\n"
        found.append(commit(repo, files, f"change {number}"))
    return found


@pytest.mark.parametrize("guilty", [0, 5, 12])
def test_the_guilty_commit_is_found_by_running_the_command_in_the_sandbox(repo: Path, guilty: int) -> None:
    commits = history(repo, 13, guilty)
    command = (sys.executable, "check.py")
    fault = Fault(
        command,
        "AssertionError: wrong total",
        "AssertionError",
        "wrong total",
        suspects=(commits[8], commits[0], commits[12]),
    )
    try:
        jail.require()
    except Refused as error:
        pytest.skip(f"not run: no sandbox on this machine ({error.message})")
    with Workshop(repo, command) as inner:
        workshop = Counting(inner)
        told = list(RevertRepairer(repo, Limits(seconds=20.0)).propose(fault, workshop, inner.base, 60.0))
        assert told[0].kind is ActionKind.REVERT
        assert f"{commits[guilty][:7]} 'change {guilty}' is the first with which the command fails" in told[0].why
        assert len(workshop.ran) <= math.ceil(math.log2(13)) + 1
        with inner.fresh(inner.base) as tree:
            assert tree.run(command, Limits()).code == 1
            tree.apply(told[0].diff)
            assert tree.run(command, Limits()).code == 0


def proposals(repo: Path, fault: Fault) -> list[Proposal]:
    return list(RevertRepairer(repo).propose(fault, Unused(), git(repo, "rev-parse", "HEAD"), 30.0))


def test_suspects_are_proposed_as_they_are_ranked_and_parts_last(repo: Path) -> None:
    one = commit(repo, {"a.py": line(CODE, 5, "bad")}, "one")
    two = commit(repo, {"b.py": line(CODE, 9, "two"), "c.py": "x = 1\n"}, "two")
    commit(repo, {"c.py": "x = 2\n"}, "rework")
    words = commit(repo, {"README.md": "words\n"}, "words")
    frames = (Frame("f", "b", "b.py", 9, True),)
    told = proposals(repo, Fault((), frames=frames, suspects=(words, two, one, "0" * 40)))
    assert [found.why.split("'")[1] for found in told] == ["two", "one"]
    assert "only b.py can go back" in told[0].why
    assert told[0].diff.count("diff --git") == 1
    assert all(found.kind is ActionKind.REVERT for found in told)
