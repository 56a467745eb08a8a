"""Live figures of the services: counts per second and per minute, bounded in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from math import ceil
from statistics import fmean
from typing import Any

from prodwise.clock import now
from prodwise.heal.crowd import Crowd
from prodwise.heal.harm import Harm
from prodwise.loop.changes.latency import bucket as bucket_of
from prodwise.loop.changes.latency import mean_of
from prodwise.loop.diagnose.case import RequestFacts
from prodwise.loop.diagnose.origins import STEP_S, Step
from prodwise.loop.diagnose.used_up import InputFacts
from prodwise.model.measured import Minute
from prodwise.model.signal import Arm, RequestSeen

MINUTES = "minutes:"
"""Setting: a service's newest minutes."""
SECONDS_KEPT = 600
MINUTES_KEPT = 24 * 60
MINUTES_SAVED = 90
"""Enough to tell after a restart what a change before it did."""
LATENCIES_KEPT = 2000
PATHS_KEPT = 50
UNSURE_S = 2.0
"""An onset is known no better than this: what came just before it may belong to it already, and is not taken for usual."""


class RouteHistory:
    """One service's stable answers by route: counts in 1-second buckets for 10 minutes, latencies of the newest requests."""

    BUCKET_S, BUCKETS, ROUTES, SAMPLES, PATH_CHARS = 1, 600, 200, 300, 200

    def __init__(self) -> None:
        self._counts: dict[str, dict[int, list[int]]] = {}
        self._newest: dict[str, deque[tuple[float, float, bool, str]]] = {}  # (at, ms, failed, path)

    def observe(self, request: RequestSeen) -> None:
        route = request.route if request.route in self._counts or len(self._counts) < self.ROUTES else "other"
        buckets = self._counts.setdefault(route, {})
        bucket = buckets.setdefault(int(request.at // self.BUCKET_S), [0, 0])
        bucket[0] += 1
        bucket[1] += not request.ok
        while len(buckets) > self.BUCKETS:
            del buckets[next(iter(buckets))]
        newest = self._newest.setdefault(route, deque(maxlen=self.SAMPLES))
        newest.append((request.at, request.ms, not request.ok, request.path[: self.PATH_CHARS]))

    def facts(self, service: str, since: float, onset: float) -> list[RequestFacts]:
        """Each route's answers from `since` to `onset` against those from `onset` on."""
        found = []
        for route, buckets in sorted(self._counts.items()):
            before, after = [0, 0], [0, 0]
            for key, (n, failed) in buckets.items():
                begins, ends = key * self.BUCKET_S, (key + 1) * self.BUCKET_S
                if ends <= since:
                    continue
                side = after if begins >= onset else before
                if begins < onset < ends:  # of the bucket that straddles the onset only what surely came later counts
                    n, failed = self._late(route, onset, ends)
                    side = after
                side[0] += n
                side[1] += failed
            if before[0] or after[0]:
                old = self._p95(route, since, onset - UNSURE_S) or self._p95(route, since, onset)
                new = self._p95(route, onset, float("inf"))
                found.append(RequestFacts(service, route, before[0], before[1], after[0], after[1], old, new))
        return found

    def inputs(self, service: str, onset: float) -> list[InputFacts]:
        """Of each route with paths of its own (/product/7): the path that failed most since the onset, beside all its others."""
        found = []
        for route, newest in sorted(self._newest.items()):
            counts: dict[str, list[int]] = {}
            for at, _, failed, path in newest:
                if at >= onset and path:
                    one = counts.setdefault(path, [0, 0])
                    one[0] += 1
                    one[1] += failed
            worst = max(counts, key=lambda path: (counts[path][1], path), default="")
            if len(counts) > 1 and counts[worst][1]:
                n, bad = (sum(one[which] for one in counts.values()) for which in (0, 1))
                asked, failures = counts[worst]
                others = len(counts) - 1
                found.append(InputFacts(service, route, worst, asked, failures, n - asked, bad - failures, others))
        return found

    def _late(self, route: str, onset: float, end: float) -> tuple[int, int]:
        """(requests, failed) from the onset to the end of its bucket, as far as the newest requests know."""
        late = [failed for at, _, failed, _ in self._newest[route] if onset <= at < end]
        return len(late), sum(late)

    def _p95(self, route: str, since: float, until: float) -> float | None:
        ordered = sorted(ms for at, ms, _, _ in self._newest[route] if since <= at < until)
        return ordered[int(0.95 * len(ordered))] if ordered else None


class Window:
    """One service's traffic: [requests, failed] per second (10 min) and per minute (24 h), latencies, safe paths seen."""

    def __init__(self) -> None:
        self._seconds: dict[int, list[int]] = {}
        self._minutes: dict[int, list[int]] = {}
        self._slow: dict[int, dict[int, int]] = {}  # minute → bucket of latency → requests that were served
        self._arrivals: dict[int, int] = {}
        self._recent: deque[tuple[float, float]] = deque(maxlen=LATENCIES_KEPT)
        self._waiting: deque[tuple[float, int]] = deque(
            maxlen=2 * SECONDS_KEPT
        )  # (at, requests under way), oldest first
        self.routes = RouteHistory()
        self.harm = Harm()
        self.crowd = Crowd()
        self.paths: dict[str, str] = {}  # path → route, most recently used last

    def observe(self, request: RequestSeen) -> None:
        for counts, key, kept in (
            (self._seconds, int(request.at), SECONDS_KEPT),
            (self._minutes, int(request.at // 60), MINUTES_KEPT),
        ):
            bucket = counts.setdefault(key, [0, 0])
            bucket[0] += 1
            bucket[1] += not request.served
            while len(counts) > kept:
                del counts[next(iter(counts))]
        if request.served:
            slow, key = self._slow.setdefault(int(request.at // 60), {}), bucket_of(request.ms)
            slow[key] = slow.get(key, 0) + 1
            while len(self._slow) > MINUTES_KEPT:
                del self._slow[next(iter(self._slow))]
        came = int(request.at - request.ms / 1000)
        self._arrivals[came] = self._arrivals.get(came, 0) + 1
        while len(self._arrivals) > SECONDS_KEPT:
            del self._arrivals[next(iter(self._arrivals))]
        self._recent.append((request.at, request.ms))
        self.harm.observe(request)
        self.crowd.observe(request)
        if request.arm is Arm.STABLE:
            self.routes.observe(request)
        if request.route.startswith("GET ") and request.path and 200 <= request.status < 400:
            self.paths.pop(request.path, None)
            self.paths[request.path] = request.route
            if len(self.paths) > PATHS_KEPT:
                del self.paths[next(iter(self.paths))]

    def strip(self, seconds: float, buckets: int, at: float) -> list[tuple[float, int, int]]:
        """(start, requests, failed) per bucket; from seconds when the window is short enough, else from minutes."""
        counts, unit = (self._seconds, 1) if seconds <= SECONDS_KEPT else (self._minutes, 60)
        size, begin = seconds / buckets, at - seconds
        found = [(begin + i * size, 0, 0) for i in range(buckets)]
        for key, (n, failed) in list(counts.items()):
            index = int((key * unit - begin) / size)
            if 0 <= index < buckets:
                start, have, bad = found[index]
                found[index] = (start, have + n, bad + failed)
        return found

    def minutes(self) -> list[Minute]:
        """What is kept, oldest first."""
        rows = sorted(self._minutes.items())
        return [Minute(key * 60.0, n, failed, dict(self._slow.get(key, {}))) for key, (n, failed) in rows]

    def to_keep(self) -> list[list[Any]]:
        """The newest minutes as JSON: [minute, requests, failed, [[bucket, requests], …]]."""
        newest = sorted(self._minutes)[-MINUTES_SAVED:]
        return [[key, *self._minutes[key], sorted(map(list, self._slow.get(key, {}).items()))] for key in newest]

    def restore(self, rows: Sequence[Sequence[Any]]) -> None:
        """Minutes that an earlier process counted, up to where this one reads on."""
        for key, n, failed, slow in rows:
            self._minutes[key] = [n, failed]
            self._slow[key] = dict(slow)

    def used(self, second: int) -> bool:
        """Whether it answered anybody in that second of the last ten minutes."""
        return second in self._seconds

    def total(self, seconds: float, at: float) -> tuple[int, int]:
        """(requests, failed) in the last `seconds`; beyond 10 min in whole minutes, up to a day."""
        counts, unit = (self._seconds, 1) if seconds <= SECONDS_KEPT else (self._minutes, 60)
        hits = [found for key, found in list(counts.items()) if (key + 1) * unit > at - seconds + 1]
        return sum(n for n, _ in hits), sum(failed for _, failed in hits)

    def steps(self, since: float, until: float) -> list[Step]:
        """By ten seconds, whole ones of the last ten minutes; the mean latency of the newest requests, else of its minute."""
        newest: dict[int, list[float]] = {}
        for at, took in list(self._recent):
            newest.setdefault(int(at // STEP_S), []).append(took)
        counts: dict[int, list[int]] = {}
        for second, (n, failed) in list(self._seconds.items()):
            step = counts.setdefault(second // STEP_S, [0, 0])
            step[0], step[1] = step[0] + n, step[1] + failed
        first, last = ceil(since / STEP_S), int(until // STEP_S)
        found = []
        for key in range(first, last):
            n, failed = counts.get(key, (0, 0))
            ms = fmean(newest[key]) if key in newest else mean_of(dict(self._slow.get(key * STEP_S // 60, {})))
            found.append(Step(float(key * STEP_S), n, failed, ms if n else None))
        return found

    def between(self, since: float, until: float) -> tuple[int, int]:
        """(requests, failed) that ended from the second of `since` to before that of `until`; in minutes where seconds are gone."""
        whole = len(self._seconds) < SECONDS_KEPT or since >= min(self._seconds)
        counts, unit = (self._seconds, 1) if whole else (self._minutes, 60)
        hits = [found for key, found in list(counts.items()) if since // unit <= key < until // unit]
        return sum(n for n, _ in hits), sum(failed for _, failed in hits)

    def arrivals(self, since: float, until: float) -> list[int]:
        """Requests that came in each whole second of [since, until), oldest first (≤ 10 min, from the first request on).

        By when they came, not by when they were answered: a service that is stuck and let go answers many at once.
        """
        waiting = self._under_way()
        if not self._arrivals and not waiting:
            return []
        first = max(min([*self._arrivals, *waiting]), int(until) - SECONDS_KEPT, ceil(since))
        return [self._arrivals.get(second, 0) + waiting.get(second, 0) for second in range(first, int(until))]

    def count(self, at: float, waiting: int) -> None:
        """How many requests are under way. at: Unix seconds."""
        self._waiting.append((at, waiting))

    def _under_way(self) -> dict[int, int]:
        """Second → requests that came in it and wait for an answer still, as the count's latest rises tell.

        What has been under way since before the first count (streams, long polls) is in no second.
        """
        found: dict[int, int] = {}
        counts = list(self._waiting)
        left = counts[-1][1] - min(count for _, count in counts) if counts else 0
        for (_, before), (at, after) in zip(reversed(counts[:-1]), reversed(counts[1:]), strict=True):
            if left <= 0:
                break
            came = min(left, max(0, after - before))
            found[int(at)] = found.get(int(at), 0) + came
            left -= came
        return found

    def latency(self, quantile: float, seconds: float, at: float, until: float = float("inf")) -> float | None:
        """Milliseconds at a quantile (0…1) of what came after at - seconds and before `until`; None without a request."""
        ordered = sorted(ms for seen, ms in self._recent if at - seconds < seen < until)
        return ordered[min(len(ordered) - 1, int(quantile * len(ordered)))] if ordered else None


class LiveVitals:
    """Implements ports.Vitals over the windows; health is set by the intake."""

    def __init__(self) -> None:
        self.windows: dict[str, Window] = {}
        self.well: dict[str, bool | None] = {}

    def window(self, service: str) -> Window:
        return self.windows.setdefault(service, Window())

    def to_keep(self) -> dict[str, Any]:
        """Setting → value."""
        return {f"{MINUTES}{service}": window.to_keep() for service, window in self.windows.items()}

    def strip(self, service: str, seconds: float, buckets: int) -> Sequence[tuple[float, int, int]]:
        return self.window(service).strip(seconds, buckets, now())

    def health(self) -> Mapping[str, bool | None]:
        return dict(self.well)

    def minutes(self, service: str) -> Sequence[Minute]:
        return self.window(service).minutes()

    def numbers(self, service: str) -> Mapping[str, float]:
        window, at = self.window(service), now()
        n, failed = window.total(60, at)
        if not n:
            return {}
        figures = {"requests_per_s": n / 60, "failed_share": failed / n}
        for name, quantile in (("p50_ms", 0.5), ("p95_ms", 0.95)):
            ms = window.latency(quantile, 60, at)
            if ms is not None:
                figures[name] = ms
        return figures
