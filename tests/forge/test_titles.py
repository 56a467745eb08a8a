"""Titles of healing pull requests say what the change does, never what was wrong, whatever stands in what they are made of."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import prodwise.repair
from prodwise.loop.publish.does import LONGEST, does
from prodwise.loop.publish.style import SUBJECT_CHARS, Style, subject
from prodwise.model.action import ActionKind
from prodwise.model.patch import Proposal

DIFF = "diff --git a/shop/cart.py b/shop/cart.py\n--- a/shop/cart.py\n+++ b/shop/cart.py\n@@ -40,3 +40,4 @@\n x\n+y\n"


def title(why: str, kind: ActionKind = ActionKind.PATCH, repairer: str = "search", diff: str = DIFF) -> str:
    return subject(Style(), kind, does(Proposal(repairer, kind, diff, why, commit="7f3a1bc" * 5)), ["shop/cart.py"])


@pytest.mark.parametrize(
    ("why", "said"),
    [
        ("`len(stars)` may be zero (shop/cart.py, line 12).", "Guard the division by len(stars) in cart.py"),
        ("`b` is meant instead of `a` (cart.py, line 2).", "Use b instead of a in cart.py"),
        ("`curency` is meant as `currency` (prices.py, line 5).", "Use currency instead of curency in prices.py"),
        ("`cents` lacks `abs(…)`, each time (money.py, line 2).", "Call abs(…) on cents in money.py"),
        ("`cents` lacks `abs(…)`, in both branches (money.py, line 2).", "Call abs(…) on cents in money.py"),
        ("The call lacks `tax` (cart.py, line 2).", "Pass tax along in cart.py"),
        ("`Lock` is raised here, and not handled as Busy is (a.py, line 2).", "Correct a.py near line 2"),
        ("Lock is raised here, and not handled as Busy is (a.py, line 2).", "Handle Lock as well in a.py"),
        (
            "`Full` is raised here, and kept in by a handler of its own `try` (a.py, line 2).",
            "Let Full out of its own try in a.py",
        ),
        ("Elsewhere it is raised only if `self.strict` (a.py, line 2).", "Raise it only if self.strict in a.py"),
        ("The text may not be UTF-8 (a.py, line 2).", "Replace what cannot be decoded in a.py"),
        ("A sentence that nobody knows (shop/cart.py, line 7).", "Correct shop/cart.py near line 7"),
        (f"`{'long_name.' * 12}` may be zero (shop/cart.py, line 9).", "Correct shop/cart.py near line 9"),
    ],
)
def test_a_title_says_what_an_edit_does_and_where(why: str, said: str) -> None:
    assert title(why) == said


def test_titles_of_the_other_repairers_are_imperatives_too() -> None:
    pin = "pin ledgerlib to 1.4.0 until 2026-12-28: it moved 1.4.0 → 2.0.0 (uv.lock), and the fault speaks of it"
    assert title(pin, ActionKind.PIN, "pin") == "Pin ledgerlib to 1.4.0 until 2026-12-28"
    assert title("7f3a1bc 'prices: round late' is suspected", ActionKind.REVERT, "revert") == (
        "Take back 7f3a1bc: prices: round late"
    )
    undo = "the fix of inc-web-12 does not hold: 7f3a1bc is taken back"
    assert title(undo, ActionKind.REVERT, "undo").startswith("Take back the fix of inc-web")
    assert title("a model's fix: everything is fine now", repairer="agent") == "Correct shop/cart.py near line 40"
    assert title("handle carts without reviews", repairer="somebody's own") == "Handle carts without reviews"


@pytest.mark.parametrize(
    "why",
    [
        "`x @ana [skip ci] #12` may be zero (a.py, line 1).",
        "7f3a1bc '/close @ana #1 https://evil.invalid' is suspected",
    ],
)
def test_what_a_code_host_would_act_on_is_inert_in_it(why: str) -> None:
    kind = ActionKind.REVERT if why.startswith("7f3") else ActionKind.PATCH
    made = title(why, kind, "revert" if kind is ActionKind.REVERT else "search")
    assert not set("@#[") & set(made)
    assert "://" not in made
    assert len(made) <= SUBJECT_CHARS


def reasons() -> list[str]:
    """Every sentence that the search's rules give as a reason, with a name wherever code stands."""
    found = set[str]()
    for folder in ("templates", "search"):
        for path in sorted((Path(prodwise.repair.__file__).parent / folder).glob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.JoinedStr):
                    parts = [one.value if isinstance(one, ast.Constant) else "name" for one in node.values]
                    text = "".join(str(one) for one in parts)
                    if "`" in text:
                        found.add(text)
    return sorted(found)


@pytest.mark.parametrize("why", reasons())
def test_no_title_of_the_search_states_the_problem(why: str) -> None:
    made = title(f"{why[:1].upper()}{why[1:]} (shop/cart.py, line 3).")
    assert made.split()[0].isalpha()
    for part in (" may be ", " is meant", " is missing", " lacks ", " is too much", " is not "):
        assert part not in f" {made} "
    assert len(made) <= SUBJECT_CHARS
    assert len(does(Proposal("search", ActionKind.PATCH, DIFF, why))) <= LONGEST


def test_the_rules_sentences_are_known_but_for_a_few() -> None:
    """A new rule's title says at least the place; most say more."""
    plain = [one for one in reasons() if title(f"{one} (a.py, line 3).").startswith("Correct ")]
    assert len(plain) < len(reasons()) / 10, plain
