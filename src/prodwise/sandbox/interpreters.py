"""The programs that a repository's commands need, wherever they lie: found from PATH and from the command itself."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Final

from prodwise.ports.repair import Environment

SYSTEM_PATH: Final = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
KNOWN: Final = ("python3", "python", "node", "ruby", "go", "java", "php", "perl")
"""What makes the directory above a `bin` one that holds an interpreter and its libraries."""
ENVIRONMENTS: Final = (".venv", "venv", "env")
ENVIRONMENTS_MAX: Final = 8
LOOKED_MAX: Final = 10_000
PREFIXES_MAX: Final = 24
ASK_S: Final = 5.0
_PROGRAM = re.compile(r"(?:^|[\s'\"=;&|(])(/[^\s'\"=;&|()<>]+)")


def environments(directory: Path) -> tuple[str, ...]:
    """The virtual environments in a repository, whatever they are called; those with a usual name first."""
    places = [directory, *(directory / name for name in (".tox", ".nox") if not (directory / name).is_symlink())]
    found = list[str]()
    for place in places:
        with suppress(OSError), os.scandir(place) as entries:
            for one in islice(entries, LOOKED_MAX):
                if os.path.isfile(os.path.join(one.path, "pyvenv.cfg")):
                    found.append(os.path.relpath(one.path, directory))
    usual = {name: at for at, name in enumerate(ENVIRONMENTS)}
    return tuple(sorted(found, key=lambda path: (usual.get(path, len(usual)), path))[:ENVIRONMENTS_MAX])


def environment_of(directory: Path) -> Path | None:
    """The repository's own virtual environment."""
    return next((directory / path for path in environments(directory)), None)


def bases(environment: Path) -> list[Path]:
    """Where the interpreter of a virtual environment comes from: as it is written there, and as links resolve it."""
    found = []
    try:
        lines = (environment / "pyvenv.cfg").read_text(errors="replace")[:10_000].splitlines()
    except OSError:
        return []
    for line in lines:
        name, _, value = line.partition("=")
        if name.strip().lower() == "home" and os.path.isabs(value.strip()):
            found.append(Path(os.path.normpath(value.strip())).parent)
    for name in ("python3", "python"):
        program = environment / "bin" / name
        if os.path.exists(program):
            found.append(Path(os.path.realpath(program)).parent.parent)
            break
    return found


def needed(
    directory: Path, commands: Sequence[str] = (), path: str | None = None
) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """(directories outside the system's that must be seen, PATH inside before the system's own). commands: words or shell lines,
    read for absolute paths of programs."""
    places = [
        Path(one)
        for one in (os.environ.get("PATH", "") if path is None else path).split(os.pathsep)
        if os.path.isabs(one)
    ]
    places = [asked for place in places for asked in (_behind(place) if place.name == "shims" else [place])]
    named = [Path(one).parent for text in commands for one in _PROGRAM.findall(text) if os.access(one, os.X_OK)]
    prefixes, shown = list[Path](), list[str]()
    own = environment_of(directory)
    if own is not None:
        shown.append(str(own / "bin"))
    for one in (directory / path for path in environments(directory)):
        prefixes += [*([Path(os.path.realpath(one))] if one.is_symlink() else []), *bases(one)]
    for place in dict.fromkeys([*places, *named]):
        if str(place) in SYSTEM_PATH or place.is_relative_to(directory):
            if os.path.isdir(place) and place in places and str(place) not in SYSTEM_PATH:
                shown.append(str(place))
        elif found := _prefixes(place):
            prefixes += found
            if place in places:
                shown.append(str(place))
    kept = [one for one in dict.fromkeys(prefixes) if may_be_seen(one, directory)]
    return outermost(kept)[:PREFIXES_MAX], tuple(dict.fromkeys(shown))


def fitting(directory: Path, dependencies: Environment | None) -> tuple[dict[str, Path], tuple[Path, ...]]:
    """(path in the directory → what is seen there instead, directories that must be seen as well): the repository's own virtual
    environment, by whatever path commands name it, is the given one."""
    if dependencies is None:
        return {}, ()
    instead = dict(dependencies.links)
    own = environment_of(directory)
    virtual = dependencies.path.parent
    if not os.path.isfile(virtual / "pyvenv.cfg"):
        return instead, (dependencies.place,)
    if own is not None and not own.is_symlink():
        instead[str(own.relative_to(directory))] = virtual
    return instead, (dependencies.place, *(one for one in bases(virtual) if may_be_seen(one, directory)))


def interpreter(path: Sequence[str], directory: Path) -> str:
    """The first Python in this PATH, as links resolve it, so that none is started that the repository holds. "" for none."""
    found = (os.path.realpath(Path(place, "python3")) for place in path)
    return next((one for one in found if os.access(one, os.X_OK) and not Path(one).is_relative_to(directory)), "")


def _prefixes(place: Path) -> list[Path]:
    """What must be seen for the programs in this `bin` to run: [] if no interpreter is there."""
    prefix = place.parent
    if place.name not in ("bin", "sbin"):
        return []
    if os.path.isfile(prefix / "pyvenv.cfg"):
        return [prefix, *bases(prefix)]
    programs = [place / name for name in KNOWN if os.access(place / name, os.X_OK)]
    return [prefix, *(Path(os.path.realpath(one)).parent.parent for one in programs)] if programs else []


@cache
def _behind(shims: Path) -> list[Path]:
    """The `bin` of the interpreter that a version manager's stand-in would start."""
    found = []
    for name in ("python3", "node"):
        if not os.access(shims / name, os.X_OK):
            continue
        asking = (
            "import sys; print(sys.base_prefix)"
            if name == "python3"
            else "console.log(process.execPath.replace(/.bin.node$/, ''))"
        )
        try:
            told = subprocess.run([str(shims / name), "-c" if name == "python3" else "-e", asking], capture_output=True,
                                  stdin=subprocess.DEVNULL, cwd="/", text=True, timeout=ASK_S, check=False).stdout.strip()  # fmt: skip
        except (OSError, subprocess.TimeoutExpired):
            continue
        if os.path.isabs(told):
            found.append(Path(told) / "bin")
    return found


def may_be_seen(prefix: Path, directory: Path) -> bool:
    """An environment, or what looks like an interpreter's installation; not a home, nothing that holds one or the directory,
    nothing of the system's own."""
    home = Path(os.path.realpath(os.path.expanduser("~")))
    real = Path(os.path.realpath(prefix))
    if real == home or real in home.parents or real == home / ".local" or not os.path.isdir(real):
        return False
    environment = os.path.isfile(real / "pyvenv.cfg")
    if not environment and (len(real.parts) < 3 or not os.path.isdir(real / "lib") or directory.is_relative_to(real)):
        return False
    return not any(
        real.is_relative_to(one) for one in ("/usr", "/bin", "/sbin", "/lib", "/proc", "/sys", "/dev", "/etc", "/run")
    )


def outermost(prefixes: Iterable[Path]) -> tuple[Path, ...]:
    """Without those that lie in another; fewer parts first, so that a mount never hides a later one."""
    kept = list[Path]()
    for one in sorted(prefixes, key=lambda prefix: len(prefix.parts)):
        if not any(one.is_relative_to(other) for other in kept):
            kept.append(one)
    return tuple(kept)
