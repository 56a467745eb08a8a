"""What changes did is measured while the figures are there, and kept in the ledger: they are gone a day later."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from typing import Final

from prodwise.clock import monotonic, now
from prodwise.heal.hands import AUTOMATION
from prodwise.loop.changes import told
from prodwise.loop.changes.effects import WAY, Known, everything, measured
from prodwise.model.change import Change
from prodwise.model.measured import Measured
from prodwise.model.service import Service, ServiceKind, front_service
from prodwise.ports import Records, Vitals

PACE_S: Final = 60.0
LATE_S: Final = 2 * 3600.0
"""A change that could not be measured by then never can."""
NEAR_S: Final = 3600.0
"""Changes so long before it may stand too close to one."""
ENTRIES_MAX, KEPT_MAX = 500, 500
MEASURED: Final = "measured"


class Aftermath:
    """Called often; looks now and then."""

    def __init__(self, records: Records, services: Sequence[Service], vitals: Vitals) -> None:
        self._records, self._services, self._vitals = records, services, vitals
        self._looked = monotonic()
        self._quiet = (
            -1
        )  # the ledger's newest entry when there was nothing to measure: whatever changes something adds one

    def look(self) -> None:
        if monotonic() - self._looked >= PACE_S:
            self._looked = monotonic()
            try:
                self.turn()
            except Exception:  # noqa: BLE001 — an effect that cannot be told must not blind the eyes that call this
                traceback.print_exc()

    def turn(self) -> None:
        """Keeps what is measured in full and not kept yet."""
        newest = self._newest()
        if newest == self._quiet:
            return
        at = now()
        known = gather(self._records, self._services, at - LATE_S - NEAR_S)
        have = kept(self._records)
        open_ones = frozenset(c.id for c in everything(known) if at - c.at <= LATE_S and c.id not in have)
        self._quiet = -1 if open_ones else newest
        if not open_ones:
            return
        minutes = {service: self._vitals.minutes(service) for service in known.web}
        for one in measured(known, minutes, at, open_ones).values():
            if one.final and one.figures:
                self._records.ledger.append(
                    MEASURED, in_words(one), actor=AUTOMATION, service=one.service, data=one.to_json()
                )

    def _newest(self) -> int:
        return next((one.seq for one in self._records.ledger.recent(1)), 0)


def gather(records: Records, services: Sequence[Service], since: float, limit: int = 200) -> Known:
    """What stands in the records about changes since then."""
    entries = records.ledger.recent(ENTRIES_MAX, told.ENTRIES)
    recorded: dict[str, Change] = {
        one.id: one for one in (*records.changes.own(since, limit), *records.changes.since(since, limit))
    }
    return Known(
        changes=tuple(recorded.values()),
        entries=entries,
        effects=[one for one in records.ledger.effects(since=since) if one.kind == told.RESTART],
        rollouts=[one for one in records.rollouts.list() if (one.ended_at or now()) >= since],
        way=records.ledger.recent(ENTRIES_MAX, WAY),
        since=since,
        whole=len(entries) < ENTRIES_MAX,
        entry=front_service(services),
        web=frozenset(service.id for service in services if service.kind is ServiceKind.WEB),
    )


def kept(records: Records) -> dict[str, Measured]:
    """Change id → what it did, as far as that was kept."""
    entries = records.ledger.recent(KEPT_MAX, (MEASURED,))
    return {str(entry.data["change"]): Measured.from_json(entry.data) for entry in entries}


def in_words(one: Measured) -> str:
    """ "what release-3 did: failed requests 0.20 % before, 3.10 % after"."""
    figure = one.figures[0]
    return f"what {one.change} did: {figure.name} {100 * figure.before:.2f} % before, {100 * figure.after:.2f} % after"
