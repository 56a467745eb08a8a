"""Which directories of a machine a sandbox may show for the sake of an interpreter."""

from __future__ import annotations

from pathlib import Path

import pytest

from prodwise.sandbox.interpreters import needed


def installed(prefix: Path, *programs: str, lib: bool = True) -> Path:
    """A `bin` with programs, and a `lib` beside it."""
    (prefix / "bin").mkdir(parents=True)
    if lib:
        (prefix / "lib").mkdir()
    for name in programs:
        (prefix / "bin" / name).write_text("#!/bin/sh\n")
        (prefix / "bin" / name).chmod(0o755)
    return prefix


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home" / "app").mkdir(parents=True)
    return tmp_path / "home"


def seen(home: Path, *prefixes: Path, commands: tuple[str, ...] = ()) -> tuple[Path, ...]:
    return needed(home / "app", commands, ":".join(str(one / "bin") for one in prefixes))[0]


def test_an_interpreter_s_prefix_is_seen(home: Path) -> None:
    node = installed(home / ".nvm" / "node" / "v20", "node")
    assert seen(home, node) == (node,)


def test_a_directory_of_other_programs_is_not(home: Path) -> None:
    assert seen(home, installed(home / ".cargo", "cargo")) == ()


@pytest.mark.parametrize("where", [".", ".local", "..", "app/.."])
def test_homes_and_what_holds_them_are_not(home: Path, where: str) -> None:
    prefix = installed(home / where, "python3")
    assert seen(home, prefix) == ()


def test_settings_with_a_program_among_them_are_not(home: Path) -> None:
    assert seen(home, installed(home / ".config", "python3", lib=False)) == ()


def test_what_holds_the_repository_is_not(home: Path) -> None:
    prefix = installed(home / "projects", "python3")
    (prefix / "app").mkdir()
    assert needed(prefix / "app", (), str(prefix / "bin"))[0] == ()


def test_only_where_the_link_leads_is_seen(home: Path) -> None:
    real = installed(home / ".pythons" / "3.12", "python3")
    (home / ".local" / "bin").mkdir(parents=True)
    (home / ".local" / "bin" / "python3").symlink_to(real / "bin" / "python3")
    assert seen(home, home / ".local") == (real,)


def test_an_environment_brings_the_interpreter_that_it_was_made_from(home: Path) -> None:
    real = installed(home / ".pythons" / "3.12", "python3")
    (home / "app" / ".venv").mkdir()
    (home / "app" / ".venv" / "pyvenv.cfg").write_text(f"home = {real}/bin\n")
    prefixes, path = needed(home / "app", (), "")
    assert prefixes == (real,)
    assert path == (f"{home}/app/.venv/bin",)


def test_a_shell_line_names_programs(home: Path) -> None:
    real = installed(home / "tools", "python3")
    for line in (f"{real}/bin/python3 -m pytest", f"A=1 {real}/bin/python3", f"cd x && '{real}/bin/python3' x.py"):
        assert seen(home, commands=(line,)) == (real,)
    assert seen(home, commands=(f"cat {home}/.ssh/id", "python3 x.py")) == ()
