"""A pin through the package managers themselves: a real update that broke, their own locks, and every gate in the real sandbox."""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
from collections.abc import Iterator
from datetime import date
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from prodwise.heal.fixing.story import Fix
from prodwise.loop.changes.locks import packages
from prodwise.model.action import ActionKind
from prodwise.model.errors import TargetError
from prodwise.repair.pins.managers import TAME
from prodwise.repair.pins.repairer import PinRepairer
from prodwise.repair.programs import found, run
from prodwise.repair.scratch import put, scratch
from tests.fixing.bench import gates, git, repository, story
from tests.fixing.wheels import environment, wheel

TODAY = date(2031, 1, 1)
NODE_CHECK = "const v4 = require('uuid/v4');\nif (v4().length !== 36) throw new Error('no id');\n"
NODE_UPDATES = ("3.4.0", "^8.3.2")
"""uuid 7 and later let nobody require 'uuid/v4'."""
TOOLS = {"npm": "", "pnpm": "pnpm@10", "yarn": "yarn@1.22.22", "berry": "@yarnpkg/cli-dist@4"}
LOCKS = {"npm": "package-lock.json", "pnpm": "pnpm-lock.yaml", "yarn": "yarn.lock", "berry": "yarn.lock"}
LOCK = {
    "npm": ["npm", "install", "--package-lock-only", "--ignore-scripts", "--no-audit", "--no-fund"],
    "pnpm": ["pnpm", "install", "--lockfile-only", "--no-frozen-lockfile"],
    "yarn": ["yarn", "install", "--ignore-scripts", "--non-interactive"],
    "berry": ["yarn", "install", "--mode=update-lockfile", "--no-immutable"],
}
AGREES = {
    "npm": ["npm", "ci", "--ignore-scripts", "--dry-run"],
    "pnpm": ["pnpm", "install", "--frozen-lockfile", "--lockfile-only"],
    "yarn": ["yarn", "install", "--frozen-lockfile", "--ignore-scripts", "--non-interactive"],
    "berry": ["yarn", "install", "--immutable", "--mode=skip-build"],
}
UPDATE = {
    "npm": ["npm", "update", "--package-lock-only", "--ignore-scripts", "--no-audit", "--no-fund"],
    "pnpm": ["pnpm", "update", "--lockfile-only"],
    "yarn": ["yarn", "upgrade", "--ignore-scripts", "--non-interactive"],
    "berry": ["yarn", "dedupe", "--mode=update-lockfile"],
}


def asked(argv: list[str], folder: Path) -> None:
    """A real client of a registry, or the test is not run."""
    if not found(argv[0]):
        pytest.skip(f"not run: {argv[0]} is not installed")
    try:
        run(argv, folder, 60.0, env=TAME)
    except TargetError as error:
        pytest.skip(f"not run: no package registry ({error.message[-200:]})")


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tools")


def node_tool(tool: str, place: Path, patch: pytest.MonkeyPatch) -> None:
    """First in PATH, installed into a folder of the test's."""
    if TOOLS[tool]:
        (place / tool).mkdir(exist_ok=True)
        asked(["npm", "install", "--no-save", "--ignore-scripts", "--prefix", str(place / tool), TOOLS[tool]], place)
        patch.setenv("PATH", f"{place / tool / 'node_modules' / '.bin'}{os.pathsep}{os.environ['PATH']}")


def node_app(place: Path, tool: str) -> Path:
    files = {"check.js": NODE_CHECK, ".gitignore": "node_modules/\n.yarn/\n"}
    if tool == "berry":
        files |= {".yarnrc.yml": "nodeLinker: node-modules\n", ".prodwise-yarnrc.yml": "nodeLinker: node-modules\n"}
    repo = repository(place / "app", files | {LOCKS[tool]: ""} if tool == "berry" else files)
    for wanted in NODE_UPDATES:
        text = json.dumps({"name": "app", "private": True, "dependencies": {"uuid": wanted}}, indent=2)
        (repo / "package.json").write_text(f"{text}\n")
        asked(LOCK[tool], repo)
        git(repo, "add", "-A")
        git(repo, "commit", "-q", "-m", f"uuid {wanted}")
    asked([one for one in AGREES[tool] if one not in ("--lockfile-only", "--dry-run")], repo)
    return repo


def plant(repo: Path, mark: Path) -> None:
    """Code that each package manager would run by itself: it leaves a mark."""
    (repo / "evil.cjs").write_text(f"require('fs').writeFileSync({json.dumps(str(mark))}, '');\n")
    (repo / ".pnpmfile.cjs").write_text("require('./evil.cjs');\n")
    (repo / ".yarnrc").write_text('yarn-path "./evil.cjs"\n')
    with (repo / ".yarnrc.yml").open("a") as file:
        file.write("yarnPath: ./evil.cjs\nplugins:\n  - ./evil.cjs\n")
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "-m", "evil")


def pinned(repo: Path, command: str) -> Fix:
    return story(repo, command, PinRepairer(repo, lambda: TODAY), seconds=60)


@pytest.mark.full
@pytest.mark.parametrize("tool", TOOLS)
def test_a_package_of_node_goes_back_and_stays(
    tmp_path: Path, tools: Path, monkeypatch: pytest.MonkeyPatch, tool: str
) -> None:
    (tmp_path / "app").mkdir()
    node_tool(tool, tools, monkeypatch)
    repo = node_app(tmp_path, tool)
    plant(repo, tmp_path / "ran")
    fix = pinned(repo, "node check.js")
    assert fix.status == "fixed", fix.reason
    assert not (tmp_path / "ran").exists()
    assert fix.proposal is not None
    assert fix.proposal.kind is ActionKind.PIN
    assert gates(fix)["installed"] == "pass"
    with scratch(repo) as made:
        put(made, fix.proposal.diff)
    (repo / ".pnpmfile.cjs").unlink()
    run(AGREES[tool], repo, 60.0, env=TAME)
    run(UPDATE[tool], repo, 60.0, env=TAME)
    assert packages(LOCKS[tool], (repo / LOCKS[tool]).read_text())["uuid"] == "3.4.0"


@pytest.mark.full
def test_what_is_not_installed_here_is_held_with_how_it_comes(
    tmp_path: Path, tools: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "app").mkdir()
    with monkeypatch.context() as patch:
        node_tool("pnpm", tools, patch)
        repo = node_app(tmp_path, "pnpm")
    if found("pnpm"):
        pytest.skip("not run: pnpm is installed on this machine")
    fix = pinned(repo, "node check.js")
    assert gates(fix)["installed"] == "hold"
    assert "npm install --global pnpm" in fix.tried[-1].gates[-1].reason


@pytest.fixture
def index(tmp_path: Path) -> Iterator[str]:
    """A package index on the loopback, of wheels made here."""
    simple, wheels = tmp_path / "index" / "simple" / "lefty", tmp_path / "wheels"
    for version, code in (("1.0", "def pad():\n    return 1\n"), ("2.0", "def other():\n    return 1\n")):
        wheel(wheels, "lefty", version, code)
    simple.mkdir(parents=True)
    names = sorted(one.name for one in wheels.glob("*.whl"))
    for name in names:
        shutil.copy(wheels / name, simple / name)
    (simple / "index.html").write_text("".join(f'<a href="{name}">{name}</a><br>' for name in names))
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "index")))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/simple/"
    server.shutdown()
    server.server_close()


MANIFEST = (
    '[project]\nname = "app"\nversion = "0.1"\nrequires-python = ">=3.11"\ndependencies = [\n    "lefty{}",\n]\n\n'
)
OWN = {
    "poetry": '[tool.poetry]\npackage-mode = false\n\n[[tool.poetry.source]]\nname = "here"\nurl = "{}"\npriority = "primary"\n',
    "pdm": '[tool.pdm]\ndistribution = false\n\n[[tool.pdm.source]]\nname = "pypi"\nurl = "{}"\nverify_ssl = false\n\n'
    '[tool.pdm.scripts]\npre_invoke = "touch {}"\n',
}
PYTHON_TOOLS = {"poetry": "poetry>=2", "pdm": "pdm[locked]"}
RELOCK = {"poetry": ["poetry", "update", "--lock", "--no-interaction"], "pdm": ["pdm", "update", "--no-sync"]}
VALID = {"poetry": ["poetry", "check", "--lock"], "pdm": ["pdm", "lock", "--check"]}


@pytest.mark.full
@pytest.mark.parametrize("tool", PYTHON_TOOLS)
def test_a_package_of_python_goes_back_and_stays(
    tmp_path: Path, tools: Path, monkeypatch: pytest.MonkeyPatch, index: str, tool: str
) -> None:
    if not (tools / tool).exists():
        asked(["uv", "venv", "-q", "--python", sys.executable, str(tools / tool)], tools)
        asked(
            ["uv", "pip", "install", "-q", "--python", str(tools / tool / "bin" / "python"), PYTHON_TOOLS[tool]], tools
        )
    monkeypatch.setenv("PATH", f"{tools / tool / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("POETRY_CACHE_DIR", str(tmp_path / "cache"))  # where no other run's wheels of that name are
    (tmp_path / "app").mkdir()
    repo = repository(
        tmp_path / "app", {"check.py": "from lefty import pad\n\nassert pad()\n", ".gitignore": ".venv/\n"}
    )
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path / "wheels"))
    environment(repo / ".venv", "--no-index", "lefty==2.0")
    for wanted in ("==1.0", ">=1.0"):
        (repo / "pyproject.toml").write_text(MANIFEST.format(wanted) + OWN[tool].format(index, tmp_path / "ran"))
        run(["sh", "-c", f"rm -f {tool}.lock; {tool} lock -q"], repo, 60.0, env=TAME)
        git(repo, "add", "-A")
        git(repo, "commit", "-q", "-m", wanted)
    assert packages(f"{tool}.lock", (repo / f"{tool}.lock").read_text())["lefty"] == "2.0"
    monkeypatch.setenv("UV_INDEX_URL", index)
    (tmp_path / "ran").unlink(missing_ok=True)
    fix = pinned(repo, "python3 check.py")
    assert not (tmp_path / "ran").exists()
    assert fix.status == "fixed", fix.reason
    assert gates(fix)["installed"] == "pass"
    assert fix.proposal is not None
    with scratch(repo) as made:
        put(made, fix.proposal.diff)
    run(VALID[tool], repo, 60.0, env=TAME)
    run(RELOCK[tool], repo, 60.0, env=TAME)
    assert packages(f"{tool}.lock", (repo / f"{tool}.lock").read_text())["lefty"] == "1.0"
