"""What of a repository a package manager may see outside the sandbox: settings that say what a lock means. Programs, plugins, hooks,
places and credentials stay behind, and so do locks for which code would run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from prodwise.loop.choose.pins import manifest
from prodwise.loop.choose.pins.seen import Cannot

_NPM: Final = frozenset({
    "registry", "legacy-peer-deps", "strict-peer-deps", "install-strategy", "install-links", "omit-lockfile-registry-resolved",
    "auto-install-peers", "strict-peer-dependencies", "resolve-peers-from-workspace-root", "dedupe-peer-dependents",
    "node-linker", "hoist", "hoist-pattern", "public-hoist-pattern", "shamefully-hoist", "exclude-links-from-lockfile",
})  # fmt: skip
_KEPT: Final[Mapping[str, frozenset[str]]] = {
    ".yarnrc.yml": frozenset({
        "nodeLinker", "nmHoistingLimits", "compressionLevel", "checksumBehavior", "defaultSemverRangePrefix", "npmRegistryServer",
        "packageExtensions", "supportedArchitectures", "enableTransparentWorkspaces",
    }),
    "pnpm-workspace.yaml": frozenset({
        "packages", "overrides", "packageExtensions", "catalog", "catalogs", "ignoredOptionalDependencies", "autoInstallPeers",
        "excludeLinksFromLockfile", "strictPeerDependencies", "resolvePeersFromWorkspaceRoot", "dedupePeerDependents",
        "injectWorkspacePackages", "linkWorkspacePackages", "nodeLinker", "hoist", "hoistPattern", "publicHoistPattern",
        "shamefullyHoist", "supportedArchitectures",
    }),
}  # fmt: skip
_TOML: Final = ("pyproject.toml", "uv.toml")
SETTINGS: Final = (".npmrc", *_KEPT, *_TOML)
_KEY: Final = re.compile(r"([A-Za-z]\w*):(?:\s|$)")
_INI: Final = re.compile(r"\s*([\w-]+|@[\w.-]+:registry)(?:\[\])?\s*=\s*([^\s$]*)\s*")
_SAID: Final = re.compile(r"^\s*\"?deprecated\"?:.*$", re.MULTILINE)
_FORM: Final = re.compile(
    r"^(?:lockfileVersion: '?|\s*\"lockfileVersion\": |lock-version = \"|lock_version = \"|# yarn lockfile v"
    r"|__metadata:\n  version: )([\d.]+)", re.MULTILINE,
)  # fmt: skip
_RUNS: Final = (
    ("an `exec:` dependency", re.compile(r"[@:\s\"']exec:")),
    ("a dependency from git", re.compile(
        r"git\+|\bgit@|[@:\s\"']git:|\btype: git\b|\bssh:|\.git(?:#|\b)|^type = \"git\"|^git = ", re.M)),
    ("a dependency from a folder or an address", re.compile(r"^type = \"(?:directory|url|file)\"", re.M)),
    (".pnpmfile.cjs", re.compile(r"^pnpmfileChecksum:", re.M)),
    ("an editable package", re.compile(r"^\s*(?:-e|--editable)", re.M)),
    ("a file of another folder", re.compile(r"^\s*(?:-[rc]|--requirements?|--constraints?)[\s=]*\S*[/\\$:]", re.M)),
)  # fmt: skip


def kept(name: str, text: str) -> str | Cannot:
    """The file with nothing but what it says of locks; Cannot where it is not laid out so that this can be told."""
    if name == ".npmrc":
        rows = (_INI.fullmatch(line) for line in text.splitlines())
        return "".join(f"{row[0].strip()}\n" for row in rows if row and (row[1] in _NPM or row[1][0] == "@"))
    if name in _TOML:
        return manifest.kept(name, text)
    found = _blocks(text)
    if isinstance(found, Cannot):
        return Cannot(f"{name} cannot be read: {found.reason}")
    return "".join(block for key, block in found if key in _KEPT[name])


def setting(text: str, key: str) -> str:
    """A plain value of a YAML file's own level; "" where it is not there."""
    found = _blocks(text)
    line = next((block for name, block in found if name == key), "") if not isinstance(found, Cannot) else ""
    return line.partition(":")[2].partition(" #")[0].strip().strip("\"'")


def _blocks(text: str) -> list[tuple[str, str]] | Cannot:
    """(key, its lines) of YAML that is a plain mapping at its own level."""
    found: list[tuple[str, str]] = []
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#") or line.rstrip() == "---":
            continue
        if key := _KEY.match(line):
            found.append((key[1], f"{line}\n"))
        elif found and line[0] in " -":
            found[-1] = (found[-1][0], f"{found[-1][1]}{line}\n")
        else:
            return Cannot(f"line {line[:40]!r}")
    return found


def code(lock: str) -> str:
    """What in the text of a lock has its tool run code of others; "" for nothing."""
    text = _SAID.sub("", lock)
    return next((what for what, pattern in _RUNS if pattern.search(text)), "")


def form(lock: str) -> str:
    """Which kind of its tool's locks it is, as it says itself."""
    found = _FORM.search(lock)
    return found[1] if found else ""
