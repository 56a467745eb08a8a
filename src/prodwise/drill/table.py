"""The recovery table: plain columns for any terminal, and the same rows for the report."""

from __future__ import annotations

from prodwise.drill.result import DrillResult, ScenarioResult

HEAD = ("", "scenario", "outcome", "action", "detect", "decide", "recover", "failed", "of")


def row(one: ScenarioResult) -> tuple[str, ...]:
    """One scenario in the columns of HEAD."""
    mark = {True: "✓", False: "✗", None: "–"}[one.passed]
    done = [action.kind for action in one.actions] + ([f"fix {one.fix}"] if one.fix else [])
    kinds = ", ".join(done) or "none"
    times = (_seconds(one.seconds_to_detect), _seconds(one.seconds_to_decide), _seconds(one.seconds_to_recover))
    return (mark, one.name, one.outcome, kinds, *times, str(one.requests_failed), str(one.requests))


def render(result: DrillResult) -> str:
    """The table, one line of totals, and why anything failed or was not run."""
    rows = [HEAD, *(row(one) for one in result.scenarios)]
    widths = [max(len(line[column]) for line in rows) for column in range(len(HEAD))]
    lines = ["  ".join(_cell(text, widths[n], n) for n, text in enumerate(line)).rstrip() for line in rows]
    lines.insert(1, "  ".join("─" * width for width in widths))
    return "\n".join([*lines, "", totals(result), *_reasons(result)])


def totals(result: DrillResult) -> str:
    """`5 passed, 0 failed; users were well again after 0.4 s (median), 4.1 s at worst; no wrong action`."""
    sums = result.totals
    words = [f"{sums.passed} passed, {sums.failed} failed" + (f", {sums.not_run} not run" if sums.not_run else "")]
    if sums.mttr_median is not None and sums.mttr_worst is not None:
        words.append(f"users were well again after {sums.mttr_median:.1f} s (median), {sums.mttr_worst:.1f} s at worst")
    never = sum(one.outcome == "unhealed" and one.seconds_to_recover is None for one in result.scenarios)
    if never:
        words.append(f"never well again in {never}")
    words.append(
        {0: "no wrong action", 1: "1 wrong action"}.get(sums.wrong_actions, f"{sums.wrong_actions} wrong actions")
    )
    return "; ".join(words)


def _reasons(result: DrillResult) -> list[str]:
    return [f"  {one.name}: {note}" for one in result.scenarios if not one.passed for note in one.notes]


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f} s"


def _cell(text: str, width: int, column: int) -> str:
    return text.rjust(width) if column >= 4 else text.ljust(width)
