"""The package manager itself, in a copy of the app: the user's folder is never worked in."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from prodwise.loop.changes.locks import difference
from prodwise.loop.choose.pins import locks_of, requirements
from prodwise.loop.choose.pins.seen import Cannot, same
from prodwise.model.errors import GateFailed
from prodwise.model.pin import Hold, PinPlan, Resolve
from prodwise.repair.programs import run
from prodwise.repair.scratch import Scratch

ALSO_MAX: Final = 8


def resolved(made: Scratch, base: str, plan: PinPlan, hold: Hold, now: Mapping[str, str], seconds: float) -> PinPlan:
    """The plan with what the tools wrote. Raises GateFailed when the lock does not name the version then; TargetError."""
    edits, told = dict(plan.edits), list(plan.told)
    with tempfile.TemporaryDirectory(prefix="prodwise-pin-") as folder:
        copy = Path(folder)
        made.check_out(base, copy)
        for step in plan.resolve:
            edits[step.lock] = _one(copy, step, {**now, **edits}, edits, hold, seconds)
            moved = [
                one
                for one in difference(step.lock, now[step.lock], edits[step.lock])
                if not same(one.name, hold.package)
            ]
            also = ", ".join(f"{one.name} {one.before or '—'} → {one.after or '—'}" for one in moved[:ALSO_MAX])
            more = f" and {len(moved) - ALSO_MAX} more" if len(moved) > ALSO_MAX else ""
            told.append(
                f"{step.lock}: resolved by {step.argv[0]}, since {step.why}" + (f"; also {also}{more}" if also else "")
            )
    return replace(plan, edits=edits, resolve=(), told=tuple(told))


def _one(
    copy: Path, step: Resolve, texts: Mapping[str, str], edits: Mapping[str, str], hold: Hold, seconds: float
) -> str:
    for path, text in edits.items():
        place = copy / path
        if place.is_symlink() or not place.resolve().is_relative_to(copy.resolve()):
            raise GateFailed(f"{path} is a link: it is not written through", "pin it by hand")
        place.write_text(text)
    wanted = f"{hold.package}=={hold.version}"
    if step.argv[-1] == "-":
        line = run(step.argv, copy / step.folder, seconds, given=wanted + "\n")
        found = requirements.pinned(texts[step.lock], hold, line)
        if isinstance(found, Cannot):
            raise GateFailed(f"{step.lock}: {found.reason}", "the index has no hashes of it")
        return found
    run(step.argv, copy / step.folder, seconds)
    text = (copy / step.lock).read_text()
    if locks_of(hold.package, {step.lock: text}).get(step.lock) != hold.version:
        raise GateFailed(
            f"{step.argv[0]} did not put {wanted} into {step.lock}", "another package may need a newer one"
        )
    return text
