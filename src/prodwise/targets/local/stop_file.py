"""The stop that needs nothing to be alive: a file that the guard looks at before every effect."""

from __future__ import annotations

from pathlib import Path

from prodwise.targets.local import local_control


class StopFile:
    """Implements ports.StopSwitch. Who uses it writes the ledger itself."""

    def __init__(self, app_dir: Path) -> None:
        self._app_dir = app_dir

    def stop(self, who: str, reason: str) -> None:
        local_control.stop_all(self._app_dir, who, reason, journal=False)

    def start(self, who: str) -> None:
        local_control.start_again(self._app_dir, who, journal=False)
