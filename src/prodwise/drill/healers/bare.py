"""An app run the plain way: one checkout, one environment, one process a service, no proxy. What the comparisons share."""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from prodwise.config import Config, ServiceConfig, load
from prodwise.config.environment import read_env_file
from prodwise.drill.environment import make_environment
from prodwise.drill.git import git
from prodwise.model.errors import BuildFailed

RELEASE_TIMEOUT_S = 120
SHELL_SIGNS = set("|&;<>$`(){}*?~")


@dataclass(frozen=True, slots=True)
class Command:
    """What a service's process is started with."""

    service: str
    argv: tuple[str, ...]
    env: dict[str, str]
    cwd: Path
    port: int
    probe: str  # an HTTP path, or ""
    log: Path


@dataclass(slots=True)
class BareApp:
    """A checkout beside the repository; a deploy replaces it in place, as many small teams do."""

    app_dir: Path
    work: Path
    ports: dict[str, int] = field(default_factory=dict)

    @property
    def source(self) -> Path:
        return self.work / "app"

    def install(self, ref: str) -> None:
        """Checks `ref` out, installs its environment and runs its release line. Raises ProdwiseError."""
        if not self.source.exists():
            git(self.app_dir, "worktree", "add", "--detach", "--force", str(self.source), "HEAD")
        commit = git(
            self.app_dir, "rev-parse", "--verify", f"{ref}^{{commit}}"
        ).strip()  # the checkout's HEAD is its own
        git(self.source, "checkout", "-q", "--detach", commit)
        config = load(self.source)
        self._link_shared(config)
        make_environment(self.source, self.work / "venv")
        if config.release:
            self._run_release_line(config.release)

    def commands(self) -> list[Command]:
        """One per service, in the order of their names; ports stay the same from one release to the next."""
        config = load(self.source)
        for name in config.services:
            self.ports.setdefault(name, _free_port())
        return [self._command(name, service, config) for name, service in sorted(config.services.items())]

    def web_address(self) -> str:
        """Where users reach it; "" without a web service."""
        web = load(self.source).web
        return f"127.0.0.1:{self.ports[web]}" if web else ""

    def _command(self, name: str, service: ServiceConfig, config: Config) -> Command:
        env = self._env(config) | service.env | {"PORT": str(self.ports[name]), "PRODWISE_RELEASE": "bare"}
        for other in config.services:
            env[f"{other.upper().replace('-', '_')}_URL"] = f"http://127.0.0.1:{self.ports[other]}"
        argv = _argv(service.command)
        probe = service.probe if service.probe.startswith("/") else ""
        return Command(name, argv, env, self.source, self.ports[name], probe, self.work / f"{name}.log")

    def _env(self, config: Config) -> dict[str, str]:
        keep = {key: os.environ[key] for key in ("HOME", "LANG", "TMPDIR") if key in os.environ}
        path = f"{self.work / 'venv' / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        file = self.app_dir / config.env_file if config.env_file else None
        return {**keep, "PATH": path, **(read_env_file(file) if file and file.is_file() else {})}

    def _link_shared(self, config: Config) -> None:
        """Shared paths lie beside the repository and are linked into the checkout."""
        for name in config.shared:
            link, real = self.source / name, self.app_dir / name
            if not link.exists() and not link.is_symlink():
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(real)

    def _run_release_line(self, line: str) -> None:
        done = subprocess.run(
            ["/bin/sh", "-c", line], cwd=self.source, env=self._env(load(self.source)), capture_output=True, text=True,
            timeout=RELEASE_TIMEOUT_S, check=False,
        )  # fmt: skip
        if done.returncode:
            raise BuildFailed(f"the release line {line!r} failed: {done.stderr.strip()[-300:]}")


def start(command: Command) -> subprocess.Popen[bytes]:
    """Starts one service in a session of its own, its output appended to its log."""
    with command.log.open("ab") as log:
        return subprocess.Popen(
            command.argv, cwd=command.cwd, env=command.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip


def write_script(command: Command, folder: Path) -> Path:
    """A script that becomes the service's process: supervisors start their children with little of an environment."""
    env = " ".join(f"{key}={shlex.quote(value)}" for key, value in sorted(command.env.items()))
    script = folder / f"run-{command.service}.sh"
    script.touch(mode=0o700)  # it holds what env_file holds
    script.write_text(
        f"#!/bin/sh\ncd {shlex.quote(str(command.cwd))} || exit 1\nexec env -i {env} {shlex.join(command.argv)}\n"
    )
    return script


def _argv(command: str) -> tuple[str, ...]:
    """Without a shell in between where none is needed, so that the process we know is the one that serves."""
    return ("/bin/sh", "-c", command) if set(command) & SHELL_SIGNS else tuple(shlex.split(command))


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
