"""Certificates and tokens: what is valid for a time only, as it was last looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Standing(StrEnum):
    """How one stands now. UNKNOWN: nobody could look, which is never fine."""

    FINE = "fine"
    WANING = "waning"  # it runs out within two weeks
    ENDING = "ending"  # it runs out within three days
    OVER = "over"
    EARLY = "early"  # its time has not begun
    OTHER_NAME = "other_name"  # it is for another name than the one that is called
    UNTRUSTED = "untrusted"  # nobody whom this machine trusts stands behind it
    UNKNOWN = "unknown"

    @property
    def valid(self) -> bool:
        return self in (Standing.FINE, Standing.WANING, Standing.ENDING)

    @property
    def refused(self) -> bool:
        """Whoever checks it turns away."""
        return not self.valid and self is not Standing.UNKNOWN


class Kind(StrEnum):
    CERTIFICATE = "certificate"
    TOKEN = "token"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address that is called by TLS. services: those that call it, or are reached by it."""

    host: str
    port: int
    services: tuple[str, ...]

    @property
    def id(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Credential:
    """One look at a certificate or token. Times are Unix seconds.

    subject: the address, or the variable's name; services: whose it is, () = the whole app's; code: OpenSSL's verdict (0 = it
    verifies), None where none was reached; why: the same in words; fine_at: when it was last seen valid, bad_at: since when it
    was seen refused; 0 = never.
    """

    kind: Kind
    subject: str
    services: tuple[str, ...]
    at: float
    not_before: float | None = None
    not_after: float | None = None
    code: int | None = None
    why: str = ""
    fine_at: float = 0.0
    bad_at: float = 0.0

    @property
    def id(self) -> str:
        return f"{self.kind.value} {self.subject}"

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Credential:
        return cls(**{**data, "kind": Kind(data["kind"]), "services": tuple(data["services"])})
