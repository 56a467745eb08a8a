"""Where an app runs: builds, processes, traffic, and who may act on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from prodwise.model.service import Service, SlotName
from prodwise.model.target import Order, Switch, TargetSeen


@dataclass(frozen=True, slots=True)
class Built:
    """What a build made. digest: hex SHA-256 over source, environment and configuration; log: path of the build's log."""

    release: str
    commit: str
    digest: str
    title: str
    author: str
    services: tuple[Service, ...]
    log: str
    env_digest: str = ""  # of the env_file's values at build time; "" without one


class Builds(Protocol):
    """Makes releases."""

    def resolve(self, ref: str) -> str:
        """The full commit id of a git ref. Raises UsageError, naming near refs, when there is none."""

    def build(self, release: str, commit: str) -> Built:
        """Builds once; the same release again returns what stands. Raises BuildFailed with the log's last lines."""

    def run_release_line(self, release: str) -> None:
        """Runs the `release:` line once per release; again is a no-op. Raises BuildFailed with the log's last lines."""

    def remove(self, release: str) -> None:
        """Removes a release that runs nowhere; a missing one is a no-op."""


class Processes(Protocol):
    """Runs releases in slots. Every effect is ordered, keyed and fenced; raises Refused (stop), Fenced or TargetError."""

    def start(self, order: Order, service: str, slot: SlotName, release: str) -> None:
        """The slot runs this release from now on (also after a reboot); replaces what ran there."""

    def stop(self, order: Order, service: str, slot: SlotName, drain_s: float) -> None:
        """Waits up to drain_s seconds for requests in flight, then ends the slot's process for good."""

    def restart(self, order: Order, service: str, slot: SlotName, pid: int) -> None:
        """Ends process `pid` if it still is the slot's, at once, and has a new one started; a newer process is left alone."""


class Traffic(Protocol):
    """Decides who reaches which slot."""

    def switch(self, order: Order, service: str, switch: Switch) -> None:
        """Takes effect for the next request; absolute, so a repetition changes nothing."""


class Observes(Protocol):
    """Looks, and never changes anything."""

    def observe(self) -> TargetSeen:
        """The target's state as it is. Raises TargetError when it cannot be seen."""


class Lease(Protocol):
    """Who may act. The holder's monotonic fencing token travels in every order."""

    def acquire(self, holder: str) -> int:
        """A token higher than any before; the same holder renews and keeps its token. Raises Refused while another holds it."""


class Target(Builds, Processes, Traffic, Observes, Lease, Protocol):
    """All that a deploy target can do, for those that hand it on."""
