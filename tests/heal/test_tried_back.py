"""What takes a fix back is tried before it is proposed: in a process of its own, in the real sandbox."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from prodwise.heal.fixes import Fixes, Fixing
from prodwise.heal.pulls import Undone
from prodwise.model.errors import Later, Refused
from prodwise.model.gate import GateResult, Verdict
from prodwise.model.patch import Proposal
from prodwise.model.release import ReleaseState
from prodwise.repair.undo import MergedFixes
from prodwise.sandbox import jail
from prodwise.targets.local import local_control
from prodwise.wiring.going_back import Tries
from tests.forge.rigs import git
from tests.heal.test_fixes import Recorded
from tests.heal.test_undoing import World, world

__all__ = ["world"]

EITHER_WAY = 'import shop\n\n\ndef test_price():\n    assert shop.total({"price": 3}) == 3\n'
NEEDS_THE_FIX = "import shop\n\n\ndef test_none():\n    assert shop.total({}) == 0\n"


class Says:
    """Implements ports.repair.TriesBack."""

    def __init__(self, *gates: GateResult) -> None:
        self.asked = 0
        self._gates = gates

    def tried(self, base: str, release: str, proposal: Proposal) -> tuple[tuple[GateResult, ...], tuple[str, ...]]:
        self.asked += 1
        return self._gates, ("its look",)

    def end(self) -> None: ...


def with_tries(world: World, tries: Says | Tries) -> None:
    fixing = Fixing(Recorded({}), world.rig.forge, MergedFixes(world.rig.local), tries)
    world.fixes = Fixes(world.fixes._parts, fixing)


def withdrawn_with(world: World, test: str) -> None:
    """The fix was merged, a person wrote a test, and the release with both went back."""
    world.merged()
    (world.rig.local / "test_shop.py").write_text(test)
    git(world.rig.local, "add", "test_shop.py")
    git(world.rig.local, "commit", "-q", "-m", "a test")
    world.turn()
    world.release(git(world.rig.local, "rev-parse", "HEAD"), ReleaseState.FAILED, "5 % stage: errors")
    world.turn()
    world.turn()


@pytest.fixture
def real(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    try:
        jail.require()
    except Refused as error:
        pytest.skip(f"not run: {error.message}")
    where = local_control.layout_of(world.rig.local)
    where.log.mkdir(parents=True, exist_ok=True)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    with_tries(world, Tries(world.rig.local, where))
    return world


def test_the_suite_is_run_and_the_draft_says_what_ran(real: World) -> None:
    withdrawn_with(real, EITHER_WAY)
    undo = real.undo
    assert undo is not None, (real.told.texts, real.records())
    body = Path(undo.published.url).read_text()
    assert "1 tests passed before, all of them pass with the change" in body
    assert "cleanly, in a fresh checkout" in body
    assert "nothing was run for it" not in body


def test_what_would_break_a_test_is_left_to_a_person(real: World) -> None:
    withdrawn_with(real, NEEDS_THE_FIX)
    assert (real.undo, real.first.undone) == (None, Undone.LEFT)
    assert "suite: 1 passed before and fail" in real.told.texts[-1]


def test_it_is_tried_once_however_often_the_host_is_asked(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    tries = Says(GateResult("suite", Verdict.PASS, "9 tests pass"))
    with_tries(world, tries)
    world.withdrawn()

    def later(*_: object) -> None:
        raise Later("not now", "", seconds=0.0)

    with monkeypatch.context() as patched:
        patched.setattr("prodwise.forge.publisher.Publisher.publish", later)
        world.turn()
        world.turn()
    assert (tries.asked, world.undo) == (1, None)
    world.turn()
    assert tries.asked == 1
    assert world.undo is not None
    assert "9 tests pass" in Path(world.undo.published.url).read_text()


def test_what_does_not_pass_is_not_proposed(world: World) -> None:
    with_tries(world, Says(GateResult("applies", Verdict.HOLD, "git could not be asked")))
    world.withdrawn()
    world.turn()
    assert (world.undo, world.first.undone) == (None, Undone.LEFT)
    assert "applies: git could not be asked" in world.told.texts[-1]


def test_a_healer_that_ends_leaves_it_to_the_next(world: World) -> None:
    where = local_control.layout_of(world.rig.local)
    where.log.mkdir(parents=True, exist_ok=True)
    tries = Tries(world.rig.local, where)
    with_tries(world, tries)
    world.withdrawn()
    tries.end()
    world.turn()
    assert (world.undo, world.first.undone) == (None, Undone.NOT_YET)
