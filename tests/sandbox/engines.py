"""Real container engines for the tests: one that answers already, else one of our own, started here and ended by us."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from prodwise.sandbox.workshop import remove

STARTED_S = 60.0
NOWHERE = "unix:///nonexistent/docker.sock"


def answers(host: str) -> bool:
    env = {**os.environ, "DOCKER_HOST": host}
    argv = ["docker", "info", "--format", "{{.ServerVersion}}"]
    return subprocess.run(argv, env=env, capture_output=True, check=False, timeout=STARTED_S).returncode == 0


@contextmanager
def docker(place: Path) -> Iterator[dict[str, str]]:
    """The variables by which it is found. All users may use it."""
    if shutil.which("docker") and answers(os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")):
        yield {}
        return
    if os.geteuid() != 0 or not shutil.which("dockerd") or not shutil.which("docker"):
        pytest.skip("not run: no docker answers, and none can be started (root, and Debian's docker.io)")
    settings = place / "daemon.json"
    settings.write_text(json.dumps({"default-ulimits": {"nofile": {"Name": "nofile", "Hard": 4096, "Soft": 4096}}}))
    host = f"unix://{place}/docker.sock"
    argv = ["dockerd", "--iptables=false", "--ip6tables=false", "--bridge=none", "--storage-driver=vfs", "--host", host,
            "--data-root", f"{place}/data", "--exec-root", f"{place}/exec", "--pidfile", f"{place}/pid",
            "--config-file", str(settings)]  # fmt: skip
    with (place / "log").open("wb") as log, subprocess.Popen(argv, stdout=log, stderr=log) as daemon:
        try:
            until = time.monotonic() + STARTED_S
            while not answers(host):
                if daemon.poll() is not None or time.monotonic() > until:
                    pytest.skip(f"not run: dockerd does not start: {(place / 'log').read_text()[-300:]}")
                time.sleep(0.2)
            (place / "docker.sock").chmod(0o666)
            yield {"DOCKER_HOST": host}
        finally:
            daemon.terminate()
            daemon.wait(STARTED_S)


@contextmanager
def podman(place: Path) -> Iterator[dict[str, str]]:
    if not shutil.which("podman"):
        pytest.skip("not run: podman is not installed")
    runtime = next((one for one in ("runc", "crun") if shutil.which(one, path="/usr/sbin:/usr/bin")), "")
    (place / "containers.conf").write_text(
        f'[engine]\nruntime = "{runtime}"\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n'
    )
    (place / "storage.conf").write_text(
        f'[storage]\ndriver = "vfs"\ngraphroot = "{place}/data"\nrunroot = "{place}/run"\n'
    )
    yield {
        "DOCKER_HOST": NOWHERE,
        "CONTAINERS_CONF": f"{place}/containers.conf",
        "CONTAINERS_STORAGE_CONF": f"{place}/storage.conf",
    }


@contextmanager
def engine(kind: str) -> Iterator[None]:
    """While it is there, our environment says where."""
    place = Path(tempfile.mkdtemp(prefix="engine-", dir="/tmp"))
    place.chmod(0o755)
    try:
        with {"docker": docker, "podman": podman}[kind](place) as found, pytest.MonkeyPatch.context() as patch:
            for name, value in found.items():
                patch.setenv(name, value)
            yield
    finally:
        remove(place)
