"""uv itself, over a repository that would have it run code, or write, outside the sandbox: it does neither."""

from __future__ import annotations

import json
import sys
from datetime import date
from pathlib import Path

import pytest

from prodwise.loop.choose.pins import manifest
from prodwise.loop.choose.pins.seen import Cannot
from prodwise.model.breakage import Ecosystem
from prodwise.model.errors import GateFailed, TargetError
from prodwise.model.pin import Hold
from prodwise.repair.pins.environment import environment
from prodwise.repair.pins.managers import TAME
from prodwise.repair.pins.pin import pinned
from prodwise.repair.programs import run
from prodwise.repair.scratch import scratch
from tests.fixing.wheels import only_from, wheel
from tests.repair.repos import commit, new

PROJECT = '[project]\nname = "app"\nversion = "0.1"\nrequires-python = ">=3.11"\ndependencies = ["lefty"]\n'
BUILT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Its lock names lefty 2.0, and never named 1.0: uv must write it."""
    _, newer = (wheel(tmp_path / "wheels", "lefty", version, "") for version in ("1.0", "2.0"))
    only_from(tmp_path / "wheels", monkeypatch)
    made = new(tmp_path / "app")
    (made / "pyproject.toml").write_text(PROJECT)
    run(["uv", "lock", "--quiet"], made, 60.0, env=TAME)
    lock, known = (made / "uv.lock").read_text(), newer.strip().rpartition("--hash=")[2]
    commit(made, {"uv.lock": lock.replace('-none-any.whl" }', f'-none-any.whl", hash = "{known}" }}')})
    return made


def script(place: Path, mark: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(f'#!/bin/sh\ntouch {mark}\nexec {sys.executable} "$@"\n')
    place.chmod(0o755)


def pin(repo: Path) -> str:
    with scratch(repo) as made:
        hold = Hold("lefty", Ecosystem.PYTHON, "1.0", "it broke", date(2031, 1, 1), date(2031, 1, 31))
        return pinned(made, made.head, hold, 60.0).diff


def test_a_repository_says_nothing_of_the_interpreter_that_locks_it(repo: Path, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    script(repo / "tools" / "python3", mark)
    script(repo / ".venv" / "bin" / "python", mark)
    script(repo / ".venv" / "bin" / "python3", mark)
    commit(repo, {".python-version": "./tools/python3\n", ".venv/pyvenv.cfg": "home = /usr/bin\nversion_info = 3.11\n"})
    assert '+version = "1.0"' in pin(repo)
    assert not mark.exists()


def test_no_hash_is_looked_up_where_a_repository_names_the_interpreter_or_the_file(repo: Path, tmp_path: Path) -> None:
    mark, written = tmp_path / "ran", tmp_path / "written"
    for name in ("python", "python3"):
        script(repo / ".venv" / "bin" / name, mark)
    text = f"[tool.uv.pip]\noutput-file = {json.dumps(str(written))}\n"
    (repo / "uv.lock").unlink()
    line = f"lefty==2.0 --hash=sha256:{'a' * 64}\n"
    commit(repo, {"requirements.txt": line, "pyproject.toml": PROJECT + text, ".venv/pyvenv.cfg": "home = /usr/bin\n"})
    with pytest.raises(GateFailed, match="hashes of lefty"):  # the index is a folder, which has none
        pin(repo)
    assert not mark.exists()
    assert not written.exists()


@pytest.mark.parametrize(
    "project",
    [
        PROJECT.replace('version = "0.1"', 'dynamic = ["version"]'),
        PROJECT.replace('version = "0.1"\n', ""),
        PROJECT.replace('dependencies = ["lefty"]', "[tool.poetry.dependencies]\nlefty = '*'"),
    ],
)
def test_what_would_be_built_to_be_locked_is_left_to_a_person(repo: Path, tmp_path: Path, project: str) -> None:
    mark = tmp_path / "ran"
    commit(repo, {"pyproject.toml": f"{project}\n{BUILT}", "backend.py": f"open({str(mark)!r}, 'w').close()\n"})
    with pytest.raises(GateFailed, match=r"uv would run the build of pyproject\.toml"):
        pin(repo)
    assert not mark.exists()


def test_what_is_installed_goes_where_we_say(repo: Path, tmp_path: Path) -> None:
    for key in ("target", "prefix"):
        elsewhere = tmp_path / key
        text = f"[tool.uv]\ncache-dir = {json.dumps(str(elsewhere))}\n[tool.uv.pip]\n{key} = {json.dumps(str(elsewhere))}\n"
        (repo / "pyproject.toml").write_text(PROJECT + text)
        made = environment(repo, "uv.lock", tmp_path / "made", 60.0)
        assert made is not None
        assert list(made.place.glob("venv/lib/*/site-packages/lefty"))
        assert not elsewhere.exists()


@pytest.mark.parametrize(
    "line", ["-e {}", "  --editable={}", "-r {}/more.txt", "--requirement={}/more.txt", "-c $HOME/a.txt"]
)
def test_a_requirements_file_has_nothing_built_and_reads_no_other_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    mark, evil = tmp_path / "ran", tmp_path / "evil"
    evil.mkdir()
    (tmp_path / "wheels").mkdir()
    only_from(tmp_path / "wheels", monkeypatch)
    (evil / "pyproject.toml").write_text(f'[project]\nname = "evil"\nversion = "1"\n{BUILT}')
    (evil / "backend.py").write_text(f"open({str(mark)!r}, 'w').close()\n")
    (evil / "more.txt").write_text(f"-e {evil}\n")
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "requirements.txt").write_text(line.format(evil) + "\n")
    with pytest.raises(TargetError, match="code would run outside the sandbox"):
        environment(folder, "requirements.txt", tmp_path / "made", 60.0)
    assert not mark.exists()


def test_of_a_manifest_only_what_it_says_of_locks_is_seen() -> None:
    text = (
        f'{PROJECT}[tool.pdm]\nsource = [{{url = "x"}}]\nplugins = ["evil"]\n[tool.pdm.scripts]\npre_invoke = "./evil"\n'
        '[tool.poetry]\npackage-mode = false\n[tool.poetry.requires-plugins]\nevil = "*"\n'
        '[tool.uv]\npython-downloads-json-url = "x"\nindex = [{name = "a", url = "b"}]\n[tool.setuptools]\nx = 1\n'
    )
    told = manifest.kept("pyproject.toml", text)
    assert isinstance(told, str)
    for gone in ("evil", "setuptools", "json-url"):
        assert gone not in told
    for there in ("lefty", "package-mode", "index", "source"):
        assert there in told
    assert manifest.kept("uv.toml", 'cache-dir = "/"\nno-index = true\n[pip]\ntarget = "/"\n') == "no-index = true\n"
    assert isinstance(manifest.kept("pyproject.toml", "[tool"), Cannot)
    assert manifest.kept("pyproject.toml", "") == ""
