"""What releases did to the shape of the data, for those who may want to go back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from prodwise.heal.parts import Parts
from prodwise.loop.choose import schema
from prodwise.model.errors import UsageError
from prodwise.model.evidence import Evidence
from prodwise.model.release import Release
from prodwise.model.schema import Finding

STORED_MAX: Final = 50
"""Findings in one fact; those that are not safe come first."""


def since(parts: Parts, older: Release, releases: Sequence[Release]) -> tuple[Finding, ...] | None:
    """What was done since a release: by every newer one, for a withdrawn one has migrated as well. None: not looked at."""
    if parts.migrations is None:
        return None
    return schema.read(parts.migrations.across(older, [one for one in releases if one.number > older.number]))


def between(parts: Parts, older: str, newer: str) -> tuple[Finding, ...] | None:
    """What one release did to the data that another one left; nothing when it is the first."""
    if not older or parts.migrations is None:
        return None if older else ()
    load = parts.records.releases.load
    try:
        ends = load(older), load(newer)
    except UsageError:
        return None
    return schema.read(parts.migrations.across(ends[0], [ends[1]]))


def fact(findings: Sequence[Finding] | None, older: str, at: float) -> Evidence:
    found = sorted(findings or (), key=lambda one: one.safe)
    data: dict[str, Any] = {
        "release": older,
        "steps": len(found),
        "not_safe": sum(not one.safe for one in found),
        "findings": [asdict(one) for one in found[:STORED_MAX]],
    }
    return Evidence("schema", "repository", at, at, f"back to {older}: {schema.summary(findings)}", data)


def announced(parts: Parts, release: str, previous: str) -> None:
    """Before its `release:` line runs: the ledger says, once, that automation will ask before it goes back over this release."""
    if any(one.kind == "schema" for one in parts.records.ledger.entries(incident=release)):
        return
    if why := schema.asks(between(parts, previous, release)):
        text = f"once release {release} is verified good, going back over it needs a person's yes: {why}"
        parts.records.ledger.append("schema", text, actor="prodwise", incident=release)


def withdrawn(parts: Parts, release: str, previous: str) -> None:
    """A release went back on its way, with users on it: what it did to the data stays, and is told in its incident."""
    incidents, incident = parts.records.incidents, f"inc-{release}"
    if all(one.id != incident for one in incidents.list(open_only=True)):
        return
    found, row = between(parts, previous, release), incidents.row(incident)
    if found == ():
        return
    incidents.add_evidence(incident, [fact(found, previous, row["opened_at"])])
    if why := schema.asks(found):
        doubt = f"whether {previous} is whole on the migrated data, on which it served throughout: {why}"
        told = row["diagnosis"] or {}
        unknown = [one for one in told.get("unknown", ()) if one != doubt]
        incidents.save(incident, diagnosis={**told, "unknown": [*unknown, doubt]})
