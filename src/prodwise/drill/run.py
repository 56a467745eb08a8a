"""Runs scenarios one after the other, each on its own copy of its app."""

from __future__ import annotations

from collections.abc import Sequence

from prodwise.drill import narrate
from prodwise.drill.healers.base import NotRun, make_healer
from prodwise.drill.narrate import Line, Tell
from prodwise.drill.play import Play
from prodwise.drill.rehearse import rehearse
from prodwise.drill.result import NOT_RUN, DrillResult, ScenarioResult, Trace, check_place, drilled
from prodwise.drill.scenario import Scenario, find, list_scenarios
from prodwise.drill.stage import Stage, ended_politely
from prodwise.model.errors import ProdwiseError

__all__ = ["list_scenarios", "run_scenarios"]

SPARE_S = 120.0  # the traffic's own limit lies this far beyond the scenario's


def run_scenarios(
    names: Sequence[str], healer: str = "prodwise", json_path: str | None = None, seed: int = 1, on_event: Tell = print
) -> DrillResult:
    """Plays scenarios given by name or file; all are read and checked before the first one starts.

    Raises ConfigError for a scenario that makes no sense; one that cannot be run here is reported, and the rest go on."""
    scenarios = [find(name) for name in names]
    make_healer(healer)
    check_place(json_path)
    rehearse(list(zip(names, scenarios, strict=True)))
    with ended_politely():
        played = [_play(scenario, healer, seed + number, on_event) for number, scenario in enumerate(scenarios)]
    return drilled(healer, played, json_path)


def _play(scenario: Scenario, healer: str, seed: int, tell: Tell) -> tuple[ScenarioResult, Trace | None]:
    tell(Line(0.0, "»", f"{scenario.name}: {scenario.about or scenario.app} (healer: {healer})", "scenario"))
    try:
        with Stage(scenario.app, scenario.start, make_healer(healer)) as stage:
            traffic = stage.send(scenario.traffic, scenario.seconds + SPARE_S, seed)
            return Play(scenario, stage, traffic, tell).run()
    except NotRun as error:
        result = ScenarioResult(
            scenario.name, NOT_RUN, scenario.expect.outcome, None, notes=(error.message, error.hint)
        )
    except ProdwiseError as error:
        notes = (f"{error.message} {error.hint}".strip(),)
        result = ScenarioResult(scenario.name, "unhealed", scenario.expect.outcome, False, notes=notes)
    tell(narrate.of_result(result, 0.0))
    return result, None
