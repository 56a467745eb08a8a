"""Probes: k failures in a row while the process runs are a hang; m answers in a row end it. Unknown is neither."""

from __future__ import annotations

from prodwise.model.incident import Symptom
from prodwise.model.signal import ProbeSeen, ProcessState


class ProbeDetector:
    """One slot of one service. fails: failures in a row that prove it; recovers: good answers in a row that end it."""

    def __init__(self, service: str, fails: int = 3, recovers: int = 2, fresh_s: float = 5.0) -> None:
        if fails < 1 or recovers < 1:
            raise ValueError(f"fails ({fails}) and recovers ({recovers}) are at least 1")
        self.service, self.fails, self.recovers, self.fresh_s = service, fails, recovers, fresh_s
        self._bad = self._good = 0
        self._first_bad_at = self._last_at = 0.0
        self._known = False
        self._symptom: Symptom | None = None
        self._process = ProcessState.UNKNOWN

    def process(self, state: ProcessState) -> None:
        """The process behind the probe. One that is not running is a crash's matter: its failures start afresh."""
        if state is not self._process and state is not ProcessState.RUNNING:
            self._bad, self._symptom = 0, None
        self._process = state

    def observe(self, probe: ProbeSeen) -> None:
        """One answer. Older ones than the last are ignored: they arrived late or twice."""
        if self._known and probe.at <= self._last_at:
            return
        if probe.ok is None:
            return
        self._known, self._last_at = True, probe.at
        if probe.ok:
            self._good, self._bad = self._good + 1, 0
            if self._good >= self.recovers:
                self._symptom = None
            return
        self._good = 0
        self._bad += 1
        if self._bad == 1:
            self._first_bad_at = probe.at
        if self._bad >= self.fails and self._symptom is None:
            self._symptom = self._failed(probe)

    def _failed(self, probe: ProbeSeen) -> Symptom:
        kind = "hang" if self._process is ProcessState.RUNNING else "probe"
        what = "runs but does not answer" if kind == "hang" else "does not answer"
        text = f"{what}: {self._bad} probes in a row failed" + (f" ({probe.detail[:200]})" if probe.detail else "")
        return Symptom(kind, self.service, text, self._first_bad_at, probe.at, "", probe.release)

    def symptoms(self, now: float) -> tuple[Symptom, ...]:
        """`now` only dates the look: a symptom lasts until good answers end it."""
        if self._symptom is None or now < self._symptom.onset_at:
            return ()
        return (self._symptom,)

    def healthy(self, now: float) -> bool | None:
        """None = unknown: no answer at all, or none for fresh_s seconds."""
        if self._symptom is not None:
            return False
        if not self._known or now - self._last_at > self.fresh_s:
            return None
        return True if self._good >= self.recovers else None
