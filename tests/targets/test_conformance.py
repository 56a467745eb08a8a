"""The local target and the fake one keep the same promises; a target that breaks one is found out."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from prodwise.model.service import Service, ServiceKind, SlotName
from prodwise.model.target import Order, Switch
from prodwise.targets.local import local_control
from prodwise.testing import apps, target_kit
from prodwise.testing.fake_target import FakeTarget
from prodwise.testing.target_kit import Rig

from .conftest import Up


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += seconds


def fake_rig(kind: type[FakeTarget] = FakeTarget) -> Rig:
    clock = Clock()
    target = kind((Service("web", ServiceKind.WEB, "run"), Service("worker", ServiceKind.WORKER, "work")), clock)
    target.commits = {"main": "a" * 40}
    for release in ("1-aaaaaaa", "2-bbbbbbb"):
        target.build(release, "a" * 40)
    target.start(Order("first", 0, "up"), "web", SlotName.A, "1-aaaaaaa")
    return Rig(
        target=target,
        web="web",
        stable="1-aaaaaaa",
        canary="2-bbbbbbb",
        lease_s=60.0,
        stop=lambda on: setattr(target, "stopped", on),
        pass_time=clock.forward,
        settle=_at_once,
    )


def _at_once(done: Callable[[], bool]) -> None:
    assert done(), "a virtual target settles at once"


@pytest.mark.parametrize("check", target_kit.CHECKS, ids=lambda check: check.__name__)
def test_the_fake_target_conforms(check: Callable[[Rig], None]) -> None:
    check(fake_rig())


def test_the_local_target_conforms(bring_up: Up, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRODWISE_LEASE_SECONDS", "3")
    app = bring_up()
    lease_s = 3.0
    stable, canary = app.process().release, app.release(apps.GOOD)

    def stop(on: bool) -> None:
        (local_control.stop_all if on else local_control.start_again)(app.dir)

    target_kit.run(
        Rig(
            target=app.target,
            web="web",
            stable=stable,
            canary=canary,
            lease_s=lease_s,
            stop=stop,
            pass_time=lambda seconds: None,  # real time passes by itself: `settle` waits for what it brings
            settle=lambda done: apps.until(done, 15),
        )
    )


class Forgetful(FakeTarget):
    """Kills whatever runs."""

    def restart(self, order: Order, service: str, slot: SlotName, pid: int) -> None:
        found = self.observe().service(service)
        current = found.slot(slot) if found else None
        super().restart(order, service, slot, current.pid if current else 0)


class Unfenced(FakeTarget):
    """Lets anybody switch."""

    def switch(self, order: Order, service: str, switch: Switch) -> None:
        super().switch(Order(order.key, 0, order.actor), service, switch)


@pytest.mark.parametrize(
    ("kind", "broken"), [(Forgetful, "a newer process is left alone"), (Unfenced, "carries out no order of automation")]
)
def test_the_kit_finds_a_target_that_breaks_a_promise(kind: type[FakeTarget], broken: str) -> None:
    with pytest.raises(AssertionError, match=broken):
        target_kit.run(fake_rig(kind))
