"""What is valid for a time only, looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from prodwise.model.certificate import Credential, Endpoint


class Handshakes(Protocol):
    """Looks at certificates."""

    def look(self, endpoint: Endpoint) -> Credential:
        """One TLS handshake, within seconds, and nothing sent after it. What could not be seen is told as not known. Never raises."""


class Tokens(Protocol):
    """Knows of tokens until when they are valid."""

    def look(self) -> Sequence[Credential]:
        """Those whose value says it, by the name of their variable; no value leaves it. Never raises."""
