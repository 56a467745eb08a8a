"""The receivers beside the healer: their names, their address, and how a running supervisor takes them up."""

from __future__ import annotations

import contextlib
import json
import socket
from pathlib import Path

from prodwise.config import Config
from prodwise.model.errors import TargetError
from prodwise.targets.local import rpc, signals_file
from prodwise.targets.local.free_ports import FreePorts
from prodwise.targets.local.layout import Layout, write_atomically

_PREFIX = "receiver-"


def names(config: Config) -> tuple[str, ...]:
    return tuple(f"{_PREFIX}{number}" for number in range(config.signals.receivers))


def number(name: str) -> int:
    return int(name.removeprefix(_PREFIX))


def specs(layout: Layout) -> list[Path]:
    return sorted(layout.run.glob(f"{_PREFIX}*.spec.json"))


def pids(layout: Layout) -> list[Path]:
    return sorted(layout.run.glob(f"{_PREFIX}*.pid"))


def give_address(layout: Layout, config: Config) -> None:
    """Where programs report: the configured address, or a free port where the default is taken. Once given it stays.

    Raises TargetError when a configured port is taken.
    """
    if not config.signals.receivers:
        signals_file.settle(layout, config, "")
        return
    before, wanted = signals_file.read(layout), config.signals.address
    if before.address and before.wanted == wanted:
        signals_file.settle(layout, config, before.address)
        return
    host, _, port = wanted.rpartition(":")
    if int(port) and _is_free(host, int(port)):
        signals_file.settle(layout, config, wanted)
        return
    if int(port) and "address" in config.signals.model_fields_set:
        raise TargetError(f"port {port} is taken: programs cannot report there", "set another `signals.address`")
    with FreePorts() as free:
        signals_file.settle(layout, config, f"{host}:{free.take()}")


def take_up(layout: Layout, config: Config) -> None:
    """Makes a running supervisor run these receivers and no others, one after the other, and with these settings.

    Raises TargetError.
    """
    wanted, socket_, settings = names(config), layout.socket("supervisor"), _settings(layout, config)
    same = layout.receivers.exists() and layout.receivers.read_text() == settings
    try:
        running = [name for name in rpc.states(socket_) if name.startswith(_PREFIX)]
        for name in running:
            if name not in wanted or not same:
                with contextlib.suppress(rpc.RpcFault):
                    rpc.supervisor(socket_, "stopProcess", name)
            if name not in wanted:
                rpc.supervisor(socket_, "removeProcessGroup", name)
            elif not same:
                rpc.supervisor(socket_, "startProcess", name, False)
        for name in wanted:
            if name not in running:
                rpc.supervisor(socket_, "addProcessGroup", name)
    except (OSError, rpc.RpcFault) as error:
        raise TargetError(f"the supervisor does not take up the receivers: {error}") from None
    note(layout, config)


def note(layout: Layout, config: Config) -> None:
    """The settings that receivers run with from now on."""
    write_atomically(layout.receivers, _settings(layout, config))


def _settings(layout: Layout, config: Config) -> str:
    return json.dumps([config.signals.model_dump(mode="json"), config.web, layout.signals.read_text()])


def _is_free(host: str, port: int) -> bool:
    host = host.strip("[]") or "127.0.0.1"
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
