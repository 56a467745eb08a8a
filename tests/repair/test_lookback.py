"""Nobody is suspected: history tells which commit ended what the check asks for, and a small one is taken back."""

from __future__ import annotations

from pathlib import Path

import pytest

from prodwise.model.action import ActionKind
from prodwise.repair.reverts import RevertRepairer
from prodwise.repair.scratch import scratch
from tests.fixing.bench import CART, CHECK, OTHERS, WITH_CHECK, gates, repository, story
from tests.repair.repos import commit, git

RIGHT = CART.replace("amount - 1", "amount")
ONE_TEST = OTHERS.replace('    def test_one(self):\n        self.assertEqual(cart.total([{"price": 1}]), 1)\n', "")
QUIET = [{"notes.txt": f"{number}\n"} for number in range(9)]


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A cart that is right, with tests that do not ask for its total."""
    return repository(tmp_path, {"cart.py": RIGHT, "test_cart.py": ONE_TEST})


@pytest.mark.parametrize(("before", "since"), [(0, 0), (3, 0), (2, 5), (0, 9)])
def test_the_commit_that_broke_it_is_found_and_taken_back(repo: Path, before: int, since: int) -> None:
    """However far back, and though the check is written only now."""
    for files in QUIET[:before]:
        commit(repo, files)
    bad = commit(repo, {"cart.py": CART}, "Take one off")
    for files in QUIET[:since]:
        commit(repo, files)
    (repo / "check.py").write_text(CHECK)
    fix = story(repo, WITH_CHECK, RevertRepairer(repo))
    assert fix.status == "fixed", fix.reason
    assert fix.proposal is not None
    assert (fix.proposal.kind, fix.proposal.commit) == (ActionKind.REVERT, bad)
    assert "+    return amount\n" in fix.proposal.diff
    assert "is the first with which the command fails" in fix.reason
    assert set(gates(fix).values()) == {"pass"}


def test_what_else_the_commit_brought_stays_where_tests_ask_for_it(repo: Path) -> None:
    """Its own tests do not go along: nobody said that what it brought may go."""
    more = CART + "\n\ndef last(items):\n    return items[-1]\n"
    asks = ONE_TEST + "\n    def test_last(self):\n        self.assertEqual(cart.last([1, 2]), 2)\n"
    commit(repo, {"cart.py": more, "test_cart.py": asks}, "Know the last one")
    commit(repo, {"check.py": CHECK})
    fix = story(repo, WITH_CHECK, RevertRepairer(repo))
    assert fix.status == "no_fix"
    assert gates(fix)["suite"] == "fail", fix.gates
    assert "test_cart.py" not in fix.tried[0].proposal.diff


def test_a_large_commit_is_named_and_left_to_a_person(repo: Path) -> None:
    large = "".join(f"\n\ndef more_{number}():\n    return {number}\n" for number in range(30))
    bad = commit(repo, {"cart.py": CART + large}, "Do a lot more")
    commit(repo, {"check.py": CHECK})
    fix = story(repo, WITH_CHECK, RevertRepairer(repo))
    assert fix.status == "no_fix"
    assert f"the check passes up to the commit before {bad[:7]} 'Do a lot more'" in fix.reason
    assert f"`prodwise revert {bad[:7]}`" in fix.reason


def test_what_is_not_committed_yet_is_named(repo: Path) -> None:
    (repo / "cart.py").write_text(CART)
    (repo / "check.py").write_text(CHECK)
    fix = story(repo, WITH_CHECK, RevertRepairer(repo))
    assert fix.status == "no_fix"
    assert "without what is not committed yet" in fix.reason


def test_what_never_passed_is_nobodys(tmp_path: Path) -> None:
    repo = repository(tmp_path, {"cart.py": CART, "check.py": CHECK})
    for files in QUIET:
        commit(repo, files)
    fix = story(repo, WITH_CHECK, RevertRepairer(repo))
    assert (fix.status, fix.tried) == ("no_fix", ())


def test_a_commit_before_which_the_function_was_not_there_is_not_blamed(tmp_path: Path) -> None:
    """Another failure is no answer."""
    repo = repository(tmp_path, {"cart.py": "", "notes.txt": ""})
    commit(repo, {"cart.py": CART}, "Add up")
    commit(repo, {"check.py": CHECK})
    fix = story(repo, WITH_CHECK, RevertRepairer(repo))
    assert (fix.status, fix.tried) == ("no_fix", ())


def test_a_repository_of_one_commit_has_no_history(tmp_path: Path) -> None:
    repo = repository(tmp_path, {"cart.py": CART, "check.py": CHECK})
    fix = story(repo, WITH_CHECK, RevertRepairer(repo))
    assert (fix.status, fix.tried) == ("no_fix", ())
    with scratch(repo) as made:
        assert made.head == git(repo, "rev-parse", "HEAD")
