"""A decoded report, grouped, cleaned and sampled: what is stored of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from hashlib import blake2b
from typing import Any

import orjson
import zstandard

from prodwise.loop.group import group_of
from prodwise.loop.sample import Keep, Sampler
from prodwise.model.digest import Delivery, Digested
from prodwise.model.event import ErrorEvent, ErrorSeen
from prodwise.model.project import Project
from prodwise.model.redaction import Redactor
from prodwise.model.report import CheckIn, Reason, Report, Reported, Sessions, Timed
from prodwise.model.telemetry import Calls, Measured

Noted = Counter[Reason]
DETAIL_MAX = 256 * 1024
"""Bytes of one event's cleaned details, before packing."""


class Digester:
    """One for one thread; `sampler` may be shared. salt: what users are hashed with, so that no list of them can be tried."""

    def __init__(self, redactor: Redactor, sampler: Sampler, salt: str) -> None:
        self._redactor, self._sampler = redactor, sampler
        self._salt = salt.encode()[: blake2b.MAX_KEY_SIZE]
        self._packer = zstandard.ZstdCompressor(level=1)

    def digest(self, report: Report, project: Project, at: float) -> Delivery:
        """at: Unix seconds when it was received."""
        noted: Noted = Counter(report.counts)
        events = tuple(self._event(one, project, at, noted) for one in report.events)
        others: list[Timed | Sessions | CheckIn] = [*report.timed, *report.sessions, *report.check_ins]
        calls, measured = tuple(map(self._calls, report.calls)), tuple(map(self._measured, report.measured))
        items = tuple(map(self._item, others))
        return Delivery(project.id, at, events, items, noted, calls=calls, measured=measured, whole=report.whole)

    def _event(self, reported: Reported, project: Project, at: float, noted: Noted) -> Digested:
        event = reported.event
        grouped = group_of(event)
        title, where, release, route = self._clean([grouped.title, grouped.where, event.release, event.route])
        grouped = replace(grouped, title=title, where=where)
        seen = ErrorSeen(
            at=event.at,
            service=project.service,
            release=release,
            route=route,
            group=grouped.key,
            title=title,
            user=self._user(event.user),
            level=event.level,
            handled=_handled(event),
            source=event.source,
            id=event.id,
        )
        keep = self._sampler.keep(grouped.key, release, route, at)
        if keep is Keep.COUNT or reported.payload is None:
            noted[Reason.SAMPLED] += keep is Keep.COUNT
            return Digested(seen, grouped)
        return Digested(seen, grouped, self._detail(reported.payload, noted), keep is Keep.RARE)

    def _detail(self, payload: Any, noted: Noted) -> bytes | None:
        cleaned, count = self._redactor.clean(payload)
        noted[Reason.PRIVATE] += count
        packed = orjson.dumps(cleaned)
        if len(packed) > DETAIL_MAX:
            noted[Reason.DETAIL_LARGE] += 1
            return None
        return self._packer.compress(packed)

    def _item(self, item: Timed | Sessions | CheckIn) -> Timed | Sessions | CheckIn:
        if isinstance(item, Timed):
            route, release, service = self._clean([item.route, item.release, item.service])
            return replace(item, route=route, release=release, service=service)
        if isinstance(item, Sessions):
            release, environment = self._clean([item.release, item.environment])
            return replace(item, release=release, environment=environment)
        return replace(item, monitor=self._clean([item.monitor])[0])

    def _calls(self, calls: Calls) -> Calls:
        caller, callee, address = self._clean([calls.caller, calls.callee, calls.address])
        return replace(calls, caller=caller, callee=callee, address=address)

    def _measured(self, measured: Measured) -> Measured:
        series = measured.series
        cleaned, _ = self._redactor.clean([series.service, series.name, series.unit, dict(series.attributes)])
        service, name, unit, attributes = cleaned
        return replace(measured, series=replace(series, service=service, name=name, unit=unit, attributes=attributes))

    def _clean(self, texts: list[str]) -> list[str]:
        cleaned: list[str] = self._redactor.clean(texts)[0]
        return cleaned

    def _user(self, user: str) -> str:
        return blake2b(user.encode(), digest_size=8, key=self._salt).hexdigest() if user else ""


def _handled(event: ErrorEvent) -> bool | None:
    return next((one.handled for one in reversed(event.chain) if one.handled is not None), None)
