"""What a process or its machine runs out of: memory, disk, files. The machine's word counts; that of programs yields to it."""

from __future__ import annotations

from collections.abc import Iterator

from prodwise.loop.diagnose import readings as read
from prodwise.loop.diagnose import used_up as use
from prodwise.loop.diagnose import weights as w
from prodwise.loop.diagnose.case import Case, Exit
from prodwise.loop.diagnose.finding import Finding, hypothesis
from prodwise.loop.diagnose.sorts import Sort
from prodwise.model.diagnosis import Cause, Hypothesis

AMPLE = 0.5
SCARCE_FREE = 0.05


def resting_on(case: Case, own: list[Finding], sort: Sort) -> tuple[list[Finding], bool]:
    """(findings, whether they rest on reports alone). What programs say adds nothing to what we see ourselves."""
    told = read.told_of(case, sort)
    seen = any(one.weight > 0 for one in own)
    reported = [Finding(0.0 if seen else w.REPORTED, read.ids(case, *told))] if told else []
    return [*own, *reported], bool(told) and not seen


def felt(case: Case) -> bool:
    """Whether anything is wrong at all, as far as symptoms, requests and exits tell."""
    return bool(case.symptoms or read.exits(case) or read.failing(case) or read.slow(case))


def memory(case: Case) -> Iterator[Hypothesis]:
    """It ran out, or a process uses more and more of it."""
    found, told = resting_on(case, list(_memory(case)), Sort.MEMORY)
    if not felt(case) or not any(one.weight > 0 for one in found):
        return
    grows = [one for one in read.uses(case) if one.grows]
    if read.killed_for_memory(case):
        text = "the kernel killed the process for want of memory"
    elif grows:
        minutes = (grows[0].until - grows[0].since) / 60
        text = f"the process uses more and more memory: {grows[0].grown_bytes / 2**20:+.0f} MiB in {minutes:.0f} min"
    else:
        text = "programs report that memory ran out" if told else "nearly all of the memory is used"
    subject = grows[0].release if grows else case.service
    yield hypothesis(Cause.MEMORY, text, found, subject, hearsay=told)


def _memory(case: Case) -> Iterator[Finding]:
    killed = [one for one in read.exits(case) if one.exit_code in read.KILLED]
    if met := read.killed_for_memory(case):
        yield Finding(w.KERNEL_KILLED, read.ids(case, *met))
    elif killed and (quiet := [one for one in case.machine if _did_not(one, killed)]):
        yield Finding(w.KERNEL_DID_NOT, read.ids(case, *killed, *quiet))
    if grows := [one for one in read.uses(case) if one.grows]:
        yield Finding(w.MEMORY_GROWS, read.ids(case, *grows))
    tight = [one for one in read.uses(case) if use.memory_scarce(one)]
    machine = [one for one in case.machine if one.memory_free_share is not None]
    scarce = [one for one in machine if (one.memory_free_share or 0.0) <= SCARCE_FREE]
    unsaid = not met and all(one.kernel_kills is None for one in case.machine)
    if killed and unsaid and (grows or tight or scarce):
        yield Finding(w.KILLED_WHILE_SCARCE, read.ids(case, *killed))
    if tight or scarce:
        yield Finding(w.MEMORY_SCARCE, read.ids(case, *tight, *scarce))
    elif not grows and not met and _ample(case):
        yield Finding(w.MEMORY_AMPLE, read.ids(case, *machine, *read.uses(case)))


def _ample(case: Case) -> bool:
    free = [one.memory_free_share for one in case.machine if one.memory_free_share is not None]
    small = all(one.limit_bytes is None or one.rss_bytes < AMPLE * one.limit_bytes for one in read.uses(case))
    return bool(free) and min(free) >= AMPLE and small


def _did_not(machine: use.MachineUse, killed: list[Exit]) -> bool:
    """Whether the kernel's count covers all of these ends, and stood still."""
    return machine.kernel_kills == 0 and all(machine.at - machine.kills_s <= one.at <= machine.at for one in killed)


def disk(case: Case) -> Iterator[Hypothesis]:
    """Nothing more can be written."""
    found, told = resting_on(case, list(_disk(case)), Sort.DISK)
    if felt(case) and any(one.weight > 0 for one in found):
        full = any(use.disk_full(one) for one in case.machine)
        text = "programs report that the disk is full" if told else f"the disk is {'full' if full else 'nearly full'}"
        yield hypothesis(Cause.DISK, text, found, "", hearsay=told)


def _disk(case: Case) -> Iterator[Finding]:
    for machine in case.machine:
        if use.disk_full(machine):
            yield Finding(w.DISK_FULL, read.ids(case, machine))
        elif use.disk_low(machine):
            yield Finding(w.DISK_LOW, read.ids(case, machine))
        elif machine.disk_free_bytes is not None:
            yield Finding(w.DISK_FREE, read.ids(case, machine))


def descriptors(case: Case) -> Iterator[Hypothesis]:
    """A process may open no more files and connections."""
    out = [one for one in read.uses(case) if use.files_out(one)]
    few = [one for one in read.uses(case) if one.files_share is not None and one.files_share < AMPLE]
    own = [Finding(w.FILES_OUT, read.ids(case, *out))] if out else []
    if few and not out:
        own = [Finding(w.FILES_FEW, read.ids(case, *few))]
    found, told = resting_on(case, own, Sort.DESCRIPTORS)
    if felt(case) and any(one.weight > 0 for one in found):
        text = "the process has nearly as many files and connections open as it may"
        text = "programs report that too many files are open" if told else text
        yield hypothesis(Cause.DESCRIPTORS, text, found, out[0].release if out else case.service, hearsay=told)
