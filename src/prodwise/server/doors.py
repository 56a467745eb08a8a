"""Who may come in by which route. The policy is the route's class: a route of any other class is refused at start."""

from __future__ import annotations

import getpass
import hmac
import math
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Protocol
from urllib.parse import urlsplit

from fastapi import FastAPI, Request
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import Scope

from prodwise.model.errors import ProdwiseError, UsageError
from prodwise.server.parts import ServerParts

COOKIE = "prodwise_session"
CSRF_HEADER = "x-csrf-token"
CSRF_FIELD = "csrf"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Policy(StrEnum):
    PUBLIC = "public"  # anyone who reaches the socket
    SESSION = "session"  # a logged-in browser, or the local socket
    LOCAL = "local"  # only the local socket: whoever may open its file
    KEYED = "keyed"  # a machine that proves itself: a signature, a token, or the unguessable id in its path


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks. csrf is empty on the local socket, which no browser can be made to call."""

    who: str
    local: bool
    csrf: str = ""


@dataclass(frozen=True, slots=True)
class Door:
    """One route with its policy."""

    method: str
    path: str
    policy: Policy
    endpoint: Callable[..., Any]
    body_max: int | None = None  # bytes; None = as everywhere


class LoginNeeded(ProdwiseError):
    """Nobody is logged in."""

    code, exit_code = "login_needed", 4

    def __init__(self) -> None:
        super().__init__("log in first", "run `prodwise login` on the machine for a one-time link")


class Forbidden(ProdwiseError):
    """The request did not come from one of our own pages."""

    code, exit_code = "forbidden", 6

    def __init__(self) -> None:
        super().__init__("this request did not come from a Prodwise page", "reload the page and try again")


class NotFound(UsageError):
    """Missing and forbidden things look the same."""

    code = "not_found"

    def __init__(self, message: str = "there is nothing here", hint: str = "") -> None:
        super().__init__(message, hint)


class WrongType(UsageError):
    """The body is not what this way in takes."""

    code = "wrong_type"


class TooSlow(UsageError):
    """The body did not come in time."""

    code = "too_slow"


class TooMany(ProdwiseError):
    """More than may come in so short a time."""

    code = "too_many"

    def __init__(self, retry_s: float) -> None:
        super().__init__("too many at once", f"try again in {math.ceil(retry_s)} s")
        self.retry_s = math.ceil(retry_s)


def is_local(scope: Scope) -> bool:
    """Whether the connection came in by the unix socket: the server's own address has no port. Headers play no part."""
    server = scope.get("server")
    return server is not None and server[1] is None


class GuardedRoute(APIRoute):
    """Lets nobody in before its policy was met; the check runs before the body is read."""

    policy: ClassVar[Policy]

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        inner = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            request.state.visitor = await self.admit(request)
            return await inner(request)

        return guarded

    async def admit(self, request: Request) -> Visitor:
        """Raises LoginNeeded, Forbidden or NotFound."""
        if is_local(request.scope):
            return Visitor(who=_local_person(), local=True)
        if request.method not in SAFE_METHODS:
            _same_origin(request)
        if self.policy is Policy.LOCAL:
            raise NotFound
        if self.policy is Policy.PUBLIC:
            return Visitor(who="", local=False)
        return await self._session(request)

    async def _session(self, request: Request) -> Visitor:
        parts: ServerParts = request.app.state.parts
        secret = request.cookies.get(COOKIE, "")
        csrf = await run_in_threadpool(parts.records.logins.csrf, secret) if 20 <= len(secret) <= 200 else None
        if not csrf:
            raise LoginNeeded
        if request.method not in SAFE_METHODS and not hmac.compare_digest(
            (await _csrf_given(request)).encode(), csrf.encode()
        ):
            raise Forbidden
        return Visitor(who=f"{_user()} (dashboard)", local=False, csrf=csrf)


class PublicRoute(GuardedRoute):
    policy = Policy.PUBLIC


class SessionRoute(GuardedRoute):
    policy = Policy.SESSION


class LocalRoute(GuardedRoute):
    policy = Policy.LOCAL


class Keeper(Protocol):
    """Knows the machines' keys."""

    async def admit(self, request: Request) -> Visitor:
        """Raises NotFound, NotSigned, TooMany or UsageError; the request's body has been read when it returns."""


class KeyedRoute(GuardedRoute):
    """Machines have no session and no origin; the local socket opens nothing here either."""

    policy = Policy.KEYED

    async def admit(self, request: Request) -> Visitor:
        keeper: Keeper = request.app.state.keeper
        return await keeper.admit(request)


ROUTE_OF: dict[Policy, type[GuardedRoute]] = {
    Policy.PUBLIC: PublicRoute,
    Policy.SESSION: SessionRoute,
    Policy.LOCAL: LocalRoute,
    Policy.KEYED: KeyedRoute,
}


def hang(app: FastAPI, doors: Iterable[Door]) -> None:
    """Adds each door as a route of its policy's class."""
    for door in doors:
        app.router.add_api_route(
            door.path,
            door.endpoint,
            methods=[door.method],
            route_class_override=ROUTE_OF[door.policy],
            max_body_size=door.body_max,
            response_model=None,
            include_in_schema=door.path.startswith("/api/"),
            operation_id=f"{door.method.lower()}{door.path}",
        )


def policies(routes: Iterable[BaseRoute]) -> dict[str, Policy]:
    """ "METHOD path" → policy. Raises RuntimeError naming the first route that has none."""
    found: dict[str, Policy] = {}
    for route in routes:
        if not isinstance(route, GuardedRoute) or not isinstance(getattr(route, "policy", None), Policy):
            raise RuntimeError(f"route {getattr(route, 'path', route)!r} has no policy: say who may come in by it")
        for method in sorted(route.methods or ()):
            found[f"{method} {route.path}"] = route.policy
    return found


async def _csrf_given(request: Request) -> str:
    header = request.headers.get(CSRF_HEADER)
    if header is not None:
        return header
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        return ""
    return str((await request.form(max_fields=20)).get(CSRF_FIELD, ""))


def _same_origin(request: Request) -> None:
    """Raises Forbidden when the browser says that another site's page sent this."""
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host", ""):
        raise Forbidden
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Forbidden


def _local_person() -> str:
    return f"{_user()} (terminal)"


def _user() -> str:
    """The socket's file belongs to the user we run as, so that is who can open it."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "someone"
