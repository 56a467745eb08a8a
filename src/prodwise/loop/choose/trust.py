"""Whose word an incident rests on. What others say is looked into, drafted for and told; it is never acted on alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from prodwise.model.incident import Symptom

AGREE_S: Final = 20.0
"""So long our own eyes get to see what somebody outside saw first; then a person is told."""


def hearsay(symptoms: Iterable[Symptom]) -> str:
    """Why nothing may be done, however many outside say it: no probe, request or process of ours agrees. "" if one does."""
    found = tuple(symptoms)
    if not found or any(one.ours for one in found):
        return ""
    said = ", ".join(sorted({one.source for one in found}))
    return f"only {said} says so: no probe, request or process of ours agrees"


def left_to_agree_s(symptoms: Iterable[Symptom], now: float) -> float:
    """How much longer our own eyes are waited for."""
    return AGREE_S - (now - min((one.seen_at for one in symptoms), default=now))
