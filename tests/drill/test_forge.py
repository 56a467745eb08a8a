"""A code host beside an app on stage: what is proposed there is read and merged as a person would."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from prodwise import clock
from prodwise.config import load
from prodwise.drill.faults import Place
from prodwise.drill.forge import MAIN, merge_proposed, open_forge
from prodwise.drill.git import git
from prodwise.drill.scenario import Fault
from prodwise.drill.shop import make_repo
from prodwise.drill.strike import Strike
from prodwise.model.errors import TargetError
from prodwise.testing import apps

TEXT = """Fix: len(stars) may be zero

### What broke

@everyone GET /cart fails

| Proof | base | this branch |
|---|---|---|
| the failing check | fails | fails at the base (ZeroDivisionError), passes 5 of 5 times with it |
| the tests that were there | as told | 4 tests passed before, all of them pass with the change |
"""


def never() -> bool:
    return False


@pytest.fixture
def app(tmp_path: Path) -> Path:
    make_repo(tmp_path / "app")
    open_forge(tmp_path / "app", "\n[ramp]\nwatch_seconds = 12\n")
    return tmp_path / "app"


def propose(app: Path) -> None:
    git(app, "checkout", "-q", "-b", "fix", "bad-cart")
    path = app / "teashop" / "catalogue.py"
    path.write_text(path.read_text().replace("/ len(stars)", "/ (len(stars) or 1)"))
    git(app, "commit", "-q", "-a", "-m", TEXT)
    git(app, "push", "-q", "origin", "HEAD:refs/heads/prodwise/fix-1")
    git(app, "checkout", "-q", MAIN)
    git(app, "branch", "-q", "-D", "fix")


def test_the_app_says_where_fixes_go_and_has_a_remote(app: Path) -> None:
    config = load(app)
    assert config.proposes
    assert (config.forge.kind, config.ramp.watch_seconds) == ("git", 12)
    assert git(app, "rev-parse", MAIN) == git(app, "rev-parse", f"origin/{MAIN}")
    assert git(app, "status", "--porcelain") == ""


def test_a_proposal_is_shown_merged_and_pushed(app: Path) -> None:
    propose(app)
    told: list[str] = []
    merge_proposed(app, "ZeroDivisionError", 5, told.append, never)
    assert told[0] == "Fix: len(stars) may be zero"
    assert "the failing check: fails | fails at the base (ZeroDivisionError), passes 5 of 5 times with it" in told
    assert "-    return round(sum(stars) / len(stars), 1)" in told
    assert "+    return round(sum(stars) / (len(stars) or 1), 1)" in told
    assert not any("everyone" in line for line in told)
    assert "len(stars) or 1" in (app / "teashop" / "catalogue.py").read_text()
    assert "[forge]" in (app / "prodwise.toml").read_text(), "what stood on main stays"
    assert git(app, "ls-remote", "origin", MAIN).split()[0] == git(app, "rev-parse", "HEAD").strip()


def test_another_fault_is_not_merged_and_waiting_ends(app: Path) -> None:
    propose(app)
    with pytest.raises(TargetError, match=r"no fix was proposed within 0\.1 s"):
        merge_proposed(app, "AttributeError", 0.1, lambda line: None, never)
    with pytest.raises(TargetError):
        merge_proposed(app, "AttributeError", 60, lambda line: None, lambda: True)


class Deploys:
    """Stands for the healer: when it was told to deploy."""

    def __init__(self) -> None:
        self.at = 0.0

    def deploy(self, ref: str) -> None:
        self.at = clock.now()


def test_what_a_merge_does_begins_with_the_merge_and_not_with_the_wait_for_a_proposal(app: Path) -> None:
    healer, fault = Deploys(), Fault(at=0.5, kind="merge", value="ZeroDivisionError", seconds=30)
    place = Place(healer, app, None, 40.0, threading.Event(), lambda pids: None)  # type: ignore[arg-type]
    strike = Strike(fault, place)
    waits = strike.injected().at
    time.sleep(0.2)
    propose(app)
    proposed = clock.now()
    apps.until(lambda: healer.at, 30, "the deploy")
    strike.end()
    assert strike.problem == ""
    assert waits < proposed
    assert proposed <= strike.injected().at <= healer.at
