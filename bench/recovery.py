"""The drill with randomised faults, times, rates and seeds, under Prodwise and under what a team would use instead."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench import respawn
from bench.running import Tell
from bench.scenarios import ALL, NOTHING_WRONG, PATIENCE_S, PROCESS_FAULTS, Drawn, draw, shortened, text, words
from bench.table import Figure, Part
from prodwise.drill.result import ScenarioResult
from prodwise.drill.run import run_scenarios

QUICK = ("crash", "hang", "quiet")
PATIENCE_QUICK_S = 10.0
MONIT_PATIENCE_S = 140.0  # its cycle in Debian is two minutes


@dataclass(frozen=True, slots=True)
class Played:
    healer: str
    drawn: Drawn
    result: ScenarioResult

    @property
    def right(self) -> bool:
        """The expected outcome, by the expected kinds of action, and no other."""
        rest = iter([one.kind for one in self.result.actions])
        layer = all(kind in rest for kind in self.drawn.scenario.expect.actions)
        return self.result.outcome == self.result.expected and layer and not self.result.wrong_actions


def run(quick: bool, tell: Tell, seed: int) -> Part:
    times = respawn.measure(quick, tell)
    played: list[Played] = []
    for healer, drawn in plan(quick, seed):
        tell(f"recovery: {healer}: {words(drawn)}")
        played.append(Played(healer, drawn, play(healer, drawn)))
        tell(f"  {played[-1].result.outcome}, expected {played[-1].result.expected}")
    skipped = tuple(f"{one.healer}: {one.drawn.scenario.name}: {'; '.join(one.result.notes)}" for one in played
                    if one.result.passed is None)  # fmt: skip
    missing = ("monit: its cycle takes two minutes, see the full run",) if quick else ()
    ran = [one for one in played if one.result.passed is not None]
    return Part(
        "recovery", (*respawn.figures(times), *figures(ran)), (*skipped, *missing), (asdict(times), *map(_row, played))
    )


def plan(quick: bool, seed: int) -> list[tuple[str, Drawn]]:
    """Who plays what. All healers get the process faults (a quick run: one), from the same seeds; Prodwise gets all the rest too."""
    drawn = draw(seed, QUICK if quick else (*PROCESS_FAULTS, *PROCESS_FAULTS, *ALL[2:], *NOTHING_WRONG))
    shared = [one for one in drawn if one.kind in PROCESS_FAULTS[: 1 if quick else None]]
    plans = [("prodwise", one) for one in drawn]
    plans += [
        (healer, shortened(one, PATIENCE_QUICK_S if quick else PATIENCE_S))
        for healer in ("none", "supervisor")
        for one in shared
    ]
    return plans if quick else [*plans, *(("monit", shortened(one, MONIT_PATIENCE_S)) for one in shared[:2])]


def play(healer: str, drawn: Drawn) -> ScenarioResult:
    with tempfile.TemporaryDirectory(prefix="prodwise-bench-") as folder:
        path = Path(folder) / f"{drawn.scenario.name}.toml"
        path.write_text(text(drawn))
        return run_scenarios([str(path)], healer, seed=drawn.seed, on_event=lambda line: None).scenarios[0]


def figures(ran: Sequence[Played]) -> list[Figure]:
    """Ours on everything, then everybody on what all of them played."""
    ours = [one for one in ran if one.healer == "prodwise"]
    found = [*_ours(ours)]
    for healer in ("prodwise", "supervisor", "monit", "none"):
        mine = [one for one in ran if one.healer == healer and one.drawn.kind in PROCESS_FAULTS]
        found += [_side(healer, mine)] if mine else []
    return found


def _ours(ours: Sequence[Played]) -> list[Figure]:
    faulty, calm = [one for one in ours if one.drawn.faulty], [one for one in ours if not one.drawn.faulty]
    acted = [one for one in faulty if one.result.actions]
    wrong = ", ".join(one.drawn.scenario.name for one in faulty if not one.right)
    found = [
        Figure("ended as they should, by the right layer", _percent([one.right for one in faulty]), "%", 95, True,
               beside=f"not: {wrong}" if wrong else "", many=len(faulty)),
        Figure("wrong actions where nothing was wrong", sum(len(one.result.actions) for one in calm), "", 0, many=len(calm)),
        Figure("the same remedy was needed again", _percent([one.result.repeats > 0 for one in acted]), "%", 5, many=len(acted)),
        Figure("requests failed", sum(one.result.requests_failed for one in faulty), "",
               beside=f"of {sum(one.result.requests for one in faulty):,}", many=len(faulty)),
    ]  # fmt: skip
    for name, values in (
        ("detect", [one.result.seconds_to_detect for one in faulty]),
        ("decide", [one.result.seconds_to_decide for one in faulty]),
        ("recover", [one.result.seconds_to_recover for one in faulty]),
    ):
        seconds = [value for value in values if value is not None]
        worst = f"worst {max(seconds):.1f} s" if seconds else ""
        found.append(
            Figure(f"{name}, median", median(seconds) if seconds else None, "s", beside=worst, many=len(seconds))
        )
    return found


def _side(healer: str, mine: Sequence[Played]) -> Figure:
    """One healer on the process faults. Users who are not served well again count as such, not as a long time."""
    times = [one.result.seconds_to_recover for one in mine if one.result.seconds_to_recover is not None]
    well = sum(one.result.outcome == "healed" for one in mine)
    failed, sent = sum(one.result.requests_failed for one in mine), sum(one.result.requests for one in mine)
    worst = f", worst {max(times):.1f} s" if times else ""
    beside = f"{well} of {len(mine)} healed{worst}; {failed} of {sent:,} requests failed"
    return Figure(
        f"crash and hang under {healer}: recover, median", median(times) if times else None, "s", beside=beside
    )


def _percent(marks: Sequence[bool]) -> float | None:
    return round(100 * sum(marks) / len(marks), 1) if marks else None


def _row(one: Played) -> Mapping[str, Any]:
    return {"healer": one.healer, "kind": one.drawn.kind, "seed": one.drawn.seed, "right": one.right,
            "scenario": text(one.drawn), "result": asdict(one.result)}  # fmt: skip
