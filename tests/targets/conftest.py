from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from prodwise.config import load
from prodwise.model.service import SlotName
from prodwise.model.signal import ProcessSeen
from prodwise.model.target import Order, ServiceSeen, Switch
from prodwise.targets.local import local_control
from prodwise.targets.local.target import LocalTarget
from prodwise.testing import apps

HEALER = "healer-1"


@dataclass
class LocalApp:
    """One running app: its folder, its address, its target, and the orders of one healer."""

    dir: Path
    address: str
    target: LocalTarget
    orders: int = 0
    token: int = 0

    def order(self, token: int | None = None) -> Order:
        if token is None:
            self.token = self.target.acquire(HEALER)
        self.orders += 1
        return Order(f"k{self.orders}", self.token if token is None else token, HEALER)

    def seen(self, service: str = "web") -> ServiceSeen:
        found = self.target.observe().service(service)
        assert found is not None
        return found

    def process(self, slot: str = "a", service: str = "web") -> ProcessSeen:
        found = self.seen(service).slot(slot)
        assert found is not None
        return found

    def release(self, variant: str, files: dict[str, str] | None = None) -> str:
        """Commits and builds a variant; returns the release's id."""
        commit = apps.commit(self.dir, variant, files)
        release = self.target.next_id(commit)
        self.target.build(release, commit)
        return release

    def start(self, slot: str, release: str, service: str = "web") -> None:
        self.target.start(self.order(), service, SlotName(slot), release)

    def switch(self, stable: str, share: float = 0.0, service: str = "web") -> None:
        self.target.switch(self.order(), service, Switch(SlotName(stable), share))

    def well(self, slot: str, service: str = "web") -> bool:
        return apps.get(f"127.0.0.1:{self.seen(service).port(slot)}", "/healthz", timeout_s=1).status == 200

    def ramped(self, variant: str, share: float) -> str:
        """A release that serves a share from slot b beside stable in slot a; returns its id."""
        release = self.release(variant)
        self.start("b", release)
        apps.until(lambda: self.process("b").pid and self.process("b").release == release)
        if variant in (apps.GOOD, apps.BAD, apps.SLOW):
            apps.until(lambda: self.well("b"), what="the canary's health")
        self.switch("a", share)
        return release


Up = Callable[..., LocalApp]


@pytest.fixture
def bring_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Up]:
    """Brings made apps up without a healer, and ends them after the test, whatever happened in it."""
    begun: list[Path] = []
    monkeypatch.setenv("PRODWISE_LEASE_SECONDS", "30")

    def up(app: Path | None = None, **made: object) -> LocalApp:
        folder = app or apps.make_app(tmp_path, **made)  # type: ignore[arg-type]
        begun.append(folder)
        config = load(folder)
        result = local_control.up(folder, config, with_healer=False)
        return LocalApp(folder, result.address, LocalTarget(folder, config))

    yield up
    for folder in begun:
        local_control.down(folder)


@pytest.fixture
def local_app(bring_up: Up) -> LocalApp:
    return bring_up()
