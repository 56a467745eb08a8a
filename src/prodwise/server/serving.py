"""Runs the app on its two sockets with one uvicorn, and ends its streams before it waits for them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
from pathlib import Path
from types import FrameType

import uvicorn
from fastapi import FastAPI

from prodwise.model.errors import ConfigError

SHUTDOWN_S = 5


TURN_S = 1.0
"""How often the server makes its date anew; told to end, it ends at once. uvicorn's own ten times a second are a tenth of an idle
healer's work."""


class Server(uvicorn.Server):
    """uvicorn waits for open responses first and tells the app last: live streams would never end."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listens = threading.Event()
        self._told = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def end(self) -> None:
        """From any thread: `serve` returns as soon as what is under way is answered. Once it has, this does nothing."""
        self.should_exit = True
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # its loop has ended
                self._loop.call_soon_threadsafe(self._told.set)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        self.end()

    async def main_loop(self) -> None:
        self.listens.set()
        self._loop = asyncio.get_running_loop()
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), TURN_S)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        app = self.config.app
        assert isinstance(app, FastAPI)
        app.state.live.close()
        await super().shutdown(sockets)


def make_server(app: FastAPI) -> Server:
    """Run it with `await server.serve(sockets=[...])`; no proxy header is believed, no access log is written."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=True,
        timeout_graceful_shutdown=SHUTDOWN_S,
        timeout_keep_alive=30,
        h11_max_incomplete_event_size=64 * 1024,
    )
    return Server(config)


def tcp_socket(address: str) -> socket.socket:
    """Listens on "host:port" (port 0 = any free one). Raises ConfigError when it is taken or not ours."""
    host, _, port = address.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio sets TCP_NODELAY only then: without it each answer waits 40 ms for an ACK.
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, int(port)))
    except (OSError, ValueError) as error:
        made.close()
        raise ConfigError(f"cannot listen on {address}: {error}", "set another `dashboard` in prodwise.toml") from None
    return made


def local_socket(path: Path) -> socket.socket:
    """Listens on a unix socket that only this user can open; replaces a dead one that lies there."""
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    before = os.umask(0o177)
    try:
        made.bind(str(path))
    except OSError as error:
        made.close()
        raise ConfigError(
            f"cannot make the socket {path}: {error}", "use a shorter path for the state directory"
        ) from None
    finally:
        os.umask(before)
    return made
