"""In-memory controls, brakes, vitals and target for tests of pages, API and CLI. They record what they were asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from prodwise.clock import now
from prodwise.loop.changes.latency import bucket
from prodwise.model.errors import Refused, TargetError, UsageError
from prodwise.model.measured import Minute
from prodwise.model.target import TargetSeen
from prodwise.ports import Ledger, Settings


@dataclass
class FakeControls:
    """Implements ports.Controls. `asked` lists what was asked, oldest first; while `refuse` is set, all is refused."""

    asked: list[tuple[str, ...]] = field(default_factory=list)
    refuse: str = ""

    def deploy(self, ref: str, who: str) -> str:
        if ref == "missing":
            raise UsageError(f"there is no commit {ref!r}", "did you mean 'main'?")
        return self._note("deploy", ref, who, answer="2-bbbbbbb")

    def rollback(self, who: str, release: str = "") -> str:
        return self._note("rollback", release, who, answer=release or "1-aaaaaaa")

    def restart(self, service: str, who: str) -> None:
        self._note("restart", service, who)

    def undo(self, incident_id: str, who: str) -> str:
        return self._note("undo", incident_id, who, answer="put release 2-bbbbbbb back")

    def _note(self, *what: str, answer: str = "") -> str:
        if self.refuse:
            raise Refused(self.refuse, "end it first")
        self.asked.append(what)
        return answer


@dataclass
class FakeBrakes:
    """Implements ports.Brakes, on a target's `stopped` flag, the store's settings and its ledger."""

    settings: Settings
    target: FakeTarget
    ledger: Ledger

    def stop(self, who: str, reason: str) -> None:
        self.target.stopped = True
        self.ledger.append("stop", f"{who} stopped the automation: {reason}", actor=who)

    def start(self, who: str) -> None:
        self.target.stopped = False
        self.ledger.append("start", f"{who} let the automation act again", actor=who)

    def freeze(self, who: str, until: float | None, reason: str) -> None:
        self.settings.put("freeze", {"who": who, "reason": reason, "until": until}, who)

    def unfreeze(self, who: str) -> None:
        self.settings.put("freeze", None, who)


@dataclass
class FakeTarget:
    """Implements ports.Observes. seen: what `observe` returns (None: raises TargetError), with `stopped` as set here."""

    seen: TargetSeen | None = None
    stopped: bool = False

    def observe(self) -> TargetSeen:
        if self.seen is None:
            raise TargetError("the guard does not answer", "run `prodwise up`")
        seen = self.seen
        return TargetSeen(now(), seen.services, self.stopped, seen.holder, seen.token, seen.effects)


@dataclass
class FakeVitals:
    """Implements ports.Vitals. requests: (at, failed?) of every request; figures: service → numbers; well: service → health."""

    well: dict[str, bool | None] = field(default_factory=dict)
    figures: dict[str, dict[str, float]] = field(default_factory=dict)
    requests: list[tuple[float, bool]] = field(default_factory=list)

    def strip(self, service: str, seconds: float, buckets: int) -> Sequence[tuple[float, int, int]]:
        since, step = now() - seconds, seconds / buckets
        counts = [[0, 0] for _ in range(buckets)]
        for at, failed in self.requests:
            index = int((at - since) / step)
            if 0 <= index < buckets:
                counts[index][0] += 1
                counts[index][1] += failed
        return [(since + index * step, total, bad) for index, (total, bad) in enumerate(counts)]

    def health(self) -> Mapping[str, bool | None]:
        return self.well

    def numbers(self, service: str) -> Mapping[str, float]:
        return self.figures.get(service, {})

    def minutes(self, service: str) -> Sequence[Minute]:
        counts: dict[int, list[int]] = {}
        for at, failed in self.requests:
            found = counts.setdefault(int(at // 60), [0, 0])
            found[0] += 1
            found[1] += failed
        return [Minute(60.0 * key, n, bad, self._slow(service, n - bad)) for key, (n, bad) in sorted(counts.items())]

    def _slow(self, service: str, served: int) -> dict[int, int]:
        """Nine of ten as slow as the median, the others as the p95."""
        figures = self.figures.get(service, {})
        if "p50_ms" not in figures or "p95_ms" not in figures:
            return {}
        return {bucket(figures["p50_ms"]): served - served // 10, bucket(figures["p95_ms"]): served // 10}
