"""A look between our own restart's kill and the new start finds no process: neither a crash nor the supervisor's doing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from prodwise import clock
from prodwise.heal.lookout import Lookout
from prodwise.heal.parts import Parts
from prodwise.model.record import Effect
from prodwise.model.service import SlotName
from prodwise.model.signal import ProbeSeen, ProcessSeen, ProcessState
from prodwise.model.target import ServiceSeen, Switch, TargetSeen
from prodwise.notify.command import CommandNotifier
from prodwise.signals.access_log import AccessLog
from prodwise.signals.replay import Replay
from prodwise.store.sql import SqlStore
from prodwise.testing.fake_target import FakeTarget
from tests.heal.test_clock import CONFIG

OLD, NEW = 1001, 1002


class Unasked:
    """A prober that has nothing to tell."""

    def see(self, seen: TargetSeen) -> None: ...

    def results(self) -> Sequence[ProbeSeen]:
        return ()


def kinds(folder: Path, *, ours: bool) -> tuple[set[str], list[str]]:
    """(symptoms, actors of effects in the ledger) of one kill -9 and the start after it, seen at three looks."""
    store, now = SqlStore(f"sqlite:///{folder}/prodwise.db"), clock.now()
    target, log = FakeTarget(CONFIG.inventory(), lambda: now), AccessLog(folder / "access.log")
    lookout = Lookout(Parts(CONFIG, folder, "", store, target, log, Unasked(), Replay(), CommandNotifier("")))
    if ours:
        command = {"service": "web", "op": "restart", "slot": "a", "pid": OLD}
        store.ledger.intend(Effect("k", "inc-1", "web", "restart", command, None, 1, now))
    found: set[str] = set()
    for step, (state, pid, restarts) in enumerate(
        ((ProcessState.RUNNING, OLD, 0), (ProcessState.EXITED, 0, 0), (ProcessState.RUNNING, NEW, 1))
    ):
        at = now + 0.2 * step
        process = ProcessSeen(at, "web", "a", "1-aaaaaaa", state, pid, now - 60 if pid == OLD else at, -9, restarts)
        seen = TargetSeen(at, (ServiceSeen("web", Switch(SlotName.A), (process,)),), False, "", 1)
        found |= {one.kind for symptoms in lookout.look(seen, at).values() for one in symptoms}
    actors = [entry.actor for entry in store.ledger.recent(10, kinds=("effect",))]
    store.close()
    return found, actors


@pytest.mark.parametrize("ours", [True, False])
def test_a_restart_is_told_from_a_crash(tmp_path: Path, ours: bool) -> None:
    found, actors = kinds(tmp_path, ours=ours)
    assert ("crash" in found) is not ours
    assert ("supervisor" in actors) is not ours
