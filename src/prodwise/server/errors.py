"""Errors as people and programs see them: what happened and what to do next, never a stack trace."""

from __future__ import annotations

import errno
import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from prodwise.model.errors import (
    ConfigError,
    GateFailed,
    NotRunning,
    NotSigned,
    ProdwiseError,
    Refused,
    StoreError,
    TargetError,
    UsageError,
)
from prodwise.server.doors import Forbidden, LoginNeeded, NotFound, TooMany, TooSlow, WrongType
from prodwise.server.render import Pages

FOR_PROGRAMS = ("/api/", "/hooks/", "/ping/")

log = logging.getLogger("prodwise.server")

STATUS_OF: tuple[tuple[type[ProdwiseError], int], ...] = (
    (LoginNeeded, 401),
    (Forbidden, 403),
    (NotFound, 404),
    (NotSigned, 401),
    (TooMany, 429),
    (WrongType, 415),
    (TooSlow, 408),
    (Refused, 409),
    (GateFailed, 409),
    (UsageError, 422),
    (ConfigError, 422),
    (TargetError, 502),
    (NotRunning, 503),
    (StoreError, 503),
    (ProdwiseError, 500),
)
"""The first that fits."""


DISK_FULL = (
    "the disk is full: what cannot be written down is not done",
    "disk_full",
    "make room; the app runs on, and `prodwise stop`, `rollback` and `down` work all the same",
)


def _disk_is_full(error: Exception) -> bool:
    """The database says it in words of its own."""
    return (isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)) or "disk is full" in str(error)


def _takes(error: HTTPException) -> str:
    """What it takes instead. A button posts to it: whoever reloads or copies its address asks for it with GET."""
    return f"it takes {(error.headers or {}).get('allow', 'POST')}"


def status_of(error: ProdwiseError) -> int:
    return next(status for kind, status in STATUS_OF if isinstance(error, kind))


def install(app: FastAPI, pages: Pages) -> None:
    """Every error becomes {"error","code","hint"} where programs ask, a page elsewhere."""

    def answer(request: Request, status: int, error: str, code: str, hint: str) -> Response:
        if request.url.path.startswith(FOR_PROGRAMS):
            return JSONResponse({"error": error, "code": code, "hint": hint}, status)
        return pages.error(status, error, code, hint)

    async def ours(request: Request, error: Exception) -> Response:
        assert isinstance(error, ProdwiseError)
        answered = answer(request, status_of(error), error.message, error.code, error.hint)
        if isinstance(error, TooMany):
            answered.headers["retry-after"] = str(error.retry_s)
        return answered

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == 404:
            return await ours(request, NotFound())
        if error.status_code == 405:
            return answer(request, 405, f"this address does not take {request.method}", "wrong_method", _takes(error))
        return answer(request, error.status_code, str(error.detail), "http", "")

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"] if part != "body")
        return answer(request, 422, f"{where}: {first['msg']}".lstrip(": "), "usage", "see /api/v1/openapi.json")

    async def unforeseen(request: Request, error: Exception) -> Response:
        if _disk_is_full(error):
            return answer(request, 507, *DISK_FULL)
        log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return answer(request, 500, "Prodwise could not answer", "internal", "the log has the details")

    app.add_exception_handler(ProdwiseError, ours)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(Exception, unforeseen)
