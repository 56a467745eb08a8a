"""Bars of requests and failures over time, with markers: geometry in percent of the width, ready for an SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from prodwise.model.record import Entry
from prodwise.server.views.decision import effect_words
from prodwise.server.views.words import count, percent, visible

HEIGHT = 56.0  # px of the bars' area
FAIL_MIN = 2.0  # px: a single failure must be seen


@dataclass(frozen=True, slots=True)
class Bar:
    """x, width in percent; y, height of all requests and of the failed ones in px from the top."""

    x: str
    width: str
    y: str
    height: str
    fail_y: str
    fail_height: str
    failed: int


@dataclass(frozen=True, slots=True)
class Marker:
    """kind: deploy, heal or flag."""

    x: str
    kind: str
    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table behind the picture."""

    at: float
    requests: int
    failed: int
    share: str


@dataclass(frozen=True, slots=True)
class Strip:
    since: float
    until: float
    bars: tuple[Bar, ...]
    markers: tuple[Marker, ...]
    rows: tuple[Row, ...]
    requests: int
    failed: int
    summary: str

    @property
    def empty(self) -> bool:
        return self.requests == 0


def strip(
    buckets: Sequence[tuple[float, int, int]], entries: Sequence[Entry], since: float, until: float, rows: int = 24
) -> Strip:
    """buckets: (start, requests, failed), oldest first; those outside [since, until] are left out."""
    inside = [b for b in buckets if since - 1 <= b[0] <= until]
    span = max(1.0, until - since)
    step = min((later[0] - sooner[0] for sooner, later in pairwise(inside)), default=span)
    most = max((b[1] for b in inside), default=0)
    requests, failed = sum(b[1] for b in inside), sum(b[2] for b in inside)
    return Strip(
        since=since,
        until=until,
        bars=tuple(_bar(b, since, span, step, most) for b in inside if b[1]),
        markers=tuple(_markers(entries, since, span)),
        rows=tuple(_rows(inside, since, span, rows)),
        requests=requests,
        failed=failed,
        summary=f"{count(requests, 'request')}, {failed:,} failed ({percent(failed / requests)})"
        if requests
        else "no requests seen",
    )


def _bar(bucket: tuple[float, int, int], since: float, span: float, step: float, most: int) -> Bar:
    """Heights grow with the square root, so that few requests and few failures are still seen; the table has the figures."""
    at, requests, failed = bucket
    height = max(3.0, HEIGHT * (requests / most) ** 0.5)
    bad = max(FAIL_MIN, height * (failed / requests) ** 0.5) if failed else 0.0
    height = max(height, bad)
    left = max(0.0, (at - since) / span * 100)
    return Bar(
        x=f"{left:.2f}%",
        width=f"{max(0.15, min(step / span * 100 * 0.78, 100 - left)):.2f}%",
        y=f"{HEIGHT - height:.1f}",
        height=f"{height - bad:.1f}",
        fail_y=f"{HEIGHT - bad:.1f}",
        fail_height=f"{bad:.1f}",
        failed=failed,
    )


MARKED = {
    "release": "deploy",
    "restart": "heal",
    "rollback": "heal",
    "flag_off": "flag",
    "flag": "flag",
    "heal": "heal",
    "config": "flag",
    "manual": "heal",
}


def _markers(entries: Sequence[Entry], since: float, span: float) -> list[Marker]:
    """From entries of kind `change` and settled `effect`s."""
    found = []
    for entry in entries:
        kind = marker_kind(entry)
        if kind and since <= entry.at <= since + span:
            text = effect_words(entry.data, entry.service) if entry.kind == "effect" else entry.text
            found.append(Marker(f"{(entry.at - since) / span * 100:.2f}%", kind, entry.at, visible(text, 120)))
    return sorted(found, key=lambda marker: marker.at)[-60:]


def marker_kind(entry: Entry) -> str:
    """deploy, heal, flag, or "" for entries that mark nothing."""
    if entry.kind == "change":
        return MARKED.get(str(entry.data.get("kind", "")), "")
    if entry.kind == "effect" and entry.data.get("state") == "done":
        return MARKED.get(str(entry.data.get("kind", "")), "")
    return ""


def _rows(inside: Sequence[tuple[float, int, int]], since: float, span: float, rows: int) -> list[Row]:
    """The buckets joined into at most `rows` lines; those without requests are left out."""
    joined: dict[int, list[int]] = {}
    for at, requests, failed in inside:
        if requests:
            cell = joined.setdefault(max(0, min(rows - 1, int((at - since) / span * rows))), [0, 0])
            cell[0] += requests
            cell[1] += failed
    return [
        Row(since + index * span / rows, cell[0], cell[1], percent(cell[1] / cell[0]))
        for index, cell in sorted(joined.items())
    ]
