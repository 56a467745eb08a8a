"""Which release an incident is about, and the fault that programs reported most since about its onset."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from prodwise.heal.parts import ReportsIn
from prodwise.heal.rows import symptoms
from prodwise.loop.diagnose.blamed import event_of
from prodwise.loop.diagnose.case import onset
from prodwise.loop.group import calls
from prodwise.model.diagnosis import BY_RELEASE
from prodwise.model.digest import Group, KeptEvent
from prodwise.model.release import Release
from prodwise.ports import Records

GROUPS_MAX: Final = 50
BEFORE_S: Final = 120.0


def leading(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The hypothesis that leads, as it is stored; {} without one."""
    found: Mapping[str, Any] = ((row["diagnosis"] or {}).get("hypotheses") or [{}])[0]
    return found


def release_of(records: Records, row: Mapping[str, Any], serving: Callable[[], str]) -> Release | None:
    """The one that is blamed, else the one that served at the onset. None when neither is known."""
    first = leading(row)
    blamed = first.get("subject") if first.get("cause") in BY_RELEASE else ""
    name = blamed or next((one.release for one in symptoms(row) if one.release), "") or serving()
    found = next((one for one in records.releases.list(100) if one.id == name), None)
    began = onset(symptoms(row), row["opened_at"])
    return None if found is None or found.created_at > began + BEFORE_S else found


def fault_of(reporting: ReportsIn, row: Mapping[str, Any], bad: Release) -> KeptEvent | None:
    """An event of the fault that was reported most since then, of which the calls that led to it are kept."""
    since = onset(symptoms(row), row["opened_at"]) - BEFORE_S
    return _most(reporting, str(row["service"]), lambda one: one.first_seen >= since and _is_told_by(one, bad, True))


def fault_before_users(reporting: ReportsIn, service: str, bad: Release) -> KeptEvent | None:
    """The same of a release that no user met: only what it reports itself, and only what is new with it."""
    since = bad.created_at
    return _most(reporting, service, lambda one: one.first_seen >= since and _is_told_by(one, bad, False))


def _most(reporting: ReportsIn, service: str, fits: Callable[[Group], bool]) -> KeptEvent | None:
    found: list[Group] = []
    for project in reporting.projects():
        if project.service == service or not service:
            groups = reporting.archive.groups(project.id, limit=GROUPS_MAX)[0]
            found += [one for one in groups if fits(one)]
    for group in sorted(found, key=lambda one: (-one.count, one.key)):
        kept = reporting.archive.example(group.key)
        if kept is not None and event_of(kept) is not None:
            return kept
    return None


def _is_told_by(group: Group, bad: Release, nameless: bool) -> bool:
    """Reported by that release; nameless: or by none that is known."""
    tags = [tag for tag in group.releases if tag]
    return (nameless and not tags) or any(calls(tag, bad) for tag in tags)
