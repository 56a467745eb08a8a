"""Looks at what scenarios ask of their apps, on a copy, before anything starts."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from prodwise.config import Config, load
from prodwise.drill.clone import apply_patch, copy_app
from prodwise.drill.faults import struck_service
from prodwise.drill.git import git
from prodwise.drill.scenario import Fault, Scenario
from prodwise.model.errors import ConfigError, ProdwiseError, UsageError

NEEDS_A_PAGE = ("overload",)
STRIKES = ("kill", "hang", "crash_loop", "slow", "upstream_down")


def rehearse(scenarios: Sequence[tuple[str, Scenario]]) -> None:
    """Finds now what would fail in the middle: services, refs and patches that do not fit, an app that cannot be read.

    scenarios: each with the name or file that it was given by. Raises ConfigError with file, key and what to write."""
    for source, scenario in scenarios:
        with tempfile.TemporaryDirectory(prefix="prodwise-drill-") as folder:
            copy = Path(folder) / "app"
            try:
                copy_app(scenario.app, scenario.start, copy)
                config = load(copy)
            except ProdwiseError as error:
                hint = f"{error.hint}; what is not committed is not copied".removeprefix("; ")
                raise ConfigError(f"{source}: app: {error.message}", hint) from None
            if (scenario.expect.fix or any(one.kind == "merge" for one in scenario.fault)) and not config.proposes:
                raise ConfigError(
                    f"{source}: it waits for a lasting fix, and the app does not say where fixes go",
                    "add a [forge] to its prodwise.toml; `prodwise demo` brings a code host for the shop",
                )
            for number, fault in scenario.numbered():
                _check(f"{source}: fault {number}", fault, copy, config)


def _check(where: str, fault: Fault, copy: Path, config: Config) -> None:
    """One fault, in the order of time: patches build upon one another."""
    if fault.service and fault.service not in config.services:
        raise ConfigError(f"{where}: the app has no service {fault.service!r}", f"it has {', '.join(config.services)}")
    if fault.kind in STRIKES and not struck_service(fault, config):
        raise ConfigError(f"{where}: {fault.kind} needs service", f"the app has {', '.join(config.services)}")
    if fault.kind in NEEDS_A_PAGE and not config.web:
        raise ConfigError(
            f"{where}: {fault.kind} needs a web service, and the app has none", "strike a worker: kill, hang"
        )
    if fault.kind == "config" and not (config.env_file and (copy / config.env_file).is_file()):
        raise ConfigError(f"{where}: config needs an app with an env_file", "name one in prodwise.toml")
    try:
        if fault.ref:
            git(copy, "rev-parse", "--verify", "--quiet", f"{fault.ref}^{{commit}}")
    except UsageError:
        raise ConfigError(
            f"{where}: the app has no commit {fault.ref!r}", "ref is a branch, a tag or a commit"
        ) from None
    try:
        if fault.patch:
            apply_patch(copy, Path(fault.patch))
    except UsageError as error:
        said = error.message.partition(": ")[2] or error.message
        raise ConfigError(
            f"{where}: patch {fault.patch} does not fit the app: {said}", "make it with `git diff`"
        ) from None
