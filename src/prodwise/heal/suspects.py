"""Which commit an incident likely came in with: looked for by a thread of its own, and told as evidence; nothing waits for it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from prodwise.clock import now
from prodwise.heal.hands import AUTOMATION
from prodwise.heal.parts import Parts, ReportsIn
from prodwise.heal.reported import fault_of, leading, release_of
from prodwise.heal.rounds import Rounds
from prodwise.heal.rows import symptoms
from prodwise.heal.spoken import reported, tell
from prodwise.loop.diagnose.blamed import event_of
from prodwise.loop.diagnose.case import onset
from prodwise.loop.diagnose.suspect import Search, evidence, rank, wanted
from prodwise.loop.watch.withdrawn import UNKNOWN_LINE
from prodwise.model.diagnosis import Cause
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
KNOWN_MAX: Final = 200
LOOKED_FOR: Final = (Cause.RELEASE.value, Cause.DEPENDENCY.value, Cause.ERRORS.value)


class Suspects:
    """Of incidents that a release seems to have brought, or whose errors nothing nearer explains."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._tried: OrderedDict[str, tuple[int, float]] = OrderedDict()  # incident → how often, when last
        self._rounds = Rounds("suspects", lambda: self.turn(now()), lambda: PACE_S)

    def start(self) -> None:
        if self._parts.history is not None and self._parts.reporting is not None:
            self._rounds.start()

    def stop(self) -> None:
        self._rounds.stop(within_s=1.0)

    def turn(self, at: float) -> None:
        """One look at the newest incidents."""
        history, reporting = self._parts.history, self._parts.reporting
        if history is None or reporting is None:
            return
        incidents = self._parts.records.incidents
        if all(at - newest.opened_at >= RECENT_S for newest in incidents.list(limit=1)):
            return  # nearly always: asked every few seconds, the question must be a small one
        for incident in incidents.list(limit=LOOKED_AT):
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
        if leading(row).get("cause") not in LOOKED_FOR:
            return
        ends = self._ends_of(row)
        event = self._event(row, ends[1], reporting) if ends is not None else None
        if ends is None or event is None:
            return
        self._tried[incident.id] = (TRIES_MAX, self._tried[incident.id][1])
        if packages := reported(self._parts, row, ends[1]):
            tell(self._parts, incident.id, incident.service, packages)
        if all(one.kind != "suspect" for one in incidents.evidence(incident.id)):
            found = _suspected(history, ends, event, row)
            if found is not None:
                self._tell(incident, found)

    def _tell(self, incident: Incident, found: Evidence) -> None:
        records = self._parts.records
        with records.unit():
            records.incidents.add_evidence(incident.id, [found])
            records.incidents.save(incident.id, diagnosis=_known(records.incidents.row(incident.id), found))
            records.ledger.append(
                "suspect", found.text, actor=AUTOMATION, service=incident.service, incident=incident.id,
                data={"evidence": found.id},
            )  # fmt: skip

    def _ends_of(self, row: Mapping[str, Any]) -> tuple[Release, Release] | None:
        """(the last good release, the one in question)."""
        records = self._parts.records
        bad = release_of(records, row, self._parts.serving)
        if bad is None:
            return None
        good = (ReleaseState.VERIFIED_GOOD, ReleaseState.RETIRED)
        known = records.releases.list(100)
        older = [one for one in known if one.number < bad.number and one.state in good and one.commit != bad.commit]
        return (max(older, key=lambda one: one.number), bad) if older else None

    @staticmethod
    def _event(row: Mapping[str, Any], bad: Release, reporting: ReportsIn) -> ErrorEvent | None:
        kept = fault_of(reporting, row, bad)
        return event_of(kept) if kept is not None else None


def _known(row: Mapping[str, Any], found: Evidence) -> dict[str, Any]:
    """The diagnosis without the question that the suspect answers; of a commit without a line, which line of it stays open."""
    told, first = dict(row["diagnosis"] or {}), found.data["suspects"][0]
    left = () if first["line"] else (f"which line of commit {str(first['commit'])[:7]} does it",)
    unknown = [text for one in told.get("unknown", ()) for text in (left if one == UNKNOWN_LINE else (one,))]
    return {**told, "unknown": unknown}


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
