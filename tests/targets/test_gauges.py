"""What the machine says of itself: on this one, and on ones that are written down."""

from __future__ import annotations

import os
from pathlib import Path

from prodwise.ports.gauges import Machine
from prodwise.targets.local.gauges import LocalGauges

GIB = 2**30


def test_this_machine_tells_what_it_has(tmp_path: Path) -> None:
    gauges = LocalGauges(tmp_path)
    found = gauges.machine()
    assert found.disk_free_bytes is not None
    assert found.disk_bytes is not None
    assert 0 <= found.disk_free_bytes <= found.disk_bytes
    assert found.memory_free_share is not None
    assert 0 < found.memory_free_share <= 1


def test_files_that_a_process_opens_are_counted_against_its_limit(tmp_path: Path) -> None:
    gauges = LocalGauges(tmp_path)
    before = gauges.files_share(os.getpid())
    opened = [os.open(os.devnull, os.O_RDONLY) for _ in range(50)]
    try:
        after = gauges.files_share(os.getpid())
    finally:
        for one in opened:
            os.close(one)
    assert before is not None
    assert after is not None
    assert after > before > 0
    assert gauges.files_share(2**22 + 1) is None


def test_a_control_groups_limit_and_kills_come_before_the_machines(tmp_path: Path) -> None:
    proc, group = tmp_path / "proc", tmp_path / "sys/fs/cgroup"
    proc.mkdir()
    (proc / "meminfo").write_text("MemTotal:       8000 kB\nMemAvailable:   2000 kB\n")
    (proc / "vmstat").write_text("pgfault 1\noom_kill 7\n")
    gauges = LocalGauges(tmp_path, tmp_path)
    assert _told(gauges.machine()) == (0.25, None, 7)
    group.mkdir(parents=True)
    (group / "memory.max").write_text("max\n")
    (group / "memory.events").write_text("low 0\noom 3\noom_kill 2\noom_group_kill 0\n")
    assert _told(gauges.machine()) == (0.25, None, 2)
    (group / "memory.max").write_text(f"{GIB}\n")
    (group / "memory.current").write_text(f"{GIB}\n")
    (group / "memory.stat").write_text(f"anon 5\ninactive_file {GIB // 4}\n")
    assert _told(gauges.machine()) == (0.25, GIB, 2)


def test_what_cannot_be_read_is_not_known(tmp_path: Path) -> None:
    assert LocalGauges(tmp_path / "gone", tmp_path).machine() == Machine()


def _told(found: Machine) -> tuple[float | None, int | None, int | None]:
    return found.memory_free_share, found.memory_limit_bytes, found.kernel_kills
