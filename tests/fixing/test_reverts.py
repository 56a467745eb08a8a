"""A commit that is taken back takes its own tests along, exactly; anything else that touches a test is refused."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from prodwise.model.action import ActionKind
from prodwise.model.patch import Fault
from prodwise.repair.revert import revert
from prodwise.repair.reverts import RevertRepairer
from prodwise.repair.scratch import scratch
from prodwise.repair.undo import MergedFixes
from tests.fixing.bench import CART, CHECK, OTHERS, WITH_CHECK, Proposes, gates, git, repository, story
from tests.loop.patches import diff as patch
from tests.repair.repos import commit

RIGHT = CART.replace("amount - 1", "amount")
BAD = RIGHT.replace("return amount\n", "return amount - discount(items)\n") + "\n\ndef discount(items):\n    return 1\n"
LATER = "\n    def test_discount(self):\n        self.assertEqual(cart.discount([]), 1)\n"
ONE = OTHERS.replace('    def test_one(self):\n        self.assertEqual(cart.total([{"price": 1}]), 1)\n', "")

WITH_LATER = ONE.rstrip("\n") + "\n" + LATER


@dataclass
class Shop:
    """bad: the commit that broke the cart, with a test of what it brought; inverse: what takes it back."""

    repo: Path
    bad: str
    inverse: str


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    repo = repository(tmp_path, {"cart.py": RIGHT, "check.py": CHECK, "test_cart.py": ONE})
    bad = commit(repo, {"cart.py": BAD, "test_cart.py": WITH_LATER}, "Give a discount")
    with scratch(repo) as made:
        found = revert(made, made.head, bad)
    return Shop(repo, bad, found.diff)


def test_a_commit_takes_its_own_tests_along(shop: Shop) -> None:
    fix = story(shop.repo, WITH_CHECK, Proposes(shop.inverse, kind=ActionKind.REVERT, commit=shop.bad))
    assert fix.status == "fixed", fix.reason
    assert "test_cart.py" in shop.inverse
    assert set(gates(fix).values()) == {"pass"}
    assert any("1 tests that came with the commit" in line for line in fix.unchecked), fix.unchecked


def test_the_repairer_names_the_commit(shop: Shop) -> None:
    with scratch(shop.repo) as made:
        (told,) = RevertRepairer(shop.repo)._proposal(made, made.head, shop.bad, Fault(("true",)), 0, True)
    assert (told.commit, told.diff) == (shop.bad, shop.inverse)


def sections(diff: str) -> list[str]:
    return re.split(r"^(?=diff --git )", diff, flags=re.MULTILINE)[1:]


def tampered(shop: Shop, how: str) -> tuple[str, str]:
    """(the diff, the commit that it names)."""
    code, tests = sections(shop.inverse)
    more = f"-{LATER.splitlines()[1]}\n"
    return {
        "one line less": (shop.inverse.replace(more, ""), shop.bad),
        "one test more": (
            code + patch("test_cart.py", WITH_LATER, ONE.partition("    def")[0] + "    pass\n"),
            shop.bad,
        ),
        "one letter": (shop.inverse.replace("return amount\n", "return amount \n"), shop.bad),
        "tests alone": (tests, shop.bad),
        "other order": (tests + code, shop.bad),
        "no commit": (shop.inverse, ""),
        "a commit that is none": (shop.inverse, "f" * 40),
        "another commit": (shop.inverse, git(shop.repo, "rev-parse", "HEAD~1").strip()),
        "an option": (shop.inverse, "--all"),
        "a name": (shop.inverse, "HEAD"),
        "another file": (shop.inverse + new_test(), shop.bad),
    }[how]


def new_test() -> str:
    return "diff --git a/test_more.py b/test_more.py\nnew file mode 100644\n--- /dev/null\n+++ b/test_more.py\n@@ -0,0 +1 @@\n+x = 1\n"


HOWS = (
    "one line less", "one test more", "one letter", "tests alone", "other order", "no commit", "a commit that is none",
    "another commit", "an option", "a name", "another file",
)  # fmt: skip


def test_whatever_differs_in_a_byte_is_refused(shop: Shop) -> None:
    for how in HOWS:
        diff, named = tampered(shop, how)
        assert (diff, named) != (shop.inverse, shop.bad), how
        fix = story(shop.repo, WITH_CHECK, Proposes(diff, kind=ActionKind.REVERT, commit=named))
        assert fix.status == "no_fix", how
        assert [one.gate for one in fix.tried[-1].gates] == ["policy"], how


def test_a_commit_that_only_touched_tests_is_not_taken_back(shop: Shop) -> None:
    """Else the test that fails would be taken away."""
    only = commit(shop.repo, {"test_cart.py": OTHERS}, "Ask for more")
    with scratch(shop.repo) as made:
        diff = revert(made, made.head, only).diff
    fix = story(shop.repo, "python3 -m unittest test_cart", Proposes(diff, kind=ActionKind.REVERT, commit=only))
    assert fix.status == "no_fix"
    assert gates(fix) == {"policy": "fail"}


def test_the_failing_test_is_not_taken_along(shop: Shop) -> None:
    """The commit brought the test that fails: without it, nothing would fail any more, and nothing would be mended."""
    guilty = commit(shop.repo, {"other.py": "x = 1\n", "test_cart.py": OTHERS}, "Ask for more")
    with scratch(shop.repo) as made:
        diff = revert(made, made.head, guilty).diff
    fix = story(shop.repo, "python3 -m unittest test_cart", Proposes(diff, kind=ActionKind.REVERT, commit=guilty))
    assert fix.status == "no_fix"
    assert gates(fix)["policy"] == "pass"
    assert gates(fix)["reproducer"] == "fail"


def test_the_inverse_is_of_one_commit_in_the_history(shop: Shop) -> None:
    back = MergedFixes(shop.repo)
    assert back.inverse(shop.bad, shop.bad) == shop.inverse
    first = git(shop.repo, "rev-list", "--max-parents=0", "HEAD").strip()
    git(shop.repo, "checkout", "-q", "-b", "side", "HEAD~1")
    side = commit(shop.repo, {"other.py": "x = 1\n"}, "Elsewhere")
    for one in (first, side, "HEAD", "--all", "", "0" * 40):
        assert back.inverse(shop.bad, one) == "", one
