"""Scenarios: what is broken when, under which traffic, and what should come of it. TOML, strictly validated."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from prodwise.drill.traffic.plan import RATE_MAX, SECONDS_MAX, Plan, parse_path, parse_step
from prodwise.model.action import ActionKind
from prodwise.model.errors import ConfigError, ProdwiseError

BUILT_IN = Path(__file__).parent / "scenarios"
KINDS = (
    "release",
    "dependency",
    "kill",
    "hang",
    "crash_loop",
    "overload",
    "upstream_down",
    "slow",
    "config",
    "merge",
    "none",
)
LATER_KINDS = {
    "leak": 'use kind = "release" with a patch that leaks',
    "disk_full": 'use kind = "release" with a patch whose writes fail',
}
DEPLOYS = ("release", "dependency", "config", "merge")
ACTIONS = tuple(
    kind.value for kind in ActionKind if kind not in (ActionKind.DEPLOY, ActionKind.PROMOTE, ActionKind.HANDOVER)
)
DEFAULT_SECONDS = {"crash_loop": 15.0, "upstream_down": 15.0, "overload": 20.0, "slow": 60.0, "merge": 60.0}
DEFAULT_SIZE = {"overload": 8.0, "slow": 0.8}
APP_SHOP = "shop"
NOT_OF_TYPE = {
    "float_type": "a number", "int_type": "a whole number", "string_type": "a text in quotes",
    "tuple_type": "a list in [ ]", "model_type": "a table",
}  # fmt: skip


def _plain(parse: Callable[[str], object]) -> AfterValidator:
    """Lets a parser of ours speak through pydantic."""

    def check(text: str) -> str:
        try:
            parse(text)
        except ProdwiseError as error:
            raise ValueError(f"{error.message}: {error.hint}") from None
        return text

    return AfterValidator(check)


HttpPath = Annotated[str, _plain(parse_path)]
VisitStep = Annotated[str, _plain(parse_step)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Traffic(_Strict):
    """rate: requests/s; paths: asked for at random; probe: answers 200 when the app is up; visit: steps that one visitor
    plays in order ("POST /checkout name=Ada"), by visit_share of arrivals; ramp_to: rate reached after ramp_seconds."""

    rate: float = Field(40.0, gt=0, le=RATE_MAX, strict=True)
    paths: tuple[HttpPath, ...] = Field(("/",), min_length=1)
    probe: HttpPath = "/"
    visit: tuple[VisitStep, ...] = ()
    visit_share: float = Field(0.1, ge=0, le=1, strict=True)
    keep_cookies: float = Field(0.5, ge=0, le=1, strict=True)
    ramp_to: float | None = Field(None, ge=0, le=RATE_MAX, strict=True)
    ramp_seconds: float = Field(30.0, gt=0, le=SECONDS_MAX, strict=True)

    def plan(self, seconds: float, seed: int) -> Plan:
        return Plan(
            paths=self.paths,
            rate=self.rate,
            seconds=seconds,
            visit=tuple(parse_step(step) for step in self.visit),
            visit_share=self.visit_share if self.visit else 0.0,
            keep_cookies=self.keep_cookies,
            seed=seed,
        )


class Fault(_Strict):
    """at: seconds after the traffic began; what the other keys mean for each kind is told in docs/drill.md."""

    at: float = Field(ge=0, le=SECONDS_MAX, strict=True)
    kind: str
    service: str = ""
    seconds: float | None = Field(None, gt=0, le=SECONDS_MAX, strict=True)
    size: float | None = Field(None, gt=0, le=100, strict=True)
    patch: str = ""
    ref: str = ""
    value: str = ""

    @property
    def lasts(self) -> float:
        """Seconds for which it is kept up; 0 for what happens once."""
        return self.seconds if self.seconds is not None else DEFAULT_SECONDS.get(self.kind, 0.0)

    @property
    def strength(self) -> float:
        return self.size if self.size is not None else DEFAULT_SIZE.get(self.kind, 1.0)

    @property
    def deploys(self) -> bool:
        return self.kind in DEPLOYS


class Expect(_Strict):
    """actions: an ordered subsequence of what is done; max_failed: failed requests that are still acceptable; fix: what must have
    become of a lasting fix by the end: proposed, or held in production."""

    outcome: Literal["healed", "undone", "escalated", "quiet"]
    actions: tuple[str, ...] = ()
    max_failed: int | None = Field(None, ge=0, strict=True)
    fix: Literal["", "proposed", "held"] = ""


class Scenario(_Strict):
    """One scenario. start: the git ref that runs first (default: where the repository stands)."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,80}$")
    about: str = ""
    app: str = APP_SHOP
    start: str = ""
    seconds: float = Field(60.0, gt=0, le=SECONDS_MAX, strict=True)
    traffic: Traffic = Field(default_factory=Traffic)
    fault: tuple[Fault, ...] = ()
    expect: Expect

    def numbered(self) -> list[tuple[int, Fault]]:
        """The faults in the order in which they strike, each with its number in the file."""
        return sorted(enumerate(self.fault, 1), key=lambda one: one[1].at)


def list_scenarios() -> tuple[Scenario, ...]:
    """The built-in ones, by name; the demo's own scenes are left out."""
    return tuple(load(path) for path in sorted(BUILT_IN.glob("*.toml")) if not path.stem.startswith("demo-"))


def find(name_or_path: str) -> Scenario:
    """A built-in scenario by name, or one from a file. Raises ConfigError naming the nearest built-in one."""
    path = Path(name_or_path)
    if path.suffix == ".toml" or path.is_file():
        return load(path)
    known = [found.stem for found in sorted(BUILT_IN.glob("*.toml"))]
    if name_or_path in known:
        return load(BUILT_IN / f"{name_or_path}.toml")
    near = difflib.get_close_matches(name_or_path, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"built-in ones: {', '.join(known)}; or give a .toml file"
    raise ConfigError(f"there is no scenario {name_or_path!r}", hint)


def load(path: Path) -> Scenario:
    """Reads and checks one file; patch and app paths become absolute. Raises ConfigError with file, key and cure."""
    try:
        data = tomllib.loads(path.read_text())
    except OSError as error:
        raise ConfigError(f"scenario {path} cannot be read: {error.strerror}", "check the path") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"scenario {path} is not valid TOML: {error}") from None
    return parse(data, str(path), path.resolve().parent)


def parse(data: dict[str, Any], source: str, folder: Path) -> Scenario:
    """Checks a whole document; `folder` is what relative paths start from. Raises ConfigError."""
    try:
        scenario = Scenario.model_validate(data)
    except ValidationError as error:
        raise ConfigError(*_explain(error, source)) from None
    faults = tuple(
        _checked(fault, f"{source}: fault {number}", folder) for number, fault in enumerate(scenario.fault, 1)
    )
    for number, fault in enumerate(faults, 1):
        if fault.at >= scenario.seconds:
            raise ConfigError(
                f"{source}: fault {number}: at = {fault.at:g} is after the end", f"seconds = {scenario.seconds:g}"
            )
    for action in scenario.expect.actions:
        if action not in ACTIONS:
            raise ConfigError(f"{source}: expect.actions: unknown action {action!r}", _near(action, ACTIONS))
    if scenario.expect.outcome == "quiet" and scenario.expect.actions:
        raise ConfigError(f"{source}: expect: quiet means that nothing is done", "take expect.actions out")
    return scenario.model_copy(update={"fault": faults, "app": _app(scenario.app, source, folder)})


def _checked(fault: Fault, where: str, folder: Path) -> Fault:
    if fault.kind in LATER_KINDS:
        raise ConfigError(f"{where}: {fault.kind!r} is not available yet", LATER_KINDS[fault.kind])
    if fault.kind not in KINDS:
        raise ConfigError(f"{where}: unknown kind {fault.kind!r}", _near(fault.kind, KINDS))
    if fault.kind in ("release", "dependency") and bool(fault.patch) == bool(fault.ref):
        raise ConfigError(f"{where}: a {fault.kind} needs either patch or ref", 'patch = "bad.diff" or ref = "v2"')
    if fault.ref.startswith("-"):
        raise ConfigError(f"{where}: {fault.ref!r} is not a ref")
    if fault.kind == "config" and not re.match(r"^[A-Za-z_][A-Za-z0-9_]*=[^\n]*$", fault.value):
        raise ConfigError(f"{where}: config needs value", 'value = "KEY=VALUE"')
    if fault.kind == "slow" and not 0 < fault.strength < 1:
        raise ConfigError(f"{where}: the size of slow is a share of time", "between 0 and 1, for example 0.8")
    return _with_patch(fault, where, folder)


def _with_patch(fault: Fault, where: str, folder: Path) -> Fault:
    if not fault.patch:
        return fault
    path = folder / fault.patch
    if not path.is_file():
        raise ConfigError(f"{where}: there is no patch {path}", "patch is relative to the scenario file")
    return fault.model_copy(update={"patch": str(path)})


def _app(app: str, source: str, folder: Path) -> str:
    if app == APP_SHOP:
        return app
    path = next((found for found in ((folder / app).resolve(), Path(app).resolve()) if found.is_dir()), folder / app)
    if not (path / ".git").exists() or not ((path / "prodwise.toml").is_file() or (path / "Procfile").is_file()):
        raise ConfigError(
            f"{source}: app {app!r} is not an app", '"shop", or a git repository with a prodwise.toml or a Procfile'
        )
    return str(path)


def _near(word: str, known: tuple[str, ...] | list[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"


def _explain(error: ValidationError, source: str) -> tuple[str, str]:
    first = error.errors()[0]
    where = ".".join(str(part + 1) if isinstance(part, int) else part for part in first["loc"])
    if first["type"] in NOT_OF_TYPE:
        return f"{source}: {where} is not {NOT_OF_TYPE[first['type']]}", f"it is {first['input']!r}"
    if first["type"] != "extra_forbidden":
        return f"{source}: {where}: {first['msg']}", ""
    tables: dict[str, type[BaseModel]] = {"traffic": Traffic, "fault": Fault, "expect": Expect}
    table = tables.get(str(first["loc"][0]), Scenario) if len(first["loc"]) > 1 else Scenario
    return f"{source}: unknown key {where!r}", _near(str(first["loc"][-1]), list(table.model_fields))
