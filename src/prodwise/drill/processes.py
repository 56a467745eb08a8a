"""How old a process is, to a hundredth of a second."""

from __future__ import annotations

import os
import time
from pathlib import Path

import psutil

from prodwise import clock

_START_TIME = 19  # /proc/PID/stat, counted after the command's closing parenthesis; in clock ticks since boot


def age_s(pid: int) -> float:
    """Seconds since the process began; 0.0 if it is gone.

    psutil's create_time rests on a boot time in whole seconds, which is too coarse here: /proc is asked where it exists."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        begun = int(fields[_START_TIME]) / os.sysconf("SC_CLK_TCK")
        return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - begun)
    except (OSError, IndexError, AttributeError):
        return _coarse(pid)


def _coarse(pid: int) -> float:
    try:
        return max(0.0, clock.now() - float(psutil.Process(pid).create_time()))
    except psutil.NoSuchProcess:
        return 0.0
