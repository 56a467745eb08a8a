"""Bad input with nothing up: each command says what is wrong and what to do next, and leaves no trace."""

from __future__ import annotations

import contextlib
import shutil
import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from prodwise.targets.local import end_all, local_control
from prodwise.testing import apps
from tests.cli.conftest import Quick, git

SETTINGS = 'version = 1\naddress = "127.0.0.1:0"\n[services.web]\ncommand = "python3 web.py"\n'
NEEDS_THE_HEALER = (
    "status", "status --json", "incidents", "show", "why", "releases", "changes", "changes --since 2h",
    "approve", "approve x", "deny x", "deploy",
    "deploy --dry-run", "rollback", "rollback -y", "rollback --dry-run", "rollback 1-a -y", "restart web", "undo",
    "freeze", "freeze --dry-run", "unfreeze", "unfreeze --dry-run", "stage", "stage auto -y", "login", "audit",
    "audit verify",
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "shop"
    made.mkdir()
    return made


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if ".git" not in path.parts}


def started(folder: Path) -> bool:
    where = local_control.layout_of(folder)
    return bool(end_all.supervisor_of(where) or end_all.strays_of(where))


def test_every_command_without_up_says_so_and_leaves_no_trace(folder: Path) -> None:
    (folder / "prodwise.toml").write_text(SETTINGS)
    for line in NEEDS_THE_HEALER:
        said = Quick(folder).run(*line.split())
        assert said.code == 1, (line, said)
        assert "prodwise up" in said.err, line
        assert said.out == "", line
    assert files(folder) == {"prodwise.toml"}
    assert "Nothing was running" in Quick(folder).run("down", "-y").out


def test_a_folder_without_an_app_says_so_and_stays_empty(folder: Path) -> None:
    for line in ("up", "stop", "start", "config", "init", "init --dry-run", "up --no-healer"):
        said = Quick(folder).run(*line.split())
        assert said.code == 2, (line, said)
        assert len(said.err.strip().splitlines()) > 1, f"{line}: no word of what to do next"
    assert "Nothing was running" in Quick(folder).run("down", "-y").out
    assert files(folder) == set()


UP_FAILS = {
    "no git": ("", SETTINGS, "is not a git repository", "git init"),
    "no commit": ("init", SETTINGS, "has no commit yet", "git commit"),
    "unknown key": ("commit", SETTINGS + 'probee = "/x"\n', "unknown key 'services.web.probee'", "did you mean 'probe'?"),
    "unknown table": ("commit", SETTINGS + "[rmap]\n", "unknown key 'rmap'", "did you mean 'ramp'?"),
    "no service": ("commit", "version = 1\n", "no service to run", "prodwise init"),
    "no TOML": ("commit", "version = [\n", "is not valid TOML", "correct it there"),
    "no text": ("commit", b"\xff\xfe\x00", "is not valid TOML", "UTF-8"),
    "a port that is none": ("commit", SETTINGS.replace(":0", ":99999"), "address", "65535"),
    "an address that is none": ("commit", 'dashboard = "nonsense"\n' + SETTINGS, "dashboard", "HOST:PORT"),
    "a stage that is none": ("commit", 'stage = "full"\n' + SETTINGS, "stage", "'auto'"),
    "an unknown user": ("commit", 'user = "no-such-user"\n' + SETTINGS, "user 'no-such-user'", "create it"),
    "a newer file": ("commit", SETTINGS.replace("version = 1", "version = 2"), "version", "1"),
}  # fmt: skip


@pytest.mark.parametrize("kind", UP_FAILS)
def test_an_up_that_cannot_work_starts_nothing(folder: Path, kind: str) -> None:
    history, settings, message, hint = UP_FAILS[kind]
    (folder / "prodwise.toml").write_bytes(settings if isinstance(settings, bytes) else settings.encode())
    if history:
        git(folder, "init", "-q")
    if history == "commit":
        git(folder, "add", ".")
        git(folder, "commit", "-q", "-m", "First")
    said = Quick(folder).run("up")
    assert said.code == 2, said
    assert message in said.err
    assert hint in said.err
    assert len([line for line in said.err.splitlines() if line.startswith("  ")]) >= 1, "no word of what to do next"
    assert files(folder) == {"prodwise.toml"}
    assert not started(folder)


@contextlib.contextmanager
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as held:
        yield int(held.getsockname()[1])


def test_a_taken_port_names_who_has_it(tmp_path: Path) -> None:
    with taken_port() as port:
        app = apps.make_app(tmp_path, settings=SETTINGS.replace(":0", f":{port}"))
        said = Quick(app).run("up")
        assert said.code == 1, said
        assert f"port {port} on 127.0.0.1 cannot be used" in said.err
        assert "listens there" in said.err
        assert "set another `address`" in said.err
    assert not started(app)


def test_a_database_of_a_newer_version_is_left_as_it_is(tmp_path: Path) -> None:
    app = apps.make_app(tmp_path, settings=SETTINGS)
    state = app / ".prodwise"
    state.mkdir()
    with contextlib.closing(sqlite3.connect(state / "prodwise.db")) as database, database:
        database.execute("CREATE TABLE prodwise_version (version_num VARCHAR(32) NOT NULL)")
        database.execute("INSERT INTO prodwise_version VALUES ('9999_from_the_future')")
    for line in ("up", "audit verify"):
        said = Quick(app).run(*line.split())
        assert said.code == 1, said
        assert "newer Prodwise (revision 9999_from_the_future)" in said.err
        assert "install that version again" in said.err
    with contextlib.closing(sqlite3.connect(state / "prodwise.db")) as database:
        assert list(database.iterdump())[1:-1] == [
            "CREATE TABLE prodwise_version (version_num VARCHAR(32) NOT NULL);",
            "INSERT INTO \"prodwise_version\" VALUES('9999_from_the_future');",
        ]
    assert not started(app)
    shutil.rmtree(state)


def test_another_up_at_work_is_named(tmp_path: Path) -> None:
    import fcntl

    app = apps.make_app(tmp_path, settings=SETTINGS)
    where = local_control.layout_of(app)
    where.make()
    with (where.run / "up.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write("4711")
        lock.flush()
        said = Quick(app).run("up")
    assert said.code == 1, said
    assert "another `prodwise up` (process 4711) is at work" in said.err
    assert not started(app)
