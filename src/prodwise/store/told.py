"""A changed setting as a sentence for the ledger, and the incident that it is about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

ASKED = {
    "restart": "a restart of {service}",
    "return": "going back to {release}",
    "undo": "undoing what was done in {incident}",
}
OF_INCIDENTS = ("takeover", "wrong")


def incident_of(name: str) -> str:
    """The incident that a setting is a person's word on, or ""."""
    kind, _, of = name.partition(":")
    return of if kind in OF_INCIDENTS else ""


def setting_text(name: str, value: Any) -> str:
    """What it means that the setting has this value now; the value itself is in the entry's data."""
    given: Mapping[str, Any] = value if isinstance(value, Mapping) else {}
    kind, _, of = name.partition(":")
    if name == "autonomy":
        return f"the stage is {value}"
    if name == "freeze":
        return f"frozen {_until(given)}" if given else "not frozen any more"
    if name == "undo_proven":
        return "it was proven on this machine that a release can be taken back"
    if name == "self_test":
        return f"self-test {'passed' if given.get('ok') else 'failed'}"
    if kind == "resolved":
        return f"the errors of group {of} are resolved" if given else f"the errors of group {of} are not resolved"
    if kind == "cancel":
        return f"release {of} is to be taken back: {given.get('reason') or 'no reason was given'}"
    if kind == "takeover":
        return "took this incident over: Prodwise does nothing more about it" if given else "handed this incident back"
    if kind == "wrong" and value:
        return f"called the diagnosis wrong ({value[-1].get('text') or 'there was none yet'}): {value[-1].get('note')}"
    if kind in ASKED and given:
        what = ASKED[kind].format(**{"service": "?", "release": "?", "incident": "?", **given})
        return f"{what} was not begun: {given['not_begun']}" if given.get("not_begun") else f"{what} was asked for"
    return f"{name} was {'cleared' if value is None else 'set'}"


def _until(freeze: Mapping[str, Any]) -> str:
    ends = freeze.get("until")
    when = f"until {datetime.fromtimestamp(ends, UTC):%Y-%m-%d %H:%M} UTC" if ends else "until a person ends it"
    return f"{when}: {freeze['reason']}" if freeze.get("reason") else when
