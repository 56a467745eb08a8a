"""A switch of a module that all tests read: no line is suspect for it, and there is one edit of it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bench.repair import write
from prodwise.model.patch import Fault
from prodwise.repair.search_repairer import SearchRepairer
from tests.repair.workshops import workshop

PROGRAM = """STRICT = False
NAMES = {}


def read(text):
    found = []
    for part in text.split(","):
        value = part.strip() if STRICT else part
        found.append(NAMES.get(value, value))
    return found
"""
PASSES = "".join(
    f"\n\ndef test_{at}():\n    assert read({given!r}) == {given.split(',')!r}\n"
    for at, given in enumerate(("a", "a,b", "", "b", "a,c,d", "e"))
)
FAILS = "\n\ndef test_spaces():\n    assert read('a, b') == ['a', 'b']\n"


@pytest.mark.timeout(240)
def test_a_switch_is_tried_though_all_tests_read_it(tmp_path: Path) -> None:
    write(tmp_path, {"m.py": PROGRAM, "test_m.py": f"from m import read\n{PASSES}{FAILS}"})
    command = (sys.executable, "-m", "pytest", "-q", "test_m.py")
    with workshop(tmp_path, command) as shop:
        found = [one.diff for one in SearchRepairer().propose(Fault(command), shop, shop.base, 120)]
    assert any("+STRICT = True" in one for one in found), found
