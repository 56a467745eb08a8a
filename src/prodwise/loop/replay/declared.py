"""How a repository says that its app is started: prodwise.toml, a Procfile, or files with the names that everybody uses."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

CONFIG, PROCFILE = "prodwise.toml", "Procfile"
SERVICES_MAX: Final = 30
USUAL: Final = ("app.py", "main.py", "wsgi.py", "asgi.py", "application.py", "server.py", "api.py", "app/main.py", "app/app.py",
    "app/__init__.py", "src/app.py", "src/main.py", "api/main.py", "backend/main.py", "backend/app.py")  # fmt: skip

Read = Callable[[str], str | None]
"""A file of the repository as text, None for none."""


@dataclass(frozen=True, slots=True)
class Started:
    """command: a shell line; env: declared beside it."""

    service: str
    command: str
    env: tuple[tuple[str, str], ...] = ()


def declared(read: Read, service: str = "") -> tuple[Started, ...]:
    """That service first, then what speaks HTTP, then usual files: what is likeliest to have answered the request."""
    found = [*_configured(read(CONFIG) or ""), *_procfile(read(PROCFILE) or "")]
    found = [one for one in found if one.service == service] + [one for one in found if one.service != service]
    return (*found[:SERVICES_MAX], *_usual(read))


def _configured(text: str) -> Iterator[Started]:
    try:
        services: Any = tomllib.loads(text).get("services")
    except (ValueError, RecursionError):
        return
    told = (
        [(str(name), one) for name, one in services.items() if isinstance(one, dict)]
        if isinstance(services, dict)
        else []
    )
    for name, one in sorted(told, key=lambda pair: pair[0] != "web"):
        env = one.get("env")
        pairs = tuple((str(key), str(value)) for key, value in env.items()) if isinstance(env, dict) else ()
        if one.get("kind", "web") == "web" and isinstance(one.get("command"), str):
            yield Started(name, one["command"], pairs)


def _procfile(text: str) -> Iterator[Started]:
    for line in text.splitlines():
        if found := re.match(r"\s*web\s*:\s*(\S.*)", line):
            yield Started("web", found[1])


def _usual(read: Read) -> Iterator[Started]:
    if read("manage.py") is not None:
        yield Started("", "python manage.py runserver")
    yield from (Started("", f"python {path}") for path in USUAL if read(path) is not None)
