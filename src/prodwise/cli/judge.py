"""`prodwise judge`: outcomes in, a verdict out, as soon as the evidence allows. Contract: docs of the command below.

NDJSON on stdin, one request a line, in order: {"arm": "stable"|"canary", "ok": bool, "ms"?: number, "share"?: number,
"run"?: string|int}. One verdict line per stream. Exit 0 pass, 7 fail, 5 hold; the worst of several; 2 for bad input.

Without `--baseline` and `--two-sample` the canary is compared with the stable lines of the same stream; a stream that has
none stays on hold, because nothing says what is normal.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from typing import Any, TextIO

import orjson

from prodwise.loop.watch.stream import Judged, Outcome, StreamJudge
from prodwise.model.errors import ProdwiseError, UsageError
from prodwise.model.gate import Verdict

EXIT = {Verdict.PASS: 0, Verdict.HOLD: 5, Verdict.FAIL: 7}
_ORDER = (Verdict.PASS, Verdict.HOLD, Verdict.FAIL)
_EXAMPLE = 'each line looks like {"arm": "canary", "ok": true, "ms": 12.5}'
RunId = str | int | None
_HUGE = 1e300
_decode = json.JSONDecoder().decode


def judge_command(
    alpha: float, baseline: float | None, two_sample: bool, worse: float, lines: Iterable[str], out: TextIO
) -> int:
    """Judge `lines`, write verdict lines to `out` (flushed each), return the exit code.

    Raises UsageError (exit code 2) for options or a line that make no sense; verdicts printed before stand.
    """
    check_options(alpha, baseline, two_sample, worse)
    worst_seen: Verdict | None = None
    for run, judged in judge_lines(alpha, baseline, worse, lines):
        out.write(json.dumps(_as_json(run, judged)) + "\n")
        out.flush()
        worst_seen = judged.verdict if worst_seen is None else max(worst_seen, judged.verdict, key=_ORDER.index)
    return EXIT[worst_seen or Verdict.HOLD]


def check_options(alpha: float, baseline: float | None, two_sample: bool, worse: float) -> None:
    """Raises UsageError that names the option and its range."""
    if baseline is not None and two_sample:
        raise UsageError(
            "--baseline and --two-sample exclude each other",
            "give --baseline P to compare with a fixed error share, or --two-sample to compare with the stable lines",
        )
    if not 0 < alpha < 1:
        raise UsageError(f"--alpha {alpha:g} is not between 0 and 1", "0.01 allows one false alarm in a hundred runs")
    if baseline is not None and not 0 < baseline < 1:
        raise UsageError(
            f"--baseline {baseline:g} is not between 0 and 1", "0.01 means that one request in a hundred fails"
        )
    if not (worse > 1 and math.isfinite(worse)):
        raise UsageError(
            f"--worse {worse:g} is not above 1", "2 means: twice the baseline's error share is not acceptable"
        )


def judge_lines(
    alpha: float, baseline: float | None, worse: float, lines: Iterable[str]
) -> Iterator[tuple[RunId, Judged]]:
    """Verdicts as they fall; at the end of input a hold for each undecided run, in order of appearance.

    A single stream (no `run` on its lines) ends the reading with its verdict.
    """
    open_runs: dict[RunId, StreamJudge | None] = {}
    for number, line in _numbered(lines):
        run, outcome = parse_line(line, number)
        if run not in open_runs:
            open_runs[run] = StreamJudge(alpha, baseline, worse)
        judge = open_runs[run]
        if judge is None:
            continue
        judged = judge.observe(outcome)
        if judged is not None:
            open_runs[run] = None
            yield run, judged
            if run is None and len(open_runs) == 1:
                return
    if not open_runs:
        yield None, StreamJudge(alpha, baseline, worse).end()
    for run, left in open_runs.items():
        if left is not None:
            yield run, left.end()


def _numbered(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Lines with their numbers, without the empty ones. Raises UsageError where the bytes are not UTF-8."""
    number = 0
    try:
        for number, line in enumerate(lines, 1):
            if line and not line.isspace():
                yield number, line
    except UnicodeDecodeError:
        raise UsageError(f"after line {number}: the input is not UTF-8 text", _EXAMPLE) from None


def parse_line(line: str, number: int) -> tuple[RunId, Outcome]:
    """One NDJSON line. Raises UsageError with the line's number and what is wrong with it."""
    try:
        data = orjson.loads(line)
    except ValueError:
        data = _decoded(line, number)
    if not isinstance(data, dict):
        raise UsageError(f"line {number} is not a JSON object", _EXAMPLE)
    arm, ok = data.get("arm"), data.get("ok")
    if arm != "canary" and arm != "stable":
        raise UsageError(f'line {number}: "arm" is {_shown(arm)}, not "stable" or "canary"', _EXAMPLE)
    if ok is not True and ok is not False:
        raise UsageError(f'line {number}: "ok" is {_shown(ok)}, not true or false', _EXAMPLE)
    run = data.get("run")
    if isinstance(run, float):
        run = _decoded(line, number).get("run")
    if run is not None and (isinstance(run, bool) or not isinstance(run, (str, int))):
        raise UsageError(f'line {number}: "run" is {_shown(run)}, not a string or a whole number', _EXAMPLE)
    ms = data.get("ms")
    if ms is not None and not (type(ms) is float and 0 <= ms < _HUGE):
        ms = _number(ms, "ms", number)
    share = data.get("share")
    if share is not None:
        share = _number(share, "share", number)
    if share is not None and share > 1:
        raise UsageError(f'line {number}: "share" is {_shown(share)}, not between 0 and 1', _EXAMPLE)
    return run, Outcome(arm == "canary", ok, ms, share)


def _decoded(line: str, number: int) -> Any:
    """The slower reader: it says what is wrong and where, and knows numbers of any size."""
    try:
        return _decode(line)
    except (ValueError, RecursionError) as error:
        why = f"{error.msg}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else str(error)[:100]
        raise UsageError(f"line {number} is not JSON: {why}", _EXAMPLE) from None


def _number(value: object, key: str, number: int) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < _HUGE:
        raise UsageError(f'line {number}: "{key}" is {_shown(value)}, not a number from 0 up', _EXAMPLE)
    return float(value)


def _shown(value: object) -> str:
    text = "missing" if value is None else json.dumps(value)
    return text if len(text) <= 40 else text[:37] + "..."


def _as_json(run: RunId, judged: Judged) -> dict[str, object]:
    line: dict[str, object] = {
        "verdict": judged.verdict.value,
        "n_canary": judged.n_canary,
        "n_stable": judged.n_stable,
        "reason": judged.reason,
    }
    return line if run is None else {"run": run, **line}


def main(argv: list[str] | None = None) -> int:
    """`python -m prodwise.cli.judge`: the command by itself, without the rest of the CLI."""
    import argparse
    import sys

    parser = argparse.ArgumentParser(prog="prodwise judge", description="Judge a canary from NDJSON outcomes on stdin.")
    parser.add_argument("--alpha", type=float, default=0.01, help="chance of a false alarm, however long one looks")
    parser.add_argument("--baseline", type=float, help="known error share, e.g. 0.01")
    parser.add_argument("--two-sample", action="store_true", help="compare with the stable lines (the default)")
    parser.add_argument("--worse", type=float, default=2.0, help="pass rules out this many times the baseline")
    options = parser.parse_args(argv)
    try:
        return judge_command(options.alpha, options.baseline, options.two_sample, options.worse, sys.stdin, sys.stdout)
    except ProdwiseError as error:
        print(f"prodwise judge: {error.message}\n  {error.hint}", file=sys.stderr)
        return error.exit_code


if __name__ == "__main__":
    raise SystemExit(main())
