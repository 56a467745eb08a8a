"""Who may report: a project, and the address (DSN) that its programs are given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

OWN_PROJECT: Final = 1
"""The number of the app's own project."""


@dataclass(frozen=True, slots=True)
class Project:
    """key: the public half of its DSN, 32 hex digits, which anybody who has the program can read; service: whose errors its
    reports are; forward: another receiver's DSN that everything is passed on to, "" for none."""

    id: int
    name: str
    key: str
    service: str = ""
    forward: str = ""

    def dsn(self, address: str) -> str:
        """address: "host:port" or a URL's beginning, without the path."""
        scheme, _, host = address.rpartition("://")
        return f"{scheme or 'http'}://{self.key}@{host}/{self.id}"
