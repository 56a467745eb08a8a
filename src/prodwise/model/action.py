"""What can be done, how far it reaches, and how it is undone."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ActionKind(StrEnum):
    RESTART = "restart"
    FLAG_OFF = "flag_off"
    ROLLBACK = "rollback"
    PIN = "pin"
    SETTING = "setting"  # of a file in the repository, back to what it was
    REVERT = "revert"
    PATCH = "patch"
    HANDOVER = "handover"  # a person
    DEPLOY = "deploy"
    PROMOTE = "promote"


class Tier(StrEnum):
    """How much autonomy an action needs."""

    T0 = "T0"  # observe, draft
    T1 = "T1"  # restart one instance, flag off
    T2 = "T2"  # roll back, pin
    T3 = "T3"  # revert or patch by PR
    T4 = "T4"  # data, schema, identity, network, delete: never automatic


TIER_OF = {
    ActionKind.HANDOVER: Tier.T0,
    ActionKind.RESTART: Tier.T1,
    ActionKind.FLAG_OFF: Tier.T1,
    ActionKind.ROLLBACK: Tier.T2,
    ActionKind.PIN: Tier.T2,
    ActionKind.SETTING: Tier.T2,
    ActionKind.REVERT: Tier.T3,
    ActionKind.PATCH: Tier.T3,
    ActionKind.DEPLOY: Tier.T2,
    ActionKind.PROMOTE: Tier.T2,
}


@dataclass(frozen=True, slots=True, order=True)
class Footprint:
    """How far an action reaches. Totally ordered, field by field: this *is* "smallest".

    traffic_share: 0…1 of the app's requests that meet the change; services, paths: how many are touched.
    """

    data_touched: bool
    code_changed: bool
    releases_changed: int
    traffic_share: float
    services: int
    paths: int


@dataclass(frozen=True, slots=True)
class Action:
    """kind, exact target ids from the inventory, parameters, footprint and undo (empty: state-neutral, none needed)."""

    kind: ActionKind
    service: str
    targets: tuple[str, ...]
    params: tuple[tuple[str, str], ...]
    footprint: Footprint
    undo: str

    @property
    def tier(self) -> Tier:
        return TIER_OF[self.kind]

    @property
    def words(self) -> str:
        """ "restart web", "go back to release 6-6c12aaa"."""
        goes_back = self.kind is ActionKind.ROLLBACK
        return f"go back to release {self.param('to')}" if goes_back else f"{self.kind.value} {self.service}"

    def param(self, name: str) -> str:
        return dict(self.params).get(name, "")
