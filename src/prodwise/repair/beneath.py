"""Files below a root, reached part by part without following a link: what runs in a tree may have put links there."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from prodwise.loop.repair.paths import misformed

ENTRIES_MAX = 200_000
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class NotThere(Exception):
    """The reason why a path is no file that can be had, as it is told to whoever asked."""


def read(root: Path, path: str, most: int) -> bytes:
    """A regular file, `most` + 1 bytes of it at most. Raises NotThere."""
    with _parent(root, path) as (folder, name):
        try:
            fd = os.open(name, _READ, dir_fd=folder)
        except OSError:
            raise NotThere(f"there is no file {path!r}") from None
        with os.fdopen(fd, "rb") as file:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise NotThere(f"{path!r} is no regular file")
            return file.read(most + 1)


def is_file(root: Path, path: str) -> bool:
    """Whether a regular file is there."""
    try:
        read(root, path, 0)
    except NotThere:
        return False
    return True


def write(root: Path, path: str, data: bytes, mode: int = 0o644) -> None:
    """Puts a file in place of the old one, in a folder that is there, with the old one's mode if there is one. Raises NotThere."""
    with _parent(root, path) as (folder, name):
        with suppress(FileNotFoundError):
            found = os.stat(name, dir_fd=folder, follow_symlinks=False)
            if not stat.S_ISREG(found.st_mode):
                raise NotThere(f"{path!r} is no regular file")
            mode = found.st_mode & 0o777
        beside = f".{os.urandom(8).hex()}.new"
        fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode, dir_fd=folder)
        with os.fdopen(fd, "wb") as file:
            os.fchmod(fd, mode)
            file.write(data)
        os.replace(beside, name, src_dir_fd=folder, dst_dir_fd=folder)


def take(root: Path, path: str, most: int) -> tuple[bytes, int]:
    """Takes a file away: what it held, and its mode. Raises NotThere, also for one of more than `most` bytes."""
    data = read(root, path, most)
    if len(data) > most:
        raise NotThere(f"{path!r} has more than {most} bytes")
    with _parent(root, path) as (folder, name):
        mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode & 0o777
        os.unlink(name, dir_fd=folder)
        return data, mode


def listed(root: Path, folder: str = "") -> list[tuple[str, bool]]:
    """(name, whether it is a folder) of what is in a folder, in order of names, links left out. Raises NotThere."""
    fd = _opened(root, folder.split("/") if folder else [])
    try:
        with os.scandir(fd) as entries:
            found = [
                (entry.name, entry.is_dir(follow_symlinks=False))
                for entry, _ in zip(entries, range(ENTRIES_MAX), strict=False)
                if not entry.is_symlink()
            ]
    finally:
        os.close(fd)
    return sorted(found)


@contextmanager
def _parent(root: Path, path: str) -> Iterator[tuple[int, str]]:
    *folders, name = path.split("/")
    if why := misformed(path):
        raise NotThere(why)
    fd = _opened(root, folders)
    try:
        yield fd, name
    finally:
        os.close(fd)


def _opened(root: Path, folders: list[str]) -> int:
    if folders and (why := misformed("/".join(folders))):
        raise NotThere(why)
    fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for part in folders:
        try:
            inner = os.open(part, _FOLDER, dir_fd=fd)
        except OSError:
            raise NotThere(f"there is no folder {'/'.join(folders)!r}") from None
        finally:
            os.close(fd)
        fd = inner
    return fd
