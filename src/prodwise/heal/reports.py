"""What programs report, taken in by the healer: a thread of its own reads the feed, judges it, and keeps what is usual."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any, Final

from prodwise.clock import monotonic, now
from prodwise.heal.hands import AUTOMATION
from prodwise.heal.on_trial import OnTrial
from prodwise.heal.parts import Parts, ReportsIn
from prodwise.heal.rounds import Rounds
from prodwise.loop.detect.reports import SHOWN_MAX, SOURCE, ReportMonitor, View, source_of
from prodwise.loop.diagnose.case import GroupFacts
from prodwise.loop.diagnose.evidence import stated
from prodwise.loop.group import RESOLVED, calls, resolve
from prodwise.model.digest import Group, Heard
from prodwise.model.event import ErrorSeen
from prodwise.model.evidence import Evidence
from prodwise.model.incident import Symptom
from prodwise.model.project import Project
from prodwise.model.release import Release, ReleaseState

PACE_S: Final = 0.5
"""While programs report; twice as long while they are silent and nothing stands, since each read costs."""
CLOSE_S: Final = 3.0
"""So long after a second has passed all of it is stored, if its sender and its receiver are well."""
BACKLOG: Final = 5_000
"""A read as large as this is not the last one: there is more to come from about the same time."""
BACKLOG_S: Final = 30.0
SAVE_S: Final = 15.0
SETTLE_S: Final = 10.0
ASKED_MAX: Final = 50
KNOWN_MAX: Final = 2_000
CITED_MAX: Final = 50
"""Newest groups that are looked through for those of a release that was taken back."""
POSITION, USUAL = "position:reports", "baseline:reports:"
"""Settings: up to where reports were read; what is usual for a project's groups."""


class ReportsIntake:
    """Reading never slows a look at the target, and failing never ends one. `used(service, second)`: see View."""

    def __init__(self, parts: Parts, used: Callable[[str, int], bool | None]) -> None:
        self._parts, self._used = parts, used
        self._in: ReportsIn | None = parts.reporting
        self._feed = self._in.feed(parts.records.settings.get(POSITION)) if self._in else None
        self._monitors: dict[int, ReportMonitor] = {}
        self._lock = threading.RLock()
        self.on_trial = OnTrial(parts)
        self._standing: dict[str, list[Symptom]] = {}
        self._resolved: OrderedDict[str, tuple[float, float]] = OrderedDict()  # group → (asked at, of which resolution)
        self._sole: tuple[str, dict[int, int]] = ("", {})  # who serves alone; each project's used seconds then
        self._positions: deque[tuple[float, Mapping[str, Any]]] = deque(maxlen=64)
        self._saved, self._settled = monotonic(), -1e9
        self._kept: dict[str, Any] = {}
        self._busy = True
        self._rounds = Rounds("reports", self.turn, lambda: PACE_S if self._busy else 2 * PACE_S, self._trouble)

    def start(self) -> None:
        if self._feed is not None:
            self._rounds.start()

    def stop(self) -> None:
        self._rounds.stop()

    def _trouble(self, said: str) -> None:
        self._parts.records.ledger.append("blind", f"what programs report cannot be read: {said}", actor=AUTOMATION)

    def turn(self) -> None:
        """One read. 1. What is new is put into its seconds. 2. Seconds that are over are judged, in order. 3. What stands is told."""
        if self._feed is None:
            return
        began = now()
        self.on_trial.follow(began)
        heard = self._feed.read()
        if not self._positions or began - self._positions[-1][0] >= PACE_S:
            self._positions.append((began, self._feed.position()))
        with self._lock:
            if monotonic() - self._settled > SETTLE_S or not {one.project for one in heard} <= self._monitors.keys():
                self._meet_projects()
        self._busy = bool(heard or self._standing or self.on_trial.release)
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
                self.on_trial.judge(monitor, monitor.close(int(until), self._view(monitor.project.service)), began)
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

    # -- what stands ---------------------------------------------------------------------------------------------------

    def _tell(self, at: float) -> None:
        found: dict[str, list[Symptom]] = {}
        for number, monitor in self._monitors.items():
            own = [one for one in monitor.symptoms(at) if not self.on_trial.left_to_judges(one, at)]
            said = [*own, *self.on_trial.symptoms(number, at)]
            if said:
                found.setdefault(monitor.project.service, []).extend(said)
        self._standing = found

    def _view(self, service: str) -> View:
        return View(partial(self._used, service), partial(self.on_trial.apart, service), self.on_trial.means)

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
            sources |= {key: one.source for one in mine for key in self.on_trial.worse(one.project.id)}
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
        release = self.on_trial.judged(at - CLOSE_S)
        if release is None or self._in is None:
            return
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
        if self.on_trial.release is not None or self._parts.records.rollouts.current() is not None:
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
