"""What programs report, taken in by the healer: a thread of its own reads the feed, judges it, and keeps what is usual."""

from __future__ import annotations

import threading
import traceback
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any, Final

from prodwise.clock import monotonic, now
from prodwise.heal.hands import AUTOMATION
from prodwise.heal.parts import Parts, ReportsIn
from prodwise.loop.detect.reports import SHOWN_MAX, SOURCE, Hit, ReportMonitor, View, source_of
from prodwise.loop.diagnose.case import GroupFacts
from prodwise.loop.diagnose.evidence import stated
from prodwise.loop.group import RESOLVED, calls, resolve
from prodwise.loop.watch.reports import ReportsContrast
from prodwise.model.digest import Group, Heard
from prodwise.model.event import ErrorSeen
from prodwise.model.evidence import Evidence
from prodwise.model.gate import GateResult
from prodwise.model.incident import Symptom
from prodwise.model.project import Project
from prodwise.model.release import Release, ReleaseState

PACE_S: Final = 0.5
CLOSE_S: Final = 3.0
"""So long after a second has passed all of it is stored, if its sender and its receiver are well."""
BACKLOG: Final = 5_000
"""A read as large as this is not the last one: there is more to come from about the same time."""
BACKLOG_S: Final = 30.0
SAVE_S: Final = 15.0
SETTLE_S: Final = 10.0
PATIENCE_S: Final = 20.0
"""What is reported of a release on trial is left to its judges for so long; then a person is told."""
ASKED_MAX: Final = 50
KNOWN_MAX: Final = 2_000
CITED_MAX: Final = 50
"""Newest groups that are looked through for those of a release that was taken back."""
SHARES_KEPT: Final = 64
POSITION, USUAL = "position:reports", "baseline:reports:"
"""Settings: up to where reports were read; what is usual for a project's groups."""


class Reported:
    """Reading never slows a look at the target, and failing never ends one. `used(service, second)`: see View."""

    def __init__(self, parts: Parts, used: Callable[[str, int], bool | None]) -> None:
        self._parts, self._used = parts, used
        self._in: ReportsIn | None = parts.reporting
        self._feed = self._in.feed(parts.records.settings.get(POSITION)) if self._in else None
        self._monitors: dict[int, ReportMonitor] = {}
        self._lock = threading.RLock()
        self._shares: dict[str, deque[tuple[float, float]]] = {}  # service → (since, the canary's share), newest last
        self._trial: Release | None = None
        self._judged: tuple[Release, float] | None = None  # the last one, and when its trial ended
        self._contrasts: dict[int, ReportsContrast] = {}
        self._worse_since: dict[str, float] = {}  # group → when the release on trial was proven to have more of it
        self._standing: dict[str, list[Symptom]] = {}
        self._resolved: OrderedDict[str, tuple[float, float]] = OrderedDict()  # group → (asked at, of which resolution)
        self._sole: tuple[str, dict[int, int]] = (
            "",
            {},
        )  # the release that serves alone; each project's used seconds then
        self._positions: deque[tuple[float, Mapping[str, Any]]] = deque(maxlen=64)
        self._saved, self._settled = monotonic(), -1e9
        self._kept: dict[str, Any] = {}
        self._said = ""
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reports", daemon=True)

    def start(self) -> None:
        if self._feed is not None:
            self._thread.start()

    def stop(self) -> None:
        self._ends.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._ends.wait(PACE_S):
            try:
                self.turn()
                self._said = ""
            except Exception as error:  # noqa: BLE001 — what programs report may be missing; our own eyes must stay open
                self._trouble(error)

    def _trouble(self, error: Exception) -> None:
        """Said once, until it changes."""
        if type(error).__name__ != self._said:
            self._said = type(error).__name__
            traceback.print_exc()
            text = f"what programs report cannot be read: {self._said}"
            self._parts.records.ledger.append("blind", text, actor=AUTOMATION)

    def turn(self) -> None:
        """One read. 1. What is new is put into its seconds. 2. Seconds that are over are judged, in order. 3. What stands is told."""
        if self._feed is None:
            return
        began = now()
        heard = self._feed.read()
        if not self._positions or began - self._positions[-1][0] >= PACE_S:
            self._positions.append((began, self._feed.position()))
        with self._lock:
            if monotonic() - self._settled > SETTLE_S or not {one.project for one in heard} <= self._monitors.keys():
                self._meet_projects()
        self._know(heard)
        until = began - CLOSE_S
        if len(heard) >= BACKLOG:
            until = min(until, heard[-1].at - BACKLOG_S)
            self._positions.clear()
        with self._lock:
            for one in heard:
                if (monitor := self._monitors.get(one.project)) is not None:
                    monitor.hear(one)
            for monitor in self._monitors.values():
                self._contrast(monitor, monitor.close(int(until), self._view(monitor.project.service)))
            self._tell(began)
        self._back()
        self._cite(began)
        if monotonic() - self._settled > SETTLE_S:
            self._settled = monotonic()
            self._settle()
        if monotonic() - self._saved > SAVE_S:
            self._saved = monotonic()
            self._save(began)

    def _meet_projects(self) -> None:
        """Also those that report nothing: that they do not is what makes a first report news."""
        for one in self._in.projects() if self._in is not None else ():
            if one.id not in self._monitors:
                self._monitors[one.id] = self._new_monitor(one)

    def _new_monitor(self, project: Project) -> ReportMonitor:
        made = ReportMonitor(project, frozenset(self._parts.config.signals.important))
        kept = self._parts.records.settings.get(f"{USUAL}{project.id}")
        try:
            if kept:
                made.restore(kept)
        except (KeyError, TypeError, ValueError):
            made = ReportMonitor(project, frozenset(self._parts.config.signals.important))
        return made

    # -- the release on trial ------------------------------------------------------------------------------------------

    def note_share(self, service: str, at: float, share: float) -> None:
        """What the target says now."""
        known = self._shares.setdefault(service, deque(maxlen=SHARES_KEPT))
        if not known or known[-1][1] != share:
            known.append((at, share))

    def _share(self, service: str, second: int) -> float | None:
        """The canary's share during that second; None when it changed within, or just before: a request may be older."""
        known = list(self._shares.get(service, ()))
        before = [share for at, share in known if at <= second - 1]
        during = [share for at, share in known if second - 1 < at < second + 1]
        shares = {*before[-1:], *during}
        return next(iter(shares)) if len(shares) == 1 else (0.0 if not shares else None)

    def begin_trial(self, release: str) -> None:
        """After a restart of the healer it begins anew: what is reported fails no release, so nothing is gained by that."""
        with self._lock:
            if self._trial is None or self._trial.id != release:
                self._trial = self._parts.records.releases.load(release)
                self._contrasts.clear()
                self._worse_since.clear()

    def end_trial(self, release: str) -> None:
        with self._lock:
            if self._trial is not None and self._trial.id == release:
                self._judged = (self._trial, now())
                self._trial = None
                self._contrasts.clear()
                self._worse_since.clear()

    def gates(self, doubt: Callable[[str], float]) -> tuple[GateResult, ...]:
        """What programs report of the release on trial, by service. doubt: how much our own eyes suspect it there."""
        with self._lock:
            found = []
            for number, contrast in self._contrasts.items():
                service = self._monitors[number].project.service
                gate = contrast.gate(doubt(service))
                if gate is not None:
                    found.append(GateResult(f"{service}: {gate.gate}", gate.verdict, gate.reason))
            return tuple(found)

    def _contrast(self, monitor: ReportMonitor, hits: Sequence[Hit]) -> None:
        trial, project = self._trial, monitor.project
        if trial is None:
            return
        for hit in hits:
            share, tag = self._share(project.service, hit.second), hit.unit.release
            if tag and share is not None and 0.0 < share < 1.0:
                made = self._contrasts.get(project.id)
                if made is None:
                    alpha = self._parts.config.ramp.alpha / max(1, len(self._monitors))
                    made = self._contrasts[project.id] = ReportsContrast(alpha)
                made.observe(hit.group, hit.title, hit.unit.who, calls(tag, trial), share)
        for key, title in self._contrasts[project.id].news() if project.id in self._contrasts else ():
            monitor.came_with(key, title, trial.id)

    def _view(self, service: str) -> View:
        trial = self._trial
        on_trial = partial(calls, release=trial) if trial is not None else _never
        return View(partial(self._used, service), partial(self._apart, service, on_trial), on_trial)

    def _apart(self, service: str, on_trial: Callable[[str], bool], tag: str, second: int) -> bool:
        share = self._share(service, second)
        return on_trial(tag) and (share is None or 0.0 < share < 1.0)

    # -- what stands ---------------------------------------------------------------------------------------------------

    def _tell(self, at: float) -> None:
        found: dict[str, list[Symptom]] = {}
        for number, monitor in self._monitors.items():
            said = [*monitor.symptoms(at), *self._of_trial(number, monitor, at)]
            if said:
                found.setdefault(monitor.project.service, []).extend(said)
        self._standing = found

    def _of_trial(self, number: int, monitor: ReportMonitor, at: float) -> list[Symptom]:
        """What the release on trial is proven to have more of, once its judges had the time to agree."""
        contrast = self._contrasts.get(number)
        if contrast is None or self._trial is None:
            return []
        found = []
        for key, text in contrast.worse()[:SHOWN_MAX]:
            since = self._worse_since.setdefault(key, at)
            if at - since >= PATIENCE_S:
                said = f"{text} (release {self._trial.id} is on trial)"
                found.append(Symptom("errors", monitor.project.service, said, since, at, severity=0.0,
                                     source=monitor.source, subject=key))  # fmt: skip
        return found

    def look(self) -> Mapping[str, Sequence[Symptom]]:
        """Service id → what programs report that is a fault now."""
        return self._standing

    def standing(self, service: str) -> bool:
        return bool(self._standing.get(service))

    def facts(self, service: str, symptoms: Iterable[Symptom]) -> tuple[GroupFacts, ...]:
        """The groups that an incident is about, as they are stored, with the calls of the blamed error."""
        if self._in is None:
            return ()
        with self._lock:
            mine = [one for one in self._monitors.values() if one.project.service == service]
            sources = {key: one.source for one in mine for key in one.worst()}
            sources |= {key: self._monitors[n].source for n, c in self._contrasts.items() for key, _ in c.worse()
                        if self._monitors[n].project.service == service}  # fmt: skip
        sources |= {one.subject: one.source for one in symptoms if one.subject and one.source.startswith(SOURCE)}
        releases = self._parts.records.releases.list(50)
        found = []
        for key, source in list(sources.items())[: 2 * SHOWN_MAX]:
            group = self._in.archive.group(key)
            if group is not None:
                found.append(self._facts(group, service, source, releases))
        return tuple(found)

    def _cite(self, at: float) -> None:
        """A release that is worse is taken back before its reports are all in: what they say joins its incident a little later."""
        if self._judged is None or at - self._judged[1] < CLOSE_S or self._in is None:
            return
        (release, _), self._judged = self._judged, None
        incident = next(
            (one for one in self._parts.records.incidents.list(limit=20) if one.id == f"inc-{release.id}"), None
        )
        if incident is None:
            return
        releases, found = self._parts.records.releases.list(50), list[Evidence]()
        for project in self._in.projects():
            for group in self._in.archive.groups(project.id, limit=CITED_MAX)[0]:
                facts = self._facts(group, project.service, source_of(project), releases)
                if facts.only_in == release.id:
                    found.append(stated(facts))
        self._parts.records.incidents.add_evidence(incident.id, found[:SHOWN_MAX])

    def _facts(self, group: Group, service: str, source: str, releases: Sequence[Release]) -> GroupFacts:
        kept = self._in.archive.example(group.key) if self._in is not None else None
        return GroupFacts.of(group, service, source, releases, kept.detail if kept else None)

    # -- resolved in a release, and back -------------------------------------------------------------------------------

    def _know(self, heard: Sequence[Heard]) -> None:
        """Whether groups that come now were called resolved: asked for a few at a time, and not again for some seconds."""
        at = monotonic()
        keys = {one.item.group: one.project for one in heard if isinstance(one.item, ErrorSeen)}
        due = [key for key in sorted(keys) if at - self._resolved.get(key, (-1e9, 0.0))[0] > SETTLE_S][:ASKED_MAX]
        for key in due:
            told = self._parts.records.settings.get(RESOLVED + key)
            made = float(told["at"]) if told else 0.0
            with self._lock:
                monitor = self._monitors.get(keys[key])
                if monitor is not None and made:
                    monitor.resolved(key, made, frozenset(told["releases"]))
            self._resolved[key] = (at, made)
            self._resolved.move_to_end(key)
        while len(self._resolved) > KNOWN_MAX:
            self._resolved.popitem(last=False)

    def _back(self) -> None:
        for monitor in self._monitors.values():
            for key, title in monitor.take_returned():
                text = f"{title}: it was resolved, and is back ({key})"
                self._parts.records.ledger.append(
                    "regressed", text, actor=AUTOMATION, service=monitor.project.service, data={"group": key}
                )

    def _settle(self) -> None:
        """What the release that serves alone, and has passed its watch, should have had by now and has not: resolved in it."""
        live = self._live()
        if live is None or self._in is None:
            self._sole = ("", {})
            return
        if self._sole[0] != live.id:
            self._sole = (live.id, {number: one.used for number, one in self._monitors.items()})
        for number, monitor in list(self._monitors.items()):
            since = self._sole[1].setdefault(number, monitor.used)
            with self._lock:
                missing = monitor.missing(partial(calls, release=live), monitor.used - since)
            for key in missing[:ASKED_MAX]:
                group = self._in.archive.group(key)
                if group is None or any(calls(tag, live) for tag in group.releases):
                    continue
                made = resolve(group, now(), f"release {live.id}")
                self._parts.records.settings.put(RESOLVED + key, asdict(made), AUTOMATION)
                with self._lock:
                    monitor.resolved(key, made.at, frozenset(made.releases))

    def _live(self) -> Release | None:
        if self._trial is not None or self._parts.records.rollouts.current() is not None:
            return None
        serving = self._parts.serving()
        found = next((one for one in self._parts.records.releases.list(50) if one.id == serving), None)
        return found if found is not None and found.state is ReleaseState.VERIFIED_GOOD else None

    # -- over a restart ------------------------------------------------------------------------------------------------

    def _save(self, at: float) -> None:
        """What is usual, and a position from before the oldest second that is still open: what was not judged is read again."""
        old = [position for read_at, position in self._positions if read_at <= at - CLOSE_S - 1.0]
        if not old:
            return
        with self._lock:
            values: dict[str, Any] = {f"{USUAL}{number}": one.to_json() for number, one in self._monitors.items()}
        values[POSITION] = dict(old[-1])
        with self._parts.records.unit():
            for name, value in values.items():
                if self._kept.get(name) != value:
                    self._parts.records.settings.put(name, value, AUTOMATION)
        self._kept = values


def _never(tag: str) -> bool:
    return False
