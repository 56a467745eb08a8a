"""The local target: releases as worktrees, processes under supervisord, traffic by Caddy, all effects through the guard."""

from __future__ import annotations

import os
from pathlib import Path

from prodwise.config import Config
from prodwise.config.environment import state_dir
from prodwise.model.errors import TargetError
from prodwise.model.service import Service, SlotName
from prodwise.model.target import Order, Switch, TargetSeen
from prodwise.ports import Built
from prodwise.targets.local import install
from prodwise.targets.local.builder import Builder
from prodwise.targets.local.guard_client import GuardClient, seen_from
from prodwise.targets.local.layout import Layout
from prodwise.targets.local.records import read_places

STOP_MARGIN_S = 30.0


class LocalTarget:
    """Implements Target (Builds, Processes, Traffic, Observes, Lease) for one app on this machine."""

    def __init__(self, app_dir: Path, config: Config) -> None:
        app = app_dir.resolve()
        self.layout = Layout(app, state_dir(app).resolve())
        self._config = config
        self._builder = Builder(self.layout, config)
        self._guard = GuardClient(self.layout)

    def resolve(self, ref: str) -> str:
        return self._builder.resolve(ref)

    def next_id(self, commit: str) -> str:
        """The next free release id, "<number>-<sha7>"."""
        return self._builder.next_id(commit)

    def build(self, release: str, commit: str) -> Built:
        """Also gives new services a place, and removes the oldest releases that nothing needs."""
        built = self._builder.build(release, commit)
        self._place(built.services)
        self._builder.prune({release, *self._needed()})
        return built

    def _place(self, services: tuple[Service, ...]) -> None:
        """A release may bring services that have no ports yet: the proxy and the supervisor learn them without a restart."""
        places = read_places(self.layout)
        if places is None or all(places.place(service.id) for service in services):
            return
        install.write_configuration(self.layout, self._config, services, keep_healer=True)
        self._guard.call("reload", 60.0)

    def _needed(self) -> set[str]:
        """Releases that run, should run, or would be gone back to."""
        if read_places(self.layout) is None:
            return set()
        try:
            look = self._guard.look()
        except TargetError:
            return set(self._builder.ids())
        slots = {slot["release"] for entry in look["services"] for slot in entry["slots"]}
        return slots | {release for entry in look["services"] for release in entry["history"][-2:]}

    def run_release_line(self, release: str) -> None:
        self._builder.run_release_line(release)

    def remove(self, release: str) -> None:
        if any(slot.release == release for service in self.observe().services for slot in service.slots):
            raise TargetError(f"release {release} runs: it cannot be removed", "stop it first")
        self._builder.remove(release)

    def start(self, order: Order, service: str, slot: SlotName, release: str) -> None:
        self._guard.order("start", order, service=service, slot=slot.value, release=release)

    def stop(self, order: Order, service: str, slot: SlotName, drain_s: float) -> None:
        self._guard.order("stop", order, drain_s + STOP_MARGIN_S, service=service, slot=slot.value, drain_s=drain_s)

    def restart(self, order: Order, service: str, slot: SlotName, pid: int) -> None:
        self._guard.order("restart", order, service=service, slot=slot.value, pid=pid)

    def switch(self, order: Order, service: str, switch: Switch) -> None:
        self._guard.order("switch", order, service=service, stable=switch.stable.value, share=switch.share)

    def observe(self) -> TargetSeen:
        return seen_from(self._guard.look())

    def acquire(self, holder: str) -> int:
        return int(self._guard.call("lease", holder=holder, pid=os.getpid()))
