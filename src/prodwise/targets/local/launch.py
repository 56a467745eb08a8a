"""Starts one program for the supervisor: `python -I -S launch.py SPEC.json`. Standard library only, and as little of it as
possible: this runs at every respawn, and its time is the app's down-time.

1. Waits, if the program keeps dying, so that a crash loop never becomes a spin (`pause`).
2. Sends output to the program's own log file: a pipe to the supervisor would break when the supervisor dies.
3. Ends, outlives or remembers a process that a dead supervisor left behind.
4. Drops to the named user, writes the pid file, and becomes the program.

SPEC.json: argv or command, cwd, env, env_file, user, log, pid_file, release, generation, orphan ("end", "wait" or "keep"),
inherit (whether our own environment is passed on: for our own programs only).
"""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing typing would take longer than all the rest
    from typing import Any

    Data = dict[str, Any]

QUICK_S = 1.5  # a process that lived shorter, its respawn included, died at once
QUICK_FREE = 3  # so many of these in a row cost nothing
OFTEN, OFTEN_S = 8, 20.0  # more exits than this within the window are a loop too
PAUSE_S, PAUSE_MAX_S = 0.5, 8.0  # at most so long after the cause of a loop is gone, it is tried again
STARTS_MAX = 40
END_S = 5.0
ORPHAN = "orphan"
_KEY = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")
_SIMPLE = re.compile(r"^[A-Za-z0-9_./:@%+, =-]+$")
_CHAIN = re.compile(r"[;&|\n(){}]")
_ASSIGN = re.compile(r"^\s*[A-Za-z_][A-Za-z0-9_]*=")


def uptime() -> float:
    """Seconds since boot, the clock that pid files use."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


_boot: list[str] = []


def boot_id() -> str:
    if not _boot:
        with open("/proc/sys/kernel/random/boot_id") as file:
            _boot.append(file.read().strip())
    return _boot[0]


def start_ticks(pid: int) -> int:
    """When the process started, in clock ticks since boot; 0 if there is none, or only its corpse."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return 0
    return 0 if fields[0] in "ZX" else int(fields[19])


def read_json(path: str) -> Data:
    try:
        with open(path) as file:
            data = json.load(file)
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def write_json(path: str, data: Data) -> None:
    """Readers see the old text or the new one. On a full disk the old one is written over, whose block is there already: an
    app that died must come back all the same. Raises OSError."""
    temporary, text = f"{path}.{os.getpid()}", json.dumps(data)
    try:
        with open(temporary, "w") as file:
            file.write(text)
        os.replace(temporary, path)
    except OSError as error:
        if os.path.exists(temporary):
            os.unlink(temporary)
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        with open(path, "r+") as file:
            file.write(text)
            file.truncate()


def read_env_file(path: str) -> dict[str, str]:
    """KEY=VALUE lines, `export` and matching quotes allowed, nothing expanded. Raises ValueError with the line's number."""
    values = {}
    with open(path) as file:
        for number, line in enumerate(file, 1):
            text = line.strip()
            if text.startswith("export "):
                text = text[7:].strip()
            if not text or text.startswith("#"):
                continue
            key, equals, value = text.partition("=")
            key, value = key.strip(), value.strip()
            if not equals or not _KEY.match(key):
                raise ValueError(f"{path}:{number}: not KEY=VALUE")
            if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"":
                value = value[1:-1]
            values[key] = value
    return values


def argv_of(command: str) -> list[str]:
    """A plain command is run directly; one with shell syntax by sh, which leaves its place to it unless commands are chained."""
    if _ASSIGN.match(command):
        return ["/bin/sh", "-c", command if _CHAIN.search(command) else "exec env " + command]
    if _CHAIN.search(command):
        return ["/bin/sh", "-c", command]
    return command.split() if _SIMPLE.match(command) else ["/bin/sh", "-c", "exec " + command]


def pause(starts: list[list[float]], now: float) -> float:
    """Seconds to wait before the next start. starts: (asked at, begun at) of the earlier ones in seconds since boot, newest last.

    0 for up to three quick deaths in a row, then 0.5 s doubling to 8 s; the same from the ninth start within 20 s.
    """
    quick, ended = 0, now
    for asked, begun in reversed(starts):
        if ended - begun > QUICK_S:
            break
        quick, ended = quick + 1, asked
    often = sum(1 for _, begun in starts if now - begun < OFTEN_S)
    steps = max(quick - QUICK_FREE, often - OFTEN)
    return min(PAUSE_MAX_S, PAUSE_S * 2.0**steps) if steps >= 0 else 0.0


def environment(spec: Data) -> dict[str, str]:
    env = dict(os.environ) if spec.get("inherit") else {}
    env.update(spec.get("env", {}))
    if spec.get("env_file"):
        env.update(read_env_file(spec["env_file"]))
    return env


def identity(user: str) -> tuple[int, int, list[int], str]:
    """(uid, gid, groups, home) of a named user. Raises KeyError for an unknown one."""
    import grp
    import pwd

    entry = pwd.getpwnam(user)
    groups = [group.gr_gid for group in grp.getgrall() if user in group.gr_mem]
    return entry.pw_uid, entry.pw_gid, sorted({entry.pw_gid, *groups}), entry.pw_dir


def become(user: str) -> None:
    """Gives up root for good."""
    uid, gid, groups, _ = identity(user)
    if os.getuid() == uid:
        return
    os.setgroups(groups)
    os.setgid(gid)
    os.setuid(uid)


def redirect(log: str) -> None:
    os.makedirs(os.path.dirname(log), exist_ok=True)
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open("/dev/null", os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    os.close(nothing)
    os.close(handle)


def end(pid: int, ticks: int) -> None:
    """Ends a process and its group: asked first, then made to. Only the very process that had these start ticks."""
    deadline = uptime() + END_S
    asked = False
    while start_ticks(pid) == ticks:
        try:
            if not asked:
                os.kill(pid, signal.SIGTERM)
            elif uptime() > deadline:
                os.killpg(pid, signal.SIGKILL)
        except OSError:
            return
        asked = True
        time.sleep(0.02)


def outlive(pid: int) -> None:
    """Waits for the orphan's death, to take its place at once; leaves when our own supervisor dies before."""
    import select

    parent, watched = os.getppid(), select.poll()
    try:
        watched.register(os.pidfd_open(pid), select.POLLIN)
    except OSError:
        return
    while not watched.poll(500):
        if os.getppid() != parent:
            os._exit(0)


def settle_orphan(spec: Data, before: Data) -> None:
    """What still runs from before is ended, or its pid file kept beside ours for those who replace it."""
    pid, ticks = int(before.get("pid", 0)), int(before.get("ticks", 0))
    if not pid or pid == os.getpid() or before.get("boot") != boot_id() or start_ticks(pid) != ticks or not ticks:
        return
    if spec.get("orphan") == "end":
        end(pid, ticks)
    elif spec.get("orphan") == "wait":
        outlive(pid)
    else:
        write_json(f"{spec['pid_file']}.{ORPHAN}.{pid}", before)


def starts_so_far(spec: Data, before: Data) -> tuple[list[list[float]], int]:
    """Times of the earlier starts of the same generation, and how many there were in all."""
    if before.get("generation") != spec.get("generation") or before.get("boot") != boot_id():
        return [], 0
    return list(before.get("starts", [])), int(before.get("count", 0))


def launch(spec_path: str) -> None:
    asked = uptime()
    spec = read_json(spec_path)
    redirect(spec["log"])
    before = read_json(spec["pid_file"])
    settle_orphan(spec, before)
    starts, count = starts_so_far(spec, before)
    facts = {
        "boot": boot_id(),
        "release": spec.get("release", ""),
        "generation": spec.get("generation", 0),
        "starts": starts,
        "count": count,
    }
    wait_in_turn(spec, facts, pause(starts, asked))
    env = environment(spec)
    if spec.get("user"):
        env.setdefault("USER", spec["user"])
        env["HOME"] = identity(spec["user"])[3]
    argv = spec.get("argv") or argv_of(spec["command"])
    facts.update(pid=os.getpid(), ticks=start_ticks(os.getpid()), started_at=time.time())  # noqa: TID251
    facts.update(starts=[*starts, [asked, uptime()]][-STARTS_MAX:], count=count + 1)
    write_json(spec["pid_file"], facts)
    if spec.get("user"):
        become(spec["user"])
    if spec.get("cwd"):
        os.chdir(spec["cwd"])
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    run(argv, env)


def run(argv: list[str], env: dict[str, str]) -> None:
    """Becomes the program, found along its own PATH. Imports nothing: the user we have become may not read our Python."""
    if "/" in argv[0]:
        os.execve(argv[0], argv, env)
    reason: OSError = FileNotFoundError(2, "not found along PATH", argv[0])
    for folder in env.get("PATH", "/usr/bin:/bin").split(":"):
        try:
            os.execve(f"{folder}/{argv[0]}", argv, env)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except PermissionError as error:
            reason = error
    raise reason


def wait_in_turn(spec: Data, facts: Data, seconds: float) -> None:
    """Sleeps out a crash loop's pause, with the reason in the log and the pid file."""
    if not seconds:
        return
    write_json(spec["pid_file"], dict(facts, pid=0, ticks=0, waiting_until=uptime() + seconds))
    sys.stderr.write(f"prodwise: it keeps exiting; the next start is in {seconds:.1f} s\n")
    sys.stderr.flush()
    time.sleep(seconds)


def main() -> None:
    try:
        launch(sys.argv[1])
    except (OSError, ValueError, KeyError) as error:
        sys.stderr.write(f"prodwise: cannot start: {error}\n")
        sys.stderr.flush()
        time.sleep(0.5)  # a start that cannot work is not tried in a spin
        os._exit(127)


if __name__ == "__main__":
    main()
