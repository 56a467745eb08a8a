"""Tells a person by running the command that they configured, with the message on its standard input."""

from __future__ import annotations

import subprocess

from prodwise.model.errors import TargetError

TIMEOUT_S = 20.0


class CommandNotifier:
    """Implements ports.Notifier. Without a command the ledger and the page are the only channels."""

    def __init__(self, command: str) -> None:
        self._command = command

    def tell(self, title: str, text: str) -> None:
        """The message never becomes part of the command line. Raises TargetError when the command fails or takes > 20 s."""
        if not self._command:
            return
        try:
            done = subprocess.run(
                ["/bin/sh", "-c", self._command],
                input=f"{title}\n\n{text}\n".encode(),
                capture_output=True,
                timeout=TIMEOUT_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise TargetError(f"notify_command did not finish: {error}") from None
        if done.returncode:
            raise TargetError(f"notify_command failed with exit code {done.returncode}", "try it by hand")
