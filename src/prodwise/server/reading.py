"""Gathers, through the ports, what one page or answer is made from. Every list is bounded."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from prodwise.clock import monotonic, now
from prodwise.heal import certificates, charge, unmet
from prodwise.heal.aftermath import gather, kept
from prodwise.heal.pulls import progress
from prodwise.heal.releases import known_releases
from prodwise.loop import moves
from prodwise.loop.changes.effects import everything, measured
from prodwise.loop.changes.told import release_of
from prodwise.loop.choose import schema
from prodwise.loop.goal import return_target
from prodwise.model.change import Change
from prodwise.model.delta import Delta
from prodwise.model.errors import ProdwiseError, UsageError
from prodwise.model.evidence import Evidence
from prodwise.model.incident import Incident, IncidentState, Symptom
from prodwise.model.outcome import Outcome
from prodwise.model.record import Effect, EffectState, Entry, Rollout
from prodwise.model.release import Release, ReleaseState
from prodwise.model.service import Service, ServiceKind
from prodwise.model.target import TargetSeen
from prodwise.model.unmet import Unmet
from prodwise.server.doors import NotFound
from prodwise.server.parts import ServerParts
from prodwise.server.views.changes import ChangesFacts
from prodwise.server.views.evidence import cited_by
from prodwise.server.views.facts import (
    Brake,
    Buckets,
    Case,
    IncidentFacts,
    NowFacts,
    Posture,
    ReleasesFacts,
    Way,
    stage_of,
)
from prodwise.server.views.needs import handed_over
from prodwise.server.views.now import DAY_S, QUARTER_S, severity
from prodwise.server.views.releases import LIVE
from prodwise.server.views.report import WINDOW_S, Report, onset, report
from prodwise.server.views.words import mapping, number, visible

DAY_BUCKETS, QUARTER_BUCKETS, INCIDENT_BUCKETS = 96, 90, 120
REPORT_TTL_S = 30.0
REPORT_INCIDENTS, TIMELINE_MAX, NEWEST = 1000, 500, 200
OPEN_MAX, TOLD_MAX = 1000, 20
EVIDENCE_MAX, BEGINNING = 200, 50
"""Of much evidence and many entries so many are read, of which so many tell how it began; the others are the newest."""
DAY_BEFORE_NOW = 86_400.0
UNSAFE_SHOWN = 10


class Reader:
    """Reads facts. Cheap enough for one call a second; the 30-day report is kept for half a minute."""

    def __init__(self, parts: ServerParts) -> None:
        self.parts = parts
        self.services: tuple[Service, ...] = parts.config.inventory()
        self._report: tuple[float, Report] | None = None
        self._lock = threading.Lock()

    def target(self) -> tuple[TargetSeen | None, str]:
        """What is seen, or None and why not."""
        try:
            return self.parts.observes.observe(), ""
        except ProdwiseError as error:
            return None, error.message

    def posture(self, target: TargetSeen | None) -> Posture:
        settings = self.parts.records.settings
        stage, held = stage_of(self.parts.config, settings.get("autonomy"))
        return Posture(stage, held, self._stop(target), self._freeze())

    def _stop(self, target: TargetSeen | None) -> Brake:
        """The target's door says whether; the ledger, where it could be written, says who and why."""
        if target is None or not target.stopped:
            return Brake()
        told = self.parts.records.ledger.recent(1, ["stop"])
        return Brake(True, told[0].text, told[0].actor, told[0].at) if told else Brake(True)

    def _freeze(self) -> Brake:
        told = mapping(self.parts.records.settings.get("freeze"))
        until = number(told.get("until"))
        return _brake(told, on=bool(told) and (until is None or until > now()))

    def report(self) -> Report:
        with self._lock:
            if self._report is None or monotonic() - self._report[0] > REPORT_TTL_S:
                self._report = (monotonic(), self._compute_report())
            return self._report[1]

    def recovery_seconds(self) -> tuple[float, ...]:
        return self.report().seconds

    def _compute_report(self) -> Report:
        at = now()
        incidents = self.parts.records.incidents.list(limit=REPORT_INCIDENTS)
        effects = self.parts.records.ledger.effects(since=at - WINDOW_S)
        done = {e.story: e.settled_at for e in effects if e.state is EffectState.DONE and e.settled_at}
        told = {e.incident: e.at for e in self.parts.records.ledger.recent(REPORT_INCIDENTS, ["recovered"])}
        return report(incidents, {**done, **told}, at, REPORT_INCIDENTS)

    def case(self, incident: Incident) -> Case:
        return self._case(incident, self.parts.records.incidents.row(incident.id))

    def _case(self, incident: Incident, row: Mapping[str, Any]) -> Case:
        turn, diagnosis, decision = (mapping(row.get(name)) for name in ("turn", "diagnosis", "decision"))
        who, notes = charge.taken_over(self.parts.records, incident.id), charge.notes(self.parts.records, incident.id)
        return Case(incident, turn, diagnosis, decision, who, notes)

    def find(self, incident_id: str) -> Case:
        """Raises NotFound."""
        try:
            row = self.parts.records.incidents.row(incident_id)
        except UsageError as error:
            raise NotFound(error.message, error.hint) from None
        return self._case(_incident(row), row)

    def now(self) -> NowFacts:
        parts, records = self.parts, self.parts.records
        target, problem = self.target()
        marks = records.ledger.recent(200, ["change", "effect"])
        entry, current = self.entry(), records.rollouts.current()
        releases = records.releases.list(limit=10)
        refused = self._unmet(releases)
        facts = NowFacts(
            app=parts.config.name,
            address=parts.address,
            services=self.services,
            target=target,
            target_error=problem,
            health=parts.vitals.health(),
            numbers={service.id: parts.vitals.numbers(service.id) for service in self.services},
            day=parts.vitals.strip(entry, DAY_S, DAY_BUCKETS) if entry else (),
            quarter=parts.vitals.strip(entry, QUARTER_S, QUARTER_BUCKETS) if entry else (),
            marks=marks,
            open=self._open(),
            recent=[i for i in records.incidents.list(limit=NEWEST) if i.closed_at is not None],
            rollout=current,
            way=self._way(current),
            releases=releases,
            approvals=records.approvals.open(),
            posture=self.posture(target),
            self_test=mapping(records.settings.get("self_test")),
            report=self.report(),
            credentials=certificates.kept(records),
            unmet=refused,
            fix=progress(records, [refused.release]).get(refused.release, "") if refused else "",
        )
        theirs = islice(handed_over(facts, now()), TOLD_MAX)
        return replace(facts, handed={one.id: self.case(one) for one in theirs})

    def _open(self) -> list[Case]:
        """All that are open, the newest first; where there are many, the gravest with what their stories wrote, before the others."""
        found = self.parts.records.incidents.list(open_only=True, limit=OPEN_MAX)
        gravest = {one.id for one in sorted(found, key=severity, reverse=True)[:TOLD_MAX]}
        return [self.case(one) for one in found if one.id in gravest] + [
            Case(one) for one in found if one.id not in gravest
        ]

    def _unmet(self, releases: Sequence[Release]) -> Unmet | None:
        newest = releases[0] if releases else None
        failed = newest is not None and newest.state is ReleaseState.FAILED
        return unmet.found(self.parts.records, newest.id) if newest is not None and failed else None

    def incident(self, incident_id: str) -> IncidentFacts:
        """Raises NotFound."""
        case, records = self.find(incident_id), self.parts.records
        stored, (timeline, cut) = records.incidents.evidence(incident_id), self._timeline(incident_id)
        target, _ = self.target()
        return IncidentFacts(
            case=case,
            evidence=_ends(stored, cited_by(case)),
            evidence_stored=len(stored),
            timeline=timeline,
            cut=cut,
            effects=self.effects(incident_id),
            approvals=[a for a in records.approvals.open() if a.incident == incident_id],
            buckets=self._around(case.incident),
            marks=records.ledger.recent(200, ["change", "effect"]),
            posture=self.posture(target),
            later=self._later(case.incident),
        )

    def _timeline(self, incident_id: str) -> tuple[list[Entry], int]:
        """All entries, oldest first, and 0; or how it began and what was last, and the entry after which some are left out."""
        ledger = self.parts.records.ledger
        told = list(ledger.entries(limit=TIMELINE_MAX + 1, incident=incident_id))
        if len(told) <= TIMELINE_MAX:
            return told, 0
        newest, begun = ledger.recent(TIMELINE_MAX - BEGINNING, incident=incident_id), told[:BEGINNING]
        return [*begun, *reversed(newest)], begun[-1].seq

    def _later(self, incident: Incident) -> float | None:
        """Looked for among the newest: what is older than those has no traffic left to show anyway."""
        if incident.closed_at is None:
            return None
        begun = (onset(one) for one in self.parts.records.incidents.list(limit=NEWEST))
        return min((at for at in begun if at >= incident.closed_at), default=None)

    def effects(self, incident_id: str) -> list[Effect]:
        return list(self.parts.records.ledger.effects(story=incident_id))

    def releases(self) -> ReleasesFacts:
        records = self.parts.records
        target, problem = self.target()
        releases = records.releases.list(limit=40)
        failed = [one.id for one in releases if one.state is ReleaseState.FAILED]
        return ReleasesFacts(
            services=self.services,
            target=target,
            target_error=problem,
            releases=releases,
            rollouts=records.rollouts.list(limit=20),
            way=self._way(records.rollouts.current()),
            posture=self.posture(target),
            release_line=bool(self.parts.config.release),
            fixes=progress(records, failed) if failed else {},
        )

    def standing(self, target: TargetSeen | None) -> tuple[str, str]:
        """(the release that stable users reach, another one that has a share of them though it is not on its way); "" for none."""
        if target is None:
            return "", ""
        shipped = tuple(service for service in self.services if not service.upstream)
        stable = moves.serving(shipped, target)
        on_way = self.parts.records.rollouts.current() is not None
        return stable, "" if on_way else moves.sharing(shipped, target, stable)

    def way_back(self, wanted: str) -> tuple[str, tuple[str, ...]]:
        """(the release that going back leads to, what migrations did that speaks against it, worst first), for the person who is
        about to. Nothing speaks against it while a rollout is withdrawn, or what was left with a share: what is gone back to serves
        beside it, on the same data. wanted: a release, "" for the last good one. Raises UsageError or Refused where there is none."""
        records, migrations = self.parts.records, self.parts.migrations
        current, known = records.rollouts.current(), known_releases(records, wanted)
        stable, beside = self.standing(self.target()[0])
        if current is not None and current.previous and wanted in ("", current.previous):
            return current.previous, ()
        if beside and wanted in ("", stable):
            return stable, ()
        serving = stable or next((release.id for release in known if release.state in LIVE), "")
        goal = return_target(known, serving, wanted)
        if migrations is None:
            return goal.id, ()
        found = schema.read(migrations.across(goal, [one for one in known if one.number > goal.number]))
        unsafe = [f"{one.where} {one.what}: {one.reason}" for one in found if not one.safe]
        more = (f"… and {len(unsafe) - UNSAFE_SHOWN} more",) if len(unsafe) > UNSAFE_SHOWN else ()
        head = (f"Migrations since {goal.id} do not go back with the code:",) if unsafe else ()
        return goal.id, (*head, *(visible(text, 400) for text in unsafe[:UNSAFE_SHOWN]), *more)

    def changes(self, since: float, limit: int, service: str = "") -> ChangesFacts:
        """What changed since then, and what it did: as it was kept, else as far as it can be told by now."""
        records, vitals = self.parts.records, self.parts.vitals
        known = gather(records, self.services, since, min(1000, 2 * limit))
        asked = [one for one in everything(known) if service in ("", one.service) or not one.service]
        shown, done = asked[:limit], kept(records)
        open_ones = frozenset(one.id for one in shown) - done.keys()
        minutes = {name: vitals.minutes(name) for name in known.web} if open_ones else {}
        target, _ = self.target()
        return ChangesFacts(
            changes=shown,
            deltas=self._deltas(shown),
            measured={**measured(known, minutes, now(), open_ones), **done},
            serving=stable_release(self.entry(), target),
            incidents=frozenset(one.id for one in records.incidents.list(limit=REPORT_INCIDENTS)),
            more=len(asked) > limit,
        )

    def _deltas(self, changes: Sequence[Change]) -> dict[str, Delta]:
        """Release → what it brought, where that was found out. A record of an odd shape is left out."""
        found: dict[str, Delta] = {}
        for release in sorted({release_of(one) for one in changes} - {""}):
            kept_delta = mapping(self.parts.records.releases.facts(release).get("delta"))
            with contextlib.suppress(KeyError, TypeError, ValueError):
                found |= {release: Delta.from_json(kept_delta)} if kept_delta else {}
        return found

    def _way(self, current: Rollout | None) -> Way:
        if current is None:
            return Way()
        told = self.parts.records.ledger.entries(limit=TIMELINE_MAX, incident=current.release)
        return Way(tuple(stage.name for stage in self.parts.config.ramp.stages()), told)

    def entry(self) -> str:
        """The service that users reach: named `web`, or the only web service, or the first that is not an upstream."""
        web = [s for s in self.services if s.kind is ServiceKind.WEB]
        chosen = [s for s in web if s.id == "web"] or [s for s in web if not s.upstream] or web
        return chosen[0].id if chosen else ""

    def _around(self, incident: Incident) -> Buckets:
        """Traffic of the incident's service around it; nothing once it is more than a day old."""
        since = onset(incident) - 300.0
        span = now() - since
        if span > DAY_BEFORE_NOW:
            return ()
        return self.parts.vitals.strip(incident.service, span, INCIDENT_BUCKETS)


def _ends(stored: Sequence[Evidence], cited: Collection[str]) -> list[Evidence]:
    """Of much evidence how it began, what is cited, and the newest."""
    newest = len(stored) - (EVIDENCE_MAX - BEGINNING)
    return [one for at, one in enumerate(stored) if at < BEGINNING or at >= newest or one.id in cited]


def stable_release(service: str, target: TargetSeen | None) -> str:
    """The release that the service's stable users reach; "" while that is not seen."""
    at = target.service(service) if target is not None else None
    process = at.slot(at.switch.stable) if at is not None and at.switch is not None else None
    return process.release if process is not None else ""


def _brake(told: Mapping[str, Any], *, on: bool) -> Brake:
    if not on:
        return Brake()
    return Brake(
        True,
        str(told.get("reason") or ""),
        str(told.get("who") or ""),
        number(told.get("at")) or 0.0,
        number(told.get("until")),
    )


def _incident(row: Mapping[str, Any]) -> Incident:
    """The noun from a stored row."""
    values = {name: row[name] for name in Incident.__dataclass_fields__}
    values["symptoms"] = tuple(Symptom(**symptom) for symptom in row["symptoms"])
    values["state"] = IncidentState(row["state"])
    values["outcome"] = Outcome(row["outcome"]) if row["outcome"] else None
    return Incident(**values)
