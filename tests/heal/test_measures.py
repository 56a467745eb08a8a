"""Metrics that somebody watches, from what receivers stored to what stands beside the other outsiders' words."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from prodwise.clock import monotonic, now
from prodwise.config import validate
from prodwise.heal.measures import Measures
from prodwise.heal.outside import Outside
from prodwise.model.digest import Delivery
from prodwise.model.errors import ConfigError
from prodwise.model.telemetry import Kind, Measured, Point, Series, Watched
from prodwise.store.reports.shelves import Shelves
from prodwise.store.reports.telemetry import SqlTelemetry
from prodwise.store.reports.writer import ReportWriter
from prodwise.store.sql import SqlStore


def configured(**watch: Any) -> dict[str, Any]:
    return {
        "services": {"web": {"command": "x"}},
        "signals": {"watch": [{"metric": "queue.depth", "above": 100, **watch}]},
    }


def told(folder: Path, level: float, count: int) -> SqlTelemetry:
    """A level of the last `count` minutes, as a receiver stored it."""
    minute = int(now()) // 60 * 60
    series = Series("ab" * 16, "shop", "queue.depth", "", Kind.GAUGE)
    points = tuple(Measured(series, Point(minute - 60 * ago, minute - 60.0 * ago, level)) for ago in range(count))
    writer = ReportWriter(f"sqlite:///{folder}/reports-0.db", 0)
    writer.write([Delivery(1, now(), measured=points)])
    writer.close()
    return SqlTelemetry(Shelves(folder))


def test_what_is_above_its_limit_for_so_long_stands_beside_the_other_outsiders(store: SqlStore, tmp_path: Path) -> None:
    telemetry = told(tmp_path, 150.0, 8)
    heard = Outside(store, validate(configured(**{"for": "3 min", "service": "web"}), "test"), telemetry)
    deadline = monotonic() + 20
    while not (found := heard.look()) and monotonic() < deadline:
        time.sleep(0.02)
    heard.measures.stop()
    (symptom,) = found["web"]
    assert (symptom.kind, symptom.source, symptom.ours) == ("alarm", "otlp", False)
    assert heard.standing("web")


def test_what_is_below_or_not_for_long_enough_does_not(tmp_path: Path) -> None:
    for number, (level, minutes) in enumerate(((150.0, 2), (99.0, 8))):
        folder = tmp_path / str(number)
        folder.mkdir()
        measures = Measures(told(folder, level, minutes), [Watched("queue.depth", 100.0, 240.0)])
        measures.turn()
        assert measures.look() == []
        measures.stop()


def test_without_receivers_or_limits_nothing_is_read() -> None:
    for measures in (Measures(None, [Watched("m", 1.0, 60.0)]), Measures(SqlTelemetry(Shelves(None, "sqlite://")), [])):
        assert measures.look() == []
        measures.stop()


def test_a_limit_that_does_not_fit_is_an_error_that_says_why() -> None:
    with pytest.raises(ConfigError, match="service names 'wbe', which does not exist"):
        validate(configured(service="wbe"), "test")
    with pytest.raises(ConfigError) as wrong:
        validate(configured(fro="5 min"), "test")
    assert wrong.value.hint == "did you mean 'for'?"
