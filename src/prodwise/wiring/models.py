"""The repairers that use a model, as this instance set them up and as far as the repository lets them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from prodwise.config import Config, read_env_file, state_dir
from prodwise.config_repair import CommandConfig, RepairConfig, load_repair, secret
from prodwise.loop.repair.spending import Bounds
from prodwise.model.errors import ConfigError
from prodwise.model.redaction import Redactor
from prodwise.model.redaction.keys import is_secret
from prodwise.ports.repair import Repairer
from prodwise.repair.command import Command, CommandAgent
from prodwise.repair.command.repairer import KEPT_OUTSIDE
from prodwise.repair.transcript import Ended
from prodwise.repair.veil import Veil

_LONG = 16
"""Characters from which a value that is called nothing in particular is taken for a secret."""


def with_models(
    app_dir: Path, config: Config, on_end: Callable[[Ended], None] = lambda _: None
) -> tuple[Repairer, ...]:
    """None of them unless a person set one up here. Raises ConfigError with what is missing."""
    setup = load_repair(state_dir(app_dir))
    if not config.repair.models or not (setup.model or setup.command):
        return ()
    folder = state_dir(app_dir) / "repairs"
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
