"""An error that a real SDK reports, a real history, and the commit that the incident says it came in with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sentry_sdk

from bench.suspects import shop
from bench.suspects.play import History, play
from prodwise.clock import now
from prodwise.heal.parts import Parts, ReportsIn
from prodwise.heal.suspects import Suspects
from prodwise.loop.watch.withdrawn import UNKNOWN_LINE
from prodwise.model.event import Thrown
from prodwise.model.incident import Incident, IncidentState, Symptom
from prodwise.model.release import ReleaseState
from prodwise.notify.command import CommandNotifier
from prodwise.server.views.likely import likely_commit
from prodwise.signals.access_log import AccessLog
from prodwise.signals.replay import Replay
from prodwise.store.sql import SqlStore
from prodwise.targets.local.history import GitHistory
from prodwise.testing.fake_target import FakeTarget
from prodwise.testing.receivers import Receivers, receivers
from prodwise.wiring import reports


class _Nobody:
    """Implements ports.Prober: nothing is probed."""

    def see(self, seen: object) -> None: ...

    def results(self) -> list[object]:
        return []


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    fault = next(one for one in shop.PROJECT.faults if one.name == "function-removed")
    found = play(shop.PROJECT, fault, 1, tmp_path_factory.mktemp("history") / "repo")
    assert found is not None
    return found


@pytest.fixture
def receiving(tmp_path: Path, history: History) -> Iterator[Receivers]:
    with receivers(tmp_path / "app", 1, "") as running:
        sentry_sdk.init(dsn=running.dsn, release=f"2-{history.bad[:7]}")
        try:
            yield running
        finally:
            sentry_sdk.get_client().close(timeout=5)
            sentry_sdk.init()


def report(thrown: tuple[Thrown, ...]) -> None:
    values = [
        {"type": one.kind, "value": one.message, "stacktrace": {"frames": [frame(each) for each in one.frames]}}
        for one in thrown
    ]
    sentry_sdk.capture_event({"level": "error", "platform": "python", "exception": {"values": values}})
    sentry_sdk.flush(10)


def frame(told: Any) -> dict[str, Any]:
    file = str(told.file).rpartition("/app/")[2]
    return {"filename": file, "lineno": told.line, "function": told.function, "in_app": True, "context_line": told.code}


def an_incident(store: SqlStore, history: History, cause: str) -> str:
    at = now()
    good, bad = (store.releases.create(commit, "ana").id for commit in (history.good, history.bad))
    store.releases.set_state(good, ReleaseState.VERIFIED_GOOD, "")
    store.releases.set_state(bad, ReleaseState.PROMOTED, "")
    symptom = Symptom("errors", "web", "requests fail", at - 5, at, release=bad)
    store.incidents.open(Incident("inc-1", "web", (symptom,), at, IncidentState.SEEN))
    leading = {
        "cause": cause,
        "text": "x",
        "weight": 2.0,
        "supports": [],
        "subject": bad if cause == "release" else "web",
    }
    store.incidents.save("inc-1", diagnosis={"hypotheses": [leading], "unknown": [UNKNOWN_LINE, "how users fare"]})
    return "inc-1"


def suspects(folder: Path, store: SqlStore, receiving: Receivers, repo: Path) -> Suspects:
    config = receiving.config
    came = ReportsIn(
        partial(reports.feed, folder, config), receiving.archive, partial(reports.projects, folder, config)
    )
    parts = Parts(
        config, folder, "", store, FakeTarget(config.inventory(), now), AccessLog(folder / "access.log"), _Nobody(), Replay(),
        CommandNotifier(""), reporting=came, history=GitHistory(repo),
    )  # fmt: skip
    return Suspects(parts)


@pytest.mark.parametrize("cause", ["release", "errors"])
@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_the_guilty_commit_is_told_as_evidence_once(
    tmp_path: Path, store: SqlStore, receiving: Receivers, history: History, cause: str
) -> None:
    looking = suspects(tmp_path / "app", store, receiving, history.repo)
    incident = an_incident(store, history, cause)
    looking.turn(now())
    assert store.incidents.evidence(incident) == [], "nothing is reported yet"
    report(history.event.chain)
    looking.turn(now() + 11)
    (fact,) = store.incidents.evidence(incident)
    assert (fact.kind, fact.source) == ("suspect", "git")
    assert fact.data["suspects"][0]["commit"] == history.guilty
    assert [one.text for one in store.ledger.entries(incident=incident) if one.kind == "suspect"] == [fact.text]
    said = likely_commit([fact])
    assert re.match(rf"likely \(\d+ %\) came in with commit {history.guilty[:7]} \(“", said)
    assert ".py:" in said
    assert store.incidents.row(incident)["diagnosis"]["unknown"] == ["how users fare"], "the line is known now"
    looking.turn(now() + 60)
    assert len(store.incidents.evidence(incident)) == 1


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_no_commit_is_sought_for_what_no_release_brought(
    tmp_path: Path, store: SqlStore, receiving: Receivers, history: History
) -> None:
    looking = suspects(tmp_path / "app", store, receiving, history.repo)
    incident = an_incident(store, history, "upstream")
    report(history.event.chain)
    looking.turn(now())
    assert store.incidents.evidence(incident) == []


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_a_history_that_cannot_be_asked_hides_nothing_and_breaks_nothing(
    tmp_path: Path, store: SqlStore, receiving: Receivers, history: History
) -> None:
    (tmp_path / "none").mkdir()
    looking = suspects(tmp_path / "app", store, receiving, tmp_path / "none")
    incident = an_incident(store, history, "release")
    report(history.event.chain)
    looking.turn(now())
    assert store.incidents.evidence(incident) == []
