"""Repairs on real repositories in the real sandbox: what is believed, what is not, and why."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from prodwise.heal.fixing import story as steps
from prodwise.heal.fixing import suite
from prodwise.model.errors import NothingFits, OutOfTime, TargetError
from prodwise.model.patch import Fault, Proposal
from tests.fixing.bench import CART, CHECK, OTHERS, WITH_CHECK, WITH_TESTS, Proposes, gates, git, repository, story
from tests.loop.patches import diff, new_file


def edit(old: str, new: str) -> str:
    return diff("cart.py", CART, CART.replace(old, new))


RIGHT = edit("amount - 1", "amount")
NOTHING = edit("amount - 1", "amount - 2")


def test_a_patch_that_passes_every_gate_is_handed_over(tmp_path: Path) -> None:
    shop = repository(tmp_path, {"cart.py": CART, "check.py": CHECK, "test_cart.py": OTHERS})
    asked = Proposes(NOTHING, RIGHT)
    fix = story(shop, WITH_CHECK, asked)
    assert (fix.status, fix.proposal and fix.proposal.diff) == ("fixed", RIGHT)
    assert set(gates(fix).values()) == {"pass"}
    assert len(fix.tried) == 2
    assert fix.tried[0].gates[-1].gate == "reproducer"
    (fault,) = asked.faults
    assert fault.error == "AssertionError"
    assert [frame.file for frame in fault.frames] == ["check.py"]


def test_a_patch_that_loses_another_test_is_not(tmp_path: Path) -> None:
    both = diff("cart.py", CART, CART.replace("amount - 1", "amount").replace("items[0]", "items[1]"))
    shop = repository(tmp_path, {"cart.py": CART, "test_cart.py": OTHERS})
    fix = story(shop, WITH_TESTS, Proposes(both))
    assert fix.status == "no_fix"
    assert gates(fix)["suite"] == "fail"
    assert "test_first" in fix.reason


def test_a_suite_that_could_not_be_asked_once_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, ask = list[str](), suite._on_base

    def once_away(*arguments: Any) -> Any:
        asked.append("")
        if len(asked) == 1:
            raise TargetError("no tree could be made")
        return ask(*arguments)

    monkeypatch.setattr(suite, "_on_base", once_away)
    wrong = (CART.replace("amount - 1", "amount").replace("items[0]", f"items[{at}]") for at in (1, -1))
    shop = repository(tmp_path, {"cart.py": CART, "check.py": CHECK, "test_cart.py": OTHERS})
    fix = story(shop, WITH_CHECK, Proposes(*(diff("cart.py", CART, one) for one in wrong)))
    assert [one.gates[-1].verdict.value for one in fix.tried] == ["hold", "fail"], fix.reason
    assert "no tree could be made" in fix.tried[0].gates[-1].reason
    assert "test_first" in fix.tried[1].gates[-1].reason


@pytest.mark.parametrize(("marks", "status"), [(("shop", "shop/deploy"), "fixed"), (("shop",), "no_fix")])
def test_a_package_called_after_a_tool_can_be_repaired_and_a_folder_of_scripts_cannot(
    tmp_path: Path, marks: tuple[str, ...], status: str
) -> None:
    path = "shop/deploy/cart.py"
    files = {path: CART, "check.py": CHECK.replace("from cart", "from shop.deploy.cart"), "test_cart.py": OTHERS.replace(
        "import cart", "from shop.deploy import cart")}  # fmt: skip
    shop = repository(tmp_path, {**files, **{f"{one}/__init__.py": "" for one in marks}})
    fix = story(shop, WITH_CHECK, Proposes(diff(path, CART, CART.replace("amount - 1", "amount"))))
    assert fix.status == status, fix.reason
    assert ("deploy manifests" in fix.reason) is (status == "no_fix")


@pytest.mark.full
def test_a_file_that_cannot_be_collected_hides_no_other_test(tmp_path: Path) -> None:
    both = diff("cart.py", CART, CART.replace("amount - 1", "amount").replace("items[0]", "items[1]"))
    files = {"cart.py": CART, "check.py": CHECK, "test_cart.py": OTHERS, "test_old.py": "import no_such_package\n"}
    stops = "[pytest]\naddopts = -x\n"
    test = f"{sys.executable} check.py"
    fix = story(repository(tmp_path, {**files, "pytest.ini": stops}), test, Proposes(both, RIGHT), seconds=150)
    assert fix.status == "fixed", fix.reason
    assert "test_first" in fix.tried[0].gates[-1].reason


def test_a_suite_that_cannot_run_as_a_whole_is_asked_for_in_part(tmp_path: Path) -> None:
    """One file ends pytest before it has run a test."""
    broken = "import os\nos._exit(3)\n"
    files = {"cart.py": CART, "check.py": CHECK, "test_cart.py": OTHERS, "old/test_old.py": broken}
    fix = story(repository(tmp_path, files), f"{sys.executable} check.py", Proposes(RIGHT), seconds=150)
    assert fix.status == "fixed", fix.reason
    assert any("1 test files near the change were run" in line for line in fix.unchecked), fix.unchecked
    assert "tests passed before" in {gate.gate: gate.reason for gate in fix.gates}["suite"]


@pytest.mark.parametrize(("quick", "told"), [(0.0, "too little time was left; 1 test files of the check"), (60.0, "")])
def test_with_little_time_the_tests_of_the_check_are_asked_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quick: float, told: str
) -> None:
    """Before anything longer uses it up; where they are quick, there is time for more."""
    monkeypatch.setattr(suite, "HURRIED_S", 1e6)
    monkeypatch.setattr(suite, "QUICK_S", quick)
    shop = repository(tmp_path, {"cart.py": CART, "test_cart.py": OTHERS, "test_more.py": OTHERS})
    fix = story(shop, f"{sys.executable} -m pytest -q test_cart.py", Proposes(RIGHT), seconds=100)
    assert fix.status == "fixed", fix.reason
    whole = [line for line in fix.unchecked if "the whole suite" in line]
    assert len(whole) == bool(told), fix.unchecked
    assert all(told in line for line in whole)
    many = {gate.gate: gate.reason for gate in fix.gates}["suite"]
    assert many.startswith("1 tests passed before" if told else "2 tests passed before"), many


@pytest.mark.parametrize(
    ("also", "many", "status"), [("[0]", 5.0, "fixed"), ("[1]", 5.0, "no_fix"), ("[1]", 1e6, "fixed")]
)
def test_with_little_time_the_nearest_tests_are_asked_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, also: str, many: float, status: str
) -> None:
    """Where there is much more of it than the check's own tests took: what breaks their neighbours is not handed over."""
    monkeypatch.setattr(suite, "HURRIED_S", 1e6)
    monkeypatch.setattr(suite, "QUICK_S", 0.0)
    monkeypatch.setattr(suite, "FEW_OF", many)
    own = "import cart\n\n\ndef test_one():\n    assert cart.total([{'price': 1}]) == 1\n\n\ndef test_name():\n    assert cart\n"
    near = "import cart\n\n\ndef test_first():  # of the cart, the cart alone\n    assert cart.first([1, 2]) == 1\n"
    far = {f"test_{name}.py": "import cart\n\n\ndef test_it():\n    assert cart.first([1]) == 1\n" for name in "abcd"}
    shop = repository(tmp_path, {"cart.py": CART, "test_cart.py": own, "test_near.py": near, **far})
    both = diff("cart.py", CART, CART.replace("amount - 1", "amount").replace("items[0]", f"items{also}"))
    fix = story(shop, f"{sys.executable} -m pytest -q test_cart.py", Proposes(both), seconds=100)
    assert fix.status == status, fix.reason
    words = "4 test files nearest to the change" if many < 1e6 else "1 test files of the check"
    assert any(f"too little time was left; {words} were run" in line for line in fix.unchecked), fix.unchecked


def test_a_test_that_failed_before_may_fail(tmp_path: Path) -> None:
    others = OTHERS + "\n    def test_other(self):\n        self.fail()\n"
    shop = repository(tmp_path, {"cart.py": CART, "test_cart.py": others})
    assert story(shop, WITH_TESTS, Proposes(RIGHT)).status == "fixed"


def test_tests_that_pass_now_and_then_are_told_and_do_not_count(tmp_path: Path) -> None:
    """Before and after runs differ by chance: half of the time each of these eight tests fails."""
    chance = "self.assertTrue(random.SystemRandom().random() < 0.5)"
    many = "".join(f"\n    def test_chance_{n}(self):\n        {chance}\n" for n in range(8))
    shop = repository(tmp_path, {"cart.py": CART, "test_cart.py": "import random\n" + OTHERS + many})
    fix = story(shop, WITH_TESTS, Proposes(RIGHT))
    told = " ".join((fix.reason, *fix.unchecked))
    assert fix.status == "fixed" or "flaky" in told or "test_chance" in told


def test_a_repository_without_tests_is_said_to_have_none(tmp_path: Path) -> None:
    fix = story(repository(tmp_path, {"cart.py": CART, "check.py": CHECK}), WITH_CHECK, Proposes(RIGHT))
    assert fix.status == "fixed"
    assert any("other tests" in line for line in fix.unchecked)


def test_a_check_that_passes_is_refused(tmp_path: Path) -> None:
    asked = Proposes(RIGHT)
    fix = story(repository(tmp_path, {"cart.py": CART}), "true", asked)
    assert (fix.status, asked.faults) == ("refused", [])
    assert "passes" in fix.reason


@pytest.mark.parametrize(
    "test", ["no-such-program --test", "python3 -m pytest no_such_test.py", "python3 -m unittest discover"]
)
def test_a_command_that_is_no_check_is_refused(tmp_path: Path, test: str) -> None:
    fix = story(repository(tmp_path, {"cart.py": CART}), test, Proposes(RIGHT))
    assert fix.status in ("refused", "no_fix")
    assert fix.proposal is None


def test_what_there_was_no_time_to_try_is_said(tmp_path: Path) -> None:
    class Late:
        name = "late"

        def propose(self, fault: Fault, workshop: object, base: str, seconds: float) -> Iterator[Proposal]:
            raise OutOfTime("7 of 9 edits were not tried in its time")
            yield

    fix = story(repository(tmp_path, {"cart.py": CART, "check.py": CHECK}), WITH_CHECK, Late())
    assert (fix.status, fix.over) == ("no_fix", True)
    assert fix.reason.startswith("nobody had anything to propose; late: 7 of 9 edits were not tried in its time")
    assert "what else late would propose: 7 of 9 edits were not tried in its time" in fix.unchecked


def test_what_was_learned_without_a_fix_is_told(tmp_path: Path) -> None:
    class Learned:
        name = "learned"

        def propose(self, fault: Fault, workshop: object, base: str, seconds: float) -> Iterator[Proposal]:
            raise NothingFits("none of 9 edits fits", "the check passes when `add` is left out")
            yield

    fix = story(repository(tmp_path, {"cart.py": CART, "check.py": CHECK}), WITH_CHECK, Learned())
    assert (fix.status, fix.over) == ("no_fix", False)
    assert fix.reason == "nobody had anything to propose; the check passes when `add` is left out"


def test_that_no_more_proposals_are_looked_at_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "PROPOSALS_MAX", 1)
    shop = repository(tmp_path, {"cart.py": CART, "check.py": CHECK})
    fix = story(shop, WITH_CHECK, Proposes(NOTHING, RIGHT))
    assert (fix.status, len(fix.tried)) == ("no_fix", 1)
    assert "what else given would propose: 1 proposals are the most" in fix.unchecked


def test_a_flaky_check_is_no_reproducer(tmp_path: Path) -> None:
    changing = "import random\nraise type(f'E{random.SystemRandom().randrange(10**9)}Error', (Exception,), {})\n"
    shop = repository(tmp_path, {"cart.py": CART, "check.py": changing})
    fix = story(shop, WITH_CHECK, Proposes(NOTHING))
    assert (fix.status, "flaky" in fix.reason, fix.tried) == ("no_fix", True, ())


def test_a_check_that_proves_nothing_is_found_by_mutation(tmp_path: Path) -> None:
    """It only asks that a file was changed: any change would do."""
    check = "import hashlib\nassert hashlib.sha256(open('cart.py', 'rb').read()).hexdigest() != HASH\n"
    text = check.replace("HASH", repr(hashlib.sha256(CART.encode()).hexdigest()))
    fix = story(repository(tmp_path, {"cart.py": CART, "check.py": text}), WITH_CHECK, Proposes(NOTHING))
    assert fix.status == "no_fix"
    assert gates(fix)["mutation"] == "fail"


@pytest.mark.full
def test_a_check_that_never_ends_can_be_repaired(tmp_path: Path) -> None:
    loop = "def run():\n    n = 0\n    while n < 3:\n        n += 0\n    return n\n"
    shop = repository(tmp_path, {"loop.py": loop, "check.py": "from loop import run\nassert run() == 3\n"})
    fix = story(shop, WITH_CHECK, Proposes(diff("loop.py", loop, loop.replace("+= 0", "+= 1"))), seconds=40)
    assert fix.status == "fixed", fix.reason


@pytest.mark.full
def test_where_no_other_test_could_be_asked_nothing_is_fixed(tmp_path: Path) -> None:
    slow = OTHERS.replace("self.assertEqual(cart.first([1, 2]), 1)", "__import__('time').sleep(600)")
    shop = repository(tmp_path, {"cart.py": CART, "check.py": CHECK, "test_cart.py": slow})
    fix = story(shop, WITH_CHECK, Proposes(RIGHT), seconds=16)
    assert (fix.status, gates(fix)["suite"]) == ("no_fix", "hold"), fix.reason
    assert "too long" in fix.reason


def test_what_touches_tests_never_runs(tmp_path: Path) -> None:
    shop = repository(tmp_path, {"cart.py": CART, "test_cart.py": OTHERS})
    weak = diff("test_cart.py", OTHERS, OTHERS.replace("), 1)\n", "), 0)\n"))
    fix = story(shop, WITH_TESTS, Proposes(weak, new_file("conftest.py", "raise SystemExit(0)\n"), "nonsense"))
    assert fix.status == "no_fix"
    assert [[gate.gate for gate in one.gates] for one in fix.tried] == [["policy"]] * 3


def test_two_changes_that_do_different_things_are_no_answer(tmp_path: Path) -> None:
    code = "def double(n):\n    return n - 2\n"
    shop = repository(tmp_path, {"double.py": code, "check.py": "from double import double\nassert double(2) == 4\n"})
    one, other, same = (diff("double.py", code, code.replace("n - 2", new)) for new in ("n + 2", "n * 2", "(n + 2)"))
    assert "ambiguous" in story(shop, WITH_CHECK, Proposes(one, other)).reason
    assert story(shop, WITH_CHECK, Proposes(one, same)).status == "fixed"


def test_a_strange_repository_is_borne(tmp_path: Path) -> None:
    """Links out of the tree, hooks that would run, pointers to large files, names that need quoting, and large files."""
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 12345\n"
    files = {
        "cart.py": CART,
        "check.py": CHECK,
        "big.bin": pointer,
        "über café.py": "x = 1\n",
        "large.txt": "x" * 3_000_000,
    }
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("hush\n")
    shop = tmp_path / "shop"
    shop.mkdir()
    os.symlink("/etc/passwd", shop / "passwd")
    os.symlink("../outside", shop / "linked")
    repository(shop, files)
    hook = shop / ".git/hooks/post-checkout"
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/hooked\n")
    hook.chmod(0o755)
    through = diff("linked/secret", "hush\n", "loud\n")
    fix = story(shop, WITH_CHECK, Proposes(through, RIGHT))
    assert fix.status == "fixed", fix.reason
    assert not (tmp_path / "hooked").exists()
    assert (outside / "secret").read_text() == "hush\n"


def test_a_repository_with_a_submodule(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    repository(inner, {"x.py": "x = 1\n"})
    shop = tmp_path / "shop"
    shop.mkdir()
    repository(shop, {"cart.py": CART, "check.py": CHECK})
    git(shop, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner), "inner")
    git(shop, "commit", "-q", "-m", "Take in")
    assert story(shop, WITH_CHECK, Proposes(RIGHT)).status == "fixed"


EVENT = {
    "exception": {"values": [{"type": "KeyError", "value": "'price'", "stacktrace": {"frames": [
        {"function": "serve", "filename": "/usr/lib/python3/server.py", "lineno": 3, "in_app": False},
        {"function": "total", "filename": "cart.py", "lineno": 4, "vars": {"items": [{"count": "2"}], "rate": "1"}},
    ]}}]}
}  # fmt: skip
RATED = CART.replace("def total(items):", "def total(items, rate):")


def test_a_trace_with_values_becomes_a_check_that_no_tree_holds(tmp_path: Path) -> None:
    shop = repository(tmp_path, {"cart.py": RATED})
    right = diff("cart.py", RATED, RATED.replace('item["price"]', 'item.get("price", 0)'))
    asked = Proposes(right)
    fix = story(shop, "", asked, trace=json.dumps(EVENT))
    assert fix.status == "fixed", fix.reason
    assert "total(items=[{'count': 2}], rate=1)" in fix.reproducer
    assert any("does not raise" in line for line in fix.unchecked)
    assert asked.faults[0].command[:2] == ("python3", "-c")


def test_a_trace_whose_values_are_not_known_is_told_so(tmp_path: Path) -> None:
    frame = {
        "function": "total",
        "filename": "cart.py",
        "lineno": 4,
        "vars": {"items": "<Items object at 0x7f>", "rate": "1"},
    }
    event = {"exception": {"values": [{"type": "KeyError", "value": "x", "stacktrace": {"frames": [frame]}}]}}
    fix = story(repository(tmp_path, {"cart.py": RATED}), "", Proposes(), trace=json.dumps(event))
    assert (fix.status, "not all arguments" in fix.reason) == ("no_fix", True)


HOSTILE = [
    "__import__('os').system('id')",
    "open('/etc/passwd')",
    "1e999",
    "(" * 5000,
    "[" * 400,
    "{1: [2}",
    "'cut off…",
    "[Filtered]",
]


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_values_are_never_run(tmp_path: Path, value: str) -> None:
    frame = {"function": "total", "filename": "cart.py", "lineno": 4, "vars": {"items": value, "rate": "1"}}
    event = {"exception": {"values": [{"type": "X", "value": "x", "stacktrace": {"frames": [frame]}}]}}
    asked = Proposes()
    fix = story(repository(tmp_path, {"cart.py": RATED}), "", asked, trace=json.dumps(event))
    assert (fix.status, asked.faults) == ("no_fix", [])


def test_a_budget_that_is_over_is_told(tmp_path: Path) -> None:
    shop = repository(tmp_path, {"cart.py": CART, "check.py": CHECK})
    fix = story(shop, WITH_CHECK, Proposes(*[edit("amount - 1", f"amount - {n}") for n in range(2, 199)]), seconds=3)
    assert (fix.status, fix.over) == ("no_fix", True)
