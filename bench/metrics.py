"""Root causes over a call graph, on PetShop (41 components, one fault injected at a time): who is named first, and false alarms."""

from __future__ import annotations

import csv
import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.running import Tell
from bench.table import Figure, Part
from prodwise.loop.diagnose.metrics import rank

DATA = "PRODWISE_BENCH_DATA"
TOP1_MIN, TOP3_MIN, ALARMS_MAX = 85.0, 95.0, 1.0
WINDOW = 5
"""Samples: as many as an issue's own metrics have."""
FAILS_REALLY = 0.03
"""A share of failed requests from which on a window of the normal period is no quiet one."""

Table = dict[tuple[str, str, str], dict[float, float]]
Edges = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Issue:
    name: str
    scenario: str
    target: str
    metric: str
    cause: str
    table: Table


@dataclass(frozen=True, slots=True)
class Answer:
    """place: of the true cause in the answer, from 1; 0: not in it."""

    issue: str
    scenario: str
    target_told: bool
    place: int
    first: str
    ms: float


@dataclass(frozen=True, slots=True)
class Window:
    """A part of the normal period, judged against the rest of it. fails: the worst share of failed requests at the target."""

    scenario: str
    target_told: bool
    alarm: bool
    fails: float


def run(quick: bool, tell: Tell) -> Part:
    found = os.environ.get(DATA)
    folder = Path(found) / "petshop" if found else None
    if folder is None or not folder.is_dir():
        return Part("metrics", not_run=(f"{DATA} names no folder with petshop/ in it",))
    answers: list[Answer] = []
    windows: list[Window] = []
    for scenario in sorted(path for path in folder.iterdir() if (path / "graph.csv").is_file()):
        tell(f"metrics: PetShop, {scenario.name}")
        edges, normal = read_graph(scenario / "graph.csv"), read_table(scenario / "noissue" / "metrics.csv")
        issues = [read_issue(path.parent) for path in sorted(scenario.glob("*/issue_*/target.json"))]
        answers += [answer(edges, normal, one, told) for one in issues for told in (True, False)]
        target = issues[0].target if issues else None
        windows += quiet(scenario.name, edges, normal, target, step=WINDOW * (8 if quick else 1))
    return Part("metrics", tuple(figures_of(answers, windows)), detail=tuple(_detail(one) for one in answers))


def answer(edges: Edges, normal: Table, issue: Issue, told: bool) -> Answer:
    begun = time.perf_counter()
    causes = rank(edges, None, normal, issue.table, target=issue.target if told else None)
    ms = (time.perf_counter() - begun) * 1000
    names = [one.service for one in causes]
    place = names.index(issue.cause) + 1 if issue.cause in names else 0
    return Answer(issue.name, issue.scenario, told, place, names[0] if names else "", ms)


def quiet(scenario: str, edges: Edges, normal: Table, target: str | None, step: int) -> Iterator[Window]:
    """Each window of the normal period that begins at a multiple of `step` samples, against all that is not in it."""
    times = sorted({at for series in normal.values() for at in series})
    success = normal.get((target or "", "availability", "Average"), {})
    for first in range(0, len(times) - WINDOW + 1, step):
        inside = set(times[first : first + WINDOW])
        now = {key: {at: v for at, v in series.items() if at in inside} for key, series in normal.items()}
        rest = {key: {at: v for at, v in series.items() if at not in inside} for key, series in normal.items()}
        fails = max((1 - success[at] / 100 for at in inside if at in success), default=0.0)
        for told in (True, False) if target else (False,):
            yield Window(scenario, told, bool(rank(edges, None, rest, now, target=target if told else None)), fails)


def figures_of(answers: Sequence[Answer], windows: Sequence[Window]) -> Iterator[Figure]:
    for told in (True, False):
        words = "target told" if told else "target not told"
        mine = [one for one in answers if one.target_told is told]
        if not mine:
            continue
        each = sorted({one.scenario for one in mine})
        for top, least in ((1, TOP1_MIN), (3, TOP3_MIN)):
            beside = ", ".join(f"{s} {_share([o for o in mine if o.scenario == s], top):.1f}%" for s in each)
            yield Figure(
                f"true cause in the first {top}, {words}", _share(mine, top), "%", least, True, beside, len(mine)
            )
        looked = [one for one in windows if one.target_told is told]
        alarms = [one for one in looked if one.alarm]
        if looked:
            really = sum(one.fails >= FAILS_REALLY for one in alarms)
            yield Figure(f"an answer where no fault was injected, {words}", round(100 * len(alarms) / len(looked), 2), "%", ALARMS_MAX,
                         beside=f"{really} of {len(alarms)} while {FAILS_REALLY:.0%} or more of its requests failed",
                         many=len(looked))  # fmt: skip
    times = [one.ms for one in answers]
    if times:
        yield Figure(
            "one case, median", round(median(times), 1), "ms", beside=f"slowest {max(times):.0f} ms", many=len(times)
        )


def read_graph(path: Path) -> Edges:
    """A table of adjacency: callers in rows, callees in columns."""
    with path.open(newline="", encoding="utf-8") as file:
        head, *rows = list(csv.reader(file))
    return [(row[0], callee) for row in rows for callee, many in zip(head[1:], row[1:], strict=True) if float(many)]


def read_table(path: Path) -> Table:
    """Three rows of headers (service, metric, statistic), one with the name of the first column, then one row a sample."""
    with path.open(newline="", encoding="utf-8") as file:
        services, metrics, statistics, _, *samples = list(csv.reader(file))
    names = list(zip(services, metrics, statistics, strict=True))
    return {
        name: {float(row[0]): float(row[place]) for row in samples if row[place] not in ("", "nan")}
        for place, name in enumerate(names)
        if place
    }


def read_issue(folder: Path) -> Issue:
    told = json.loads((folder / "target.json").read_text(encoding="utf-8"))
    name = "/".join(folder.parts[-3:])
    return Issue(name, folder.parts[-3], told["target"]["node"], told["target"]["metric"], told["root_cause"]["node"],
                 read_table(folder / "metrics.csv"))  # fmt: skip


def _share(answers: Sequence[Answer], top: int) -> float:
    return round(100 * sum(1 <= one.place <= top for one in answers) / len(answers), 1)


def _detail(one: Answer) -> dict[str, object]:
    return {
        "issue": one.issue,
        "target_told": one.target_told,
        "place": one.place,
        "first": one.first,
        "ms": round(one.ms, 1),
    }
