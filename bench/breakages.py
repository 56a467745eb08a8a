"""Whether the dependency that broke a build is found from its log alone: logs with the truth beside them, from PRODWISE_BENCH_DATA."""

from __future__ import annotations

import gzip
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench.running import Tell, quantile
from bench.table import Figure, Part
from prodwise.loop.diagnose.logs import clean, diagnose_log
from prodwise.model.breakage import Breakage

NAME = "logs"
FOLDER = "dependency-breakage"


@dataclass(frozen=True, slots=True)
class Scored:
    """One log. rank: of the guilty package among the causes, from 1; 0 if it is not among them."""

    log: str
    rank: int
    kind: bool
    version_from: bool
    version_to: bool
    ms: float
    confidence: float


def run(tell: Tell) -> Part:
    data = os.environ.get("PRODWISE_BENCH_DATA", "")
    logs = sorted((Path(data) / FOLDER).glob("*.log.gz")) if data else []
    if not logs:
        why = f"holds no {FOLDER}/*.log.gz" if data else "is not set"
        return Part(NAME, not_run=(f"logs with their truth: PRODWISE_BENCH_DATA {why}",))
    tell(f"{NAME}: {len(logs)} logs")
    scored = [score(log) for log in logs]
    many = len(scored)

    def share(of: list[bool]) -> float:
        return 100.0 * sum(of) / len(of)

    firsts = [one for one in scored if one.rank == 1]
    figures = (
        Figure("guilty dependency first", share([one.rank == 1 for one in scored]), "%", 95.0, True, many=many),
        Figure("among the first three", share([1 <= one.rank <= 3 for one in scored]), "%", many=many),
        Figure("class of the failure", share([one.kind for one in scored]), "%", many=many),
        Figure("version in use, where found", share([one.version_to for one in firsts] or [False]), "%", many=len(firsts)),
        Figure("version before, where found", share([one.version_from for one in firsts] or [False]), "%", many=len(firsts)),
        Figure("time of a log, p50", median(one.ms for one in scored), "ms", 50.0, many=many),
        Figure("time of a log, p99", quantile([one.ms for one in scored], 0.99), "ms", many=many),
    )  # fmt: skip
    return Part(
        NAME, figures, detail=tuple({"log": one.log, "rank": one.rank, "ms": round(one.ms, 1)} for one in scored)
    )


def score(path: Path) -> Scored:
    """The diagnosis of one log beside the JSON file of its name."""
    truth = json.loads(path.with_name(path.name.removesuffix(".log.gz") + ".json").read_text())
    data = gzip.decompress(path.read_bytes())
    begun = time.perf_counter()
    found = diagnose_log(clean(data))
    ms = 1000 * (time.perf_counter() - begun)
    return beside(path.name[:8], found, truth, ms)


def beside(name: str, found: Breakage, truth: Mapping[str, Any], ms: float) -> Scored:
    guilty = f"{truth['dependency_group']}:{truth['dependency_artifact']}"
    rank = next((place for place, one in enumerate(found.causes, 1) if one.what == guilty), 0)
    if not found.causes:
        return Scored(name, 0, False, False, False, ms, 0.0)
    first = found.causes[0]
    return Scored(
        name, rank, first.kind.value == str(truth["failure_category"]).lower(),
        first.version_from == truth["version_from"], first.version_to == truth["version_to"], ms, first.confidence,
    )  # fmt: skip
