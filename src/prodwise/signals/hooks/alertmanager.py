"""Prometheus Alertmanager, webhook version 4."""

from __future__ import annotations

from typing import Any, Final

from prodwise.config import HookConfig
from prodwise.model.outside import Alarm, Call, Told
from prodwise.signals.hooks.reading import NAME_MAX, Unreadable, first, instant, listed, mapping, parsed, subject, text

ALERTS_MAX: Final = 200
QUIET = frozenset({"none", "info"})
"""Alerts of these severities call nobody: a watchdog that always fires is one."""


def read(call: Call, config: HookConfig, now: float) -> Told:
    """One alarm for each alert. Raises Unreadable."""
    data = parsed(call.body)
    if data.get("version") != "4" or not isinstance(data.get("alerts"), list):
        raise Unreadable("this is no Alertmanager webhook of version 4")
    alerts = listed(data["alerts"], ALERTS_MAX)
    loud = [one for one in alerts if text(mapping(one.get("labels")).get("severity")).lower() not in QUIET]
    left = len(data["alerts"]) - len(loud)
    skipped = (f"{left} of severity none or info, or more than {ALERTS_MAX}",) if left else ()
    return Told(tuple(_alarm(one, config.label, now) for one in loud), skipped=skipped)


def _alarm(alert: dict[str, Any] | Any, label: str, now: float) -> Alarm:
    labels, notes = mapping(alert.get("labels")), mapping(alert.get("annotations"))
    name = first(labels.get("alertname"), "an alert", longest=NAME_MAX)
    return Alarm(
        source="alertmanager",
        subject=subject(alert.get("fingerprint") or labels),
        name=name,
        text=first(notes.get("summary"), notes.get("description"), notes.get("message"), labels.get("instance")),
        began_at=instant(alert.get("startsAt"), now),
        seen_at=now,
        firing=alert.get("status") != "resolved",
        about=text(labels.get(label), NAME_MAX),
    )
