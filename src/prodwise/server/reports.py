"""The API's part about what programs report: projects, groups of errors, single events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import Path, Query, Request

from prodwise.clock import now
from prodwise.loop.group import RESOLVED, Resolution, resolve, state_of
from prodwise.model.digest import Group
from prodwise.model.project import Project
from prodwise.server.doors import Door, NotFound, Policy, Visitor
from prodwise.server.parts import Reporting
from prodwise.server.reading import Reader

SCHEMA_VERSION = 1
DAY_S = 86_400.0

Json = dict[str, Any]
GroupKey = Annotated[str, Path(pattern="^[0-9a-f]{16,32}$")]
EventId = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]


class ReportsApi:
    """Without receivers every list is empty and nothing is found."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    @property
    def _reporting(self) -> Reporting | None:
        return self._reader.parts.reporting

    def doors(self) -> tuple[Door, ...]:
        ways: tuple[tuple[str, str, Callable[..., Any]], ...] = (
            ("GET", "projects", self.projects),
            ("GET", "groups", self.groups),
            ("GET", "groups/{key}", self.group),
            ("POST", "groups/{key}/resolve", self.resolve),
            ("POST", "groups/{key}/reopen", self.reopen),
            ("GET", "events/{event_id}", self.event),
        )
        return tuple(Door(method, f"/api/v1/{path}", Policy.SESSION, endpoint) for method, path, endpoint in ways)

    def projects(self) -> Json:
        """Who may report, with which DSN, and what came in: also what was refused, cleaned or left out, and how often."""
        reporting = self._reporting
        return {
            "schema_version": SCHEMA_VERSION,
            "address": reporting.address if reporting else "",
            "listening": reporting is not None and reporting.listening(),
            "projects": [self._project(reporting, one) for one in reporting.projects()] if reporting else [],
        }

    def groups(
        self,
        project: int | None = Query(None, ge=1, le=1_000_000),
        after: str = Query("", max_length=100),
        limit: int = Query(50, ge=1, le=200),
    ) -> Json:
        """Errors by fault, those seen last first; `next` begins the next page, "" at the end."""
        found, following = (
            self._archive().archive.groups(project, after=after, limit=limit) if self._reporting else ([], "")
        )
        return {"schema_version": SCHEMA_VERSION, "groups": [self._told(one) for one in found], "next": following}

    def newest(self, limit: int) -> list[Json]:
        """Groups, those seen last first."""
        found = self._reporting.archive.groups(None, after="", limit=limit)[0] if self._reporting else ()
        return [self._told(one) for one in found]

    def group(self, key: GroupKey) -> Json:
        """One fault: the last day by minute, release and route, and its newest events."""
        found, archive = self._group(key), self._archive().archive
        return {
            "schema_version": SCHEMA_VERSION,
            "group": self._told(found),
            "tallies": [asdict(one) for one in archive.tallies(key, now() - DAY_S)],
            "events": [asdict(one) for one in archive.events(key)],
        }

    def event(self, event_id: EventId) -> Json:
        """Exactly what is kept of one event: private values are out, `detail` is null where only counts are kept."""
        found = self._archive().archive.event(event_id)
        if found is None:
            raise NotFound(f"there is no event {event_id!r}")
        return {"schema_version": SCHEMA_VERSION, "event": asdict(found)}

    def resolve(self, request: Request, key: GroupKey) -> Json:
        """A person's word that the fault is gone: it has regressed once a release has it that is not known to."""
        group, visitor = self._group(key), _visitor(request)
        made = resolve(group, now(), visitor.who)
        self._reader.parts.records.settings.put(RESOLVED + key, asdict(made), visitor.who)
        return {"schema_version": SCHEMA_VERSION, "group": self._told(group)}

    def reopen(self, request: Request, key: GroupKey) -> Json:
        group = self._group(key)
        self._reader.parts.records.settings.put(RESOLVED + key, None, _visitor(request).who)
        return {"schema_version": SCHEMA_VERSION, "group": self._told(group)}

    def _archive(self) -> Reporting:
        """Raises NotFound where no program can report."""
        if self._reporting is None:
            raise NotFound
        return self._reporting

    def _group(self, key: str) -> Group:
        found = self._archive().archive.group(key)
        if found is None:
            raise NotFound(f"there is no group {key!r}", "`prodwise signals` lists them")
        return found

    def _told(self, group: Group) -> Json:
        return {**asdict(group), "state": self._state(group)}

    def _state(self, group: Group) -> str:
        told = self._reader.parts.records.settings.get(RESOLVED + group.key)
        if not told:
            return state_of(group, None, now()).value
        resolution = Resolution(told["at"], told["who"], tuple(told["releases"]))
        since = [one.release for one in self._archive().archive.tallies(group.key, resolution.at)]
        return state_of(group, resolution, now(), since).value

    @staticmethod
    def _project(reporting: Reporting, project: Project) -> Json:
        intake = asdict(reporting.archive.received(project.id))
        counts = {reason.value: count for reason, count in intake.pop("counts").items()}
        return {
            "id": project.id,
            "name": project.name,
            "service": project.service,
            "dsn": project.dsn(reporting.address),
            "forwarded": bool(project.forward),
            **{name: value for name, value in intake.items() if name != "project"},
            "counts": counts,
        }


def _visitor(request: Request) -> Visitor:
    visitor: Visitor = request.state.visitor
    return visitor
