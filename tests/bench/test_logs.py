"""Logs of dependencies that were really broken, or told as their tools tell it: who is guilty, under whatever runs the build."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from prodwise.loop.diagnose.logs import clean, diagnose_log

FOLDER: Final = Path(__file__).parent / "logs"
HEADING: Final = re.compile(r"^=== ([^|\n]+) \| ([^|\n]+)\n", re.MULTILINE)
STYLES: Final[dict[str, Callable[[int, str], str]]] = {
    "plain": lambda _, line: line,
    "a runner's times": lambda at, line: f"2024-05-01T12:00:{at % 60:02}.1234567Z {line}",
    "job, step and time": lambda at, line: f"build\tRun tests\t2024-05-01T12:00:{at % 60:02}.1234567Z {line}",
    "a container's build": lambda at, line: f"#12 {at / 20:.3f} {line}",
    "times in brackets": lambda at, line: f"[2024-05-01 12:00:{at % 60:02}] {line}",
    "one of several programs": lambda _, line: f"web-1  | {line}",
    "a platform": lambda at, line: f"2024-05-01T12:00:{at % 60:02}.123456+00:00 app[web.1]: {line}",
    "a cluster": lambda at, line: f"2024-05-01T12:00:{at % 60:02}.123456789Z stdout F {line}",
    "syslog": lambda at, line: f"May  1 12:00:{at % 60:02} host-3 shop[811]: {line}",
    "colours": lambda _, line: re.sub(r"(?i)error|warning|failed", lambda found: f"\x1b[31;1m{found[0]}\x1b[0m", line),
}
NOISE: Final = ["Cache restored from key: build-3f1", "Receiving objects: 100% (1210/1210), done.", "Post job cleanup."]


def logs(ecosystem: str) -> list[tuple[str, list[str], list[str]]]:
    """(title, packages that may be named, lines)."""
    _, *parts = HEADING.split((FOLDER / f"{ecosystem}.txt").read_text())
    return [
        (title, what.strip().split(" / "), [*NOISE, *log.split("\n"), *NOISE])
        for title, what, log in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    ]


@pytest.mark.parametrize("ecosystem", ["go", "java", "node", "php", "python", "ruby", "rust"])
@pytest.mark.parametrize("style", STYLES)
def test_who_is_guilty_does_not_depend_on_what_ran_the_build(ecosystem: str, style: str) -> None:
    wrong = []
    for title, guilty, lines in logs(ecosystem):
        log = "\n".join(STYLES[style](at, line) for at, line in enumerate(lines))
        first = next(iter(diagnose_log(clean(log.encode())).causes), None)
        if first is None or first.what not in guilty:
            wrong.append((title, first.what if first else ""))
    assert wrong == []


def test_a_failure_of_the_program_s_own_names_nobody_for_sure() -> None:
    own = (
        "Successfully installed click-8.1.7 flask-3.0.0\ntests/test_cart.py:5: AssertionError\nE   assert 3 == 4\n1 failed in 0.1s",
        "> npm install left-pad@1.3.0\nTypeError: Cannot read properties of undefined (reading 'length')\n"
        "    at total (/app/cart.js:9:22)",
        "go: downloading github.com/acme/ledger v1.9.0\n--- FAIL: TestTotal (0.00s)\n    cart_test.go:9: total = 3, want 4\nFAIL",
        "   Compiling serde v1.0.203\n   Compiling shop v0.1.0 (/app)\nerror[E0308]: mismatched types\n --> src/main.rs:4:18",
    )
    for log in own:
        assert all(cause.confidence < 0.5 for cause in diagnose_log(clean(log.encode())).causes), log
