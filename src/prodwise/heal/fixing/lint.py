"""The repository's own checks of style and types, where it has them: only findings that were not there before count."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

from prodwise.heal.fixing.trial import Court, Trial, failed, passed
from prodwise.model.gate import GateResult
from prodwise.ports.repair import Tree

GATE: Final = "lint"
RUN_S: Final = 30.0
_TOOLS: Final = (
    ("ruff", ("[tool.ruff", "ruff.toml", ".ruff.toml"), ("ruff", "check", "--no-cache", "--output-format", "concise", "--quiet")),
    ("flake8", (".flake8", "[flake8]"), ("flake8",)),
    ("mypy", ("[tool.mypy", "mypy.ini", ".mypy.ini", "[mypy]"), ("mypy", "--cache-dir=/dev/null", "--no-error-summary")),
    ("black", ("[tool.black",), ("black", "--check", "--quiet")),
)  # fmt: skip
_SETTINGS: Final = ("pyproject.toml", "setup.cfg", "tox.ini")
_PLACE = re.compile(r":\d+(?::\d+)?")


def lint(trial: Trial) -> GateResult:
    court = trial.court
    paths = tuple(path for path in trial.after if path.endswith((".py", ".pyi")))
    asked = [(name, argv) for name, marks, argv in _TOOLS if _configured(court, marks)] if paths else []
    used = list[str]()
    for name, argv in asked:
        key = (name, *paths)
        if key not in court.linted:
            old = [path for path in paths if path in court.repository.paths]
            with court.workshop.fresh(court.base) as tree:
                court.linted[key] = _findings(court, tree, argv, old) if old else ""
        before = court.linted[key]
        if before is None:
            court.not_checked(f"{name}: the repository has it configured, but it is not installed here")
            continue
        with trial.head() as tree:
            after = _findings(court, tree, argv, list(paths)) or ""
        used.append(name)
        if new := _lines(after) - _lines(before):
            return failed(GATE, f"{name} finds what it did not find before: {next(iter(new))[:200]}")
    return passed(
        GATE,
        f"{', '.join(used)}: nothing new" if used else "nothing that the repository checks its code with runs here",
    )


def _configured(court: Court, marks: tuple[str, ...]) -> bool:
    settings = "\n".join(court.repository.text(path) or "" for path in _SETTINGS)
    return any(mark in settings if mark.startswith("[") else mark in court.repository.paths for mark in marks)


def _findings(court: Court, tree: Tree, argv: tuple[str, ...], paths: list[str]) -> str | None:
    """What it says; None when it is not installed, or cannot be used."""
    ran = tree.run(("python3", "-m", *argv, *paths), court.budget.limits(RUN_S))
    if ran.code not in (0, 1) or re.search(r"No module named ['\"]?(?:ruff|flake8|mypy|black)", ran.output):
        return None
    return ran.output if ran.output.strip() or ran.code == 0 else f"{paths[0]}: is not formatted\n"


def _lines(output: str) -> Counter[str]:
    """Findings without their places, which move."""
    return Counter(_PLACE.sub("", line) for line in output.splitlines() if re.match(r"\S+(?::\d+|: )", line))
