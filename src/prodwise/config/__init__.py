"""prodwise.toml, a Procfile and the environment, merged into one validated object."""

from __future__ import annotations

import difflib
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from prodwise.config.addresses import Address, TlsAddress, endpoints, is_named
from prodwise.config.environment import with_environment
from prodwise.config.forge import ForgeConfig
from prodwise.config.repair import RepairLimits
from prodwise.model.autonomy import Autonomy
from prodwise.model.certificate import Endpoint
from prodwise.model.errors import ConfigError
from prodwise.model.outside import Heartbeat
from prodwise.model.rollout import DEFAULT_RAMP, Stage
from prodwise.model.service import Probe, ProbeKind, Service, ServiceKind, front_service
from prodwise.model.telemetry import Watched

FILE_NAME = "prodwise.toml"
PROCFILE = "Procfile"
CONFIGURED_BY = (FILE_NAME, PROCFILE)
_NAME = re.compile(r"^[a-z][a-z0-9_-]{0,30}$")
_DURATION = re.compile(r"^(\d{1,6}(?:\.\d{1,3})?) ?(s|sec|seconds?|m|min|minutes?|h|hours?|d|days?|w|weeks?)$")
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 7 * 86_400.0}
DURATION_MIN_S, DURATION_MAX_S, HEARTBEATS_MAX = 1.0, 400 * 86_400.0, 200
_SIZE_MAX = 256 * 1024


def _relative(path: str) -> str:
    """A path inside the app: never absolute, never upwards."""
    parts = Path(path).parts
    if not parts or Path(path).is_absolute() or ".." in parts or parts[0] in (".prodwise", ".git"):
        raise ValueError("must be a relative path inside the app")
    return path


def _seconds(value: object) -> float:
    """ "90 s", "10 min", "6 h", "1 day", "2 weeks"; a number is seconds."""
    match = _DURATION.match(value.strip().lower()) if isinstance(value, str) else None
    plain = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0
    seconds = float(match[1]) * _UNITS[match[2][0]] if match else plain
    if not DURATION_MIN_S <= seconds <= DURATION_MAX_S:
        raise ValueError(f'must be a time like "10 min" or "1 day", from 1 s to 400 days, not {value!r}')
    return seconds


Duration = Annotated[float, BeforeValidator(_seconds, json_schema_input_type=str | float)]
WayName = Literal["alertmanager", "deploy", "github", "healthchecks", "sentry", "uptime-kuma"]
InsidePath = Annotated[str, AfterValidator(_relative)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, serialize_by_alias=True)


class ServiceConfig(_Strict):
    """One [services.NAME] table."""

    command: str = Field(min_length=1, max_length=4096)
    kind: Literal["web", "worker"] = "web"
    probe: str = ""  # "/path" for HTTP, "tcp", or "command: ..." ; empty = TCP for web, process state for workers
    checks: tuple[str, ...] = ()
    overlap: bool = True
    needs: tuple[str, ...] = ()
    upstream: bool = False
    paths: tuple[InsidePath, ...] = Field((), max_length=100)  # what of the repository is its own; empty = all of it
    certificates: tuple[TlsAddress, ...] = Field(
        (), max_length=20
    )  # HOST or HOST:PORT that it calls, or is reached by, with TLS
    drain_seconds: float = Field(10.0, ge=0, le=600)
    start_seconds: float = Field(20.0, gt=0, le=600)
    env: dict[str, str] = Field(default_factory=dict)

    def service(self, name: str) -> Service:
        return Service(
            id=name,
            kind=ServiceKind(self.kind),
            command=self.command,
            probe=_probe(self.probe, self.kind),
            checks=self.checks,
            overlap=self.overlap,
            needs=self.needs,
            upstream=self.upstream,
            drain_s=self.drain_seconds,
            start_s=self.start_seconds,
            env=tuple(sorted(self.env.items())),
        )


def _probe(text: str, kind: str) -> Probe | None:
    if text.startswith("/"):
        return Probe(ProbeKind.HTTP, text)
    if text.startswith("command:"):
        return Probe(ProbeKind.COMMAND, text.removeprefix("command:").strip(), interval_s=5.0, timeout_s=5.0)
    if text == "tcp" or (not text and kind == "web"):
        return Probe(ProbeKind.TCP)
    if not text:
        return None
    raise ConfigError(f"probe {text!r} is not understood", 'use "/path", "tcp" or "command: ..."')


class RampConfig(_Strict):
    """[ramp]: shares in percent, rising to 100; watch_seconds after 100 %."""

    shares: tuple[float, ...] = tuple(stage.share * 100 for stage in DEFAULT_RAMP)
    watch_seconds: float = Field(600.0, ge=5, le=86_400)
    stage_seconds_max: float = Field(900.0, ge=5, le=86_400)  # a stage still on hold then has failed
    alpha: float = Field(0.01, gt=0, le=0.1)
    worse: float = Field(2.0, gt=1, le=20)

    def stages(self) -> tuple[Stage, ...]:
        """Shares as stages; each must rule out what would hurt about a tenth of all requests at the next share."""
        shares = [share / 100 for share in self.shares]
        following = [*shares[1:], 1.0]
        return tuple(
            Stage(f"{share * 100:g} %", share, max(0.02, min(0.5, 0.1 / nxt)) if share < 1 else 0.02)
            for share, nxt in zip(shares, following, strict=True)
        )


class HealConfig(_Strict):
    """[heal]: how incidents are handled."""

    watch_seconds: float = Field(20.0, ge=2, le=86_400)  # good evidence in a row before an incident is closed
    approval_seconds: float = Field(1800.0, ge=30, le=86_400)


class HeartbeatConfig(_Strict):
    """One [heartbeats.NAME] table: a job that must say that it ran."""

    every: Duration
    grace: Duration = 300.0
    service: str = ""  # whose job it is; empty = the app as a whole

    def heartbeat(self, name: str) -> Heartbeat:
        return Heartbeat(name, self.every, self.grace, self.service)


class HookConfig(_Strict):
    """One [hooks.WAY] table: a way in that is open. The secret is made beside the app unless one is named here."""

    secret_env: str = Field("", pattern=r"^([A-Za-z_][A-Za-z0-9_]{0,100})?$")  # the variable that holds it
    secret_file: str = Field("", max_length=4096)  # or the file
    label: str = Field("service", min_length=1, max_length=100)  # Alertmanager's label that names the service
    services: dict[str, str] = Field(default_factory=dict, max_length=200)  # what they call it → our service
    environments: tuple[str, ...] = ("production", "prod")  # GitHub: deployments that reach users
    workflows: tuple[str, ...] = ("deploy",)  # GitHub: runs with this in their name put something in place


class ProjectConfig(_Strict):
    """[signals.projects.NAME]: programs that report under a DSN of their own."""

    service: str = ""  # whose errors these are; empty = the one that users reach
    forward: str = ""  # a Sentry DSN that everything is passed on to


class WatchConfig(_Strict):
    """One entry of [signals] watch: what no series of a metric may be for so long."""

    metric: str = Field(min_length=1, max_length=200)
    above: float
    lasting: Duration = Field(300.0, alias="for")
    service: str = ""  # whose it is; empty = the app as a whole

    def watched(self) -> Watched:
        return Watched(self.metric, self.above, self.lasting, self.service)


class SignalsConfig(_Strict):
    """[signals]: what programs report with their Sentry SDKs, and what is kept of it."""

    address: Address = "127.0.0.1:7374"  # port 0 = pick a free one and keep it
    receivers: int = Field(1, ge=0, le=16)  # processes of about 60 MB, a core's worth of reports each; 0 = none
    origins: tuple[str, ...] = ("*",)  # whose pages may report from a browser
    forward: str = ""  # a Sentry DSN that the first project's reports are passed on to
    events_per_minute: int = Field(60_000, ge=60, le=1_000_000)  # of one project; more is refused and counted
    keep_days: float = Field(30.0, gt=0, le=3_650)
    keep_megabytes: int = Field(256, ge=1, le=100_000)  # of details, for each project
    redact_keys: tuple[str, ...] = ()  # more names whose values are private, as expressions
    redact_patterns: tuple[str, ...] = ()  # more texts that are private, as expressions
    redact_addresses: bool = False  # IP addresses, too
    important: tuple[str, ...] = Field((), max_length=100)  # routes that earn money, "POST /checkout", say
    watch: tuple[WatchConfig, ...] = Field((), max_length=50)  # limits of metrics that programs send
    projects: dict[str, ProjectConfig] = Field(default_factory=dict)  # beside the app's own


class Config(_Strict):
    """The whole file. Every key but `version` is optional."""

    version: Literal[1] = 1
    name: str = "app"  # the folder's name, where the file says none
    address: Address = "127.0.0.1:8000"  # where users reach the app; port 0 = pick a free one and keep it
    dashboard: Address = "127.0.0.1:7373"
    stage: Autonomy = (
        Autonomy.AUTO
    )  # the most that this file allows; an instance starts at observe, and a person raises it
    shared: tuple[InsidePath, ...] = ()
    env_file: InsidePath | None = None
    build: str = ""
    release: str = ""
    keep_releases: int = Field(5, ge=2, le=100)
    user: str = ""
    trusted_proxies: tuple[str, ...] = ()
    tls: bool = False
    notify_command: str = ""  # run with the message on stdin when a person is needed
    services: dict[str, ServiceConfig] = Field(default_factory=dict)
    heartbeats: dict[str, HeartbeatConfig] = Field(default_factory=dict, max_length=HEARTBEATS_MAX)
    hooks: dict[WayName, HookConfig] = Field(default_factory=dict)
    ramp: RampConfig = Field(default_factory=RampConfig)
    heal: HealConfig = Field(default_factory=HealConfig)
    signals: SignalsConfig = Field(default_factory=SignalsConfig)
    forge: ForgeConfig = Field(default_factory=ForgeConfig)
    repair: RepairLimits = Field(default_factory=RepairLimits)

    @property
    def proposes(self) -> bool:
        """Whether a person has said where healing changes go."""
        return "forge" in self.model_fields_set

    @property
    def web(self) -> str:
        """The service that users reach; "" without any."""
        return front_service(self.inventory())

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Addresses whose certificates are looked at."""
        front = [(self.web, (self.address,))] if self.tls and is_named(self.address) else []
        return endpoints([*front, *((name, one.certificates) for name, one in sorted(self.services.items()))])

    def inventory(self) -> tuple[Service, ...]:
        return tuple(entry.service(name) for name, entry in sorted(self.services.items()))


def load(app_dir: Path) -> Config:
    """Reads `app_dir`/prodwise.toml, or a Procfile without it. Raises ConfigError with file, key and what to write instead."""
    path = app_dir / FILE_NAME
    procfile = app_dir / PROCFILE
    data = {"name": _app_name(app_dir), **(_read_toml(path) if path.is_file() else {"version": 1})}
    if not data.get("services") and procfile.is_file():
        data = {**data, **_from_procfile(procfile, data)}
    config = validate(with_environment(data), str(path if path.is_file() else procfile))
    if not config.services:
        raise ConfigError(
            f"{app_dir.resolve()} has no service to run: neither {FILE_NAME} with [services.NAME] nor a {PROCFILE}",
            "run `prodwise init` to write one",
        )
    return config


def validate(data: dict[str, Any], source: str) -> Config:
    """Checks a whole document. Raises ConfigError naming the key, and the nearest known one for unknown keys."""
    try:
        config = Config.model_validate(data)
    except ValidationError as error:
        raise ConfigError(*_explain(error, source)) from None
    known = set(config.services)
    for name, entry in config.services.items():
        if not _NAME.match(name):
            raise ConfigError(f"{source}: service name {name!r} is not usable", "lower-case letters, digits, - and _")
        if lost := set(entry.needs) - known:
            raise ConfigError(
                f"{source}: services.{name}.needs names {sorted(lost)}, which do not exist",
                f"known: {', '.join(sorted(known))}",
            )
    _outside_fits(config, source)
    _check_projects(config, source)
    shares = config.ramp.shares
    if not shares or list(shares) != sorted(set(shares)) or shares[0] <= 0 or shares[-1] != 100:
        raise ConfigError(
            f"{source}: ramp.shares must rise and end at 100, not {list(shares)}", "write [5, 25, 50, 100], say"
        )
    return config


def _outside_fits(config: Config, source: str) -> None:
    """Whatever outsiders speak about is one of our services, and a secret has one place."""
    known = set(config.services)
    for name, beat in config.heartbeats.items():
        if not _NAME.match(name):
            raise ConfigError(f"{source}: heartbeat name {name!r} is not usable", "lower-case letters, digits, - and _")
        if beat.service not in known | {""}:
            raise ConfigError(
                f"{source}: heartbeats.{name}.service: there is no service {beat.service!r}", f"known: {_names(known)}"
            )
    for way, hook in config.hooks.items():
        if lost := set(hook.services.values()) - known:
            raise ConfigError(
                f"{source}: hooks.{way}.services names {sorted(lost)}, which do not exist", f"known: {_names(known)}"
            )
        if hook.secret_env and hook.secret_file:
            raise ConfigError(f"{source}: hooks.{way} names two places for its secret", "keep one of them")


def _names(known: set[str]) -> str:
    return ", ".join(sorted(known)) or "none"


def _check_projects(config: Config, source: str) -> None:
    signals = config.signals
    if wrong := [name for name in signals.projects if not _NAME.match(name) or name == config.name]:
        raise ConfigError(f"{source}: project name {wrong[0]!r} is not usable", "another one, of a-z, 0-9, - and _")
    named = [(f"projects.{name}", one.service) for name, one in signals.projects.items()]
    for where, service in named + [(f"watch of {one.metric!r}", one.service) for one in signals.watch]:
        if service and service not in config.services:
            lost = f"{source}: signals.{where}: service names {service!r}, which does not exist"
            raise ConfigError(lost, f"known: {_names(set(config.services))}")


def _read_toml(path: Path) -> dict[str, Any]:
    if path.stat().st_size > _SIZE_MAX:
        raise ConfigError(f"{path} is larger than {_SIZE_MAX // 1024} KiB", "is it the right file?")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        hint = "correct it there; `prodwise init --dry-run` shows what such a file looks like"
        raise ConfigError(f"{path} is not valid TOML: {error}", hint) from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not valid TOML: it is not UTF-8 text", "save it again as UTF-8") from None


def _from_procfile(path: Path, data: dict[str, Any]) -> dict[str, Any]:
    """Procfile lines are `name: command`; `release:` runs once per release; only `web` speaks HTTP."""
    services: dict[str, Any] = {}
    found: dict[str, Any] = {"services": services}
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        name, colon, command = text.partition(":")
        if not colon or not command.strip():
            raise ConfigError(f"{path}:{number}: not `name: command`", "write `web: COMMAND`, one service a line")
        if name.strip() == "release":
            found["release"] = data.get("release") or command.strip()
        else:
            services[name.strip()] = {"command": command.strip(), "kind": "web" if name.strip() == "web" else "worker"}
    return found


def _app_name(app_dir: Path) -> str:
    return re.sub(r"[^a-z0-9-]+", "-", app_dir.resolve().name.lower()).strip("-") or "app"


def _explain(error: ValidationError, source: str) -> tuple[str, str]:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"] if part != "[key]")
    if first["type"] == "literal_error" and first["loc"][-1] == "[key]":
        ways = get_args(WayName)
        near = difflib.get_close_matches(str(first["loc"][-2]), ways, n=1)
        return f"{source}: unknown key {where!r}", f"did you mean {near[0]!r}?" if near else f"known: {', '.join(ways)}"
    if first["type"] != "extra_forbidden":
        told = str(first["msg"]).removeprefix("Value error, ")
        return f"{source}: {where}: {told}", f"correct {where}; `prodwise config --schema` says what it may be"
    key = str(first["loc"][-1])
    near = difflib.get_close_matches(key, _known_keys(first["loc"]), n=1)
    return (
        f"{source}: unknown key {where!r}",
        f"did you mean {near[0]!r}?" if near else "see `prodwise config --schema`",
    )


def _known_keys(loc: tuple[int | str, ...]) -> list[str]:
    if loc[0] == "signals" and len(loc) > 2:
        return list(ProjectConfig.model_fields) if loc[1] == "projects" else ["metric", "above", "for", "service"]
    entries: dict[object, type[_Strict]] = {"services": ServiceConfig, "heartbeats": HeartbeatConfig, "hooks": HookConfig}  # fmt: skip
    if loc[0] in entries and len(loc) > 2:
        return list(entries[loc[0]].model_fields)
    known = Config.model_fields.get(str(loc[0])) if len(loc) > 1 else None
    table = known.annotation if known else Config
    return list((table if isinstance(table, type) and issubclass(table, BaseModel) else Config).model_fields)
