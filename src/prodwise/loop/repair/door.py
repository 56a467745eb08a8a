"""Who may be reached through the one way out of a sandbox: one host, at addresses that are on the public net."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

HEAD_MAX = 32_768
_HOST = re.compile(r"^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$")
_HOP = (
    "host:",
    "connection:",
    "proxy-connection:",
    "proxy-authorization:",
    "keep-alive:",
    "upgrade:",
    "te:",
    "expect:",
)
_INSIDE_V6 = tuple(
    ipaddress.ip_network(one) for one in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96")
)
"""IPv6 addresses that stand for an IPv4 one."""


@dataclass(frozen=True, slots=True)
class Way:
    """The only place that is reached. tls: spoken by the door itself, for requests without CONNECT; path: of the base URL;
    header, value: put into each such request, "" = none; private: addresses of this machine and its networks are allowed."""

    host: str
    port: int = 443
    tls: bool = True
    path: str = ""
    header: str = ""
    value: str = ""
    private: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """What a connection asks for first. refused: why it gets no further, "" if it does; head: what is sent on in its place."""

    method: str = ""
    place: str = ""
    refused: str = ""
    head: bytes = b""

    @property
    def is_tunnel(self) -> bool:
        return self.method == "CONNECT"


def asked(head: bytes, way: Way) -> Asked:
    """Reads the first request's head (up to its empty line): a tunnel to the host, or a request that goes to the base URL."""
    lines = head.decode("latin-1").split("\r\n")
    words = lines[0].split(" ")
    if len(words) != 3 or words[2] not in ("HTTP/1.1", "HTTP/1.0") or not re.fullmatch(r"[A-Z]{3,10}", words[0]):
        return Asked(refused="not HTTP")
    method, target = words[0], words[1]
    if method == "CONNECT":
        reached = target.lower() == f"{way.host}:{way.port}"
        return Asked(method, target[:200], "" if reached else "another place")
    if not target.startswith("/") or target.startswith("//"):
        return Asked(method, target[:200], "another place")
    if any(re.search(r"[\x00-\x1f\x7f]", line) for line in lines) or any(line[:1] in (" ", "\t") for line in lines[1:]):
        return Asked(method, target[:200], "not HTTP")
    mine = (f"{way.header.lower()}:",) if way.header else ()
    kept = [line for line in lines[1:] if line and not line.lower().replace(" ", "").startswith((*_HOP, *mine))]
    place = way.host if way.port == (443 if way.tls else 80) else f"{way.host}:{way.port}"
    added = [f"Host: {place}", "Connection: close", *([f"{way.header}: {way.value}"] if way.header else [])]
    rewritten = "\r\n".join([f"{method} {way.path}{target} HTTP/1.1", *added, *kept, "", ""])
    return Asked(method, target[:200], "", rewritten.encode("latin-1"))


def is_public(address: str) -> bool:
    """On the public net, whatever way it is written in."""
    try:
        found = ipaddress.ip_address(address.split("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return is_public(str(found.ipv4_mapped))
        if any(found in one for one in _INSIDE_V6):
            return False
    return found.is_global and not found.is_multicast and not found.is_reserved


def is_host(name: str) -> bool:
    """A name that can be looked up, in small letters; no number that some resolvers take for an address."""
    return _HOST.match(name) is not None and ".." not in name
