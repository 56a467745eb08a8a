"""The supervisor's configuration, as a pure function. It runs launchers only; what they start is in their spec files."""

from __future__ import annotations

import shlex

from prodwise.model.errors import ConfigError
from prodwise.targets.local.layout import Layout

STOP_SECONDS = 5


def configuration(
    layout: Layout, slots: tuple[str, ...], launcher: tuple[str, ...], *, beside: tuple[str, ...], root: bool
) -> str:
    """supervisord.conf. slots: programs like "web-a", started by the guard only; beside: our own besides guard and proxy, the
    first to be started first; launcher: argv before the spec file's path.

    Raises ConfigError for a path that its format cannot hold.
    """
    socket = layout.socket("supervisor")
    for path in (layout.state, socket):
        if any(bad in str(path) for bad in ("\n", " ;", ",")):
            raise ConfigError(f"{path} cannot be used: no new line, comma or semicolon after a space", "move the app")
    parts = [
        _section("unix_http_server", file=socket, chmod="0700"),
        _section(
            "supervisord",
            logfile=layout.log / "supervisord.log",
            logfile_maxbytes="1MB",
            logfile_backups=1,
            loglevel="info",
            pidfile=layout.supervisor_pid,
            directory=layout.state,
            umask="022",
            minfds=256,
            **({"user": "root"} if root else {}),
        ),
        "[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n",
        _program(layout, launcher, "guard", auto=True, priority=1),
        _program(layout, launcher, "caddy", auto=True, priority=2),
        *(_program(layout, launcher, name, auto=True, priority=900 + at) for at, name in enumerate(beside)),
        *(_program(layout, launcher, slot, auto=False, priority=100) for slot in sorted(slots)),
    ]
    return "\n".join(parts)


def _program(layout: Layout, launcher: tuple[str, ...], name: str, *, auto: bool, priority: int) -> str:
    command = " ".join(shlex.quote(part) for part in (*launcher, str(layout.spec(name))))
    return _section(
        f"program:{name}",
        command=command,
        autostart=str(auto).lower(),
        autorestart="true",
        startsecs=0,
        stopsignal="TERM",
        stopwaitsecs=STOP_SECONDS,
        stopasgroup="true" if name.endswith(("-a", "-b")) else "false",
        killasgroup="true",
        stdout_logfile="NONE",
        redirect_stderr="true",
        priority=priority,
    )


def _section(name: str, **values: object) -> str:
    lines = [f"{key} = {str(value).replace('%', '%%')}" for key, value in values.items()]
    return "\n".join([f"[{name}]", *lines, ""])
