"""Random scenarios: the drill's own ones with other times, rates, seeds and sizes. The same seed makes the same scenarios."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import tomlkit

from prodwise.drill.scenario import Scenario, find, parse

PROCESS_FAULTS = ("crash", "hang")
"""What a restart can cure: the only faults that the comparison healers know an answer to."""

ALL = ("crash", "hang", "worker-crash", "double-kill", "slow", "crash-loop", "bad-release", "boot-release", "gate-release",
       "slow-release", "config", "overload", "upstream-down")  # fmt: skip
NOTHING_WRONG = ("quiet", "noisy", "ramp-up", "idle", "good-release")
PATIENCE_S = 25.0
"""A comparison healer that has not helped by then is not waited for; Monit gets a cycle of its own."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """seed: the traffic's."""

    scenario: Scenario
    kind: str
    seed: int

    @property
    def faulty(self) -> bool:
        return self.kind not in NOTHING_WRONG


def draw(seed: int, kinds: Sequence[str]) -> list[Drawn]:
    """One scenario of each kind."""
    return [_draw(Random(f"{seed}/{number}/{kind}"), kind, number) for number, kind in enumerate(kinds, 1)]


def _draw(dice: Random, kind: str, number: int) -> Drawn:
    """Earlier or later (all faults together), 24–60 requests/s, up to a quarter shorter or longer what lasts, stronger or weaker
    what has a size. What is to come of it stays; failures that are acceptable grow with the traffic."""
    data = find(kind).model_dump(exclude_none=True, exclude_defaults=True)
    moved, pace = round(dice.uniform(-2.0, 3.0), 2), round(dice.uniform(0.6, 1.5), 3)
    data["name"] = f"{kind}-{number}"
    _change_traffic(data["traffic"], pace)
    for fault in data.get("fault", ()):
        _change_fault(fault, dice, moved)
    if most := data["expect"].get("max_failed"):
        data["expect"]["max_failed"] = max(most, int(most * pace))
    if kind in NOTHING_WRONG and not data.get("fault"):
        data["seconds"] = round(dice.uniform(15.0, 30.0), 1)
    return Drawn(parse(_plain(data), data["name"], Path.cwd()), kind, dice.randrange(1, 2**31))


def _change_traffic(traffic: dict[str, Any], pace: float) -> None:
    for key in ("rate", "ramp_to"):
        if key in traffic:
            traffic[key] = round(traffic[key] * pace, 2)
    traffic.setdefault("rate", round(40.0 * pace, 2))


def _change_fault(fault: dict[str, Any], dice: Random, moved: float) -> None:
    fault["at"] = round(fault["at"] + moved, 2)
    if "seconds" in fault:
        fault["seconds"] = round(fault["seconds"] * dice.uniform(0.8, 1.25), 2)
    if fault["kind"] == "slow":
        fault["size"] = round(dice.uniform(0.75, 0.9), 3)


def shortened(drawn: Drawn, patience_s: float) -> Drawn:
    """The same scenario with an earlier end, for healers that may never help."""
    last = max((fault.at + fault.lasts for fault in drawn.scenario.fault), default=0.0)
    seconds = min(drawn.scenario.seconds, last + patience_s) if patience_s <= PATIENCE_S else last + patience_s
    return Drawn(drawn.scenario.model_copy(update={"seconds": seconds}), drawn.kind, drawn.seed)


def text(drawn: Drawn) -> str:
    """The scenario as the file that `prodwise drill run` takes."""
    return f"# seed = {drawn.seed}\n" + tomlkit.dumps(
        _plain(drawn.scenario.model_dump(exclude_none=True, exclude_defaults=True))
    )


def words(drawn: Drawn) -> str:
    """`hang-2: hang at 4.1 s, 38 requests/s, seed 7`."""
    faults = ", ".join(f"{fault.kind} at {fault.at:g} s" for fault in drawn.scenario.fault) or "no fault"
    return f"{drawn.scenario.name}: {faults}, {drawn.scenario.traffic.rate:g} requests/s, seed {drawn.seed}"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, (list, tuple)) else value
