"""A release's own environment: what the app's repository says it needs, installed beside the source by uv."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from prodwise.clock import monotonic
from prodwise.model.errors import BuildFailed

BUILD_SECONDS_MAX = 1800.0
LAST_LINES = 15
_PASSED = re.compile(
    r"^(HOME|LANG|LC_.*|TMPDIR|TZ|XDG_CACHE_HOME|(https?|no|all)_proxy|.*_CA_(BUNDLE|CERTS)|SSL_CERT_.*|"
    r"(UV|PIP|NPM_CONFIG|CARGO|GO(PROXY|CACHE|PATH|FLAGS|MODCACHE)|BUNDLE|RUSTUP|JAVA_HOME|MAVEN|GRADLE).*)$",
    re.IGNORECASE,
)
_LEFT_OUT = ("UV_PROJECT_ENVIRONMENT", "UV_PYTHON", "PIP_TARGET", "PIP_PREFIX")


def build_environment(venv: Path) -> dict[str, str]:
    """What a build may see of ours: paths, proxies, caches and package indexes, and nothing else."""
    env = {key: value for key, value in os.environ.items() if _PASSED.match(key) and key not in _LEFT_OUT}
    env["PATH"] = f"{venv}/bin:{system_path()}"
    env["VIRTUAL_ENV"] = str(venv)
    return env


def system_path() -> str:
    """The user's PATH without our own environment: `python` must not mean ours."""
    own = {str(Path(sys.executable).parent), str(Path(sys.prefix) / "bin")}
    parts = [
        part for part in os.environ.get("PATH", "").split(":") if part.startswith("/") and part.rstrip("/") not in own
    ]
    return ":".join(dict.fromkeys([*parts, "/usr/local/bin", "/usr/bin", "/bin"]))


def uv() -> str:
    """The uv that came with us. Raises BuildFailed when it is gone."""
    beside = Path(sys.executable).parent / "uv"
    if beside.exists():
        return str(beside)
    try:
        from uv import find_uv_bin

        return str(find_uv_bin())
    except (ImportError, FileNotFoundError):
        raise BuildFailed("uv is not installed beside Prodwise", "reinstall Prodwise: it brings uv") from None


def install_steps(src: Path, venv: Path) -> list[list[str]]:
    """Commands that make the environment, from what the source holds; none for an app without Python dependencies."""
    make = [uv(), "venv", "--quiet", "--python", base_python(), str(venv)]
    into = ["--quiet", "--python", str(venv / "bin" / "python")]
    if (src / "uv.lock").exists() and (src / "pyproject.toml").exists():
        return [make, [uv(), "sync", "--quiet", "--frozen", "--no-dev", "--project", str(src)]]
    if (src / "requirements.txt").exists():
        return [make, [uv(), "pip", "install", *into, "-r", str(src / "requirements.txt")]]
    if (src / "pyproject.toml").exists():
        return [make, [uv(), "pip", "install", *into, "-r", str(src / "pyproject.toml")]]
    return [make] if any(src.glob("*.py")) else []


def step_words(argv: list[str], src: Path) -> str:
    """A step as a person would type it in the source: "uv pip install -r requirements.txt"."""
    shown = [part.replace(f"{src}/", "") for part in argv[1:] if part != "--quiet"]
    if "--python" in shown:
        at = shown.index("--python")
        del shown[at : at + 2]
    return " ".join(["uv", *shown])


def base_python() -> str:
    """The interpreter under our own environment; a .python-version in the source is uv's matter."""
    return str(Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}")


def run_logged(what: str, argv: list[str], cwd: Path, env: Mapping[str, str], log: Path, user: str = "") -> None:
    """Runs a build step, its output to the log. Raises BuildFailed with the last lines; nothing it started is left."""
    with log.open("ab") as out:
        out.write(f"$ {what}\n".encode())
        out.flush()
        start = out.tell()
        code = _run(argv, cwd, env, out, user)
    if code == 0:
        return
    reason = f"did not finish within {BUILD_SECONDS_MAX:.0f} s" if code is None else f"failed (exit code {code})"
    raise BuildFailed(f"{what} {reason}:\n{last_lines(log, start)}", f"the whole log: {log}")


def _run(argv: list[str], cwd: Path, env: Mapping[str, str], out: IO[bytes], user: str) -> int | None:
    who: dict[str, object] = {}
    if user and os.getuid() == 0:
        from prodwise.targets.local.launch import identity

        uid, gid, groups, _ = identity(user)
        who = {"user": uid, "group": gid, "extra_groups": groups}
    try:
        child = subprocess.Popen(  # type: ignore[call-overload]
            argv,
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
            **who,
        )
    except OSError as error:
        out.write(f"{argv[0]}: {error}\n".encode())
        return 127
    deadline = monotonic() + BUILD_SECONDS_MAX
    try:
        while child.poll() is None and monotonic() < deadline:
            time.sleep(0.01)
        code: int | None = child.poll()
        return code
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def last_lines(log: Path, start: int = 0, count: int = LAST_LINES) -> str:
    """The end of a log from byte `start` on."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(start, size - 16_384))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    return "\n".join(lines[-count:])


def installed(venv: Path) -> list[str]:
    """Name and version of all that is installed, sorted, as the environment's part of a release's digest."""
    return sorted(found.name.removesuffix(".dist-info") for found in venv.glob("lib/python*/site-packages/*.dist-info"))


def digest_of_values(path: Path, salt: bytes) -> str:
    """Tells whether an env_file changed, without keeping anything that its values could be guessed from."""
    return hashlib.sha256(salt + path.read_bytes()).hexdigest() if path.exists() else ""


NAMES_FILE = "environment.json"
"""Beside a release's record: variable → digest of its value, so that a later release can tell which have another value."""


def digests_of_values(values: Mapping[str, str], salt: bytes) -> dict[str, str]:
    """Variable → a keyed digest of its value: equal values of two releases look equal, and nothing else can be told."""
    return {
        name: hmac.new(salt, f"{name}={value}".encode(), hashlib.sha256).hexdigest() for name, value in values.items()
    }


_USED = re.compile(
    r"""(?:environ(?:\.get)?|getenv|process\.env|ENV|System\.getenv|os\.Getenv)(?:\(|\[|\.)\s*['"]?([A-Z][A-Z0-9_]{2,})"""
)
_TOLD = {"PORT", "PATH", "HOME", "LANG", "PWD", "USER", "SHELL", "TZ", "TERM", "TMPDIR"}


def known_to_shell_only(src: Path, told: set[str], files_max: int = 2000) -> list[str]:
    """Names that the source reads, our shell knows, and the app will not be told."""
    names: set[str] = set()
    for number, file in enumerate(
        file for file in src.rglob("*") if file.suffix in (".py", ".js", ".ts", ".rb", ".go", ".java")
    ):
        if number >= files_max:
            break
        if file.is_file() and "node_modules" not in file.parts and file.stat().st_size < 500_000:
            names.update(_USED.findall(file.read_text(errors="replace")))
    return sorted(name for name in names & set(os.environ) - told - _TOLD if not name.startswith("PRODWISE_"))
