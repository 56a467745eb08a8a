"""An envelope, item by item: what is readable is taken, what is not is counted by its reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from prodwise.model.report import CheckIn, Reason, Rejected, Report, Reported, Sessions, Timed
from prodwise.signals.inflate import unpack
from prodwise.signals.sentry import others
from prodwise.signals.sentry.auth import public_key
from prodwise.signals.sentry.events import error_event, event_id
from prodwise.signals.sentry.others import Clock
from prodwise.signals.values import Noted, Unusable, instant, parse

ITEMS_MAX = 100
ITEM_MAX = 1024 * 1024
HEADER_MAX = 16 * 1024
PAYLOAD_MAX = 256 * 1024
"""An event's details beyond this, or beyond PAYLOAD_VALUES_MAX values, are not kept; one delivery's together neither."""
PAYLOAD_VALUES_MAX = 20_000

Taken = Reported | Timed | Sessions | CheckIn


class SentryDecoder:
    """Reads deliveries. Stateless: many requests may share one."""

    def key(self, headers: dict[bytes, bytes], query: bytes) -> str:
        return public_key(headers, query)

    def envelope(self, body: bytes, encoding: str, project: int, received_at: float) -> Report:
        """Raises Rejected when nothing of it can be read."""
        return self.read_envelope(unpack(body, encoding), project, received_at)

    def lone_event(self, body: bytes, encoding: str, project: int, received_at: float) -> Report:
        """A single event, as old SDKs send it. Raises Rejected when it cannot be read."""
        return self.read_lone_event(unpack(body, encoding), project, received_at)

    def read_envelope(self, raw: bytes, project: int, received_at: float) -> Report:
        """raw: the body, unpacked."""
        return Envelope(raw, project, received_at).report()

    def read_lone_event(self, raw: bytes, project: int, received_at: float) -> Report:
        """raw: the body, unpacked."""
        made = Envelope(b'{}\n{"type":"event","length":%d}\n%b' % (len(raw), raw), project, received_at).report()
        if not made.events:
            raise Rejected(next(iter(made.counts), Reason.SHAPE))
        return made


class Envelope:
    """One envelope while it is being read."""

    def __init__(self, body: bytes, project: int, received_at: float) -> None:
        self._body, self._project = body, project
        self.noted: Noted = Counter()
        line, self._next = _line(body, 0)
        header = _header(line)
        if not isinstance(header, dict):
            raise Rejected(Reason.ENVELOPE)
        self._id = event_id(header.get("event_id"))
        self._clock = Clock(instant(header.get("sent_at")), received_at, self.noted)
        self._payload_left, self._values_left = PAYLOAD_MAX, PAYLOAD_VALUES_MAX

    def report(self) -> Report:
        found: list[Taken] = []
        for header, payload in self._items():
            try:
                found.extend(self._take(str(header.get("type")), payload))
            except Unusable as error:
                self.noted[error.reason] += 1
        events = tuple(one for one in found if isinstance(one, Reported))
        return Report(
            id=self._id or (events[0].event.id if events else ""),
            events=events,
            timed=tuple(one for one in found if isinstance(one, Timed)),
            sessions=tuple(one for one in found if isinstance(one, Sessions)),
            check_ins=tuple(one for one in found if isinstance(one, CheckIn)),
            counts={reason: count for reason, count in self.noted.items() if count},
        )

    def _items(self) -> Iterator[tuple[Mapping[str, Any], bytes]]:
        """Each item's header and bytes. An item whose end cannot be known is the last one."""
        for _ in range(ITEMS_MAX):
            while self._body[self._next : self._next + 1] == b"\n":
                self._next += 1
            if self._next >= len(self._body):
                return
            line, start = _line(self._body, self._next)
            header = _header(line)
            if not isinstance(header, dict):
                self.noted[Reason.ITEM_HEADER] += 1
                return
            end = self._end(header.get("length"), start)
            if end < 0:
                self.noted[Reason.ITEM_CUT] += 1
                return
            self._next = end
            yield header, self._body[start:end]
        if self._body[self._next :].strip():
            self.noted[Reason.ITEMS] += 1

    def _end(self, length: object, start: int) -> int:
        """Where the item ends: by its length, else at the end of its line; -1 when the body does not reach that far."""
        if length is None:
            end = self._body.find(b"\n", start)
            return end if end >= 0 else len(self._body)
        if not isinstance(length, int) or isinstance(length, bool) or not 0 <= length <= len(self._body) - start:
            return -1
        return start + length

    def _take(self, kind: str, payload: bytes) -> Iterator[Taken]:
        reader = _READERS.get(kind)
        if reader is None:
            raise Unusable(Reason.UNKNOWN_ITEM)
        if len(payload) > ITEM_MAX:
            raise Unusable(Reason.ITEM_LARGE)
        data = parse(payload, self.noted)
        if not isinstance(data, dict):
            raise Unusable(Reason.SHAPE)
        yield from reader(self, data, payload)

    def event(self, data: Mapping[str, Any], payload: bytes) -> Iterator[Taken]:
        at = self._clock.at(data.get("timestamp"))
        yield Reported(error_event(data, at, self._project, self.noted, self._id), self._kept(data, payload))

    def _kept(self, data: Mapping[str, Any], payload: bytes) -> Mapping[str, Any] | None:
        """The details, unless this delivery's are more than can be cleaned in a few milliseconds."""
        self._payload_left -= len(payload)
        self._values_left -= payload.count(b",")
        if self._payload_left < 0 or self._values_left < 0:
            self.noted[Reason.DETAIL_LARGE] += 1
            return None
        return data

    def transaction(self, data: Mapping[str, Any], _: bytes) -> Iterator[Taken]:
        yield others.transaction(data, self._clock)

    def spans(self, data: Mapping[str, Any], _: bytes) -> Iterator[Taken]:
        yield from others.spans(data, self._clock)

    def session(self, data: Mapping[str, Any], _: bytes) -> Iterator[Taken]:
        ended = others.session(data, self._clock)
        if ended is not None:
            yield ended

    def sessions(self, data: Mapping[str, Any], _: bytes) -> Iterator[Taken]:
        yield from others.sessions(data, self._clock)

    def check_in(self, data: Mapping[str, Any], _: bytes) -> Iterator[Taken]:
        yield others.check_in(data, self._clock)

    def client_report(self, data: Mapping[str, Any], _: bytes) -> Iterator[Taken]:
        others.client_report(data, self.noted)
        return iter(())

    def logs(self, data: Mapping[str, Any], payload: bytes) -> Iterator[Taken]:
        kept = self._kept(data, payload) is not None
        for one in others.logs(data, self._project, self._clock):
            yield one if kept else Reported(one.event)

    def feedback(self, data: Mapping[str, Any], payload: bytes) -> Iterator[Taken]:
        one = others.feedback(data, self._project, self._clock, self._id)
        yield one if self._kept(data, payload) is not None else Reported(one.event)


_READERS: dict[str, Callable[[Envelope, Mapping[str, Any], bytes], Iterator[Taken]]] = {
    "event": Envelope.event,
    "transaction": Envelope.transaction,
    "span": Envelope.spans,
    "session": Envelope.session,
    "sessions": Envelope.sessions,
    "check_in": Envelope.check_in,
    "client_report": Envelope.client_report,
    "log": Envelope.logs,
    "feedback": Envelope.feedback,
    "user_report": Envelope.feedback,
}


def _line(body: bytes, start: int) -> tuple[bytes, int]:
    """A header line and where the next one begins; a longer one than HEADER_MAX is cut, and so unreadable."""
    end = body.find(b"\n", start, start + HEADER_MAX)
    return (
        (body[start:end], end + 1)
        if end >= 0
        else (body[start : start + HEADER_MAX], min(len(body), start + HEADER_MAX))
    )


def _header(line: bytes) -> Any:
    try:
        return parse(line, Counter())
    except Unusable:
        return None
