"""How an incident ends: exactly once, with an outcome, told. How a person is told."""

from __future__ import annotations

from prodwise.clock import now
from prodwise.heal.parts import Parts
from prodwise.model.errors import ProdwiseError
from prodwise.model.incident import IncidentState
from prodwise.model.outcome import Outcome
from prodwise.ports import Records


def tell(parts: Parts, title: str, text: str, incident: str) -> None:
    """A channel that fails is itself recorded: the page says it, too."""
    try:
        parts.notifier.tell(title, text)
    except ProdwiseError as error:
        parts.records.ledger.append("not_told", error.message, actor="prodwise", incident=incident)


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
