"""How an incident ends: exactly once, with an outcome, told. How a person is told."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

from prodwise.clock import now
from prodwise.heal.durable import CRASHES
from prodwise.heal.parts import Parts
from prodwise.model.errors import ProdwiseError
from prodwise.model.incident import IncidentState
from prodwise.model.outcome import Outcome
from prodwise.ports import Records

NOT_TOLD: Final = "not_told"
KNOWN: Final = 50
P = ParamSpec("P")
R = TypeVar("R")


def tell(parts: Parts, title: str, text: str, incident: str) -> None:
    """A channel that fails is itself recorded: the page says it, too."""
    attempt(parts, "telling a person", incident, parts.notifier.tell, title, text)


def attempt(
    parts: Parts, what: str, incident: str, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs
) -> R | None:
    """For what only tells: an error in it is logged and recorded, once, and ends no story. Returns what the function returned, None
    when it failed."""
    try:
        return function(*args, **kwargs)
    except CRASHES:
        raise
    except Exception as error:  # noqa: BLE001 — users must be brought back whatever goes wrong in telling of it
        said = f"{what} failed: {error.message if isinstance(error, ProdwiseError) else type(error).__name__}"
        ledger = parts.records.ledger
        known = ledger.recent(KNOWN, kinds=(NOT_TOLD,))
        if all((one.incident, one.text) != (incident, said) for one in known):
            traceback.print_exc(file=sys.stderr)
            ledger.append(NOT_TOLD, said, actor="prodwise", incident=incident)
        return None


def close_incident(records: Records, incident_id: str, outcome: Outcome, why: str) -> bool:
    """Closes it unless it is closed. True if this call did."""
    row = records.incidents.row(incident_id)
    if row["closed_at"] is not None:
        return False
    at = now()
    records.incidents.save(incident_id, state=IncidentState.CLOSED.value, outcome=outcome.value, closed_at=at)
    data = {"outcome": outcome.value, "seconds": round(at - row["opened_at"], 3)}
    records.ledger.append(
        "incident_closed",
        f"{outcome.value}: {why}",
        actor="prodwise",
        service=row["service"],
        incident=incident_id,
        data=data,
    )
    return True
