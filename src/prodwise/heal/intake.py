"""Signals in: one thread looks at the target, the proxy's log and the probes, keeps the figures and opens incidents."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Sequence
from typing import Any

from prodwise.clock import monotonic, now
from prodwise.heal.certificates import Certificates
from prodwise.heal.durable import leave
from prodwise.heal.hands import AUTOMATION
from prodwise.heal.lookout import Lookout
from prodwise.heal.outside import Outside
from prodwise.heal.parts import Parts
from prodwise.heal.pulse import Pulse
from prodwise.heal.reports import ReportsIntake
from prodwise.heal.trial import Trial, process_gates
from prodwise.heal.uses import Uses
from prodwise.heal.vitals import MINUTES, LiveVitals
from prodwise.loop.detect.baseline import Baseline
from prodwise.loop.watch.unmet import answers
from prodwise.model.errors import ProdwiseError
from prodwise.model.gate import GateResult, Verdict
from prodwise.model.incident import Symptom
from prodwise.model.rollout import Stage
from prodwise.model.service import ProbeKind, Service, SlotName
from prodwise.model.signal import Arm, ProbeSeen, RequestSeen
from prodwise.model.target import TargetSeen

TICK_S, QUIET_S = 0.25, 0.5
"""How long it pauses between looks; and where nothing moves, since each look costs. What goes wrong is seen no later: a probe's first
failure, and a request's answer, end the quiet before there are enough of them to act on."""
SAVE_EVERY_S = 10.0
COUNT_EVERY_S = 0.5
STALE_S = 5.0
JUMP_S = 2.0
"""The wall clock against the monotonic one, from one look to the next: further apart than this, and somebody has set it."""
THIN_PER_S = 2.0
"""Fewer canary requests per second than this, and evidence is made with safe requests."""

PAIRS_PER_LOOK = 3
POSITION, TRIAL = "position:access_log", "position:trial"
"""Settings: up to where requests were read, and from where on those of the release on trial are."""
EXIT_BLIND = 71


class Intake:
    """All that is known right now. `on_symptoms(service, symptoms)` is called from the intake's thread."""

    def __init__(self, parts: Parts, outside: Outside) -> None:
        self.parts, self.outside = parts, outside
        self.vitals = LiveVitals()
        self.pulse = Pulse()
        self.lookout = Lookout(parts)
        self.reports = ReportsIntake(parts, self._used)
        self.uses = Uses(parts.gauges, self.target)
        self.certificates = Certificates(parts)
        self.on_symptoms: Callable[[str, Sequence[Symptom]], None] = lambda service, symptoms: None
        self._trial: Trial | None = None
        self._seen: TargetSeen | None = None
        self._seen_at = -1e9
        self._lock = threading.RLock()
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, name="intake", daemon=True)
        self._saved = self._counted = monotonic()
        self._ahead = now() - monotonic()
        self._kept: dict[str, Any] = {}  # setting → value, as it was saved last
        self._path = 0
        self.chores: Callable[[], None] = lambda: None  # what else is to be done once a second
        self._canary_times: list[float] = []
        self._waits = self._quiet = False

    def start(self) -> None:
        self._thread.start()
        self.reports.start()
        self.uses.start()
        self.certificates.start()

    def stop(self) -> None:
        self._ends.set()
        self.reports.stop()
        self.uses.stop()
        self.certificates.stop()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._ends.wait(self.pause_s):
            self._quiet = False  # also where the look fails
            try:
                self.tick()
            except ProdwiseError as error:
                self.lookout.trouble(error.message)
            except Exception:  # noqa: BLE001 — eyes that fail for an unknown reason must not stay shut in silence
                traceback.print_exc()
                leave(EXIT_BLIND, "the intake failed")

    @property
    def pause_s(self) -> float:
        """How long the next look can wait."""
        return QUIET_S if self._quiet else TICK_S

    def tick(self) -> None:
        """One look: target, requests, probes; then whatever the detectors have to say."""
        with self._lock:
            seen = self.parts.target.observe()
            self._seen, self._seen_at = seen, monotonic()
            for at in seen.services:
                if at.switch is not None:
                    self.reports.on_trial.note_share(at.service, now(), at.switch.share)
            self.parts.prober.see(seen)
            requests, probed = self.parts.requests.read(), self.parts.prober.results()
            for request in requests:
                self._request(request)
            for answer in probed:
                if answer.at <= now() + JUMP_S:  # else the clock was set back since
                    self.pulse.observe(answer)
                    self.lookout.probe(answer)
            self._each_second()
            if self._clock_was_set():
                return
            found = self.lookout.look(seen, now(), quiet=self._diverted(seen))
            self.vitals.well = self.lookout.health(now())
        for outsiders in (self.outside.look(), self.reports.look()):
            for service, said in outsiders.items():
                found.setdefault(service, []).extend(said)
        for service, symptoms in found.items():
            self.on_symptoms(service, symptoms)
        self._quiet = not (requests or found or self._waits or _moves(seen)) and self._well(probed)
        if monotonic() - self._saved > SAVE_EVERY_S:
            self._saved = monotonic()
            self._save()

    def _well(self, probed: Sequence[ProbeSeen]) -> bool:
        return all(self.vitals.well.values()) and all(answer.ok for answer in probed)

    def _clock_was_set(self) -> bool:
        """What was seen before cannot be put in order with what comes: it is forgotten, and nothing is known until the next look.

        Kept, it would pass for newer than every new sign until the clock has caught up.
        """
        before, self._ahead = self._ahead, now() - monotonic()
        moved_s = self._ahead - before
        if abs(moved_s) <= JUMP_S:
            return False
        self.pulse = Pulse()
        self.lookout.forget()
        way = "forward" if moved_s > 0 else "back"
        text = f"the clock was set {way} by {abs(moved_s):.0f} s: what was seen before it is forgotten"
        self.parts.records.ledger.append("clock", text, actor=AUTOMATION, data={"at": now(), "moved_s": moved_s})
        return True

    def _each_second(self) -> None:
        if monotonic() - self._counted >= COUNT_EVERY_S:
            self._counted = monotonic()
            counts = self.parts.waiting()
            self._waits = any(counts.values())
            for service, count in counts.items():
                self.vitals.window(service).count(now(), count)
                self.lookout.waiting(service, now(), count)
            self.chores()

    def _request(self, request: RequestSeen) -> None:
        self.vitals.window(request.service).observe(request)
        if self._trial is not None:
            self._trial.observe(request)
            if request.release == self._trial.release:
                self._canary_times = [*self._canary_times[-500:], request.at]
        if request.arm is Arm.STABLE:
            self.lookout.request(request)

    def _used(self, service: str, second: int) -> bool | None:
        """Whether users were answered in that second; None for a service of which the proxy sees nothing."""
        ramps = any(one.id == service and one.ramps for one in self.parts.inventory)
        return self.vitals.window(service).used(second) if ramps else None

    def outsiders_say(self, service: str) -> bool:
        """Whether somebody whose word is not ours says that something is wrong with it now."""
        return self.outside.standing(service) or self.reports.standing(service)

    def _diverted(self, seen: TargetSeen) -> frozenset[str]:
        """Services whose users are (partly) on a release on trial: its judges speak for their traffic, not the steady-state ones."""
        return frozenset(at.service for at in seen.services if at.switch is not None and at.switch.share > 0)

    def target(self) -> TargetSeen:
        """The newest look, at most TICK_S old. Raises TargetError when the target cannot be seen."""
        with self._lock:
            if self._seen is None or monotonic() - self._seen_at > TICK_S:
                self._seen, self._seen_at = self.parts.target.observe(), monotonic()
            return self._seen

    def fresh(self) -> bool:
        """Whether our own eyes are open: the last look is recent."""
        return monotonic() - self._seen_at < STALE_S

    def probe_health(self, service: str, slot: SlotName, release: str) -> bool | None:
        found = next((s for s in self.parts.inventory if s.id == service), None)
        if found is not None and found.probe is None:
            return True  # nothing to ask: its process is judged instead
        with self._lock:
            return self.pulse.healthy(service, slot, release, now())

    def why_unhealthy(self, service: str, slot: SlotName, release: str, seen: TargetSeen) -> str:
        """seen: the look that found it so; the newest one that is kept may be older, from before its first end."""
        with self._lock:
            return self.pulse.why(service, slot, release, seen)

    def begin_rollout(self, release: str, previous: str) -> None:
        with self._lock:
            if self._trial is None or self._trial.release != release:
                self._trial = self._new_trial(release)
                settings, position = self.parts.records.settings, self.parts.requests.position()
                settings.put(TRIAL, {"release": release, "since": position}, AUTOMATION)
                settings.put(POSITION, position, AUTOMATION)
            self.reports.on_trial.want(release)

    def resume(self) -> None:
        """Before the first look: what was counted, and what a release on trial showed, in an earlier life of the healer counts still.

        Forgetting it would let a good release be refused more often than alpha says, and judge a bad one later.
        """
        for service in self.parts.inventory:
            self.vitals.window(service.id).restore(self.parts.records.settings.get(f"{MINUTES}{service.id}", ()))
        saved, current = self.parts.records.settings.get(TRIAL), self.parts.records.rollouts.current()
        if saved and current is not None and current.release == saved["release"]:
            self._trial = self._new_trial(current.release)
            for request in self.parts.requests.since(saved["since"]):
                self._trial.observe(request)

    def _new_trial(self, release: str) -> Trial:
        ramp = self.parts.config.ramp
        return Trial(release, [s.id for s in self.parts.shipped if s.ramps], ramp.alpha, ramp.worse, self._baselines())

    def _save(self) -> None:
        """What is as it was when last saved is not written again: an idle app leaves the disk alone."""
        values = {POSITION: self.parts.requests.position(), **self.lookout.to_keep(), **self.vitals.to_keep()}
        with self.parts.records.unit():
            for name, value in values.items():
                if self._kept.get(name) != value:
                    self.parts.records.settings.put(name, value, AUTOMATION)
        self._kept = values

    def end_rollout(self, release: str) -> None:
        with self._lock:
            if self._trial is not None and self._trial.release == release:
                self._trial = None
            self.reports.on_trial.unwant(release)
            self.lookout.rest()

    def ramp_gates(self, release: str, stage: Stage) -> tuple[GateResult, ...]:
        with self._lock:
            self.begin_rollout(release, "")
            assert self._trial is not None
            return (*self._trial.ramp_gates(stage), *self._other_gates(release, self._trial))

    def watch_gates(self, release: str) -> tuple[GateResult, ...]:
        with self._lock:
            self.begin_rollout(release, "")
            assert self._trial is not None
            self._trial.begin_watch(self._baselines())
            return (*self._trial.watch_gates(), *self._other_gates(release, self._trial))

    def _other_gates(self, release: str, trial: Trial) -> tuple[GateResult, ...]:
        processes = process_gates(self.target(), release)
        return (*processes, *self._probe_gates(release), *self.reports.on_trial.gates(trial.doubt))

    def numbers_of(self, release: str) -> dict[str, Any]:
        with self._lock:
            trial = self._trial
            return dict(trial.numbers()) if trial is not None and trial.release == release else {}

    def _baselines(self) -> dict[str, Baseline]:
        return {service.id: self.lookout.baseline(service.id) for service in self.parts.shipped if service.ramps}

    def _probe_gates(self, release: str) -> tuple[GateResult, ...]:
        results = []
        for service, slot, _ in self._canary_slots(release):
            well = self.probe_health(service.id, slot, release)
            verdict = Verdict.PASS if well else (Verdict.HOLD if well is None else Verdict.FAIL)
            reason = "answers its probe" if well else self.why_unhealthy(service.id, slot, release, self.target())
            results.append(GateResult(f"{service.id}: probe", verdict, reason))
        return tuple(results)

    def _canary_slots(self, release: str) -> list[tuple[Service, SlotName, tuple[int, int]]]:
        """(service, the release's slot, (stable's port, the release's port)) of each service that runs it as a canary."""
        found, seen = [], self.target()
        for service in self.parts.shipped:
            at = seen.service(service.id)
            if service.ramps and at is not None and at.switch is not None:
                slot = at.switch.stable.other
                process = at.slot(slot)
                if process is not None and process.release == release:
                    found.append((service, slot, (at.port(at.switch.stable), at.port(slot))))
        return found

    def check_canary(self, release: str) -> tuple[GateResult, ...]:
        """Before any user sees it: its probe, its declared checks, and safe requests that users lately made."""
        return tuple(self._check(service, ports) for service, _, ports in self._canary_slots(release)) or (
            GateResult("checks", Verdict.HOLD, "no canary runs yet"),
        )

    def _check(self, service: Service, ports: tuple[int, int]) -> GateResult:
        name, stable, canary = f"{service.id}: checks", *ports
        declared, asked, broken = set(_paths(service)), self._ask_paths(service), []
        for path in asked:
            status, _ = self.parts.replayer.ask(canary, path, 5.0)
            if _well(status):
                continue
            before, _ = self.parts.replayer.ask(stable, path, 5.0)
            again, _ = self.parts.replayer.ask(canary, path, 5.0)
            if not _well(again) and (_well(before) or (path in declared and again)):
                broken.append(answers(path, again, before))
        if broken:
            return GateResult(name, Verdict.FAIL, "; ".join(broken[:3]))
        return GateResult(name, Verdict.PASS, f"{len(asked)} paths answer")

    def _ask_paths(self, service: Service) -> list[str]:
        return list(dict.fromkeys([*_paths(service), *list(self.vitals.window(service.id).paths)[-20:]]))

    def make_evidence(self, release: str) -> None:
        """Where traffic is thin: the same safe requests to both releases."""
        for service, _, (stable, canary) in self._canary_slots(release):
            recent = [at for at in self._canary_times if at > now() - 5]
            paths = self._ask_paths(service)
            if len(recent) > THIN_PER_S * 5 or not paths:
                continue
            for _ in range(PAIRS_PER_LOOK):
                self._path += 1
                self._pair(release, service.id, paths[self._path % len(paths)], stable, canary)

    def _pair(self, release: str, service: str, path: str, stable: int, canary: int) -> None:
        before, before_ms = self.parts.replayer.ask(stable, path, 5.0)
        status, ms = self.parts.replayer.ask(canary, path, 5.0)
        route = self.vitals.window(service).paths.get(path, f"GET {path}")
        with self._lock:
            if self._trial is None or not _well(before):
                return
            self._trial.pair(service, route, True, _well(status), before_ms, ms)
            lane = f"made-{time.monotonic_ns()}"
            self._trial.made(RequestSeen(now(), service, release, Arm.CANARY, 1.0, route, status, ms, lane, path=path))


def _moves(seen: TargetSeen) -> bool:
    """Whether a process runs beside the one that serves: a release comes, or may have to be gone back to soon."""
    return any(one.pid and one.slot != at.active for at in seen.services for one in at.slots)


def _paths(service: Service) -> list[str]:
    probe = [service.probe.target] if service.probe and service.probe.kind is ProbeKind.HTTP else []
    return [*probe, *service.checks]


def _well(status: int) -> bool:
    return 0 < status < 500
