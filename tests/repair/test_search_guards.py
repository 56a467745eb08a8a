"""What passes must keep the tests around its module; where those cannot be asked in time, it is not held for right."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from prodwise.model.patch import Fault
from prodwise.repair.edits import Edit
from prodwise.repair.guards import Guards
from prodwise.repair.pool import Candidate
from prodwise.repair.probe import Probe
from prodwise.repair.scene import look
from prodwise.repair.source import Source
from tests.repair.workshops import workshop

PROGRAM = "def price(cups):\n    return cups * 2\n"
FILES = {
    "prices.py": PROGRAM,
    "test_check.py": "from prices import price\n\n\ndef test_three():\n    assert price(3) == 9\n",
    "test_prices.py": "from prices import price\n\n\ndef test_none():\n    assert price(0) == 0\n",
    "test_slow.py": "import time\n\nimport prices\n\n\ndef test_slow():\n    time.sleep(60)\n    assert prices.price(0) == 0\n",
}


@pytest.fixture
def guards(tmp_path: Path) -> Iterator[Guards]:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    command = (sys.executable, "-m", "pytest", "-q", "test_check.py")
    with workshop(tmp_path, command) as shop, shop.fresh(shop.base) as tree:
        probe = Probe(tree)
        scene = look(probe, Fault(command), 60.0)
        assert scene is not None
        yield Guards(scene, probe)


def candidate(new: str) -> Candidate:
    source, start = Source("prices.py", PROGRAM), PROGRAM.index("cups * 2")
    edit = Edit("prices.py", start, start + 8, new, "operator", "why", 1.0, 2)
    return Candidate(edit, source.unit(source.statements[-1]), 1.0)


def test_those_that_are_called_after_the_module_are_asked_and_slow_others_are_not_waited_for(guards: Guards) -> None:
    right, wrong = candidate("cups * 3"), candidate("cups + 6")
    assert guards.hold([right, wrong], 30.0) == [right]
    assert not guards.late


def test_what_there_is_no_time_for_is_not_held_for_right(guards: Guards) -> None:
    assert guards.hold([candidate("cups * 3")], 4.0) == []
    assert guards.late
