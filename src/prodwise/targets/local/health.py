"""Asks one slot whether it is well, by the service's own probe, else by a TCP connection. Standard library only."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from prodwise.model.service import Probe, ProbeKind, Service
from prodwise.targets.local.launch import identity, uptime

INTERVAL_S = 0.05


@dataclass(frozen=True)
class Asks:
    """Where, as whom ("" = ourselves) and with which variables a service's own command asks whether it is well."""

    cwd: str
    user: str = ""
    env: Mapping[str, str] = field(default_factory=dict)


def ask(probe: Probe | None, port: int, asks: Asks) -> str:
    """ "" if well, else what was wrong. A service without a probe and port is well as long as it runs."""
    if probe is not None and probe.kind is ProbeKind.COMMAND:
        return _command(probe, asks)
    if not port:
        return ""
    path = probe.target if probe is not None and probe.kind is ProbeKind.HTTP else ""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2.0) as link:
            return _get(link, path) if path else ""
    except OSError as error:
        return f"port {port}: {error.strerror or error}"


def _get(link: socket.socket, path: str) -> str:
    link.sendall(
        f"GET {path} HTTP/1.0\r\nHost: localhost\r\nUser-Agent: prodwise-probe\r\nConnection: close\r\n\r\n".encode()
    )
    top = link.recv(512).split(b"\r\n", 1)[0].decode("latin-1")
    parts = top.split(None, 2)
    if len(parts) < 2 or not parts[1].isdigit():
        return f"GET {path}: no HTTP answer"
    return "" if 200 <= int(parts[1]) < 400 else f"GET {path}: HTTP {parts[1]}"


def _command(probe: Probe, asks: Asks) -> str:
    import subprocess

    argv = ["/bin/sh", "-c", probe.target]
    uid, gid, groups = identity(asks.user)[:3] if asks.user else (None, None, None)
    child = subprocess.Popen(
        argv, cwd=asks.cwd, env=dict(asks.env), user=uid, group=gid, extra_groups=groups,
        stdin=-3, stdout=-3, stderr=-3, start_new_session=True,
    )  # fmt: skip
    try:
        code = child.wait(timeout=probe.timeout_s)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        return f"{probe.target}: no answer within {probe.timeout_s:g} s"
    return "" if code == 0 else f"{probe.target}: exit code {code}"


def wait(service: Service, port: int, asks: Asks, alive: Callable[[], bool]) -> str:
    """Polls until well: "" then, else the last reason after service.start_s seconds.

    Without a probe and port it must have run for a second without dying.
    """
    begun = uptime()
    reason = "it was not asked yet"
    while uptime() - begun < service.start_s:
        if alive():
            reason = ask(service.probe, port, asks)
            if not reason and (port or service.probe or uptime() - begun > 1.0):
                return ""
        else:
            reason = "its process is not running"
        time.sleep(INTERVAL_S)
    return reason or "it did not stay up"
