"""A run ends in time, whatever the command does, and takes with it all that it started."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from prodwise.model.errors import UsageError
from prodwise.ports.repair import Limits
from prodwise.sandbox.workshop import SandboxTree, Workshop
from tests.sandbox.conftest import Site


@pytest.fixture(scope="module")
def tree(site: Site) -> Iterator[SandboxTree]:
    with Workshop(site.app) as shop, shop.fresh(shop.base) as made:
        yield made


def python(code: str) -> tuple[str, ...]:
    return ("python3", "-c", code)


def alive(mark: str) -> list[str]:
    """Processes of the host whose arguments hold the mark."""
    found = []
    for one in os.listdir("/proc"):
        try:
            found += [one] if one.isdigit() and mark in Path(f"/proc/{one}/cmdline").read_text(errors="replace") else []
        except OSError:
            continue
    return found


def test_the_exit_code_and_both_streams_come_back(tree: SandboxTree) -> None:
    ran = tree.run(("sh", "-c", "echo out; echo err >&2; exit 3"), Limits())
    assert (ran.code, ran.output, ran.ended) == (3, "out\nerr\n", "")


def test_death_by_a_signal_is_an_exit_code(tree: SandboxTree) -> None:
    assert tree.run(("sh", "-c", "kill -SEGV $$"), Limits()).code == 128 + 11


def test_a_missing_program_is_an_exit_code(tree: SandboxTree) -> None:
    assert tree.run(("no-such-program",), Limits()).code == 127


def test_an_empty_command_is_a_mistake(tree: SandboxTree) -> None:
    with pytest.raises(UsageError):
        tree.run((), Limits())


def test_a_command_that_ignores_all_signals_ends_in_time(tree: SandboxTree) -> None:
    code = "import signal,time\nfor s in (1,2,15): signal.signal(s, signal.SIG_IGN)\nprint('began', flush=True)\ntime.sleep(60)"
    ran = tree.run(python(code), Limits(seconds=0.7))
    assert (ran.code, ran.ended, ran.output) == (None, "time", "began\n")
    assert ran.seconds < 10


def test_daemons_end_with_a_run_that_ran_out_of_time(tree: SandboxTree) -> None:
    mark = f"daemon-{os.getpid()}-late"
    code = f"""
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for fd in (0, 1, 2): os.close(fd)
        os.execvp('sleep', ['{mark}', '60'])
    os._exit(0)
time.sleep(60)
"""
    ran = tree.run(python(code), Limits(seconds=0.7))
    assert ran.ended == "time"
    assert alive(mark) == []


def test_daemons_end_with_a_command_that_has_ended(tree: SandboxTree) -> None:
    mark = f"daemon-{os.getpid()}-early"
    code = f"""
import os
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execvp('sleep', ['{mark}', '60'])
    os._exit(0)
os.wait()
"""
    ran = tree.run(python(code), Limits(seconds=30))
    assert (ran.code, ran.ended) == (0, "")
    assert ran.seconds < 20  # the daemon still holds the pipe
    assert alive(mark) == []


def test_a_fork_bomb_stops_at_its_limit(tree: SandboxTree) -> None:
    code = """
import os, time
made = 0
try:
    for _ in range(500):
        if os.fork() == 0:
            time.sleep(60); os._exit(0)
        made += 1
except BlockingIOError:
    pass
print(made, flush=True)
os._exit(0)
"""
    ran = tree.run(python(code), Limits(seconds=20, processes=40))
    assert ran.code == 0, ran
    assert 20 < int(ran.output) < 40


def test_a_process_gets_no_more_memory_than_its_limit(tree: SandboxTree) -> None:
    ran = tree.run(python("x = bytearray(600 << 20); print('had it')"), Limits(seconds=20, memory=256 << 20))
    assert "MemoryError" in ran.output
    assert ran.code == 1


def test_processes_together_get_no_more_memory_than_the_limit(tree: SandboxTree) -> None:
    code = """
import os, time
for _ in range(8):
    if os.fork() == 0:
        x = b'x' * (60 << 20)
        time.sleep(60)
time.sleep(60)
"""
    ran = tree.run(python(code), Limits(seconds=30, memory=200 << 20))
    assert (ran.code, ran.ended) == (None, "memory")


def test_memory_that_is_shared_counts(tree: SandboxTree) -> None:
    code = "import mmap, time\nm = mmap.mmap(-1, 400 << 20)\nfor i in range(0, len(m), 4096): m[i] = 1\ntime.sleep(60)"
    ran = tree.run(python(code), Limits(seconds=30, memory=200 << 20))
    assert (ran.code, ran.ended) == (None, "memory")


def test_processes_that_share_what_they_read_are_not_counted_twice(tree: SandboxTree) -> None:
    code = """
import os, time
x = b'x' * (60 << 20)
for _ in range(6):
    if os.fork() == 0:
        time.sleep(0.5); os._exit(0)
time.sleep(0.5)
"""
    assert tree.run(python(code), Limits(seconds=30, memory=200 << 20)).code == 0


def test_a_file_stops_at_its_limit(tree: SandboxTree) -> None:
    ran = tree.run(python("f = open('big', 'wb'); f.write(b'x' * (3 << 20))"), Limits(seconds=20, file=1 << 20))
    assert ran.code != 0
    assert (tree.root / "big").stat().st_size <= 1 << 20


def test_many_files_are_ended_before_the_disk_is_full(tree: SandboxTree) -> None:
    code = "i = 0\nwhile True:\n  open(f'fill-{i}', 'wb').write(b'x' * (4 << 20)); i += 1"
    ran = tree.run(python(code), Limits(seconds=30, file=8 << 20))
    assert (ran.code, ran.ended) == (None, "disk")
    for one in tree.root.glob("fill-*"):
        one.unlink()


def test_the_temporary_directory_is_bounded_too(tree: SandboxTree) -> None:
    code = "i = 0\nwhile True:\n  open(f'/tmp/fill-{i}', 'wb').write(bytes(100 << 20)); i += 1"
    ran = tree.run(python(code), Limits(seconds=30))
    assert "No space left" in ran.output


def test_computing_stops_at_its_limit(tree: SandboxTree) -> None:
    ran = tree.run(python("while True: pass"), Limits(seconds=30, cpu_s=1))
    assert (ran.code, ran.ended) == (None, "cpu")


def test_endless_output_is_ended_and_its_end_is_kept(tree: SandboxTree) -> None:
    ran = tree.run(python("while True: print('x' * 99)"), Limits(seconds=30, output=1_000))
    assert (ran.code, ran.ended) == (None, "output")
    assert set(ran.output) == {"x", "\n"}
    assert len(ran.output) <= 1_000


def test_long_output_keeps_its_end(tree: SandboxTree) -> None:
    ran = tree.run(python("print('x' * 100_000); print('the end')"), Limits(output=1_000))
    assert ran.code == 0
    assert ran.output.endswith("x\nthe end\n")


def test_output_is_cleaned(tree: SandboxTree) -> None:
    code = r"""
import sys
print('a\x1b[31mred\x1b[0m\x1b]0;title\x07b\x00\x08c\u202ed\x9be\rf\u2066', flush=True)
sys.stdout.buffer.write(b'\xff\n')
"""
    output = tree.run(python(code), Limits()).output
    assert output.startswith("aredbcd")
    assert all(one == "\n" or one.isprintable() for one in output)


def test_nothing_is_left_for_the_next_run(tree: SandboxTree) -> None:
    tree.run(("sh", "-c", "echo x > /tmp/left; echo x > /dev/shm/left; echo x > $HOME/left"), Limits())
    assert tree.run(("sh", "-c", "ls -A /tmp /dev/shm $HOME"), Limits()).output.split() == [
        "/dev/shm:",
        "/tmp:",
        "home",
        "/tmp/home:",
    ]


def test_a_server_on_loopback_answers_its_own_tests(tree: SandboxTree) -> None:
    code = """
import http.server, threading, urllib.request
server = http.server.HTTPServer(('localhost', 0), http.server.SimpleHTTPRequestHandler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(urllib.request.urlopen(f'http://localhost:{server.server_port}/').status)
"""
    assert tree.run(python(code), Limits(seconds=20)).output.endswith("200\n")


def test_processes_locks_and_shared_memory_work(tree: SandboxTree) -> None:
    code = """
import multiprocessing as m
if __name__ == '__main__':
    with m.Pool(2) as pool: print(sum(pool.map(abs, [-1, -2, -3])))
"""
    (tree.root / "pool.py").write_text(code)
    assert tree.run(("python3", "pool.py"), Limits(seconds=20)).output == "6\n"


def test_a_run_that_is_done_waits_for_nothing(tree: SandboxTree) -> None:
    began = time.monotonic()
    tree.run(("true",), Limits(seconds=60))
    assert time.monotonic() - began < 30
