"""A model that a person lets searches ask, so many times a day: from an error that a real SDK reported to a draft, in the search's own
process and sandbox. The model plays a script; nothing else stands for anything."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from prodwise.clock import monotonic, now
from prodwise.heal.fixes import Fixes
from prodwise.heal.pulls import Pulls, Stage, progress
from prodwise.heal.sought import ASKED, TRIED
from prodwise.model.errors import Refused
from prodwise.sandbox import jail
from prodwise.store.sql import SqlStore
from prodwise.targets.local import local_control
from prodwise.testing.receivers import Receivers
from prodwise.wiring import mending
from tests.heal.test_fixes import an_incident, app, commit, following, git, raised, store

__all__ = ["app", "store"]

pytestmark = [pytest.mark.full, pytest.mark.timeout(400)]

SETUP = '[repair]\nmodel = "scripted:model"\nkey_env = "THE_KEY"\nautomatic = 1\n'
GOOD = """RATES = {"eur": 1.0, "usd": 1.1}


def price(amount, currency):
    value = float(amount)
    return round(value * RATES[currency], 2)
"""
TEST = """import pytest

from prices import price


@pytest.mark.parametrize(("amount", "currency", "want"), [("2", "eur", 2.0), ("10.5", "usd", 11.55), ("0", "usd", 0.0)])
def test_price(amount, currency, want):
    assert price(amount, currency) == want
"""
RIGHT = {
    "path": "prices.py",
    "old": "float(amount)",
    "new": 'float(amount.replace(".", "").replace(",", ".") if "," in amount else amount)',
}
PROGRAM = """import runpy

from prodwise.repair.agent import talk
from prodwise.testing.scripted_model import Script, finish, use


def scripted(name, key=""):
    assert (name, key) == ("scripted:model", "secret of it"), (name, key)
    return Script([use("replace_text", **{right!r}), finish(summary="Amounts with a comma are read.")]).model()


talk.model_of = scripted
runpy.run_module("prodwise.cli.tethered", run_name="__main__")
"""


@pytest.fixture
def scripted(app: Receivers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Sequence[str]]:
    """This instance lets one search of a day ask a model. Yields what searches were begun."""
    try:
        jail.require()
    except Refused as error:
        pytest.skip(f"not run: {error.message}")
    (app.folder / "test_prices.py").write_text(TEST)
    commit(app.folder, GOOD.replace("float(amount)", "float(str(amount))"), "prices: from forms")
    commit(app.folder, GOOD, "prices: simpler")
    git(app.folder, "push", "-q", "origin", "main")
    where, program = local_control.layout_of(app.folder), tmp_path / "with_model.py"
    (where.state / "repair.toml").write_text(SETUP)
    (where.state / "repair.toml").chmod(0o600)
    program.write_text(PROGRAM.format(right=RIGHT))
    monkeypatch.setenv("THE_KEY", "secret of it")
    real: Callable[..., Any] = subprocess.Popen
    begun: list[Sequence[str]] = []

    def popen(argv: Sequence[str], *rest: Any, **named: Any) -> Any:
        """The search's own process, with a model that plays a script behind the provider's name."""
        if list(argv[1:4]) != ["-m", "prodwise.cli.tethered", "fix"]:
            return real(argv, *rest, **named)
        begun.append(argv)
        return real([sys.executable, str(program), *argv[3:]], *rest, **named)

    monkeypatch.setattr(mending.subprocess, "Popen", popen)
    return begun


def ended(app: Receivers, store: SqlStore, fixes: Fixes) -> str:
    """The last word on the incident's search."""
    deadline = monotonic() + 300
    while (said := progress(store, ["inc-1"]).get("inc-1", "looking")).startswith("looking"):
        assert monotonic() < deadline, (local_control.layout_of(app.folder).log / "fix.log").read_text()
        time.sleep(0.5)
        fixes.turn()
    return said


def test_a_model_is_asked_once_the_others_found_nothing_and_only_within_its_number(
    app: Receivers, store: SqlStore, scripted: list[Sequence[str]]
) -> None:
    fixes = following(app, store, mending.fixing(app.folder, app.config))
    store.settings.put("autonomy", "suggest", "ana")
    store.settings.put(ASKED, [now()], "prodwise")
    raised(app, an_incident(store, app), "price('1.234,50', 'usd')")
    log = local_control.layout_of(app.folder).log / "fix.log"
    said = ended(app, store, fixes)
    assert said.startswith("no fix is proposed: "), (said, log.read_text())
    assert "--model" not in scripted[0]
    first = next(one.text for one in store.ledger.entries(incident="inc-1") if one.text.startswith("looking"))
    assert first.endswith("no model is asked, 1 searches of a day have asked one")

    store.settings.put(ASKED, [], "prodwise")  # as on another day
    store.settings.put(TRIED, [], "ana")
    store.ledger.append("pull", "looking again", actor="ana", incident="inc-1")
    said = ended(app, store, fixes)
    assert list(scripted[1][-2:]) == ["--model", "configured"]
    assert said.startswith("a fix is proposed, as a draft"), (said, log.read_text())
    (kept,) = Pulls(store).all()
    assert kept.stage is Stage.OPEN
    remote = Path(git(app.folder, "remote", "get-url", "origin"))
    assert 'replace(",", ".")' in git(remote, "show", f"{kept.published.branch}:prices.py")
    body = git(remote, "log", "-1", "--format=%B", kept.published.branch)
    assert "a model's fix: Amounts with a comma are read" in body
    for gate in ("policy", "reproducer", "suite", "mutation"):
        assert f"`{gate}`" in body
    assert len(store.settings.get(ASKED)) == 1
    assert "secret of it" not in log.read_text() + body
