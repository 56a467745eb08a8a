"""The ASGI app: API, pages and live updates on one address and one local socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from prodwise import __version__
from prodwise.server import errors
from prodwise.server.acts import Acts
from prodwise.server.api import Api
from prodwise.server.doors import hang, policies
from prodwise.server.health import Health
from prodwise.server.pages import Shown
from prodwise.server.parts import ServerParts
from prodwise.server.reading import Reader
from prodwise.server.render import Pages
from prodwise.server.reports import ReportsApi
from prodwise.server.shield import Shield
from prodwise.server.telemetry import TelemetryApi
from prodwise.server.ways_in import WaysIn

BODY_MAX = 64 * 1024

__all__ = ["ServerParts", "create_app"]


def create_app(parts: ServerParts) -> FastAPI:
    """Raises RuntimeError, here and again when it is started, if any route has no policy."""
    app = FastAPI(
        title="Prodwise",
        version=__version__,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        lifespan=_checked,
        max_body_size=BODY_MAX,
        redirect_slashes=False,
    )
    reader, pages = Reader(parts), Pages(parts.config.name)
    reports, ways = ReportsApi(reader), WaysIn(parts)
    shown = Shown(reader, pages, reports, ways)
    health = Health(reader, shown.live)
    app.state.parts, app.state.live, app.state.keeper = parts, shown.live, ways.keeper
    for group in (shown, Acts(reader, pages), Api(reader, app), reports, TelemetryApi(reader), health, ways):
        hang(app, group.doors())
    errors.install(app, pages)
    app.add_middleware(Shield, dashboard=parts.dashboard_url)
    policies(app.routes)
    return app


@asynccontextmanager
async def _checked(app: FastAPI) -> AsyncIterator[None]:
    policies(app.routes)
    yield
    app.state.live.close()
