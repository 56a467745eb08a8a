"""GitHub: what was pushed, and what was put in place by a deployment or a workflow."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from prodwise.config import HookConfig
from prodwise.model.change import OUTSIDE, Change, ChangeKind
from prodwise.model.outside import Call, Told
from prodwise.signals.hooks.deploy import INVERSE
from prodwise.signals.hooks.reading import NAME_MAX, first, instant, mapping, parsed, subject, text

_SHA = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
NOT_LIVE: Final = "nothing to take back: it put nothing in place yet"


def read(call: Call, config: HookConfig, now: float) -> Told:
    """At most one change. Raises Unreadable."""
    event, data = call.headers.get("x-github-event", ""), parsed(call.body)
    reader = READERS.get(event)
    if reader is None:
        return Told(skipped=("a ping" if event == "ping" else f"the event {text(event, 40)!r}",))
    found = reader(data, config, now)
    return Told(skipped=(found,)) if isinstance(found, str) else Told(changes=(found,))


def _push(data: Mapping[str, Any], config: HookConfig, now: float) -> Change | str:
    """A push to the default branch; it alters production only when something deploys it, so it stands for nothing that runs."""
    branch = text(mapping(data.get("repository")).get("default_branch"), NAME_MAX)
    if data.get("ref") != f"refs/heads/{branch}" or data.get("deleted") is True or not branch:
        return "a push elsewhere than to the default branch"
    head, who = mapping(data.get("head_commit")), _name(data.get("pusher"), data.get("sender"))
    title = text(str(head.get("message") or "").partition("\n")[0])
    told = f"pushed to {branch}: {title}" if title else f"pushed to {branch}"
    return _change(data, ("push", data.get("after")), ChangeKind.COMMIT, now, data.get("after"), who, told, NOT_LIVE)


def _deployment(data: Mapping[str, Any], config: HookConfig, now: float) -> Change | str:
    """Asked for: nothing runs yet."""
    made = mapping(data.get("deployment"))
    place = text(made.get("environment"), NAME_MAX)
    if not _reaches_users(made, config):
        return f"a deployment to {place or 'no environment'}"
    who = _name(made.get("creator"), data.get("sender"))
    told = f"a deployment of {_short(made.get('sha'))} to {place} was asked for"
    at = instant(made.get("created_at"), now)
    return _change(data, ("asked", made.get("id")), ChangeKind.RELEASE, at, None, who, told, NOT_LIVE)


def _deployment_status(data: Mapping[str, Any], config: HookConfig, now: float) -> Change | str:
    made, status = mapping(data.get("deployment")), mapping(data.get("deployment_status"))
    state, place = text(status.get("state"), 40), text(made.get("environment"), NAME_MAX)
    if not _reaches_users(made, config):
        return f"a deployment to {place or 'no environment'}"
    if state not in ("success", "failure", "error"):
        return f"a deployment that is {state or 'of no state'}"
    who, at = (
        _name(made.get("creator"), status.get("creator"), data.get("sender")),
        instant(status.get("created_at"), now),
    )
    sha, well = made.get("sha"), state == "success"
    told = f"{_short(sha)} was deployed to {place}" if well else f"the deployment of {_short(sha)} to {place} failed"
    key = ("deployed", made.get("id"), state)
    return _change(data, key, ChangeKind.RELEASE, at, sha if well else None, who, told, INVERSE if well else NOT_LIVE)


def _workflow_run(data: Mapping[str, Any], config: HookConfig, now: float) -> Change | str:
    """A run that ended well, on the default branch, of a workflow whose name says that it deploys."""
    run, branch = mapping(data.get("workflow_run")), mapping(data.get("repository")).get("default_branch")
    name = first(run.get("name"), mapping(data.get("workflow")).get("name"), longest=NAME_MAX)
    if data.get("action") != "completed" or run.get("conclusion") != "success" or run.get("head_branch") != branch:
        return f"a run of {name!r} that did not end well, or elsewhere"
    if not any(word.casefold() in name.casefold() for word in config.workflows):
        return f"a run of {name!r}, which does not deploy"
    who, sha = _name(run.get("actor"), data.get("sender")), run.get("head_sha")
    at, told = instant(run.get("updated_at"), now), f"{name} put {_short(sha)} in place"
    return _change(
        data, ("run", run.get("id"), run.get("run_attempt")), ChangeKind.RELEASE, at, sha, who, told, INVERSE
    )


READERS: Final[Mapping[str, Callable[[Mapping[str, Any], HookConfig, float], Change | str]]] = {
    "push": _push,
    "deployment": _deployment,
    "deployment_status": _deployment_status,
    "workflow_run": _workflow_run,
}


def _change(
    data: Mapping[str, Any],
    key: tuple[object, ...],
    kind: ChangeKind,
    at: float,
    sha: object,
    who: str,
    told: str,
    inverse: str,
) -> Change:
    """about: the repository's name, which the configuration may map to a service."""
    repository = text(mapping(data.get("repository")).get("name"), NAME_MAX)
    number = subject([repository, *key])
    return Change(f"{OUTSIDE}github-{number}", at, kind, repository, "", _sha(sha), who, inverse, told)


def _reaches_users(made: Mapping[str, Any], config: HookConfig) -> bool:
    place = text(made.get("environment"), NAME_MAX).casefold()
    return made.get("production_environment") is True or place in {one.casefold() for one in config.environments}


def _sha(value: object) -> str:
    return value if isinstance(value, str) and _SHA.fullmatch(value) else ""


def _short(value: object) -> str:
    return _sha(value)[:7] or "something"


def _name(*people: object) -> str:
    found = first(*[mapping(one).get("login") or mapping(one).get("name") for one in people], longest=NAME_MAX)
    return f"{found or 'someone'} (GitHub)"
