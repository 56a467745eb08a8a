"""One receiver's server: shares its address with the others, and gives nobody more time or room than needed."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import resource
import socket
import sys
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from prodwise.model.errors import ConfigError

HEAD_S = 10.0
"""A connection that has not sent a whole request head after so long is closed."""
IDLE_S = 20
"""And one on which nothing follows an answer, at the latest."""
COLLECT_AFTER = 50_000
"""Objects: reports are large trees without cycles, which a collection every 700 would look through for nothing (a fifth of all
time, measured)."""
CONNECTIONS_MAX = 2_000
BACKLOG = 1_024
SWITCH_S = 0.0005
"""How long a thread keeps the interpreter: the writer needs it for moments, many times a commit."""


class Patient(HttpToolsProtocol):
    """Closes connections on which nothing comes: uvicorn waits for a first request, and for the rest of a head, without end."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._heads = 0
        self._head_timer = self.loop.call_later(HEAD_S, self._look, 0)

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_timer.cancel()
        super().connection_lost(exc)

    def on_headers_complete(self) -> None:
        self._heads += 1
        super().on_headers_complete()

    def _look(self, heads: int) -> None:
        """Nothing is under way, and no request has begun since the last look, which found as many heads."""
        busy = self.cycle is not None and not self.cycle.response_complete
        if not busy and self._heads == heads:
            self.transport.close()
            return
        self._head_timer = self.loop.call_later(HEAD_S, self._look, self._heads)


def server(app: Any) -> uvicorn.Server:
    """Run it with `run(server, socket)`. No proxy header is believed, nothing is logged a request."""
    config = uvicorn.Config(
        app,
        http=Patient,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        limit_concurrency=CONNECTIONS_MAX,
        backlog=BACKLOG,
        timeout_keep_alive=IDLE_S,
        timeout_graceful_shutdown=3,
    )
    return uvicorn.Server(config)


def run(made: uvicorn.Server, listening: socket.socket) -> None:
    """Returns when told to end (SIGTERM), with what was taken committed."""
    sys.setswitchinterval(SWITCH_S)
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 20, 50)
    _more_files()
    asyncio.run(made.serve(sockets=[listening]))


def shared_socket(address: str) -> socket.socket:
    """Listens on "host:port" beside the other receivers: the system gives each its part of the connections. Raises ConfigError."""
    host, _, port = address.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(
        family, socket.SOCK_STREAM, socket.IPPROTO_TCP
    )  # TCP named: asyncio sets TCP_NODELAY only then
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made.bind((host, int(port)))
    except (OSError, ValueError) as error:
        made.close()
        raise ConfigError(
            f"cannot listen on {address}: {error}", "set another `signals.address` in prodwise.toml"
        ) from None
    return made


def _more_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4 * CONNECTIONS_MAX if hard == resource.RLIM_INFINITY else min(hard, 4 * CONNECTIONS_MAX)
    if soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
