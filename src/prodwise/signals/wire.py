"""The few bytes of HTTP that a probe and a replay need: one GET to a local port, no redirects, nothing remembered."""

from __future__ import annotations

import re

_TARGET = re.compile(r"^/[\x21-\x7e]{0,2047}$")
_STATUS = re.compile(rb"^HTTP/1\.[01] (\d{3})(?: |\r|\n)")


def usable(path: str) -> bool:
    """Whether a path can stand in a request line: absolute, printable ASCII without spaces, at most 2 KiB, no second host."""
    return bool(_TARGET.match(path)) and not path.startswith("//")


def get(port: int, path: str, agent: str) -> bytes:
    """The request's bytes. `path` must be usable."""
    if not usable(path):
        raise ValueError("path is not usable in a request")
    lines = (
        f"GET {path} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        f"User-Agent: {agent}",
        "Accept: */*",
        "Connection: close",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def status_of(answer: bytes) -> int | None:
    """The status once the first line is complete; None before; 0 when it is no HTTP answer."""
    if b"\n" not in answer:
        return 0 if len(answer) > 1024 else None
    match = _STATUS.match(answer)
    return int(match[1]) if match else 0
