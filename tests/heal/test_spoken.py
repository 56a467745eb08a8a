"""A package that a release changed, named from what a real SDK reports, from what its process wrote, and from its failed build."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from types import ModuleType

import pytest
import sentry_sdk

from prodwise.clock import now
from prodwise.heal.mending import mending
from prodwise.heal.parts import Parts, ReportsIn
from prodwise.heal.spoken import spoken_of, withdrawn
from prodwise.heal.suspects import Suspects
from prodwise.loop.diagnose.case import Exit
from prodwise.model.commit import Commit
from prodwise.model.delta import Delta, Package
from prodwise.model.incident import Incident, IncidentState, Symptom
from prodwise.model.release import Release, ReleaseState
from prodwise.notify.command import CommandNotifier
from prodwise.signals.access_log import AccessLog
from prodwise.signals.replay import Replay
from prodwise.store.sql import SqlStore
from prodwise.targets.local.layout import program
from prodwise.targets.local.local_control import layout_of
from prodwise.targets.local.words import LocalWords
from prodwise.testing.fake_target import FakeTarget
from prodwise.testing.receivers import Receivers, receivers
from prodwise.wiring import reports
from tests.heal.test_suspects import _Nobody

PACKAGES = (Package("requirements.txt", "ledgerlib", "1.4.0", "2.0.0"), Package("requirements.txt", "other", "1", "2"))
GOOD, BAD = "a" * 40, "b" * 40
BOOT = """Traceback (most recent call last):
  File "/srv/app/wsgi.py", line 1, in <module>
    from ledgerlib import total
ImportError: cannot import name 'total' from 'ledgerlib' (/srv/venv/lib/python3.11/site-packages/ledgerlib/__init__.py)
"""


class _Compares:
    """Implements ports.Compares."""

    def delta(self, older: Release, newer: Release) -> Delta:
        return Delta(older.id, older.commit, newer.commit, packages=PACKAGES, package_count=len(PACKAGES))


class _Says:
    """Implements ports.LastWords."""

    def said(self, service: str, slot: str, release: str) -> str:
        return BOOT if (service, slot) == ("web", "a") else ""


@pytest.fixture
def library(tmp_path: Path) -> Iterator[ModuleType]:
    """A package as it is installed, that raises in its own code."""
    place = tmp_path / "lib/python3.11/site-packages/ledgerlib"
    place.mkdir(parents=True)
    (place / "__init__.py").write_text("def total(cart):\n    raise ValueError('a cart is a list of lines')\n")
    sys.path.insert(0, str(place.parent))
    try:
        spec = importlib.util.find_spec("ledgerlib")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module
    finally:
        sys.path.remove(str(place.parent))
        sys.modules.pop("ledgerlib", None)


@pytest.fixture
def receiving(tmp_path: Path) -> Iterator[Receivers]:
    with receivers(tmp_path / "app", 1, "") as running:
        sentry_sdk.init(dsn=running.dsn, release=f"2-{BAD[:7]}")
        try:
            yield running
        finally:
            sentry_sdk.get_client().close(timeout=5)
            sentry_sdk.init()


def parts_of(folder: Path, store: SqlStore, receiving: Receivers) -> Parts:
    config = receiving.config
    came = ReportsIn(
        partial(reports.feed, folder, config), receiving.archive, partial(reports.projects, folder, config)
    )
    return Parts(
        config, folder, "", store, FakeTarget(config.inventory(), now), AccessLog(folder / "access.log"), _Nobody(), Replay(),
        CommandNotifier(""), reporting=came, compares=_Compares(),
    )  # fmt: skip


def two_releases(store: SqlStore, *, built: bool = True) -> tuple[str, str]:
    good, bad = (store.releases.create(commit, "ana").id for commit in (GOOD, BAD))
    store.releases.set_state(good, ReleaseState.VERIFIED_GOOD, "")
    if built:
        delta = Delta(good, GOOD, BAD, packages=PACKAGES, package_count=2)
        store.releases.describe(bad, digest="d", title="", author="", facts={"built": True, "delta": delta.to_json()})
        store.releases.set_state(bad, ReleaseState.PROMOTED, "")
    return good, bad


def an_incident(store: SqlStore, bad: str, name: str = "inc-1") -> str:
    at = now()
    symptom = Symptom("errors", "web", "requests fail", at - 5, at, release=bad)
    store.incidents.open(Incident(name, "web", (symptom,), at, IncidentState.SEEN))
    leading = {"cause": "release", "text": "began with it", "weight": 2.0, "supports": [], "subject": bad}
    store.incidents.save(name, diagnosis={"hypotheses": [leading], "unknown": []})
    return name


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_an_error_raised_in_a_changed_package_names_it_and_its_pin(
    tmp_path: Path, store: SqlStore, receiving: Receivers, library: ModuleType
) -> None:
    parts = parts_of(tmp_path / "app", store, receiving)
    _, bad = two_releases(store)
    incident = an_incident(store, bad)
    try:
        library.total([])
    except ValueError as error:
        sentry_sdk.capture_exception(error)
    sentry_sdk.flush(10)
    (found,) = spoken_of(parts, store.incidents.row(incident), ())
    assert (found.name, found.before, found.after, found.sure) == ("ledgerlib", "1.4.0", "2.0.0", True)
    Suspects(replace(parts, history=_NoHistory())).turn(now())
    (fact,) = store.incidents.evidence(incident)
    assert (fact.kind, fact.data["pin"]) == ("package", "prodwise pin ledgerlib==1.4.0")
    leading, second = store.incidents.row(incident)["diagnosis"]["hypotheses"]
    assert (leading["cause"], leading["subject"], second["cause"]) == ("dependency", bad, "release")
    assert fact.id in leading["supports"]
    assert parts.reporting is not None
    asked = mending(store, parts.reporting, incident, lambda: "")
    assert (asked.release.commit, asked.since) == (BAD, GOOD)
    assert [(one.name, one.before, one.after) for one in asked.packages] == [("ledgerlib", "1.4.0", "2.0.0")]
    assert "ledgerlib" in json.dumps(asdict(asked.packages[0]))


class _NoHistory:
    """Implements ports.History: no commit is known."""

    def commits(self, good: str, bad: str) -> list[Commit]:
        return []

    def tree(self, commit: str) -> list[str]:
        return []

    def texts(self, commit: str, paths: Sequence[str]) -> dict[str, str]:
        return {}

    def holds(self, commit: str, fix: str, trailer: str) -> bool:
        return False


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_a_release_that_cannot_be_built_tells_which_package_it_is(
    tmp_path: Path, store: SqlStore, receiving: Receivers
) -> None:
    parts = parts_of(tmp_path / "app", store, receiving)
    good, bad = two_releases(store, built=False)
    withdrawn(parts, bad, good, "uv pip install failed (exit code 1):\nsomething else")
    assert [one for one in store.ledger.recent() if one.kind == "suspect"] == []
    withdrawn(parts, bad, good, f"the build line failed (exit code 1):\n{BOOT}")
    (told,) = [one for one in store.ledger.recent() if one.kind == "suspect"]
    assert "moved ledgerlib 1.4.0 → 2.0.0 (requirements.txt)" in told.text
    assert "prodwise pin ledgerlib==1.4.0" in told.text


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_what_a_process_wrote_before_it_ended_is_read(tmp_path: Path, store: SqlStore, receiving: Receivers) -> None:
    parts = replace(parts_of(tmp_path / "app", store, receiving), words=_Says())
    good, bad = two_releases(store)
    row = store.incidents.row(an_incident(store, bad, f"inc-{bad}"))
    assert spoken_of(parts, row, ()) == (), "its process did not end"
    (found,) = spoken_of(parts, row, (Exit(now(), "web", "a", bad, 1, 0.5),))
    assert (found.name, found.source) == ("ledgerlib", "log")
    withdrawn(parts, bad, good, "it did not start")
    withdrawn(parts, bad, good, "it did not start")
    assert [one.kind for one in store.incidents.evidence(f"inc-{bad}")] == ["package"]
    assert store.incidents.row(f"inc-{bad}")["diagnosis"]["hypotheses"][0]["cause"] == "dependency"


def test_words_are_those_of_the_release_that_was_asked_for(tmp_path: Path) -> None:
    layout = layout_of(tmp_path)
    for folder in (layout.run, layout.log):
        folder.mkdir(parents=True)
    words = LocalWords(tmp_path)
    assert words.said("web", "a", "2-bbbbbbb") == ""
    layout.running_release(program("web", "a")).write_text("2-bbbbbbb")
    layout.program_log(program("web", "a")).write_text("x" * 100_000 + "\n" + BOOT)
    assert words.said("web", "a", "2-bbbbbbb").endswith(BOOT.rstrip())
    assert len(words.said("web", "a", "2-bbbbbbb")) <= 16_384
    assert words.said("web", "a", "1-aaaaaaa") == ""
