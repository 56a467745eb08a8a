"""Are we well, in figures: liveness, readiness, and metrics in Prometheus' text format."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterable, Sequence

import psutil
from starlette.responses import JSONResponse, PlainTextResponse

from prodwise.clock import monotonic
from prodwise.model.errors import ProdwiseError
from prodwise.server.doors import Door, Policy
from prodwise.server.live import Live
from prodwise.server.reading import Reader

METRICS_TTL_S = 5.0


class Health:
    """Public: figures about Prodwise, none about users."""

    def __init__(self, reader: Reader, live: Live) -> None:
        self._reader, self._live = reader, live
        self._lock = threading.Lock()
        self._text: tuple[float, str] | None = None

    def doors(self) -> tuple[Door, ...]:
        """Monitors ask by HEAD as well: refused, they would say that we are down."""
        asked = (("/health/live", self.alive), ("/health/ready", self.ready))
        return (
            *(Door(method, path, Policy.PUBLIC, endpoint) for path, endpoint in asked for method in ("GET", "HEAD")),
            Door("GET", "/metrics", Policy.PUBLIC, self.metrics),
        )

    def alive(self) -> PlainTextResponse:
        return PlainTextResponse("ok\n")

    def ready(self) -> JSONResponse:
        """200 when the store answers and the target can be seen, else 503; which of them, as booleans. Whether a receiver listens
        is told beside them: we do our work without reports."""
        checks = {"store": self._store_answers(), "target": self._reader.target()[0] is not None}
        reporting = self._reader.parts.reporting
        told = {"ready": all(checks.values()), **checks, **({"receivers": reporting.listening()} if reporting else {})}
        return JSONResponse(told, 200 if all(checks.values()) else 503)

    def _store_answers(self) -> bool:
        try:
            self._reader.parts.records.ledger.recent(1)
        except Exception:  # noqa: BLE001 - whatever the database throws, the answer is no
            return False
        return True

    def metrics(self) -> PlainTextResponse:
        """Computed at most every five seconds, however often it is asked for."""
        with self._lock:
            if self._text is None or monotonic() - self._text[0] > METRICS_TTL_S:
                self._text = (monotonic(), "".join(f"{line}\n" for line in self._lines()))
            return PlainTextResponse(self._text[1], media_type="text/plain; version=0.0.4")

    def _lines(self) -> Iterable[str]:
        records = self._reader.parts.records
        newest = records.ledger.recent(1)
        effects = Counter((e.kind, e.state.value) for e in records.ledger.effects())
        rollouts = Counter(rollout.state.value for rollout in records.rollouts.list(limit=1000))
        recovery = self._reader.recovery_seconds()
        yield from _metric("incidents_open", "gauge", "Incidents open now.", [("", len(self._open()))])
        yield from _metric(
            "actions",
            "gauge",
            "Outside effects by kind and state, all time.",
            [(f'{{kind="{_label(kind)}",state="{state}"}}', n) for (kind, state), n in sorted(effects.items())],
        )
        yield from _metric("recovery_seconds_sum", "gauge", "Seconds to recovery, last 30 days.", [("", sum(recovery))])
        yield from _metric("recovery_seconds_count", "gauge", "Recoveries, last 30 days.", [("", len(recovery))])
        by_state = [(f'{{state="{state}"}}', n) for state, n in sorted(rollouts.items())]
        yield from _metric("rollouts", "gauge", "The last 1,000 rollouts by state.", by_state)
        yield from _metric("ledger_seq", "counter", "Entries in the ledger.", [("", newest[0].seq if newest else 0)])
        yield from _metric("live_listeners", "gauge", "Pages with live updates.", [("", self._live.listeners)])
        yield from self._reports()
        rss = psutil.Process(os.getpid()).memory_info().rss
        yield from _metric("process_resident_bytes", "gauge", "Resident memory.", [("", rss)])

    def _reports(self) -> Iterable[str]:
        reporting = self._reader.parts.reporting
        if reporting is None:
            return
        taken = [(one.name, reporting.archive.received(one.id)) for one in reporting.projects()]
        labels = [(f'{{project="{_label(name)}"}}', intake) for name, intake in taken]
        events = [(label, float(intake.events)) for label, intake in labels]
        yield from _metric("reports_events", "counter", "Error events taken, by project.", events)
        last = [(label, intake.last) for label, intake in labels if intake.last is not None]
        yield from _metric("reports_last_seconds", "gauge", "Unix time of the newest delivery, by project.", last)
        counts = [
            (f'{{project="{_label(name)}",reason="{_label(reason.name.lower())}"}}', float(count))
            for name, intake in taken
            for reason, count in sorted(intake.counts.items())
        ]
        yield from _metric("reports_counted", "counter", "What was refused, left out or cleaned.", counts)

    def _open(self) -> list[str]:
        try:
            return [i.id for i in self._reader.parts.records.incidents.list(open_only=True, limit=1000)]
        except ProdwiseError:
            return []


def _metric(name: str, kind: str, text: str, values: Sequence[tuple[str, float]]) -> Iterable[str]:
    yield f"# HELP prodwise_{name} {text}"
    yield f"# TYPE prodwise_{name} {kind}"
    for labels, value in values:
        yield f"prodwise_{name}{labels} {value:g}" if abs(value) < 1e5 else f"prodwise_{name}{labels} {value:.0f}"


def _label(text: str) -> str:
    return "".join(char for char in text if char.isalnum() or char in "_-")[:40]
