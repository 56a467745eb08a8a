"""Causes that no step of ours changes: what is called and does not answer, one input, the clock, nothing."""

from __future__ import annotations

from collections.abc import Iterator

from prodwise.loop.diagnose import readings as read
from prodwise.loop.diagnose import weights as w
from prodwise.loop.diagnose.case import Case, ProbeFacts
from prodwise.loop.diagnose.finding import Finding, hypothesis
from prodwise.loop.diagnose.resources import resting_on
from prodwise.loop.diagnose.sorts import Sort, names
from prodwise.loop.group.template import printable
from prodwise.model.diagnosis import Cause, Hypothesis


def unreachable(case: Case) -> Iterator[Hypothesis]:
    """Programs report that what they call does not answer; what is seen of it ourselves is weighed elsewhere."""
    told = read.told_of(case, Sort.UNREACHABLE)
    own = case.find(case.service)
    if not told or (own is not None and own.upstream):
        return
    named = [name for name in case.needed() if any(names(one.title, name) for one in told)]
    sick = {one.service for one in read.sick_needed(case)}
    if sick & set(named) or (sick and not named):
        return
    subject = named[0] if named else ""
    findings = [Finding(w.REPORTED, read.ids(case, *told))]
    if well := [one for one in case.probes if one.service == subject and one.healthy]:
        findings.append(Finding(w.NEEDED_ANSWERS, read.ids(case, *well)))
    what = f"{subject}, which it needs," if subject else "something that it calls"
    yield hypothesis(
        Cause.UPSTREAM,
        f"{what} cannot be reached, as programs report: {read.title_of(told)}",
        findings,
        subject,
        hearsay=True,
    )


def clock_set(case: Case) -> Iterator[Hypothesis]:
    """The machine's clock was set, or programs report times that cannot be."""
    jumps = read.clock_sets(case)
    own = [Finding(w.CLOCK_WAS_SET, read.ids(case, *jumps))] if jumps else []
    found, told = resting_on(case, own, Sort.CLOCK)
    if found and case.symptoms:
        text = "programs report times that cannot be: a clock is wrong, here or elsewhere"
        if jumps:
            text = f"the machine's clock was set by {jumps[-1].moved_s:+.0f} s just before"
        yield hypothesis(Cause.CLOCK, text, found, "", hearsay=told)


def one_input(case: Case) -> Iterator[Hypothesis]:
    """One input fails each time, and others of the same kind work."""
    for one in sorted(read.poison(case), key=lambda one: (-one.failed, one.route))[:1]:
        text = f"one input fails each time, {printable(one.path)[: read.TITLE_CHARS]}, and {one.paths} others of {one.route} work"
        yield hypothesis(Cause.INPUT, text, [Finding(w.ONE_INPUT, read.ids(case, *read.poison(case)))], one.route)


def nothing(case: Case) -> Iterator[Hypothesis]:
    """Our own eyes see that all is well, whatever others say."""
    if found := read.all_well(case):
        probed = "its probe, and " if any(isinstance(one, ProbeFacts) for one in found) else ""
        text = f"nothing is wrong that we can see: it answers {probed}its users as before"
        yield hypothesis(Cause.NOTHING, text, [Finding(w.ALL_WELL, read.ids(case, *found))], case.service)
