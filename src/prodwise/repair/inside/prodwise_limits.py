"""How long a try may take: it ends by itself when its processor time is used, and is ended when nothing of it has computed, and no
test ended, for longer than any test of the program waits. Python 3.6 and up."""

import os
import select
import signal
import time

import sitecustomize as watch

try:
    import resource
except ImportError:
    resource = None  # type: ignore[assignment]

LOOK_S = 0.25
COMPUTES = 0.05
"""Of the time; less is waiting, or asking again and again whether to wait."""
TICKS = float(os.sysconf("SC_CLK_TCK"))
BEATS = os.pipe()
for _end in BEATS:
    os.set_blocking(_end, False)


def limit(seconds, at_last=0):
    """Of this process, which takes no more memory than one of the machine's share. at_last: what `extend` may give it."""
    os.setpgid(0, 0)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    extend(seconds)
    if resource is None:
        return
    most = int(max(seconds, at_last)) + 2
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (most, most + 1))
        with open("/proc/self/statm") as source:
            used = int(source.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + (1 << 30), used + (1 << 30)))
    except (OSError, ValueError):
        pass


def extend(seconds):
    """From now on."""
    signal.setitimer(signal.ITIMER_PROF, seconds)


def wait(pid, seconds):
    """The exit code; None of what was ended. seconds: of processor time; the machine may be busy."""
    now = since = time.monotonic()
    end, idle, before = now + 4 * seconds + 2, watch.State.plan.get("idle", 1e9), 0.0
    while now < end and now - since < idle:
        done, status = ended(pid, min(LOOK_S, end - now))
        if done:
            return os.WEXITSTATUS(status) if os.WIFEXITED(status) else None
        now, used = time.monotonic(), computed()
        if used - before >= COMPUTES * idle or beaten():
            since, before = now, used
    for kill in (os.killpg, os.kill):
        try:
            kill(pid, signal.SIGKILL)
        except OSError:
            pass
    os.waitpid(pid, 0)
    return None


def beat():
    """A test of this try has ended: many that wait may follow each other."""
    try:
        os.write(BEATS[1], b".")
    except OSError:
        pass


def beaten():
    try:
        return bool(os.read(BEATS[0], 4096))
    except OSError:
        return False


def ended(pid, seconds):
    """As waitpid, within this time."""
    if not hasattr(os, "pidfd_open") or not looked_at(pid, seconds):
        end, pause = time.monotonic() + seconds, 0.0005
        while time.monotonic() < end:
            done = os.waitpid(pid, os.WNOHANG)
            if done[0]:
                return done
            time.sleep(pause)
            pause = min(pause * 1.5, 0.02)
    return os.waitpid(pid, os.WNOHANG)


def looked_at(pid, seconds):
    """Without looking again and again. False where the system has no such way."""
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        select.select([handle], [], [], seconds)
        return True
    except (OSError, ValueError):
        return False
    finally:
        os.close(handle)


def computed():
    """Seconds of all processes here but this one: what a try starts works for it."""
    total, own = 0.0, str(os.getpid())
    for name in os.listdir("/proc"):
        if name.isdigit() and name != own:
            try:
                with open("/proc/" + name + "/stat") as source:
                    fields = source.read().rpartition(")")[2].split()
                total += sum(map(int, fields[11:15])) / TICKS
            except (OSError, ValueError, IndexError):
                pass
    return total
