"""A failing start as a check: the service's own command is run, and must answer its probe, or go on running where it has none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from prodwise.model.redaction import Redactor
from prodwise.model.redaction.keys import is_secret
from prodwise.model.service import ProbeKind, Service

NO_ANSWER: Final = "it runs and does not answer its probe"
TCP: Final = "tcp"
SECONDS_MAX: Final = 20.0
RUNS_S: Final = 3.0
NOTES: Final = (
    "how it starts with production's own settings and data: here it is started with what the repository declares, without secrets "
    "and without a connection to anywhere",
)
ASKED_LESS: Final = "whether its own probe, a command, is content: here it must only keep running"
_TEXT: Final = '''"""Fails as long as the service does not come up. Its port is free, and it is alone."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

COMMAND, ENV, PROBE, SECONDS = {command!r}, {env!r}, {probe!r}, {seconds!r}
NO_ANSWER = {no_answer!r}


def free_port():
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return made.getsockname()[1]


def answers(port):
    try:
        if PROBE == "tcp":
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        asked = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        asked.request("GET", PROBE)
        return 200 <= asked.getresponse().status < 400
    except (OSError, http.client.HTTPException):
        return False


def main():
    port, until, well = free_port(), time.monotonic() + SECONDS, False
    env = {{**os.environ, **ENV, "PORT": str(port), "PYTHONUNBUFFERED": "1"}}
    with tempfile.TemporaryFile() as said:
        app = subprocess.Popen(["/bin/sh", "-c", COMMAND], stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=env,
                               start_new_session=True)
        try:
            while app.poll() is None and time.monotonic() < until and not well:
                well = bool(PROBE) and answers(port)
                time.sleep(0.02)
            runs = app.poll() is None
        finally:
            try:
                os.killpg(app.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            app.wait()
        if well or (runs and not PROBE):
            return 0
        said.seek(0)
        sys.stdout.write(said.read()[-100000:].decode("utf-8", "replace"))
        if runs:
            print("\\n" + NO_ANSWER)
        return 1


sys.exit(main())
'''


def start_check(service: Service) -> str:
    """The program of the check. Declared settings are set, without secret ones."""
    probe = service.probe
    asked = "" if probe is None or probe.kind is ProbeKind.COMMAND else probe.target or TCP
    seconds = min(service.start_s, SECONDS_MAX) if asked else RUNS_S
    return _TEXT.format(
        command=service.command, env=dict(_told(dict(service.env))), probe=asked, seconds=seconds, no_answer=NO_ANSWER
    )


def notes(service: Service) -> tuple[str, ...]:
    """What the check cannot tell."""
    left = sorted(set(dict(service.env)) - set(_told(dict(service.env))))
    said = [f"what depends on settings that may be secret: {', '.join(left)[:300]}"] if left else []
    if service.probe is not None and service.probe.kind is ProbeKind.COMMAND:
        said.append(ASKED_LESS)
    return (*NOTES, *said)


def _told(env: Mapping[str, str]) -> dict[str, str]:
    redactor = Redactor()
    return {name: value for name, value in env.items() if not is_secret(name) and not redactor.clean(value)[1]}
