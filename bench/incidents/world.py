"""What really happens in an incident, and what of it is known beside its case."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from prodwise.loop.diagnose.case import (
    Case,
    Contrast,
    Exit,
    TouchFacts,
)
from prodwise.loop.diagnose.dependencies import PackageFacts
from prodwise.loop.diagnose.origins import OriginFacts
from prodwise.loop.diagnose.used_up import ClockSet, InputFacts
from prodwise.model.certificate import Credential, Kind
from prodwise.model.change import Change, ChangeKind
from prodwise.model.diagnosis import Cause

NOW = 1_780_000_000.0
OLD, NEW = "7-aaaaaaa", "8-bbbbbbb"
ROUTES = (
    "GET /",
    "GET /cart",
    "GET /product/:id",
    "POST /checkout",
    "GET /search",
    "GET /account",
    "GET /help",
    "POST /login",
)
MIB = 2**20


@dataclass(frozen=True)
class Backdrop:
    """How often innocent things happen, as chances per incident; `deploy_s`: mean seconds between innocent deploys, 0 for none;
    `updates`: that a release moves packages as well; `several`: that an app has more services than one; `watched`: that it declares
    certificates; `tokens`: that its env_file holds some that say when they end; `strays`: that programs report, as they always
    do, a certificate that has nothing to do with it."""

    deploy_s: float = 6 * 3600.0
    config: float = 0.06
    elsewhere: float = 0.05
    old_errors: float = 0.15
    missing: float = 0.15
    updates: float = 0.3
    several: float = 0.5
    watched: float = 0.5
    tokens: float = 0.3
    strays: float = 0.02


@dataclass(frozen=True)
class RanOut:
    """A certificate or token that is at fault. late_s: from its end to the onset; exchanged: for a wrong one, it did not end."""

    kind: Kind
    subject: str
    services: tuple[str, ...]
    late_s: float
    exchanged: bool = False


@dataclass
class World:
    """What really happens. fails: route → share of its requests; slow: times the usual latency; told: titles that programs report;
    aside: what services, paths, certificates and tokens are drawn with; credentials, touched: those that are known anyway."""

    rng: Random
    cause: Cause
    subject: str = ""
    onset: float = NOW - 30.0
    fails: dict[str, float] = field(default_factory=dict)
    slow: float = 1.0
    load: float = 1.0
    hung: bool = False
    exits: list[Exit] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    need_down: float | None = None  # when the needed service failed
    machine: dict[str, float] = field(default_factory=dict)
    uses: dict[str, float] = field(default_factory=dict)
    clock: list[ClockSet] = field(default_factory=list)
    inputs: list[InputFacts] = field(default_factory=list)
    packages: list[PackageFacts] = field(default_factory=list)
    origins: list[OriginFacts] = field(default_factory=list)
    contrasts: list[Contrast] = field(default_factory=list)
    alarm_only: bool = False
    kinds: tuple[str, ...] = ()
    aside: Random = field(default_factory=lambda: Random(0))
    ran_out: RanOut | None = None
    credentials: list[Credential] = field(default_factory=list)
    touched: list[TouchFacts] = field(default_factory=list)


@dataclass(frozen=True)
class Drawn:
    """subject: the release that is at fault, the needed service, … ("" = any will do, but for those that are innocent)."""

    case: Case
    cause: Cause
    subject: str = ""
    innocent: frozenset[str] = frozenset()

    def right(self, cause: Cause, subject: str) -> bool:
        return cause is self.cause and self.subject in ("", subject) and subject not in self.innocent


def change(at: float, kind: ChangeKind, before: str, after: str, name: str = "") -> Change:
    return Change(name or f"ch-{after}-{at:.0f}", at, kind, "", before, after, "ana", "rollback")


def package(sure: bool, at: float, name: str = "ledgerlib") -> PackageFacts:
    return PackageFacts(NEW, "requirements.txt", name, "1.4.0", "2.0.0", sure, "reports:web", at, "KeyError: 'price'")
