"""Talks to supervisord and to the proxy's admin API over their unix sockets; a new connection per try. Standard library only."""

from __future__ import annotations

import json
import re
import socket
from html import escape, unescape
from pathlib import Path
from typing import Any

ANSWER_MAX = 4 * 1024 * 1024
ALREADY_STARTED, NOT_RUNNING, ALREADY_ADDED = 60, 70, 90
_FAULT = re.compile(
    r"<name>faultCode</name>\s*<value><int>(\d+)</int>.*?<name>faultString</name>\s*<value><string>(.*?)</string>", re.S
)
_MEMBER = re.compile(r"<name>(\w+)</name>\s*<value>(?:<(\w+)>)?([^<]*)")


class RpcFault(Exception):
    """The supervisor understood and said no. code: its fault code."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


def ask(path: Path, method: str, target: str, body: bytes = b"", timeout_s: float = 5.0) -> tuple[int, bytes]:
    """One HTTP request over a unix socket. Returns (status, body). Raises OSError when nobody answers."""
    head = (
        f"{method} {target} HTTP/1.0\r\nHost: localhost\r\nContent-Type: {'text/xml' if target == '/RPC2' else 'application/json'}\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
        link.settimeout(timeout_s)
        link.connect(str(path))
        link.sendall(head.encode() + body)
        answer = bytearray()
        while chunk := link.recv(65536):
            answer += chunk
            if len(answer) > ANSWER_MAX:
                raise OSError(f"{path.name} answers without end")
    top, _, rest = bytes(answer).partition(b"\r\n\r\n")
    try:
        return int(top.split(None, 2)[1]), rest
    except (IndexError, ValueError):
        raise OSError(f"{path.name} gave no HTTP answer") from None


def supervisor(path: Path, method: str, *arguments: str | bool | int, timeout_s: float = 10.0) -> str:
    """Calls `supervisor.METHOD`; returns the answer's XML. Raises RpcFault, or OSError when supervisord does not answer."""
    values = "".join(f"<param><value>{_xml(argument)}</value></param>" for argument in arguments)
    body = f"<?xml version='1.0'?><methodCall><methodName>supervisor.{method}</methodName><params>{values}</params></methodCall>"
    status, answer = ask(path, "POST", "/RPC2", body.encode(), timeout_s)
    text = answer.decode(errors="replace")
    if status != 200:
        raise OSError(f"supervisord answered {method} with HTTP {status}")
    if found := _FAULT.search(text):
        raise RpcFault(int(found[1]), unescape(found[2]))
    return text


def _xml(value: str | bool | int) -> str:
    if isinstance(value, bool):
        return f"<boolean>{int(value)}</boolean>"
    return f"<int>{value}</int>" if isinstance(value, int) else f"<string>{escape(value)}</string>"


def states(path: Path) -> dict[str, tuple[str, int]]:
    """Program → (state's name, pid), as supervisord sees them. Raises OSError."""
    found: dict[str, tuple[str, int]] = {}
    for part in supervisor(path, "getAllProcessInfo").split("<struct>")[1:]:
        fields = {name: unescape(value) for name, _, value in _MEMBER.findall(part)}
        found[fields.get("name", "")] = (fields.get("statename", ""), int(fields.get("pid") or 0))
    return found


def exit_code(path: Path, program: str) -> int | None:
    """The last exit code that supervisord saw; None for a signal (it does not say which) and when it does not answer."""
    try:
        fields = {name: value for name, _, value in _MEMBER.findall(supervisor(path, "getProcessInfo", program))}
    except (OSError, RpcFault):
        return None
    code = int(fields.get("exitstatus") or -1)
    return code if code >= 0 else None


def requests_in_flight(admin: Path, address: str) -> int | None:
    """How many requests the proxy has open to "host:port"; None when it does not answer (unknown, not zero)."""
    found = all_in_flight(admin, timeout_s=2.0)
    return None if found is None else found.get(address, 0)


def all_in_flight(admin: Path, timeout_s: float) -> dict[str, int] | None:
    """ "host:port" → how many requests the proxy has open to it; None when it does not answer (unknown, not zero)."""
    try:
        status, body = ask(admin, "GET", "/reverse_proxy/upstreams", timeout_s=timeout_s)
        rows: list[dict[str, Any]] = json.loads(body) if status == 200 else []
    except (OSError, ValueError):
        return None
    if status != 200:
        return None
    found: dict[str, int] = {}
    for row in rows:
        address = str(row.get("address"))
        found[address] = found.get(address, 0) + int(row.get("num_requests", 0))
    return found
