"""A repository with secrets around it, and a host that listens, for the sandbox to keep apart."""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from prodwise.sandbox.workshop import remove
from tests.sandbox.probes import MARK

HERE = Path(__file__).parent


def git(directory: Path, *arguments: str) -> str:
    given = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false", "-C", str(directory)]
    return subprocess.run([*given, *arguments], check=True, capture_output=True, text=True).stdout.strip()


@dataclass(frozen=True)
class Site:
    """app: the repository; facts: what the probes are told of the host."""

    app: Path
    facts: dict[str, Any]


def make_app(app: Path, outside: Path) -> None:
    """A repository with tracked, untracked and ignored files, and secrets in each of those."""
    for path, content in {
        "app.py": "def answer():\n    return 42\n",
        "tests/test_app.py": "from app import answer\n\n\ndef test_answer():\n    assert answer() == 42\n",
        "tracked/.env": f"KEY={MARK}\n",
        ".gitignore": ".env*\n!tracked/.env\n*.pem\n*.sqlite3\n.venv/\nbuild/\n*.so\ndata/\n.prodwise/\n",
        ".env": f"KEY={MARK}\n",
        ".env.production": f"KEY={MARK}\n",
        "sub/.env": f"KEY={MARK}\n",
        "deploy.pem": f"{MARK}\n",
        "app.sqlite3": f"{MARK}\n",
        "data/users.txt": f"{MARK}\n",
        ".prodwise/prodwise.db": f"{MARK}\n",
        "build/lib/.env": f"KEY={MARK}\n",
        "build/lib/made.py": "made = 1\n",
        "fast.so": "not really\n",
    }.items():
        (app / path).parent.mkdir(parents=True, exist_ok=True)
        (app / path).write_text(content)
    (app / "link-out").symlink_to(outside)
    git(app, "init", "--quiet")
    git(app, "add", "-A")
    git(app, "add", "--force", "tracked/.env")
    git(app, "commit", "--quiet", "-m", "The app")


def answering(held: ExitStack, kind: int, address: object) -> socket.socket:
    """A socket of the host that gives the secret away to whoever reaches it."""
    family = socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX
    listening = held.enter_context(socket.socket(family, kind))
    listening.bind(address)  # type: ignore[arg-type]
    if kind == socket.SOCK_STREAM:
        listening.listen()

    def answer() -> None:
        while True:
            try:
                if kind == socket.SOCK_STREAM:
                    with listening.accept()[0] as reached:
                        reached.sendall(MARK.encode())
                else:
                    listening.sendto(MARK.encode(), listening.recvfrom(100)[1])
            except OSError:
                return

    threading.Thread(target=answer, daemon=True).start()
    held.callback(listening.shutdown, socket.SHUT_RDWR) if kind == socket.SOCK_STREAM else None
    return listening


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """All that the probes look for, really there."""
    with ExitStack() as held:
        place = Path(os.path.realpath(tempfile.mkdtemp(prefix="probed-", dir="/var/tmp")))
        held.callback(remove, place)
        place.chmod(0o755)
        (place / "outside.txt").write_text(f"{MARK}\n")
        app = place / "app"
        app.mkdir()
        make_app(app, place / "outside.txt")
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(app / ".venv")], check=True)
        sleeper = held.enter_context(subprocess.Popen(["sleep", "600"], env={"TOKEN": MARK}))
        held.callback(sleeper.kill)
        tcp = answering(held, socket.SOCK_STREAM, ("127.0.0.1", 0))
        udp = answering(held, socket.SOCK_DGRAM, ("127.0.0.1", 0))
        answering(held, socket.SOCK_STREAM, str(place / "socket"))
        answering(held, socket.SOCK_STREAM, f"\0prodwise-probe-{os.getpid()}")
        shared = Path(f"/dev/shm/prodwise-probe-{os.getpid()}")
        shared.write_text(MARK)
        held.callback(shared.unlink)
        key = 0x50000000 | os.getpid()
        segment = ctypes.CDLL(None).shmget(key, 4096, 0o1666)
        held.callback(ctypes.CDLL(None).shmctl, segment, 0, None)
        home = os.path.expanduser("~")
        yield Site(app, {
            "outside": str(place / "outside.txt"), "pid": sleeper.pid, "home": home, "home_may_show": [".pyenv", ".local", ".nvm"],
            "tcp": tcp.getsockname()[1], "udp": udp.getsockname()[1], "unix": str(place / "socket"),
            "abstract": f"prodwise-probe-{os.getpid()}", "shared_key": key, "shared_file": shared.name,
            "user_namespace": os.geteuid() != 0,
        })  # fmt: skip
