"""`--watch`: looks again and again, and shows what changed."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from prodwise.cli.desk import Desk
from prodwise.model.errors import NotRunning

PERIOD_S = 1.0


def watch(
    desk: Desk, look: Callable[[], Mapping[str, Any]], draw: Callable[[Mapping[str, Any]], None], *,
    as_json: bool, ignore: tuple[str, ...] = (),
) -> int:  # fmt: skip
    """Until Ctrl-C: redraws in a terminal, one NDJSON line per change for programs. A healer that is away is waited for."""
    last = ""
    while True:
        try:
            seen = look()
        except NotRunning as error:
            if last != "away":
                desk.say(f"{error.message}; waiting", "warn")
            last = "away"
            time.sleep(PERIOD_S)
            continue
        now_seen = json.dumps({name: value for name, value in seen.items() if name not in ignore}, sort_keys=True)
        live = sys.stdout.isatty() and not as_json
        if as_json and now_seen != last:
            desk.line(seen)
        elif live or now_seen != last:
            if live:
                print("\x1b[H\x1b[2J", end="")
            draw(seen)
            sys.stdout.flush()
        last = now_seen
        time.sleep(PERIOD_S)
