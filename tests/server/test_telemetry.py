"""The API about traces and metrics: the graph, series by page and by minute."""

from __future__ import annotations

import pytest

from prodwise import clock
from prodwise.model.digest import Delivery
from prodwise.model.telemetry import Calls, Kind, Measured, Point, Series
from prodwise.store.reports.writer import ReportWriter
from tests.server.running_server import World
from tests.server.test_reports import get, status, writer

__all__ = ["writer"]
KEY = "ab" * 16


@pytest.fixture
def told(writer: ReportWriter) -> int:
    """The minute before this one, of which something was told."""
    minute = int(clock.now()) // 60 * 60 - 60
    calls = (Calls(minute, "shop", "stock", "", 4, 1, 100.0, 60.0), Calls(minute, "", "stock", "", 2, 0, 10.0, 6.0))
    series = Series(KEY, "shop", "orders<b>", "1", Kind.TOTAL, {"route": "/pay"})
    points = tuple(
        Measured(series, Point(minute - 60 * ago, minute - 60.0 * ago, value, minute - 600.0))
        for ago, value in ((2, 10.0), (1, 14.0), (0, 21.0))
    )
    writer.write([Delivery(1, clock.now(), calls=calls, measured=points)])
    return minute


def test_the_graph_says_who_called_whom_how_often_and_how_long(world: World, told: int) -> None:
    graph = get(world, "graph")
    assert graph["edges"] == [
        {"caller": "shop", "callee": "stock", "count": 4, "errors": 1, "ms_max": 60.0, "ms_mean": 25.0}
    ]
    assert graph["nodes"] == [
        {"name": "shop", "count": 0, "errors": 0, "ms_max": 0.0, "ms_mean": None},
        {"name": "stock", "count": 2, "errors": 0, "ms_max": 6.0, "ms_mean": 5.0},
    ]
    assert get(world, "graph", project=2)["edges"] == []


def test_series_are_listed_and_told_by_minute(world: World, told: int) -> None:
    (one,) = get(world, "series")["series"]
    assert (one["key"], one["name"], one["attributes"], one["kind"]) == (KEY, "orders<b>", {"route": "/pay"}, "total")
    minutes = get(world, f"series/{KEY}")["minutes"]
    assert [(one["minute"], one["value"], one["p95"]) for one in minutes] == [(told - 60, 4.0, None), (told, 7.0, None)]
    assert status(world, f"series/{'0' * 32}") == 404
    assert status(world, "series/nothing") == 422
    assert status(world, "graph", minutes=0) == 422


def test_nobody_sees_them_without_a_session(world: World) -> None:
    with world.stranger() as client:
        for path in ("graph", "series", f"series/{KEY}"):
            assert client.get(f"/api/v1/{path}").status_code == 401
