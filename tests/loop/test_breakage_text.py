"""A log as text: what is cut off, what is left out of a large one, and that its lines keep their numbers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prodwise.loop.diagnose.logs import clean, diagnose_log
from prodwise.loop.diagnose.logs.text import LINE_CHARS_MAX, Log, slashed
from prodwise.loop.diagnose.logs.thin import ALIKE_MAX, END_LINES, WHOLE_CHARS, thinned

FAILURE = [
    "Traceback (most recent call last):",
    '  File "/srv/env/lib/python3.12/site-packages/inkwell/pages.py", line 3, in turn',
    "    paper.fold()",
    "AttributeError: module 'paper' has no attribute 'fold'",
]


def monotonous(count: int = 40_000) -> list[str]:
    return [f"tests/unit/test_pages.py::test_{at} PASSED" for at in range(count)]


def test_paths_of_windows_are_written_as_others_are_and_names_stay() -> None:
    log = clean(rb"at C:\shop\node_modules\ink\x.js:3 and ..\vendor\acme\ink\y.go:4: Acme\Ink\Page not found")
    assert (
        slashed(log).text
        == r"at C:/shop/node_modules/ink/x.js:3 and ../vendor/acme/ink/y.go:4: Acme\Ink\Page not found"
    )


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="aB.:\\/ \n\"'", max_size=200))
def test_each_character_stays_where_it_was(text: str) -> None:
    assert slashed(Log(text)).text.replace("/", "\\") == text.replace("/", "\\")


@pytest.mark.parametrize("lead", ["    ", "\t", "> ", "[build] ", "[2024-05-01T12:00:00.123Z] [mvn verify] "])
def test_what_stands_before_every_line_alike_is_cut_off(lead: str) -> None:
    log = ["one", "  two", "", "three", "four"]
    assert clean("\n".join(lead + line for line in log).encode()).text == "\n".join(log)


@pytest.mark.parametrize("lead", ["[ERROR] ", "[info] ", "E   "])
def test_what_says_how_bad_a_line_is_stays(lead: str) -> None:
    log = "\n".join(lead + line for line in ("one", "two", "three", "four"))
    assert clean(log.encode()).text == log


def test_long_lines_are_cut_wherever_they_stand() -> None:
    long = "x" * (LINE_CHARS_MAX + 500)
    for lines in ([long, "a", "b"], ["a", long, "b"], ["a", "b", long], [long, long], ["", long, ""]):
        cut = clean("\n".join(lines).encode())
        assert cut.text.split("\n") == [line[:LINE_CHARS_MAX] for line in lines]


@pytest.mark.parametrize(
    "second",
    ["##[error]npm ERR! code", "web-1  | npm ERR! code", "app[web.1]: npm ERR! code", "[10:00:00] npm ERR! code"],
)
def test_a_second_stamp_behind_one_of_the_same_shape_is_cut_off_too(second: str) -> None:
    lines = [f"2026-05-01T12:00:{at:02}.1234567Z line {at}" for at in range(20)]
    log = clean("\n".join([*lines, f"2026-05-01T12:00:21.1234567Z {second}"]).encode())
    assert log.line(20) == "line 19"
    assert log.line(21) == "npm ERR! code"


def test_a_small_log_is_read_whole() -> None:
    log = clean("\n".join(monotonous(1_000)).encode())
    assert thinned(log) is log


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 900), max_size=24), st.data())
def test_every_place_is_in_the_line_of_its_number(lengths: list[int], data: st.DataObject) -> None:
    log = Log("\n".join("x" * length for length in lengths))
    at = data.draw(st.integers(0, len(log.text)))
    assert log.number(at) == log.text[:at].count("\n") + 1
    assert [*log.after(log.number(at), 3)] == [*enumerate(log.lines, 1)][log.number(at) : log.number(at) + 3]


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="ab\n\t\x00\x07\x0c\x7f\x85é\u200b\u202eЖ\ufeff日", max_size=60))
def test_what_is_no_text_is_dropped(text: str) -> None:
    gone = "\x00\x07\x0c\x7f\x85\u200b\u202e\ufeff"
    assert clean(b"ab\n" + text.encode()).text == "ab\n" + "".join(one for one in text if one not in gone)


@pytest.mark.parametrize("at", [0, 20_000, 40_000])
def test_monotony_goes_and_a_failure_stays_with_what_stands_around_it(at: int) -> None:
    lines = monotonous()
    lines[at:at] = FAILURE
    log = clean("\n".join(lines).encode())
    few = thinned(log)
    assert len(log.text) > WHOLE_CHARS
    assert sum(1 for line in few.lines if line) < ALIKE_MAX + END_LINES + 200
    assert few.lines[at : at + 4] == FAILURE
    assert len(few.lines) == len(log.lines)
    first = diagnose_log(log).causes[0]
    assert first.what == "paper"
    assert first.evidence[0].number == at + 4


def test_what_is_blanked_does_not_slow_the_search() -> None:
    """Blank lines by the ten thousand were once tried anew from each of them."""
    log = clean(b"npm test\n" + b"\n" * 200_000 + b"TypeError: x\n    at f (/app/node_modules/ink/x.js:1:1)\n")
    assert diagnose_log(log).causes[0].what == "ink"
