"""The report: one HTML file with nothing to fetch, a timeline for each scenario."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from prodwise.drill.result import DrillResult, Trace
from prodwise.drill.table import HEAD, row, totals

WIDTH, HEIGHT, BASE = 800, 150, 128
BARS_MAX = 160
MARKS_MAX = 60
TOP = 12


@dataclass(frozen=True, slots=True)
class Bar:
    kind: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Mark:
    """kind: fault, action or event; at: seconds, as text."""

    kind: str
    x: float
    at: str
    text: str


@dataclass(frozen=True, slots=True)
class Tick:
    x: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """One scenario's timeline in the units of its view box."""

    name: str
    notes: tuple[str, ...]
    summary: str
    bars: tuple[Bar, ...]
    marks: tuple[Mark, ...]
    ticks: tuple[Tick, ...]
    width: int = WIDTH
    height: int = HEIGHT
    base: int = BASE


def write_report(result: DrillResult, path: Path) -> Path:
    """Writes the whole report to `path` and returns it."""
    path.write_text(render(result))
    return path


def render(result: DrillResult) -> str:
    """The report as HTML; whatever came from outside is escaped."""
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined
    )
    notes = {one.name: one.notes for one in result.scenarios}
    return templates.get_template("report.html").render(
        result=result,
        totals=totals(result),
        head=("result", *HEAD[1:]),
        rows=[row(one) for one in result.scenarios],
        charts=[chart(one, notes.get(one.name, ())) for one in result.traces],
    )


def chart(drawn: Trace, notes: tuple[str, ...]) -> Chart:
    """Requests a second as bars, the failed ones in front; faults, actions and events as upright lines."""
    seconds = max(drawn.seconds, 1.0)
    step = seconds / min(BARS_MAX, math.ceil(seconds * 2))
    sent = Counter(_bin(one.at - drawn.began, step) for one in drawn.requests)
    failed = Counter(_bin(one.at - drawn.began, step) for one in drawn.requests if one.failed)
    most = max(sent.values(), default=1)
    bars = [_bar("requests", number, count, most, step, seconds) for number, count in sorted(sent.items())]
    bars += [_bar("failed", number, count, most, step, seconds) for number, count in sorted(failed.items())]
    marks = [Mark(_kind(kind), _x(at, seconds), f"{at:.1f}", text) for at, kind, text in drawn.marks[:MARKS_MAX]]
    every = max(1, 5 * round(seconds / 40))
    ticks = [Tick(_x(at, seconds), f"{at} s") for at in range(0, int(seconds), every)]
    total, lost = sum(sent.values()), sum(failed.values())
    summary = f"{total} requests in {seconds:.0f} s, {lost} failed"
    return Chart(drawn.name, notes, summary, tuple(bars), tuple(marks), tuple(ticks))


def _bin(at: float, step: float) -> int:
    return max(0, int(at / step))


def _bar(kind: str, number: int, count: int, most: int, step: float, seconds: float) -> Bar:
    height = (BASE - TOP) * count / most
    width = max(1.0, WIDTH * step / seconds - 1)
    return Bar(kind, _x(number * step, seconds), round(BASE - height, 1), round(width, 1), round(height, 1))


def _x(at: float, seconds: float) -> float:
    return round(min(max(at, 0.0), seconds) / seconds * WIDTH, 1)


def _kind(kind: str) -> str:
    return kind if kind in ("fault", "action") else "event"
