"""What programs report of the release on trial: who had which share when, and what that says."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from prodwise.heal.parts import Parts
from prodwise.loop.detect.reports import SHOWN_MAX, Hit, ReportMonitor
from prodwise.loop.group import calls
from prodwise.loop.watch.reports import AGREES, ReportsContrast
from prodwise.model.gate import GateResult
from prodwise.model.incident import Symptom
from prodwise.model.release import Release

PATIENCE_S: Final = 20.0
"""What is reported of a release on trial is left to its judges for so long; then a person is told."""
SHARES_KEPT: Final = 64
SECONDS_KEPT: Final = 1_000

Gates = tuple[GateResult, GateResult]
"""As it stands if our own eyes do not suspect the release, and if they do."""


class OnTrial:
    """Used by one thread, but for `want`, `unwant`, `note_share` and `gates`, which never wait for it.

    After a restart of the healer it begins anew: what is reported fails no release, so nothing is gained by that.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.release: Release | None = None
        self._wanted = ""
        self._ended: tuple[Release, float] | None = None  # the last one, and when its trial ended
        self._over = -1e9  # when a trial ended last
        self._shares: dict[str, deque[tuple[float, float]]] = {}  # service → (since, the canary's share), newest last
        self._shares_in: dict[tuple[str, int], float | None] = {}
        self._contrasts: dict[int, tuple[ReportMonitor, ReportsContrast]] = {}
        self._worse_since: dict[str, float] = {}  # group → when the release was proven to have more of it
        self._gates: dict[int, tuple[str, Gates]] = {}
        self._told: set[str] = set()  # groups that a person was told of while the release was, or is, on trial

    def want(self, release: str) -> None:
        """Which release is on trial from now on."""
        self._wanted = release

    def unwant(self, release: str) -> None:
        if self._wanted == release:
            self._wanted = ""

    def note_share(self, service: str, at: float, share: float) -> None:
        """What the target says now."""
        known = self._shares.setdefault(service, deque(maxlen=SHARES_KEPT))
        if not known or known[-1][1] != share:
            known.append((at, share))

    def gates(self, doubt: Callable[[str], float]) -> tuple[GateResult, ...]:
        """By service. doubt: how much our own eyes suspect the release there, an e-value."""
        found = []
        for service, (alone, agreed) in list(self._gates.values()):
            gate = agreed if doubt(service) >= AGREES else alone
            found.append(GateResult(f"{service}: {gate.gate}", gate.verdict, gate.reason))
        return tuple(found)

    def follow(self, at: float) -> None:
        """Begins and ends what is wanted."""
        wanted = self._wanted
        if wanted == (self.release.id if self.release is not None else ""):
            return
        if self.release is not None:
            self._ended, self._over = (self.release, at), at
        self.release = self._parts.records.releases.load(wanted) if wanted else None
        if wanted:
            self._told.clear()
        for kept in (self._contrasts, self._worse_since, self._gates):
            kept.clear()

    def judged(self, before: float) -> Release | None:
        """The release whose trial ended before then; told once."""
        if self._ended is None or self._ended[1] > before:
            return None
        (release, _), self._ended = self._ended, None
        return release

    def means(self, tag: str) -> bool:
        return self.release is not None and calls(tag, self.release)

    def apart(self, service: str, tag: str, second: int) -> bool:
        if not self.means(tag):
            return False
        share = self._share(service, second)
        return share is None or 0.0 < share < 1.0

    def _share(self, service: str, second: int) -> float | None:
        """The canary's share during that second; None when it changed within, or just before: a request may be older."""
        if (service, second) not in self._shares_in:
            if len(self._shares_in) > SECONDS_KEPT:
                self._shares_in.clear()
            known = list(self._shares.get(service, ()))
            shares = {share for at, share in known if second - 1 < at < second + 1}
            shares.update([share for at, share in known if at <= second - 1][-1:])
            self._shares_in[service, second] = next(iter(shares), 0.0) if len(shares) < 2 else None
        return self._shares_in[service, second]

    def judge(self, monitor: ReportMonitor, hits: Sequence[Hit], at: float) -> None:
        """The hits of closed seconds, in their order."""
        if self.release is None:
            return
        project = monitor.project
        for hit in hits:
            share, tag = self._share(project.service, hit.second), hit.unit.release
            if tag and share is not None and 0.0 < share < 1.0:
                if project.id not in self._contrasts:
                    self._contrasts[project.id] = monitor, ReportsContrast(self._parts.config.ramp.alpha)
                contrast = self._contrasts[project.id][1]
                contrast.observe(hit.group, hit.title, hit.unit.who, self.means(tag), share)
        if project.id in self._contrasts:
            contrast = self._contrasts[project.id][1]
            for key, title in contrast.news():
                self._worse_since[key] = at
                monitor.came_with(key, title, self.release.id)
            alone, agreed = contrast.gate(0.0), contrast.gate(AGREES)
            if alone is not None and agreed is not None:
                self._gates[project.id] = project.service, (alone, agreed)

    def left_to_judges(self, symptom: Symptom, at: float) -> bool:
        """What began while a release was on trial: its judges see users fail, and take it back, sooner than a person reads this. What
        was told during the trial goes on after it."""
        if symptom.subject in self._told:
            return False
        if self.release is not None:
            return at - symptom.onset_at < PATIENCE_S
        return symptom.onset_at <= self._over and at - self._over < PATIENCE_S

    def worse(self, project: int) -> list[str]:
        """Groups that the release is proven to have more of."""
        found = self._contrasts.get(project)
        return [key for key, _ in found[1].worse()] if found is not None else []

    def symptoms(self, project: int, at: float) -> list[Symptom]:
        """What the release is proven to have more of, once its judges had the time to agree."""
        found = self._contrasts.get(project)
        if found is None or self.release is None:
            return []
        monitor, contrast = found
        said = [
            Symptom("errors", monitor.project.service, f"{text} (release {self.release.id} is on trial)",
                    self._worse_since[key], at, severity=0.0, source=monitor.source, subject=key)
            for key, text in contrast.worse()[:SHOWN_MAX]
            if at - self._worse_since.get(key, at) >= PATIENCE_S
        ]  # fmt: skip
        self._told.update(one.subject for one in said)
        return said
