"""What stands in an incident's row, as nouns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prodwise.model.diagnosis import Cause, Diagnosis, Hypothesis
from prodwise.model.incident import Symptom


def symptoms(row: Mapping[str, Any]) -> tuple[Symptom, ...]:
    return tuple(Symptom(**s) for s in row["symptoms"])


def stored_diagnosis(data: Mapping[str, Any]) -> Diagnosis:
    """A diagnosis as it stands in an incident's row."""
    return Diagnosis(
        tuple(
            Hypothesis(
                Cause(h["cause"]),
                h["text"],
                h["weight"],
                tuple(h["supports"]),
                tuple(h.get("contradicts", ())),
                h.get("subject", ""),
                h.get("share"),
                bool(h.get("hearsay")),
            )
            for h in data["hypotheses"]
        ),
        tuple(data["unknown"]),
    )
