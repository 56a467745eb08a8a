"""The guard: a small process of its own under the supervisor, between everybody who wants something and the target.

It listens on a socket that only its user can open, one JSON object a line. It does not need the healer, the pages or the
database; they can die at any time. Standard library only, so that it starts fast and stays small.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from prodwise.targets.local.guard_adopt import Adoption
from prodwise.targets.local.guard_door import Door
from prodwise.targets.local.guard_look import Look
from prodwise.targets.local.guard_state import Denied
from prodwise.targets.local.guard_watch import Watch
from prodwise.targets.local.launch import uptime
from prodwise.targets.local.layout import Layout

LINE_MAX = 64 * 1024
LOCK_PATIENCE_S = 10.0
ADOPT_EVERY_S = 0.5
Json = dict[str, Any]


class Server:
    """Answers one request a line; each connection has its own thread, the door's lock orders them."""

    def __init__(self, door: Door, look: Look) -> None:
        self._door = door
        self._ops: dict[str, Callable[..., Any]] = {
            "observe": look.observe,
            "lease": door.lease,
            "switch": door.switch,
            "start": door.start,
            "stop": door.stop,
            "restart": door.restart,
            "break_glass": door.break_glass,
            "reread": door.reread,
            "reload": door.reload,
            "ping": lambda: "pong",
        }

    def listen(self, path: Path) -> socket.socket:
        path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(path))
        path.chmod(0o600)
        listener.listen(64)
        return listener

    def serve(self, listener: socket.socket) -> None:
        while True:
            try:
                link, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(link,), daemon=True).start()

    def _talk(self, link: socket.socket) -> None:
        with link, link.makefile("rwb") as lines, contextlib.suppress(OSError, ValueError):
            while line := lines.readline(LINE_MAX):
                lines.write(json.dumps(self.answer(line)).encode() + b"\n")
                lines.flush()

    def answer(self, line: bytes) -> Json:
        try:
            request = json.loads(line)
            op, actor = request.pop("op"), request.pop("actor", "")
            if actor:
                print(f"guard: {op} for {actor}: {json.dumps(request)}", flush=True)
            return {"ok": True, "result": self._ops[op](**request)}
        except Denied as no:
            print(f"guard: {no.kind}: {no}", flush=True)
            return {"ok": False, "error": no.kind, "message": str(no), "hint": no.hint}
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            return {
                "ok": False,
                "error": "target",
                "message": f"the guard does not understand this: {error!r}",
                "hint": "",
            }
        except OSError as error:
            return {"ok": False, "error": "target", "message": f"the guard could not do it: {error}", "hint": ""}


def only_one(layout: Layout) -> int:
    """A lock that dies with us; an earlier guard gets a moment to leave. Raises Denied."""
    handle = os.open(layout.run / "guard.lock", os.O_RDWR | os.O_CREAT, 0o600)
    deadline = uptime() + LOCK_PATIENCE_S
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return handle
        except BlockingIOError:
            if uptime() > deadline:
                raise Denied("target", "another guard runs") from None
            time.sleep(0.05)


def revive_supervisor(layout: Layout, door: Door) -> None:
    """Our parent died: starts the supervisor again, which starts the next guard; ours has done its work."""
    if layout.down_file.exists() or not door.hands.instance.supervisor:
        return
    print("guard: the supervisor is gone; starting it again", flush=True)
    layout.socket("supervisor").unlink(missing_ok=True)
    argv = list(door.hands.instance.supervisor)
    os.waitpid(os.posix_spawn(argv[0], argv, dict(os.environ)), 0)


def watch(layout: Layout, door: Door, turns: Watch, adoption: Adoption, parent: int) -> None:
    """The main loop, until the parent dies."""
    turns.start_all()
    adopting: threading.Thread | None = None
    while os.getppid() == parent:
        try:
            turns.turn()
        except (OSError, Denied) as problem:
            print(f"guard: {problem}", flush=True)
            time.sleep(0.2)
        if adopting is None or not adopting.is_alive():
            adopting = threading.Thread(target=_adopt, args=(adoption,), daemon=True)
            adopting.start()
    revive_supervisor(layout, door)


def _adopt(adoption: Adoption) -> None:
    while True:
        try:
            adoption.turn()
        except (OSError, Denied) as problem:
            print(f"guard: {problem}", flush=True)
        time.sleep(ADOPT_EVERY_S)


def main(app: str, state: str) -> None:
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    layout = Layout(Path(app), Path(state))
    parent = os.getppid()
    lock = only_one(layout)
    try:
        door = Door(layout)
    except (Denied, OSError) as problem:
        print(f"guard: {problem}", flush=True)
        time.sleep(1)
        sys.exit(1)
    look = Look(door)
    adoption = Adoption(door, parent)
    server = Server(door, look)
    listener = server.listen(layout.socket("guard"))
    threading.Thread(target=server.serve, args=(listener,), daemon=True).start()
    watch(layout, door, Watch(door, look), adoption, parent)
    os.close(lock)
    os._exit(0)
