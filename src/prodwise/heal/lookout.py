"""The detectors of all services, fed with signals; what they find becomes symptoms."""

from __future__ import annotations

from collections import deque

from prodwise.heal.parts import Parts
from prodwise.loop.detect.baseline import Baseline
from prodwise.loop.detect.probe import ProbeMonitor
from prodwise.loop.detect.process import ProcessMonitor
from prodwise.loop.detect.service import ServiceMonitor
from prodwise.loop.diagnose.case import Exit
from prodwise.model.change import Change, ChangeKind
from prodwise.model.incident import Symptom
from prodwise.model.service import Service
from prodwise.model.signal import ProbeSeen, ProcessSeen, ProcessState, RequestSeen
from prodwise.model.target import ServiceSeen, TargetSeen

EXITS_KEPT = 100
OURS_S = 60.0


class Lookout:
    """One monitor of traffic, process and probe for each service; they look at what serves stable users."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._traffic = {s.id: ServiceMonitor(s.id, self._stored(s.id)) for s in parts.inventory}
        self._processes = {s.id: ProcessMonitor(s.id) for s in parts.inventory}
        self._probes = {s.id: ProbeMonitor(s.id) for s in parts.inventory}
        self._last: dict[tuple[str, str], ProcessSeen] = {}
        self.exits: deque[Exit] = deque(maxlen=EXITS_KEPT)
        self.said = ""

    def _stored(self, service: str) -> Baseline | None:
        data = self._parts.records.settings.get(f"baseline:{service}")
        return Baseline.from_json(data) if data else None

    def request(self, request: RequestSeen) -> None:
        if request.service in self._traffic:
            self._traffic[request.service].observe(request)

    def probe(self, answer: ProbeSeen, seen: TargetSeen) -> None:
        """Answers of the slot that serves; a canary's are the rollout's business."""
        at = seen.service(answer.service)
        if at is not None and answer.slot == at.active and answer.service in self._probes:
            self._probes[answer.service].observe(answer)

    def look(self, seen: TargetSeen, now: float, quiet: frozenset[str] = frozenset()) -> dict[str, list[Symptom]]:
        """Service id → what is wrong with it now. quiet: services whose traffic is judged elsewhere at the moment."""
        found: dict[str, list[Symptom]] = {}
        for service in self._parts.inventory:
            at = seen.service(service.id)
            if at is None:
                continue
            self._notice_exits(at, now)
            process = at.slot(at.active) if at.active else None
            if process is not None:
                self._processes[service.id].observe(process)
            self._traffic[service.id].tick(now)
            symptoms = [
                *self._processes[service.id].symptoms(now),
                *self._probes[service.id].symptoms(now),
                *(() if service.id in quiet else self._traffic[service.id].symptoms(now)),
            ]
            if symptoms:
                found[service.id] = symptoms
        return found

    def _notice_exits(self, at: ServiceSeen, now: float) -> None:
        """A process that ended without being asked: remembered, and the supervisor's respawn is recorded as its action."""
        for process in at.slots:
            before = self._last.get((at.service, process.slot))
            self._last[at.service, process.slot] = process
            if before is None or before.release != process.release or process.state is ProcessState.STOPPED:
                continue
            if process.restarts > before.restarts:
                lived = process.at - before.started_at if before.started_at else None
                self.exits.append(Exit(now, at.service, process.slot, process.release, process.exit_code, lived))
                if not self._ours(process.service, before.pid, now):
                    self._record_respawn(process)

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
        self._parts.records.changes.record(change)
        data = {"kind": "restart", "state": "done", "target": process.slot, "key": change.id, "command": {"actor": "supervisor"}}
        self._parts.records.ledger.append("effect", text, actor="supervisor", service=process.service, data=data)

    def health(self, now: float) -> dict[str, bool | None]:
        return {service.id: self.well(service, now) for service in self._parts.inventory}

    def well(self, service: Service, now: float) -> bool | None:
        """True only when something says so and nothing speaks against it; None when nothing is known."""
        monitors = (self._processes[service.id], self._probes[service.id], self._traffic[service.id])
        said = [monitor.healthy(now) for monitor in monitors]
        if False in said:
            return False
        asked = said[1] if service.probe is not None else said[0]
        return True if asked else None

    def baseline(self, service: str) -> Baseline:
        return self._traffic[service].baseline()

    def rest(self) -> None:
        """A new normal begins (a rollout ended): monitors start afresh from the baselines."""
        for service in self._traffic:
            self._traffic[service] = ServiceMonitor(service, self.baseline(service))
            self._processes[service] = ProcessMonitor(service)
            self._probes[service] = ProbeMonitor(service)

    def save(self) -> None:
        """Baselines outlive a restart of the healer."""
        for service, monitor in self._traffic.items():
            self._parts.records.settings.put(f"baseline:{service}", monitor.baseline().to_json(), "prodwise")

    def trouble(self, text: str) -> None:
        """Our own eyes: said once, until it changes."""
        if text != self.said:
            self.said = text
            self._parts.records.ledger.append("blind", f"the target cannot be seen: {text}", actor="prodwise")


def _ending(exit_code: int | None) -> str:
    if exit_code is None:
        return "an end that was not seen"
    return f"signal {-exit_code}" if exit_code < 0 else f"exit code {exit_code}"
