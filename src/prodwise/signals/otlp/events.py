"""Log records and spans' exceptions as error events."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from prodwise.model.event import ErrorEvent, Thrown
from prodwise.model.report import Reason, Reported
from prodwise.signals.otlp.stacks import chain_of
from prodwise.signals.otlp.values import Attributes, Source, said
from prodwise.signals.routes import fold_path
from prodwise.signals.values import TEXT_MAX, Noted, text

EVENTS_MAX = 1_000
"""Of one delivery."""
DETAIL_MAX = 256 * 1024
"""Characters of all details of one delivery, and 16 for each value beside."""
STACK_MAX = 64 * 1024
_VALUE_WEIGHT = 16
_METHOD = ("http.request.method", "http.method")
_PATH = ("url.path", "http.target")


class Events:
    """The error events of one delivery while they are gathered. whole: the delivery's own name, for events without a trace."""

    def __init__(self, project: int, whole: str, noted: Noted) -> None:
        self._project, self._whole, self._noted = project, whole, noted
        self._found: dict[str, Reported] = {}
        self._detail_left, self._number = DETAIL_MAX, 0

    def found(self) -> tuple[Reported, ...]:
        return tuple(self._found.values())

    def add(
        self, source: Source, facts: Attributes, at: float, record: Mapping[str, Any], *,
        level: str, message: str = "", logger: str = "", route: str = "", trace: str = "",
    ) -> None:  # fmt: skip
        """record: what is kept of it. One exception of one trace is one event, however many spans and logs tell of it; of those
        in one delivery the longest trace of calls is taken."""
        if self._number >= EVENTS_MAX:
            self._noted[Reason.ITEMS] += 1
            return
        self._number += 1
        chain = self._chain(facts)
        name = self._name(chain, trace)
        before = self._found.get(name)
        if before is not None and _calls(before.event.chain) >= _calls(chain):
            return
        event = ErrorEvent(
            id=name,
            at=at,
            project=self._project,
            platform=source.platform,
            level=level,
            message=message,
            chain=chain,
            release=source.release,
            environment=source.environment,
            route=route or route_of(facts, self._noted),
            user=said(facts, self._noted, "user.id", "enduser.id", "user.name"),
            source="otlp",
            logger=logger,
        )
        self._found[name] = Reported(event, self._kept({"resource": source.facts, **record, "attributes": facts}))

    def _chain(self, facts: Attributes) -> tuple[Thrown, ...]:
        kind = said(facts, self._noted, "exception.type", most=300)
        message = said(facts, self._noted, "exception.message", most=TEXT_MAX)
        stack = facts.get("exception.stacktrace")
        chain = chain_of(text(stack, self._noted, STACK_MAX), kind, message) if isinstance(stack, str) else ()
        if not chain and (kind or message):
            chain = (Thrown(kind, message),)
        escaped = facts.get("exception.escaped")
        if chain and escaped in (True, "true", "True"):
            top = chain[-1]
            chain = (*chain[:-1], Thrown(top.kind, top.message, top.frames, False))
        return chain

    def _name(self, chain: tuple[Thrown, ...], trace: str) -> str:
        """32 hex digits, the same when it is sent again."""
        if trace and chain:
            top = chain[-1]
            inner = top.frames[-1] if top.frames else None
            parts = [trace, top.kind, top.message, *([inner.file, str(inner.line)] if inner else [])]
        else:
            parts = [self._whole, str(self._number)]
        return blake2b("\0".join(parts).encode("utf-8", "replace"), digest_size=16).hexdigest()

    def _kept(self, record: Mapping[str, Any]) -> Mapping[str, Any] | None:
        self._detail_left -= _weight(record)
        if self._detail_left < 0:
            self._noted[Reason.DETAIL_LARGE] += 1
            return None
        return record


def route_of(facts: Attributes, noted: Noted) -> str:
    """As the proxy's log names it ("GET /cart/:id") when it was said what was asked for; "" otherwise."""
    method = said(facts, noted, *_METHOD, most=16)
    path = said(facts, noted, *_PATH, most=2_048).split("?", 1)[0] or said(facts, noted, "http.route")
    return f"{method} {fold_path(path)}" if method and path else ""


def _calls(chain: tuple[Thrown, ...]) -> int:
    return sum(len(one.frames) for one in chain)


def _weight(value: object) -> int:
    """About how many bytes it takes to keep; each value counts."""
    left, weight = [value], 0
    while left:
        one = left.pop()
        weight += _VALUE_WEIGHT
        if isinstance(one, str):
            weight += len(one)
        elif isinstance(one, Mapping):
            left.extend(one.values())
            weight += sum(map(len, one))
        elif isinstance(one, list):
            left.extend(one)
    return weight
