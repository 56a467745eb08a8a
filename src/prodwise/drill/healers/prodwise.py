"""Prodwise itself, driven from outside: its commands, and its API over the unix socket."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from prodwise.drill.healers.base import Event, Running
from prodwise.model.errors import NotRunning, TargetError
from prodwise.wiring import api_socket

UP_S = 180
ANSWER_S = 10.0
PAGE = 2000
OWN_PLACE = {"PRODWISE_ADDRESS": "127.0.0.1:0", "PRODWISE_DASHBOARD": "127.0.0.1:0", "PRODWISE_NOTIFY_COMMAND": "",
             "PRODWISE_SIGNALS_ADDRESS": "127.0.0.1:0"}  # fmt: skip
OTHERS_PLACE = ("PRODWISE_STATE_DIR", "PRODWISE_DATABASE_URL")  # where an app in earnest keeps its state


class Prodwise:
    """Comes up on stage *auto*: in a drill there is nothing of value to protect. On ports of its own, in the copy's own
    state, and calling nobody: the app that is copied may run on this machine."""

    name = "prodwise"

    def __init__(self) -> None:
        self._dir = Path()

    def up(self, app_dir: Path, work: Path) -> Running:
        self._dir = app_dir
        for name in OTHERS_PLACE:
            os.environ.pop(name, None)
        facts = json.loads(self._command("up", "--stage", "auto", "--json"))
        return Running(
            str(facts["address"]).removeprefix("http://"), str(facts.get("login") or facts.get("dashboard", ""))
        )

    def deploy(self, ref: str) -> None:
        self._command("deploy", ref, "--detach")

    def pids(self, service: str) -> list[int]:
        """Those in the slots that serve users; for a service without a ramp, all that run."""
        try:
            seen = self._get("target")
        except NotRunning:
            return []
        found: dict[str, Any] = next((one for one in seen["services"] if one["service"] == service), {})
        stable = found["switch"]["stable"] if found.get("switch") else None
        return [slot["pid"] for slot in found.get("slots", ()) if slot["pid"] and stable in (None, slot["slot"])]

    def events(self, after: int) -> Sequence[Event]:
        """Nothing while the healer does not answer: what it wrote down is read when it does."""
        try:
            found = self._get(f"events?after={after}&limit={PAGE}")["events"]
        except NotRunning:
            return ()
        return [_event(one) for one in found]

    def settled(self) -> bool:
        try:
            return not self._get("incidents?open=true")["incidents"]
        except NotRunning:
            return False

    def down(self) -> None:
        if self._dir != Path():
            self._command("down", "--yes")
            self._dir = Path()

    def _command(self, *words: str) -> str:
        """Runs one of our own commands on the app. Raises TargetError with its last words."""
        command = [sys.executable, "-m", "prodwise", *words, "--dir", str(self._dir)]
        try:
            done = subprocess.run(
                command, env=os.environ | OWN_PLACE, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                timeout=UP_S, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise TargetError(f"prodwise {words[0]} did not end within {UP_S} s") from None
        if done.returncode:
            said = " ".join(done.stderr.strip().splitlines()[-4:])
            raise TargetError(f"prodwise {words[0]} ended with {done.returncode}: {said}")
        return done.stdout

    def _get(self, path: str) -> Any:
        """Raises NotRunning without an answer that makes sense."""
        connection = _Unix(api_socket(self._dir))
        try:
            connection.request("GET", f"/api/v1/{path}")
            response = connection.getresponse()
            body = response.read()
            if response.status != 200:
                raise NotRunning(f"the healer answered {response.status} to {path}")
            return json.loads(body)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NotRunning(f"the healer of {self._dir} does not answer: {error}") from error
        finally:
            connection.close()


class _Unix(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=ANSWER_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def _event(one: Mapping[str, Any]) -> Event:
    return Event(
        int(one["seq"]), float(one["at"]), one["kind"], one["service"] or "", one["text"] or "", one["data"] or {}
    )
