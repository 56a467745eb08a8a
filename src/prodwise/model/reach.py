"""How far something reaches: who calls whom, how each service is used, and what of that a fault or a step meets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from prodwise.model.action import Footprint

PATHS_UNKNOWN = 1_000
"""Counts as this many routes, more than are ever kept of a service: unknown reach is large."""


@dataclass(frozen=True, slots=True)
class RouteUse:
    """people: different browsers; None when requests came and none of them kept cookies."""

    route: str
    requests: int
    people: int | None


@dataclass(frozen=True, slots=True)
class Use:
    """How a service was used lately, as the proxy saw it. people: over all routes, None as in RouteUse."""

    service: str
    requests: int
    people: int | None
    routes: tuple[RouteUse, ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """One service calls another. told_by: "declared" (its `needs`) or "traces"."""

    caller: str
    callee: str
    told_by: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What reach is measured by. since, until: Unix seconds that the uses cover.

    front: the service that users reach; workers: services that take no requests; outside: services outside our control;
    stores: databases and other parts that traces name and no service of ours is; shared: files that all releases write.
    """

    since: float
    until: float
    front: str
    services: tuple[str, ...]
    workers: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    uses: tuple[Use, ...] = ()
    links: tuple[Link, ...] = ()
    stores: tuple[Link, ...] = ()
    shared: tuple[str, ...] = ()

    def use(self, service: str) -> Use | None:
        return next((one for one in self.uses if one.service == service), None)

    @property
    def users(self) -> Use | None:
        """How users use the app."""
        return self.use(self.front)


@dataclass(frozen=True, slots=True)
class Reach:
    """What a fault or a step meets. share (0…1 of users' requests), people and routes are upper bounds.

    services: those that it is about; callers: others that meet it because they call these; needs: what these call. people: None
    when not known. data, lasting: what happens to data, and what cannot be undone, in words. unknown: why it counts as large.
    """

    what: str  # "fault", or an action's kind
    services: tuple[str, ...]
    callers: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    share: float = 0.0
    requests: int = 0
    seconds: float = 0.0
    routes: tuple[str, ...] = ()
    people: int | None = 0
    data_touched: bool = False
    code_changed: bool = False
    releases: int = 0
    data: str = ""
    lasting: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    of_services: int = 0

    @property
    def footprint(self) -> Footprint:
        """Unknown counts as all services and all routes."""
        services = len({*self.services, *self.callers})
        return Footprint(
            data_touched=self.data_touched,
            code_changed=self.code_changed,
            releases_changed=self.releases,
            traffic_share=self.share,
            services=max(services, self.of_services) if self.unknown else services,
            paths=PATHS_UNKNOWN if self.unknown else min(len(self.routes), PATHS_UNKNOWN - 1),
        )

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Reach:
        """Raises TypeError when it is none."""
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in data.items()
        }
        return cls(**values)
