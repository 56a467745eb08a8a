"""Whether a known vulnerability, in the form of OSV, is one of a version; and whether a licence is among those allowed."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from prodwise.loop.diagnose.logs.python_packages import canonical
from prodwise.loop.diagnose.logs.versions import newer
from prodwise.model.breakage import Ecosystem

NAMES: Final[Mapping[Ecosystem, str]] = {
    Ecosystem.PYTHON: "PyPI", Ecosystem.NODE: "npm", Ecosystem.RUBY: "RubyGems", Ecosystem.GO: "Go", Ecosystem.PHP: "Packagist",
    Ecosystem.RUST: "crates.io", Ecosystem.JAVA: "Maven",
}  # fmt: skip


def affects(entry: Mapping[str, Any], ecosystem: Ecosystem, package: str, version: str) -> bool:
    """What is not said counts as affected: an entry without versions is of all of them. Raises ValueError for what is no entry."""
    try:
        if entry.get("withdrawn"):
            return False
        return any(_of(one, version) for one in entry["affected"] if _named(one["package"], ecosystem, package))
    except (KeyError, TypeError, AttributeError):
        raise ValueError("it is no entry of a database of vulnerabilities") from None


def _named(told: Mapping[str, Any], ecosystem: Ecosystem, package: str) -> bool:
    there, name = str(told["ecosystem"]).partition(":")[0], str(told["name"])
    if there != NAMES[ecosystem]:
        return False
    return canonical(name) == canonical(package) if ecosystem is Ecosystem.PYTHON else name == package


def _of(affected: Mapping[str, Any], version: str) -> bool:
    versions, ranges = affected.get("versions") or (), affected.get("ranges") or ()
    counted = [one for one in ranges if one["type"] != "GIT"]
    if version in versions or not (versions or counted):
        return True
    return any(_within(one["events"], version) for one in counted)


def _within(events: Sequence[Mapping[str, Any]], version: str) -> bool:
    """What the highest event that the version has reached says. Where a version cannot be put in order, it counts as affected."""
    if not version[:1].isdigit():
        return True
    state, at = False, ""
    for kind, told in ((kind, str(told)) for event in events for kind, told in event.items()):
        reached = {
            "introduced": told == "0" or not newer(told, version),
            "fixed": told == version or newer(version, told),
            "last_affected": newer(version, told),
        }
        if reached.get(kind) and (not at or (told != "0" and not newer(at, told))):
            state, at = kind == "introduced", told
    return state


def allowed(licence: str, these: Collection[str]) -> bool:
    """Of an SPDX expression: all of what AND joins, one of what OR joins. What cannot be read is not allowed."""
    wanted = {one.lower() for one in these}
    if licence.lower() in wanted:
        return True
    words = re.findall(r"[()]|[^\s()]+", licence)
    if "(" in words or any(word.upper() == "WITH" for word in words):
        return False
    choices = re.split(r"\s+OR\s+", licence)
    return any(all(part.strip().lower() in wanted for part in re.split(r"\s+AND\s+", one)) for one in choices)
