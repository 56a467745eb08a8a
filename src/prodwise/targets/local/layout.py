"""Where everything of the local target lives on disk. Standard library only: the guard reads it too."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

SOCKET_PATH_MAX = 88  # bytes; the kernel allows 107, and supervisord makes a longer temporary name beside its own
SLOTS = ("a", "b")


@dataclass(frozen=True)
class Layout:
    """Paths of one app. app: the app's git repository; state: our own directory, normally app/.prodwise."""

    app: Path
    state: Path

    @property
    def releases(self) -> Path:
        return self.state / "releases"

    @property
    def run(self) -> Path:
        return self.state / "run"

    @property
    def log(self) -> Path:
        return self.state / "log"

    @property
    def sockets(self) -> Path:
        """run/, or a short private directory when the state's path is too long for a socket's address."""
        if len(os.fsencode(self.run)) + len("/caddy-admin.sock") <= SOCKET_PATH_MAX:
            return self.run
        name = hashlib.sha256(os.fsencode(self.state)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"prodwise-{os.getuid()}-{name}"

    def socket(self, name: str) -> Path:
        """name: guard, api, supervisor or caddy-admin."""
        return self.sockets / f"{name}.sock"

    def release(self, release: str) -> Path:
        return self.releases / release

    def record(self, release: str) -> Path:
        return self.releases / release / "release.json"

    def switch(self, service: str) -> Path:
        return self.run / f"{service}.switch"

    def spec(self, program: str) -> Path:
        return self.run / f"{program}.spec.json"

    def pid(self, program: str) -> Path:
        return self.run / f"{program}.pid"

    def running_release(self, program: str) -> Path:
        return self.run / f"{program}.release"

    def tenant(self, spare: str) -> Path:
        """Which service moved into a place that was held in reserve."""
        return self.run / f"{spare}.service"

    def program_log(self, program: str) -> Path:
        return self.log / f"{program}.log"

    @property
    def access_log(self) -> Path:
        return self.log / "access.log"

    @property
    def dashboard(self) -> Path:
        """The pages' URL as it came to be: the configured port may have been taken."""
        return self.run / "dashboard"

    @property
    def signals(self) -> Path:
        """Where programs report, and under which keys: given once, kept for good, since they stand in the programs' settings."""
        return self.state / "signals.json"

    @property
    def healer_settings(self) -> Path:
        """The configuration that the healer runs with: the last one that could be used."""
        return self.run / "config.json"

    @property
    def receivers(self) -> Path:
        """The settings that receivers run with."""
        return self.run / "receivers.json"

    @property
    def seen_events(self) -> Path:
        """Which events receivers stored already."""
        return self.run / "seen-events"

    @property
    def stop_file(self) -> Path:
        return self.run / "stop"

    @property
    def down_file(self) -> Path:
        """Present while everything is being ended on purpose: nobody starts anything again."""
        return self.run / "down"

    @property
    def coming_up(self) -> Path:
        """Names the `up` that is bringing the app up: the healer begins nothing meanwhile."""
        return self.run / "coming-up"

    @property
    def been_up(self) -> Path:
        """Present once a first release was well in all its services."""
        return self.run / "been-up"

    @property
    def ports(self) -> Path:
        return self.run / "ports.json"

    @property
    def instance(self) -> Path:
        return self.run / "instance.json"

    @property
    def guard_state(self) -> Path:
        return self.run / "guard.json"

    @property
    def supervisor_conf(self) -> Path:
        return self.run / "supervisord.conf"

    @property
    def supervisor_pid(self) -> Path:
        return self.run / "supervisord.pid"

    @property
    def proxy_conf(self) -> Path:
        return self.run / "caddy.json"

    @property
    def journal(self) -> Path:
        return self.state / "journal.ndjson"

    def make(self) -> None:
        """Creates the directories. The app's own user may pass through the state to its release, and read nothing else."""
        for path, mode in ((self.state, 0o711), (self.releases, 0o711), (self.run, 0o700), (self.log, 0o700)):
            path.mkdir(parents=True, exist_ok=True)
            path.chmod(mode)

    def make_sockets(self) -> None:
        """Raises PermissionError if somebody else made the directory first."""
        if self.sockets != self.run:
            make_private(self.sockets)


def make_private(path: Path) -> None:
    """Creates a directory only we can enter. Raises PermissionError if somebody else made it first."""
    path.mkdir(mode=0o700, exist_ok=True)
    seen = path.lstat()
    if not stat.S_ISDIR(seen.st_mode) or seen.st_uid != os.getuid() or stat.S_IMODE(seen.st_mode) & 0o077:
        raise PermissionError(f"{path} belongs to somebody else or is open to others")


def program(service: str, slot: str) -> str:
    """The supervisor's name for a service's slot."""
    return f"{service}-{slot}"


def write_atomically(path: Path, text: str, *, sync: bool = False, mode: int = 0o600) -> None:
    """Readers see the old text or the new one, never half. sync: it also survives power loss. Raises OSError (disk full)."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        try:
            left = text.encode()
            while left:  # a disk that is nearly full takes a part, and says so only at the next try
                left = left[os.write(handle, left) :]
            if sync:
                os.fsync(handle)
        finally:
            os.close(handle)
        os.replace(temporary, path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    if sync:
        sync_directory(path.parent)


def keep(path: Path, text: str) -> None:
    """Writes what has changed only: on a full disk, a process that starts again needs no room for what it knows already."""
    if not path.exists() or path.read_text() != text:
        write_atomically(path, text)


def sync_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
