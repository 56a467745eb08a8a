"""Each slot's last probe answers and process facts."""

from __future__ import annotations

from collections import deque
from typing import Final

from prodwise.loop.diagnose.case import ProbeFacts
from prodwise.model.service import SlotName
from prodwise.model.signal import ProbeSeen, ProcessSeen
from prodwise.model.target import TargetSeen

ENDS: Final = "keeps ending"
GOOD_IN_A_ROW = 2
BAD_IN_A_ROW = 3
FRESH_S = 3.0
"""A probe's answer older than this says nothing any more (unknown)."""


class Pulse:
    """What is known of every slot, newest answers only."""

    def __init__(self) -> None:
        self._probes: dict[tuple[str, str], deque[ProbeSeen]] = {}

    def observe(self, answer: ProbeSeen) -> None:
        self._probes.setdefault((answer.service, answer.slot), deque(maxlen=20)).append(answer)

    def healthy(self, service: str, slot: SlotName, release: str, at: float) -> bool | None:
        """True after two good answers in a row, False after three bad ones; None while that is not known."""
        known = [p for p in self._of(service, slot, release) if at - p.at < FRESH_S and p.ok is not None]
        if len(known) >= GOOD_IN_A_ROW and all(p.ok for p in known[-GOOD_IN_A_ROW:]):
            return True
        if len(known) >= BAD_IN_A_ROW and not any(p.ok for p in known[-BAD_IN_A_ROW:]):
            return False
        return None

    def facts(self, service: str, slot: str, release: str, at: float) -> ProbeFacts:
        """The slot's probe as a diagnosis wants it: well, sick or unknown, and since when it fails."""
        answers = self._of(service, SlotName(slot), release)
        failing: list[ProbeSeen] = []
        for answer in reversed(answers):
            if answer.ok:
                break
            failing.append(answer)
        last = answers[-1] if answers else None
        return ProbeFacts(
            service,
            slot,
            release,
            self.healthy(service, SlotName(slot), release, at),
            failing[-1].at if failing else None,
            timed_out=bool(failing) and all("time" in answer.detail for answer in failing),
            detail=last.detail if last else "",
        )

    def why(self, service: str, slot: SlotName, release: str, seen: TargetSeen) -> str:
        """One phrase about what is wrong with the slot."""
        at = seen.service(service)
        process = at.slot(slot) if at else None
        if process is None or process.release != release:
            return "is not started"
        if process.pid == 0 or process.restarts:
            return f"{ENDS} ({_exit(process)}, {process.restarts} restarts)"
        answers = self._of(service, slot, release)
        return (
            f"does not answer its probe ({answers[-1].detail})"
            if answers and not answers[-1].ok
            else "has not answered yet"
        )

    def _of(self, service: str, slot: SlotName, release: str) -> list[ProbeSeen]:
        return [p for p in self._probes.get((service, slot.value), ()) if p.release == release]


def _exit(process: ProcessSeen) -> str:
    if process.exit_code is None:
        return "exit not known"
    return f"signal {-process.exit_code}" if process.exit_code < 0 else f"exit code {process.exit_code}"
