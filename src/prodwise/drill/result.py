"""What a drill found. The JSON form is a contract (`prodwise drill run --json FILE`)."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import psutil

from prodwise.drill.healers.base import Event
from prodwise.drill.traffic.records import Sent
from prodwise.model.errors import UsageError

SCHEMA_VERSION = 1
NOT_RUN = "not run"


@dataclass(frozen=True, slots=True)
class ActionTaken:
    """at: seconds after the scenario began; result: done, failed, undone or unknown."""

    kind: str
    at: float
    target: str
    result: str


@dataclass(frozen=True, slots=True)
class ScenarioResult:
    """Seconds are counted from when the fault was injected, or, for a release or configuration, from its first bad request;
    None where there was nothing to measure. outcome: one of the contract's, or "not run" (then `passed` is None); fix: "proposed"
    or "held" where the scenario asked for a lasting fix and it came."""

    name: str
    outcome: str
    expected: str
    passed: bool | None
    actions: tuple[ActionTaken, ...] = ()
    seconds_to_detect: float | None = None
    seconds_to_decide: float | None = None
    seconds_to_recover: float | None = None
    requests: int = 0
    requests_failed: int = 0
    wrong_actions: int = 0
    repeats: int = 0
    notes: tuple[str, ...] = ()
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Trace:
    """What the report draws. Times are seconds after the scenario began."""

    name: str
    seconds: float
    requests: tuple[Sent, ...]
    began: float
    marks: tuple[tuple[float, str, str], ...]  # (seconds, "fault" or an event's kind, words)


@dataclass(frozen=True, slots=True)
class Totals:
    passed: int
    failed: int
    not_run: int
    mttr_median: float | None
    mttr_worst: float | None
    repeated_failure_rate: float
    wrong_actions: int


@dataclass(frozen=True, slots=True)
class DrillResult:
    healer: str
    machine: dict[str, str | int]
    scenarios: tuple[ScenarioResult, ...]
    traces: tuple[Trace, ...] = ()

    @property
    def totals(self) -> Totals:
        """mttr: over scenarios in which users noticed something and it ended; repeated: share of scenarios with a fault
        healed in which the same remedy was needed again."""
        ran = [one for one in self.scenarios if one.passed is not None]
        times = [one.seconds_to_recover for one in ran if one.seconds_to_recover is not None]
        acted = [one for one in ran if one.actions]
        return Totals(
            passed=sum(one.passed is True for one in ran),
            failed=sum(one.passed is False for one in ran),
            not_run=len(self.scenarios) - len(ran),
            mttr_median=round(median(times), 3) if times else None,
            mttr_worst=max(times) if times else None,
            repeated_failure_rate=round(sum(one.repeats > 0 for one in acted) / len(acted), 4) if acted else 0.0,
            wrong_actions=sum(one.wrong_actions for one in ran),
        )

    @property
    def exit_code(self) -> int:
        """0 only if something ran and all that ran passed."""
        return 0 if self.totals.passed and not self.totals.failed else 1

    def to_json(self) -> str:
        body = {
            "schema_version": SCHEMA_VERSION,
            "healer": self.healer,
            "machine": self.machine,
            "scenarios": [asdict(one) for one in self.scenarios],
            "totals": asdict(self.totals),
        }
        return json.dumps(body, indent=2)

    def write(self, path: str) -> None:
        """To a file, whole or not at all, or to standard output for "-"."""
        if path == "-":
            print(self.to_json())
            return
        draft = Path(f"{path}.part")
        draft.write_text(self.to_json() + "\n")
        draft.replace(path)


def drilled(healer: str, played: Sequence[tuple[ScenarioResult, Trace | None]], json_path: str | None) -> DrillResult:
    """What was played, as one result, written where that is asked for."""
    traces = tuple(drawn for _, drawn in played if drawn is not None)
    result = DrillResult(healer, this_machine(), tuple(one for one, _ in played), traces)
    if json_path:
        result.write(json_path)
    return result


def check_place(path: str | None) -> None:
    """Raises UsageError now for a result that could not be written when all is over."""
    folder = Path(path or "-").parent
    if path and path != "-" and (Path(path).is_dir() or not (folder.is_dir() and os.access(folder, os.W_OK))):
        raise UsageError(
            f"the result cannot be written to {path}", "name a file in a folder that exists, or - for stdout"
        )


def this_machine() -> dict[str, str | int]:
    """What makes figures comparable; nothing that names the machine."""
    return {
        "system": f"{platform.system()} {platform.release()}",
        "processor": platform.machine(),
        "cores": os.cpu_count() or 0,
        "memory_mib": psutil.virtual_memory().total // 2**20,
        "python": platform.python_version(),
    }


def trace(name: str, began: float, ended: float, requests: Sequence[Sent], events: Sequence[Event],
          faults: Sequence[tuple[float, str]]) -> Trace:  # fmt: skip
    """Puts faults and events on one line of time."""
    marks = [(at, "fault", words) for at, words in faults]
    marks += [(event.at - began, event.kind, event.text) for event in events]
    return Trace(name, ended - began, tuple(requests), began, tuple(sorted(marks)))
