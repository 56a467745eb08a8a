"""The result's JSON, the table, the report and the narration."""

from __future__ import annotations

import json
from pathlib import Path

from prodwise.drill.healers.base import Event
from prodwise.drill.narrate import of_event, of_result
from prodwise.drill.report import write_report
from prodwise.drill.result import ActionTaken, DrillResult, ScenarioResult, Trace, this_machine
from prodwise.drill.table import render
from prodwise.drill.traffic.records import Sent

HEALED = ScenarioResult(
    "crash", "healed", "healed", True, (ActionTaken("restart", 5.1, "web", "done"),), 0.1, 0.2, 0.4, 400, 3
)
WORSE = ScenarioResult(
    "hang", "unhealed", "healed", False, (), None, None, None, 100, 60, 1, 1, ("expected healed, was unhealed",)
)
SKIPPED = ScenarioResult("quiet", "not run", "quiet", None, notes=("monit is not installed",))


def test_json_has_the_contracts_keys_and_sums(tmp_path: Path) -> None:
    result = DrillResult("prodwise", this_machine(), (HEALED, WORSE, SKIPPED))
    result.write(str(tmp_path / "out.json"))
    body = json.loads((tmp_path / "out.json").read_text())
    assert set(body) == {"schema_version", "healer", "machine", "scenarios", "totals"}
    assert set(body["scenarios"][0]) == {
        "name", "outcome", "expected", "passed", "actions", "seconds_to_detect", "seconds_to_decide",
        "seconds_to_recover", "requests", "requests_failed", "wrong_actions", "repeats", "notes", "fix",
    }  # fmt: skip
    assert body["scenarios"][0]["actions"] == [{"kind": "restart", "at": 5.1, "target": "web", "result": "done"}]
    assert body["totals"] == {
        "passed": 1, "failed": 1, "not_run": 1, "mttr_median": 0.4, "mttr_worst": 0.4, "repeated_failure_rate": 0.0,
        "wrong_actions": 1,
    }  # fmt: skip


def test_exit_code_is_zero_only_if_all_passed() -> None:
    assert DrillResult("none", {}, (HEALED,)).exit_code == 0
    assert DrillResult("none", {}, (HEALED, WORSE)).exit_code == 1
    assert DrillResult("none", {}, (SKIPPED,)).exit_code == 1, "nothing ran: nothing is proven"


def test_table_says_what_failed_and_what_was_not_run() -> None:
    text = render(DrillResult("monit", {}, (HEALED, WORSE, SKIPPED)))
    assert "✓  crash" in text
    assert "1 passed, 1 failed, 1 not run" in text
    assert "never well again in 1" in text
    assert "hang: expected healed, was unhealed" in text
    assert "quiet: monit is not installed" in text


def test_report_is_one_file_that_fetches_nothing_and_escapes(tmp_path: Path) -> None:
    sent = tuple(
        Sent(100 + n / 10, 5, "GET", "/", 500 if n > 90 else 200, "5xx" if n > 90 else "", "s") for n in range(100)
    )
    drawn = Trace(
        "crash", 10.0, sent, 100.0, ((5.0, "fault", "<script>alert(1)</script>"), (5.2, "action", "restart web"))
    )
    page = write_report(
        DrillResult("prodwise", this_machine(), (HEALED, WORSE), (drawn,)), tmp_path / "r.html"
    ).read_text()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "src=" not in page
    assert "href=" not in page
    assert page.count('<rect class="failed"') >= 1
    assert "100 requests in 10 s, 9 failed" in page


def test_narration_is_one_plain_line_from_what_was_written_down() -> None:
    opened = Event(1, 112.4, "incident_opened", "web", "errors on /checkout since 11.9 s", {})
    assert str(of_event(opened, 100.0)) == "  12.4 s  ▲ web: errors on /checkout since 11.9 s"
    done = Event(2, 113.0, "action", "web", "", {"kind": "restart", "state": "done"})
    assert str(of_event(done, 100.0)) == "  13.0 s  ✓ web: restart is done"
    assert "not run: monit is not installed" in str(of_result(SKIPPED, 0.0))
