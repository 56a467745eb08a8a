"""The measured reach of a fault and of each step. What is not known counts as large, and is said."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from prodwise.model.action import ActionKind
from prodwise.model.incident import Symptom
from prodwise.model.reach import Reach, Surroundings

REQUESTS_MIN: Final = 30
"""With fewer requests of users a share says nothing."""
WRITTEN: Final = "what users did meanwhile stays as it was written"
_LOST: Final = ("requests under way that cannot be repeated are lost", "what the process held in memory only is gone")
_RELEASES: Final = frozenset(
    {ActionKind.ROLLBACK, ActionKind.SETTING, ActionKind.PIN, ActionKind.REVERT, ActionKind.PATCH}
)
_CODE: Final = frozenset({ActionKind.PIN, ActionKind.REVERT, ActionKind.PATCH})


def fault(around: Surroundings, service: str, symptoms: Iterable[Symptom]) -> Reach:
    """What the fault may meet: the whole service, or only the routes where our own eyes see all of it."""
    told = tuple(symptoms)
    ours = [one for one in told if one.ours] or told
    routes = tuple(sorted({one.route for one in ours})) if ours and all(one.route for one in ours) else ()
    return _of_fault(around, (service,) if service else _shipped(around), routes)


def on_trial(around: Surroundings, services: Sequence[str], share: float, data: str = "") -> tuple[Reach, ...]:
    """A release that goes back on its way to users: what its fault may meet, going back, and a person. share: 0…1 of users' lanes
    that led to it, at most; the others never met it. data: as in `step`."""
    both = _of_fault(around, tuple(services), ()), step(around, ActionKind.ROLLBACK, services, data=data)
    most = [one if one.unknown else _within(one, min(1.0, share)) for one in both]
    return (*most, step(around, ActionKind.HANDOVER, ()))


def _within(reach: Reach, share: float) -> Reach:
    return replace(reach, share=min(reach.share, share), requests=math.ceil(share * reach.requests))


def _of_fault(around: Surroundings, named: tuple[str, ...], routes: Sequence[str]) -> Reach:
    reach = replace(_measured(around, named, routes), what="fault")
    within = (*around.shared, *(one.callee for one in around.stores if one.caller in {*named}))
    data = f"within reach: {', '.join(dict.fromkeys(within))}" if within else "none that is known of"
    return replace(reach, data=f"{data}; whether anything was written wrongly is not known")


def step(
    around: Surroundings,
    kind: ActionKind,
    services: Sequence[str],
    *,
    data: str = "",
    lasting: Sequence[str] = (),
) -> Reach:
    """What a step on these services meets. data: why it is not known to leave data alone, "" when it does.

    A release is one build of the whole app: without a named service a new one reaches all that we ship.
    """
    if kind is ActionKind.HANDOVER:
        return Reach(kind.value, (), data="none by itself", of_services=len(around.services))
    reach = _measured(around, tuple(services) or _shipped(around))
    kept = _LOST if kind is ActionKind.RESTART else (WRITTEN,)
    return replace(
        reach,
        what=kind.value,
        data_touched=bool(data),
        code_changed=kind in _CODE,
        releases=int(kind in _RELEASES),
        data=data or "none",
        lasting=(*kept, *lasting),
    )


def _measured(around: Surroundings, services: Sequence[str], only: Sequence[str] = ()) -> Reach:
    """1. Who else meets it: those that call these services, directly or through others.
    2. At most so many of users' requests meet it as these services were asked: a request may ask more than once.
    3. Anything about it that is not known makes it as large as the app.
    """
    about = tuple(sorted(set(services)))
    callers = _closure(about, [(one.callee, one.caller) for one in around.links])
    unknown = _unknown(around, about, only)
    asked = sum(_asked(around, one, only) for one in about)
    users = around.users
    whole = users.requests if users else 0
    meets = {*about, *callers}
    share = 1.0 if unknown else math.ceil(100 * min(1.0, asked / whole)) / 100 if asked else 0.0
    return Reach(
        what="",
        services=about,
        callers=callers,
        needs=tuple(sorted({one.callee for one in (*around.links, *around.stores) if one.caller in about} - meets)),
        share=share,
        requests=whole if unknown else min(asked, whole),
        seconds=around.until - around.since,
        routes=_routes(around, about, callers, only),
        people=_people(around, about, meets, only),
        unknown=unknown,
        of_services=len(around.services),
    )


def _closure(begin: Sequence[str], pairs: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """All that is led to from these, without themselves."""
    leads: dict[str, list[str]] = {}
    for since, to in pairs:
        leads.setdefault(since, []).append(to)
    found: set[str] = set()
    todo = list(begin)
    while todo:
        for name in leads.get(todo.pop(), ()):
            if name not in found and name not in begin:
                found.add(name)
                todo.append(name)
    return tuple(sorted(found))


def _unknown(around: Surroundings, about: Sequence[str], only: Sequence[str]) -> tuple[str, ...]:
    told = []
    called = {one.callee for one in around.links}
    for name in about:
        use = around.use(name)
        if name not in around.services:
            told.append(f"{name} is not in the inventory")
        elif name in around.workers:
            if name in called:
                told.append(f"how many requests need {name}")
        elif use is None or not use.requests:
            told.append(f"how much {name} is used: no request to it was seen")
        elif name != around.front and name not in called:
            told.append(f"who calls {name}")
        elif set(only) - {one.route for one in use.routes}:
            told.append(f"how much the routes of {name} that are hit are used")
    users = around.users
    if any(name not in around.workers for name in about) and (users is None or users.requests < REQUESTS_MIN):
        told.append(f"how users use the app: fewer than {REQUESTS_MIN} of their requests were seen")
    return tuple(told)


def _asked(around: Surroundings, service: str, only: Sequence[str]) -> int:
    use = around.use(service)
    if use is None or service in around.workers:
        return 0
    return sum(one.requests for one in use.routes if one.route in only) if only else use.requests


def _routes(around: Surroundings, about: Sequence[str], callers: Sequence[str], only: Sequence[str]) -> tuple[str, ...]:
    """ "service route": those that are hit, and all of whoever calls."""
    hit = {
        f"{use.service} {one.route}"
        for use in around.uses
        for one in use.routes
        if (use.service in about and (not only or one.route in only)) or use.service in callers
    }
    return tuple(sorted(hit))


def _people(around: Surroundings, about: Sequence[str], meets: set[str], only: Sequence[str]) -> int | None:
    """At most so many: services behind the one that users reach see no cookies, so whoever uses that may meet it."""
    users = around.users
    if not meets - set(around.workers):
        return 0
    if around.front not in meets or users is None or users.people is None:
        return None
    told = [one.people for one in users.routes if one.route in only]
    if tuple(about) != (around.front,) or not told:
        return users.people
    return min(users.people, sum(one or 0 for one in told)) if None not in told else users.people


def _shipped(around: Surroundings) -> tuple[str, ...]:
    return tuple(one for one in around.services if one not in around.outside)
