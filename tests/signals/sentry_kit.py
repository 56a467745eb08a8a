"""What the SDK really sends: a server on loopback that keeps bodies, and envelopes made by hand for the corners."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "ab" * 16
NOW = 1_795_479_813.0


@dataclass(frozen=True)
class Sent:
    """One request of an SDK. headers: names in lower case."""

    path: str
    headers: dict[bytes, bytes]
    body: bytes

    @property
    def encoding(self) -> str:
        return self.headers.get(b"content-encoding", b"").decode()


@contextmanager
def receiver() -> Iterator[tuple[str, list[Sent]]]:
    """(DSN, what was sent to it so far)."""
    sent: list[Sent] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower().encode(): value.encode() for name, value in self.headers.items()}
            sent.append(Sent(self.path, headers, body))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://{KEY}@127.0.0.1:{server.server_port}/7", sent
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


def item(kind: str, data: Any, **header: Any) -> bytes:
    """One item with its true length, unless `length` says another."""
    body = data if isinstance(data, bytes) else json.dumps(data).encode()
    head = {"type": kind, "length": len(body), **header}
    return json.dumps({key: value for key, value in head.items() if value is not None}).encode() + b"\n" + body + b"\n"


def envelope(*items: bytes, **header: Any) -> bytes:
    return json.dumps(header).encode() + b"\n" + b"".join(items)
