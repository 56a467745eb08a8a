"""The app's history, read from real repositories: merges, renames, odd names, limits, and repositories that want to run something."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodwise.loop.diagnose.bisect import Answer, Bisection, Found, Try, next_step, runs_max
from prodwise.loop.diagnose.suspect import Search, rank, wanted
from prodwise.model.errors import TargetError
from prodwise.model.event import ErrorEvent, Frame, Thrown
from prodwise.ports.history import History
from prodwise.targets.local import diff_text
from prodwise.targets.local import history as reading
from prodwise.targets.local.history import GitHistory

ENV = {
    **{key: value for key, value in os.environ.items() if not key.startswith("GIT_")},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "Ana Lima",
    "GIT_AUTHOR_EMAIL": "a@x.test",
    "GIT_COMMITTER_NAME": "Ana Lima",
    "GIT_COMMITTER_EMAIL": "a@x.test",
}


class Repository:
    def __init__(self, place: Path) -> None:
        self.place = place
        place.mkdir()
        self.git("init", "-q", "-b", "main")
        self.history: History = GitHistory(place)

    def git(self, *arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=self.place, env=ENV, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def commit(self, title: str, files: Mapping[str, str | bytes | None]) -> str:
        """None removes a file."""
        for name, text in files.items():
            path = self.place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if text is None:
                path.unlink()
            else:
                path.write_bytes(text.encode() if isinstance(text, str) else text)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", title)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "app")


def test_commits_come_newest_first_with_what_they_changed(repo: Repository) -> None:
    good = repo.commit("First", {"a.py": "one\ntwo\nthree\nfour\nfive\n"})
    repo.commit("Change two lines", {"a.py": "one\nTWO\nthree\nfour\nfive\nsix\n"})
    repo.commit("Rename", {"a.py": None, "b.py": "one\nTWO\nthree\nfour\nfive\nsix\n"})
    bad = repo.commit("Remove", {"b.py": None, "c.bin": b"\0\1\2"})
    gone, renamed, changed = repo.history.commits(good, bad)
    assert (changed.title, changed.author, changed.parents, changed.whole) == (
        "Change two lines",
        "Ana Lima",
        (good,),
        True,
    )
    hunks = changed.files[0].hunks
    assert [(one.old, one.new, one.removed, one.added) for one in hunks] == [
        (2, 2, ("two",), ("TWO",)),
        (6, 6, (), ("six",)),
    ]
    assert [(one.before, one.path, one.hunks) for one in renamed.files] == [("a.py", "b.py", ())]
    assert [(one.before, one.path) for one in gone.files] == [("b.py", ""), ("", "c.bin")]


def test_a_merge_tells_what_it_changed_against_each_parent(repo: Repository) -> None:
    good = repo.commit("First", {"a.py": "a\n", "b.py": "b\n"})
    repo.git("checkout", "-q", "-b", "topic")
    side = repo.commit("Side", {"a.py": "A\n"})
    repo.git("checkout", "-q", "main")
    main = repo.commit("Main", {"b.py": "B\n"})
    repo.git("merge", "-q", "--no-ff", "-m", "Join", "topic")
    commits = {one.title: one for one in repo.history.commits(good, "main")}
    assert commits["Join"].parents == (main, side)
    assert [one.path for one in commits["Join"].files] == ["a.py"]
    assert [one.path for one in commits["Join"].others[0]] == ["b.py"]
    assert commits["Join"].own() == ()


def test_names_and_lines_that_look_like_a_diff_are_taken_as_they_are(repo: Repository) -> None:
    good = repo.commit("First", {"x": "-- a/x\n"})
    odd = 'über "q"\tn.py'
    bad = repo.commit("Odd", {"x": "++ b/y\n@@ -1 +1 @@\ndiff --git a/z b/z\n", odd: "x\n", "sp ace.py": "y"})
    (commit,) = repo.history.commits(good, bad)
    assert {one.path for one in commit.files} == {"x", odd, "sp ace.py"}
    change = next(one for one in commit.files if one.path == "x")
    assert change.hunks[0].removed == ("-- a/x",)
    assert change.hunks[0].added == ("++ b/y", "@@ -1 +1 @@", "diff --git a/z b/z")
    assert odd in repo.history.tree(bad)
    assert repo.history.texts(bad, (odd, "sp ace.py", "missing", "../x")) == {odd: "x\n", "sp ace.py": "y"}


def test_nothing_of_the_repository_runs(repo: Repository, tmp_path: Path) -> None:
    """Every way known in which a repository's own settings make git start a program on reading."""
    ran = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f'#!/bin/sh\necho "$0 $*" >> {ran}\ncat\n')
    program.chmod(0o755)
    good = repo.commit("First", {".gitattributes": "*.py diff=evil filter=evil\n", "a.py": "1\n"})
    bad = repo.commit("Second", {"a.py": "2\n"})
    for key in (
        *(
            "diff.external",
            "diff.evil.command",
            "diff.evil.textconv",
            "filter.evil.smudge",
            "filter.evil.clean",
            "core.pager",
        ),
        *("core.fsmonitor", "gpg.program", "core.sshCommand", "core.editor", "core.alternateRefsCommand", "pager.log"),
    ):
        repo.git("config", key, str(program))
    repo.git("config", "log.showSignature", "true")
    hooks = repo.place / ".git" / "hooks"
    for name in ("post-checkout", "reference-transaction", "post-index-change"):
        (hooks / name).write_text(program.read_text())
        (hooks / name).chmod(0o755)
    repo.git("log", "-p", "--ext-diff")
    assert ran.exists(), "git by itself would run it"
    ran.unlink()
    (commit,) = repo.history.commits(good, bad)
    assert commit.files[0].hunks[0].added == ("2",)
    assert repo.history.texts(bad, repo.history.tree(bad))["a.py"] == "2\n"
    assert not ran.exists()


@pytest.mark.parametrize("ref", ["--output=/tmp/x", "", "nope", "HEAD\0", "main..main"])
def test_what_is_no_commit_is_refused(repo: Repository, ref: str) -> None:
    bad = repo.commit("First", {"a": "1"})
    with pytest.raises(TargetError):
        repo.history.commits(ref, bad)
    with pytest.raises(TargetError):
        repo.history.tree(ref)


def test_too_much_is_cut_and_said(repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    good = repo.commit("First", {"a.py": "1\n"})
    bad = repo.commit("Large", {"a.py": "2\n" * 5000, "b.py": "x\n"})
    monkeypatch.setattr(reading, "DIFF_BYTES", 2_000)
    (commit,) = repo.history.commits(good, bad)
    assert not commit.whole
    assert sum(len(hunk.added) for one in commit.files for hunk in one.hunks) <= 1_000
    monkeypatch.setattr(reading, "DIFF_BYTES", 2_000_000)
    monkeypatch.setattr(diff_text, "LINES_MAX", 100)
    (commit,) = repo.history.commits(good, bad)
    hunk = commit.files[0].hunks[0]
    assert not commit.whole
    assert len(hunk.added) == 5000, "places stay right"
    assert hunk.added[200:] == ("",) * 4800
    monkeypatch.setattr(reading, "FILE_BYTES", 100)
    assert repo.history.texts(bad, ("a.py", "b.py")) == {"b.py": "x\n"}
    monkeypatch.setattr(reading, "ALL_BYTES", 1_000)
    last = repo.commit("Small", {"c.py": "x\n"})
    assert [one.whole for one in repo.history.commits(good, last)] == [True, False]
    monkeypatch.setattr(reading, "ALL_S", -1.0)
    (commit,) = repo.history.commits(good, bad)
    assert (commit.title, commit.files, commit.whole) == ("Large", (), False)


LINES = (
    *(
        "diff --git a/x b/x",
        'diff --git "a/\\303\\274" "b/\\q"',
        "--- a/x",
        "+++ b/y",
        "+++ /dev/null",
        "@@ -1,2 +3,4 @@",
    ),
    *(
        "@@ -1 +0,0 @@",
        "@@ -999999999999 +1 @@",
        "+added",
        "-removed",
        "+",
        "-",
        "rename from a",
        "rename to",
        "new file mode 1",
    ),
    *("Binary files", "\\ No newline", ""),
)


@given(st.lists(st.sampled_from(LINES), max_size=25))
def test_a_torn_diff_is_read_as_far_as_it_goes(lines: list[str]) -> None:
    files, _ = diff_text.changes_in("\n".join(lines))
    for one in files:
        assert one.path or one.before
        assert all(hunk.removed or hunk.added for hunk in one.hunks)


def test_a_suspect_is_ranked_and_then_proven_by_running_the_test_itself(repo: Repository, tmp_path: Path) -> None:
    """The whole way on a real history: rank, then bisect with a real test in worktrees, starting from the ranking."""
    good = repo.commit("First", {"shop/cart.py": "def total(prices):\n    return sum(prices)\n", "check.py": CHECK})
    for number in range(6):
        repo.commit(f"Notes {number}", {f"notes/{number}.md": "x\n", f"shop/extra{number}.py": f"N = {number}\n"})
    guilty = repo.commit(
        "Average instead", {"shop/cart.py": "def total(prices):\n    return sum(prices) / len(prices)\n"}
    )
    repo.commit(
        "Import", {"shop/cart.py": "import math\n\n\ndef total(prices):\n    return sum(prices) / len(prices)\n"}
    )
    for number in range(6, 12):
        repo.commit(f"Notes {number}", {f"shop/extra{number}.py": f"N = {number}\n"})
    commits = tuple(repo.history.commits(good, "main"))
    frame = Frame("total", "shop.cart", "/srv/app/shop/cart.py", 5, True, "return sum(prices) / len(prices)")
    event = ErrorEvent(
        "e", 0.0, 1, "python", "error", "", chain=(Thrown("ZeroDivisionError", "division by zero", (frame,)),)
    )
    texts = repo.history.texts("main", wanted(commits, (event,), repo.history.tree("main")))
    ranked = rank(Search(commits, (event,), (), texts))
    assert (ranked[0].commit.sha, ranked[0].path, ranked[0].line) == (guilty, "shop/cart.py", 5)
    bisection = Bisection(commits, {one.commit.sha: one.share for one in ranked})
    while isinstance(step := next_step(bisection), Try):
        bisection = bisection.told(step.sha, run_check(repo, step.sha, tmp_path))
    assert isinstance(step, Found)
    assert step.sha == guilty
    assert len(bisection.answers) == 2 <= runs_max(len(commits))


CHECK = "from shop.cart import total\n\nassert total([]) == 0\n"


def run_check(repo: Repository, sha: str, tmp_path: Path) -> Answer:
    """The repository is this test's own, so it is run without a sandbox."""
    place = tmp_path / sha
    repo.git("worktree", "add", "-q", "--detach", str(place), sha)
    done = subprocess.run(["python3", "check.py"], cwd=place, capture_output=True, check=False, timeout=60)
    return Answer.GOOD if done.returncode == 0 else Answer.BAD


def test_a_fix_is_found_by_its_commit_or_by_a_line_of_a_message(repo: Repository) -> None:
    repo.commit("first", {"a.py": "1\n"})
    line = "Prodwise-Fault: abc123"
    repo.git("checkout", "-q", "-b", "fix")
    fix = repo.commit("fix", {"a.py": "2\n"})
    repo.git("checkout", "-q", "main")
    without = repo.commit("other", {"b.py": "1\n"})
    assert not repo.history.holds(without, fix, line)
    assert not repo.history.holds(without, "", line)
    squashed = repo.commit(f"fix (#3)\n\nmentions {line} within a line", {"c.py": "1\n"})
    assert not repo.history.holds(squashed, fix, line)
    squashed = repo.commit(f"fix (#3)\n\n{line}\n", {"d.py": "1\n"})
    assert repo.history.holds(squashed, "f" * 40, line)
    repo.git("merge", "-q", "--no-edit", "fix")
    assert repo.history.holds("main", fix, "Prodwise-Fault: another")
    with pytest.raises(TargetError):
        repo.history.holds("no-such", fix, line)
