"""The package manager itself, in a copy of the app: the user's folder is never worked in."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from prodwise.loop.changes.locks import difference
from prodwise.loop.choose.pins import locks_of, requirements
from prodwise.loop.choose.pins.manifest import builds
from prodwise.loop.choose.pins.seen import Cannot, same
from prodwise.loop.choose.pins.settings import SETTINGS, form, kept
from prodwise.model.errors import GateFailed
from prodwise.model.pin import Hold, PinPlan, Resolve
from prodwise.repair.pins.managers import TAME, YARN_SETTINGS, right_yarn
from prodwise.repair.programs import run
from prodwise.repair.scratch import Scratch

ALSO_MAX: Final = 8
HOOKS: Final = (".yarnrc", ".pnpmfile.cjs", ".pnpmfile.mjs", ".python-version", ".python-versions")
"""Files of a repository that name programs, or are code, of a package manager."""
INTERPRETERS: Final = ".venv"
"""What uv takes for an environment, and whose interpreter it runs to know its version."""


def resolved(made: Scratch, base: str, plan: PinPlan, hold: Hold, now: Mapping[str, str], seconds: float) -> PinPlan:
    """The plan with what the tools wrote. Raises GateFailed when the lock does not name the version then; TargetError."""
    edits, told = dict(plan.edits), list(plan.told)
    with tempfile.TemporaryDirectory(prefix="prodwise-pin-") as folder:
        copy = Path(folder)
        made.check_out(base, copy)
        tamed(copy)
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


def tamed(copy: Path) -> None:
    """Settings say what a lock means and no more; what they do not hold is run by nobody. Raises GateFailed."""
    for folder, inside, names in os.walk(copy):
        if INTERPRETERS in (*inside, *names):
            _remove(Path(folder, INTERPRETERS))
            inside[:] = [one for one in inside if one != INTERPRETERS]
        for name in set(names) & {*SETTINGS, *HOOKS}:
            file = Path(folder, name)
            text = "" if file.is_symlink() or name in HOOKS else _tame(name, file.read_text(errors="replace"))
            file.unlink()
            if text:
                file.with_name(YARN_SETTINGS if name == ".yarnrc.yml" else name).write_text(text)


def _tame(name: str, text: str) -> str:
    told = kept(name, text)
    if isinstance(told, Cannot):
        raise GateFailed(told.reason, "no package manager is run with it: pin it by hand")
    return told


def _remove(place: Path) -> None:
    if place.is_symlink() or place.is_file():
        place.unlink()
    else:
        shutil.rmtree(place)


def _unbuilt(copy: Path) -> None:
    """Raises GateFailed where uv would build what lies there to know what it asks for."""
    for file in copy.rglob("pyproject.toml"):
        if builds(file.read_text(errors="replace")):
            where = file.relative_to(copy)
            raise GateFailed(f"uv would run the build of {where} to lock it", "pin it by hand, if you trust it")


def _one(
    copy: Path, step: Resolve, texts: Mapping[str, str], edits: Mapping[str, str], hold: Hold, seconds: float
) -> str:
    for path, text in edits.items():
        place = copy / path
        if place.is_symlink() or not place.resolve().is_relative_to(copy.resolve()):
            raise GateFailed(f"{path} is a link: it is not written through", "pin it by hand")
        place.write_text(_tame(place.name, text) if place.name in SETTINGS else text)
    wanted = f"{hold.package}=={hold.version}"
    if step.argv[-1] == "-":
        line = run(step.argv, copy / step.folder, seconds, given=wanted + "\n", env=TAME)
        found = requirements.pinned(texts[step.lock], hold, line)
        if isinstance(found, Cannot):
            raise GateFailed(f"{step.lock}: {found.reason}", "the index has no hashes of it")
        return found
    if step.argv[0] == "yarn":
        right_yarn(texts[step.lock])
    if step.argv[0] == "uv":
        _unbuilt(copy)
    run(step.argv, copy / step.folder, seconds, env=TAME)
    text = (copy / step.lock).read_text()
    if form(text) != form(texts[step.lock]):
        raise GateFailed(
            f"the {step.argv[0]} of this machine writes another kind of {step.lock} ({form(text)}, not {form(texts[step.lock])})",
            f"install the {step.argv[0]} that wrote it",
        )
    if locks_of(hold.package, {step.lock: text}).get(step.lock) != hold.version:
        unread = "; pnpm 11 and later read no overrides in package.json" if step.argv[0] == "pnpm" else ""
        raise GateFailed(
            f"{step.argv[0]} did not put {wanted} into {step.lock}", f"another package may need a newer one{unread}"
        )
    return text
