"""Addresses in prodwise.toml: where we listen, and where others are called by TLS."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from typing import Annotated, Final

from pydantic import AfterValidator

from prodwise.model.certificate import Endpoint

TLS_PORT: Final = 443
ENDPOINTS_MAX: Final = 50
_NAME = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(\.(?!-)[A-Za-z0-9_-]{1,63})*")


def _host_port(address: str) -> str:
    """ "host:port", the host may be left out; port 0 to 65535."""
    _, colon, port = address.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise ValueError(f"must be HOST:PORT like 127.0.0.1:8000, with a port up to 65535, not {address!r}")
    return address


def _tls_address(address: str) -> str:
    """ "host" or "host:port"; an IPv6 address in brackets."""
    host, port = split(address)
    if not (0 < port <= 65_535 and len(host) <= 253 and (_NAME.fullmatch(host) or _is_ip(host))):
        raise ValueError(f"must be HOST or HOST:PORT like api.example.com, without https:// and path, not {address!r}")
    return address


Address = Annotated[str, AfterValidator(_host_port)]
TlsAddress = Annotated[str, AfterValidator(_tls_address)]


def split(address: str) -> tuple[str, int]:
    """(host, port); the port is 443 where none is named, 0 for what is none."""
    host, colon, port = address.rpartition(":")
    if not colon or address.endswith("]"):
        host, port = address, str(TLS_PORT)
    return host.strip("[]"), int(port) if port.isascii() and port.isdigit() and len(port) <= 5 else 0


def endpoints(declared: Iterable[tuple[str, Sequence[str]]]) -> tuple[Endpoint, ...]:
    """From (service, its addresses): each address once, with all that it belongs to."""
    whose: dict[tuple[str, int], list[str]] = {}
    for service, addresses in declared:
        for place in map(split, addresses):
            if place[0] and place[1]:
                whose.setdefault((place[0].lower(), place[1]), []).append(service)
    return tuple(
        Endpoint(host, port, tuple(dict.fromkeys(names))) for (host, port), names in [*whose.items()][:ENDPOINTS_MAX]
    )


def is_named(address: str) -> bool:
    """Whether the host is a name that others know. Without one the proxy makes a certificate of its own, for nobody who checks."""
    host, port = split(address)
    return port > 0 and "." in host and not _is_ip(host)


def _is_ip(host: str) -> bool:
    try:
        return bool(ipaddress.ip_address(host))
    except ValueError:
        return False
