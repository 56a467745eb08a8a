"""A pin from a repository: which version, from which commit, and the diff."""

from __future__ import annotations

import difflib
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from prodwise.loop.changes.locks import is_lock, packages
from prodwise.loop.choose.pins import holds_in, last_good, locks_of, planned, releasing, seen
from prodwise.loop.choose.pins.plan import sound
from prodwise.loop.choose.pins.seen import same
from prodwise.loop.diagnose.logs.manifests import ecosystem_of
from prodwise.model.breakage import Ecosystem
from prodwise.model.errors import Refused, UsageError
from prodwise.model.pin import HOLDS_FILE, Hold, PinPlan, Seen
from prodwise.repair.pins.resolve import resolved
from prodwise.repair.scratch import Scratch

FILES_MAX: Final = 200
HISTORY_MAX: Final = 60
_BESIDE: Final = ("pyproject.toml", "package.json")


@dataclass(frozen=True, slots=True)
class Pinned:
    """The plan, whole; its diff against the base; seen: where the version was found, None for one that was never here."""

    plan: PinPlan
    diff: str
    seen: Seen | None


def manifests(made: Scratch, commit: str) -> dict[str, str]:
    """Manifests, locks and holds of a commit, by path."""
    paths = [path for path in made.files(commit) if _ours(path)][:FILES_MAX]
    texts = ((path, made.text(commit, path)) for path in paths)
    return {path: text for path, text in texts if text is not None}


def _ours(path: str) -> bool:
    if "node_modules/" in path or path.startswith("vendor/"):
        return False
    return path == HOLDS_FILE or ecosystem_of(path) is not None


def versions(made: Scratch, base: str, now: Mapping[str, str], package: str) -> dict[str, tuple[Seen, ...]]:
    """Lock → versions of the package in its history, newest first. Raises UsageError naming near packages."""
    locks = locks_of(package, now)
    if not locks:
        raise UsageError(f"no lock file here names {package!r}", _near(package, now))
    return {path: seen(path, made.history(path, HISTORY_MAX, base), package) for path in locks}


def _near(package: str, now: Mapping[str, str]) -> str:
    names: set[str] = set()
    for path, text in now.items():
        try:
            names |= set(packages(path, text)) if is_lock(path) else set()
        except ValueError:
            continue
    alike = difflib.get_close_matches(package, sorted(names), n=3)
    return (
        f"did you mean {' or '.join(alike)}?" if alike else "`prodwise pin` works on what a committed lock file names"
    )


def good(package: str, now: Mapping[str, str], known: Mapping[str, tuple[Seen, ...]]) -> Seen:
    """The version to go back to: a hold's that stands, else the last one that was older. Raises Refused where none was."""
    held = next((one for one in holds_in(now.get(HOLDS_FILE, "")) if same(one.package, package)), None)
    current = locks_of(package, now)
    for path, versions_of in known.items():
        if held is not None and (found := next((one for one in versions_of if one.version == held.version), None)):
            return found
        if found := last_good(versions_of, current[path]):
            return found
    raise Refused(
        f"the history of {', '.join(known)} has no older version of {package}",
        f"name one that you trust: prodwise pin {package}==VERSION",
    )


def ecosystem(package: str, now: Mapping[str, str]) -> Ecosystem:
    found = ecosystem_of(next(iter(locks_of(package, now))))
    return found or Ecosystem.PYTHON


def then(made: Scratch, known: Mapping[str, tuple[Seen, ...]], version: str) -> dict[str, str]:
    """Each lock, and the manifest beside it, as they were when the lock last named the version."""
    found: dict[str, str] = {}
    for path, versions_of in known.items():
        at = next((one for one in versions_of if one.version == version), None)
        beside = [posixpath.join(posixpath.dirname(path), name) for name in _BESIDE]
        for one in (path, *beside) if at is not None else ():
            text = made.text(at.commit, one) if at else None
            if text is not None:
                found[one] = text
    return found


def pinned(made: Scratch, base: str, hold: Hold, seconds: float, renew: bool = False) -> Pinned:
    """hold.version "": the last good one; its ecosystem is found. Raises UsageError, Refused, and TargetError of the tools."""
    now = manifests(made, base)
    known = versions(made, base, now, hold.package)
    chosen = None if hold.version else good(hold.package, now, known)
    wanted = chosen.version if chosen else hold.version
    hold = sound(replace(hold, version=wanted, ecosystem=ecosystem(hold.package, now)))
    before = then(made, known, wanted)
    plan = planned(now, before, hold, made.files(base), renew)
    if plan.resolve:
        plan = resolved(made, base, plan, hold, now, seconds)
    found = chosen or next((one for many in known.values() for one in many if one.version == wanted), None)
    return Pinned(plan, made.diff(base, made.tree_with(base, dict(plan.edits))) if plan.edits else "", found)


def released(made: Scratch, base: str, package: str) -> tuple[tuple[str, ...], str]:
    """(paths that change, the diff) of the end of a hold."""
    edits = releasing(manifests(made, base), package)
    texts = {path: text or None if path == HOLDS_FILE else text for path, text in edits.items()}
    return tuple(edits), made.diff(base, made.tree_with(base, texts))


def held(made: Scratch, base: str) -> tuple[Hold, ...]:
    return holds_in(made.text(base, HOLDS_FILE) or "")
