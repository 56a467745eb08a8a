"""A service that does not come up is started in the sandbox, and what ends that is believed: a pin, a setting. Real repositories."""

from __future__ import annotations

from pathlib import Path

import pytest

from prodwise.heal.fixing.budget import Budget
from prodwise.heal.fixing.check import Wanted, check
from prodwise.heal.fixing.given import NotReproduced
from prodwise.heal.fixing.reproducer import Reproducer
from prodwise.heal.fixing.story import Fix, repair
from prodwise.heal.fixing.trial import Means
from prodwise.model.action import ActionKind
from prodwise.model.service import Probe, ProbeKind, Service, ServiceKind
from prodwise.ports.repair import Repairer
from prodwise.repair.pins.repairer import PinRepairer
from prodwise.repair.settings.repairer import SettingsRepairer
from prodwise.repair.undo import MergedFixes
from prodwise.sandbox.workshop import Workshop
from prodwise.wiring.fitting import LockFitter
from tests.fixing.bench import gates, repository
from tests.fixing.test_pins import GOOD, TODAY, app
from tests.fixing.test_settings import TOML
from tests.loop.test_unmet import SERVER
from tests.repair.repos import commit

WEB = Service("web", ServiceKind.WEB, "python3 serve.py", Probe(ProbeKind.HTTP, "/healthz"), start_s=8.0)
SERVE = SERVER.replace('int(os.environ["STATUS"])', "200")


def looked(repo: Path, said: str, service: Service = WEB) -> Reproducer | NotReproduced:
    with Workshop(repo, [service.command]) as workshop:
        wanted = Wanted(start=service, said=said)
        return check(wanted, workshop, workshop.base, Budget(60), str(workshop.directory), lambda _: None)


def mended(repo: Path, said: str, repairer: Repairer) -> Fix:
    with Workshop(repo, [WEB.command]) as workshop:
        root, budget, wanted = str(workshop.directory), Budget(90), Wanted(start=WEB, said=said)
        found = check(wanted, workshop, workshop.base, budget, root, lambda _: None)
        means = Means(LockFitter(workshop), MergedFixes(repo))
        return repair(found, [repairer], workshop, workshop.base, budget, lambda _: None, means)


def test_a_package_that_keeps_it_from_starting_is_pinned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = app(tmp_path, monkeypatch, newest=GOOD.replace("def pad", "def padded"))
    (made.repo / "serve.py").write_text(f"from lefty import pad\n{SERVE}")
    said = (
        "ImportError: cannot import name 'pad' from 'lefty' (/srv/venv/lib/python3.11/site-packages/lefty/__init__.py)"
    )
    fix = mended(made.repo, said, PinRepairer(made.repo, lambda: TODAY))
    assert fix.status == "fixed", fix.reason
    assert fix.proposal is not None
    assert fix.proposal.kind is ActionKind.PIN
    assert (gates(fix)["installed"], gates(fix)["reproducer"]) == ("pass", "pass")
    assert any("production's own settings" in one for one in fix.unchecked)


def test_a_setting_that_keeps_it_from_starting_goes_back(tmp_path: Path) -> None:
    serve = f"import tomllib\nMOST = 100 // tomllib.load(open('shop.toml', 'rb'))['cart']['most']\n{SERVE}"
    repo = repository(tmp_path, {"shop.toml": TOML, "serve.py": serve})
    commit(repo, {"shop.toml": TOML.replace("most = 20 ", "most = 0 ")}, "no limit")
    fix = mended(repo, "ZeroDivisionError: integer division or modulo by zero", SettingsRepairer(repo))
    assert fix.status == "fixed", fix.reason
    assert fix.proposal is not None
    assert fix.proposal.kind is ActionKind.SETTING
    assert "+most = 20 " in fix.proposal.diff


def test_what_starts_here_or_fails_here_for_another_reason_is_no_reproducer(tmp_path: Path) -> None:
    repo = repository(tmp_path, {"serve.py": SERVE})
    found = looked(repo, "NameError: name 'x' is not defined")
    assert isinstance(found, NotReproduced)
    assert "it passes" in found.reason
    (repo / "serve.py").write_text("import os\nPORT = os.environ['PORT']\nos.environ['DATABASE']\n")
    found = looked(repo, "NameError: name 'x' is not defined")
    assert isinstance(found, NotReproduced)
    assert found.reason == "here it fails otherwise than on its way to users: KeyError in serve.py, line 3"
    assert isinstance(looked(repo, raised(repo, 3, "os.environ['DATABASE']")), Reproducer)
    found = looked(repo, raised(repo, 2, "RATES['yen']"))
    assert isinstance(found, NotReproduced), "the same kind of error, elsewhere"


def raised(repo: Path, line: int, code: str) -> str:
    where = f'  File "{repo.resolve()}/serve.py", line {line}, in <module>\n    {code}\n'
    return f"Traceback (most recent call last):\n{where}KeyError: 'x'\n"
