"""The API's part about traces and metrics: the call graph, series of numbers."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import Path, Query

from prodwise import ports
from prodwise.clock import now
from prodwise.loop.telemetry import graph_of, readings
from prodwise.model.telemetry import CallGraph, Edge, KeptSeries, Node
from prodwise.server.doors import Door, NotFound, Policy
from prodwise.server.reading import Reader

SCHEMA_VERSION = 1
MINUTE_S = 60.0

Json = dict[str, Any]
Project = Annotated[int | None, Query(ge=1, le=1_000_000)]
Minutes = Annotated[int, Query(ge=1, le=1_440)]
SeriesKey = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]


class TelemetryApi:
    """Without receivers every list is empty and nothing is found."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    @property
    def _telemetry(self) -> ports.Telemetry | None:
        reporting = self._reader.parts.reporting
        return reporting.telemetry if reporting else None

    def doors(self) -> tuple[Door, ...]:
        ways = (("graph", self.graph), ("series", self.series), ("series/{key}", self.one_series))
        return tuple(Door("GET", f"/api/v1/{path}", Policy.SESSION, endpoint) for path, endpoint in ways)

    def graph(self, minutes: Minutes = 60, project: Project = None) -> Json:
        """Who called whom in the last `minutes`, as traces tell; what a node was asked it told itself, zeros when it did not."""
        until = now()
        told = self._telemetry.calls(until - minutes * MINUTE_S, until, project) if self._telemetry else []
        graph: CallGraph = graph_of(told)
        return {
            "schema_version": SCHEMA_VERSION,
            "minutes": minutes,
            "nodes": [_part(one) for one in graph.nodes],
            "edges": [_part(one) for one in graph.edges],
        }

    def series(
        self,
        project: Project = None,
        name: str = Query("", max_length=200, pattern=r"^[^\x00]*$"),
        after: str = Query("", pattern="^[0-9a-f]{0,32}$"),
        limit: int = Query(50, ge=1, le=200),
    ) -> Json:
        """What metrics there are, or the series of one; `next` begins the next page, "" at the end."""
        found, following = (
            self._telemetry.series(project, name=name, after=after, limit=limit) if self._telemetry else ([], "")
        )
        return {"schema_version": SCHEMA_VERSION, "series": [_told(one) for one in found], "next": following}

    def one_series(self, key: SeriesKey, minutes: Minutes = 60) -> Json:
        """One series by minute: its level, or what was added to it; of a histogram's values how many there were and their p95."""
        found = self._telemetry.one_series(key) if self._telemetry else None
        if found is None or self._telemetry is None:
            raise NotFound(f"there is no series {key!r}", "`GET /api/v1/series` lists them")
        since = now() - minutes * MINUTE_S
        points = self._telemetry.points(key, since - MINUTE_S)  # one more, for the first minute of a total
        told = [asdict(one) for one in readings(found.series.kind, points)]
        return {"schema_version": SCHEMA_VERSION, "series": _told(found), "minutes": told}


def _part(one: Node | Edge) -> Json:
    told = asdict(one)
    ms_sum = told.pop("ms_sum")
    return {**told, "ms_mean": ms_sum / one.count if one.count else None}


def _told(one: KeptSeries) -> Json:
    return {**asdict(one.series), "project": one.project, "last_seen": one.last_seen}
