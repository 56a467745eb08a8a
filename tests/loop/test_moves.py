"""Orders as data: tested by equality."""

from __future__ import annotations

import pytest

from prodwise.loop import moves
from prodwise.model.service import Service, ServiceKind, SlotName
from prodwise.model.signal import ProcessSeen, ProcessState
from prodwise.model.target import ServiceSeen, Switch, TargetSeen

WEB = Service("web", ServiceKind.WEB, "serve")
WORKER = Service("worker", ServiceKind.WORKER, "work")
BOTH = (WEB, WORKER)


def _process(service: str, slot: str, release: str, pid: int = 100) -> ProcessSeen:
    return ProcessSeen(1.0, service, slot, release, ProcessState.RUNNING, pid)


def _seen(share: float, *, canary: str = "2-b", worker: str = "1-a", stable: SlotName = SlotName.A) -> TargetSeen:
    slots = [_process("web", "a", "1-a")] + ([_process("web", "b", canary)] if canary else [])
    web = ServiceSeen("web", Switch(stable, share), tuple(slots))
    return TargetSeen(1.0, (web, ServiceSeen("worker", None, (_process("worker", "a", worker),))), False, "h", 1)


def _brief(planned: list[moves.Move]) -> list[str]:
    return [
        f"{m.kind} {m.service} {m.command.get('slot', m.command.get('stable'))} {m.command.get('share', '')}".strip()
        for m in planned
    ]


def test_only_services_that_overlap_get_a_canary() -> None:
    assert _brief(moves.start_canaries(BOTH, _seen(0.0, canary=""), "2-b")) == ["start web b"]


def test_a_share_that_stands_already_is_not_set_again() -> None:
    assert moves.ramp(BOTH, _seen(0.25), 0.25) == []
    assert _brief(moves.ramp(BOTH, _seen(0.05), 0.25)) == ["ramp web a 0.25"]


def test_workers_follow_at_promotion_old_one_out_first() -> None:
    assert _brief(moves.promote(BOTH, _seen(1.0), "2-b")) == ["stop worker a", "start worker b"]
    assert moves.promote(BOTH, _seen(1.0, worker="2-b"), "2-b") == []


def test_what_runs_beside_what_serves_is_told_but_for_the_release_itself() -> None:
    assert moves.beside(_seen(0.0), "3-c") == "2-b"
    assert moves.beside(_seen(0.0), "2-b") == ""
    assert moves.beside(_seen(0.0, canary=""), "2-b") == ""
    assert moves.beside(_seen(0.0, stable=SlotName.B), "2-b") == "1-a"


def test_finish_flips_before_it_stops() -> None:
    assert _brief(moves.finish(BOTH, _seen(1.0, worker="2-b"), "2-b")) == ["finish web b 0.0", "stop web a"]


def test_withdrawing_moves_users_first_then_workers_then_ends_the_release() -> None:
    planned = moves.withdraw(BOTH, _seen(1.0, worker="2-b"), "2-b", "1-a")
    assert _brief(planned) == ["rollback web a 0.0", "stop worker a", "start worker b", "stop web b"]
    assert planned[0].undo == {"op": "switch", "service": "web", "stable": "a", "share": 1.0}


def test_going_back_from_a_stable_release_starts_the_old_one_beside_it() -> None:
    alone = _seen(0.0, canary="")
    assert _brief(moves.prepare_return(BOTH, alone, "0-z")) == ["start web b"]
    both = _seen(0.0, canary="0-z")
    assert moves.prepare_return(BOTH, both, "0-z") == []
    assert _brief(moves.complete_return(BOTH, both, "0-z")) == [
        "rollback web b 0.0",
        "stop worker a",
        "start worker b",
        "stop web a",
    ]


def test_going_back_to_the_stable_release_takes_users_from_what_was_left_beside_it() -> None:
    left = _seen(0.25, worker="2-b")
    assert (moves.serving(BOTH, left), moves.sharing(BOTH, left, "1-a")) == ("1-a", "2-b")
    assert moves.prepare_return(BOTH, left, "1-a") == []
    assert moves.astray(BOTH, left, "1-a") == ["web"]
    planned = moves.complete_return(BOTH, left, "1-a")
    assert _brief(planned) == ["rollback web a 0.0", "stop worker a", "start worker b", "stop web b"]
    assert planned[0].undo == {"op": "switch", "service": "web", "stable": "a", "share": 0.25}
    assert planned[-1].undo == {"op": "start", "service": "web", "slot": "b", "release": "2-b"}
    assert moves.sharing(BOTH, _seen(0.0), "1-a") == "", "nobody is on it"
    assert _brief(moves.complete_return(BOTH, _seen(0.0), "1-a")) == ["stop web b"]


@pytest.mark.parametrize("beside", ["", "2-b"])
def test_users_do_not_go_back_to_a_slot_that_holds_something_else_by_now(beside: str) -> None:
    assert moves.complete_return(BOTH, _seen(0.0, canary=beside), "0-z") == []
    assert moves.astray(BOTH, _seen(0.0, canary=beside), "0-z") == ["web"]
    assert moves.astray(BOTH, _seen(0.0, canary=beside), "1-a") == []


def test_gone_needs_no_process_and_no_share() -> None:
    assert not moves.gone(BOTH, _seen(0.0), "2-b")
    assert not moves.gone(BOTH, _seen(0.05, canary=""), "2-b")
    assert moves.gone(BOTH, _seen(0.0, canary=""), "2-b")


def test_a_restart_names_the_pid_that_it_means() -> None:
    planned = moves.restart(_seen(0.0), "web")
    assert planned[0].command == {"op": "restart", "service": "web", "slot": "a", "pid": 100}
    assert planned[0].undo is None
    assert moves.restart(_seen(0.0), "nothing") == []
