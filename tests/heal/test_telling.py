"""Telling of a story ends none: whatever breaks in it, users are brought back and the story comes to its end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from prodwise.heal import migrated, spoken, withdrawn
from prodwise.heal.closing import attempt
from prodwise.heal.parts import Parts
from prodwise.loop import moves
from prodwise.model.errors import Fenced, TargetError
from prodwise.model.gate import GateResult, Verdict
from prodwise.model.release import ReleaseState
from prodwise.model.rollout import Stage
from prodwise.store.sql import SqlStore
from tests.heal.test_ship_progress import Deploy, Eyes, quick

SQLITE = pytest.mark.parametrize("store", ["sqlite"], indirect=True)


@pytest.fixture
def deploy(tmp_path: Path, store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> Deploy:
    """Of a release that users meet and that is worse; no healer dies of it."""

    def worse(self: Eyes, release: str, stage: Stage) -> tuple[GateResult, ...]:
        self.looks += 1
        return (GateResult("web: errors", Verdict.HOLD if self.looks < 3 else Verdict.FAIL, "more errors"),)

    monkeypatch.setattr(Eyes, "ramp_gates", worse)
    monkeypatch.setattr("tests.heal.test_ship_progress.Life.lives_on", lambda self: None)
    return Deploy(tmp_path, store, quick(monkeypatch))


def breaks(*_: Any, **__: Any) -> Any:
    raise KeyError("a mistake of ours")


def not_told(store: SqlStore) -> list[str]:
    return [one.text for one in store.ledger.recent(100, ("not_told",))]


@SQLITE
@pytest.mark.parametrize(
    ("where", "name", "said"),
    [(spoken, "withdrawn", "telling of it (spoken) failed: KeyError"),
     (withdrawn, "_withdrawal", "telling who was hit failed: KeyError"),
     (migrated, "announced", "announcing its migrations failed: KeyError")],
)  # fmt: skip
def test_a_release_goes_back_though_telling_of_it_breaks(
    deploy: Deploy, store: SqlStore, monkeypatch: pytest.MonkeyPatch, where: Any, name: str, said: str
) -> None:
    monkeypatch.setattr(where, name, breaks)
    if where is withdrawn:
        monkeypatch.setattr(withdrawn, "_onset", lambda parts, intake, turn: turn.since)
    else:
        monkeypatch.setattr(withdrawn, "opened", lambda parts, intake, turn: f"inc-{turn.release}")
    deploy.live()
    assert store.releases.load(deploy.release).state is ReleaseState.FAILED
    assert store.rollouts.current() is None
    assert moves.gone(deploy.config.inventory(), deploy.target.observe(), deploy.release), "users are back"
    assert not_told(store) == [said]


@SQLITE
def test_what_ends_this_process_passes_through(store: SqlStore) -> None:
    parts = cast(Parts, type("_Parts", (), {"records": store}))

    def refused() -> None:
        raise Fenced("another healer has the lease", "")

    with pytest.raises(Fenced):
        attempt(parts, "x", "inc-1", refused)


@SQLITE
def test_a_failure_is_recorded_once(store: SqlStore) -> None:
    parts = cast(Parts, type("_Parts", (), {"records": store}))

    def unseen() -> None:
        raise TargetError("git does not answer", "")

    told: Callable[[], object] = lambda: attempt(parts, "looking", "inc-1", unseen)  # noqa: E731
    assert (told(), told()) == (None, None)
    assert not_told(store) == ["looking failed: git does not answer"]
    assert attempt(parts, "looking", "inc-1", len, "abc") == 3
