"""Asks a release a safe question on its local port, where real traffic is too thin to judge by."""

from __future__ import annotations

import re
import socket

from prodwise import clock
from prodwise.signals import wire

AGENT = "prodwise-replay"
BODY_MAX = 1024 * 1024
TIMEOUT_MAX_S = 10.0
_UNSAFE = re.compile(
    r"log-?out|sign-?out|delete|remove|destroy|unsubscribe|confirm|verify|token|reset|cancel|export|download|admin|webhook|callback|oauth",
    re.IGNORECASE,
)


def safe(path: str) -> bool:
    """Whether a GET of this path may be repeated: well-formed, no query, and no word that hints at an effect."""
    return wire.usable(path) and "?" not in path and "#" not in path and not _UNSAFE.search(path)


class Replay:
    """Implements Replayer. Sends no cookies and no headers of any user; follows nothing."""

    def ask(self, port: int, path: str, timeout_s: float) -> tuple[int, float]:
        """GETs a path of 127.0.0.1:port and reads at most 1 MiB. Returns (status, ms until the first line); 0 without an answer.

        An unsafe path is not asked: (0, 0.0).
        """
        if not safe(path) or not 0 < port < 65536:
            return 0, 0.0
        began = clock.monotonic()
        deadline = began + min(timeout_s, TIMEOUT_MAX_S)
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=max(0.001, deadline - began)) as connection:
                connection.sendall(wire.get(port, path, AGENT))
                return _answer(connection, began, deadline)
        except OSError:
            return 0, (clock.monotonic() - began) * 1000


def _answer(connection: socket.socket, began: float, deadline: float) -> tuple[int, float]:
    """Reads to the end (so that the app sees an orderly client), the limit or the deadline; an answer cut short is none."""
    head, size, status, ms = b"", 0, None, 0.0
    while size < BODY_MAX:
        left = deadline - clock.monotonic()
        if left <= 0:
            return 0, (clock.monotonic() - began) * 1000
        connection.settimeout(left)
        chunk = connection.recv(65536)
        if not chunk:
            break
        size += len(chunk)
        if status is None:
            head += chunk
            status, ms = wire.status_of(head), (clock.monotonic() - began) * 1000
    return status or 0, ms
