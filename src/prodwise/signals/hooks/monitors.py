"""Other monitors' webhooks as alarms: Sentry's alert rules, Uptime Kuma, Healthchecks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from prodwise.config import HookConfig
from prodwise.model.outside import Alarm, Call, Told
from prodwise.signals.hooks.reading import NAME_MAX, Unreadable, first, instant, mapping, parsed, subject, text

HOUR_S: Final = 3600.0
_EVENT = re.compile(r"/projects/[^/]+/([A-Za-z0-9_-]{1,100})/events/")
_ENDED = frozenset({"resolved", "archived", "ignored"})
_DOWN, _UP = 0, 1
LATE: Final = "Healthchecks says that it did not run well in time"
"""A check's name alone tells nobody what is wrong."""


def sentry(call: Call, config: HookConfig, now: float) -> Told:
    """Alert rules raise alarms; an issue that is resolved there ends its own. Raises Unreadable."""
    resource, data = call.headers.get("sentry-hook-resource", ""), parsed(call.body)
    inner, action = mapping(data.get("data")), text(data.get("action"), 40)
    if resource == "metric_alert":
        return _metric(inner, action, now)
    if resource == "event_alert":
        return _event(inner, now)
    if resource == "issue" and action in _ENDED:
        issue = mapping(inner.get("issue"))
        project = mapping(issue.get("project")).get("slug")
        return _one("sentry", f"issue-{subject(issue.get('id'))}", issue.get("title"), "", now, now, False, project)
    return Told(skipped=(f"{text(resource, 40) or 'a delivery'} {action}".strip(),))


def _metric(inner: Mapping[str, Any], action: str, now: float) -> Told:
    alert = mapping(inner.get("metric_alert"))
    rule, projects = mapping(alert.get("alert_rule")), alert.get("projects")
    if not alert or action not in ("critical", "warning", "open", "resolved"):
        raise Unreadable("this is no metric alert")
    about = projects[0] if isinstance(projects, list) and projects else ""
    began, name = instant(alert.get("date_started"), now), first(inner.get("description_title"), rule.get("name"))
    firing, told = action != "resolved", inner.get("description_text")
    return _one("sentry", f"metric-{subject(alert.get('id'))}", name, told, began, now, firing, about, 24 * HOUR_S)


def _event(inner: Mapping[str, Any], now: float) -> Told:
    """Sentry never says that an issue alert is over: it stands for an hour after the last word."""
    event = mapping(inner.get("event"))
    if not event:
        raise Unreadable("this is no issue alert")
    name = first(event.get("title"), inner.get("triggered_rule"))
    about = first(_project(event.get("url")), event.get("project"), longest=NAME_MAX)
    number = f"issue-{subject(event.get('issue_id') or event.get('title'))}"
    return _one(
        "sentry",
        number,
        name,
        inner.get("triggered_rule"),
        instant(event.get("datetime"), now),
        now,
        True,
        about,
        HOUR_S,
    )


def _project(url: object) -> str:
    """The project's short name, which an issue alert gives in the address of its event alone."""
    found = _EVENT.search(url[:1000]) if isinstance(url, str) else None
    return found[1] if found else ""


def uptime_kuma(call: Call, config: HookConfig, now: float) -> Told:
    """A monitor that went down or came up again; a test message is neither."""
    data = parsed(call.body)
    beat, monitor = mapping(data.get("heartbeat")), mapping(data.get("monitor"))
    if "heartbeat" not in data or "monitor" not in data:
        raise Unreadable("this is no message of Uptime Kuma")
    status = beat.get("status")
    if status not in (_DOWN, _UP) or isinstance(status, bool):
        return Told(skipped=("a test, or a monitor that is neither down nor up",))
    name = first(monitor.get("name"), "a monitor", longest=NAME_MAX)
    number = subject(monitor.get("id") if monitor.get("id") is not None else name)
    told = first(beat.get("msg"), data.get("msg"))
    return _one("uptime-kuma", number, name, told, instant(beat.get("time"), now), now, status == _DOWN, name)


def healthchecks(call: Call, config: HookConfig, now: float) -> Told:
    """The body that the set-up page gives: code, name and status of a check."""
    data = parsed(call.body)
    status, name = text(data.get("status"), 20).lower(), first(data.get("name"), "a check", longest=NAME_MAX)
    if status not in ("down", "up"):
        raise Unreadable("`status` is neither down nor up")
    number, said = subject(data.get("code") or name), first(data.get("text"), LATE)
    return _one("healthchecks", number, name, said, now, now, status == "down", name)


def _one(
    source: str, number: str, name: object, told: object, began: float, now: float, firing: bool, about: object,
    lasts_s: float = 24 * HOUR_S,
) -> Told:  # fmt: skip
    title = first(name, "an alarm", longest=NAME_MAX)
    return Told((Alarm(source, number, title, text(told), began, now, firing, text(about, NAME_MAX), lasts_s=lasts_s),))
