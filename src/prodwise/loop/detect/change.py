"""Something that was fine goes wrong at an unknown moment: a CUSUM of log e-values, restarted whenever it falls to zero.

Each `q` of the grid bets that the bad share is now q, against what is usual: `p` after a good outcome, `c` after a bad one
(so that bursts which are part of the baseline are not news). A CUSUM of e-values with threshold h nats has an average run
length of at least e^h outcomes when the null is true (Lorden 1971; Shin, Ramdas & Rinaldo 2023 for e-detectors).
"""

from __future__ import annotations

from math import log

GRID = (0.1, 0.3, 0.6, 0.95)
PRIOR_N = 20.0
PRIOR_CONTINUES = (1.0, 10.0)  # one bad after a bad one in ten, until seen otherwise
FLOOR = 0.001
"""No usual rate is taken to be smaller: two errors after a faultless day are no proof."""
COMMIT_AT = 1.0  # nats: below, what was seen since the last commit was usual
MAX_PENDING = 3_000
MAX_MEMORY = 20_000.0
"""Outcomes that the usual rate remembers; beyond it old ones fade."""
END_NATS = 4.6
"""Evidence (99:1) that takes a symptom back."""
CALM_S = 1.0
"""The evidence for it spans at least so long: what stands still for most of each second is well in between, and not recovered."""


class Usual:
    """What is usual, learned only from stretches that ended without alarm. Floats, because old counts fade."""

    __slots__ = ("bad_after_bad", "bad_after_good", "good_after_bad", "good_after_good", "prior", "prior_n")

    def __init__(self, prior: float, prior_n: float = PRIOR_N) -> None:
        self.prior, self.prior_n = prior, prior_n
        self.good_after_good = self.bad_after_good = self.good_after_bad = self.bad_after_bad = 0.0

    @property
    def p(self) -> float:
        """Share of bad outcomes after good ones, leaning to the prior while little was seen."""
        n = self.good_after_good + self.bad_after_good
        return min(0.5, max(FLOOR, (self.bad_after_good + self.prior * self.prior_n) / (n + self.prior_n)))

    @property
    def c(self) -> float:
        """Share of bad outcomes after bad ones; never below p."""
        yes, of = PRIOR_CONTINUES
        n = self.bad_after_bad + self.good_after_bad
        return min(0.97, max(self.p, (self.bad_after_bad + yes) / (n + of)))

    @property
    def n(self) -> float:
        return self.good_after_good + self.bad_after_good + self.good_after_bad + self.bad_after_bad

    @property
    def counts(self) -> tuple[float, ...]:
        return self.good_after_good, self.bad_after_good, self.good_after_bad, self.bad_after_bad

    @counts.setter
    def counts(self, kept: tuple[float, ...]) -> None:
        """As they were told before. Raises ValueError unless there are four."""
        self.good_after_good, self.bad_after_good, self.good_after_bad, self.bad_after_bad = kept

    def add(self, pending: list[int]) -> None:
        self.good_after_good += pending[0]
        self.bad_after_good += pending[1]
        self.good_after_bad += pending[2]
        self.bad_after_bad += pending[3]
        if self.n > MAX_MEMORY:
            self.good_after_good /= 2
            self.bad_after_good /= 2
            self.good_after_bad /= 2
            self.bad_after_bad /= 2


class ChangeDetector:
    """One stream of good/bad outcomes. `since`: the likeliest onset (Unix seconds) while `on`."""

    __slots__ = (
        "_calm_since", "_last_bad", "_onsets", "_pending", "_relief", "_scores", "_still", "bad_since", "h", "n_since", "on",
        "since", "usual",
    )  # fmt: skip

    def __init__(self, h: float, usual: Usual) -> None:
        self.h, self.usual = h, usual
        self.on = False
        self.since = 0.0
        self.n_since = self.bad_since = 0  # outcomes since the onset
        self._last_bad = False
        self._pending = [0, 0, 0, 0]
        self._scores = [0.0] * len(GRID)
        self._onsets: list[tuple[float, int, int]] = [(0.0, 0, 0)] * len(GRID)
        self._relief = 0.0
        self._calm_since = 0.0  # since when the evidence for a recovery has been growing
        self._still = 0.0

    @property
    def score(self) -> float:
        """Nats that speak for a change."""
        return max(self._scores)

    @property
    def stirs(self) -> bool:
        """Whether a good outcome would tell more than that it is usual."""
        return self.on or self._last_bad or self.score > 0.0

    def quiet(self, count: int, at: float) -> None:
        """So many good outcomes in a row, as if each had been observed; those that change nothing are only counted."""
        while count > 0 and self.stirs:
            self.observe(False, at)
            count -= 1
        if count > 0:
            self._pending[0] += min(count, int(MAX_MEMORY))
            self._commit()

    def learn(self, bad: bool) -> None:
        """One outcome that is usual, whatever it is."""
        self._pending[2 * self._last_bad + bad] += 1
        self._commit()
        self._last_bad = bad

    def observe(self, bad: bool, at: float) -> None:
        """One outcome in order; at: Unix seconds."""
        if self.on:
            self._watch_recovery(bad, at)
        else:
            self._watch_onset(bad, at)
        self._last_bad = bad

    def _watch_onset(self, bad: bool, at: float) -> None:
        null = self.usual.c if self._last_bad else self.usual.p
        scores, onsets = self._scores, self._onsets
        for i, q in enumerate(GRID):
            if q < 2 * null and not (self._last_bad and q > null):
                scores[i] = 0.0
                continue
            if scores[i] <= 0.0:
                if not bad:
                    continue
                onsets[i] = (at, 0, 0)
            _, n, k = onsets[i]
            onsets[i] = (onsets[i][0], n + 1, k + bad)
            scores[i] = max(0.0, scores[i] + (log(q / null) if bad else log((1 - q) / (1 - null))))
        self._pending[2 * self._last_bad + bad] += 1
        best = max(range(len(GRID)), key=scores.__getitem__)
        if scores[best] >= self.h:
            self._raise(best)
        elif scores[best] < COMMIT_AT or sum(self._pending) > MAX_PENDING:
            self._commit()

    def _commit(self) -> None:
        self.usual.add(self._pending)
        self._pending = [0, 0, 0, 0]

    def _raise(self, best: int) -> None:
        self.on = True
        self.since, self.n_since, self.bad_since = self._onsets[best]
        self._still = max(0.5 * min(0.95, self.bad_since / max(1, self.n_since)), min(0.6, 3 * self.usual.p))
        self._relief = 0.0
        self._pending = [0, 0, 0, 0]
        self._scores = [0.0] * len(GRID)

    def _watch_recovery(self, bad: bool, at: float) -> None:
        """Ends at END_NATS for "as usual" against "still at least half as bad", gathered over CALM_S."""
        self.n_since += 1
        self.bad_since += bad
        p = min(self.usual.p, 0.5 * self._still)
        self._relief += log(p / self._still) if bad else log((1 - p) / (1 - self._still))
        if self._relief <= 0.0:
            self._relief, self._calm_since = 0.0, at
        if self._relief >= END_NATS and at - self._calm_since >= CALM_S:
            self.on = False
