"""`python -m prodwise.cli.tethered`: the `prodwise` command for as long as whoever started it lives and holds its standard input."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Final

from prodwise.cli.main import main

LEAVE_S: Final = 15.0
"""For what is put back when it is told to end; after that it is ended with all of its group."""


def _until_left() -> None:
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(LEAVE_S)
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    threading.Thread(target=_until_left, name="tether", daemon=True).start()
    main()
