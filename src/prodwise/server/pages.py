"""Pages that show. None of them acts: whatever changes something is a POST in `acts`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import Request
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response, StreamingResponse

from prodwise.clock import now
from prodwise.server.doors import COOKIE, Door, NotFound, Policy, Visitor
from prodwise.server.live import Live
from prodwise.server.reading import Reader
from prodwise.server.render import MARK, STATIC, Pages
from prodwise.server.reports import ReportsApi
from prodwise.server.views import changes
from prodwise.server.views.account import account_of
from prodwise.server.views.incident import filtered, incident_view, outcome_words
from prodwise.server.views.needs import approval_card
from prodwise.server.views.now import now_view
from prodwise.server.views.prompt import prompt_of
from prodwise.server.views.releases import releases_view
from prodwise.server.views.report import WINDOW_S, onset
from prodwise.server.views.signals import signals_view
from prodwise.server.views.story import title_of
from prodwise.server.ways_in import WaysIn

FRAGMENTS = {
    "now": ("broken", "doing", "needs", "foot"),
    "releases": ("ramp", "places", "rows"),
    "incident": ("story", "decision", "timeline"),
}
FAULTS_SHOWN = 30
INCIDENTS_SHOWN = 100
CHANGES_SHOWN = 100
GROUPS = ("people", "prodwise", "signals", "changes")


class Shown:
    """GET routes and the fragments of the live ones."""

    def __init__(self, reader: Reader, pages: Pages, reports: ReportsApi, ways: WaysIn) -> None:
        self._reader, self._pages, self._reports, self._ways = reader, pages, reports, ways
        self.live = Live(self.fragments)

    def doors(self) -> tuple[Door, ...]:
        session: tuple[tuple[str, Callable[..., Any]], ...] = (
            ("/", self.now),
            ("/incidents", self.incidents),
            ("/incidents/{incident_id}", self.incident),
            ("/incidents/{incident_id}/prompt", self.prompt),
            ("/incidents/{incident_id}/report.md", self.account),
            ("/releases", self.releases),
            ("/changes", self.changes),
            ("/signals", self.signals),
            ("/approve/{approval_id}", self.approve),
            ("/live", self.stream),
        )
        return (
            *(Door("GET", path, Policy.SESSION, endpoint) for path, endpoint in session),
            Door("GET", "/static/{name}", Policy.PUBLIC, self.static),
        )

    def now(self, request: Request) -> HTMLResponse:
        view = now_view(self._reader.now(), now())
        return self._pages.page("now.html", csrf=_csrf(request), view=view, here="now", topic="now")

    def incidents(self, request: Request) -> HTMLResponse:
        rows = [
            (
                i.id,
                title_of(i),
                i.service,
                onset(i),
                i.closed_at,
                outcome_words(i),
                i.outcome.value if i.outcome else "",
            )
            for i in self._reader.parts.records.incidents.list(limit=INCIDENTS_SHOWN + 1)
        ]
        shown, more = rows[:INCIDENTS_SHOWN], len(rows) > INCIDENTS_SHOWN
        report = self._reader.report()
        return self._pages.page(
            "incidents.html", csrf=_csrf(request), rows=shown, more=more, report=report, here="incidents", topic=""
        )

    def incident(self, request: Request, incident_id: str, show: str = "") -> HTMLResponse:
        view = incident_view(self._reader.incident(incident_id), now())
        group = show if show in GROUPS else ""
        return self._pages.page(
            "incident.html",
            csrf=_csrf(request),
            view=view,
            moments=filtered(view.timeline, group),
            group=group,
            groups=GROUPS,
            here="incidents",
            topic=f"incident/{view.id}" if view.ended is None and not group else "",
        )

    def prompt(self, request: Request, incident_id: str) -> HTMLResponse:
        made = prompt_of(self._reader.incident(incident_id), self._reader.parts.config.name, now())
        return self._pages.page(
            "prompt.html",
            csrf=_csrf(request),
            prompt=Markup.escape(made),  # bounded and made visible already, and longer than other texts may be
            incident=incident_id,
            here="incidents",
            topic="",
        )

    def account(self, incident_id: str) -> Response:
        """The incident's report, to be saved: never shown as a page, whatever it holds."""
        facts = self._reader.incident(incident_id)
        name = re.sub(r"[^A-Za-z0-9-]", "-", facts.case.incident.id)[:100]
        headers = {"content-disposition": f'attachment; filename="{name}.md"', "cache-control": "no-store"}
        made = account_of(facts, self._reader.parts.config.name)
        return Response(made, media_type="text/markdown", headers=headers)

    def releases(self, request: Request) -> HTMLResponse:
        view = releases_view(self._reader.releases(), now())
        return self._pages.page("releases.html", csrf=_csrf(request), view=view, here="releases", topic="releases")

    def changes(self, request: Request, show: str = "") -> HTMLResponse:
        group = show if show in changes.GROUPS else ""
        view = changes.changes_view(self._reader.changes(now() - WINDOW_S, CHANGES_SHOWN), group)
        return self._pages.page(
            "changes.html", csrf=_csrf(request), view=view, group=group, groups=changes.GROUPS, here="changes", topic=""
        )

    def signals(self, request: Request) -> HTMLResponse:
        view = signals_view(self._reports.projects(), self._reports.newest(FAULTS_SHOWN), self._ways.listed())
        return self._pages.page("signals.html", csrf=_csrf(request), view=view, here="signals", topic="")

    def approve(self, request: Request, approval_id: str) -> HTMLResponse:
        asked = next((a for a in self._reader.parts.records.approvals.open() if a.id == approval_id), None)
        if asked is None:
            raise NotFound("this question is closed", "it was answered, it ran out, or the plan changed; see Now")
        facts = self._reader.incident(asked.incident)
        view = incident_view(facts, now())
        card = approval_card(asked, view.title, facts.case)
        return self._pages.page("approve.html", csrf=_csrf(request), card=card, view=view, here="", topic="")

    def static(self, name: str) -> Response:
        if name not in STATIC:
            raise NotFound
        headers = {"cache-control": "public, max-age=31536000, immutable"}
        return Response(self._pages.static[name], media_type=STATIC[name], headers=headers)

    async def stream(self, request: Request, page: str) -> StreamingResponse:
        """Live updates of one page: `now`, `releases` or `incident/ID`."""
        kind, _, subject = page.partition("/")
        if kind not in FRAGMENTS or bool(subject) != (kind == "incident") or len(subject) > 100:
            raise NotFound
        self.live.check_room()
        secret, logins = request.cookies.get(COOKIE, ""), self._reader.parts.records.logins
        local = _visitor(request).local
        stream = self.live.listen(page, _csrf(request), lambda: local or logins.csrf(secret) is not None)
        return StreamingResponse(stream, media_type="text/event-stream", headers={"cache-control": "no-store"})

    def fragments(self, topic: str) -> Mapping[str, str]:
        """Fragment id → HTML for one live page. Raises NotFound for an incident that is none."""
        kind, _, subject = topic.partition("/")
        values: dict[str, Any] = {"csrf": MARK}
        if kind == "now":
            values["view"] = now_view(self._reader.now(), now())
        elif kind == "releases":
            values["view"] = releases_view(self._reader.releases(), now())
        else:
            view = incident_view(self._reader.incident(subject), now())
            values |= {"view": view, "moments": view.timeline}
        return {name: self._pages.html(f"{kind}/{name}.html", **values) for name in FRAGMENTS[kind]}


def _visitor(request: Request) -> Visitor:
    visitor: Visitor = request.state.visitor
    return visitor


def _csrf(request: Request) -> str:
    return _visitor(request).csrf
