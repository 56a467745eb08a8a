"""A failed check's output, read for its exception and frames."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from prodwise.loop.diagnose.tracebacks import FRAMES_MOST, read

PROGRAM = 'def f(d):\n    return g(d)\n\n\ndef g(d):\n    return d["a"]\n'
TEST = """import unittest

import m


def test_missing():
    assert m.f({}) == 1


def test_other():
    assert m.f({"a": 2}) == 1


class T(unittest.TestCase):
    def test_unit(self):
        self.assertEqual(m.f({}), 3)
"""


def output_of(place: Path, *arguments: str) -> str:
    (place / "m.py").write_text(PROGRAM)
    (place / "test_m.py").write_text(TEST)
    ran = subprocess.run(
        [sys.executable, *arguments], cwd=place, capture_output=True, text=True, check=False, timeout=60
    )
    return ran.stdout + ran.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("-m", "pytest", "-q", "test_m.py::test_missing"),
        ("-m", "pytest", "-q", "--tb=short", "test_m.py::test_missing"),
        ("-m", "pytest", "-q", "--tb=native", "test_m.py::test_missing"),
        ("-m", "unittest", "test_m.T"),
        ("-c", "import m\nm.f({})"),
    ],
)
def test_the_error_and_the_lines_that_led_to_it_are_read(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    told = read(output_of(tmp_path, *arguments), str(tmp_path))
    assert (told.error, told.message) == ("KeyError", "'a'")
    assert [(frame.file, frame.line) for frame in told.frames][-2:] == [("m.py", 2), ("m.py", 6)]


def test_an_exception_that_is_called_after_its_module_is_one() -> None:
    said = (
        'Traceback (most recent call last):\n  File "/w/m.py", line 2, in f\nzlib.error: Error -3 while decompressing'
    )
    assert read(said, "/w").error == "zlib.error"


def test_a_failed_assertion_names_its_test(tmp_path: Path) -> None:
    told = read(output_of(tmp_path, "-m", "pytest", "-q", "test_m.py::test_other"), str(tmp_path))
    assert told.error == "AssertionError"
    assert told.message.startswith("assert 2 == 1")
    assert told.failed == ("test_m.py::test_other",)


def test_what_passes_has_no_error() -> None:
    assert read("2 passed in 0.1s\n").error == ""


def test_hostile_output_costs_little_and_stays_bounded() -> None:
    begun = time.perf_counter()
    told = read('  File "a.py", line 1, in f\n' * 20_000 + "E" * 500_000 + "\n" + ":" * 100_000)
    assert len(told.frames) == FRAMES_MOST
    assert time.perf_counter() - begun < 20
