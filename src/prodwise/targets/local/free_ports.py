"""Ports of this machine that nobody uses."""

from __future__ import annotations

import socket
from pathlib import Path

from prodwise.model.errors import TargetError


class FreePorts:
    """Free loopback ports. All stay bound until the end, so that none is given twice.

    Below the kernel's ephemeral range: an outgoing connection could otherwise take a slot's port while its app restarts.
    """

    def __init__(self) -> None:
        self._held: list[socket.socket] = []

    def __enter__(self) -> FreePorts:
        return self

    def __exit__(self, *_: object) -> None:
        for held in self._held:
            held.close()

    def take(self) -> int:
        import random

        low, high = 20_000, min(32_000, _ephemeral_low() - 1)
        for _ in range(500):
            port = random.SystemRandom().randint(low, high)
            held = socket.socket()
            try:
                held.bind(("127.0.0.1", port))
            except OSError:
                held.close()
                continue
            self._held.append(held)
            return port
        raise TargetError(f"no free port between {low} and {high}", "end what uses them")


def _ephemeral_low() -> int:
    try:
        return max(21_000, int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0]))
    except (OSError, ValueError):
        return 32_768
