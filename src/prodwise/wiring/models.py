"""The repairers that use a model, as this instance set them up and as far as the repository lets them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from prodwise.config import CONFIGURED_BY, Config, load
from prodwise.config.environment import read_env_file, state_dir
from prodwise.config.repair import MODEL, CommandConfig, RepairConfig, load_repair, secret
from prodwise.loop.repair.spending import Bounds
from prodwise.model.errors import ConfigError, Refused, UsageError
from prodwise.model.redaction import Redactor
from prodwise.model.redaction.keys import is_secret
from prodwise.ports.repair import Repairer
from prodwise.repair.command import Command, CommandAgent
from prodwise.repair.command.repairer import KEPT_OUTSIDE
from prodwise.repair.transcript import Ended
from prodwise.repair.veil import Veil
from prodwise.wiring.repair import CONFIGURED

ELSEWHERE: Final = Path("~/.local/state/prodwise")
"""Where transcripts are kept of a repository that is no app here."""
_LONG = 16
"""Characters from which a value that is called nothing in particular is taken for a secret."""


def with_models(
    app_dir: Path, config: Config, on_end: Callable[[Ended], None] = lambda _: None
) -> tuple[Repairer, ...]:
    """None of them unless a person set one up here. Raises ConfigError with what is missing."""
    return _made(load_repair(state_dir(app_dir)), app_dir, config, on_end)


def asked_for(model: str, repo: Path, tell: Callable[[str], None]) -> tuple[Repairer, ...]:
    """What a person asks for there and then: "provider:model", or CONFIGURED. Raises ConfigError with what is missing, Refused
    where the repository keeps models out."""
    setup = load_repair(state_dir(repo))
    if model != CONFIGURED:
        if not MODEL.match(model):
            raise UsageError(f"there is no model {model!r}", f'"none", "{CONFIGURED}" or PROVIDER:MODEL')
        same = model.split(":")[0] == setup.model.split(":")[0]
        key = {} if same else {"key_env": "", "key_file": ""}
        setup = setup.model_copy(update={"model": model, "command": None, **key})
    config = load(repo) if any((repo / name).is_file() for name in CONFIGURED_BY) else Config()
    if not config.repair.models:
        raise Refused(
            "this repository keeps models away from its code", "[repair] models = false stands in prodwise.toml"
        )

    def ended(end: Ended) -> None:
        cost = "" if end.dollars is None else f", {end.dollars:.2f} dollars"
        tell(f"the model ended: {end.why} ({end.steps} requests, {end.tokens} tokens{cost}); {end.transcript}")

    found = _made(setup, repo, config, ended)
    if not found:
        raise ConfigError("no model and no coding agent is set up here", "docs/repairs.md says how, in repair.toml")
    return found


def _made(setup: RepairConfig, app_dir: Path, config: Config, on_end: Callable[[Ended], None]) -> tuple[Repairer, ...]:
    if not config.repair.models or not (setup.model or setup.command):
        return ()
    folder = (state_dir(app_dir) if state_dir(app_dir).is_dir() else ELSEWHERE.expanduser()) / "repairs"
    bounds, environ, found = setup.bounds(config.repair), dict(os.environ), list[Repairer]()
    key = secret(setup.key_env, setup.key_file, environ) if setup.model else ""
    credential = secret(setup.command.credential_env, setup.command.credential_file, environ) if setup.command else ""
    redactor = Redactor(config.signals.redact_keys, config.signals.redact_patterns, config.signals.redact_addresses)
    veil = Veil(redactor, [key, credential, *_secrets(app_dir, config, environ)])
    if setup.model:
        found.append(_agent(setup, bounds, key, veil, folder, on_end))
    if setup.command:
        command = command_of(setup.command, credential)
        command = replace(command, seconds=min(command.seconds, config.repair.seconds or command.seconds))
        found.append(CommandAgent(command, veil=veil, folder=folder, on_end=on_end))
    return tuple(found)


def command_of(config: CommandConfig, credential: str) -> Command:
    """What is run, and what it is given: the credential itself only if a person lends it."""
    env = dict(config.env)
    if config.lend_credential:
        env[config.credential_env] = credential
    elif config.credential_header:
        env[config.credential_env] = KEPT_OUTSIDE
    return Command(config.argv, config.way(credential), config.base_url_env, tuple(env.items()), config.seconds)


def _agent(
    setup: RepairConfig, bounds: Bounds, key: str, veil: Veil, folder: Path, on_end: Callable[[Ended], None]
) -> Repairer:
    from prodwise.repair.agent import Agent
    from prodwise.repair.agent.talk import model_of

    return Agent(model_of(setup.model, key), veil=veil, folder=folder, bounds=bounds, price=setup.price, on_end=on_end)


def _secrets(app_dir: Path, config: Config, environ: Mapping[str, str]) -> Iterable[str]:
    """Values that must not be told, of the healer's environment and the app's own: long ones of its file whatever they are called."""
    yield from (value for name, value in environ.items() if is_secret(name))
    for service in config.services.values():
        yield from (value for name, value in service.env.items() if is_secret(name))
    if config.env_file is not None:
        try:
            told = read_env_file(app_dir / config.env_file)
        except (OSError, UnicodeDecodeError, ConfigError):
            return
        yield from (value for name, value in told.items() if is_secret(name) or "@" in value or len(value) >= _LONG)
