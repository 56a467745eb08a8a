"""The search for a fix that runs by itself: what it is given, and whether it may ask a model."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from prodwise.model.errors import UsageError
from prodwise.model.incident import Incident, IncidentState, Symptom
from prodwise.targets.local import local_control
from prodwise.wiring import mending
from prodwise.wiring.mending import Mender
from prodwise.wiring.records import open_store

CONFIG = 'version = 1\n[services.web]\ncommand = "true"\n'
SETUP = '[repair]\nmodel = "openai-chat:some-model"\nkey_env = "THE_KEY"\nautomatic = 3\n'


class Begun:
    """Stands for the process."""

    pid, stdin = 1, None

    def __init__(self) -> None:
        self.argv: Sequence[str] = ()
        self.env: Mapping[str, str] = {}

    def __call__(self, argv: Sequence[str], env: Mapping[str, str], **_: Any) -> Begun:
        self.argv, self.env = argv, env
        return self

    def poll(self) -> int:
        """It has ended."""
        return 0

    @property
    def tells(self) -> Path:
        """Where it was told to write its answer."""
        return Path(self.argv[self.argv.index("--json") + 1])


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> Begun:
    made = Begun()
    monkeypatch.setattr(mending.subprocess, "Popen", made)
    monkeypatch.setattr(mending.os, "setpriority", lambda *_: None)
    for name in ("THE_KEY", "SHOP_GITHUB_TOKEN", "ANTHROPIC_API_KEY"):
        monkeypatch.setenv(name, f"secret of {name}")
    return made


def mender(folder: Path, setup: str = SETUP, config: str = CONFIG) -> Mender:
    (folder / "prodwise.toml").write_text(config)
    where = local_control.layout_of(folder)
    for one in (where.run, where.log):
        one.mkdir(parents=True)
    (where.state / "repair.toml").write_text(setup)
    (where.state / "repair.toml").chmod(0o600)
    return Mender(folder, where)


def test_a_search_without_a_model_sees_no_credential_at_all(tmp_path: Path, begun: Begun) -> None:
    mender(tmp_path).begin("inc-1", model=False)
    assert "--model" not in begun.argv
    assert not [name for name, value in begun.env.items() if value.startswith("secret of")]


def test_a_search_with_a_model_sees_its_key_and_no_other(tmp_path: Path, begun: Begun) -> None:
    mender(tmp_path).begin("inc-1", model=True)
    assert list(begun.argv[-2:]) == ["--model", "configured"]
    assert [name for name, value in begun.env.items() if value.startswith("secret of")] == ["THE_KEY"]


@pytest.mark.parametrize(
    ("setup", "config", "most"),
    [
        (SETUP, CONFIG, 3),
        (SETUP.replace("automatic = 3\n", ""), CONFIG, 0),
        (SETUP, CONFIG + "[repair]\nmodels = false\n", 0),
        (SETUP.replace("THE_KEY", "NO_KEY"), CONFIG, 0),
        ("[repair\n", CONFIG, 0),
    ],
)
def test_how_often_it_may_ask_is_a_persons_word_here_and_the_repository_can_take_it_back(
    tmp_path: Path, begun: Begun, capfd: pytest.CaptureFixture[str], setup: str, config: str, most: int
) -> None:
    assert mender(tmp_path, setup, config).models_a_day() == most
    assert ("no model is asked" in capfd.readouterr().err) == ("NO_KEY" in setup or setup == "[repair\n")


def test_one_is_looked_for_at_a_time(tmp_path: Path, begun: Begun) -> None:
    made = mender(tmp_path)
    made.begin("inc-1", model=False)
    with pytest.raises(UsageError):
        made.begin("inc-2", model=False)


def test_a_search_that_outlives_its_healer_is_not_taken_for_the_next_one_s(tmp_path: Path, begun: Begun) -> None:
    mender(tmp_path).begin("inc-1", model=False)
    killed = begun.tells
    made = Mender(tmp_path, local_control.layout_of(tmp_path))
    made.begin("inc-2", model=False)
    begun.tells.write_text('{"status": "no_fix"}')
    killed.write_text('{"status": "fixed"}')
    assert made.answer() == {"status": "no_fix"}
    made.begin("inc-3", model=False)
    assert list(killed.parent.glob("fix*.json")) == [], "nothing piles up"


HEALER = """import sys, time
from pathlib import Path
from prodwise.targets.local import local_control
from prodwise.wiring import mending
mending.KEPT = (*mending.KEPT, "PYTHONPATH")
where = local_control.layout_of(Path(sys.argv[1]))
made = mending.Mender(Path(sys.argv[1]), where)
made.begin("inc-web-1", False)
print(made._process.pid, flush=True)
time.sleep(60)
"""
ENDLESS = """import signal, sys, time
def run(arguments):
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        return 130
from prodwise.cli import interrupts, main
def endless(arguments):
    with interrupts.once():
        return run(arguments)
main.run = endless
"""


def test_a_search_ends_with_its_healer(tmp_path: Path) -> None:
    """Killed: it has no time to tell anybody."""
    mender(tmp_path)
    (tmp_path / "sitecustomize.py").write_text(ENDLESS)
    paths = os.pathsep.join((str(tmp_path), *sys.path))
    healer = subprocess.Popen([sys.executable, "-c", HEALER, str(tmp_path)], stdout=subprocess.PIPE, text=True,
                              env={**os.environ, "PYTHONPATH": paths})  # fmt: skip
    assert healer.stdout is not None
    search = psutil.Process(int(healer.stdout.readline()))
    try:
        with pytest.raises(psutil.TimeoutExpired):
            search.wait(1.5)
        healer.kill()
        healer.wait(10)
        search.wait(10)
    finally:
        healer.stdout.close()
        with suppress(psutil.NoSuchProcess):
            search.kill()


def test_an_incident_is_named_by_the_beginning_of_its_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PRODWISE_DATABASE_URL", raising=False)
    mender(tmp_path)
    store = open_store(tmp_path)
    for at, name in enumerate(("inc-web-20", "inc-mail-3", "inc-worker-7")):
        seen = Symptom("crash", name.split("-")[1], "it ended", float(at), float(at))
        store.incidents.open(Incident(name, seen.service, (seen,), float(at), IncidentState.SEEN))
    store.close()
    monkeypatch.setattr(mending, "INCIDENTS_MAX", 2)  # the older one is found all the same
    with pytest.raises(UsageError, match="which release inc-web-20 is about"):
        mending.asked(tmp_path, "inc-we")
    with pytest.raises(UsageError, match="which release inc-worker-7 is about"):
        mending.asked(tmp_path, "inc-wo")
    with pytest.raises(UsageError, match="more than one incident"):
        mending.asked(tmp_path, "inc-w")
