"""What every answer and every request over TCP goes through: Host check and security headers."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from prodwise.server.doors import is_local

HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}

MACHINES = ("/hooks/", "/ping/")
"""They come by whatever name their network has for us, and bring a key that no page in a browser has."""


class Shield:
    """Pure ASGI, so that streams pass through untouched."""

    def __init__(self, app: ASGIApp, dashboard: str) -> None:
        self.app = app
        self.own_host = _hostname(urlsplit(dashboard).netloc)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if not is_local(scope) and not scope["path"].startswith(MACHINES) and not self.knows(_host(scope)):
            refusal = PlainTextResponse(
                "Prodwise does not answer under this name; see `dashboard` in prodwise.toml", 421
            )
            await refusal(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        await self.app(scope, receive, with_headers)

    def knows(self, host: str) -> bool:
        """Addresses and localhost cannot be rebound by someone's DNS; any other name must be the configured one."""
        name = _hostname(host)
        if name == "localhost" or name.endswith(".localhost") or (name and name == self.own_host):
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


def _host(scope: Scope) -> str:
    hosts = [value for key, value in scope["headers"] if key == b"host"]
    return str(hosts[0].decode("latin-1")) if len(hosts) == 1 else ""


def _hostname(netloc: str) -> str:
    try:
        return (urlsplit(f"//{netloc}").hostname or "").rstrip(".")
    except ValueError:
        return ""
