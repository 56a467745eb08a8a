"""What a package of Node is called in logs, and which package a module, a path or a variable belongs to."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

PKG: Final = r"(?P<name>(?:@[\w.-]{1,80}/)?[a-z0-9_][\w.-]{0,100})"
FULL: Final = r"(?P<name>(?:@[\w.-]{1,80}/)?[a-zA-Z0-9_][\w.-]{0,100})"
PATH: Final = (
    r"(?:[^'\"\n]{0,300}node_modules/)?(?P<name>(?:@[\w.-]{1,80}/)?[a-zA-Z0-9_][\w.-]{0,100}(?:/[\w.@/-]{1,200})?)"
)
VER: Final = r"(?P<version>v?\d[\w.+-]{0,60})"
_BUILTIN: Final = frozenset(
    [
        "assert",
        "async_hooks",
        "buffer",
        "child_process",
        "cluster",
        "console",
        "constants",
        "crypto",
        "dgram",
        "dns",
        "domain",
        "events",
        "fs",
        "http",
        "http2",
        "https",
        "module",
        "net",
        "os",
        "path",
        "perf_hooks",
        "process",
        "punycode",
        "querystring",
        "readline",
        "repl",
        "stream",
        "string_decoder",
        "sys",
        "timers",
        "tls",
        "tty",
        "url",
        "util",
        "v8",
        "vm",
        "wasi",
        "worker_threads",
        *("zlib", "node"),
    ]
)


def of_node(file: str) -> bool:
    """Whether a file is Node's own: old ones call theirs by the module's name alone."""
    if file.startswith(("node:", "internal/")):
        return True
    stem = file.removesuffix(".js")
    return "/" not in file and (stem in _BUILTIN or stem.startswith("_") or stem == "bootstrap_node")


def package(name: str) -> str:
    """The package of a module's name or path; "" for the program's own and Node's."""
    if not name or name.startswith((".", "/", "node:", "~", "@/", "#")) or ":" in name:
        return ""
    parts = name.split("/")
    if name.startswith("@"):
        return "/".join(parts[:2]) if len(parts) > 1 else ""
    return "" if parts[0] in _BUILTIN or parts[0] in ("src", "app", "lib", "dist", "test", "components") else parts[0]


def likely(name: str, known: Collection[str]) -> str:
    """The one known package that the name is a word of; else the name."""
    near = [one for one in known if name in re.split(r"[@/._-]", one)]
    return near[0] if name not in known and len(near) == 1 else name


def dashed(name: str) -> str:
    """A variable's name as a package's: nodeFetch is node-fetch."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"-\1", name).replace("_", "-").lower()
