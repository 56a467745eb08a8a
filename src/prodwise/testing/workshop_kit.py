"""What every workshop must promise, as checks that any author of one can run: `run(rig)` for all, or one by one.

Each check takes a Rig and raises AssertionError with the promise that was broken.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from prodwise.model.errors import GateFailed, ProdwiseError, UsageError
from prodwise.ports.repair import Limits, Tree, Workshop

SOON = Limits(seconds=20)


@dataclass(frozen=True)
class Rig:
    """A workshop to check. base: its commit; path: a text file of three lines or more in it, changed by at least two commits;
    fingerprint: of all that lies in the directory, its repository included."""

    workshop: Workshop
    base: str
    path: str
    fingerprint: Callable[[], str]


def _changed(tree: Tree, path: str, line: str) -> str:
    """The diff of one more line at the end."""
    file = tree.root / path
    file.write_text(file.read_text() + line)
    return tree.diff()


def fresh_trees_differ_in_nothing(rig: Rig) -> None:
    with rig.workshop.fresh(rig.base) as tree:
        assert (tree.root / rig.path).is_file(), "the commit's files are there"
        assert tree.diff() == "", "a fresh tree differs from its commit in nothing"


def trees_are_apart(rig: Rig) -> None:
    with rig.workshop.fresh(rig.base) as one, rig.workshop.fresh(rig.base) as other:
        _changed(one, rig.path, "more\n")
        assert other.diff() == "", "what is written in one tree does not reach another"
    assert not one.root.exists(), "a tree is removed at the end"
    with rig.workshop.fresh(rig.base) as later:
        assert later.diff() == "", "what was written in a tree does not reach the next"


def diffs_apply_elsewhere(rig: Rig) -> None:
    with rig.workshop.fresh(rig.base) as one:
        (one.root / "made here.txt").write_text("made\n")
        diff = _changed(one, rig.path, "more\n")
    with rig.workshop.fresh(rig.base) as other:
        other.apply(diff)
        assert other.diff() == diff, "a diff that is applied elsewhere is the same diff there"
        assert (other.root / "made here.txt").read_text() == "made\n", "new files are in a diff"


def removals_are_in_a_diff(rig: Rig) -> None:
    with rig.workshop.fresh(rig.base) as one:
        (one.root / rig.path).unlink()
        diff = one.diff()
    with rig.workshop.fresh(rig.base) as other:
        other.apply(diff)
        assert not (other.root / rig.path).exists(), "a removal is in the diff"


def diffs_apply_whole_or_not_at_all(rig: Rig) -> None:
    with rig.workshop.fresh(rig.base) as one:
        diff = _changed(one, rig.path, "more\n")
    wrong = diff + "--- a/no-such-file\n+++ b/no-such-file\n@@ -1 +1 @@\n-a\n+b\n"
    with rig.workshop.fresh(rig.base) as other:
        _refused(other, wrong, "a diff of which a part does not apply")
        _refused(other, "not a diff", "what is no diff")
        assert other.diff() == "", "a diff that does not apply changes nothing"


def diffs_stay_inside(rig: Rig) -> None:
    with rig.workshop.fresh(rig.base) as tree:
        for path in ("../outside", ".git/hooks/pre-commit", "a/../../outside"):
            _refused(tree, _making(path, "100644", "out"), path)
        _refused(
            tree, _making("way", "120000", "..") + _making("way/outside", "100644", "out"), "a path through a link"
        )
        assert not (tree.root.parent / "outside").exists(), "no diff reaches outside the tree"


def _making(path: str, mode: str, line: str) -> str:
    """A diff that makes a file of one line, or a link to it."""
    ending = "\\ No newline at end of file\n" if mode == "120000" else ""
    head = f"diff --git a/{path} b/{path}\nnew file mode {mode}\n--- /dev/null\n+++ b/{path}\n"
    return f"{head}@@ -0,0 +1 @@\n+{line}\n{ending}"


def _refused(tree: Tree, diff: str, what: str) -> None:
    try:
        tree.apply(diff)
    except GateFailed:
        return
    except ProdwiseError as error:
        raise AssertionError(f"{what} fails the gate, and is not {error!r}") from error
    raise AssertionError(f"{what} does not apply")


def commands_run_in_the_root(rig: Rig) -> None:
    with rig.workshop.fresh(rig.base) as tree:
        ran = tree.run(("cat", rig.path), SOON)
        assert (ran.code, ran.ended) == (0, ""), "a command that ends by itself has an exit code"
        assert ran.output.strip() == (tree.root / rig.path).read_text().strip(), "commands run in the root of the tree"
        assert tree.run(("sh", "-c", "exit 3"), SOON).code == 3, "the exit code is the command's"
        assert tree.run(("sh", "-c", "echo $ASKED"), SOON, {"ASKED": "given"}).output == "given\n", (
            "variables are passed"
        )


def writing_goes_both_ways(rig: Rig) -> None:
    with rig.workshop.fresh(rig.base) as tree:
        (tree.root / rig.path).write_text("from outside\n")
        (tree.root / "new").mkdir()
        (tree.root / "new" / "file.txt").write_text("from outside\n")
        told = tree.run(
            ("sh", "-c", f"cat '{rig.path}' new/file.txt; echo inside > new/file.txt; echo x > '{rig.path}'"), SOON
        )
        assert told.output == "from outside\nfrom outside\n", "what is written from outside is seen in the next run"
        assert (tree.root / "new" / "file.txt").read_text() == "inside\n", "what a command writes is seen from outside"
        assert "+inside" in tree.diff(), "and is in the diff"


def time_runs_out(rig: Rig) -> None:
    with rig.workshop.fresh(rig.base) as tree:
        ran = tree.run(("sleep", "60"), Limits(seconds=0.3))
        assert (ran.code, ran.ended) == (None, "time"), "a command is ended when its time is over"


def unknown_commits_are_errors(rig: Rig) -> None:
    for ref in ("no-such-commit", "", "--all", "0" * 40):
        try:
            with rig.workshop.fresh(ref):
                raise AssertionError(f"{ref!r} is no commit")
        except UsageError:
            continue


def history_is_told_newest_first(rig: Rig) -> None:
    told = rig.workshop.history(rig.path, 50)
    assert len(told) >= 2, "all commits that changed the file are told"
    for commit, text in told:
        with rig.workshop.fresh(commit) as tree:
            assert (tree.root / rig.path).read_text() == text, "the text is the commit's"
    assert list(rig.workshop.history(rig.path, 1)) == list(told[:1]), "no more than asked for, the newest first"
    assert not rig.workshop.history("no-such-file", 5), "no history of what never was"


def the_directory_is_never_touched(rig: Rig) -> None:
    before = rig.fingerprint()
    for check in CHECKS[:-1]:
        check(rig)
    assert rig.fingerprint() == before, "the directory and its repository are only read"


CHECKS: tuple[Callable[[Rig], None], ...] = (
    fresh_trees_differ_in_nothing,
    trees_are_apart,
    diffs_apply_elsewhere,
    removals_are_in_a_diff,
    diffs_apply_whole_or_not_at_all,
    diffs_stay_inside,
    commands_run_in_the_root,
    writing_goes_both_ways,
    time_runs_out,
    unknown_commits_are_errors,
    history_is_told_newest_first,
    the_directory_is_never_touched,
)


def run(rig: Rig) -> None:
    """All promises, in order. The last one keeps all others once more, and compares."""
    for check in CHECKS:
        check(rig)
