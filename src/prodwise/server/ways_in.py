"""Where machines knock: pings of jobs, and deliveries of other tools. A GET of a ping acts: that is its protocol."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from starlette.responses import PlainTextResponse

from prodwise.clock import now
from prodwise.model.errors import ProdwiseError
from prodwise.model.outside import Word
from prodwise.server.doorkeeper import HOOK_BODY_MAX, PING_BODY_MAX, Counts, Doorkeeper
from prodwise.server.doors import Door, NotFound, Policy
from prodwise.server.parts import ServerParts

EXIT_MAX = 255


class WaysIn:
    """The low-rate ways in. Their own lists are for the local socket only: ids of heartbeats are keys."""

    def __init__(self, parts: ServerParts) -> None:
        self._parts = parts
        self._counts = Counts(parts.records.settings, lambda: sorted(parts.hooks))
        self.keeper = Doorkeeper(parts, self._counts)

    def doors(self) -> tuple[Door, ...]:
        pings = ("/ping/{beat}", self.ping), ("/ping/{beat}/{said}", self.ping_said)
        return (
            *(
                Door(method, path, Policy.KEYED, endpoint, PING_BODY_MAX)
                for path, endpoint in pings
                for method in ("GET", "HEAD", "POST")
            ),
            Door("POST", "/hooks/{way}", Policy.KEYED, self.hook, HOOK_BODY_MAX),
            Door("GET", "/api/v1/ways-in", Policy.LOCAL, self.listed),
        )

    def ping(self, request: Request) -> PlainTextResponse:
        """It ran, and well."""
        return self._pinged(request, Word.OK)

    def ping_said(self, request: Request, said: str) -> PlainTextResponse:
        """It starts, it failed, or it ended with this exit code."""
        if said in ("start", "fail"):
            return self._pinged(request, Word(said))
        if not said.isascii() or not said.isdigit() or len(said) > 3 or int(said) > EXIT_MAX:
            raise NotFound
        code = int(said)
        return self._pinged(request, Word.FAIL if code else Word.OK, code or None)

    def _pinged(self, request: Request, word: Word, code: int | None = None) -> PlainTextResponse:
        self._parts.outsiders.ping(request.state.beat, word, code)
        return PlainTextResponse("OK")

    def hook(self, request: Request, way: str) -> dict[str, Any]:
        """A genuine delivery: read, and taken once."""
        hook, at = self._parts.hooks[way], now()
        try:
            text = self._parts.outsiders.hear(way, request.state.genuine, hook.read(request.state.call, at))
        except ProdwiseError as error:
            self._counts.refused(way, error)
            raise
        self._counts.taken(way, text)
        return {"ok": True, "text": text}

    def listed(self) -> dict[str, Any]:
        """Every hook and heartbeat: where it is, what came last, what was refused. Where a secret lies, never the secret."""
        url = self._parts.dashboard_url
        hooks = [
            {"way": way, "url": f"{url}/hooks/{way}", "secret": self._parts.hooks[way].kept, **facts}
            for way, facts in self._counts.all().items()
        ]
        beats = [{**beat, "url": f"{url}/ping/{beat['id']}"} for beat in self._parts.outsiders.beats()]
        return {"schema_version": 1, "hooks": hooks, "heartbeats": beats}
