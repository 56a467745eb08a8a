"""Many edits tried side by side: each lane has a tree, a run of the tests and every n-th edit of its own."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from typing import Final

import psutil

from prodwise.clock import monotonic
from prodwise.ports.repair import Tree, Workshop
from prodwise.repair.probe import ANSWERS, BEST, Probe, Trial, Tried, Try

LANES_MOST: Final = 4
ROOM: Final = 512 << 20
"""Of memory that nobody needs, for each lane beside the first: an app may serve users on the same machine."""
WORTH: Final = 60
"""So many edits pay for another collection of the tests."""
WAIT_SHARE: Final = 0.1
"""Of the time of an attempt, for trees that are not there yet."""
LOOK_S: Final = 0.1
"""Between two looks at what passed in one lane, of which the others are told."""
HEARD_MOST: Final = 4 << 20
_PLACE = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Lanes:
    """The trees are made while the check is looked at: in a large repository that takes seconds."""

    def __init__(self, workshop: Workshop, base: str) -> None:
        more = min(LANES_MOST - 1, len(os.sched_getaffinity(0)) - 1, psutil.virtual_memory().available // ROOM)
        self._held, self._threads = ExitStack(), ThreadPoolExecutor(LANES_MOST)
        self._trees = [self._threads.submit(self._held.enter_context, workshop.fresh(base)) for _ in range(more)]

    def __enter__(self) -> Lanes:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown(cancel_futures=True)
        self._held.close()

    def attempt(self, probe: Probe, command: Sequence[str], edits: Mapping[int, Try], trial: Trial,
                seconds: float) -> Tried:  # fmt: skip
        """As Probe.attempt, on all cores."""
        began = monotonic()
        trees = self._ready(len(edits) // WORTH - 1, WAIT_SHARE * seconds)
        many, seconds = len(trees) + 1, seconds - (monotonic() - began)
        shares = [dict(list(edits.items())[at::many]) for at in range(many)]
        probes = [probe, *(probe.again(tree) for tree in trees)]
        trial = replace(trial, look=trial.look // many)
        with ExitStack() as held:
            lanes = [held.enter_context(_lane(one, share)) for one, share in zip(probes, shares, strict=True)]
            told = [self._threads.submit(one.attempt, command, share, trial, seconds)
                    for one, share in zip(probes, shares, strict=True)]  # fmt: skip
            try:
                _tell_each_other(told, lanes)
                tried = [one.result() for one in told]
            finally:
                for one in lanes:
                    one.tell(float("-inf"))  # where this is cut short, there is nothing more to try
                wait(told)
        codes = {at: code for one in tried for at, code in one.codes.items()}
        return Tried(any(one.ready for one in tried), codes)

    def _ready(self, most: int, seconds: float) -> list[Tree]:
        """Those that could be made by then."""
        if most < 1:
            return []
        done = wait(self._trees, seconds).done
        return [one.result() for one in self._trees if one in done and not one.exception()][:most]


def _tell_each_other(told: Sequence[Future[Tried]], lanes: Sequence[_Lane]) -> None:
    """Until all have ended."""
    best = float("inf")
    while wait(told, LOOK_S).not_done:
        least = min(one.least() for one in lanes)
        if least < best:
            best = least
            for one in lanes:
                one.tell(best)


@contextmanager
def _lane(probe: Probe, share: Mapping[int, Try]) -> Iterator[_Lane]:
    place = os.open(probe.place, _PLACE)
    try:
        lane = _Lane(place, {at: one.score for at, one in share.items()})
        lane.forget()
        yield lane
        lane.forget()
    finally:
        os.close(place)


class _Lane:
    """What a run tells and is told while it goes on. The tests can write here as well: no link is followed, and nothing waits."""

    def __init__(self, place: int, scores: Mapping[int, float]) -> None:
        self._place, self._scores = place, scores
        self._heard, self._rest, self._least = 0, b"", float("inf")

    def forget(self) -> None:
        for name in (ANSWERS, BEST):
            with suppress(OSError):
                os.unlink(name, dir_fd=self._place)

    def least(self) -> float:
        """The score of the likeliest that passed."""
        lines = (self._rest + self._more()).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            with suppress(ValueError, TypeError, AttributeError):
                row = json.loads(line)
                if row.get("code") == 0:
                    self._least = min(self._least, self._scores.get(row["id"], self._least))
        return self._least

    def _more(self) -> bytes:
        with suppress(OSError), open(os.open(ANSWERS, os.O_RDONLY | _FILE, dir_fd=self._place), "rb") as source:
            source.seek(self._heard)
            more = source.read(HEARD_MOST)
            self._heard += len(more)
            return more
        return b""

    def tell(self, best: float) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _FILE
        with suppress(OSError), open(os.open(BEST, flags, 0o644, dir_fd=self._place), "w") as out:
            out.write(str(best))
