"""Certificates and tokens as a test says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from prodwise.model.certificate import Credential, Endpoint


@dataclass
class FakeHandshakes:
    """Implements Handshakes. shows: what a look at an address brings; asked: ids of addresses, in order."""

    shows: Callable[[Endpoint], Credential]
    asked: list[str] = field(default_factory=list)

    def look(self, endpoint: Endpoint) -> Credential:
        self.asked.append(endpoint.id)
        return self.shows(endpoint)


@dataclass
class FakeTokens:
    """Implements Tokens."""

    known: list[Credential] = field(default_factory=list)

    def look(self) -> Sequence[Credential]:
        return tuple(self.known)
