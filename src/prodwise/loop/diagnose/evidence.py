"""The case as stored, hashed facts: one Evidence for each, in an order that does not depend on how they arrived."""

from __future__ import annotations

import signal
from dataclasses import asdict
from datetime import UTC, datetime

from prodwise.loop.detect.certificate import told as standing_told
from prodwise.loop.diagnose.case import (
    Case,
    Contrast,
    Exit,
    GroupFacts,
    LoadFacts,
    ProbeFacts,
    ProcessFacts,
    RequestFacts,
    TouchFacts,
)
from prodwise.loop.diagnose.dependencies import stated as package_stated
from prodwise.loop.diagnose.origins import OriginFacts
from prodwise.loop.diagnose.used_up import ClockSet, InputFacts, MachineUse, ProcessUse
from prodwise.model.certificate import Credential, Kind
from prodwise.model.change import Change
from prodwise.model.evidence import Evidence
from prodwise.model.incident import Symptom

Used = ProcessUse | MachineUse | ClockSet | InputFacts
Fact = (
    Symptom
    | Change
    | Exit
    | ProcessFacts
    | ProbeFacts
    | RequestFacts
    | LoadFacts
    | Contrast
    | GroupFacts
    | OriginFacts
    | Credential
    | TouchFacts
    | Used
)


def evidence_of(case: Case) -> tuple[Evidence, ...]:
    """Every fact of the case once, sorted by kind, time and text."""
    facts: tuple[Fact, ...] = (
        *case.symptoms,
        *case.changes,
        *case.exits,
        *case.processes,
        *case.probes,
        *case.requests,
        *case.loads,
        *case.contrasts,
        *case.groups,
        *case.uses,
        *case.machine,
        *case.clock,
        *case.inputs,
        *case.origins,
        *case.credentials,
        *case.touched,
    )
    told = [*(evidence(case, fact) for fact in facts), *(package_stated(one) for one in case.packages)]
    unique = {one.id: one for one in told}
    return tuple(sorted(unique.values(), key=lambda one: (one.kind, one.since, one.text, one.id)))


def evidence(case: Case, fact: Fact) -> Evidence:
    """One fact with its source, its window and a plain sentence."""
    kind, source, since, until, text = _told(case, fact)
    return Evidence(kind, source, since, until, text, asdict(fact))


def stated(fact: GroupFacts) -> Evidence:
    """What programs reported, by itself."""
    return Evidence("group", fact.source, fact.first_seen, fact.last_seen, _group(fact), asdict(fact))


def clock(at: float) -> str:
    """UTC, to the second."""
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S")


def ending(exit_code: int | None) -> str:
    """An exit code in words."""
    if exit_code is None:
        return "exit code not known"
    if exit_code >= 0:
        return f"exit code {exit_code}"
    try:
        return signal.Signals(-exit_code).name
    except ValueError:
        return f"signal {-exit_code}"


def _told(case: Case, fact: Fact) -> tuple[str, str, float, float, str]:
    """(kind, source, since, until, text)."""
    match fact:
        case Symptom():
            return "symptom", fact.source or "detector", fact.onset_at, fact.seen_at, fact.text
        case Change():
            moved = f": {fact.before or 'nothing'} → {fact.after or 'nothing'}" if fact.before or fact.after else ""
            text = f"{fact.kind.value} change at {clock(fact.at)} by {fact.who}{moved}"
            return "change", "ledger", fact.at, fact.at, text
        case Exit():
            lived = "" if fact.lived_s is None else f" after {fact.lived_s:.1f} s"
            text = f"{fact.service}-{fact.slot} ({fact.release}) ended at {clock(fact.at)}{lived}: {ending(fact.exit_code)}"
            return "process", "supervisor", fact.at, fact.at, text
        case ProcessFacts():
            state = {True: "runs", False: "does not run", None: "is not known"}[fact.running]
            return "process", "supervisor", fact.since, case.now, f"{fact.service}-{fact.slot} ({fact.release}) {state}"
        case ProbeFacts():
            return "probe", "prober", fact.failing_since or case.since, case.now, _probe(fact)
        case OriginFacts():
            return "origin", "proxy, traces" if fact.reported else "proxy", fact.since, fact.at, _origin(fact)
        case GroupFacts():
            return "group", fact.source, fact.first_seen, fact.last_seen, _group(fact)
        case Credential():
            source = "handshake" if fact.kind is Kind.CERTIFICATE else "env_file"
            return fact.kind.value, source, fact.at, fact.at, standing_told(fact, case.now)
        case TouchFacts():
            text = f"release {fact.release} changed only {', '.join(fact.places) or ', '.join(fact.services)}"
            if case.service and not {case.service, *case.needed()} & {*fact.services}:
                text += f", and nothing of {case.service}" + (" or what it needs" if case.needed() else "")
            return "touched", "git", fact.at, fact.at, text
        case ProcessUse() | MachineUse() | ClockSet() | InputFacts():
            return _used(case, fact)
        case _:
            return _figures(case, fact)


def _used(case: Case, fact: Used) -> tuple[str, str, float, float, str]:
    match fact:
        case ProcessUse():
            return "use", "supervisor", fact.since, fact.until, _use(fact)
        case MachineUse():
            return "machine", "machine", fact.at - fact.kills_s, fact.at, _machine(fact)
        case ClockSet():
            way = "forward" if fact.moved_s > 0 else "back"
            text = f"the clock was set {way} by {abs(fact.moved_s):.0f} s at {clock(fact.at)}"
            return "clock", "ledger", fact.at, fact.at, text
        case InputFacts():
            text = (
                f"{fact.service} {fact.route}: {fact.failed} of {fact.n} requests of {fact.path} failed since "
                f"{clock(case.onset)}, of {fact.paths} other paths {fact.others_failed} of {fact.others}"
            )
            return "input", "proxy", case.onset, case.now, text


def _use(fact: ProcessUse) -> str:
    limit = f" of {_mib(fact.limit_bytes)}" if fact.limit_bytes else ""
    grows = {True: "grows steadily", False: "does not grow", None: "not known whether it grows"}[fact.grows]
    files = "" if fact.files_share is None else f"; {fact.files_share:.0%} of the files that it may open are open"
    span = max(0.0, fact.until - fact.since) / 60
    name, grown = (
        f"{fact.service}-{fact.slot} ({fact.release})",
        f"{fact.grown_bytes / 2**20:+.0f} MiB in {span:.0f} min",
    )
    return f"{name} uses {_mib(fact.rss_bytes)}{limit} of memory: {grows} ({grown}){files}"


def _machine(fact: MachineUse) -> str:
    said = []
    if fact.disk_free_bytes is not None:
        share = f" ({fact.disk_free_bytes / fact.disk_bytes:.0%})" if fact.disk_bytes else ""
        said.append(f"{_mib(fact.disk_free_bytes)}{share} of the disk are free")
    if fact.inodes_free_share is not None:
        said.append(f"{fact.inodes_free_share:.0%} of its inodes")
    if fact.memory_free_share is not None:
        said.append(f"{fact.memory_free_share:.0%} of the memory is free")
    if fact.kernel_kills is not None:
        said.append(f"the kernel killed {fact.kernel_kills} processes for want of memory in {fact.kills_s:.0f} s")
    return "the machine: " + (", ".join(said) or "nothing is known")


def _mib(size: int) -> str:
    return f"{size / 2**20:.0f} MiB"


def _figures(case: Case, fact: RequestFacts | LoadFacts | Contrast) -> tuple[str, str, float, float, str]:
    match fact:
        case RequestFacts():
            text = (
                f"{fact.service} {fact.route or 'all routes'}: {fact.after_failed} of {fact.after} requests failed since "
                f"{clock(case.onset)}, {fact.before_failed} of {fact.before} before"
            )
            return "requests", "proxy", case.since, case.now, text
        case LoadFacts():
            rate, ms = _versus(fact.rate_now, fact.rate_usual, "/s"), _versus(fact.p95_now_ms, fact.p95_usual_ms, " ms")
            known = any(one is not None for one in (fact.rate_now, fact.rate_usual, fact.p95_now_ms, fact.p95_usual_ms))
            text = f"requests {rate}, p95 {ms}" if known else "no requests are known of"
            return "load", "proxy", case.since, case.now, f"{fact.service}: {text}"
        case Contrast():
            text = (
                f"{fact.service}, side by side: {fact.canary} failed {fact.canary_failed} of {fact.canary_n}, "
                f"{fact.stable} {fact.stable_failed} of {fact.stable_n}"
            )
            return "contrast", "proxy", case.since, case.now, text


def _probe(fact: ProbeFacts) -> str:
    name = f"{fact.service}-{fact.slot} ({fact.release})"
    if fact.healthy is None:
        return f"{name}: whether it is well is not known"
    if fact.healthy:
        return f"{name} answers its probe"
    since = f" since {clock(fact.failing_since)}" if fact.failing_since is not None else ""
    return f"{name} fails its probe{since}" + (f": {fact.detail}" if fact.detail else "")


def _origin(fact: OriginFacts) -> str:
    shares = ", ".join(f"{name} {share:.0%} ({kind})" for name, share, kind in fact.ranked)
    why = f"; {'; '.join(fact.told)}" if fact.told else f"; {fact.unknown}" if fact.unknown else ""
    return f"what is felt at {fact.service} arises in: {shares or 'not known'}{why}"


def _group(fact: GroupFacts) -> str:
    where = f" at {fact.where}" if fact.where else ""
    users = f", {fact.users} users" if fact.users else ""
    only = f", only in release {fact.only_in}" if fact.only_in else ""
    raised = f"; {' ← '.join(fact.calls)}" if fact.calls else ""
    return f"{fact.title}{where}: reported {fact.count} times{users} since {clock(fact.first_seen)}{only}{raised}"


def _versus(now: float | None, usual: float | None, unit: str) -> str:
    def shown(value: float | None) -> str:
        return "not known" if value is None else f"{value:.3g}{unit}"

    return f"{shown(now)} (usual: {shown(usual)})"
