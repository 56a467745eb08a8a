"""The one door: every effect on the target passes here, is checked under one lock, and happens once per key.

Standard library only.
"""

from __future__ import annotations

import threading
import time
from dataclasses import replace

from prodwise.targets.local import guard_state, procs
from prodwise.targets.local.guard_run import Hands
from prodwise.targets.local.guard_state import PERSON, Denied, Done, GuardState, Lapse, ServiceState, Slot
from prodwise.targets.local.launch import boot_id, uptime
from prodwise.targets.local.layout import SLOTS, Layout, program

DRAIN_MAX_S = 600.0
DRAIN_LOOK_S = 0.05


class Door:
    """Holds the guard's state. `lock` covers every check and every write of it; `turns` keep one slot's steps in order."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.hands = Hands(layout)
        self.lock = threading.RLock()
        self._turns: dict[str, threading.Lock] = {}
        self.state = self._with_inventory(guard_state.read(layout))
        self.restore()

    def _with_inventory(self, state: GuardState) -> GuardState:
        services = {
            place.service: state.services.get(place.service, ServiceState()) for place in self.hands.places.places
        }
        return replace(state, services={**state.services, **services})

    def restore(self) -> None:
        """Makes the files say what the state says: an earlier guard may have died between the two."""
        for name, service in self.state.services.items():
            self.hands.write_switch(name, service)
            for slot, wanted in service.slots.items():
                if wanted.release:
                    try:
                        self.hands.prepare(name, slot, wanted.release, wanted.generation)
                    except Denied as problem:
                        print(f"guard: {program(name, slot)}: {problem}", flush=True)

    @property
    def stopped(self) -> bool:
        return self.layout.stop_file.exists()

    def _commit(self, state: GuardState) -> None:
        guard_state.write(self.layout, state)
        self.state = state

    def _turn(self, name: str) -> threading.Lock:
        with self.lock:
            return self._turns.setdefault(name, threading.Lock())

    def busy(self, name: str) -> bool:
        """Whether an order is replacing or ending this program: nobody else starts it meanwhile."""
        return self._turn(name).locked()

    def _admit(self, key: str, token: int, person: bool) -> Done | None:
        """What is known of this order; a new one must pass the checks. Call with the lock held. Raises Denied."""
        if not key:
            raise Denied("refused", "an order needs a key")
        known = self.state.effects.get(key)
        if known is not None and known.count:
            return known
        guard_state.check(self.state, token, stopped=self.stopped and not person)
        return known

    def lease(self, holder: str, pid: int = 0) -> int:
        with self.lock:
            lease = guard_state.lease_after(self.state, holder, self.hands.instance.lease_s, pid)
            self._commit(replace(self.state, lease=lease))
            return self.state.lease.token

    def break_glass(self) -> None:
        """A person takes over: whatever automation had in hand is fenced off; it may acquire a new lease and look again."""
        with self.lock:
            token = self.state.lease.token + 1
            self._commit(replace(self.state, lease=guard_state.Lease("", token, 0.0, boot_id())))

    def switch(self, key: str, token: int, service: str, stable: str, share: float, person: bool = False) -> None:
        with self.lock:
            known = self._admit(key, token, person)
            if known is not None and known.count:
                return
            before = self.state.service(service)
            self._check_switch(service, before, token, stable, share)
            after = replace(before, stable=stable, share=share)
            if share == 0:
                after = after.remembering(after.slots[stable].release)
            self._commit(self.state.with_service(service, after).with_effect(key, Done("switch", 1)))
            self.hands.write_switch(service, after)

    def _check_switch(self, name: str, service: ServiceState, token: int, stable: str, share: float) -> None:
        if stable not in SLOTS or not 0 <= share <= 1:
            raise Denied("target", f"{name}: no such switch: stable {stable!r}, share {share!r}")
        needed = [stable] if share == 0 else list(SLOTS)
        for slot in needed:
            if not service.slots[slot].release:
                raise Denied(
                    "target", f"{name}: nothing runs in slot {slot}, no user can be sent there", "start it first"
                )
        if share > 0 and token == PERSON and not self.state.lease.live(uptime(), boot_id()):
            raise Denied("refused", f"{name}: a ramp needs somebody who watches it, and nobody holds the lease")

    def start(self, key: str, token: int, service: str, slot: str, release: str, person: bool = False) -> None:
        """1. Checks. 2. Notes what should run. 3. Ends what runs there. 4. Starts, unless a newer order came meanwhile."""
        name = program(service, slot)
        with self.lock:
            known = self._admit(key, token, person)
            if known is not None and known.count:
                return
            mine = self._want(service, slot, release, key, "start", known)
        with self._turn(name):
            if self._slot(service, slot) == mine:
                self.hands.end(name)
            if self._slot(service, slot) == mine:
                self.hands.start(name)
            self._done(key)

    def stop(self, key: str, token: int, service: str, slot: str, drain_s: float, person: bool = False) -> None:
        """Ends a slot for good, after its requests in flight or drain_s seconds, unless a newer order came meanwhile."""
        name = program(service, slot)
        with self.lock:
            known = self._admit(key, token, person)
            if known is not None and known.count:
                return
            mine = self._want(service, slot, "", key, "stop", known)
        with self._turn(name):
            self._drain(service, slot, mine, drain_s)
            if self._slot(service, slot) == mine:
                self.hands.end(name)
            self._done(key)

    def _want(self, service: str, slot: str, release: str, key: str, op: str, known: Done | None) -> Slot:
        """Notes the slot's new purpose, once. Call with the lock held."""
        before = self.state.service(service)
        if slot not in SLOTS:
            raise Denied("target", f"{service} has no slot {slot!r}")
        if known is not None and before.slots[slot].release == release:
            return before.slots[slot]
        after = before.with_slot(slot, release)
        if release:
            self.hands.prepare(service, slot, release, after.slots[slot].generation)
            place = self.hands.places.place(service)
            if place is not None and not place.web:
                after = replace(after, stable=slot).remembering(release)
        self._commit(self.state.with_service(service, after).with_effect(key, Done(op)))
        return after.slots[slot]

    def _slot(self, service: str, slot: str) -> Slot:
        with self.lock:
            return self.state.service(service).slots[slot]

    def _done(self, key: str) -> None:
        with self.lock:
            done = self.state.effects.get(key)
            if done is not None:
                self._commit(self.state.with_effect(key, replace(done, count=1)))

    def _drain(self, service: str, slot: str, mine: Slot, drain_s: float) -> None:
        """Unknown is not zero: without an answer from the proxy the whole time is waited out."""
        deadline = uptime() + min(max(drain_s, 0.0), DRAIN_MAX_S)
        while uptime() < deadline and self._slot(service, slot) == mine:
            if self.hands.in_flight(service, slot) == 0:
                return
            time.sleep(DRAIN_LOOK_S)

    def restart(self, key: str, token: int, service: str, slot: str, pid: int, person: bool = False) -> bool:
        """Kills process `pid` if it still is the slot's. The very process is noted before it is killed, so that a repetition
        after a crash of ours can never reach a newer one. Says whether it was there to be killed."""
        name = program(service, slot)
        with self.lock:
            self.state.service(service)
            known = self._admit(key, token, person)
            if known is not None and known.count:
                return True
            seen = procs.read_pid(self.layout.pid(name))
            if known is None:
                aimed = Done("restart", 0, pid, seen.ticks if seen.alive and seen.pid == pid else 0, boot_id())
                self._commit(self.state.with_effect(key, aimed))
                known = aimed
            if not known.ticks or known.boot != boot_id():
                return False
            procs.kill_group(known.pid, known.ticks)
            self._commit(self.state.with_effect(key, replace(known, count=1)))
        return True

    def lapse(self, at: float) -> None:
        """Nobody holds the lease and users are on an unverified release: back to stable. Allowed even under stop."""
        with self.lock:
            if self.state.lease.live(uptime(), boot_id()):
                return
            for name, service in list(self.state.services.items()):
                if service.share > 0:
                    returned = replace(service, share=0.0)
                    lapse = Lapse(at, name, service.share, self.state.lease.holder)
                    self._commit(self.state.with_service(name, returned).with_lapse(lapse))
                    self.hands.write_switch(name, returned)

    def move(self, service: str, slot: str, release: str, *, switch: bool) -> None:
        """The supervisor's own business, no order: the same release takes another place, or leaves one (release "")."""
        with self.lock:
            after = self.state.service(service).with_slot(slot, release)
            if release:
                self.hands.prepare(service, slot, release, after.slots[slot].generation)
            if switch:
                after = replace(after, stable=slot)
            self._commit(self.state.with_service(service, after))
            self.hands.write_switch(service, after)

    def reread(self) -> None:
        """Takes up what `up` wrote: ports, user, env_file, lease."""
        with self.lock:
            self.hands.reread()
            self._commit(self._with_inventory(self.state))
            self.restore()

    def reload(self) -> None:
        self.reread()
        self.hands.reload()
