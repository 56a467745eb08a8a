"""The questions that a proposal must answer, cheapest first. None asks a model; what they run, runs in the sandbox."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Final

from prodwise.heal.fixing.audit import audit
from prodwise.heal.fixing.dependencies import dependencies
from prodwise.heal.fixing.installed import installed
from prodwise.heal.fixing.lint import lint
from prodwise.heal.fixing.mutation import mutation
from prodwise.heal.fixing.suite import suite
from prodwise.heal.fixing.trial import Gate, Trial, failed, held, passed
from prodwise.loop.verify.failure import failure
from prodwise.loop.verify.patch import policy_gate
from prodwise.loop.verify.patch.policy import secrets
from prodwise.model.action import ActionKind
from prodwise.model.errors import GateFailed
from prodwise.model.gate import GateResult

PAST_MAX: Final = 60
TIMES: Final = 5
TIMES_LEAST: Final = 2
TIMES_SHARE: Final = 0.12
BUILD_S: Final = 20.0
_CHECKERS: Final = (
    ((".py",), ("python3", "-m", "py_compile")),
    ((".js", ".cjs", ".mjs"), ("node", "--check")),
    ((".rb",), ("ruby", "-c")),
    ((".php",), ("php", "-l")),
    ((".sh",), ("sh", "-n")),
)


def policy(trial: Trial) -> GateResult:
    fault = trial.court.reproducer.fault
    scene = trial.court.repository.scene(trial.files, fault)
    if scene.near is None:
        trial.court.not_checked(
            "whether the change is near the fault: no file of this repository is known to take part in it"
        )
    commit, back = trial.proposal.commit, trial.court.means.takes_back
    if commit and trial.tests and back is not None:
        scene = replace(scene, inverse=back.inverse(trial.court.base, commit))
    if trial.proposal.kind is ActionKind.SETTING:
        names = {name for file in trial.files for name in file.names}
        past = {name: [text for _, text in trial.court.workshop.history(name, PAST_MAX)] for name in names}
        scene = replace(scene, past=past)
    return policy_gate(trial.proposal, scene)


def secret_scan(trial: Trial) -> GateResult:
    found = list(secrets(trial.files))
    return failed("secrets", found[0]) if found else passed("secrets", "no added line looks like a credential")


def applies(trial: Trial) -> GateResult:
    """git must take it in a fresh checkout, and must have changed what we read in it."""
    try:
        with trial.head() as tree:
            for path, text in trial.after.items():
                there = (tree.root / path).read_bytes().decode("utf-8", "replace")
                if there != text:
                    return failed("applies", f"{path}: git reads this diff otherwise than the policy did")
    except (GateFailed, OSError) as error:
        return failed("applies", f"git does not take it: {error}")
    return passed("applies", "cleanly, in a fresh checkout")


def builds(trial: Trial) -> GateResult:
    """Each changed file can be read by its language, as far as that language is here."""
    checked = list[str]()
    with trial.head() as tree:
        for path, text in trial.after.items():
            command = next((argv for ends, argv in _CHECKERS if path.endswith(ends)), None)
            if path.endswith(".json"):
                try:
                    json.loads(text)
                except (ValueError, RecursionError) as error:
                    return failed("builds", f"{path} is no JSON: {error}")
            elif command is not None:
                ran = tree.run((*command, path), trial.court.budget.limits(BUILD_S))
                if ran.code == 127 or "execvp" in ran.output:
                    trial.court.not_checked(f"whether {path} compiles: {command[0]} is not here")
                    continue
                if ran.code != 0:
                    return failed("builds", f"{path} does not compile: {_last(ran.output)}")
            else:
                continue
            checked.append(path)
    return passed("builds", f"{len(checked)} of {len(trial.files)} changed files can be read by their language")


def reproducer(trial: Trial) -> GateResult:
    """It failed at the base (that was seen first, twice); with the change it must pass, every time, with all the base's tests."""
    court = trial.court
    check = court.reproducer
    fits = int(TIMES_SHARE * court.budget.left / max(check.seconds, 0.05))
    times = max(TIMES_LEAST, min(TIMES, fits))
    for turn in range(times):
        with trial.head(whole=False) as tree:
            ran = check.run(tree, court.budget)
        if (still := failure(ran.code, ran.output, ran.ended)) is not None:
            if turn:
                return held("reproducer", f"passed {turn} of {turn + 1} times: flaky with this change")
            return failed("reproducer", f"still fails: {still.words}")
    if times < TIMES:
        court.not_checked(f"more than {times} runs of the failing check: each takes {check.seconds:.1f} s")
    return passed("reproducer", f"fails at the base ({check.reason.words}), passes {times} of {times} times with it")


def _last(output: str) -> str:
    lines = [line for line in re.split(r"\n+", output.strip()) if line]
    return lines[-1][:200] if lines else "no reason was given"


GATES: Final[tuple[Gate, ...]] = (
    policy, secret_scan, dependencies, applies, builds, installed, audit, reproducer, lint, suite, mutation,
)  # fmt: skip
