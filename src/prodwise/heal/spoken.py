"""Which of the packages that a release changed its errors, its log or its failed build speak of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from prodwise.heal.hands import AUTOMATION
from prodwise.heal.parts import Parts, ReportsIn
from prodwise.heal.reported import fault_of, release_of
from prodwise.heal.rows import stored_diagnosis
from prodwise.loop.detect.reports import source_of
from prodwise.loop.diagnose.blamed import event_of
from prodwise.loop.diagnose.case import Exit
from prodwise.loop.diagnose.dependencies import PackageFacts, in_error, in_log, refined, stated
from prodwise.model.delta import Delta, Package
from prodwise.model.diagnosis import Cause
from prodwise.model.errors import ProdwiseError
from prodwise.model.release import Release

ENTRY: Final = "suspect"
RECENT: Final = 20


def packages_of(parts: Parts, release: str) -> tuple[Package, ...]:
    """What it changed against the one before it, as far as that was found out when it was built."""
    told = parts.records.releases.facts(release).get("delta")
    return Delta.from_json(told).packages if isinstance(told, Mapping) else ()


def reported(parts: Parts, row: Mapping[str, Any], release: Release) -> tuple[PackageFacts, ...]:
    """By the error that programs reported most since about the incident's onset."""
    packages = packages_of(parts, release.id)
    if parts.reporting is None or not packages:
        return ()
    kept = fault_of(parts.reporting, row, release)
    event = event_of(kept) if kept is not None else None
    return in_error(packages, release.id, event, _source(parts.reporting, event.project)) if event is not None else ()


def _source(reporting: ReportsIn, project: int) -> str:
    return next((source_of(one) for one in reporting.projects() if one.id == project), "reports")


def wrote(parts: Parts, release: Release, packages: Sequence[Package], text: str = "") -> tuple[PackageFacts, ...]:
    """By what its processes wrote last, and the text of a failed build."""
    if parts.words is None or not packages:
        return in_log(packages, release.id, text, release.created_at)
    said = [
        parts.words.said(at.service, process.slot, release.id)
        for at in parts.target.observe().services
        for process in at.slots
    ]
    return in_log(packages, release.id, "\n".join((*said, text)), release.created_at)


def spoken_of(parts: Parts, row: Mapping[str, Any], exits: Sequence[Exit]) -> tuple[PackageFacts, ...]:
    """Of the release that an incident is about: what is reported, else what it wrote before it ended."""
    release = release_of(parts.records, row, parts.serving)
    if release is None:
        return ()
    found = reported(parts, row, release)
    if not found and any(one.release == release.id for one in exits):
        found = wrote(parts, release, packages_of(parts, release.id))
    return found


def tell(parts: Parts, incident: str, service: str, found: Sequence[PackageFacts]) -> None:
    """Joins an incident's evidence, and its diagnosis where that names the release; once."""
    incidents = parts.records.incidents
    known = {one.id for one in incidents.evidence(incident)}
    facts = [one for one in map(stated, found) if one.id not in known]
    if not facts:
        return
    with parts.records.unit():
        incidents.add_evidence(incident, facts)
        told = stored_diagnosis(incidents.row(incident)["diagnosis"])
        if all(one.cause is not Cause.DEPENDENCY for one in told.hypotheses):
            incidents.save(incident, diagnosis=asdict(refined(told, found)))
        text = f"{facts[0].text}; to take back that alone: {found[0].pin}"
        parts.records.ledger.append(
            ENTRY, text, actor=AUTOMATION, service=service, incident=incident, data={"evidence": facts[0].id}
        )


def withdrawn(parts: Parts, release: str, previous: str, reason: str) -> None:
    """A release that could not be built or started, or went back on its way: what its own words say of its packages."""
    releases = parts.records.releases
    newer = releases.load(release)
    packages = packages_of(parts, release)
    if not packages and parts.compares is not None and previous:
        try:
            packages = parts.compares.delta(releases.load(previous), newer).packages
        except ProdwiseError:
            return
    found = wrote(parts, newer, packages, reason)
    incident = f"inc-{release}"
    if not found or not found[0].sure:
        return
    if any(one.id == incident for one in parts.records.incidents.list(limit=RECENT)):
        tell(parts, incident, "", found)
    elif all(one.kind != ENTRY for one in parts.records.ledger.entries(incident=release)):
        text = f"{stated(found[0]).text}; to take back that alone: {found[0].pin}"
        parts.records.ledger.append(ENTRY, text, actor=AUTOMATION, incident=release, data=stated(found[0]).data)
