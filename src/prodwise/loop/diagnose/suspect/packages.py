"""Which dependencies a commit changed, and which of them an error passes through, names or uses."""

from __future__ import annotations

import re
from typing import Final

from prodwise.loop.diagnose.logs.python_packages import PUBLISHED, canonical
from prodwise.loop.diagnose.suspect.kinds import Kind, kind_of
from prodwise.model.commit import Commit
from prodwise.model.event import Frame

_VERSION = r"[\"']?[\^~<>=! ]*v?\d[\w.+*-]*"
_PINS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        rf"^\s*[\"']?(?P<name>[A-Za-z][\w.-]*)(?:\[[\w, -]*\])?\s*(?:[=<>!~]=?=?)\s*(?P<version>{_VERSION})",  # requirements, TOML
        rf"^\s*\"(?:node_modules/)?(?P<name>@?[\w.-]+(?:/[\w.-]+)?)\"\s*:\s*(?P<version>\"{_VERSION}|\{{)",  # package.json
        r"^\s*[\"']?/?(?P<name>@?[\w.-]+(?:/[\w.-]+)?)@(?P<version>[^:\"']+)[\"']?:",  # yarn, pnpm
        r"^\s{0,6}(?P<name>[a-z][\w.-]*) \((?P<version>[~<>= ]*\d[\w., ]*)\)",  # Gemfile.lock
        r"^\s*(?:require\s+)?(?P<name>[\w.-]+\.[a-z]+/[\w./-]+)\s+(?P<version>v\d\S*)",  # go.mod
        r"^\s*name\s*=\s*\"(?P<name>[\w.-]+)\"(?P<version>)",  # uv.lock, poetry.lock, Cargo.lock
        r"^\s*[\"']?(?P<name>[A-Za-z][\w.-]*)[\"']?(?:\[[\w, -]*\])?,?(?P<version>)\s*$",  # a bare name
    )
)
_NOT_PACKAGES = frozenset(
    ("version", "name", "python", "requires-python", "node", "lockfileversion", "resolved", "integrity", "license",
     "description", "main", "private", "author", "source", "sdist", "wheels", "dependencies", "scripts")
)  # fmt: skip
_INSTALLED = re.compile(
    r"(?:site-packages|dist-packages)/(?P<python>[^/]+)|node_modules/(?P<node>(?:@[^/]+/)?[^/]+)(?!.*node_modules/)"
    r"|gems/(?P<gem>[A-Za-z_-]+?)-\d|pkg/mod/(?P<go>[^@]+)@"
)


def changed_packages(commit: Commit) -> dict[str, str]:
    """Each package that the commit added, removed or moved to another version, and the file that says so."""
    found: dict[str, str] = {}
    for change in commit.own():
        path = change.path or change.before
        if kind_of(path) is not Kind.PACKAGES:
            continue
        before = [pin for hunk in change.hunks for line in hunk.removed if (pin := _pin(line))]
        after = [pin for hunk in change.hunks for line in hunk.added if (pin := _pin(line))]
        for name, _ in set(before) ^ set(after):
            found.setdefault(name, path)
    return found


def _pin(line: str) -> tuple[str, str] | None:
    for pattern in _PINS:
        found = pattern.match(line[:300])
        if found and found["name"].lower() not in _NOT_PACKAGES:
            return plain(found["name"]), found["version"].strip("\"' ")
    return None


def plain(name: str) -> str:
    """One spelling for a package: as its index compares names."""
    return canonical(name.strip()) if "/" not in name else name.strip().lower()


def package_of(module: str) -> str:
    """The package that a module or an import path belongs to; "" for a relative one."""
    if module.startswith((".", "/")):
        return ""
    if module.startswith("@"):
        return "/".join(module.split("/")[:2]).lower()
    top = re.split(r"[./]", module, maxsplit=1)[0]
    return PUBLISHED.get(top) or plain(top)


def package_in(frame: Frame) -> str:
    """The package whose code a frame lies in; "" for none that can be told."""
    found = _INSTALLED.search(frame.file[-400:].replace("\\", "/"))
    if found is None or found.lastgroup is None:
        return ""
    name = found[found.lastgroup]
    return package_of(name.removesuffix(".py")) if found.lastgroup == "python" else name.lower()
