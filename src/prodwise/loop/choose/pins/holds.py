"""`.prodwise-holds.toml`: what is held, why, and until when. It is committed with the app, and people may edit it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

import tomlkit
from tomlkit.exceptions import TOMLKitError

from prodwise.loop.choose.pins import asked, npm, requirements, uv
from prodwise.loop.choose.pins.seen import same
from prodwise.model.breakage import Ecosystem
from prodwise.model.errors import UsageError
from prodwise.model.pin import HOLDS_FILE, Hold

HEAD: Final = (
    "# Packages that are held at a version. `prodwise pin --list` shows them, `prodwise pin --release NAME` ends one.\n"
)


def holds_in(text: str) -> tuple[Hold, ...]:
    """Raises UsageError for what cannot be understood: a hold is never passed over."""
    try:
        rows = tomllib.loads(text).get("hold", [])
        return tuple(_hold(row) for row in rows)
    except (tomllib.TOMLDecodeError, KeyError, ValueError, TypeError, AttributeError) as error:
        what = f"{type(error).__name__}: {str(error)[:100]}"
        needs = "each [[hold]] has package, ecosystem, version, reason, since, expires"
        raise UsageError(f"{HOLDS_FILE} cannot be read ({what})", needs) from None


def _hold(row: Mapping[str, object]) -> Hold:
    since, expires, was = row["since"], row["expires"], row.get("was", {})
    if type(since) is not date or type(expires) is not date or not isinstance(was, Mapping):
        raise ValueError("since and expires are dates, was is a table")
    texts = {str(path): str(spec) for path, spec in was.items()}
    return Hold(
        str(row["package"]), Ecosystem(str(row["ecosystem"])), str(row["version"]), str(row["reason"]), since, expires, texts,
    )  # fmt: skip


def held(text: str, hold: Hold) -> str:
    """The file with this hold in the place of an older one of the same package."""
    try:
        document = tomlkit.parse(text or HEAD)
    except TOMLKitError as error:
        raise UsageError(f"{HOLDS_FILE} cannot be read ({str(error)[:100]})", "mend it first") from None
    row = tomlkit.table()
    facts = ("package", hold.package), ("ecosystem", hold.ecosystem.value), ("version", hold.version)
    for key, value in (*facts, ("reason", hold.reason), ("since", hold.since), ("expires", hold.expires)):
        row.add(key, value)
    if hold.was:
        was = tomlkit.inline_table()
        was.update(dict(hold.was))
        row.add("was", was)
    rows = document.get("hold")
    if rows is None:
        rows = document["hold"] = tomlkit.aot()
        rows = document["hold"]
    at = next((i for i, one in enumerate(rows) if same(str(one.get("package")), hold.package)), None)
    if at is None:
        rows.append(row)
    else:
        for key in list(rows[at]):
            if key not in row:
                del rows[at][key]
        rows[at].update(row)
    return tomlkit.dumps(document)


def without(text: str, package: str) -> str:
    """The file without the package's hold; "" when no hold is left."""
    document = tomlkit.parse(text)
    rows = document["hold"]
    kept = [i for i, one in enumerate(rows) if not same(str(one.get("package")), package)]
    if not kept:
        return ""
    for at in reversed(range(len(rows))):
        if at not in kept:
            del rows[at]
    return tomlkit.dumps(document)


def due(holds: Sequence[Hold], today: date) -> tuple[Hold, ...]:
    """Those that have run out: they hold on, and say so, until somebody ends them."""
    return tuple(one for one in holds if one.expires < today)


def releasing(files: Mapping[str, str], package: str) -> dict[str, str]:
    """Path → text without the hold; the locks stay at the version until the next update. Raises UsageError for what is not held."""
    text = files.get(HOLDS_FILE, "")
    hold = next((one for one in holds_in(text) if same(one.package, package)), None)
    if hold is None:
        raise UsageError(f"{package} is not held", "`prodwise pin --list` shows what is")
    edits = {HOLDS_FILE: without(text, package)}
    for path, spec in hold.was.items():
        if path in files:
            edits |= _given_back(files, path, hold, spec)
    return {path: new for path, new in edits.items() if new != files[path]}


def _given_back(files: Mapping[str, str], path: str, hold: Hold, spec: str) -> dict[str, str]:
    if path.endswith("pyproject.toml"):
        return _asked_again(files, path, hold, spec)
    if path.endswith("package.json"):
        return npm.released(files, path, hold.package, hold.version, spec)
    return {path: requirements.released(files[path], hold.package, spec)}


def _asked_again(files: Mapping[str, str], path: str, hold: Hold, spec: str) -> dict[str, str]:
    """pyproject.toml without uv's constraint, and with what was asked for before; and the locks that repeat it."""
    folder = path.rpartition("/")[0]
    uv_lock, *others = (f"{folder}/{name}" if folder else name for name in ("uv.lock", "poetry.lock", "pdm.lock"))
    edits = {path: uv.constrained(files[path], hold.package, "", hold.version)}
    if uv_lock in files:
        edits[uv_lock] = uv.lock_constrained(files[uv_lock], hold.package, "", hold.version)
    for lock in (one for one in others if one in files):
        if asked.spec_of(edits[path], hold.package) == asked.exactly(edits[path], hold.package, hold.version):
            both = asked.respecified(edits[path], files[lock], hold.package, spec)
            edits |= {path: both[0], lock: both[1]} if both else {}
    return edits
