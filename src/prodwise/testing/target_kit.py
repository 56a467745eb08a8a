"""What every target must promise, as checks that any target's author can run: `run(rig)` for all, or one by one.

Each check takes a Rig, begins by putting it in order, and raises AssertionError with the promise that was broken.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

from prodwise.model.errors import Fenced, ProdwiseError, Refused, TargetError, UsageError
from prodwise.model.service import SlotName
from prodwise.model.signal import ProcessSeen
from prodwise.model.target import Order, ServiceSeen, Switch
from prodwise.ports import Target

A, B = SlotName.A, SlotName.B
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Rig:
    """A target to check. It runs `stable` in slot a of the web service; `canary` is built and runs nowhere.

    stop: sets or lifts *stop*; pass_time: lets at least so many seconds pass; settle: returns once its argument says yes.
    """

    target: Target
    web: str
    stable: str
    canary: str
    lease_s: float
    stop: Callable[[bool], None]
    pass_time: Callable[[float], None]
    settle: Callable[[Callable[[], bool]], None]

    def seen(self) -> ServiceSeen:
        found = self.target.observe().service(self.web)
        assert found is not None, f"observe() does not show {self.web}"
        return found

    def slot(self, slot: SlotName) -> ProcessSeen:
        found = self.seen().slot(slot)
        assert found is not None, f"observe() does not show slot {slot}"
        return found

    def order(self, token: int | None = None) -> Order:
        """A fresh key, under a lease that is held now."""
        return Order(f"kit-{next(_numbers)}", self.target.acquire("kit") if token is None else token, "kit")

    def count(self, order: Order) -> int | None:
        return dict(self.target.observe().effects).get(order.key)

    def in_order(self) -> None:
        """stable in a, canary in b, both running, all users on a."""
        self.stop(False)
        for slot, release in ((A, self.stable), (B, self.canary)):
            seen = self.slot(slot)
            if seen.release != release or not seen.pid:
                self.target.start(self.order(), self.web, slot, release)
            self.settle(lambda slot=slot, release=release: self._runs(slot, release))  # type: ignore[misc]
        self.target.switch(self.order(), self.web, Switch(A))

    def _runs(self, slot: SlotName, release: str) -> bool:
        seen = self.slot(slot)
        return seen.pid > 0 and seen.release == release


def _raises(kind: type[ProdwiseError], act: Callable[[], object], promise: str) -> None:
    try:
        act()
    except kind:
        return
    raise AssertionError(promise)


def switches_are_absolute_and_happen_once_per_key(rig: Rig) -> None:
    rig.in_order()
    order = rig.order()
    rig.target.switch(order, rig.web, Switch(A, 0.25))
    assert rig.seen().switch == Switch(A, 0.25), "a switch takes effect"
    rig.target.switch(rig.order(), rig.web, Switch(A, 0.5))
    rig.target.switch(order, rig.web, Switch(A, 0.25))
    assert rig.seen().switch == Switch(A, 0.5), "an order that was carried out is not carried out again later"
    assert rig.count(order) == 1, "an order's effect is counted once"
    rig.target.switch(rig.order(), rig.web, Switch(B))
    assert rig.seen().switch == Switch(B), "stable and share change together"


def starts_replace_and_happen_once_per_key(rig: Rig) -> None:
    rig.in_order()
    order = rig.order()
    before = rig.slot(B).pid
    rig.target.start(order, rig.web, B, rig.stable)
    rig.settle(lambda: rig.slot(B).pid not in (0, before) and rig.slot(B).release == rig.stable)
    pid = rig.slot(B).pid
    rig.target.start(order, rig.web, B, rig.stable)
    assert rig.slot(B).pid == pid, "a repeated start starts nothing"
    assert rig.count(order) == 1, "a start is counted once"
    assert rig.slot(A).release == rig.stable, "the other slot is left alone"


def restarts_end_the_named_process_and_never_a_newer_one(rig: Rig) -> None:
    rig.in_order()
    order, pid = rig.order(), rig.slot(A).pid
    rig.target.restart(order, rig.web, A, pid)
    rig.settle(lambda: rig.slot(A).pid not in (0, pid))
    newer, other = rig.slot(A).pid, rig.slot(B).pid
    rig.target.restart(order, rig.web, A, pid)
    late = rig.order()
    rig.target.restart(late, rig.web, A, pid)
    assert rig.slot(A).pid == newer, "a newer process is left alone"
    assert (rig.count(order), rig.count(late)) == (1, 0), "what did not happen is not counted"
    assert rig.slot(B).pid == other, "another slot's process is left alone"


def stops_are_final_and_happen_once_per_key(rig: Rig) -> None:
    rig.in_order()
    order = rig.order()
    rig.target.stop(order, rig.web, B, 0.0)
    assert rig.slot(B).pid == 0, "nothing runs after a stop"
    rig.target.start(rig.order(), rig.web, B, rig.canary)
    rig.settle(lambda: rig.slot(B).pid > 0)
    rig.target.stop(order, rig.web, B, 0.0)
    assert rig.slot(B).pid > 0, "a repeated stop does not end what was started since"
    _raises(TargetError, lambda: rig.target.remove(rig.canary), "a release that runs cannot be removed")


def stop_refuses_automation_and_changes_nothing(rig: Rig) -> None:
    rig.in_order()
    order = rig.order()
    rig.stop(True)
    before = rig.target.observe()
    assert before.stopped, "observe() shows the stop"
    _refused_everywhere(rig, order, Refused, "a stopped target carries out no order of automation")
    after = rig.target.observe()
    assert (after.revision, after.effects) == (before.revision, before.effects), "a refusal changes nothing"
    rig.target.switch(Order(f"{order.key}-person", 0, "person"), rig.web, Switch(A))
    asked = Order(f"{order.key}-asked", order.token, "a person", person=True)
    rig.target.switch(asked, rig.web, Switch(A, 0.2))
    assert rig.count(asked) == 1, "stop holds automation, not what a person asks it for"
    wrong = Order(f"{order.key}-wrong", order.token + 1, "a person", person=True)
    _refused_everywhere(rig, wrong, Fenced, "only the newest token may act, whoever asked")
    rig.stop(False)
    rig.target.switch(order, rig.web, Switch(A, 0.1))
    assert rig.count(order) == 1, "the refused order can be carried out after the stop was lifted"


def older_tokens_change_nothing(rig: Rig) -> None:
    rig.in_order()
    token = rig.target.acquire("kit")
    assert rig.target.acquire("kit") == token, "the holder renews its lease and keeps its token"
    _raises(Refused, lambda: rig.target.acquire("kit-2"), "a lease that is held is not given to another")
    before = rig.target.observe()
    for wrong in (-1, token + 1):
        _refused_everywhere(rig, rig.order(wrong), Fenced, "only the newest token may act")
    assert rig.target.observe().revision == before.revision, "a fenced order changes nothing"


def a_lapsed_lease_returns_traffic_and_fences(rig: Rig) -> None:
    rig.in_order()
    order = rig.order()
    rig.target.switch(rig.order(), rig.web, Switch(A, 1.0))
    rig.stop(True)
    rig.pass_time(rig.lease_s)
    rig.settle(lambda: rig.seen().switch == Switch(A))
    rig.stop(False)
    assert rig.target.observe().holder == "", "nobody holds a lapsed lease"
    _refused_everywhere(rig, order, Fenced, "an executor whose lease has lapsed changes nothing")
    assert rig.target.acquire("kit-3") > order.token, "the next holder's token is higher"
    _raises(Fenced, lambda: rig.target.switch(order, rig.web, Switch(A, 0.5)), "a superseded executor changes nothing")
    rig.pass_time(rig.lease_s)
    rig.settle(lambda: rig.target.observe().holder == "")


def unknown_names_are_errors(rig: Rig) -> None:
    rig.in_order()
    before = rig.target.observe().revision
    _raises(UsageError, lambda: rig.target.resolve("no-such-ref"), "a missing ref is a usage error")
    _raises(TargetError, lambda: rig.target.start(rig.order(), "no-such-service", A, rig.stable), "no such service")
    _raises(TargetError, lambda: rig.target.start(rig.order(), rig.web, A, "99-0000000"), "no such release")
    _raises(TargetError, lambda: rig.target.switch(rig.order(), rig.web, Switch(A, 1.5)), "no such share")
    assert rig.target.observe().revision == before, "an order that makes no sense changes nothing"


def _refused_everywhere(rig: Rig, order: Order, kind: type[ProdwiseError], promise: str) -> None:
    pid = rig.slot(A).pid
    _raises(kind, lambda: rig.target.switch(order, rig.web, Switch(A, 0.9)), f"switch: {promise}")
    _raises(kind, lambda: rig.target.start(order, rig.web, B, rig.stable), f"start: {promise}")
    _raises(kind, lambda: rig.target.stop(order, rig.web, B, 0.0), f"stop: {promise}")
    _raises(kind, lambda: rig.target.restart(order, rig.web, A, pid), f"restart: {promise}")


CHECKS: tuple[Callable[[Rig], None], ...] = (
    switches_are_absolute_and_happen_once_per_key,
    starts_replace_and_happen_once_per_key,
    restarts_end_the_named_process_and_never_a_newer_one,
    stops_are_final_and_happen_once_per_key,
    stop_refuses_automation_and_changes_nothing,
    older_tokens_change_nothing,
    a_lapsed_lease_returns_traffic_and_fences,
    unknown_names_are_errors,
)


def run(rig: Rig) -> None:
    """All checks, one after another, on one rig. Raises AssertionError naming the first promise that was broken."""
    for check in CHECKS:
        try:
            check(rig)
        except AssertionError as broken:
            raise AssertionError(f"{check.__name__}: {broken}") from broken
