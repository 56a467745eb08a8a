"""How many errors a second are taken from Sentry SDKs, all the way into the store and to the detectors; Bugsink beside it."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bench import envelopes, load
from bench.bugsink import Bugsink, bugsink
from bench.running import Tell, until
from bench.table import Figure, Part
from prodwise.model.errors import TargetError
from prodwise.testing.receivers import Receivers, receivers

GOAL_PER_S, GOAL_ACK_MS = 1_500.0, 50.0
EVENTS, EVENTS_QUICK = 20_000, 6_000
DISTINCT, DISTINCT_QUICK = 6_000, 2_000
PEER, PEER_QUICK = 600, 200
STEADY_S, STEADY_QUICK_S = 20.0, 6.0
CONNECTIONS, PEER_CONNECTIONS = 32, 8
PEER_PATIENCE_S = 120.0
SETTINGS = "events_per_minute = 1000000"


def run(quick: bool, tell: Tell) -> Part:
    with tempfile.TemporaryDirectory(prefix="prodwise-bench-ingest-") as name:
        folder = Path(name)
        tell("ingest: the SDK makes envelopes")
        raw = envelopes.real()
        ours, detail = _ours(folder, raw, quick, tell)
        figures, not_run = list(ours), ()
        try:
            with bugsink(tell) as peer:
                tell("ingest: the same envelopes to Bugsink")
                accepted, digested, row = _peer(folder, raw, peer, PEER_QUICK if quick else PEER)
        except (TargetError, TimeoutError) as error:
            not_run = (f"Bugsink: {error}",)
        else:
            detail.append(row)
            beside = f"Bugsink {peer.version}: {digested:.0f} digested/s, {accepted:.0f} accepted/s"
            ratio = (figures[0].value or 0.0) / digested
            figures.append(
                Figure("digested/s, over Bugsink's", round(ratio, 1), "×", beside=beside, many=row["events"])
            )
        return Part("ingest", tuple(figures), not_run, tuple(detail))


def _ours(folder: Path, raw: list[bytes], quick: bool, tell: Tell) -> tuple[list[Figure], list[dict[str, Any]]]:
    """Two receivers: as fast as they answer, at the goal's rate, and with each error a fault of its own."""
    size = f"{sum(map(len, raw)) / len(raw) / 1000:.1f} kB each"
    with receivers(folder / "ours", 2, SETTINGS) as running:
        tell("ingest: as fast as it is answered")
        full, read_s = _digested(running, folder, raw, EVENTS_QUICK if quick else EVENTS)
        tell(f"ingest: {GOAL_PER_S:.0f} a second")
        seconds = STEADY_QUICK_S if quick else STEADY_S
        steady = _send(running, folder, raw, int(GOAL_PER_S * seconds), rate=GOAL_PER_S)
        tell("ingest: each a fault of its own")
        distinct = _send(running, folder, raw, DISTINCT_QUICK if quick else DISTINCT, distinct=True)
        kept = running.archive.received(1)
    per_s = [one.statuses.get(200, 0) / one.seconds for one in (full, distinct)]
    behind = f"{size}, 200 after commit; detectors read all of it in {read_s:.1f} s"
    late = f"median {steady.quantile(0.5):.1f} ms, worst {steady.ms[-1]:.0f} ms; {_others(steady)}"
    figures = [
        Figure("errors digested/s, two receivers", round(per_s[0]), "/s", GOAL_PER_S, True, behind, len(full.ms)),
        Figure(
            "acknowledged at 1,500/s, p99",
            round(steady.quantile(0.99), 1),
            "ms",
            GOAL_ACK_MS,
            False,
            late,
            len(steady.ms),
        ),
        Figure(
            "each a fault of its own, all kept", round(per_s[1]), "/s", beside=_others(distinct), many=len(distinct.ms)
        ),
    ]
    rows = [{"run": name, "seconds": one.seconds, "statuses": one.statuses, "p50_ms": one.quantile(0.5),
             "p99_ms": one.quantile(0.99)} for name, one in (("full", full), ("steady", steady), ("distinct", distinct))]  # fmt: skip
    return figures, [*rows, {"run": "kept", "events": kept.events, "bytes": kept.bytes_kept}]


def _digested(running: Receivers, folder: Path, raw: list[bytes], count: int) -> tuple[load.Sent, float]:
    """(what was sent, how long detectors take to read it). Raises TargetError when one that was acknowledged is not there."""
    sent = _send(running, folder, raw, count)
    begun = time.perf_counter()
    heard = len(running.heard())
    read_s = time.perf_counter() - begun
    if heard != sent.statuses.get(200, 0):
        raise TargetError(f"{sent.statuses.get(200, 0)} were acknowledged and {heard} are there")
    return sent, read_s


def _send(
    running: Receivers, folder: Path, raw: list[bytes], count: int, *, rate: float = 0.0, distinct: bool = False
) -> load.Sent:
    path = f"/api/{running.project.id}/envelope/"
    made = envelopes.requests(raw, count, path, running.project.key, distinct=distinct)
    return _load(folder, running.port, made, CONNECTIONS, rate)


def _peer(folder: Path, raw: list[bytes], peer: Bugsink, count: int) -> tuple[float, float, dict[str, Any]]:
    """(accepted/s, digested/s from the first one sent to the last one digested, row)."""
    sent = _load(folder, peer.port, envelopes.requests(raw, count, peer.path, peer.key), PEER_CONNECTIONS, 0.0)
    begun = time.perf_counter() - sent.seconds
    taken = sent.statuses.get(200, 0)
    if not taken:
        raise TargetError(f"Bugsink takes nothing: {sent.statuses}")
    until(lambda: peer.digested() >= taken, "Bugsink digests what it took", PEER_PATIENCE_S, 0.2)
    seconds = time.perf_counter() - begun
    row = {"run": "bugsink", "version": peer.version, "events": taken, "seconds": seconds, "statuses": sent.statuses}
    return taken / sent.seconds, taken / seconds, row


def _load(folder: Path, port: int, made: Iterable[bytes], connections: int, rate: float) -> load.Sent:
    """From a process of its own."""
    file = folder / "requests"
    load.write(file, made)
    argv = [sys.executable, "-m", "bench.load", str(port), str(file), str(connections), str(rate)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=600)
    data = json.loads(done.stdout)
    statuses = {int(status): count for status, count in data["statuses"].items()}
    return load.Sent(data["seconds"], statuses, data["ms"], data["acknowledged"])


def _others(sent: load.Sent) -> str:
    """Answers that were no 200."""
    told = ", ".join(
        f"{count} × {status or 'no answer'}" for status, count in sorted(sent.statuses.items()) if status != 200
    )
    return told or "each got its 200"
