"""Package managers, run in folders of ours: bounded, without asking, and without running anything that a package brings."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from prodwise.model.errors import TargetError

SAID_CHARS: Final = 600
OUTPUT_BYTES_MAX: Final = 16 * 2**20
_PASSED: Final = re.compile(
    r"^(HOME|LANG|LC_.*|TMPDIR|XDG_CACHE_HOME|(https?|no|all)_proxy|.*_CA_(BUNDLE|CERTS)|SSL_CERT_.*|(UV|PIP|NPM_CONFIG|PNPM_CONFIG)_.*"
    r"|YARN_(NPM_REGISTRY_SERVER|UNSAFE_HTTP_WHITELIST|HTTPS?_PROXY|HTTPS_CA_FILE_PATH|GLOBAL_FOLDER)|PDM_PYPI_URL|POETRY_CACHE_DIR)$",
    re.IGNORECASE,
)
_LEFT_OUT: Final = ("UV_PROJECT_ENVIRONMENT", "UV_PYTHON", "PIP_TARGET", "PIP_PREFIX", "UV_PROJECT")


def found(name: str) -> str:
    """Where a program lies; ours first. "" when it is not installed."""
    beside = Path(sys.executable).parent / name
    return str(beside) if beside.exists() else shutil.which(name) or ""


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """What they may see of ours: paths, proxies, caches and package indexes."""
    env = {key: value for key, value in os.environ.items() if _PASSED.match(key) and key not in _LEFT_OUT}
    return {**env, "PATH": os.environ.get("PATH", os.defpath), "CI": "1", "NO_COLOR": "1", **(more or {})}


def run(
    argv: Sequence[str], folder: Path, seconds: float, given: str = "", env: Mapping[str, str] | None = None
) -> str:
    """What it printed. Raises TargetError with its last words, when it failed, is not installed or did not finish."""
    program = found(argv[0])
    what = " ".join(argv[:3])
    if not program:
        raise TargetError(f"{argv[0]} is not installed", f"install it, or run `{' '.join(argv)}` where it is")
    child = subprocess.Popen(
        [program, *argv[1:]], cwd=folder, env=environment(env), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    try:
        out, err = child.communicate(given.encode(), timeout=seconds)
    except subprocess.TimeoutExpired:
        raise TargetError(f"{what} did not finish within {seconds:.0f} s") from None
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    if child.returncode:
        said = (err or out).decode(errors="replace").strip()[-SAID_CHARS:]
        raise TargetError(f"{what}: {said or f'exit code {child.returncode}'}")
    return out[:OUTPUT_BYTES_MAX].decode(errors="replace")
