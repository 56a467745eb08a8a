"""Exit codes: scripts rely on them."""

from __future__ import annotations

from enum import IntEnum


class Code(IntEnum):
    OK = 0
    FAILED = 1
    USAGE = 2
    UNHEALTHY = 3  # the app is unhealthy, or an incident is open
    LOGIN_NEEDED = 4
    WAITING = 5  # for an approval, or for more evidence
    REFUSED = 6  # by policy, freeze or stop
    GATE_FAILED = 7  # nothing was changed
    UNDONE = 8  # changed, was not better, put back
    TIMED_OUT = 124
    INTERRUPTED = 130
