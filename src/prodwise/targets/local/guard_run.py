"""The guard's hands: programs under supervisord, spec files for the launcher, files for the proxy. Standard library only."""

from __future__ import annotations

import contextlib
import json
import os
import time

from prodwise.model.service import Service, ServiceKind
from prodwise.targets.local import procs, proxy, rpc
from prodwise.targets.local.guard_state import Denied, ServiceState
from prodwise.targets.local.launch import start_ticks, uptime
from prodwise.targets.local.layout import Layout, program, write_atomically
from prodwise.targets.local.records import Instance, Places, app_environment, read_instance, read_places, read_release
from prodwise.targets.local.supervision import STOP_SECONDS

RESPAWN_TRIES = 12


class Hands:
    """Does what was decided; decides nothing."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.instance, self.places = self._read()

    def _read(self) -> tuple[Instance, Places]:
        instance, places = read_instance(self.layout), read_places(self.layout)
        if instance is None or places is None:
            raise Denied("target", f"{self.layout.run} is not complete", "run `prodwise up` again")
        return instance, places

    def reread(self) -> None:
        self.instance, self.places = self._read()

    def service(self, service: str, release: str) -> Service:
        """Raises Denied when the release was not built, or does not have the service."""
        record = read_release(self.layout, release)
        if record is None:
            raise Denied("target", f"release {release} was not built here", "`prodwise releases` lists those that were")
        found = record.service(service)
        if found is None:
            raise Denied("target", f"release {release} has no service {service!r}")
        return found

    def prepare(self, service: str, slot: str, release: str, generation: int) -> None:
        """Writes what the launcher and the proxy read. Raises Denied."""
        noun = self.service(service, release)
        place = self.places.place(service)
        if place is None:
            raise Denied("target", f"{service} has no place on this machine yet", "run `prodwise up` again")
        name = program(service, slot)
        port = place.port(slot)
        spec = {
            "command": noun.command,
            "cwd": str(self.layout.release(release) / "src"),
            "env": app_environment(self.layout, self.instance, self.places, noun, release, port),
            "env_file": self.instance.env_file if os.path.exists(self.instance.env_file) else "",
            "user": self.instance.user,
            "log": str(self.layout.program_log(name)),
            "pid_file": str(self.layout.pid(name)),
            "release": release,
            "generation": generation,
            "orphan": "keep" if noun.kind is ServiceKind.WEB and noun.overlap else "end",
        }
        try:
            write_atomically(self.layout.spec(name), json.dumps(spec))
            write_atomically(self.layout.running_release(name), release)
        except OSError as error:
            raise Denied(
                "target", f"cannot prepare {name}: {error}", "make room on the disk; nothing was changed"
            ) from None

    def write_switch(self, service: str, state: ServiceState) -> None:
        write_atomically(self.layout.switch(service), state.line)

    def start(self, name: str) -> None:
        """Has the supervisor start it; one that runs is left alone. Raises Denied when the supervisor cannot."""
        try:
            rpc.supervisor(self.layout.socket("supervisor"), "startProcess", name, False)
        except rpc.RpcFault as fault:
            if fault.code != rpc.ALREADY_STARTED:
                raise Denied("target", f"the supervisor cannot start {name}: {fault}") from None
        except OSError as error:
            raise Denied("target", f"the supervisor does not answer: {error}") from None

    def respawn(self, name: str, before: procs.PidFile) -> None:
        """Has a program that just died started at once.

        The supervisor notices a death only at the end of a turn of its loop, and looks up to a second later what to do about
        it. Each call is a turn: the first buries the dead, the second starts the next.
        """
        for _ in range(RESPAWN_TRIES):
            with contextlib.suppress(rpc.RpcFault, OSError):
                rpc.supervisor(self.layout.socket("supervisor"), "startProcess", name, False, timeout_s=2.0)
                return
            after = procs.read_pid(self.layout.pid(name))
            if (after.pid, after.ticks) != (before.pid, before.ticks):
                return
            time.sleep(0.002)

    def end(self, name: str) -> None:
        """Asks the program to end, and after 5 s makes it; also one that is no child of this supervisor. Raises Denied."""
        seen = procs.read_pid(self.layout.pid(name))
        try:
            rpc.supervisor(self.layout.socket("supervisor"), "stopProcess", name, False)
        except rpc.RpcFault as fault:
            if fault.code != rpc.NOT_RUNNING:
                raise Denied("target", f"the supervisor cannot stop {name}: {fault}") from None
            procs.end(seen.pid, seen.ticks, STOP_SECONDS)
        except OSError as error:
            raise Denied("target", f"the supervisor does not answer: {error}") from None
        self._gone(name, seen)

    def _gone(self, name: str, seen: procs.PidFile) -> None:
        """Until both the process and the supervisor's memory of it are gone: only then can the next one start."""
        deadline = uptime() + STOP_SECONDS + 3
        socket = self.layout.socket("supervisor")
        while uptime() < deadline:
            if start_ticks(seen.pid) != seen.ticks or not seen.ticks:
                with contextlib.suppress(OSError):
                    if rpc.states(socket).get(name, ("STOPPED", 0))[0] not in ("RUNNING", "STARTING", "STOPPING"):
                        return
            time.sleep(0.01)
        procs.kill_group(seen.pid, seen.ticks)
        raise Denied("target", f"{name} (process {seen.pid}) did not end")

    def in_flight(self, service: str, slot: str) -> int | None:
        place = self.places.place(service)
        if place is None or not place.web:
            return 0
        return rpc.requests_in_flight(self.layout.socket("caddy-admin"), f"127.0.0.1:{place.port(slot)}")

    def reload(self) -> None:
        """Takes up new services: the supervisor learns their programs, the proxy what it does not serve yet. Raises Denied."""
        socket = self.layout.socket("supervisor")
        try:
            rpc.supervisor(socket, "reloadConfig")
            known = rpc.states(socket)
            for name in self.places.programs:
                if name not in known:
                    rpc.supervisor(socket, "addProcessGroup", name)
            self._load_proxy()
        except (OSError, ValueError, KeyError, rpc.RpcFault) as error:
            raise Denied("target", f"cannot take up the new services: {error!r}") from None

    def _load_proxy(self) -> None:
        admin, text = self.layout.socket("caddy-admin"), self.layout.proxy_conf.read_bytes()
        status, running = rpc.ask(admin, "GET", "/config/")
        if status == 200 and proxy.covers(json.loads(running), json.loads(text)):
            return
        status, body = rpc.ask(admin, "POST", "/load", text, timeout_s=30.0)
        if status != 200:
            raise Denied("target", f"the proxy refuses its configuration: {body[:300].decode(errors='replace')}")
