"""The list of holds is Prodwise's own: a pin may write into it the one hold that belongs to it, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Final

from prodwise.loop.changes.locks import is_lock
from prodwise.loop.choose.pins import holds_in
from prodwise.loop.choose.pins.holds import held
from prodwise.loop.choose.pins.plan import sound
from prodwise.loop.choose.pins.seen import same, version_in
from prodwise.loop.diagnose.logs.manifests import ecosystem_of
from prodwise.model.errors import UsageError
from prodwise.model.pin import HOLDS_FILE, Hold

DAYS_MAX: Final = 31
SPEC_MAX: Final = 100


def other_holds(texts: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    """Why the file is more, or other, than what was in it with the pin's hold. texts, after: of the changed files."""
    before, now = texts.get(HOLDS_FILE, ""), after.get(HOLDS_FILE, "")
    try:
        old = holds_in(before)
        new = [one for one in holds_in(now) if one not in old]
        if len(new) != 1:
            yield f"{HOLDS_FILE}: {len(new)} holds are new, a pin writes one"
            return
        if held(before, new[0]) != now:
            yield f"{HOLDS_FILE}: more than one hold is changed, or it is not written as Prodwise writes it"
            return
        standing = next((one for one in old if same(one.package, new[0].package)), None)
        yield from _unfounded(new[0], standing, texts, after)
    except UsageError as error:
        yield f"{error.message}"


def _unfounded(hold: Hold, standing: Hold | None, texts: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    """1. It says no more than a name, a version, a reason and dates. 2. A lock of this change goes to that version of that package.
    3. What it would give back later is what was asked for before."""
    if sound(hold) != hold:
        yield f"{HOLDS_FILE}: the reason is too long, or holds what is not seen"
    if hold.expires - hold.since > timedelta(days=DAYS_MAX):
        yield f"{HOLDS_FILE}: a hold by itself lasts {DAYS_MAX} days at most"
    if not any(_goes(path, hold, texts, after) for path in after if is_lock(path)):
        yield f"{HOLDS_FILE}: no lock goes to {hold.package} {hold.version} with this change"
    for path, spec in hold.was.items():
        if (standing is None or standing.was.get(path) != spec) and not _was(path, spec, hold, texts):
            yield f"{HOLDS_FILE}: {path} did not ask for {hold.package} in that way"


def _goes(path: str, hold: Hold, texts: Mapping[str, str], after: Mapping[str, str]) -> bool:
    now, then = (version_in(path, of.get(path, ""), hold.package) for of in (texts, after))
    return then == hold.version != now and ecosystem_of(path) is hold.ecosystem


def _was(path: str, spec: str, hold: Hold, texts: Mapping[str, str]) -> bool:
    """Nothing; the version itself; or what stands beside the package's name in the file as it is."""
    if spec in ("", f"=={hold.version}"):
        return True
    lines = texts.get(path, "").splitlines()
    return len(spec) <= SPEC_MAX and any(hold.package.lower() in line.lower() and spec in line for line in lines)
