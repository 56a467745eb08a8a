"""What is shown fits a phone's terminal, and loses nothing there."""

from __future__ import annotations

import contextlib
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodwise.cli.fit import fold, shown
from prodwise.cli.main import run
from tests.cli.conftest import Terminal
from tests.server import stories
from tests.server.running_server import World

NARROW = 40
LONG = re.compile(r"\S{36,}")


@given(
    st.text(st.sampled_from("ab \x1b"), max_size=120).map(lambda text: text.replace("\x1b", "\x1b[1m")),
    st.integers(8, 60),
)
def test_folding_loses_nothing_and_breaks_only_between_words(line: str, width: int) -> None:
    folded = fold(line, width)
    assert folded.split() == line.split()
    longest = max(map(shown, line.split()), default=0)
    assert all(
        shown(one) <= max(width, longest + width // 3 + len(line) - len(line.lstrip())) for one in folded.split("\n")
    )


def test_a_line_that_fits_and_one_for_a_pipe_stay_as_they_are() -> None:
    assert fold("  app        http://here", 40) == "  app        http://here"
    assert fold("a " * 100, 0) == "a " * 100
    assert fold("  one two three", 10) == "  one two\n   three"


LINES = (
    "status", "releases", "changes", "incidents", "show", "why", "audit", "stage", "config", "approve", "deploy --dry-run",
    "rollback --dry-run", "undo --dry-run", "freeze --dry-run", "show nope", "deploy missing",
)  # fmt: skip
HELP = ("--help", "deploy --help", "drill --help")


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def on_a_screen(line: str) -> str:
    """What a terminal would show of one command, errors too."""
    screen = Screen()
    with contextlib.redirect_stdout(screen), contextlib.redirect_stderr(screen):
        run(line.split())
    return screen.getvalue()


def too_wide(text: str) -> list[str]:
    """Lines wider than a phone's, but for a word that is wider itself: an address must stay whole."""
    return [line for line in text.split("\n") if len(line) > NARROW and not LONG.search(line)]


@pytest.fixture
def phone(shop: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(NARROW))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(shop.folder)


@pytest.mark.usefixtures("phone")
def test_nothing_is_wider_than_a_phone(world: World) -> None:
    stories.bad_release(world)
    stories.question(world)
    for line in LINES:
        seen = on_a_screen(line)
        assert seen.strip(), line
        assert too_wide(seen) == [], line
        assert "Traceback" not in seen


def test_help_is_not_wider_than_a_phone(terminal: Terminal) -> None:
    terminal.env = {"NO_COLOR": "1"}
    for line in HELP:
        assert too_wide(terminal.type("", *line.split(), columns=NARROW).replace("\r", "")) == [], line


@pytest.mark.usefixtures("phone")
def test_rows_become_cards_and_keep_their_last_words(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    stories.bad_release(world)
    narrow = on_a_screen("incidents")
    monkeypatch.setenv("COLUMNS", "120")
    words = [set(re.findall(r"[A-Za-z0-9%]{3,}", text)) for text in (on_a_screen("incidents"), narrow)]
    assert "outcome:" in narrow
    assert words[0] - {"incident", "ago"} <= words[1]
