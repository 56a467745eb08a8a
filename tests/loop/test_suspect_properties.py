"""What must hold of every ranking of suspects, whatever the facts."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from prodwise.loop.diagnose.suspect import Search, rank
from prodwise.loop.diagnose.suspect.lines import Tracer, Way, newest_first
from prodwise.model.event import ErrorEvent, Frame, Thrown
from tests.loop.history import START, Line

T = TypeVar("T")
WORDS = (
    "price",
    "fee",
    "amount",
    "line",
    "total",
    "None",
    "return",
    "def",
    "'",
    '"',
    "(",
    ")",
    "=",
    ".",
    " ",
    "\n",
    "    ",
    "{",
    "}",
    "\x00",
    "é",
)
TEXT = st.lists(st.sampled_from(WORDS), max_size=12).map("".join)
FRAMES = st.builds(
    Frame,
    TEXT,
    TEXT,
    st.sampled_from(("shop/cart.py", "/x/shop/prices.py", "", "\\", "../" * 40, "node_modules/", "https://a/b.js?c"))
    | TEXT,
    st.integers(-5, 10**9),
    st.none() | st.booleans(),
    TEXT,
)
THROWN = st.builds(Thrown, TEXT, TEXT | st.text(max_size=80), st.lists(FRAMES, max_size=6).map(tuple))
EVENTS = st.builds(
    lambda chain, message: ErrorEvent("e", 0.0, 1, "python", "error", message, chain=tuple(chain)),
    st.lists(THROWN, max_size=3),
    TEXT,
)


@st.composite
def histories(draw: st.DrawFn) -> Line:
    line = Line()
    for number in range(draw(st.integers(1, 6))):
        path = draw(st.sampled_from(("shop/cart.py", "shop/prices.py", "README.md", "new.py", "requirements.txt")))
        lines = line.files.get(path, "").splitlines(keepends=True)
        at = draw(st.integers(0, len(lines)))
        lines[at : at + draw(st.integers(0, 3))] = [draw(TEXT).replace("\n", " ") + "\n"]
        line.put(f"c{number}", {**line.files, path: "".join(lines)}, {})
    return line


@settings(max_examples=120, deadline=None)
@given(histories(), st.lists(EVENTS, max_size=3), st.integers(0, 2**32), st.lists(TEXT, max_size=2))
def test_the_order_of_facts_changes_nothing_and_garbage_is_survived(
    line: Line, events: list[ErrorEvent], seed: int, routes: list[str]
) -> None:
    search = line.search(*events, routes=tuple(routes))
    ranked = rank(search)
    assert len(ranked) == len(line.commits)
    assert 0 < sum(one.share for one in ranked) < 1
    shuffled = random.Random(seed)

    def mixed(found: Sequence[T]) -> tuple[T, ...]:
        return tuple(shuffled.sample(list(found), len(found)))

    commits = tuple(replace(one, files=mixed(one.files)) for one in mixed(search.commits))
    texts = {path: search.texts[path] for path in mixed(list(search.texts))}
    again = rank(Search(commits, mixed([*events, *events]), mixed(routes), texts))
    told = [
        [(one.commit.sha, one.weight, one.path, one.line, one.findings) for one in found] for found in (ranked, again)
    ]
    assert told[0] == told[1]


@settings(max_examples=150, deadline=None)
@given(histories())
def test_every_line_is_traced_to_who_wrote_it(line: Line) -> None:
    """Against the plain answer: play the history forwards, carrying each line's writer along."""
    for path in ("shop/cart.py", "shop/prices.py"):
        writers: list[str] = ["base"] * len(START[path].splitlines())
        for commit in line.commits:
            for hunk in reversed(next((one.hunks for one in commit.files if one.path == path), ())):
                writers[hunk.old - 1 : hunk.old - 1 + len(hunk.removed)] = [commit.sha] * len(hunk.added)
        traced = Tracer(newest_first(line.commits)).trace(path, len(writers))
        for number, writer in enumerate(writers, 1):
            said = [one for one in traced.get(number, ()) if one.age == 0 and one.way is not Way.BESIDE]
            assert (
                (writer in {one.sha for one in said})
                if writer != "base"
                else not [one for one in said if one.way is Way.WROTE]
            )
