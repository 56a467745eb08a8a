"""From a case to ranked hypotheses, and what is not known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

from prodwise.loop.diagnose import readings as read
from prodwise.loop.diagnose.case import Case
from prodwise.loop.diagnose.causes import CAUSES
from prodwise.loop.diagnose.evidence import clock
from prodwise.loop.diagnose.shares import shared
from prodwise.loop.diagnose.used_up import TREND_MIN_S
from prodwise.loop.diagnose.validity import unseen
from prodwise.model.diagnosis import Cause, Diagnosis, Hypothesis

T = TypeVar("T")

KEPT_WEIGHT = -6.0
"""Less likely than this is not worth a line."""

_NEARNESS = [
    Cause.NOTHING,
    Cause.CERTIFICATE,
    Cause.DISK,
    Cause.CLOCK,
    Cause.UPSTREAM,
    Cause.OVERLOAD,
    Cause.INPUT,
    Cause.DEPENDENCY,
    Cause.RELEASE,
    Cause.CONFIG,
    Cause.CRASH_LOOP,
    Cause.CRASH,
    Cause.MEMORY,
    Cause.DESCRIPTORS,
    Cause.HANG,
    Cause.ERRORS,
    Cause.SLOW,
    Cause.UNKNOWN,
]
"""Equal weights: first those whose answer changes least, so that doubt never leads to a restart."""


def diagnose(case: Case) -> Diagnosis:
    """Ranks every cause that anything speaks for. The order in which facts arrive, and repetitions of them, change nothing."""
    case = _canonical(case)
    found = [one for cause in CAUSES for one in cause(case)]
    kept = [one for one in found if one.cause is Cause.UNKNOWN or (one.supports and one.weight > KEPT_WEIGHT)]
    return Diagnosis(tuple(sorted(shared(kept), key=_rank)), _unknown(case))


def _canonical(case: Case) -> Case:
    """Each fact once, in an order of its own."""

    def once(facts: Iterable[T]) -> tuple[T, ...]:
        return tuple(sorted(set(facts), key=repr))

    return replace(
        case,
        symptoms=once(case.symptoms),
        services=once(case.services),
        changes=once(case.changes),
        exits=once(case.exits),
        processes=once(case.processes),
        probes=once(case.probes),
        requests=once(case.requests),
        loads=once(case.loads),
        contrasts=once(case.contrasts),
        groups=once(case.groups),
        uses=once(case.uses),
        machine=once(case.machine),
        clock=once(case.clock),
        inputs=once(case.inputs),
        packages=once(case.packages),
        origins=once(case.origins),
        credentials=once(case.credentials),
        touched=once(case.touched),
    )


def _rank(one: Hypothesis) -> tuple[float, int, str]:
    return -one.weight, _NEARNESS.index(one.cause), one.subject


def _unknown(case: Case) -> tuple[str, ...]:
    """What was not known when this was decided, in plain words."""
    said: list[str] = []
    if not case.symptoms:
        said.append("when it began: no detector named an onset")
    ours = [one for one in case.requests if one.service == case.service]
    if sum(one.after for one in ours) == 0:
        of_it = f" of {case.service}" if case.service else ""
        said.append(f"how users fare: no request{of_it} was seen since {clock(case.onset)}")
    probes = [one for one in case.probes if one.service == case.service]
    if not any(one.healthy is not None for one in probes):
        said.append(f"whether {case.service or 'the app'} answers: no probe of it was answered or refused")
    if read.traffic_times(read.load_of(case, case.service)) is None:
        said.append("whether traffic is unusual: no usual rate is known")
    said += [f"whether {name} is well: it is needed, and nothing tells" for name in read.unknown_needed(case)]
    if any(one.exit_code is None for one in read.exits(case)):
        said.append("why the process ended: its exit code was not seen")
    said += [f"where it began: {one.unknown}" for one in case.origins if one.service == case.service and one.unknown]
    said += unseen(case)
    said += _of_the_machine(case)
    if not case.changes:
        said.append("whether anything changed outside: the change ledger is empty")
    return tuple(said)


def _of_the_machine(case: Case) -> list[str]:
    """What would tell whether something was used up; said where a machine was looked at at all."""
    said = []
    for one in case.machine[-1:]:
        if one.disk_free_bytes is None:
            said.append("whether the disk is full: it could not be asked")
        if one.kernel_kills is None and any(end.exit_code in read.KILLED for end in read.exits(case)):
            said.append("whether the kernel killed it for want of memory: it does not say")
    for use in read.uses(case):
        if use.grows is None and use.until - use.since < TREND_MIN_S:
            said.append(
                f"whether the memory of {use.service}-{use.slot} grows: it was watched for less than ten minutes"
            )
    return said
