"""Buttons: login, confirmation pages (GET shows) and the forms that act (POST), then a redirect back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Form, Request
from starlette.responses import HTMLResponse, RedirectResponse

from prodwise.heal import charge
from prodwise.model.errors import UsageError
from prodwise.server.doors import COOKIE, Door, NotFound, Policy
from prodwise.server.parts import ServerParts
from prodwise.server.reading import Reader
from prodwise.server.render import Pages
from prodwise.server.views.incident import TAKEN_MEANS
from prodwise.server.views.releases import caveats

SESSION_S = 14 * 24 * 3600

Text = Annotated[str, Form(max_length=500)]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a confirmation page says: the question, honest caveats, the button, and where it posts to."""

    question: str
    caveats: tuple[str, ...]
    button: str
    action: str
    back: str
    fields: tuple[tuple[str, str], ...] = ()
    danger: bool = False
    note: str = ""  # what a person is asked to write, if anything


class Acts:
    """Everything a person can press."""

    def __init__(self, reader: Reader, pages: Pages) -> None:
        self._reader, self._pages = reader, pages

    @property
    def _parts(self) -> ServerParts:
        return self._reader.parts

    def doors(self) -> tuple[Door, ...]:
        posts: tuple[tuple[str, Callable[..., Any]], ...] = (
            ("/logout", self.logout),
            ("/act/stop", self.stop),
            ("/act/start", self.start),
            ("/act/unfreeze", self.unfreeze),
            ("/act/rollback", self.rollback),
            ("/act/restart/{service}", self.restart),
            ("/act/undo/{incident_id}", self.undo),
            ("/act/takeover/{incident_id}", self.take_over),
            ("/act/handback/{incident_id}", self.hand_back),
            ("/act/wrong/{incident_id}", self.call_wrong),
            ("/act/approval/{approval_id}", self.answer),
        )
        return (
            Door("GET", "/login/{secret}", Policy.PUBLIC, self.login_page),
            Door("POST", "/login/{secret}", Policy.PUBLIC, self.login),
            Door("GET", "/confirm/{what}", Policy.SESSION, self.confirm),
            Door("GET", "/confirm/{what}/{subject}", Policy.SESSION, self.confirm),
            *(Door("POST", path, Policy.SESSION, endpoint) for path, endpoint in posts),
        )

    def login_page(self, secret: str) -> HTMLResponse:
        """Shows a button: mail scanners and link previews follow links, and must not use it up."""
        return self._pages.page("login.html", secret=secret)

    def login(self, request: Request, secret: str) -> RedirectResponse:
        entered = self._parts.records.logins.enter(secret)
        if entered is None:
            raise UsageError("this login link was used already or is too old", "run `prodwise login` for a new one")
        answer = RedirectResponse("/", 303)
        answer.set_cookie(
            COOKIE,
            entered[0],
            max_age=SESSION_S,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return answer

    def logout(self, request: Request) -> RedirectResponse:
        self._parts.records.logins.leave(request.cookies.get(COOKIE, ""))
        answer = RedirectResponse("/", 303)
        answer.delete_cookie(COOKIE)
        return answer

    def confirm(self, request: Request, what: str, subject: str = "", release: str = "") -> HTMLResponse:
        """The page before a moderate action: what will happen, what it does not take back, and one button."""
        makers: dict[str, Callable[[str, str], Asked]] = {
            "rollback": self._ask_rollback,
            "restart": self._ask_restart,
            "undo": self._ask_undo,
            "takeover": self._ask_take_over,
            "handback": self._ask_hand_back,
            "wrong": self._ask_wrong,
            "start": _ask_start,
            "unfreeze": _ask_unfreeze,
        }
        if what not in makers:
            raise NotFound
        asked = makers[what](subject, release)
        return self._pages.page("confirm.html", csrf=request.state.visitor.csrf, asked=asked, here="", topic="")

    def _ask_rollback(self, _subject: str, release: str) -> Asked:
        if release and all(one.id != release for one in self._parts.records.releases.list(1, release)):
            raise NotFound("there is no such release")
        goal, unsafe = self._reader.way_back(release)
        fields = (("release", release),)
        lines = caveats(bool(self._parts.config.release))
        button = "Roll back all the same" if unsafe else "Roll back"
        return Asked(
            f"Send all traffic back to release {goal}?",
            (*unsafe, *lines),
            button,
            "/act/rollback",
            "/releases",
            fields,
            True,
        )

    def _ask_restart(self, service: str, _release: str) -> Asked:
        self._known(service)
        lines = ("Requests that cannot be repeated may be lost while it starts.", "Nothing else changes.")
        return Asked(
            f"Restart {service} now?", lines, f"Restart {service}", f"/act/restart/{service}", "/", danger=True
        )

    def _ask_undo(self, incident_id: str, _release: str) -> Asked:
        self._reader.find(incident_id)
        lines = ("The state before the last action is put back, once.", "Prodwise does not undo an undo.")
        back = f"/incidents/{incident_id}"
        return Asked("Undo what was done last?", lines, "Undo", f"/act/undo/{incident_id}", back, danger=True)

    def _ask_take_over(self, incident_id: str, _release: str) -> Asked:
        self._reader.find(incident_id)
        back = f"/incidents/{incident_id}"
        return Asked("Take this incident over?", TAKEN_MEANS, "Take over", f"/act/takeover/{incident_id}", back)

    def _ask_hand_back(self, incident_id: str, _release: str) -> Asked:
        self._reader.find(incident_id)
        lines = ("Prodwise looks afresh, and goes on as far as its stage allows.",)
        back = f"/incidents/{incident_id}"
        return Asked("Hand it back to Prodwise?", lines, "Hand it back", f"/act/handback/{incident_id}", back)

    def _ask_wrong(self, incident_id: str, _release: str) -> Asked:
        case = self._reader.find(incident_id)
        lines = ["Your note is kept with the incident and in the ledger."]
        if case.incident.closed_at is None:
            lines += [
                "You take the incident over with it: nothing more is done about it until it is handed back.",
                "Handed back, Prodwise does not act on this diagnosis again; another one may still lead it to a step.",
            ]
        asked = f"/act/wrong/{incident_id}", f"/incidents/{incident_id}"
        note = "What speaks against it, or what is it instead?"
        return Asked("Is the diagnosis wrong?", tuple(lines), "Yes, it is wrong", *asked, note=note)

    def _known(self, service: str) -> None:
        if service not in {known.id for known in self._reader.services}:
            raise NotFound("there is no such service")

    def stop(self, request: Request, reason: Text = "") -> RedirectResponse:
        self._parts.brakes.stop(request.state.visitor.who, reason or "pressed Stop")
        return _back("/")

    def start(self, request: Request) -> RedirectResponse:
        self._parts.brakes.start(request.state.visitor.who)
        return _back("/")

    def unfreeze(self, request: Request) -> RedirectResponse:
        self._parts.brakes.unfreeze(request.state.visitor.who)
        return _back("/")

    def rollback(self, request: Request, release: Text = "") -> RedirectResponse:
        self._parts.controls.rollback(request.state.visitor.who, release)
        return _back("/releases")

    def restart(self, request: Request, service: str) -> RedirectResponse:
        self._known(service)
        self._parts.controls.restart(service, request.state.visitor.who)
        return _back("/")

    def undo(self, request: Request, incident_id: str) -> RedirectResponse:
        self._reader.find(incident_id)
        self._parts.controls.undo(incident_id, request.state.visitor.who)
        return _back(f"/incidents/{incident_id}")

    def take_over(self, request: Request, incident_id: str) -> RedirectResponse:
        self._reader.find(incident_id)
        charge.take_over(self._parts.records, incident_id, request.state.visitor.who)
        return _back(f"/incidents/{incident_id}")

    def hand_back(self, request: Request, incident_id: str) -> RedirectResponse:
        self._reader.find(incident_id)
        charge.hand_back(self._parts.records, incident_id, request.state.visitor.who)
        return _back(f"/incidents/{incident_id}")

    def call_wrong(self, request: Request, incident_id: str, note: Text = "") -> RedirectResponse:
        self._reader.find(incident_id)
        charge.call_wrong(self._parts.records, incident_id, note, request.state.visitor.who)
        return _back(f"/incidents/{incident_id}")

    def answer(self, request: Request, approval_id: str, plan_hash: Text, answer: Text) -> RedirectResponse:
        """yes or no to a question. Raises Refused when it is closed or the plan changed."""
        if answer not in ("yes", "no"):
            raise UsageError("the answer is yes or no")
        charge.answer(self._parts.records, approval_id, plan_hash, request.state.visitor.who, yes=answer == "yes")
        return _back("/")


def _ask_start(_subject: str, _release: str) -> Asked:
    lines = ("Prodwise may act by itself again, as far as its stage allows.",)
    return Asked("Let Prodwise act again?", lines, "Start", "/act/start", "/")


def _ask_unfreeze(_subject: str, _release: str) -> Asked:
    lines = ("Deploys and automatic changes are possible again.",)
    return Asked("End the freeze?", lines, "End the freeze", "/act/unfreeze", "/")


def _back(path: str) -> RedirectResponse:
    """See Other: a reload shows the page, and does not press the button again."""
    return RedirectResponse(path, 303)
