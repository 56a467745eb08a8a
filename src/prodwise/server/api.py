"""The JSON API under /api/v1/. The CLI speaks it over the local socket, scripts over HTTP with a session."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from fastapi import FastAPI, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from prodwise import __version__
from prodwise.clock import now
from prodwise.heal import charge
from prodwise.loop.changes.told import release_of
from prodwise.model.autonomy import Autonomy
from prodwise.model.change import Change
from prodwise.model.errors import UsageError
from prodwise.model.record import Entry
from prodwise.server.doors import Door, NotFound, Policy
from prodwise.server.parts import ServerParts
from prodwise.server.reading import Reader
from prodwise.server.views.account import account_of
from prodwise.server.views.changes import ChangeRow, ChangesFacts, changes_view
from prodwise.server.views.facts import stage_of
from prodwise.server.views.incident import incident_view
from prodwise.server.views.now import NowView, now_view
from prodwise.server.views.prompt import prompt_of
from prodwise.server.views.reach import spoken
from prodwise.server.views.releases import releases_view

SCHEMA_VERSION = 1
RELEASES_MAX = 1000
SHOWN_SETTINGS = ("autonomy", "freeze", "self_test", "undo_proven")
DAYS_30 = 30 * 86_400.0

Json = dict[str, Any]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class DeployBody(_Body):
    ref: str = Field("HEAD", min_length=1, max_length=255)


class RollbackBody(_Body):
    release: str = Field("", max_length=100)


class RestartBody(_Body):
    service: str = Field(min_length=1, max_length=31)


class StopBody(_Body):
    reason: str = Field("", max_length=500)


class FreezeBody(_Body):
    until: float | None = Field(None, gt=0, le=4e9)
    reason: str = Field("", max_length=500)


class ApprovalBody(_Body):
    plan_hash: str = Field(max_length=128)
    yes: bool


class NoteBody(_Body):
    note: str = Field(min_length=1, max_length=500)


class StageBody(_Body):
    autonomy: Autonomy


class Api:
    """Reads are plain records; each answer carries `schema_version`."""

    def __init__(self, reader: Reader, app: FastAPI) -> None:
        self._reader, self._app = reader, app

    @property
    def _parts(self) -> ServerParts:
        return self._reader.parts

    def doors(self) -> tuple[Door, ...]:
        session: tuple[tuple[str, str, Callable[..., Any]], ...] = (
            ("GET", "status", self.status),
            ("GET", "events", self.events),
            ("GET", "incidents", self.incidents),
            ("GET", "incidents/{incident_id}", self.incident),
            ("GET", "incidents/{incident_id}/prompt", self.prompt),
            ("GET", "incidents/{incident_id}/report", self.account),
            ("GET", "releases", self.releases),
            ("GET", "rollouts", self.rollouts),
            ("GET", "changes", self.changes),
            ("GET", "approvals", self.approvals),
            ("GET", "target", self.target),
            ("GET", "settings", self.settings),
            ("GET", "openapi.json", self.openapi),
            ("POST", "deploy", self.deploy),
            ("POST", "rollback", self.rollback),
            ("POST", "restart", self.restart),
            ("POST", "incidents/{incident_id}/undo", self.undo),
            ("POST", "incidents/{incident_id}/takeover", self.take_over),
            ("POST", "incidents/{incident_id}/handback", self.hand_back),
            ("POST", "incidents/{incident_id}/wrong", self.call_wrong),
            ("POST", "stop", self.stop),
            ("POST", "start", self.start),
            ("POST", "freeze", self.freeze),
            ("POST", "unfreeze", self.unfreeze),
            ("POST", "approvals/{approval_id}", self.answer),
            ("POST", "stage", self.stage),
        )
        return (
            *(Door(method, f"/api/v1/{path}", Policy.SESSION, endpoint) for method, path, endpoint in session),
            Door("POST", "/api/v1/login-link", Policy.LOCAL, self.login_link),
        )

    def status(self) -> Json:
        view = now_view(self._reader.now(), now())
        return {"schema_version": SCHEMA_VERSION, "version": __version__, **status_json(view)}

    def events(
        self,
        after: int = Query(0, ge=0),
        limit: int = Query(500, ge=1, le=2000),
        incident: str = Query("", max_length=100),
    ) -> Json:
        entries = self._parts.records.ledger.entries(after, limit, incident)
        return {"schema_version": SCHEMA_VERSION, "events": [event(entry) for entry in entries]}

    def incidents(
        self,
        open: bool = False,  # noqa: A002
        limit: int = Query(100, ge=1, le=1000),
        begins: str = Query("", max_length=200),
    ) -> Json:
        found = self._parts.records.incidents.list(open_only=open, limit=limit, begins=begins)
        return {"schema_version": SCHEMA_VERSION, "incidents": [asdict(incident) for incident in found]}

    def incident(self, incident_id: str) -> Json:
        """Everything known of one incident: the record, what its story wrote, evidence, timeline, and the page's view."""
        facts = self._reader.incident(incident_id)
        view = incident_view(facts, now())
        return {
            "schema_version": SCHEMA_VERSION,
            "incident": asdict(facts.case.incident),
            "turn": facts.case.turn,
            "diagnosis": facts.case.diagnosis,
            "decision": facts.case.decision,
            "evidence": [{"id": fact.id, **asdict(fact)} for fact in facts.evidence],
            "timeline": [event(entry) for entry in facts.timeline],
            "effects": [asdict(effect) for effect in facts.effects],
            "approvals": [asdict(approval) for approval in facts.approvals],
            "view": {**asdict(view), "strip": view.strip.summary, "reach": spoken(view.reach)},
        }

    def prompt(self, incident_id: str) -> Json:
        """A prompt for a coding agent, as plain text."""
        made = prompt_of(self._reader.incident(incident_id), self._parts.config.name, now())
        return {"schema_version": SCHEMA_VERSION, "incident": incident_id, "prompt": made}

    def account(self, incident_id: str) -> Json:
        """The incident's report as Markdown, from stored rows alone."""
        made = account_of(self._reader.incident(incident_id), self._parts.config.name)
        return {"schema_version": SCHEMA_VERSION, "incident": incident_id, "markdown": made}

    def releases(self, begins: str = Query("", max_length=200)) -> Json:
        """begins: those whose ids do, instead of the newest."""
        facts = self._reader.releases()
        view = releases_view(facts, now())
        known = self._parts.records.releases.list(RELEASES_MAX, begins) if begins else facts.releases
        stable, beside = self._reader.standing(facts.target)
        return {
            "schema_version": SCHEMA_VERSION,
            "stable": stable,
            "beside": beside,
            "claimed": view.claimed,
            "warning": view.warning,
            "places": [asdict(place) for place in view.places],
            "releases": [asdict(release) for release in known],
            "serving": dict(view.reached),
            "fixes": {row.id: row.fix for row in view.rows if row.fix},
        }

    def rollouts(self, release: str = Query("", max_length=200)) -> Json:
        """release: only this one's, instead of the newest."""
        rollouts = self._parts.records.rollouts
        one = rollouts.load(release) if release else None
        found = ([one] if one is not None else []) if release else rollouts.list(limit=50)
        return {"schema_version": SCHEMA_VERSION, "rollouts": [asdict(rollout) for rollout in found]}

    def changes(
        self,
        since: float | None = Query(None, ge=0),
        limit: int = Query(200, ge=1, le=1000),
        service: str = Query("", max_length=100),
    ) -> Json:
        """All that altered production, newest first: what it brought, how it is taken back, what it did to users."""
        facts = self._reader.changes(now() - DAYS_30 if since is None else since, limit, service)
        rows = changes_view(facts).rows
        return {
            "schema_version": SCHEMA_VERSION,
            "changes": [_change(one, row, facts) for one, row in zip(facts.changes, rows, strict=True)],
            "more": facts.more,
        }

    def approvals(self) -> Json:
        found = self._parts.records.approvals.open()
        return {"schema_version": SCHEMA_VERSION, "approvals": [asdict(asked) for asked in found]}

    def target(self) -> Json:
        """What is seen of the target. Raises TargetError when it cannot be seen."""
        seen = self._parts.observes.observe()
        return {"schema_version": SCHEMA_VERSION, **asdict(seen), "revision": seen.revision}

    def settings(self) -> Json:
        found = {name: self._parts.records.settings.get(name) for name in SHOWN_SETTINGS}
        stage, held = stage_of(self._parts.config, found["autonomy"])
        return {"schema_version": SCHEMA_VERSION, "settings": found, "stage": stage.value, "held": held}

    def openapi(self) -> Json:
        return self._app.openapi()

    def deploy(self, request: Request, body: DeployBody) -> Json:
        return _done(release=self._parts.controls.deploy(body.ref, _who(request)))

    def rollback(self, request: Request, body: RollbackBody) -> Json:
        return _done(release=self._parts.controls.rollback(_who(request), body.release))

    def restart(self, request: Request, body: RestartBody) -> Json:
        known = sorted(service.id for service in self._reader.services)
        if body.service not in known:
            raise NotFound(f"there is no service {body.service!r}", f"known: {', '.join(known)}")
        self._parts.controls.restart(body.service, _who(request))
        return _done(service=body.service)

    def undo(self, request: Request, incident_id: str) -> Json:
        self._reader.find(incident_id)
        return _done(text=self._parts.controls.undo(incident_id, _who(request)))

    def take_over(self, request: Request, incident_id: str) -> Json:
        self._reader.find(incident_id)
        charge.take_over(self._parts.records, incident_id, _who(request))
        return _done(taken_over=charge.taken_over(self._parts.records, incident_id))

    def hand_back(self, request: Request, incident_id: str) -> Json:
        self._reader.find(incident_id)
        charge.hand_back(self._parts.records, incident_id, _who(request))
        return _done(taken_over="")

    def call_wrong(self, request: Request, incident_id: str, body: NoteBody) -> Json:
        self._reader.find(incident_id)
        charge.call_wrong(self._parts.records, incident_id, body.note, _who(request))
        return _done(taken_over=charge.taken_over(self._parts.records, incident_id))

    def stop(self, request: Request, body: StopBody) -> Json:
        self._parts.brakes.stop(_who(request), body.reason)
        return _done(stopped=True)

    def start(self, request: Request) -> Json:
        self._parts.brakes.start(_who(request))
        return _done(stopped=False)

    def freeze(self, request: Request, body: FreezeBody) -> Json:
        if body.until is not None and body.until <= now():
            raise UsageError("the freeze would end in the past", "give Unix seconds in the future, or none at all")
        self._parts.brakes.freeze(_who(request), body.until, body.reason)
        return _done(frozen=True, until=body.until)

    def unfreeze(self, request: Request) -> Json:
        self._parts.brakes.unfreeze(_who(request))
        return _done(frozen=False)

    def answer(self, request: Request, approval_id: str, body: ApprovalBody) -> Json:
        decided = charge.answer(self._parts.records, approval_id, body.plan_hash, _who(request), yes=body.yes)
        return _done(approval=asdict(decided))

    def stage(self, request: Request, body: StageBody) -> Json:
        """A person's word on how much Prodwise may do. The repository's file can still hold it lower; the answer says so."""
        self._parts.records.settings.put("autonomy", body.autonomy.value, _who(request))
        stage, held = stage_of(self._parts.config, body.autonomy.value)
        return _done(stage=stage.value, held=held)

    def login_link(self) -> Json:
        return _done(url=f"{self._parts.dashboard_url}/login/{self._parts.records.logins.link()}")


def status_json(view: NowView) -> Json:
    """The Now page as data: state, sentence, services, open stories, what is needed, and the footer."""
    broken, doing, foot = view.broken, view.doing, view.foot
    return {
        "app": view.app,
        "address": view.address,
        "at": view.at,
        "state": broken.level.value,
        "sentence": broken.sentence,
        "details": broken.details,
        "since": broken.since,
        "users_hit": broken.users,
        "requests_failed": broken.failed,
        "harm": broken.harm if broken.since else (),
        "lately": asdict(broken.lately) if broken.lately else None,
        "unmet": asdict(broken.unmet) if broken.unmet else None,
        "services": [{**asdict(line), "level": line.level.value} for line in broken.services],
        "doing": doing.headline,
        "stories": [asdict(story) for story in doing.stories],
        "shipping": asdict(doing.shipping) if doing.shipping else None,
        "needs": [asdict(card) for card in view.needs],
        "at_rest": broken.at_rest,
        "certificates": [asdict(line) for line in view.certificates],
        "stage": foot.stage,
        "held": foot.held,
        "stop": asdict(doing.stop),
        "freeze": asdict(foot.freeze),
        "self_test": foot.self_test,
        "report": {name: value for name, value in asdict(foot.report).items() if name != "seconds"},
    }


def _change(change: Change, row: ChangeRow, facts: ChangesFacts) -> Json:
    delta, done = facts.deltas.get(release_of(change)), facts.measured.get(change.id)
    return {
        **asdict(change),
        "inverse": row.undo.text,
        "undo": asdict(row.undo),
        "brought": delta.to_json() if delta is not None else None,
        "measured": done.to_json() if done is not None else None,
        "view": asdict(row),
    }


def event(entry: Entry) -> Json:
    """A ledger entry for readers outside. An effect becomes an `action`."""
    kind, data = entry.kind, dict(entry.data)
    if entry.kind == "effect":
        kind = "action"
        data = {name: data.get(name) for name in ("kind", "target", "state", "key")} | {"actor": entry.actor}
    return {
        "seq": entry.seq,
        "at": entry.at,
        "kind": kind,
        "actor": entry.actor,
        "service": entry.service,
        "incident": entry.incident,
        "text": entry.text,
        "data": data,
    }


def _who(request: Request) -> str:
    return str(request.state.visitor.who)


def _done(**values: Any) -> Json:
    done: Mapping[str, Any] = {"schema_version": SCHEMA_VERSION, "ok": True}
    return {**done, **values}
