"""Reach in words."""

from __future__ import annotations

from prodwise.model.reach import Reach

NAMED_MAX = 4


def text(reach: Reach) -> str:
    """ "web (83 % of requests, 12 routes, ~340 people); no other service calls it; writes data: no"."""
    if not reach.services:
        return "nothing by itself"
    parts = [f"{named(reach.services)} ({', '.join(_figures(reach))})"]
    nobody = "no service is known to call it" if reach.unknown else "no other service calls it"
    parts.append(f"called by {named(reach.callers)}" if reach.callers else nobody)
    if reach.what != "fault":
        parts.append(f"writes data: {reach.data if reach.data_touched else 'no'}")
    if reach.unknown:
        parts.append(f"not known, and so taken for all: {'; '.join(reach.unknown)}")
    return "; ".join(parts)


def _figures(reach: Reach) -> list[str]:
    if reach.unknown:
        return ["taken for all requests"]
    if not reach.share and not reach.routes:
        return ["takes no requests"]
    routes = f"{len(reach.routes)} route{'' if len(reach.routes) == 1 else 's'}"
    return [f"{share(reach)} of requests", routes, people(reach)]


def share(reach: Reach) -> str:
    percent = f"{100 * reach.share:.0f} %"
    exact = reach.share in (0.0, 1.0) or not reach.callers
    return percent if exact else f"at most {percent}"


def people(reach: Reach) -> str:
    if reach.people is None:
        return "how many people is not known"
    if not reach.people:
        return "nobody"
    return f"~{reach.people:,} {'person' if reach.people == 1 else 'people'}"


def named(names: tuple[str, ...]) -> str:
    """The first few; how many more."""
    more = f" and {len(names) - NAMED_MAX} more" if len(names) > NAMED_MAX else ""
    return ", ".join(names[:NAMED_MAX]) + more
