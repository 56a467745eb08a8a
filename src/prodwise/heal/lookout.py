"""The detectors of all services, fed with signals; what they find becomes symptoms."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import Any

from prodwise.heal.parts import Parts
from prodwise.loop.detect.baseline import Baseline, BaselineBuilder
from prodwise.loop.detect.probe import ProbeDetector
from prodwise.loop.detect.process import STEADY_S, ProcessDetector
from prodwise.loop.detect.service import ServiceMonitor
from prodwise.loop.detect.silence import SilenceDetector
from prodwise.loop.diagnose.case import Exit
from prodwise.model.change import Change, ChangeKind
from prodwise.model.incident import Symptom
from prodwise.model.service import Service, SlotName
from prodwise.model.signal import ProbeSeen, ProcessSeen, ProcessState, RequestSeen
from prodwise.model.target import ServiceSeen, TargetSeen

EXITS_KEPT = 100
OURS_S = 60.0
FLAP_S = 600.0


class Lookout:
    """One monitor of traffic, process and probe for each service; they look at what serves stable users."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._usual = {s.id: self._stored(s.id) for s in parts.inventory}
        self._fresh = {s.id: BaselineBuilder(s.id) for s in parts.inventory}
        self._traffic = {s.id: ServiceMonitor(s.id, self._usual[s.id]) for s in parts.inventory}
        self._silences = {s.id: SilenceDetector(s.id) for s in parts.inventory}
        self._slots: dict[str, str] = {}
        self._processes: dict[str, ProcessDetector] = {}
        self._probes: dict[str, ProbeDetector] = {}
        self._last: dict[tuple[str, str], ProcessSeen] = {}
        self._states: dict[str, deque[tuple[float, bool]]] = {s.id: deque(maxlen=64) for s in parts.inventory}
        self.exits: deque[Exit] = deque(maxlen=EXITS_KEPT)
        self._answered: dict[str, int] = {}  # service → pid of the process that has answered its probe
        self.said = ""

    def _stored(self, service: str) -> Baseline | None:
        data = self._parts.records.settings.get(f"baseline:{service}")
        return Baseline.from_json(data) if data else None

    def request(self, request: RequestSeen) -> None:
        """A stable answer. While nothing is wrong it also teaches what is usual."""
        monitor = self._traffic.get(request.service)
        if monitor is None:
            return
        monitor.observe(request)
        self._silences[request.service].observe(request)
        if monitor.healthy(request.at):
            self._fresh[request.service].observe(request)

    def waiting(self, service: str, at: float, count: int) -> None:
        """How many of a service's requests are under way."""
        if service in self._silences:
            self._silences[service].count(at, count)

    def silent(self, service: str, now: float) -> bool:
        """Whether users wait for the service, and nobody is answered."""
        return service in self._silences and self._silences[service].silent(now)

    def probe(self, answer: ProbeSeen) -> None:
        """Answers of the slot that serves; a canary's are the rollout's business."""
        if self._slots.get(answer.service) == answer.slot:
            self._probes[answer.service].observe(answer)

    def look(self, seen: TargetSeen, now: float, quiet: frozenset[str] = frozenset()) -> dict[str, list[Symptom]]:
        """Service id → what is wrong with it now. quiet: services whose traffic is judged elsewhere at the moment."""
        found: dict[str, list[Symptom]] = {}
        for service in self._parts.inventory:
            at = seen.service(service.id)
            if at is None or at.active is None:
                continue
            self._follow(service.id, at.active)
            self._notice_exits(at, now)
            process = at.slot(at.active)
            if process is not None:
                if not self._ended_by_us(process, now):
                    self._processes[service.id].observe(process)
                self._probes[service.id].process(process.state)
                if self._boots(service, process, now):
                    self._probes[service.id] = ProbeDetector(service.id)
            self._traffic[service.id].tick(now)
            symptoms = [
                *self._processes[service.id].symptoms(now),
                *self._probes[service.id].symptoms(now),
                *(() if service.id in quiet else self._of_users(service.id, process, now)),
            ]
            self._note_state(service.id, now, not symptoms)
            if symptoms:
                found[service.id] = symptoms
        return found

    def _of_users(self, service: str, process: ProcessSeen | None, now: float) -> list[Symptom]:
        """What users feel. A hang is told once, by the probe if it sees it."""
        runs = process is not None and process.state is ProcessState.RUNNING and not self._probes[service].symptoms(now)
        silence = self._silences[service].symptoms(now, process.started_at) if process is not None and runs else ()
        return [*silence, *self._traffic[service].symptoms(now)]

    def _follow(self, service: str, slot: SlotName) -> None:
        """Another slot serves: what was known of the old one says nothing about it."""
        if self._slots.get(service) != slot.value:
            self._slots[service] = slot.value
            self._processes[service] = self._process_detector(service, slot.value)
            self._probes[service] = ProbeDetector(service)
            self._silences[service] = SilenceDetector(service)

    def _process_detector(self, service: str, slot: str) -> ProcessDetector:
        """An end counts no longer than an incident is watched for: else one that is over would begin another."""
        probed = any(s.id == service and s.probe is not None for s in self._parts.inventory)
        return ProcessDetector(service, slot, min(STEADY_S, self._parts.config.heal.watch_seconds), probed=probed)

    def _boots(self, service: Service, process: ProcessSeen, now: float) -> bool:
        """A process that has not answered yet, and may still take its start time: silence is no hang."""
        if process.pid and self._probes[service.id].healthy(now):
            self._answered[service.id] = process.pid
        young = now - process.started_at < service.start_s
        return (
            process.pid > 0 and young and self._answered.get(service.id) != process.pid and self._bad(service.id, now)
        )

    def _bad(self, service: str, now: float) -> bool:
        return bool(self._probes[service].symptoms(now))

    def _note_state(self, service: str, now: float, well: bool) -> None:
        states = self._states[service]
        if not states or states[-1][1] is not well:
            states.append((now, well))

    def flaps(self, service: str, now: float) -> int:
        """How often the service's state changed in the last ten minutes."""
        return max(0, sum(1 for at, _ in self._states.get(service, ()) if now - at < FLAP_S) - 1)

    def _notice_exits(self, at: ServiceSeen, now: float) -> None:
        """A process that ended without being asked: remembered, and the supervisor's respawn is recorded as its action."""
        for process in at.slots:
            before = self._last.get((at.service, process.slot))
            self._last[at.service, process.slot] = _remembering(process, before)
            if before is None or before.release != process.release or process.state is ProcessState.STOPPED:
                continue
            if process.restarts > before.restarts:
                if self._ours(process.service, before.pid, now):
                    if self._slots.get(at.service) == process.slot:
                        self._processes[at.service] = self._process_detector(at.service, process.slot)
                    continue
                lived = process.at - before.started_at if before.started_at else None
                self.exits.append(Exit(now, at.service, process.slot, process.release, process.exit_code, lived))
                if at.switch is None or at.switch.share > 0 or at.switch.stable.value == process.slot:
                    self._record_respawn(process)  # no user has met a release that does not come up: its rollout tells

    def _ended_by_us(self, process: ProcessSeen, now: float) -> bool:
        """Between our restart's kill and the new start, a look may find no process: that is no crash."""
        pid = self._last[process.service, process.slot].pid
        return process.state is ProcessState.EXITED and self._ours(process.service, pid, now)

    def _ours(self, service: str, pid: int, now: float) -> bool:
        """Whether the process ended because we (or a person through us) restarted it."""
        recent = self._parts.records.ledger.effects(service=service, since=now - OURS_S)
        return any(effect.kind == "restart" and effect.command.get("pid") == pid for effect in recent)

    def _record_respawn(self, process: ProcessSeen) -> None:
        text = f"{process.service}: the supervisor started it again after {_ending(process.exit_code)}"
        change = Change(
            f"respawn-{process.service}-{process.slot}-{process.started_at:.3f}", process.at, ChangeKind.PLATFORM, process.service,
            "", process.release, "supervisor", "none: a restart changes no state", text,
        )  # fmt: skip
        data = {
            "kind": "restart",
            "state": "done",
            "target": process.slot,
            "key": change.id,
            "command": {"actor": "supervisor"},
        }
        with self._parts.records.unit():
            self._parts.records.changes.record(change)
            self._parts.records.ledger.append("effect", text, actor="supervisor", service=process.service, data=data)

    def health(self, now: float) -> dict[str, bool | None]:
        return {service.id: self.well(service, now) for service in self._parts.inventory}

    def well(self, service: Service, now: float) -> bool | None:
        """True only when something says so and nothing speaks against it; None when nothing is known."""
        process, probe = self._processes.get(service.id), self._probes.get(service.id)
        if process is None or probe is None:
            return None
        traffic = self._traffic[service.id]
        if process.symptoms(now) or probe.symptoms(now) or traffic.symptoms(now) or process.running() is False:
            return False
        if self.silent(service.id, now):
            return False
        return probe.healthy(now) if service.probe is not None else process.running()

    def answers(self, service: str, now: float) -> bool | None:
        """What its probe says now; without a probe, whether its process runs."""
        process, probe = self._processes.get(service), self._probes.get(service)
        asked = next((s.probe for s in self._parts.inventory if s.id == service), None)
        if process is None or probe is None:
            return None
        return probe.healthy(now) if asked is not None else process.running()

    def baseline(self, service: str) -> Baseline:
        """What is usual: what was stored, with what was seen since."""
        fresh, usual = self._fresh[service].build(), self._usual[service]
        return fresh if usual is None else usual.merge(fresh)

    def rest(self) -> None:
        """A new normal begins (a rollout ended): monitors of traffic start afresh from the baselines."""
        for service in self._traffic:
            self._usual[service] = self.baseline(service)
            self._fresh[service] = BaselineBuilder(service)
            self._traffic[service] = ServiceMonitor(service, self._usual[service])

    def forget(self) -> None:
        """Nothing is known of any service until it is seen again; what is usual stays."""
        self._slots.clear()
        self._processes.clear()
        self._probes.clear()
        self.rest()

    def to_keep(self) -> dict[str, Any]:
        """Setting → value: baselines outlive a restart of the healer."""
        return {f"baseline:{service}": self.baseline(service).to_json() for service in self._traffic}

    def trouble(self, text: str) -> None:
        """Our own eyes: said once, until it changes."""
        if text != self.said:
            self.said = text
            self._parts.records.ledger.append("blind", f"Prodwise cannot see the app: {text}", actor="prodwise")


def _remembering(process: ProcessSeen, before: ProcessSeen | None) -> ProcessSeen:
    """While nothing runs in the slot: which process it was that ended."""
    if process.pid or before is None or not before.pid or before.release != process.release:
        return process
    return replace(process, pid=before.pid, started_at=before.started_at)


def _ending(exit_code: int | None) -> str:
    if exit_code is None:
        return "an end that was not seen"
    return f"signal {-exit_code}" if exit_code < 0 else f"exit code {exit_code}"
