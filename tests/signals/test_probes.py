"""Probes and replay against real sockets: well, sick, hung, gone, and what could not be asked."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodwise import clock
from prodwise.model.service import Probe, ProbeKind
from prodwise.model.signal import ProbeSeen
from prodwise.model.target import TargetSeen
from prodwise.signals import probes, replay, wire
from prodwise.signals.asks import ProbeTarget
from prodwise.signals.probes import ProbeRunner

ANY = TargetSeen(0.0, (), False, "", 0)


class App(BaseHTTPRequestHandler):
    """Answers by path; counts what it was asked."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path in ("/silent", "/stuck"):
            time.sleep(1.0 if self.path == "/silent" else 4.0)
        if self.path == "/nonsense":
            self.wfile.write(b"SSH-2.0-x\r\n")
            return
        self.send_response({"/sick": 503, "/moved": 302}.get(self.path, 200))
        self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(b"x" * 10)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def app() -> Iterator[tuple[int, list[str]]]:
    asked: list[str] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Counting", (App,), {"asked": asked}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1], asked
    server.shutdown()
    server.server_close()


@pytest.fixture
def probing() -> Iterator[Callable[..., ProbeRunner]]:
    runners: list[ProbeRunner] = []

    def start(*targets: ProbeTarget) -> ProbeRunner:
        runners.append(ProbeRunner(lambda _: targets))
        runners[-1].start()
        runners[-1].see(ANY)
        return runners[-1]

    yield start
    for runner in runners:
        runner.close()
        assert not runner.alive


def http(port: int, path: str, slot: str = "a") -> ProbeTarget:
    return ProbeTarget("web", slot, "1-aaaaaaa", port, Probe(ProbeKind.HTTP, path))


def take(runner: ProbeRunner, count: int, seconds: float = 10.0) -> list[ProbeSeen]:
    deadline, seen = time.monotonic() + seconds, []
    while len(seen) < count:
        assert time.monotonic() < deadline, f"only {seen}"
        seen += runner.results()
        time.sleep(0.01)
    return seen


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@pytest.mark.parametrize(
    ("path", "ok", "detail"),
    [
        ("/", True, "status 200"),
        ("/moved", True, "status 302"),
        ("/sick", False, "status 503"),
        ("/silent", False, "no answer within 400 ms"),
        ("/nonsense", False, "not an HTTP answer"),
        ("/a b\r\nHost: x", None, "the probe's path is not usable"),
        ("//evil.example/", None, "the probe's path is not usable"),
    ],
)
def test_http_answers(
    app: tuple[int, list[str]], probing: Callable[..., ProbeRunner], path: str, ok: bool | None, detail: str
) -> None:
    port, asked = app
    seen = take(probing(http(port, path)), 2)
    assert {(one.ok, one.detail, one.service, one.slot, one.release) for one in seen} == {
        (ok, detail, "web", "a", "1-aaaaaaa")
    }
    assert "/elsewhere" not in asked


def test_nobody_there_is_sick_and_no_port_is_unknown(probing: Callable[..., ProbeRunner]) -> None:
    seen = take(probing(http(free_port(), "/"), http(0, "/", "b")), 4)
    assert {(one.slot, one.ok) for one in seen} == {("a", False), ("b", None)}


def test_a_hung_process_is_noticed_by_http_within_two_seconds(
    probing: Callable[..., ProbeRunner], tmp_path: Path
) -> None:
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"], cwd=tmp_path, stderr=subprocess.DEVNULL
    )
    try:
        runner = probing(http(port, "/"))
        while not take(runner, 1)[-1].ok:
            pass
        os.kill(server.pid, signal.SIGSTOP)
        began, failures = time.monotonic(), 0
        while failures < 3:
            failures += sum(one.ok is False for one in take(runner, 1))
        assert time.monotonic() - began < 2.5
    finally:
        server.kill()
        server.wait()


def test_a_connection_that_nobody_takes_up_is_no_answer(probing: Callable[..., ProbeRunner]) -> None:
    with socket.socket() as full, contextlib.ExitStack() as waiting:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        for _ in range(4):
            client = waiting.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", port))
        (seen,) = take(probing(ProbeTarget("s", "a", "r", port, Probe(ProbeKind.TCP, "", 5.0, 0.3))), 1)
        assert (seen.ok, seen.detail) == (False, "no answer within 300 ms")


def test_tcp_and_commands(app: tuple[int, list[str]], probing: Callable[..., ProbeRunner], tmp_path: Path) -> None:
    def target(slot: str, kind: ProbeKind, text: str = "") -> ProbeTarget:
        return ProbeTarget("s", slot, "r", app[0], Probe(kind, text, 0.1, 0.5), cwd=str(tmp_path), env=(("K", "v"),))

    seen = take(
        probing(
            target("tcp", ProbeKind.TCP),
            target("well", ProbeKind.COMMAND, 'test "$PORT" && test "$K" = v && test -z "$SECRET_OF_THE_HEALER"'),
            target("sick", ProbeKind.COMMAND, "exit 3"),
            target("bound", ProbeKind.COMMAND, 'test "$(ulimit -t) $(ulimit -v) $(ulimit -f)" = "1 1048576 32768"'),
            target("slow", ProbeKind.COMMAND, f"sleep 30 & echo $! > {tmp_path}/child; wait"),
        ),
        24,
    )
    answers = {one.slot: (one.ok, one.detail) for one in seen}
    assert answers["tcp"] == (True, "accepts connections")
    assert answers["well"][0] is True
    assert answers["bound"][0] is True
    assert answers["sick"] == (False, "exit code 3")
    assert answers["slow"] == (False, "no answer within 500 ms")


def test_a_command_takes_its_children_with_it(probing: Callable[..., ProbeRunner], tmp_path: Path) -> None:
    probe = Probe(ProbeKind.COMMAND, f"sleep 60 & echo $! > {tmp_path}/child; wait", 5.0, 0.3)
    take(probing(ProbeTarget("s", "a", "r", 0, probe)), 1)
    child = int((tmp_path / "child").read_text())
    deadline = time.monotonic() + 5
    while Path(f"/proc/{child}/stat").exists() and " Z " not in Path(f"/proc/{child}/stat").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_slots_come_and_go_and_an_old_look_is_no_answer(
    app: tuple[int, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probes, "SEEN_FOR_S", 0.8)
    listed = [http(app[0], "/")]
    runner = ProbeRunner(lambda _: list(listed))
    runner.start()
    try:
        runner.see(ANY)
        take(runner, 1)
        listed[0] = http(app[0], "/", "b")
        runner.see(ANY)
        while take(runner, 1)[-1].slot != "b":
            pass
        ends, asked = time.monotonic() + 10, -1
        while asked != len(app[1]):  # until nobody has been asked for longer than a probe's interval
            assert time.monotonic() < ends
            asked = len(app[1])
            time.sleep(0.6)
        runner.results()
        runner.see(ANY)
        assert take(runner, 1)[-1].slot == "b"
    finally:
        runner.close()


def test_a_prober_that_was_paused_blames_nobody(app: tuple[int, list[str]]) -> None:
    text = f"""
import time
from prodwise.signals.probes import ProbeRunner
from prodwise.signals.asks import ProbeTarget
from prodwise.model.service import Probe, ProbeKind
from prodwise.model.target import TargetSeen
runner = ProbeRunner(lambda _: [ProbeTarget("web", "a", "r", {app[0]}, Probe(ProbeKind.HTTP, "/stuck"))])
runner.start()
while True:
    runner.see(TargetSeen(0.0, (), False, "", 0))
    for one in runner.results():
        print(one.at - one.ms / 1000, one.at, one.ok, one.detail, flush=True)
    time.sleep(0.01)
"""
    prober = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True)
    try:
        assert prober.stdout is not None
        answers = (line.rstrip("\n").split(" ", 2) for line in prober.stdout)
        blamed = "False no answer within 400 ms"
        assert any(told == blamed for _, _, told in itertools.islice(answers, 20))
        os.kill(prober.pid, signal.SIGSTOP)
        paused = clock.now()
        time.sleep(0.9)  # the pause itself
        resumed = clock.now()
        os.kill(prober.pid, signal.SIGCONT)
        across = [told for began, at, told in _until(answers, resumed) if float(began) < paused and float(at) > resumed]
        assert across == ["None the prober itself was late"]
        assert any(told == blamed for _, _, told in itertools.islice(answers, 20)), "and then it sees again"
    finally:
        prober.kill()
        prober.communicate()


def _until(answers: Iterator[list[str]], moment: float) -> Iterator[list[str]]:
    """Up to the first answer to what was asked after that moment."""
    for one in answers:
        yield one
        if float(one[0]) > moment:
            return


def test_probing_costs_little(app: tuple[int, list[str]], tmp_path: Path) -> None:
    """Four services, four times a second, in a process of its own: well under 1 % of a core."""
    text = f"""
import resource, time
from prodwise.signals.probes import ProbeRunner
from prodwise.signals.asks import ProbeTarget
from prodwise.model.service import Probe, ProbeKind
from prodwise.model.target import TargetSeen
targets = [ProbeTarget("s", str(n), "r", {app[0]}, Probe(ProbeKind.HTTP, "/")) for n in range(4)]
runner = ProbeRunner(lambda _: targets)
runner.start()
runner.see(TargetSeen(0.0, (), False, "", 0))
time.sleep(0.3)
cpu, wall = time.process_time(), time.monotonic()
time.sleep(2.0)
count = len(runner.results())
print((time.process_time() - cpu) / (time.monotonic() - wall), count)
runner.close()
"""
    out = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True, timeout=30).stdout
    share, count = out.split()
    assert int(count) >= 24
    assert float(share) < 0.05  # 0.006 measured on a quiet machine


def test_replay_asks_safe_paths_only(app: tuple[int, list[str]]) -> None:
    port, asked = app
    asker = replay.Replay()
    status, ms = asker.ask(port, "/product/1", 2.0)
    assert (status, 0 < ms < 2000) == (200, True)
    assert asker.ask(port, "/sick", 2.0)[0] == 503
    assert asker.ask(port, "/nonsense", 2.0)[0] == 0
    assert asker.ask(port, "/silent", 0.2)[0] == 0
    assert asker.ask(free_port(), "/", 0.5)[0] == 0
    before = list(asked)
    for path in ("/logout", "/cart?delete=1", "//other", "/a b", "/Sign-Out", "http://x/", ""):
        assert asker.ask(port, path, 1.0) == (0, 0.0)
    assert asked == before


@given(st.text(max_size=100))
def test_no_text_becomes_a_second_request(text: str) -> None:
    if not wire.usable(text):
        with pytest.raises(ValueError, match="not usable"):
            wire.get(80, text, "x")
        return
    sent = wire.get(80, text, "x")
    assert sent.count(b"\r\n\r\n") == 1
    assert sent.splitlines()[0] == f"GET {text} HTTP/1.1".encode()


@given(st.binary(max_size=3000))
def test_any_bytes_have_a_status_or_none(answer: bytes) -> None:
    status = wire.status_of(answer)
    assert status is None or status == 0 or 0 <= status <= 999
