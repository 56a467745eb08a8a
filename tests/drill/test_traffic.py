"""The traffic client counts what users would see, against a real server that fails on purpose."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from prodwise.drill.traffic.http import parse_address, read_answer
from prodwise.drill.traffic.plan import Plan, Step, parse_order, parse_step
from prodwise.drill.traffic.records import Reader, Sent
from prodwise.model.errors import UsageError
from tests.drill.running_shop import free_port, poll


class Failing(BaseHTTPRequestHandler):
    """Fails in the way that the path asks for, and counts."""

    asked: ClassVar[Counter[str]] = Counter()
    cookies: ClassVar[Counter[str]] = Counter()
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.asked[self.path] += 1
        self.cookies["with" if self.headers.get("Cookie") else "without"] += 1
        if self.path == "/reset":
            self.close_connection = True
        elif self.path == "/cut":
            self._answer(200, b"half", length=80)
        else:
            self._answer({"/500": 500, "/404": 404}.get(self.path, 200), b"hello")

    def do_POST(self) -> None:
        self.asked[self.path] += 1
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(200 if body == b"a=1&b=2" else 500, b"thanks")

    def _answer(self, status: int, body: bytes, length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.send_header("Set-Cookie", "seen=1; Path=/")
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    Failing.asked, Failing.cookies = Counter(), Counter()
    made = ThreadingHTTPServer(("127.0.0.1", 0), Failing)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


def start(out: Path, port: int, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "prodwise.drill.traffic", "--address", f"127.0.0.1:{port}", "--out", str(out)]
    return subprocess.Popen([*command, *options], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def run(out: Path, port: int, *options: str) -> list[Sent]:
    assert start(out, port, *options).wait(30) == 0
    return list(Reader(out).read())


def test_every_kind_of_failure_is_counted_as_its_user_saw_it(server: ThreadingHTTPServer, tmp_path: Path) -> None:
    paths = ["/", "/404", "/500", "/reset", "/cut"]
    options = [word for path in paths for word in ("--path", path)]
    sent = run(tmp_path / "out", server.server_port, *options, "--rate", "150", "--seconds", "2")
    assert Counter(one.path for one in sent) == Failing.asked, "nothing lost, nothing invented"
    assert {(one.path, one.why) for one in sent} == {
        ("/", ""), ("/404", ""), ("/500", "5xx"), ("/reset", "reset"), ("/cut", "cut"),
    }  # fmt: skip
    assert {one.path for one in sent if not one.failed} == {"/", "/404"}


def test_rate_is_open_loop_and_poisson(server: ThreadingHTTPServer, tmp_path: Path) -> None:
    sent = run(tmp_path / "out", server.server_port, "--rate", "100", "--seconds", "3")
    assert 220 <= len(sent) <= 380, "Poisson(300): outside 220…380 about five times in a million"
    gaps = [b.at - a.at for a, b in itertools.pairwise(sent)]
    assert max(gaps) > 3 * sum(gaps) / len(gaps), "arrivals are irregular"


def test_nobody_there_is_refused(tmp_path: Path) -> None:
    sent = run(tmp_path / "out", free_port(), "--rate", "50", "--seconds", "1")
    assert sent
    assert {one.why for one in sent} == {"refused"}


def test_visits_post_their_forms_in_order(server: ThreadingHTTPServer, tmp_path: Path) -> None:
    visit = ("--step", "GET /first", "--step", "POST /second a=1&b=2", "--visit-share", "1")
    sent = run(tmp_path / "out", server.server_port, *visit, "--rate", "40", "--seconds", "2")
    assert {(one.method, one.path, one.status) for one in sent} == {("GET", "/first", 200), ("POST", "/second", 200)}
    assert abs(Failing.asked["/first"] - Failing.asked["/second"]) <= 1


@pytest.mark.parametrize(("share", "kind"), [("1", "with"), ("0", "without")])
def test_cookies_are_kept_by_those_who_keep_them(
    server: ThreadingHTTPServer, tmp_path: Path, share: str, kind: str
) -> None:
    sent = run(tmp_path / "out", server.server_port, "--keep-cookies", share, "--rate", "200", "--seconds", "1.5")
    assert Failing.cookies[kind] > len(sent) * 0.6


def test_orders_change_the_rate_and_stop(server: ThreadingHTTPServer, tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = start(out, server.server_port, "--rate", "0", "--seconds", "30", "--orders")
    assert process.stdin is not None
    assert poll(out.exists)
    process.stdin.write("nonsense\nrate 300\n")
    process.stdin.flush()
    reader, seen = Reader(out), list[Sent]()
    assert poll(lambda: seen.extend(reader.read()) or len(seen) > 100)
    begin = time.monotonic()
    _, errors = process.communicate("stop\n", timeout=10)
    assert time.monotonic() - begin < 3
    assert "nonsense" in errors


def test_ends_by_itself_when_the_drill_dies(server: ThreadingHTTPServer, tmp_path: Path) -> None:
    process = start(tmp_path / "out", server.server_port, "--rate", "20", "--seconds", "600", "--orders")
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(5) == 0


@pytest.mark.parametrize(
    "address", ["10.0.0.1:80", "192.168.1.1:80", "example.com:80", "8.8.8.8:80", "127.0.0.1", "0.0.0.0:80", "[::2]:1"]
)
def test_only_this_machine_is_ever_asked(address: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        parse_address(address)
    command = [sys.executable, "-m", "prodwise.drill.traffic", "--address", address, "--out", str(tmp_path / "out")]
    assert subprocess.run(command, capture_output=True, timeout=20, check=False).returncode == 2
    assert not (tmp_path / "out").exists()


def test_loopback_in_all_its_spellings() -> None:
    for text in ("127.0.0.1:8000", "http://localhost:8000/", "[::1]:8000", "127.9.9.9:8000"):
        assert parse_address(text).port == 8000


@pytest.mark.parametrize("text", ["", "DELETE /", "GET", "GET nowhere", "GET /a\r\nX: y", "GET /ä"])
def test_steps_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_step(text)


@pytest.mark.parametrize("text", ["rate", "rate x", "rate -1", "rate 1e9", "rate nan", "ramp 5", "hello"])
def test_orders_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_order(text, 0.0, 1.0)


def test_a_ramp_is_a_line() -> None:
    ramp = parse_order("ramp 100 10", now=50.0, current=20.0)
    assert ramp is not None
    assert [ramp.rate(at) for at in (49.0, 50.0, 55.0, 60.0, 99.0)] == [20.0, 20.0, 60.0, 100.0, 100.0]


def test_a_visit_is_several_requests_of_the_rate() -> None:
    plan = Plan(("/",), 40, 10, visit=(Step("GET", "/"),) * 3, visit_share=0.5)
    assert plan.arrivals_per_second(40) == pytest.approx(20)


@pytest.mark.parametrize(
    ("data", "status", "why"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, ""),
        (b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", 503, "5xx"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 200, ""),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", 0, "cut"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok", 0, "cut"),
        (b"HTTP/1.1 200", 0, "cut"),
        (b"", 0, "reset"),
        (b"SSH-2.0\r\n\r\n", 0, "garbled"),
    ],
)
def test_whole_answers_count_and_halves_do_not(data: bytes, status: int, why: str) -> None:
    answer = read_answer(data)
    assert (answer.status, answer.why) == (status, why)


def test_a_half_written_line_is_read_later(tmp_path: Path) -> None:
    path = tmp_path / "records"
    line = Sent(1.0, 2.0, "GET", "/", 200, "", "r1").line()
    path.write_text(line + "\n" + line[:20])
    reader = Reader(path)
    assert len(list(reader.read())) == 1
    with path.open("a") as file:
        file.write(line[20:] + "\n")
    assert [one.status for one in reader.read()] == [200]
    assert json.loads(line)["path"] == "/"
