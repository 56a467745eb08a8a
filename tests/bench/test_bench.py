"""The bench's own logic: scenarios that repeat, a table that says what was measured, and each part once for real."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from bench import breakages, pages, proxy, recovery, respawn, scenarios
from bench.judged import judged
from bench.table import Bench, Figure, Part, from_dict, number, show, summary
from prodwise.drill.result import ActionTaken, ScenarioResult
from prodwise.drill.scenario import load

EXAMPLE = Path(__file__).parent / "example.json"
"""Figures of each kind; its recovery part is made up to hold a missed goal, nothing measured and something not run."""
REPO = Path(__file__).parents[2]
KINDS = (*scenarios.ALL, *scenarios.NOTHING_WRONG)


def test_the_same_seed_draws_the_same_scenarios() -> None:
    first, again, other = (scenarios.draw(seed, KINDS) for seed in (5, 5, 6))
    assert first == again
    assert [one.seed for one in first] != [one.seed for one in other]
    moved = [
        (a.scenario.fault[0].at, b.scenario.fault[0].at) for a, b in zip(first, other, strict=True) if a.scenario.fault
    ]
    assert sum(a != b for a, b in moved) > len(moved) / 2, "two draws may agree on one time, not on most"


@pytest.mark.parametrize("seed", range(25))
def test_every_drawn_scenario_is_a_valid_file_that_says_the_same(seed: int, tmp_path: Path) -> None:
    for drawn in scenarios.draw(seed, KINDS):
        path = tmp_path / f"{drawn.scenario.name}.toml"
        path.write_text(scenarios.text(drawn))
        assert load(path) == drawn.scenario
        last = max((fault.at + fault.lasts for fault in drawn.scenario.fault if fault.kind != "slow"), default=0.0)
        assert last + 10 < drawn.scenario.seconds, "time is left to see what comes of it"


def test_what_is_to_come_of_a_scenario_is_not_drawn() -> None:
    from prodwise.drill.scenario import find

    for drawn in scenarios.draw(3, KINDS):
        origin = find(drawn.kind)
        assert (drawn.scenario.expect.outcome, drawn.scenario.expect.actions) == (
            origin.expect.outcome,
            origin.expect.actions,
        )
        assert [fault.kind for fault in drawn.scenario.fault] == [fault.kind for fault in origin.fault]


def test_all_healers_play_the_same_process_faults() -> None:
    plans = recovery.plan(False, 4)
    by_healer = {name: [d for healer, d in plans if healer == name and d.kind in scenarios.PROCESS_FAULTS]
                 for name in ("prodwise", "none", "supervisor", "monit")}  # fmt: skip
    ours = [(d.scenario.fault, d.scenario.traffic, d.seed) for d in by_healer["prodwise"]]
    for name in ("none", "supervisor"):
        assert [(d.scenario.fault, d.scenario.traffic, d.seed) for d in by_healer[name]] == ours
    assert by_healer["monit"]
    assert all(d.scenario.seconds > 120 for d in by_healer["monit"]), "Monit gets a whole cycle"


def result(outcome: str, expected: str, *kinds: str, wrong: int = 0, recover: float | None = None) -> ScenarioResult:
    actions = tuple(ActionTaken(kind, 6.0, "web", "done") for kind in kinds)
    return ScenarioResult("x", outcome, expected, True, actions, 0.5, 0.6, recover, 100, 3, wrong, 0)


def test_only_the_expected_outcome_by_the_expected_layer_counts_as_right() -> None:
    crash, quiet = scenarios.draw(1, ("crash", "quiet"))
    assert recovery.Played("prodwise", crash, result("healed", "healed", "restart")).right
    assert not recovery.Played("prodwise", crash, result("healed", "healed", "rollback")).right
    assert not recovery.Played("prodwise", crash, result("healed", "healed", "restart", "rollback", wrong=1)).right
    assert not recovery.Played("prodwise", crash, result("escalated", "healed", "restart")).right
    assert recovery.Played("prodwise", quiet, result("quiet", "quiet")).right


def test_recovery_counts_wrong_actions_where_nothing_was_wrong_and_users_never_served_again() -> None:
    crash, quiet = scenarios.draw(1, ("crash", "quiet"))
    ran = [recovery.Played("prodwise", crash, result("healed", "healed", "restart", recover=0.4)),
           recovery.Played("prodwise", quiet, result("healed", "quiet", "restart", wrong=1)),
           recovery.Played("none", crash, result("unhealed", "healed"))]  # fmt: skip
    found = {one.name: one for one in recovery.figures(ran)}
    assert found["wrong actions where nothing was wrong"].value == 1
    assert found["wrong actions where nothing was wrong"].met is False
    assert found["ended as they should, by the right layer"].value == 100
    assert found["crash and hang under prodwise: recover, median"].value == 0.4
    assert found["crash and hang under none: recover, median"].value is None
    assert "0 of 1 healed" in found["crash and hang under none: recover, median"].beside


def test_kill_times_are_told_over_the_boot_of_the_same_run() -> None:
    found = respawn.figures(respawn.Times([0.3, 0.4, 0.5], [0.45], [0.4, 0.45, 0.9], [0.5], 1))
    assert [one.value for one in found] == [0.05, 0.4, 0.5, 1]
    assert [one.met for one in found] == [True, False, None, False]


def test_what_the_proxy_adds_is_a_difference_at_the_same_quantile() -> None:
    p50, p95 = proxy.compare("/", [1.0] * 90 + [5.0] * 10, [1.5] * 90 + [9.0] * 10)
    assert (p50.value, p50.met, p95.value) == (0.5, True, 4.0)
    assert "1.50×" in p50.beside


def test_the_judges_rows_become_figures_with_goals_for_ours_only() -> None:
    row = {"case": "1 % → 5 %", "caught": 1.0, "mean": 130.0, "bound": 100.0, "ratio": 1.3, "false_alarms": 0.02}
    ours, alarms, theirs, their_alarms = judged(
        [row | {"rule": "ours, known baseline"}, row | {"rule": "mSPRT"}]
    ).figures
    assert (ours.met, alarms.met, theirs.met, their_alarms.met) == (True, False, None, None)


def test_an_example_result_is_rendered_whole() -> None:
    bench = from_dict(json.loads(EXAMPLE.read_text()))
    out = io.StringIO()
    show(bench, Console(file=out, width=200, color_system=None))
    printed = out.getvalue()
    for part in bench.parts:
        assert part.name in printed
        assert all(one.name in printed for one in part.figures)
        assert all(f"not run: {why}" in printed for why in part.not_run)
    assert summary(bench) in printed
    assert from_dict(bench.to_dict()) == bench


def test_a_result_of_another_version_is_refused() -> None:
    with pytest.raises(ValueError, match="version 99"):
        from_dict({**Bench(True, 1, {}).to_dict(), "schema_version": 99})


def test_goals_say_met_missed_or_nothing_and_unmeasured_is_never_met() -> None:
    assert Figure("a", 1.0, goal=1.0).met is True
    assert Figure("a", 94.0, goal=95.0, at_least=True).met is False
    assert Figure("a", None, goal=1.0).met is None
    assert Figure("a", 5.0).met is None
    part = Part("x", (Figure("a", 2.0, goal=1.0), Figure("b", None, goal=1.0)), ("monit: not installed",))
    assert summary(Bench(True, 1, {}, (part,))) == "0 goals met, 1 missed; 1 not run"


@pytest.mark.parametrize(("value", "unit", "words"), [
    (None, "s", "–"), (0.0123, "s", "0.012 s"), (1.234, "×", "1.23×"), (12.34, "%", "12.3%"), (1234.5, "MiB", "1,234 MiB"),
    (0.0, "", "0"),
])  # fmt: skip
def test_numbers_are_short_and_have_units(value: float | None, unit: str, words: str) -> None:
    assert number(value, unit) == words


def test_pages_are_timed_over_a_filled_store() -> None:
    shown = pages.measure(1, services=20, incidents=50)
    assert len(shown) == 4
    assert all(len(times) == 1 and 0 < times[0] < 10_000 for times in shown.values())


def test_an_unknown_part_is_refused_before_anything_runs() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", "nonsense"], cwd=REPO, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert "judge, recovery, proxy, ingest, footprint, logs, metrics, suspect, causes" in done.stderr


@pytest.mark.full
@pytest.mark.timeout(400)
@pytest.mark.parametrize("part", ["proxy", "ingest", "footprint", "recovery", "judge"])
def test_each_part_runs_through(part: str, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    command = [sys.executable, "-m", "bench", "--quick", "--json", str(out), part]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, timeout=390, check=False)
    assert done.returncode == 0, done.stderr
    found = from_dict(json.loads(out.read_text())).parts
    assert [one.name for one in found] == [part]
    assert any(one.value is not None for one in found[0].figures)


def test_a_diagnosis_is_scored_against_the_truth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = (
        b"[ERROR]   Expected org.example:codec:jar:1.4:compile:jar but found org.example:codec:jar:1.9:compile:jar\n"
        b"[ERROR] Failed to execute goal se.vandmo:dependency-lock-maven-plugin:0.23:check (check) on project shop: no\n"
    )
    truth = {"failure_category": "DEPENDENCY_LOCK_FAILURE", "dependency_group": "org.example", "dependency_artifact": "codec",
             "version_from": "1.4", "version_to": "1.9"}  # fmt: skip
    folder = tmp_path / breakages.FOLDER
    folder.mkdir()
    (folder / "a.log.gz").write_bytes(gzip.compress(log))
    (folder / "a.json").write_text(json.dumps(truth))
    (folder / "b.log.gz").write_bytes(gzip.compress(b"nothing\n"))
    (folder / "b.json").write_text(json.dumps(truth))
    monkeypatch.setenv("PRODWISE_BENCH_DATA", str(tmp_path))
    figures = {one.name: one.value for one in breakages.run(lambda words: None).figures}
    assert (figures["guilty dependency first"], figures["class of the failure"]) == (50.0, 50.0)
    assert figures["version before, where found"] == 100.0


@pytest.mark.parametrize("data", ["", "/nowhere"])
def test_without_logs_the_diagnosis_is_not_run(data: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRODWISE_BENCH_DATA", data)
    part = breakages.run(lambda words: None)
    assert not part.figures
    assert "PRODWISE_BENCH_DATA" in part.not_run[0]
