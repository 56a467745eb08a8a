"""Package managers, each installing what a lock names into a folder of ours: nothing of the repository but the lock and what says how
it is read, and nothing that a package brings, is run."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from prodwise.clock import monotonic
from prodwise.loop.choose.pins.seen import Cannot
from prodwise.loop.choose.pins.settings import SETTINGS, code, kept, setting
from prodwise.model.errors import TargetError
from prodwise.repair.programs import found, run

VERSION_S: Final = 20.0
YARN_SETTINGS: Final = ".prodwise-yarnrc.yml"
TAME: Final[Mapping[str, str]] = {
    "COREPACK_ENABLE_DOWNLOAD_PROMPT": "0", "SKIP_YARN_COREPACK_CHECK": "1", "YARN_IGNORE_PATH": "1", "YARN_ENABLE_SCRIPTS": "0",
    "YARN_RC_FILENAME": YARN_SETTINGS, "YARN_ENABLE_TELEMETRY": "0", "npm_config_manage_package_manager_versions": "false",
    "npm_config_package_manager_strict": "false", "pnpm_config_pm_on_fail": "ignore", "POETRY_INSTALLER_ONLY_BINARY": ":all:",
    "POETRY_KEYRING_ENABLED": "false", "PDM_CHECK_UPDATE": "0", "PDM_IGNORE_SAVED_PYTHON": "1",
    "UV_PYTHON_DOWNLOADS": "never",
}  # fmt: skip
"""No version of themselves and no interpreter that the repository names, no plugin or path of its own, no scripts, no telemetry."""


@dataclass(frozen=True, slots=True)
class Job:
    """place: the folder of ours, where the files lie already; lock: the file's name; python: the interpreter; until: monotonic."""

    place: Path
    lock: str
    python: str
    until: float

    def run(self, *argv: str, env: Mapping[str, str] | None = None) -> str:
        return run(argv, self.place, self._left(), env={**TAME, **(env or {})})

    def cached_first(self, *argv: str, offline: str) -> None:
        """Offline where all is cached, else from the index."""
        try:
            self.run(*argv, offline)
        except TargetError:
            self.run(*argv)

    def _left(self) -> float:
        left = self.until - monotonic()
        if left <= 0:
            raise TargetError("the environment was not ready in time")
        return left


Install = Callable[[Job], None]


def copied(root: Path, names: tuple[str, ...], place: Path) -> None:
    """The files from which a lock is installed: settings with what says how it is read, the others whole. Raises TargetError for a
    lock for which code would run."""
    for name in names:
        text = (root / name).read_text()
        if name in SETTINGS:
            told = kept(name, text)
            if isinstance(told, Cannot):
                raise TargetError(told.reason)
            (place / (YARN_SETTINGS if name == ".yarnrc.yml" else name)).write_text(told)
            continue
        if name != "package.json" and (what := code(text)):
            raise TargetError(f"{name} has {what}: code would run outside the sandbox to install it")
        shutil.copyfile(root / name, place / name)


def _uv(job: Job) -> None:
    _venv(job)
    job.run(
        "uv", "export", "--quiet", "--frozen", "--all-groups", "--no-emit-project", "--output-file", "locked.txt",
    )  # fmt: skip
    _wheels(job, ["locked.txt"], hashed=True)


def _pip(job: Job) -> None:
    _venv(job)
    files = sorted(one.name for one in job.place.glob("requirements*.txt"))
    _wheels(job, files, hashed=all("--hash" in (job.place / name).read_text() for name in files))


def _pdm(job: Job) -> None:
    _needs("pdm", "pip install pdm")
    _venv(job)
    told = job.run("pdm", "export", "--format", "requirements", "--group", ":all", env=_inside(job))
    (job.place / "locked.txt").write_text(told)
    _wheels(job, ["locked.txt"], hashed=True)


def _poetry(job: Job) -> None:
    _needs("poetry", "pip install 'poetry>=2'")
    if _version("poetry") < 2:
        raise TargetError("this Poetry cannot be told to build nothing: install Poetry 2 (pip install 'poetry>=2')")
    _venv(job)
    job.run(
        "poetry",
        "install",
        "--no-root",
        "--no-plugins",
        "--no-interaction",
        "--no-ansi",
        "--all-groups",
        env=_inside(job),
    )


def _venv(job: Job) -> None:
    job.run("uv", "venv", "--quiet", "--python", job.python, str(job.place / "venv"))


def _inside(job: Job) -> dict[str, str]:
    return {"VIRTUAL_ENV": str(job.place / "venv")}


def _wheels(job: Job, files: list[str], *, hashed: bool) -> None:
    asked = [part for name in files for part in ("-r", name)]
    safe = ["--only-binary", ":all:", *(["--require-hashes"] if hashed else [])]
    python = str(job.place / "venv" / "bin" / "python")
    job.cached_first("uv", "pip", "install", "--quiet", "--python", python, *safe, *asked, offline="--offline")


def _npm(job: Job) -> None:
    _alone(job)
    argv = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--git=git")
    job.cached_first(*argv, offline="--prefer-offline")


def _pnpm(job: Job) -> None:
    _needs("pnpm", "npm install --global pnpm")
    _alone(job)
    argv = ("pnpm", "install", "--frozen-lockfile", "--ignore-scripts", "--ignore-pnpmfile")
    job.cached_first(*argv, offline="--prefer-offline")


def _yarn(job: Job) -> None:
    lock = (job.place / job.lock).read_text()
    _alone(job)
    if right_yarn(lock):
        if setting(_settings(job.place), "nodeLinker") not in ("node-modules", "pnpm"):
            raise TargetError(
                "Yarn's Plug'n'Play needs Yarn in the sandbox: set nodeLinker: node-modules in .yarnrc.yml"
            )
        job.run("yarn", "install", "--immutable", "--mode=skip-build")
        return
    argv = ("yarn", "install", "--frozen-lockfile", "--ignore-scripts", "--non-interactive", "--no-progress")
    job.cached_first(*argv, offline="--prefer-offline")


def right_yarn(lock: str) -> bool:
    """Whether it is Yarn 2's or a later one's lock. Raises TargetError where that Yarn is not the one that is installed."""
    _needs("yarn", "npm install --global yarn, or corepack enable")
    later, version = "__metadata:" in lock, _version("yarn")
    if later and version < 2:
        raise TargetError(
            f"yarn.lock is Yarn 2's or later, and Yarn {version} is installed: npm install --global @yarnpkg/cli-dist"
        )
    if not later and version > 1:
        raise TargetError(f"yarn.lock is Yarn 1's, and Yarn {version} is installed: npm install --global yarn")
    return later


def _settings(place: Path) -> str:
    file = place / YARN_SETTINGS
    return file.read_text() if file.exists() else ""


def _alone(job: Job) -> None:
    """Members of a workspace have folders of packages of their own, which are not made here."""
    manifest = json.loads((job.place / "package.json").read_text())
    yaml = job.place / "pnpm-workspace.yaml"
    if manifest.get("workspaces") or (yaml.exists() and re.search(r"^packages:", yaml.read_text(), re.MULTILINE)):
        raise TargetError("the packages of a workspace with members are not installed here")


def _needs(name: str, how: str) -> None:
    if not found(name):
        raise TargetError(f"{name} is not installed on this machine: {how}")


def _version(name: str) -> int:
    """Its first number. Asked for where no repository lies."""
    told = run([name, "--version"], Path("/"), VERSION_S, env=TAME)
    number = re.search(r"\d+", told)
    if number is None:
        raise TargetError(f"{name} does not say which version it is")
    return int(number[0])


INSTALLS: Final[Mapping[str, tuple[Install, tuple[str, ...]]]] = {
    "uv.lock": (_uv, ("pyproject.toml",)),
    "poetry.lock": (_poetry, ("pyproject.toml",)),
    "pdm.lock": (_pdm, ("pyproject.toml",)),
    "package-lock.json": (_npm, ("package.json", ".npmrc")),
    "npm-shrinkwrap.json": (_npm, ("package.json", ".npmrc")),
    "pnpm-lock.yaml": (_pnpm, ("package.json", ".npmrc", "pnpm-workspace.yaml")),
    "yarn.lock": (_yarn, ("package.json", ".npmrc", ".yarnrc.yml")),
}
"""Lock → who installs it, and which files beside it are needed, where they are there."""
REQUIREMENTS: Final[Install] = _pip
