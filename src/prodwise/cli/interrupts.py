"""Being told to end: once is enough, and what is being put back is put back in peace."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def once() -> Iterator[None]:
    """Ctrl-C, a kill or a lost terminal interrupts the block once; what comes after that is not heard until the block is left."""

    def heard(_number: int, _frame: FrameType | None) -> None:
        for one in ENDING:
            signal.signal(one, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {one: signal.getsignal(one) for one in ENDING}
    for one, was in before.items():
        if was is not signal.SIG_IGN:  # nohup and the like stay as they were asked for
            signal.signal(one, heard)
    try:
        yield
    finally:
        for one, was in before.items():
            signal.signal(one, was)
