"""The access log's tail: real files, rotation, truncation, garbage, restarts; and what a real Caddy writes."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodwise.model import access
from prodwise.model.signal import Arm
from prodwise.signals.access_log import LINE_MAX, RECORDS_MAX, AccessLog
from prodwise.signals.routes import NOT_FOUND, OTHER, Routes, fold_path

EMPTY = hashlib.sha256(b"").hexdigest()[:16]


def line(number: int = 0, **more: Any) -> str:
    record: dict[str, Any] = {
        "ts": 1000.0 + number,
        "status": 200,
        "duration": 0.012,
        "request": {"method": "GET", "uri": f"/product/{number}?token=secret"},
        access.SERVICE: "web",
        access.SLOT: "a",
        access.RELEASE: "3-abcdef0\n",
        access.SWITCH: "a0ccccccc\n",
        access.LANE: "11aa",
        access.INTENDED: "127.0.0.1:8001",
        access.UPSTREAM: "127.0.0.1:8001",
    }
    return json.dumps({**record, **more}) + "\n"


def write(path: Path, *lines: str) -> None:
    with path.open("a") as file:
        file.write("".join(lines))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "access.log"


@pytest.fixture
def log(path: Path) -> Iterator[AccessLog]:
    tail = AccessLog(path)
    yield tail
    tail.close()


def numbers(tail: AccessLog) -> list[int]:
    return [int(seen.at) - 1000 for seen in tail.read()]


def test_reads_a_record_as_it_was_routed(log: AccessLog, path: Path) -> None:
    write(path, line(7), line(8, slot="b", upstream="127.0.0.1:8001", intended="127.0.0.1:8002", status=502))
    stable, canary = log.read()
    assert (stable.arm, stable.route, stable.path) == (Arm.STABLE, "GET /product/:id", "/product/7")
    assert (stable.release, stable.ms, stable.lane, stable.ok) == ("3-abcdef0", 12.0, "11aa", True)
    assert stable.share == pytest.approx(0.05, abs=1e-6)
    assert canary.arm is Arm.CANARY
    assert canary.fell_over
    assert not canary.ok


def test_tells_who_brought_a_lane_along(log: AccessLog, path: Path) -> None:
    write(path, line(kept="yes"), line(kept="no"), line(kept=""), line(kept=["yes"]), line())
    assert [seen.returning for seen in log.read()] == [True, False, False, False, False]


def test_a_request_that_nobody_answered_did_not_fall_over(log: AccessLog, path: Path) -> None:
    write(path, line(upstream=None, status=502), line(upstream="", status=503))
    assert [seen.fell_over for seen in log.read()] == [False, False]


def test_a_client_that_gave_up_got_no_answer_but_an_impatient_one_proves_nothing(log: AccessLog, path: Path) -> None:
    write(path, line(status=499, duration=9.0), line(status=499, duration=0.2))
    assert [(seen.status, seen.ok) for seen in log.read()] == [(0, False), (499, True)]


def test_starts_at_the_end_of_what_stands(path: Path) -> None:
    write(path, line(1))
    tail = AccessLog(path)
    write(path, line(2))
    assert numbers(tail) == [2]
    tail.close()


def test_half_a_line_waits_for_its_other_half(log: AccessLog, path: Path) -> None:
    whole = line(1)
    write(path, whole[:40])
    assert numbers(log) == []
    write(path, whole[40:], line(2)[:10])
    assert numbers(log) == [1]
    assert not log.rejected


def test_follows_rotation_without_losing_the_last_lines(log: AccessLog, path: Path) -> None:
    write(path, line(1))
    assert numbers(log) == [1]
    write(path, line(2))
    path.rename(path.with_name("access-2026-01-01.log"))
    assert numbers(log) == [2]
    write(path, line(3))
    assert numbers(log) == [3]


def test_reads_every_file_of_several_rotations_in_order(log: AccessLog, path: Path) -> None:
    write(path, line(0))
    for number in range(1, 5):
        write(path, line(number))
        rotated = path.with_name(f"access-{number}.log")
        path.rename(rotated)
        os.utime(rotated, ns=(number * 10**9, number * 10**9))
    write(path, line(5))
    assert numbers(log) == [0, 1, 2, 3, 4, 5]
    assert log.gaps == 0


def test_says_when_a_rotated_file_was_deleted_before_it_was_read(log: AccessLog, path: Path) -> None:
    write(path, line(1))
    assert numbers(log) == [1]
    path.unlink()
    write(path, line(2))
    assert numbers(log) == [2]
    assert log.gaps == 1


def test_begins_again_after_truncation(log: AccessLog, path: Path) -> None:
    write(path, line(1), line(2))
    assert numbers(log) == [1, 2]
    os.truncate(path, 0)
    write(path, line(3))
    assert numbers(log) == [3]


def test_garbage_is_counted_by_reason_and_stops_nothing(log: AccessLog, path: Path) -> None:
    bad = [
        "not json at all\n",
        "[1, 2]\n",
        '{"level":"info"}\n',
        "[" * 5000 + "\n",
        line(status="200"),
        line(switch="x9"),
        line(switch=None),
        line(slot=None),
        line(ts=float("nan")),
        "x" * (3 * LINE_MAX) + "\n",
        "x" * (LINE_MAX + 20) + "\n",
    ]
    write(path, line(1), *bad, line(2))
    with path.open("ab") as file:
        file.write(b"\xff\xfe\x00\n" + line(3).encode())
    assert numbers(log) == [1, 2, 3]
    assert log.rejected == {
        "not JSON": 3,
        "not an object": 1,
        "not an access record": 1,
        "status is no number": 1,
        "switch unreadable": 2,
        "slot unreadable": 1,
        "ts is no number": 1,
        "line too long": 2,
    }


def test_an_endless_line_is_skipped_in_bounded_memory(log: AccessLog, path: Path) -> None:
    write(path, "y" * 1_000_000)
    assert numbers(log) == []
    write(path, "y" * 1_000_000 + "\n", line(1))
    assert numbers(log) == [1]
    assert log.rejected == {"line too long": 1}


def test_gives_at_most_its_limit_and_the_rest_next_time(log: AccessLog, path: Path) -> None:
    write(path, *(line(number) for number in range(RECORDS_MAX + 5)))
    assert len(log.read()) == RECORDS_MAX
    assert numbers(log) == list(range(RECORDS_MAX, RECORDS_MAX + 5))


def test_outside_text_is_cleaned_and_cut(log: AccessLog, path: Path) -> None:
    write(path, line(request={"method": "GET", "uri": "/a\x1b[31m\u202e" + "b" * 2000}, lane="l" * 999))
    (seen,) = log.read()
    assert seen.path.isprintable()
    assert len(seen.path) == access.PATH_MAX
    assert len(seen.lane) == access.TEXT_MAX


@given(
    cuts=st.lists(st.integers(0, 30), min_size=1, max_size=8), rotate=st.lists(st.booleans(), min_size=8, max_size=8)
)
def test_restarts_and_rotations_lose_and_repeat_nothing(
    cuts: list[int], rotate: list[bool], tmp_path_factory: Any
) -> None:
    path = tmp_path_factory.mktemp("log") / "access.log"
    path.touch()
    tail = AccessLog(path)
    got, sent = [], 0
    for turn, count in enumerate(cuts):
        write(path, *(line(sent + step) for step in range(count)))
        sent += count
        if turn % 2:
            got += numbers(tail)
        saved = json.loads(json.dumps(tail.position()))
        tail.close()
        if rotate[turn]:
            rotated = path.with_name(f"access-{turn:03}.log")
            path.rename(rotated)
            os.utime(rotated, ns=(turn * 10**9, turn * 10**9))
            path.touch()
        tail = AccessLog(path, saved)
    got += numbers(tail)
    assert got == list(range(sent))
    assert tail.gaps == 0
    tail.close()
    shutil.rmtree(path.parent)


def test_a_position_that_fits_no_file_is_a_gap_not_a_crash(path: Path) -> None:
    write(path, line(1))
    tail = AccessLog(path, {"inode": path.stat().st_ino, "offset": 10, "head": "0" * 16})
    assert numbers(tail) == [1]
    assert tail.gaps == 1
    tail.close()
    tail = AccessLog(path, {"nonsense": True})
    assert numbers(tail) == []
    tail.close()


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/", "/"),
        ("/product/123", "/product/:id"),
        ("/product/green-tea", "/product/green-tea"),
        ("/o/2f1c9a7e-1b2c-4d3e-8f90-123456789abc/pay", "/o/:id/pay"),
        ("/c/deadbeef01", "/c/:id"),
        ("/c/defaced", "/c/defaced"),
        ("/s/aZ3kq9LmPx02Vb7Q", "/s/:id"),
        ("/api/v1/items", "/api/v1/items"),
        ("/static/app.3f2a91bc.js", "/static/app.:id.js"),
        ("/u/jo@example.org", "/u/:id"),
        ("/a/b/c/d/e/f/g/h/i/j", "/a/b/c/d/e/f/g/h/…"),
    ],
)
def test_variable_segments_are_folded(path: str, route: str) -> None:
    assert fold_path(path) == route


def test_routes_are_bounded_and_scanners_use_none_of_them() -> None:
    routes = Routes(routes_max=3)
    assert routes.route("web", "GET", "/wp-admin", 404) == NOT_FOUND
    assert [routes.route("web", "GET", f"/page-{x}", 200) for x in "abcd"][-2:] == ["GET /page-c", OTHER]
    assert routes.route("web", "GET", "/page-a", 404) == "GET /page-a"
    assert routes.route("web", "BREW", "/page-a", 200) == OTHER
    assert routes.route("pay", "BREW", "/", 200) == "? /"


@given(st.text(max_size=600))
def test_folding_takes_any_text_quickly(text: str) -> None:
    began = time.perf_counter()
    assert fold_path(text).startswith("/")
    assert time.perf_counter() - began < 0.1


def test_reading_a_line_is_cheap(log: AccessLog, path: Path) -> None:
    write(path, *(line(number) for number in range(5000)))
    began = time.process_time()
    assert len(log.read()) == 5000
    assert (time.process_time() - began) / 5000 < 100e-6  # ~12 µs measured


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def _until(found: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not found():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _append(key: str, value: str) -> dict[str, str]:
    return {"handler": "log_append", "key": key, "value": value}


def test_reads_what_a_real_proxy_writes(tmp_path: Path) -> None:
    """The switch is captured when the request is routed, so flipping it while a request is in flight changes nothing."""
    switch, release, app_port, port = tmp_path / "web.switch", tmp_path / "web-a.release", _free_port(), _free_port()
    switch.write_text("b0ccccccc\n")
    release.write_text("7-0123abc\n")
    app = subprocess.Popen([sys.executable, "-m", "http.server", str(app_port), "--bind", "127.0.0.1"], cwd=tmp_path)
    handlers: list[dict[str, Any]] = [
        {"handler": "vars", "pw_switch": f"{{file.{switch}}}", "pw_release": f"{{file.{release}}}"},
        _append(access.SERVICE, "web"),
        _append(access.SLOT, "a"),
        _append(access.SWITCH, "{http.vars.pw_switch}"),
        _append(access.RELEASE, "{http.vars.pw_release}"),
        _append(access.LANE, "{http.request.uuid}"),
        _append(access.INTENDED, f"127.0.0.1:{app_port}"),
        _append(access.UPSTREAM, "{http.reverse_proxy.upstream.hostport}"),
        {"handler": "reverse_proxy", "upstreams": [{"dial": f"127.0.0.1:{app_port}"}]},
    ]
    file = {"output": "file", "filename": str(tmp_path / "access.log")}
    config = {
        "admin": {"disabled": True},
        "logging": {"logs": {"requests": {"writer": file, "include": ["http.log.access"]}}},
        "apps": {
            "http": {
                "servers": {
                    "web": {
                        "listen": [f"127.0.0.1:{port}"],
                        "automatic_https": {"disable": True},
                        "logs": {},
                        "routes": [{"handle": handlers}],
                    }
                }
            }
        },
    }
    (tmp_path / "caddy.json").write_text(json.dumps(config))
    caddy = Path(sys.executable).with_name("caddy")
    environment = {"HOME": str(tmp_path), "PATH": os.defpath}
    proxy = subprocess.Popen(
        [caddy, "run", "--config", tmp_path / "caddy.json"], env=environment, stderr=subprocess.DEVNULL
    )
    tail = AccessLog(tmp_path / "access.log")
    try:
        _until(lambda: _get(port, "/") == 200)
        tail.read()
        assert _get(port, "/product/12?q=1") == 404
        app.kill()
        app.wait()
        assert _get(port, "/") == 502
        seen = []
        _until(lambda: bool(seen.extend(tail.read())) or len([s for s in seen if s.status in (404, 502)]) >= 2)
        missing, dead = [s for s in seen if s.status in (404, 502)][-2:]
        assert (missing.release, missing.arm, missing.path) == ("7-0123abc", Arm.CANARY, "/product/12")
        assert missing.share == pytest.approx(0.05, abs=1e-6)
        assert len(missing.lane) == 36
        assert (missing.ok, dead.ok, dead.fell_over) == (True, False, False)
        assert not tail.rejected
    finally:
        tail.close()
        for process in (proxy, app):
            process.kill()
            process.wait()


def _get(port: int, path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def test_what_was_read_in_an_earlier_life_can_be_read_again_up_to_where_this_one_began(path: Path) -> None:
    write(path, *(line(n) for n in range(5)))
    first = AccessLog(path, {"inode": path.stat().st_ino, "offset": 0, "head": EMPTY})
    assert len(first.read()) == 5
    since = first.position()
    write(path, *(line(n) for n in range(5, 8)))
    shutil.move(path, path.with_name("access-2026.log"))
    write(path, *(line(n) for n in range(8, 10)))
    assert len(first.read()) == 5
    saved = first.position()
    write(path, *(line(n) for n in range(10, 12)))
    second = AccessLog(path, saved)
    assert [request.at for request in second.since(since)] == [1000.0 + n for n in range(5, 10)]
    assert [request.at for request in second.read()] == [1010.0, 1011.0]
    assert not list(AccessLog(path, saved).since(saved))
    first.close()
    second.close()
