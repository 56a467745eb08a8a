"""What explains an incident without the service's own changes and faults, so that it speaks against them."""

from __future__ import annotations

from collections.abc import Iterator

from prodwise.loop.diagnose import readings as read
from prodwise.loop.diagnose import used_up as use
from prodwise.loop.diagnose import validity
from prodwise.loop.diagnose import weights as w
from prodwise.loop.diagnose.case import Case
from prodwise.loop.diagnose.finding import Finding


def changes_explained(case: Case) -> Iterator[Finding]:
    """Against changes: a needed service that failed first, more traffic than usual with slower answers, a full disk, a
    certificate that ended just before, one input, the clock. Memory and files are used up by the process itself, and so
    perhaps by its release."""
    for sick in read.sick_needed(case):
        if sick.first:
            yield Finding(w.NEEDED_EXPLAINS, read.ids(case, *sick.facts))
            break
    if overloaded(case):
        yield Finding(w.OVERLOAD_EXPLAINS, read.ids(case, *[one for one in case.loads if one.service == case.service]))
    if full := [one for one in case.machine if use.disk_full(one)]:
        yield Finding(w.USED_UP_EXPLAINS, read.ids(case, *full))
    if poisoned := read.poison(case):
        yield Finding(w.ONE_INPUT_EXPLAINS, read.ids(case, *poisoned))
    yield from validity.explains(case)
    if jumps := read.clock_sets(case):
        yield Finding(w.CLOCK_EXPLAINS, read.ids(case, *jumps))


def faults_explained(case: Case) -> Iterator[Finding]:
    """Against the service's own faults: the same, and what its process has used up."""
    yield from changes_explained(case)
    killed, out = read.killed_for_memory(case), [one for one in read.uses(case) if use.files_out(one)]
    if killed or out:
        yield Finding(w.USED_UP_EXPLAINS, read.ids(case, *killed, *out))


def overloaded(case: Case) -> bool:
    """Clients that are refused at once ask again, and more often: where answers come as fast as ever, that is no overload."""
    load = read.load_of(case, case.service)
    times = read.traffic_times(load)
    hit, told = read.routes(case)
    wide = not told or len(hit) * 2 > len(told)
    return load is not None and times is not None and times >= w.TRAFFIC_UP[-1][0] and wide and not read.as_fast(load)
