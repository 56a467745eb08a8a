"""One function per cause: the findings that speak for and against it. Pure; each finding names its evidence and its weight."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from prodwise.loop.diagnose import readings as read
from prodwise.loop.diagnose import weights as w
from prodwise.loop.diagnose.case import Case, Exit
from prodwise.loop.diagnose.dependencies import apart
from prodwise.loop.diagnose.elsewhere import changed_elsewhere
from prodwise.loop.diagnose.evidence import clock, ending
from prodwise.loop.diagnose.explained import changes_explained, faults_explained
from prodwise.loop.diagnose.finding import Finding, hypothesis
from prodwise.loop.diagnose.outside_causes import clock_set, nothing, one_input, unreachable
from prodwise.loop.diagnose.resources import descriptors, disk, memory
from prodwise.loop.diagnose.validity import certificate
from prodwise.model.change import Change
from prodwise.model.diagnosis import Cause, Hypothesis
from prodwise.model.incident import Symptom


def released(case: Case) -> Iterator[Hypothesis]:
    """Began with a release, or a package that it changed: the newest before the onset, and each that stands beside another one."""
    changes = read.release_changes(case)
    newest = _newest(case, changes)
    subjects: dict[str, Change | None] = {newest.after: newest} if newest is not None else {}
    for contrast in read.contrasts(case):
        about = next((one for one in reversed(changes) if one.after == contrast.canary), None)
        if about is not None or read.canary_worse(contrast):
            subjects.setdefault(contrast.canary, about)
    for release in sorted(subjects):
        yield from apart(_release(case, release, subjects[release]), case.packages)


def _release(case: Case, release: str, change: Change | None) -> Hypothesis:
    previous = (
        change.before
        if change is not None
        else next((one.stable for one in read.contrasts(case) if one.canary == release), "")
    )
    findings = [*_contrasting(case, release), *changes_explained(case), *_reported(case, release)]
    elsewhere = list(changed_elsewhere(case, release, previous))
    text = f"release {release} fails where the one beside it does not"
    if change is not None:
        new = case.onset - change.at <= w.NEW_FOR_S and not elsewhere  # else what ended is what ran before
        findings += [_timed(case, change), *(_dying(case, release) if new else ())]
        text = f"began {_after(case, change)} release {release}, which replaced {change.before}"
    text += f", though that changed nothing of {case.service}" if elsewhere else ""
    return hypothesis(Cause.RELEASE, text, [*findings, *elsewhere], release)


def configured(case: Case) -> Iterator[Hypothesis]:
    """Began with a change of configuration."""
    change = _newest(case, read.config_changes(case))
    if change is not None:
        findings = [_timed(case, change), *changes_explained(case)]
        text = f"began {_after(case, change)} a {change.kind.value} change by {change.who}"
        yield hypothesis(Cause.CONFIG, text, findings, change.id)


def _newest(case: Case, changes: list[Change]) -> Change | None:
    """The last change before the onset, or else the first after it (which the timing then speaks against)."""
    before = [one for one in changes if one.at <= case.onset + w.ONSET_TOLERANCE_S]
    return before[-1] if before else next(iter(changes), None)


def _timed(case: Case, change: Change) -> Finding:
    evidence = read.ids(case, change, *case.symptoms)
    late_s = case.onset - change.at
    if late_s < -w.ONSET_TOLERANCE_S:
        return Finding(w.BEFORE_CHANGE, evidence)
    return Finding(next((weight for limit, weight in w.AFTER_CHANGE if late_s <= limit), w.LONG_AFTER_CHANGE), evidence)


def _after(case: Case, change: Change) -> str:
    late_s = case.onset - change.at
    if late_s < -w.ONSET_TOLERANCE_S:
        return "before"
    return f"{max(0.0, late_s):.0f} s after" if late_s < 600 else f"{late_s / 60:.0f} min after"


def _contrasting(case: Case, release: str) -> Iterator[Finding]:
    for contrast in read.contrasts(case):
        verdict = read.canary_worse(contrast)
        if contrast.canary == release and verdict is not None:
            yield Finding(w.CONTRAST_WORSE if verdict else w.CONTRAST_ALIKE, read.ids(case, contrast))


def _reported(case: Case, release: str = "") -> Iterator[Finding]:
    """Groups of errors that programs report, or those that only one release does. Cited only: it is the word of others."""
    mine = [one for one in case.groups if one.service == case.service and (not release or one.only_in == release)]
    if mine:
        yield Finding(0.0, read.ids(case, *mine))


def _dying(case: Case, release: str) -> Iterator[Finding]:
    """Processes of the release that end or hang; one kill from outside says little about it."""
    ended = [one for one in read.exits(case) if one.release == release]
    silent = [one for one in read.hung(case) if one.release == release]
    if ended or silent:
        yield Finding(w.NEW_RELEASE_DIES, read.ids(case, *ended, *silent))
    if any(one.release == release for one in read.loops(case)):
        yield Finding(w.NEW_RELEASE_KEEPS_DYING, read.ids(case, *read.loops(case)))
    elif len(ended) == 1 and not silent and ended[0].exit_code in read.KILLS and not read.killed_for_memory(case):
        yield Finding(w.KILLED_FROM_OUTSIDE, read.ids(case, *ended))


def crashed(case: Case) -> Iterator[Hypothesis]:
    """The process died: once or twice, or over and over."""
    ended, loop = read.exits(case), read.loops(case)
    if loop or read.named(case, "crash_loop"):
        text = "the process keeps ending"
        if loop:
            text += f": {len(loop)} times since {clock(loop[0].at)}, last with {ending(loop[-1].exit_code)}"
        facts: list[Exit | Symptom] = [*read.named(case, "crash_loop"), *loop]
        findings = [Finding(w.KEEPS_DYING, read.ids(case, *facts)), *faults_explained(case)]
        yield hypothesis(Cause.CRASH_LOOP, text, findings, facts[-1].release)
    elif ended or read.named(case, "crash"):
        facts = [*read.named(case, "crash"), *ended]
        text = (
            f"the process ended at {clock(ended[-1].at)}: {ending(ended[-1].exit_code)}"
            if ended
            else read.named(case, "crash")[-1].text
        )
        findings = [Finding(w.DIED, read.ids(case, *facts)), *_killed(case, ended), *_used_up(case)]
        yield hypothesis(Cause.CRASH, text, findings, facts[-1].release)


def _killed(case: Case, ended: list[Exit]) -> Iterator[Finding]:
    if len(ended) == 1 and ended[0].exit_code in read.KILLS:
        yield Finding(w.DIED_OF_A_KILL, read.ids(case, *ended))


def _used_up(case: Case) -> Iterator[Finding]:
    if killed := read.killed_for_memory(case):
        yield Finding(w.USED_UP_EXPLAINS, read.ids(case, *killed))


def silent(case: Case) -> Iterator[Hypothesis]:
    """The process lives and does not answer."""
    found = read.hung(case)
    if found and not read.loops(case):
        findings = [Finding(w.SILENT_BUT_ALIVE, read.ids(case, *found)), *faults_explained(case)]
        if answered := read.still_answers(case):
            findings.append(Finding(w.STILL_ANSWERS, read.ids(case, *answered)))
        text = "the process runs and does not answer its probe"
        yield hypothesis(Cause.HANG, text, findings, found[0].release)


def too_much(case: Case) -> Iterator[Hypothesis]:
    """More traffic than the service can take."""
    load = read.load_of(case, case.service)
    times = read.traffic_times(load)
    if load is None or times is None or not (read.failing(case) or read.slow(case) or read.hung(case)):
        return
    evidence = read.ids(case, load)
    weight = next((weight for limit, weight in w.TRAFFIC_UP if times >= limit), w.TRAFFIC_AS_USUAL)
    findings = [Finding(weight, evidence)]
    hit, told = read.routes(case)
    if told:
        wide = len(hit) * 2 > len(told)
        findings.append(Finding(w.ALL_ROUTES if wide else w.FEW_ROUTES, read.ids(case, *(hit or told))))
    if slow := read.slow(case):
        findings.append(Finding(w.SLOWER, read.ids(case, *slow)))
    elif read.as_fast(load):
        findings.append(Finding(w.AS_FAST, evidence))
    yield hypothesis(Cause.OVERLOAD, f"traffic is {times:.1f} times the usual rate", findings, case.service)


def upstream(case: Case) -> Iterator[Hypothesis]:
    """Something that we need is down; or the service itself stands for something outside."""
    own = case.find(case.service)
    if own is not None and own.upstream:
        findings = [Finding(w.ITSELF_OUTSIDE, read.ids(case, *case.symptoms))]
        yield hypothesis(
            Cause.UPSTREAM, f"{case.service} is outside our control and fails by itself", findings, case.service
        )
    hit, told = read.routes(case)
    for sick in read.sick_needed(case):
        evidence = read.ids(case, *sick.facts)
        findings = [Finding(w.NEEDED_IS_SICK, evidence)]
        if sick.first is not None:
            findings.append(Finding(w.NEEDED_FAILED_FIRST if sick.first else w.NEEDED_FAILED_LATER, evidence))
        if there := [one for one in read.origins(case) if one.origin == sick.service]:
            heard = any(one.reported for one in there)
            findings.append(Finding(0.0 if heard else w.BEGAN_THERE, read.ids(case, *there)))
        if hit and len(hit) < len(told):
            findings.append(Finding(w.SOME_ROUTES, read.ids(case, *hit)))
        when = {True: ", and failed first", False: ", but failed later", None: ""}[sick.first]
        text = f"{sick.service}, which {case.service} needs, is not well{when}"
        yield hypothesis(Cause.UPSTREAM, text, findings, sick.service)


def began_below(case: Case) -> Iterator[Hypothesis]:
    """The figures of services that call one another say that it began in one that nothing else accuses."""
    sick = {one.service for one in read.sick_needed(case)}
    for one in read.origins(case):
        if one.origin not in ("", case.service, *sick) and (read.failing(case) or read.slow(case)):
            what = {name: (share, kind) for name, share, kind in one.ranked}[one.origin]
            text = f"began in {one.origin}, which {case.service} calls: {what[0]:.0%} of what is unusual arises there ({what[1]})"
            findings = [Finding(w.BEGAN_BELOW, read.ids(case, one))]
            yield hypothesis(Cause.UPSTREAM, text, findings, one.origin, hearsay=one.reported)


def own_errors(case: Case) -> Iterator[Hypothesis]:
    """Requests fail, and nothing nearer explains it."""
    if found := read.failing(case):
        findings = [Finding(w.FAILING, read.ids(case, *found)), *faults_explained(case), *_reported(case)]
        if all(isinstance(one, Symptom) and one.kind == "probe" for one in found):
            findings += [Finding(w.STILL_ANSWERS, read.ids(case, *fine)) for fine in [read.still_answers(case)] if fine]
        hit, told = read.routes(case)
        where = f" on {len(hit)} of {len(told)} routes" if told and hit else ""
        said = all(isinstance(one, Symptom) and not one.ours for one in found)
        text = "programs report errors; no request is seen to fail" if said else f"requests fail{where}"
        yield hypothesis(Cause.ERRORS, text, findings, case.service)


def own_slowness(case: Case) -> Iterator[Hypothesis]:
    """Requests take long, and nothing nearer explains it."""
    found = read.slow(case)
    if found and not read.failing(case):
        findings = [Finding(w.SLOW, read.ids(case, *found)), *faults_explained(case)]
        yield hypothesis(Cause.SLOW, "requests take longer than usual", findings, case.service)


def not_known(case: Case) -> Iterator[Hypothesis]:
    text = "the cause is not known"
    if case.symptoms and all(one.kind == "traffic_loss" for one in case.symptoms):
        text = "nobody asks any more, and nothing is wrong here: what lies before it (DNS, network, callers) may be"
    yield replace(hypothesis(Cause.UNKNOWN, text, []), supports=read.ids(case, *case.symptoms))


CAUSES: tuple[Callable[[Case], Iterator[Hypothesis]], ...] = (
    released,
    configured,
    crashed,
    silent,
    too_much,
    upstream,
    began_below,
    unreachable,
    memory,
    disk,
    descriptors,
    certificate,
    clock_set,
    one_input,
    own_errors,
    own_slowness,
    nothing,
    not_known,
)
