"""Which commit an incident likely came in with: looked for by a thread of its own, and told as evidence; nothing waits for it."""

from __future__ import annotations

import threading
import traceback
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from prodwise.clock import now
from prodwise.heal.bedside import symptoms
from prodwise.heal.hands import AUTOMATION
from prodwise.heal.parts import Parts, ReportsIn
from prodwise.loop.diagnose.blamed import event_of
from prodwise.loop.diagnose.case import onset
from prodwise.loop.diagnose.suspect import Search, evidence, rank, wanted
from prodwise.loop.group import calls
from prodwise.model.diagnosis import Cause
from prodwise.model.digest import Group
from prodwise.model.errors import ProdwiseError
from prodwise.model.event import ErrorEvent
from prodwise.model.evidence import Evidence
from prodwise.model.incident import Incident
from prodwise.model.release import Release, ReleaseState
from prodwise.ports import History

PACE_S: Final = 5.0
AGAIN_S: Final = 10.0
TRIES_MAX: Final = 6
"""Errors are reported a little later than they are felt: so often, so far apart, they are asked for again."""
RECENT_S: Final = 15 * 60.0
LOOKED_AT: Final = 20
GROUPS_MAX: Final = 50
BEFORE_S: Final = 120.0
KNOWN_MAX: Final = 200
LOOKED_FOR: Final = (Cause.RELEASE.value, Cause.ERRORS.value)


class Suspects:
    """Of incidents that a release seems to have brought, or whose errors nothing nearer explains."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._tried: OrderedDict[str, tuple[int, float]] = OrderedDict()  # incident → how often, when last
        self._said = ""
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, name="suspects", daemon=True)

    def start(self) -> None:
        if self._parts.history is not None and self._parts.reporting is not None:
            self._thread.start()

    def stop(self) -> None:
        self._ends.set()
        if self._thread.is_alive():
            self._thread.join(timeout=1)

    def _run(self) -> None:
        while not self._ends.wait(PACE_S):
            try:
                self.turn(now())
            except Exception as error:  # noqa: BLE001 — whom to suspect may stay unknown; healing goes on
                if type(error).__name__ != self._said:
                    self._said = type(error).__name__
                    traceback.print_exc()

    def turn(self, at: float) -> None:
        """One look at the newest incidents."""
        history, reporting = self._parts.history, self._parts.reporting
        if history is None or reporting is None:
            return
        for incident in self._parts.records.incidents.list(limit=LOOKED_AT):
            if at - incident.opened_at < RECENT_S and self._due(incident.id, at):
                self._look(incident, history, reporting)

    def _due(self, incident: str, at: float) -> bool:
        tried, last = self._tried.get(incident, (0, -1e9))
        if tried >= TRIES_MAX or at - last < AGAIN_S:
            return False
        self._tried[incident] = (tried + 1, at)
        while len(self._tried) > KNOWN_MAX:
            self._tried.popitem(last=False)
        return True

    def _look(self, incident: Incident, history: History, reporting: ReportsIn) -> None:
        incidents = self._parts.records.incidents
        row = incidents.row(incident.id)
        leading = ((row["diagnosis"] or {}).get("hypotheses") or [{}])[0]
        if leading.get("cause") not in LOOKED_FOR:
            return
        ends = self._ends_of(leading, row)
        event = self._event(row, ends[1], reporting) if ends is not None else None
        if ends is None or event is None:
            return
        self._tried[incident.id] = (TRIES_MAX, self._tried[incident.id][1])
        if all(one.kind != "suspect" for one in incidents.evidence(incident.id)):
            found = _suspected(history, ends, event, row)
            if found is not None:
                self._tell(incident, found)

    def _tell(self, incident: Incident, found: Evidence) -> None:
        records = self._parts.records
        with records.unit():
            records.incidents.add_evidence(incident.id, [found])
            records.ledger.append(
                "suspect", found.text, actor=AUTOMATION, service=incident.service, incident=incident.id,
                data={"evidence": found.id},
            )  # fmt: skip

    def _ends_of(self, leading: Mapping[str, Any], row: Mapping[str, Any]) -> tuple[Release, Release] | None:
        """(the last good release, the one in question): the one that is blamed, else the one that served at the onset."""
        releases = self._parts.records.releases.list(100)
        began = onset(symptoms(row), row["opened_at"])
        blamed = leading.get("subject") if leading.get("cause") == Cause.RELEASE.value else ""
        name = blamed or next((one.release for one in symptoms(row) if one.release), "") or self._parts.serving()
        bad = next((one for one in releases if one.id == name), None)
        if bad is None or bad.created_at > began + BEFORE_S:
            return None
        good = (ReleaseState.VERIFIED_GOOD, ReleaseState.RETIRED)
        older = [one for one in releases if one.number < bad.number and one.state in good and one.commit != bad.commit]
        return (max(older, key=lambda one: one.number), bad) if older else None

    def _event(self, row: Mapping[str, Any], bad: Release, reporting: ReportsIn) -> ErrorEvent | None:
        """The fault that was reported most since about the onset, with the calls that led to it."""
        since = onset(symptoms(row), row["opened_at"]) - BEFORE_S
        found: list[Group] = []
        for project in reporting.projects():
            if project.service == row["service"] or not row["service"]:
                groups = reporting.archive.groups(project.id, limit=GROUPS_MAX)[0]
                found += [one for one in groups if _may_be_of(one, bad, since)]
        for group in sorted(found, key=lambda one: (-one.count, one.key)):
            kept = reporting.archive.example(group.key)
            event = event_of(kept) if kept is not None else None
            if event is not None:
                return event
        return None


def _may_be_of(group: Group, bad: Release, since: float) -> bool:
    """New since about then, and reported by that release, or by none that is known."""
    tags = [tag for tag in group.releases if tag]
    return group.first_seen >= since and (not tags or any(calls(tag, bad) for tag in tags))


def _suspected(
    history: History, ends: tuple[Release, Release], event: ErrorEvent, row: Mapping[str, Any]
) -> Evidence | None:
    good, bad = ends
    try:
        commits: Sequence[Any] = history.commits(good.commit, bad.commit)
        texts = history.texts(bad.commit, wanted(commits, (event,), history.tree(bad.commit)))
    except ProdwiseError:
        return None
    began = onset(symptoms(row), row["opened_at"])
    ranked = rank(Search(tuple(commits), (event,), (), texts, began))
    return evidence(ranked, began, row["opened_at"])
