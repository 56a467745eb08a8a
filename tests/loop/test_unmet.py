"""Releases that no user met: where they were refused, which are the same fault, and a start as a check that runs."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from prodwise.loop.ship import CanarySeen, ShipPhase, ShipSeen, ShipTurn, step
from prodwise.loop.verify.failure import failure
from prodwise.loop.verify.started import NO_ANSWER, notes, start_check
from prodwise.loop.watch.unmet import RECENT_S, alike, answers, at_of, built, due, key, line_of, path_in
from prodwise.model.gate import GateResult, Verdict
from prodwise.model.release import Release, ReleaseState
from prodwise.model.service import Probe, ProbeKind, Service, ServiceKind
from prodwise.model.unmet import Unmet, UnmetAt
from tests.loop.test_ship import RULES

BOOT = """Traceback (most recent call last):
  File "/srv/app/.prodwise/releases/{release}/src/web.py", line {line}, in <module>
    start(curency)
NameError: name 'curency' is not defined
"""


def boot(release: str, line: int = 3, service: str = "web") -> Unmet:
    said = BOOT.format(release=release, line=line)
    return Unmet(release, UnmetAt.START, service, f"it does not come up: web keeps ending ({line} restarts)", said)


def seen(failure: str = "", checks: tuple[GateResult, ...] = (), by: str = "") -> ShipSeen:
    dead = CanarySeen("web", False, False, 0.0, "keeps ending (exit code 1, 3 restarts)", exits=3)
    return ShipSeen("", True, failure, (dead,), checks, (), "enough" if by else "", False, cancelled_by=by)


NO = (GateResult("web: checks", Verdict.FAIL, answers("/cart", 500, 200)),)


@pytest.mark.parametrize(
    ("phase", "look", "at"),
    [
        (ShipPhase.BUILDING, seen("no room"), UnmetAt.BUILD),
        (ShipPhase.STARTING, seen(), UnmetAt.START),
        (ShipPhase.CHECKING, seen(checks=NO), UnmetAt.CHECKS),
        (ShipPhase.STARTING, seen(by="ana"), None),
        (ShipPhase.WATCHING, replace(seen(), gates=NO), None),
    ],
)
def test_a_turn_keeps_where_a_release_was_refused_before_users_met_it(
    phase: ShipPhase, look: ShipSeen, at: UnmetAt | None
) -> None:
    turn, _ = step(ShipTurn("2-bbbbbbb", phase, 0.0, looked_at=1.0), look, RULES, 2.0)
    assert turn.phase is ShipPhase.REVERTING
    assert at_of(turn.refused) is at
    assert at_of(ShipTurn.from_json(turn.to_json()).refused) is at


def test_the_path_of_a_server_error_is_found_in_what_the_check_says() -> None:
    assert path_in(f"web: {answers('/a', 0, 200)}; {answers('/cart?n=1', 503, 200)}") == "/cart?n=1"
    assert path_in(f"web: {answers('/a', 0, 200)}") == ""
    assert path_in("a page /x answers 500") == ""


def test_a_build_tells_its_line_and_what_it_printed() -> None:
    reason = "make check failed (exit code 2):\nE   KeyError: 'a'\nfailed\nthe whole log: /x/build.log"
    assert (line_of(reason), built(reason)) == ("make check", "E   KeyError: 'a'\nfailed")
    assert line_of("make did not finish within 1800 s:\n") == "make"


def test_one_reason_is_one_fault_in_each_release() -> None:
    assert key(boot("5-aaaaaaa")) == key(boot("6-bbbbbbb", 9))
    assert key(boot("5-aaaaaaa")) != key(boot("5-aaaaaaa", service="api"))
    other = replace(boot("5-aaaaaaa"), said=BOOT.format(release="5-aaaaaaa", line=3).replace("curency", "amont"))
    assert key(other) != key(boot("5-aaaaaaa"))
    lint = Unmet("5-aaaaaaa", UnmetAt.BUILD, "", "make lint failed (exit code 2):\nno", "no")
    assert key(lint) == key(replace(lint, release="6-bbbbbbb"))
    assert key(lint) != key(replace(lint, reason="make test failed (exit code 2):\nno"))
    tests = replace(lint, said="FAILED test_a.py::test_b - KeyError\n1 failed in 0.31s")
    assert key(tests) == key(replace(tests, said="FAILED test_a.py::test_b - KeyError\n1 failed in 0.52s"))
    assert key(tests) != key(replace(tests, said="FAILED test_a.py::test_c - KeyError\n1 failed in 0.31s"))


def test_a_page_stands_for_its_fault_only_where_nothing_else_does() -> None:
    cart = Unmet("5-aaaaaaa", UnmetAt.CHECKS, "web", "x", "Serving on 8000", "/cart")
    assert key(cart) != key(replace(cart, path="/tea"))
    raised = replace(cart, said=BOOT.format(release="5-aaaaaaa", line=3))
    assert key(raised) == key(replace(raised, path="/tea"))


def test_only_the_newest_release_is_due_and_only_lately() -> None:
    def made(number: int, state: ReleaseState, at: float = 100.0) -> Release:
        return Release(f"{number}-aaaaaaa", number, "a" * 40, "", at, state)

    bad = made(2, ReleaseState.FAILED)
    assert due([made(1, ReleaseState.VERIFIED_GOOD), bad], 200.0) == bad
    assert due([bad, made(3, ReleaseState.VERIFIED_GOOD)], 200.0) is None
    assert due([bad, made(3, ReleaseState.BUILDING)], 200.0) is None
    assert due([bad], 101.0 + RECENT_S) is None
    assert due([], 0.0) is None


@pytest.mark.parametrize(
    ("live", "here", "same"),
    [
        (BOOT * 3, BOOT, True),
        (BOOT, "KeyError: 'DATABASE_URL'", False),
        ("cannot start\n" * 3, "cannot start", True),
        ("cannot start", "no settings here", False),
        ("cannot start", BOOT, False),
        (f"Serving\n{NO_ANSWER}", f"Serving\n\n{NO_ANSWER}", True),
        ("", "anything", True),
        ("", BOOT, False),
    ],
)
def test_a_check_counts_only_where_it_fails_alike(live: str, here: str, same: bool) -> None:
    found = failure(1, here, "")
    assert found is not None
    assert alike(live, found) is same


def service(command: str, probe: Probe | None, **env: str) -> Service:
    return Service("web", ServiceKind.WEB, command, probe, start_s=1.5, env=tuple(env.items()))


HTTP, OWN = Probe(ProbeKind.HTTP, "/healthz"), Probe(ProbeKind.COMMAND, "true")
SERVER = """
import http.server, os
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(int(os.environ["STATUS"]))
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Page).serve_forever()
"""


@pytest.mark.parametrize(
    ("asked", "code", "said"),
    [
        (service(f"exec {sys.executable} -c '{SERVER}'", HTTP, STATUS="200"), 0, ""),
        (service(f"exec {sys.executable} -c '{SERVER}'", HTTP, STATUS="500"), 1, NO_ANSWER),
        (service(f"exec {sys.executable} -c '{SERVER}'", Probe(ProbeKind.TCP), STATUS="500"), 0, ""),
        (service("echo no good >&2; exit 3", HTTP), 1, "no good"),
        (service("exec sleep 60", None), 0, ""),
        (service("exec sleep 60", OWN), 0, ""),
        (service("exit 0", None), 1, ""),
    ],
)
def test_a_start_is_run_as_it_is_declared(asked: Service, code: int, said: str) -> None:
    argv = [sys.executable, "-c", start_check(asked)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout.strip().splitlines()[-1:]) == (code, [said] if said else []), done


def test_what_may_be_secret_is_not_told_to_a_start_and_that_is_said() -> None:
    asked = service("x", OWN, API_TOKEN="abc123", STATUS="200")
    text = start_check(asked)
    assert "abc123" not in text
    assert "STATUS" in text
    assert "API_TOKEN" in notes(asked)[1]
    assert "its own probe" in notes(asked)[2]
