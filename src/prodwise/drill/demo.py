"""The demo: scenarios on one long-lived shop, with a code host beside it."""

from __future__ import annotations

from pathlib import Path

from prodwise.drill import narrate
from prodwise.drill.forge import open_forge
from prodwise.drill.healers.base import make_healer
from prodwise.drill.narrate import Line, Tell
from prodwise.drill.play import Play
from prodwise.drill.result import DrillResult, ScenarioResult, Trace, check_place, drilled
from prodwise.drill.scenario import Scenario, find
from prodwise.drill.shop import regrow
from prodwise.drill.stage import Stage, ended_politely
from prodwise.model.errors import ProdwiseError

SCENES = (
    "demo-crash",
    "demo-hang",
    "demo-dependency",
    "demo-bad-release",
    "demo-late-release",
    "demo-fix",
    "demo-quiet",
)
HASTE = """
[ramp]
watch_seconds = 12  # ten minutes, unless told otherwise

[heal]
watch_seconds = 8  # twenty
"""
SECONDS_MAX = 900.0  # the traffic ends by itself after this


def run_demo(
    json_path: str | None = None, keep: bool = False, on_event: Tell = print, healer: str = "prodwise", seed: int = 1
) -> DrillResult:
    """Plays the scenes; with `keep` the app is left running when all went well. Raises ProdwiseError if it cannot start."""
    scenes = [find(name) for name in SCENES]
    check_place(json_path)
    with ended_politely(), Stage("shop", "", make_healer(healer), keep, _prepare) as stage:
        on_event(Line(0.0, "»", f"the shop answers on http://{stage.running.address}", "scenario"))
        if stage.running.dashboard:
            on_event(Line(0.0, "»", f"the dashboard: {stage.running.dashboard}", "dashboard"))
        stage.send(scenes[0].traffic, SECONDS_MAX, seed)
        played = [_scene(scene, number, stage, on_event) for number, scene in enumerate(scenes, 1)]
        stage.finish()
    return drilled(healer, played, json_path)


def _prepare(app_dir: Path) -> None:
    open_forge(app_dir, HASTE)
    regrow(app_dir)


def _scene(scene: Scenario, number: int, stage: Stage, tell: Tell) -> tuple[ScenarioResult, Trace | None]:
    tell(Line(0.0, "»", f"{number} of {len(SCENES)}  {scene.about}", "scenario"))
    try:
        assert stage.traffic is not None
        return Play(scene, stage, stage.traffic, tell).run(last=number == len(SCENES))
    except ProdwiseError as error:
        notes = (f"{error.message} {error.hint}".strip(),)
        result = ScenarioResult(scene.name, "unhealed", scene.expect.outcome, False, notes=notes)
        tell(narrate.of_result(result, 0.0))
        return result, None
