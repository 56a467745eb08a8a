"""The command as others run it: NDJSON through a real process, exit codes, streaming, bad lines."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from random import Random

import pytest

from prodwise.cli.judge import judge_command
from prodwise.model.errors import UsageError

JUDGE = [sys.executable, "-m", "prodwise.cli.judge", "--alpha", "0.01"]


def lines(n: int, p: float, seed: int = 1, run: object = None) -> list[str]:
    rng = Random(seed)
    extra = {} if run is None else {"run": run}
    return [json.dumps({"arm": "canary", "ok": rng.random() > p, **extra}) for _ in range(n)]


def judge(args: list[str], text: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*JUDGE, *args], input=text, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("p", "n", "verdict", "code"), [(0.0, 3000, "pass", 0), (0.2, 3000, "fail", 7), (0.01, 50, "hold", 5)]
)
def test_verdict_and_exit_code(p: float, n: int, verdict: str, code: int) -> None:
    done = judge(["--baseline", "0.01"], "\n".join(lines(n, p)))
    said = json.loads(done.stdout)
    assert (said["verdict"], done.returncode) == (verdict, code)
    assert set(said) == {"verdict", "n_canary", "n_stable", "reason"}
    assert said["reason"]


def test_answers_while_the_input_is_still_open() -> None:
    with subprocess.Popen([*JUDGE, "--baseline", "0.01"], stdin=-1, stdout=-1, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for line in lines(200, 1.0, run="a"):
            process.stdin.write(line + "\n")
        process.stdin.flush()
        said = json.loads(process.stdout.readline())  # arrives although stdin stays open
        assert said["run"] == "a"
        assert said["verdict"] == "fail"
        assert process.poll() is None
        process.stdin.close()
        assert process.wait(timeout=20) == 7


def test_a_single_stream_ends_with_its_verdict() -> None:
    with subprocess.Popen([*JUDGE, "--baseline", "0.01"], stdin=-1, stdout=-1, text=True) as process:
        assert process.stdin is not None
        process.stdin.write("\n".join(lines(100, 1.0)) + "\n")
        process.stdin.flush()
        assert process.wait(timeout=20) == 7
        process.stdin.close()


def test_many_runs_in_one_pass_give_one_line_each_and_the_worst_code() -> None:
    streams = [lines(3000, 0.0, 1, "good"), lines(3000, 0.3, 2, 7), lines(3000, 0.0, 3, "few")[:20]]
    mixed = [line for row in zip(*streams[:2], strict=True) for line in row] + streams[2]
    out = io.StringIO()
    assert judge_command(0.01, 0.01, False, 2.0, mixed, out) == 7
    said = {row["run"]: row["verdict"] for row in map(json.loads, out.getvalue().splitlines())}
    assert said == {"good": "pass", 7: "fail", "few": "hold"}
    assert len(out.getvalue().splitlines()) == 3


def test_a_run_is_judged_alike_alone_and_among_others() -> None:
    rng = Random(5)
    arms = [
        {"arm": rng.choice(["stable", "canary"]), "ok": rng.random() > 0.05, "ms": 40 * rng.random()}
        for _ in range(4000)
    ]
    alone, among = io.StringIO(), io.StringIO()
    judge_command(0.01, None, True, 2.0, [json.dumps({**a, "run": 1}) for a in arms], alone)
    both = [json.dumps({**a, "run": r}) for a in arms for r in (1, 2)]
    judge_command(0.01, None, True, 2.0, both, among)
    first, second = (json.loads(line) for line in among.getvalue().splitlines())
    only = json.loads(alone.getvalue())
    assert {**first, "run": 0} == {**second, "run": 0} == {**only, "run": 0}


def test_without_flags_stable_lines_are_the_reference() -> None:
    rng, text = Random(3), []
    for t in range(6000):
        canary = t % 2 == 0
        text.append(
            json.dumps({"arm": "canary" if canary else "stable", "ok": rng.random() > (0.1 if canary else 0.01)})
        )
    outs = [io.StringIO(), io.StringIO()]
    codes = [judge_command(0.01, None, two, 2.0, text, out) for two, out in zip((True, False), outs, strict=True)]
    assert codes == [7, 7]
    assert outs[0].getvalue() == outs[1].getvalue()
    nothing = io.StringIO()
    assert judge_command(0.01, None, False, 2.0, lines(500, 0.5), nothing) == 5
    assert "nothing to compare" in nothing.getvalue()


def test_no_input_is_hold() -> None:
    done = judge(["--baseline", "0.01"], "\n \n")
    assert done.returncode == 5
    assert json.loads(done.stdout)["n_canary"] == 0


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        ('{"arm": "blue", "ok": true}', '"arm" is "blue"'),
        ('{"ok": true}', '"arm" is missing'),
        ('{"arm": "canary", "ok": 1}', '"ok" is 1'),
        ('{"arm": "canary", "ok": true, "ms": -1}', '"ms" is -1'),
        ('{"arm": "canary", "ok": true, "ms": NaN}', '"ms" is NaN'),
        ('{"arm": "canary", "ok": true, "ms": "5"}', '"ms" is "5"'),
        ('{"arm": "canary", "ok": true, "ms": 1' + "0" * 400 + "}", '"ms" is'),
        ('{"arm": "canary", "ok": true, "run": [1]}', '"run" is [1]'),
        ('{"arm": "canary", "ok": true, "share": 2}', '"share" is 2'),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_a_bad_line_is_named(bad: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        judge_command(0.01, 0.01, False, 2.0, [*lines(3, 0.0), "", bad], io.StringIO())
    assert "line 5" in caught.value.message
    assert says in caught.value.message
    assert caught.value.exit_code == 2
    assert caught.value.hint


def test_a_bad_line_ends_the_process_with_2() -> None:
    done = judge(["--baseline", "0.01"], '{"arm": "canary", "ok": true}\nnot json\n')
    assert done.returncode == 2
    assert "line 2" in done.stderr
    raw = subprocess.run(JUDGE, input=b'{"arm": "canary", "ok": true}\n\xff\xfe\n', capture_output=True, timeout=60)
    assert raw.returncode == 2
    assert b"line" in raw.stderr


@pytest.mark.parametrize(
    ("alpha", "baseline", "two", "worse", "says"),
    [
        (0.0, None, False, 2.0, "--alpha"),
        (0.01, 0.0, False, 2.0, "--baseline"),
        (0.01, 1.0, False, 2.0, "--baseline"),
        (0.01, 0.01, True, 2.0, "exclude"),
        (0.01, 0.01, False, 1.0, "--worse"),
        (float("nan"), 0.01, False, 2.0, "--alpha"),
    ],
)
def test_senseless_options_are_refused(
    alpha: float, baseline: float | None, two: bool, worse: float, says: str
) -> None:
    with pytest.raises(UsageError, match=says):
        judge_command(alpha, baseline, two, worse, [], io.StringIO())


@pytest.mark.parametrize("baseline", [0.0001, 0.3, 0.6, 0.99])
def test_extreme_baselines_work(baseline: float) -> None:
    out = io.StringIO()
    assert judge_command(0.01, baseline, False, 2.0, lines(2000, baseline, 4), out) in (0, 5)
