"""Makes releases: a git worktree at a commit, its own environment beside it, built once and never edited."""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prodwise import config as settings
from prodwise.config import Config
from prodwise.config.environment import read_env_file
from prodwise.model.errors import BuildFailed, ConfigError, ProdwiseError, TargetError, UsageError
from prodwise.model.evidence import digest
from prodwise.model.service import ServiceKind
from prodwise.ports import Built
from prodwise.targets.local import environment, git
from prodwise.targets.local.launch import identity
from prodwise.targets.local.layout import Layout, write_atomically
from prodwise.targets.local.records import (
    Instance,
    Place,
    Places,
    Release,
    app_environment,
    read_release,
    service_json,
    write_release,
)

RELEASE_ID = re.compile(r"^[1-9][0-9]{0,8}-[0-9a-f]{7,40}$")
LINE_DONE = "release-line.json"


class Builder:
    """Implements Builds. config: the instance's own; a release's own file decides its services, build and release line."""

    def __init__(self, layout: Layout, config: Config) -> None:
        self._layout = layout
        self._config = config

    def resolve(self, ref: str) -> str:
        return git.resolve(self._layout.app, ref)

    def next_id(self, commit: str) -> str:
        """The next free release id, "<number>-<sha7>"."""
        return f"{max([0, *map(number_of, self.ids())]) + 1}-{commit[:7]}"

    def ids(self) -> list[str]:
        """Releases that were begun here, oldest first."""
        found = self._layout.releases.iterdir() if self._layout.releases.exists() else ()
        return sorted((path.name for path in found if RELEASE_ID.match(path.name)), key=number_of)

    def build(self, release: str, commit: str) -> Built:
        """One that an interruption left half-made is made again from the start. Raises BuildFailed."""
        if not RELEASE_ID.match(release):
            raise UsageError(f"{release!r} is no release id", "it looks like 12-1a2b3c4")
        with self._alone(release):
            record = read_release(self._layout, release)
            if record is None:
                record = self._make(release, commit)
            elif record.commit != commit:
                raise BuildFailed(f"release {release} was built from {record.commit[:7]}, not {commit[:7]}")
        log = str(self._layout.release(release) / "build.log")
        return Built(
            record.id,
            record.commit,
            record.digest,
            record.title,
            record.author,
            record.services,
            log,
            record.env_digest,
        )

    @contextmanager
    def _alone(self, release: str) -> Iterator[None]:
        """One build of a release at a time; the lock dies with its process."""
        self._layout.releases.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._layout.releases / f".{release}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _make(self, release: str, commit: str) -> Release:
        try:
            return self._try(release, commit)
        except OSError as error:
            raise BuildFailed(
                f"release {release} could not be built: {error}", "make room on the disk, or check access"
            ) from None
        except (git.GitFailed, ConfigError) as error:
            src = str(self._layout.release(release) / "src")
            told = error.message.replace(f"{src}/", "").replace(src, "its commit")
            raise BuildFailed(f"release {release} could not be built: {told}", error.hint) from None

    def _try(self, release: str, commit: str) -> Release:
        """1. Clears an earlier try. 2. Source. 3. Config. 4. Shared paths. 5. Environment, build line. 6. Record."""
        place = self._layout.release(release)
        src, venv, log = place / "src", place / "venv", place / "build.log"
        git.drop(self._layout.app, src)
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        place.chmod(0o755)
        log.touch(0o600)
        git.check_out(self._layout.app, commit, src)
        if self._layout.state == self._layout.app / self._layout.state.name:
            git.exclude(self._layout.app, f"/{self._layout.state.name}/")
        config = self._config_of(src)
        warnings = self._link_shared(config, commit, src)
        self._install(config, src, venv, log)
        warnings += [
            f"{name} is set in this shell only: the app will not see it; put it into the env_file"
            for name in environment.known_to_shell_only(src, self._told(config))
        ]
        with log.open("a") as out:
            out.writelines(f"warning: {warning}\n" for warning in warnings)
        record = self._record(release, commit, config, venv, warnings)
        told = json.dumps(environment.digests_of_values(self._env_values(), self._salt()))
        write_atomically(place / environment.NAMES_FILE, told)
        write_release(self._layout, record)
        return record

    def _config_of(self, src: Path) -> Config:
        """The release's own file; without one in the commit, the instance's."""
        own = (src / settings.FILE_NAME).is_file() or (
            (src / settings.PROCFILE).is_file() and not self._instance_file()
        )
        return settings.load(src) if own else self._config

    def _instance_file(self) -> bool:
        return (self._layout.app / settings.FILE_NAME).is_file()

    def _told(self, config: Config) -> set[str]:
        """Names of all variables that the app's processes are told."""
        names = {key for service in config.services.values() for key in service.env}
        names |= {name.upper().replace("-", "_") + "_URL" for name in config.services}
        return names | set(self._env_names())

    def _env_file(self) -> Path | None:
        return self._layout.app / self._config.env_file if self._config.env_file else None

    def _env_names(self) -> tuple[str, ...]:
        return tuple(sorted(self._env_values()))

    def _env_values(self) -> dict[str, str]:
        file = self._env_file()
        return read_env_file(file) if file is not None and file.exists() else {}

    def _link_shared(self, config: Config, commit: str, src: Path) -> list[str]:
        """Shared paths live in the app's directory; each release sees them through a link. Returns warnings."""
        warnings = []
        for path in config.shared:
            kept, link = self._layout.app / path.rstrip("/"), src / path.rstrip("/")
            if git.tracked(self._layout.app, commit, path):
                warnings.append(f"{path} is shared between releases and also tracked by git: the shared one is used")
            if path.endswith("/") and not kept.exists():
                kept.mkdir(parents=True)
                self._give(kept)
            kept.parent.mkdir(parents=True, exist_ok=True)
            if link.is_dir() and not link.is_symlink():
                shutil.rmtree(link)
            link.unlink(missing_ok=True)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(kept)
        return warnings

    def _give(self, path: Path) -> None:
        if self._config.user and os.getuid() == 0:
            uid, gid, _, _ = identity(self._config.user)
            os.chown(path, uid, gid)

    def _install(self, config: Config, src: Path, venv: Path, log: Path) -> None:
        env = {**environment.build_environment(venv), "UV_PROJECT_ENVIRONMENT": str(venv)}
        for argv in environment.install_steps(src, venv):
            environment.run_logged(environment.step_words(argv, src), argv, src, env, log)
        if venv.is_dir() and not (src / ".venv").exists():
            (src / ".venv").symlink_to(venv)
        if config.build:
            environment.run_logged(config.build, ["/bin/sh", "-c", config.build], src, env, log)

    def _record(self, release: str, commit: str, config: Config, venv: Path, warnings: list[str]) -> Release:
        facts = git.commit(self._layout.app, commit)
        services = config.inventory()
        file = self._env_file()
        what = [
            facts.tree,
            environment.installed(venv),
            [service_json(s) for s in services],
            config.build,
            config.release,
        ]
        return Release(
            id=release,
            commit=commit,
            digest=digest(what),
            title=facts.title,
            author=facts.author,
            services=services,
            release_line=config.release,
            env_names=self._env_names(),
            env_digest=environment.digest_of_values(file, self._salt()) if file is not None else "",
            warnings=tuple(warnings),
        )

    def _salt(self) -> bytes:
        path = self._layout.run / "salt"
        if not path.exists():
            write_atomically(path, secrets.token_hex(16), sync=True)
        return path.read_bytes()

    def run_release_line(self, release: str) -> None:
        """Recorded once it has succeeded; one that was interrupted runs again."""
        record = read_release(self._layout, release)
        if record is None:
            raise BuildFailed(f"release {release} was not built here")
        done = self._layout.release(release) / LINE_DONE
        with self._alone(release):
            if not record.release_line or done.exists():
                return
            place = self._layout.release(release)
            env = self._line_environment(record)
            argv = ["/bin/sh", "-c", record.release_line]
            environment.run_logged(
                record.release_line, argv, place / "src", env, place / "build.log", self._config.user
            )
            write_atomically(done, json.dumps({"command": record.release_line}), sync=True)

    def _line_environment(self, record: Release) -> dict[str, str]:
        """The same as the app's own processes, but for a port."""
        first = min(record.services, key=lambda service: service.kind is not ServiceKind.WEB)
        places = Places("", "", tuple(Place(service.id, False) for service in record.services))
        env = app_environment(self._layout, instance_of(self._layout, self._config), places, first, record.id, 0)
        return {**env, **self._env_values()}

    def remove(self, release: str) -> None:
        """Raises TargetError while one of its processes runs (the caller says which do, see LocalTarget.remove)."""
        place = self._layout.release(release)
        if not RELEASE_ID.match(release):
            raise UsageError(f"{release!r} is no release id")
        with self._alone(release):
            if place.exists():
                git.drop(self._layout.app, place / "src")
                shutil.rmtree(place, ignore_errors=True)
            if place.exists():
                raise TargetError(f"{place} could not be removed", "check who owns it")
        (self._layout.releases / f".{release}.lock").unlink(missing_ok=True)

    def prune(self, needed: set[str]) -> list[str]:
        """Removes the oldest releases beyond `keep_releases`, never one that is needed. Returns what was removed."""
        spare = [release for release in self.ids() if release not in needed]
        removed = spare[: max(0, len(self.ids()) - self._config.keep_releases)]
        for release in removed:
            try:
                self.remove(release)
            except ProdwiseError:
                continue
        return removed


def number_of(release: str) -> int:
    return int(release.partition("-")[0])


def instance_of(layout: Layout, config: Config) -> Instance:
    """What the app's processes are told of this machine; the same at `up` and for a release line."""
    home = identity(config.user)[3] if config.user else os.environ.get("HOME", "/")
    return Instance(
        app=str(layout.app),
        user=config.user if os.getuid() == 0 else "",
        env_file=str(layout.app / config.env_file) if config.env_file else "",
        path=environment.system_path(),
        home=home,
        lang=os.environ.get("LANG", "C.UTF-8"),
        passed_on={key: os.environ[key] for key in ("TZ", "SSL_CERT_FILE", "SSL_CERT_DIR") if key in os.environ},
    )
