"""The proxy's configuration, as a pure function: one listener per web service, two slots behind each, split by a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prodwise.model import access
from prodwise.targets.local.layout import SLOTS, Layout, program

LANE_COOKIE = "prodwise_lane"
LANE_SECONDS = 86_400
_LANE = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
TRY_SECONDS = "5s"  # a restart is hidden by trying this long …
TRY_INTERVAL = "25ms"  # … this often: it adds half of it to every respawn
LOG_MB, LOG_KEEP = 32, 3
SPARE = "spare."  # no service's name holds a dot
Json = dict[str, Any]


@dataclass(frozen=True)
class Upstream:
    """A web service's ports on loopback: its own listener for the other services, and its two slots.

    service "": held in reserve. Its files are found by its port then, and are links to those of the service that moved in.
    """

    service: str
    proxy: int
    a: int
    b: int

    @property
    def name(self) -> str:
        """As in its files' names."""
        return self.service or f"{SPARE}{self.proxy}"

    def dial(self, slot: str) -> str:
        return f"127.0.0.1:{self.a if slot == 'a' else self.b}"


@dataclass(frozen=True)
class Front:
    """What users reach. address: host:port; a host name with tls gets its certificate by itself, an IP address our own."""

    service: str
    address: str
    tls: bool = False
    trusted_proxies: tuple[str, ...] = ()

    @property
    def host(self) -> str:
        return self.address.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    @property
    def named(self) -> bool:
        """Whether the host is a name rather than an address to listen on."""
        return bool(self.host) and not self.host.replace(".", "").isdigit() and ":" not in self.host

    @property
    def listen(self) -> str:
        host = "" if self.named and self.host != "localhost" else self.host
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"


def configuration(layout: Layout, upstreams: tuple[Upstream, ...], front: Front | None, log_mb: int = LOG_MB) -> Json:
    """Caddy's JSON. The admin API listens on a socket that only we can open; nothing is fetched from or sent to the outside
    unless tls is on."""
    servers = {_inside(up): _server(layout, up, f"127.0.0.1:{up.proxy}", None) for up in upstreams}
    if front is not None:
        chosen = next(up for up in upstreams if up.service == front.service)
        servers["front"] = _server(layout, chosen, front.listen, front)
    apps: Json = {"http": {"servers": servers, "grace_period": "10s"}}
    if front is not None and front.tls:
        apps |= _tls(front)
    return {
        "admin": {"listen": f"unix/{layout.socket('caddy-admin')}|0600", "config": {"persist": False}},
        "storage": {"module": "file_system", "root": str(layout.state / "caddy")},
        "logging": _logging(layout, log_mb),
        "apps": apps,
    }


def _inside(up: Upstream) -> str:
    return f"inside-{up.service}" if up.service else up.name


def covers(running: Json, wanted: Json) -> bool:
    """Whether the proxy as it runs serves all that is wanted: what it has, or a new service on a listener held in reserve.

    Both are configurations. A reload would close idle connections and reset those that are just being made.
    """
    now, then = (config["apps"]["http"]["servers"] for config in (running, wanted))
    if _but_servers(running) != _but_servers(wanted):
        return False
    reserve = [server["listen"] for name, server in now.items() if name.startswith(SPARE)]
    named = {name: server for name, server in then.items() if not name.startswith(SPARE)}
    return all(server == now.get(name) or server["listen"] in reserve for name, server in named.items())


def _but_servers(config: Json) -> Json:
    http = {**config["apps"]["http"], "servers": None}
    return {**config, "apps": {**config["apps"], "http": http}}


def _server(layout: Layout, up: Upstream, listen: str, front: Front | None) -> Json:
    tls = front is not None and front.tls
    server: Json = {
        "listen": [listen],
        "automatic_https": {} if tls else {"disable": True},
        "routes": _routes(layout, up, secure=tls),
        "logs": {"default_logger_name": "access"},
    }
    if front is not None and tls:
        server["tls_connection_policies"] = [{"default_sni": front.host or "localhost"}]
        server["automatic_https"] = {"disable_redirects": not front.named}
    if front is not None and front.trusted_proxies:
        server["trusted_proxies"] = {"source": "static", "ranges": list(front.trusted_proxies)}
    return server


def _routes(layout: Layout, up: Upstream, *, secure: bool) -> list[Json]:
    """Lane first, then the switch as it stands at this moment, then one route per stable slot and arm.

    Every value that may change while the request runs is kept in `vars`, and logged from there.
    """
    cookie = 'ph(req, "http.request.cookie.%s")' % LANE_COOKIE  # noqa: UP031 - braces belong to the placeholder
    ours = {"expression": f"string({cookie}).matches('{_LANE}')"}
    switch = "{file." + str(layout.switch(up.name)) + "}"
    service = up.service or "{file." + str(layout.tenant(up.name)) + "}"
    routes: list[Json] = [
        {
            "match": [ours],
            "handle": [{"handler": "vars", "lane": "{http.request.cookie." + LANE_COOKIE + "}", "kept": "yes"}],
        },
        {
            "match": [{"not": [ours]}],
            "handle": [{"handler": "vars", "lane": "{http.request.uuid}", "kept": "no"}, _give_lane(secure)],
        },
        {
            "handle": [
                {"handler": "vars", "switch": switch},
                _log("service", service),
                _log_var("switch"),
                _log_var("lane"),
                _log_var("kept"),
            ]
        },
    ]
    for stable in SLOTS:
        canary = "b" if stable == "a" else "a"
        holds = f"string(ph(req, 'http.vars.switch')).startsWith('{stable}')"
        below = f"('{stable}' + string(ph(req, 'http.vars.lane'))) < string(ph(req, 'http.vars.switch'))"
        routes.append(_arm(layout, up, f"{holds} && {below}", canary, (canary, stable)))
        routes.append(_arm(layout, up, holds, stable, (stable,)))
    text = f"{up.service or 'this service'}: where its users go is not known (its switch file cannot be read)\n"
    return [*routes, {"handle": [{"handler": "static_response", "status_code": 503, "body": text}]}]


def _arm(layout: Layout, up: Upstream, expression: str, slot: str, dials: tuple[str, ...]) -> Json:
    """One way to go. Only the canary's has a second upstream: stable never falls over to a release that is not verified."""
    release = "{file." + str(layout.running_release(program(up.name, slot))) + "}"
    handler: Json = {
        "handler": "reverse_proxy",
        "upstreams": [{"dial": up.dial(dial)} for dial in dials],
        "load_balancing": {
            "selection_policy": {"policy": "first"},
            "try_duration": TRY_SECONDS,
            "try_interval": TRY_INTERVAL,
        },
        "stream_close_delay": "10m",  # a reload does not cut open streams
    }
    if len(dials) > 1:
        handler["health_checks"] = {"passive": {"fail_duration": "1s", "max_fails": 1}}
    log = [
        _log(access.SLOT, slot),
        _log(access.INTENDED, up.dial(slot)),
        _log(access.RELEASE, "{http.vars.release}"),
        _log(access.UPSTREAM, "{http.reverse_proxy.upstream.hostport}"),
    ]
    handle = [{"handler": "vars", "release": release}, *log, handler]
    return {"match": [{"expression": expression}], "handle": handle, "terminal": True}


def _give_lane(secure: bool) -> Json:
    """A user's lane lasts a day. Only pages set it, so that API clients and shared caches of assets are left alone."""
    cookie = f"{LANE_COOKIE}={{http.vars.lane}}; Path=/; Max-Age={LANE_SECONDS}; HttpOnly; SameSite=Lax"
    return {
        "handler": "headers",
        "response": {
            "deferred": True,
            "require": {"headers": {"Content-Type": ["text/html*"]}},
            "add": {"Set-Cookie": [cookie + ("; Secure" if secure else "")]},
        },
    }


def _log(key: str, value: str) -> Json:
    return {"handler": "log_append", "key": key, "value": value}


def _log_var(key: str) -> Json:
    return _log(key, "{http.vars." + key + "}")


def _logging(layout: Layout, log_mb: int) -> Json:
    """Headers and query strings may hold secrets: neither is logged."""
    hidden = ("request>headers", "resp_headers", "request>tls", "user_id", "bytes_read", "request>remote_port")
    fields: Json = {name: {"filter": "delete"} for name in hidden}
    fields["request>uri"] = {"filter": "regexp", "regexp": r"\?.*$", "value": ""}
    return {
        "logs": {
            "default": {
                "writer": _file(layout.log / "caddy.log", 4, 1),
                "level": "INFO",
                "exclude": ["http.log.access.access"],
            },
            "access": {
                "writer": _file(layout.access_log, log_mb, LOG_KEEP),
                "encoder": {"format": "filter", "wrap": {"format": "json"}, "fields": fields},
                "include": ["http.log.access.access"],
                "level": "INFO",
            },
        }
    }


def _file(path: Path, megabytes: int, keep: int) -> Json:
    return {
        "output": "file",
        "filename": str(path),
        "mode": "0600",
        "roll": True,
        "roll_size_mb": megabytes,
        "roll_keep": keep,
        "roll_gzip": False,
    }


def _tls(front: Front) -> Json:
    if front.named and front.host != "localhost":
        return {"tls": {"certificates": {"automate": [front.host]}}}
    names = [front.host or "localhost"]
    return {
        "tls": {
            "certificates": {"automate": names},
            "automation": {"policies": [{"subjects": names, "issuers": [{"module": "internal"}]}]},
        },
        "pki": {"certificate_authorities": {"local": {"install_trust": False}}},
    }
