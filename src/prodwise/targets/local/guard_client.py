"""Talks to the guard: typed calls, its refusals as errors. Repeats safely, since every order has a key."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Mapping
from typing import Any

import orjson

from prodwise.clock import monotonic
from prodwise.model.errors import Fenced, NotRunning, ProdwiseError, Refused, TargetError
from prodwise.model.service import SlotName
from prodwise.model.signal import ProcessSeen, ProcessState
from prodwise.model.target import Order, ServiceSeen, Switch, TargetSeen
from prodwise.targets.local.layout import Layout

PATIENCE_S = 5.0  # a guard that was killed is back within two seconds
ANSWER_S = 30.0
CHUNK = 64 * 1024
_ERRORS: dict[str, type[ProdwiseError]] = {"refused": Refused, "fenced": Fenced, "target": TargetError}


class GuardClient:
    """One connection a call: the guard may have been replaced in between."""

    def __init__(self, layout: Layout, patience_s: float = PATIENCE_S) -> None:
        self._path = layout.socket("guard")
        self._patience_s = patience_s

    def call(self, op: str, timeout_s: float = ANSWER_S, **arguments: Any) -> Any:
        """Raises Refused, Fenced, TargetError as the guard says, NotRunning when it does not answer."""
        deadline = monotonic() + self._patience_s
        while True:
            try:
                return self._once({"op": op, **arguments}, timeout_s)
            except TimeoutError:
                raise TargetError(f"the guard did not finish {op!r} within {timeout_s:.0f} s") from None
            except OSError as error:
                if monotonic() > deadline:
                    raise NotRunning(f"the guard does not answer ({error})", "run `prodwise up`") from None
                time.sleep(0.05)

    def _once(self, request: Mapping[str, Any], timeout_s: float) -> Any:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
            link.settimeout(timeout_s)
            link.connect(str(self._path))
            link.sendall(json.dumps(request).encode() + b"\n")
            answer = link.recv(CHUNK)
            while answer[-1:] != b"\n" and (more := link.recv(CHUNK)):
                answer += more
        if answer[-1:] != b"\n":
            raise ConnectionResetError("it hung up")
        data = orjson.loads(answer)
        if data["ok"]:
            return data["result"]
        raise _ERRORS.get(data["error"], TargetError)(data["message"], data["hint"])

    def order(self, op: str, order: Order, timeout_s: float = ANSWER_S, **arguments: Any) -> Any:
        asked = {"key": order.key, "token": order.token, "actor": order.actor, "person": order.person}
        return self.call(op, timeout_s, **asked, **arguments)

    def look(self) -> Mapping[str, Any]:
        """The guard's raw look. Raises TargetError when it cannot be had."""
        try:
            seen: Mapping[str, Any] = self.call("observe", 5.0)
        except NotRunning as error:
            raise TargetError(error.message, error.hint) from None
        return seen


def seen_from(data: Mapping[str, Any]) -> TargetSeen:
    """The guard's look as a noun."""
    at = float(data["at"])
    return TargetSeen(
        at=at,
        services=tuple(_service(at, entry) for entry in data["services"]),
        stopped=bool(data["stopped"]),
        holder=str(data["holder"]),
        token=int(data["token"]),
        effects=tuple((key, count) for key, count in data["effects"]),
    )


def _service(at: float, data: Mapping[str, Any]) -> ServiceSeen:
    switch = data["switch"]
    return ServiceSeen(
        service=data["service"],
        switch=Switch(SlotName(switch[0]), float(switch[1])) if switch else None,
        slots=tuple(_process(at, data["service"], entry) for entry in data["slots"]),
        ports=tuple((slot, port) for slot, port in data["ports"]),
    )


def _process(at: float, service: str, data: Mapping[str, Any]) -> ProcessSeen:
    return ProcessSeen(**{**data, "at": at, "service": service, "state": ProcessState(data["state"])})
