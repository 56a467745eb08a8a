"""Live updates over server-sent events, on the real server."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from queue import Empty, Queue

import httpx2
import pytest

from prodwise.server import live
from tests.server import stories
from tests.server.running_server import World, start_world, until


class Ear:
    """Listens in a thread; `events` are (name, data) as they come, ("", "") at the end of the stream."""

    def __init__(self, client: httpx2.Client, page: str) -> None:
        self.events: Queue[tuple[str, str]] = Queue()
        self._client, self._page = client, page
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        with suppress(httpx2.TransportError):  # the test hung up
            self._read()
        self.events.put(("", ""))

    def _read(self) -> None:
        with self._client.stream("GET", "/live", params={"page": self._page}, timeout=30) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            name, data = "", []
            for line in answer.iter_lines():
                if line.startswith("event: "):
                    name = line[7:]
                elif line.startswith("data: "):
                    data.append(line[6:])
                elif not line and name:
                    self.events.put((name, "\n".join(data)))
                    name, data = "", []

    def wait(self, name: str, text: str = "", seconds: float = 10.0) -> str:
        """The next fragment `name` that holds `text`."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                got, html = self.events.get(timeout=max(0.01, deadline - time.monotonic()))
            except Empty:
                pytest.fail(f"no {name!r} with {text!r} within {seconds} s")
            if got == name and text in html:
                return html


@pytest.fixture
def ear(world: World) -> Iterator[Ear]:
    with world.person() as client:
        yield Ear(client, "now")


def test_a_change_reaches_an_open_page_within_two_seconds(world: World, ear: Ear) -> None:
    ear.wait("broken", "OK")
    stories.bad_release(world)
    began = time.monotonic()
    ear.wait("broken", "about 1 in 3 buyers")
    ear.wait("doing", "Doing it now")
    assert time.monotonic() - began < 2.5


def test_fragments_carry_the_listeners_own_token_and_nobody_elses(world: World, ear: Ear) -> None:
    with world.person() as other:
        html = ear.wait("doing", "Stop")
        theirs = Ear(other, "now").wait("doing", "Stop")
        token = other.headers["x-csrf-token"]
        assert token in theirs
        assert token not in html
    assert live.MARK not in html + theirs


def test_a_page_on_which_nothing_changes_still_hears_of_us(
    world: World, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an event: a comment reaches no script, and a page could not tell silence from a healer that hangs."""
    monkeypatch.setattr(world.server.config.app.state.live, "_beat_s", 0.3)  # type: ignore[union-attr]
    stories.history(world)
    ear.wait("broken")
    assert ear.wait("beat") == "-"


def test_nothing_is_polled_while_nobody_listens(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[float] = []
    observe = world.target.observe
    monkeypatch.setattr(world.target, "observe", lambda: (looked.append(time.monotonic()), observe())[1])
    hub = world.server.config.app.state.live  # type: ignore[union-attr]
    with world.person() as client:
        with client.stream("GET", "/live", params={"page": "now"}) as first:
            lines = first.iter_lines()
            assert "event: broken" in lines
            until(lambda: len(looked) >= 3, "it polls")
            assert hub.listeners == 1
            assert min(later - sooner for sooner, later in pairwise(looked)) > 0.9
            with client.stream("GET", "/live", params={"page": "releases"}) as second:
                assert second.status_code == 200
                until(lambda: hub.listeners == 2, "the second listens")
            until(lambda: hub.listeners == 1, "the second left")
        until(lambda: hub.listeners == 0, "the first left")
    before = len(looked)
    with pytest.raises(AssertionError):
        until(lambda: len(looked) > before + 1, "more looks", seconds=2.2)


def test_listeners_are_bounded(world: World, monkeypatch: pytest.MonkeyPatch, ear: Ear) -> None:
    ear.wait("broken")
    monkeypatch.setattr(live, "LISTENERS_MAX", 1)
    with world.person() as client:
        assert client.get("/live", params={"page": "now"}).status_code == 409


@pytest.mark.parametrize("page", ["", "nope", "incident", "incident/", "now/x", "incident/" + "x" * 200])
def test_only_known_pages_are_live(world: World, page: str) -> None:
    with world.person() as client:
        assert client.get("/live", params={"page": page}).status_code == 404


def test_shutdown_ends_open_streams_quickly(tmp_path: Path) -> None:
    world = start_world(tmp_path)
    with world.person() as client:
        listener = Ear(client, "now")
        listener.wait("broken")
        began = time.monotonic()
        world.close()
        assert time.monotonic() - began < 3.0
        until(lambda: ("", "") in list(listener.events.queue), "the stream ended")
