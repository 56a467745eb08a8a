"""The `release:` line: whether it does nothing but run migrations that stand in the repository."""

from __future__ import annotations

import re
import shlex
from typing import Final

_SHELL: Final = re.compile(r"[|<>`$(){}\\*?\[\]~#!\n]")
_RUNNERS: Final = (
    ("uv", "run"), ("poetry", "run"), ("pipenv", "run"), ("pdm", "run"), ("bundle", "exec"), ("npx",), ("pnpm", "exec"), ("pnpm",),
    ("yarn",), ("npm", "exec", "--"), ("python", "-m"), ("python3", "-m"), ("python",), ("python3",), ("ruby",),
)  # fmt: skip
_PATH: Final = re.compile(r"^(?:\./)?(?:\.venv/bin/|venv/bin/|bin/|node_modules/\.bin/)?(?=[^/]+$)")
_DJANGO: Final = (
    ("manage.py", "migrate"), ("manage.py", "migrate", "--noinput"), ("manage.py", "migrate", "--no-input"), ("django", "migrate"),
    ("django-admin", "migrate"), ("django-admin", "migrate", "--noinput"), ("django-admin", "migrate", "--no-input"),
)  # fmt: skip
_MIGRATES: Final = (
    *_DJANGO, ("alembic", "upgrade", "head"), ("alembic", "upgrade", "heads"), ("flask", "db", "upgrade"),
    ("rails", "db:migrate"), ("rake", "db:migrate"), ("prisma", "migrate", "deploy"), ("knex", "migrate:latest"),
    ("dbmate", "up"), ("dbmate", "migrate"), ("drizzle-kit", "migrate"),
)  # fmt: skip
_TYPEORM: Final = frozenset({"typeorm", "typeorm-ts-node-commonjs", "typeorm-ts-node-esm"})
_HARMLESS: Final = (
    ("manage.py", "collectstatic", "--noinput"), ("manage.py", "collectstatic", "--no-input"), ("manage.py", "check"),
    ("manage.py", "check", "--deploy"), ("true",),
)  # fmt: skip


def only_migrates(command: str) -> bool:
    """Unless every command in it is known, what it does is not."""
    if _SHELL.search(command):
        return False
    try:
        parts = [shlex.split(part) for part in re.split(r"&&|;", command)]
    except ValueError:
        return False
    return all(_known(part) for part in parts)


def runs_packages_migrations(command: str) -> bool:
    """Django also runs the migrations that installed packages bring."""
    return any(tuple(one) in _DJANGO for one in map(_bare, re.split(r"&&|;", command)))


def _bare(part: str) -> tuple[str, ...]:
    try:
        return _stripped(shlex.split(part))
    except ValueError:
        return ()


def _known(words: list[str]) -> bool:
    bare = _stripped(words)
    if bare in _MIGRATES or bare in _HARMLESS:
        return True
    run = len(bare) == 4 and bare[0] in _TYPEORM and bare[1] == "migration:run" and bare[2] in ("-d", "--dataSource")
    return run and "&" not in bare[3]


def _stripped(words: list[str]) -> tuple[str, ...]:
    """Without what only finds the program."""
    bare = tuple(words)
    for _ in range(3):
        found = next((one for one in _RUNNERS if bare[: len(one)] == one), ())
        bare = bare[len(found) :]
        bare = (_PATH.sub("", bare[0]), *bare[1:]) if bare else bare
    return bare
