"""A target in memory: deterministic, on a virtual clock, keeping the same promises as a real one (see target_kit)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from prodwise.model.errors import BuildFailed, Fenced, Refused, TargetError, UsageError
from prodwise.model.evidence import digest
from prodwise.model.service import Service, ServiceKind, SlotName
from prodwise.model.signal import ProcessSeen, ProcessState
from prodwise.model.target import Order, ServiceSeen, Switch, TargetSeen
from prodwise.ports import Built

LEASE_S = 60.0


@dataclass(frozen=True)
class Slot:
    """release: what should run here, "" for nothing. pid 0: it died and was not started again."""

    release: str = ""
    pid: int = 0
    started_at: float = 0.0
    restarts: int = 0
    exit_code: int | None = None


class FakeTarget:
    """Implements Target. clock: seconds, any origin; commits: git ref → commit id, changed at will by the test.

    unbuildable, crashing: commits that do not build, releases whose processes die at once. effects counts what really happened.
    """

    def __init__(self, services: tuple[Service, ...], clock: Callable[[], float], *, lease_s: float = LEASE_S) -> None:
        self._clock = clock
        self._services = {service.id: service for service in services}
        self._lease_s = lease_s
        self._slots = {(name, slot): Slot() for name in self._services for slot in SlotName}
        self._switches = {service.id: Switch(SlotName.A) for service in services if service.kind is ServiceKind.WEB}
        self._effects: dict[str, int] = {}
        self._holder, self._token, self._until = "", 0, 0.0
        self._pids = 1000
        self._builds: dict[str, Built] = {}
        self.commits: dict[str, str] = {}
        self.unbuildable: set[str] = set()
        self.crashing: set[str] = set()
        self.stopped = False
        self.release_lines: dict[str, int] = {}
        self.lapses: list[tuple[float, str, float]] = []  # when, service, share that was returned

    def resolve(self, ref: str) -> str:
        if ref in self.commits.values():
            return ref
        if ref not in self.commits:
            raise UsageError(f"there is no commit {ref!r}", f"did you mean {' or '.join(sorted(self.commits))}?")
        return self.commits[ref]

    def build(self, release: str, commit: str) -> Built:
        if commit in self.unbuildable:
            raise BuildFailed(f"release {release} failed", "look at its log")
        if release not in self._builds:
            services = tuple(self._services.values())
            self._builds[release] = Built(release, commit, digest(commit), "a change", "somebody", services, "")
        return self._builds[release]

    def run_release_line(self, release: str) -> None:
        if release not in self._builds:
            raise BuildFailed(f"release {release} was not built")
        self.release_lines.setdefault(release, 1)

    def remove(self, release: str) -> None:
        if any(slot.release == release for slot in self._slots.values()):
            raise TargetError(f"release {release} runs")
        self._builds.pop(release, None)

    def start(self, order: Order, service: str, slot: SlotName, release: str) -> None:
        if not self._begin(order):
            return
        self._slot(service, slot)
        if release not in self._builds:
            raise TargetError(f"release {release} was not built here")
        self._slots[service, slot] = Slot(release)
        self._spawn(service, slot)
        self._effects[order.key] = 1

    def stop(self, order: Order, service: str, slot: SlotName, drain_s: float) -> None:
        if self._begin(order):
            self._slot(service, slot)
            self._slots[service, slot] = Slot()
            self._effects[order.key] = 1

    def restart(self, order: Order, service: str, slot: SlotName, pid: int) -> None:
        if not self._begin(order) or order.key in self._effects:
            return
        found = self._slot(service, slot)
        self._effects[order.key] = int(pid > 0 and found.pid == pid)
        if self._effects[order.key]:
            self.kill(service, slot)

    def switch(self, order: Order, service: str, switch: Switch) -> None:
        if not self._begin(order):
            return
        if service not in self._switches or not 0 <= switch.share <= 1:
            raise TargetError(f"{service}: no such switch: {switch}")
        needed = [switch.stable] if switch.share == 0 else list(SlotName)
        if not all(self._slots[service, slot].release for slot in needed):
            raise TargetError(f"{service}: nothing runs in slot {switch.stable.value}, or in the other")
        if switch.share > 0 and not self._live():
            raise Refused(f"{service}: a ramp needs somebody who watches it")
        self._switches[service] = switch
        self._effects[order.key] = 1

    def observe(self) -> TargetSeen:
        self._lapse()
        return TargetSeen(
            at=self._clock(),
            services=tuple(self._seen(name) for name in sorted(self._services)),
            stopped=self.stopped,
            holder=self._holder if self._live() else "",
            token=self._token,
            effects=tuple(self._effects.items()),
        )

    def acquire(self, holder: str) -> int:
        self._lapse()
        if self._live() and self._holder != holder:
            raise Refused(f"{self._holder} holds the lease")
        self._token += 0 if self._live() else 1
        self._holder, self._until = holder, self._clock() + self._lease_s
        return self._token

    def kill(self, service: str, slot: SlotName, code: int = -9) -> None:
        """A process dies; the supervisor starts it again at once, unless its release is among the crashing ones."""
        self._slots[service, slot] = replace(self._slot(service, slot), pid=0, exit_code=code)
        self._spawn(service, slot, again=True)

    def _spawn(self, service: str, slot: SlotName, *, again: bool = False) -> None:
        found = self._slots[service, slot]
        found = replace(found, restarts=found.restarts + int(again))
        if found.release in self.crashing:
            self._slots[service, slot] = replace(found, pid=0, exit_code=1)
            return
        self._pids += 1
        self._slots[service, slot] = replace(found, pid=self._pids, started_at=self._clock())

    def _slot(self, service: str, slot: SlotName) -> Slot:
        if (service, slot) not in self._slots:
            raise TargetError(f"there is no service {service!r}")
        return self._slots[service, slot]

    def _live(self) -> bool:
        return bool(self._holder) and self._clock() < self._until

    def _begin(self, order: Order) -> bool:
        """The door: whether the order is still to be carried out. Raises Refused or Fenced."""
        self._lapse()
        if self._effects.get(order.key):
            return False
        if order.token == 0:
            return True
        if self.stopped and not order.person:
            raise Refused("it is stopped")
        if order.token != self._token or not self._live():
            raise Fenced(f"token {order.token} may not act any more")
        return True

    def _lapse(self) -> None:
        if self._live():
            return
        for name, switch in self._switches.items():
            if switch.share > 0:
                self.lapses.append((self._clock(), name, switch.share))
                self._switches[name] = Switch(switch.stable)

    def _seen(self, name: str) -> ServiceSeen:
        web = name in self._switches
        return ServiceSeen(
            service=name,
            switch=self._switches.get(name),
            slots=tuple(self._process(name, slot) for slot in SlotName),
            ports=tuple((slot.value, self._port(name, slot)) for slot in SlotName) if web else (),
        )

    def _port(self, name: str, slot: SlotName) -> int:
        return 20_000 + 2 * sorted(self._services).index(name) + list(SlotName).index(slot)

    def _process(self, name: str, slot: SlotName) -> ProcessSeen:
        found = self._slots[name, slot]
        running = ProcessState.RUNNING if found.pid else ProcessState.EXITED
        return ProcessSeen(
            at=self._clock(),
            service=name,
            slot=slot.value,
            release=found.release,
            state=running if found.release else ProcessState.STOPPED,
            pid=found.pid,
            started_at=found.started_at,
            exit_code=found.exit_code,
            restarts=found.restarts,
        )


def shares(target: FakeTarget) -> Mapping[str, Switch | None]:
    """Where each service's users go, for assertions."""
    return {seen.service: seen.switch for seen in target.observe().services}
