"""One HTTP/1.1 request over a fresh connection, judged as its user would."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie

from prodwise.drill.traffic.records import TIMEOUT_S
from prodwise.model.errors import UsageError

ANSWER_BYTES_MAX = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Address:
    """Where the app under test answers: a loopback address, never anything else."""

    host: str
    port: int


def parse_address(text: str) -> Address:
    """`127.0.0.1:8000`, `localhost:8000`, `[::1]:8000`, with or without http://. Raises UsageError for any other machine."""
    bare = text.removeprefix("http://").rstrip("/")
    host, colon, port = bare.rpartition(":")
    host = "127.0.0.1" if host == "localhost" else host.strip("[]")
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not colon or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise UsageError(f"{text!r} is not HOST:PORT", "for example 127.0.0.1:8000")
    if not loopback:
        raise UsageError(f"{text!r} is not on this machine", "drill traffic only goes to 127.0.0.0/8 or [::1]")
    return Address(host, int(port))


@dataclass(slots=True)
class Jar:
    """A browser's cookies: names and values, all for one site."""

    cookies: dict[str, str] = field(default_factory=dict)

    def header(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def take(self, set_cookie: str) -> None:
        """One Set-Cookie header; Max-Age=0 takes the cookie away."""
        try:
            parsed = SimpleCookie(set_cookie)
        except CookieError:
            return
        for name, morsel in parsed.items():
            if morsel["max-age"] == "0" or morsel.value == "":
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = morsel.value


@dataclass(frozen=True, slots=True)
class Answer:
    """status: 0 without an answer; why: see records.Sent."""

    status: int
    why: str
    set_cookies: tuple[str, ...] = ()


async def ask(address: Address, method: str, path: str, form: str, jar: Jar) -> Answer:
    """One request; never raises for what the other side does."""
    try:
        async with asyncio.timeout(TIMEOUT_S):
            data = await _exchange(address, _request(address, method, path, form, jar))
    except TimeoutError:
        return Answer(0, "timeout")
    except ConnectionRefusedError:
        return Answer(0, "refused")
    except OSError:
        return Answer(0, "reset")
    answer = read_answer(data)
    for header in answer.set_cookies:
        jar.take(header)
    return answer


def _request(address: Address, method: str, path: str, form: str, jar: Jar) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Host: {address.host}:{address.port}", "Connection: close"]
    lines += ["User-Agent: prodwise-drill", "Accept: */*"]
    if jar.cookies:
        lines.append(f"Cookie: {jar.header()}")
    body = form.encode()
    if method == "POST":
        lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def _exchange(address: Address, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(address.host, address.port)
    try:
        writer.write(request)
        data = bytearray()
        while len(data) < ANSWER_BYTES_MAX and (chunk := await reader.read(65536)):
            data += chunk
        return bytes(data)
    finally:
        writer.transport.abort()


def read_answer(data: bytes) -> Answer:
    """Judges a whole answer: a body shorter than announced was cut off, which no user would call served."""
    head, blank, body = data.partition(b"\r\n\r\n")
    if not blank:
        return Answer(0, "reset" if not data else "cut")
    first, *rest = head.decode("latin-1").split("\r\n")
    words = first.split(" ", 2)
    if len(words) < 2 or not words[0].startswith("HTTP/") or not words[1].isdigit():
        return Answer(0, "garbled")
    headers = [(name.strip().lower(), value.strip()) for name, _, value in (line.partition(":") for line in rest)]
    cookies = tuple(value for name, value in headers if name == "set-cookie")
    status = int(words[1])
    if _cut(dict(headers), body) and len(data) < ANSWER_BYTES_MAX:
        return Answer(0, "cut", cookies)
    return Answer(status, "5xx" if status >= 500 else "", cookies)


def _cut(headers: Mapping[str, str], body: bytes) -> bool:
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return not body.endswith(b"0\r\n\r\n")
    length = headers.get("content-length", "")
    return length.isdigit() and len(body) < int(length)
