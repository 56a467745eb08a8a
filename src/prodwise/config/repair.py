"""Repairs: what the instance's own file sets up, and how far the repository's file lets it go.

Which model sees the code, which command runs, in which sandbox, and which credential is lent is a person's word on this machine: it
stands in `repair.toml` in the state folder, outside the repository. [repair] of prodwise.toml travels with the code, and can only
lower it.
"""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from prodwise.loop.repair.door import Way, is_host
from prodwise.loop.repair.spending import Bounds, Price
from prodwise.model.errors import ConfigError

MODEL: Final = re.compile(r"^[a-z][a-z0-9/-]{1,40}:[A-Za-z0-9._:/-]{1,150}$")
INSTANCE_FILE: Final = "repair.toml"
_SIZE_MAX = 64 * 1024
_VARIABLE = r"^([A-Za-z_][A-Za-z0-9_]{0,100})?$"
_FORGE = re.compile(
    r"(?:^|_)(?:GH|GITHUB|GITLAB|GITEA|FORGEJO|BITBUCKET|GIT|CI_JOB|SSH|DATABASE|PRODWISE)(?:_|$)", re.IGNORECASE
)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RepairLimits(_Strict):
    """[repair] of prodwise.toml: the most that this repository allows. What the instance did not set up, it cannot add."""

    models: bool = True  # false: no model and no coding agent ever sees this code
    steps: int | None = Field(None, ge=1, le=1_000)
    tokens: int | None = Field(None, ge=1_000, le=100_000_000)
    dollars: float | None = Field(None, gt=0, le=10_000)
    seconds: float | None = Field(None, ge=10, le=86_400)


class PriceConfig(_Strict):
    """[repair.prices."provider:model"]: US dollars for a million tokens."""

    input: float = Field(ge=0, le=100_000)
    output: float = Field(ge=0, le=100_000)


class CommandConfig(_Strict):
    """[repair.command]: a coding agent by its command line, and its one way out."""

    argv: tuple[str, ...] = Field(min_length=1, max_length=100)
    host: str = Field("", max_length=253)  # reached through a proxy, at port 443
    base_url: str = Field("", max_length=500)  # or: reached by the door itself
    base_url_env: str = Field("", pattern=_VARIABLE)  # the variable that tells the command its model's address
    credential_env: str = Field(
        "", pattern=_VARIABLE
    )  # what the credential is called inside; also where it is, without a file
    credential_file: str = Field("", max_length=4096)
    lend_credential: bool = False  # true: the command itself holds it
    credential_header: str = Field("", pattern=r"^([A-Za-z][A-Za-z0-9-]{0,60})?$")  # the door adds it; it stays outside
    private: bool = False  # true: the model is on this machine or its networks
    env: dict[str, str] = Field(default_factory=dict, max_length=50)
    seconds: float = Field(900.0, ge=10, le=86_400)

    @model_validator(mode="after")
    def _fits(self) -> CommandConfig:
        if bool(self.host) == bool(self.base_url):
            raise ValueError("name one place that it may reach: host or base_url")
        if self.host and (self.base_url_env or self.credential_header):
            raise ValueError("base_url_env and credential_header go with base_url")
        if self.base_url and not self.base_url_env:
            raise ValueError("base_url_env is missing: which variable tells the command where its model is?")
        if self.lend_credential and self.credential_header:
            raise ValueError("the credential is either lent or kept outside: keep lend_credential or credential_header")
        if bool(self.lend_credential or self.credential_header) != bool(self.credential_env):
            raise ValueError("credential_env goes with lend_credential = true, or with credential_header")
        if wrong := [name for name in (self.credential_env, *self.env) if _FORGE.search(name)]:
            raise ValueError(f"{wrong[0]} is nothing that a coding agent is ever given")
        self.way("")
        return self

    def way(self, credential: str) -> Way:
        if self.host:
            if not is_host(self.host):
                raise ValueError("host is a plain name in small letters, like api.example.com")
            return Way(self.host, private=self.private)
        url = urlsplit(self.base_url)
        host, tls = url.hostname or "", url.scheme == "https"
        if (
            not is_host(host)
            or url.username is not None
            or url.query
            or url.fragment
            or not (tls or (self.private and url.scheme == "http"))
        ):
            raise ValueError("base_url is https://HOST/PATH; http only with private = true")
        if not re.fullmatch(r"[A-Za-z0-9._~/-]*", url.path):
            raise ValueError("base_url has a plain path")
        value = f"Bearer {credential}" if self.credential_header.lower() == "authorization" else credential
        header = self.credential_header if credential else ""
        return Way(
            host,
            url.port or (443 if tls else 80),
            tls,
            url.path.rstrip("/"),
            header,
            value if header else "",
            self.private,
        )


class RepairConfig(_Strict):
    """[repair] of the instance's own file. Empty: no model is used."""

    model: str = Field("", pattern=f"^$|{MODEL.pattern}")  # "provider:model", as pydantic-ai has it
    key_env: str = Field(
        "", pattern=_VARIABLE
    )  # the variable with its API key; empty = where the provider's library looks
    key_file: str = Field("", max_length=4096)  # or the file
    steps: int = Field(30, ge=1, le=1_000)
    tokens: int = Field(400_000, ge=1_000, le=100_000_000)
    dollars: float = Field(0.0, ge=0, le=10_000)  # of one repair; 0 = bounded by tokens alone
    seconds: float = Field(600.0, ge=10, le=86_400)
    automatic: int = Field(0, ge=0, le=100)  # searches for fixes of incidents, a day, that may ask it by themselves
    prices: dict[str, PriceConfig] = Field(default_factory=dict, max_length=100)
    command: CommandConfig | None = None
    sandbox: Literal["auto", "bubblewrap", "container"] = "auto"  # auto: bubblewrap, else a container
    image: str = Field("", max_length=400)  # of a container; empty = the programs of this machine
    advisories: str = Field("", max_length=4096)  # a folder of OSV's JSON, or zips of it: what pins are asked against
    licences: tuple[str, ...] = Field((), max_length=200)  # what a pin may bring in; none = any, a change is told

    @model_validator(mode="after")
    def _fits(self) -> RepairConfig:
        if self.key_env and self.key_file:
            raise ValueError("the key has two places: keep key_env or key_file")
        if self.image and self.sandbox == "bubblewrap":
            raise ValueError("image is for a container: bubblewrap shows the programs of this machine")
        if self.automatic and not (self.model or self.command):
            raise ValueError("automatic says how often a model is asked: name one, or a command")
        if self.automatic and self.model and not (self.key_env or self.key_file):
            raise ValueError("automatic needs key_env or key_file: the search sees no other credential")
        if self.automatic and _FORGE.search(self.key_env):
            raise ValueError(f"{self.key_env} is nothing that a search is ever given")
        return self

    @property
    def lent(self) -> tuple[str, ...]:
        """Variables of the healer's environment that a search with a model must see."""
        command = self.command.credential_env if self.command and not self.command.credential_file else ""
        return tuple(name for name in (self.key_env, command) if name)

    def lacks(self, environ: Mapping[str, str]) -> str:
        """Why the model cannot be asked as things stand, "" when it can."""
        try:
            secret(self.key_env, self.key_file, environ)
            if self.command:
                secret(self.command.credential_env, self.command.credential_file, environ)
        except ConfigError as error:
            return error.message
        return ""

    @property
    def price(self) -> Price | None:
        known = self.prices.get(self.model)
        return Price(known.input, known.output) if known else None

    def bounds(self, limits: RepairLimits) -> Bounds:
        """The stricter of both, for each."""
        dollars = [one for one in (self.dollars, limits.dollars or 0.0) if one]
        return Bounds(
            min(self.steps, limits.steps or self.steps),
            min(self.tokens, limits.tokens or self.tokens),
            min(dollars, default=0.0),
            min(self.seconds, limits.seconds or self.seconds),
        )


def load_repair(state_dir: Path) -> RepairConfig:
    """The instance's own file; without one, no model. Raises ConfigError, also for a file that others may write."""
    path = state_dir / INSTANCE_FILE
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode) or found.st_size > _SIZE_MAX:
                raise ConfigError(f"{path} is no file of at most {_SIZE_MAX // 1024} KiB", "is it the right one?")
            if found.st_uid not in (0, os.geteuid()) or found.st_mode & 0o022:
                raise ConfigError(f"{path} can be written by others", f"chown it to yourself, and chmod go-w {path}")
            data = tomllib.load(file)
    except FileNotFoundError:
        return RepairConfig()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path} is not valid TOML: {error}", "correct it there; docs/repairs.md has an example"
        ) from None
    return _validated(data, path)


def _validated(data: dict[str, Any], path: Path) -> RepairConfig:
    if extra := sorted(set(data) - {"repair"}):
        raise ConfigError(f"{path}: unknown key {extra[0]!r}", "it has one table, [repair]")
    try:
        return RepairConfig.model_validate(data.get("repair", {}))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(["repair", *(str(part) for part in first["loc"])])
        raise ConfigError(
            f"{path}: {where}: {str(first['msg']).removeprefix('Value error, ')}", "docs/repairs.md has an example"
        ) from None


def secret(variable: str, file: str, environ: Mapping[str, str]) -> str:
    """What stands there. Raises ConfigError where nothing does."""
    try:
        value = Path(file).read_text().strip() if file else environ.get(variable, "")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"the key cannot be read from {file}: {error}", "correct the path, or the file's mode"
        ) from None
    if not value and (file or variable):
        raise ConfigError(
            f"there is no key in {file or variable}", "set it for the healer, or correct its name in repair.toml"
        )
    return value
