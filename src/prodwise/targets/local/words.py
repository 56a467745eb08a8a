"""The end of what a service's process wrote to its log."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from prodwise.targets.local import environment, local_control
from prodwise.targets.local.layout import program

LINES: Final = 200
RELEASE_MAX: Final = 200


class LocalWords:
    """Implements ports.LastWords."""

    def __init__(self, app_dir: Path) -> None:
        self._layout = local_control.layout_of(app_dir)

    def said(self, service: str, slot: str, release: str) -> str:
        name = program(service, slot)
        try:
            with self._layout.running_release(name).open(encoding="utf-8", errors="replace") as file:
                running = file.read(RELEASE_MAX).strip()
        except OSError:
            return ""
        return environment.last_lines(self._layout.program_log(name), count=LINES) if running == release else ""
