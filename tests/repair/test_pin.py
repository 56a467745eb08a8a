"""Pins: what changes in which file, that nothing else does, and that the tools themselves agree."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prodwise.loop.changes.locks import packages
from prodwise.loop.choose.pins import holds_in, json_text, planned, releasing, requirements
from prodwise.loop.choose.pins.plan import sound
from prodwise.loop.choose.pins.seen import Cannot
from prodwise.model.action import ActionKind
from prodwise.model.breakage import Ecosystem
from prodwise.model.errors import Refused, TargetError, UsageError
from prodwise.model.event import Frame
from prodwise.model.patch import Fault, Proposal
from prodwise.model.pin import HOLDS_FILE, Hold
from prodwise.repair.pins.environment import environment
from prodwise.repair.pins.pin import pinned, released
from prodwise.repair.pins.repairer import PinRepairer
from prodwise.repair.programs import found as program
from prodwise.repair.programs import run
from prodwise.repair.scratch import put, scratch, unsaved
from tests.repair.repos import commit, digest, git, new, pyproject, uv_lock

TODAY, LATER = date(2031, 1, 1), date(2031, 1, 31)


def hold(package: str, version: str = "", ecosystem: Ecosystem = Ecosystem.PYTHON) -> Hold:
    return Hold(package, ecosystem, version, "it broke", TODAY, LATER)


def hashed(name: str, version: str, via: str = "") -> str:
    rows = f"{name}=={version} \\\n    --hash=sha256:{digest(name, version)} \\\n    --hash=sha256:{digest(version, name)}\n"
    return rows + (f"    # via {via}\n" if via else "")


class NoWorkshop:
    """For repairers that run nothing."""

    def fresh(self, commit: str) -> object:
        raise TargetError("nothing is to be run here")

    def history(self, path: str, most: int) -> list[tuple[str, str]]:
        return []


def applied(repo: Path, package: str, version: str = "") -> str:
    """Pins, writes and commits. Returns the diff."""
    with scratch(repo) as made:
        found = pinned(made, made.head, hold(package, version), 60.0)
        if found.diff:
            put(made, found.diff)
    commit(repo, {}, "pin")
    return found.diff


@pytest.fixture
def uv_repo(tmp_path: Path) -> Path:
    repo = new(tmp_path / "app")
    for six in ("1.15.0", "1.16.0", "1.17.0"):
        now = {"idna": "3.4", "six": six}
        commit(repo, {"pyproject.toml": pyproject(now), "uv.lock": uv_lock(now)}, f"six {six}")
    return repo


def test_uv_goes_back_to_the_last_good_version_and_stays_there(uv_repo: Path) -> None:
    diff = applied(uv_repo, "six")
    lock = (uv_repo / "uv.lock").read_text()
    assert packages("uv.lock", lock)["six"] == "1.16.0"
    assert digest("six", "1.16.0") in lock
    assert 'constraints = [{ name = "six", specifier = "==1.16.0" }]' in lock
    assert (uv_repo / "pyproject.toml").read_text() == pyproject({"idna": "", "six": ""}) + (
        '\n[tool.uv]\nconstraint-dependencies = ["six==1.16.0"]\n'
    )
    (only,) = holds_in((uv_repo / HOLDS_FILE).read_text())
    assert (only.package, only.version, only.reason, only.expires) == ("six", "1.16.0", "it broke", LATER)
    assert diff.count("diff --git") == 3
    assert applied(uv_repo, "six") == ""
    assert applied(uv_repo, "Six", "1.16.0") == ""


def test_a_hold_ends_and_leaves_the_manifest_as_it_was(uv_repo: Path) -> None:
    before = (uv_repo / "pyproject.toml").read_text()
    applied(uv_repo, "six")
    with scratch(uv_repo) as made:
        paths, diff = released(made, made.head, "six")
        put(made, diff)
    assert set(paths) == {HOLDS_FILE, "pyproject.toml", "uv.lock"}
    assert (uv_repo / "pyproject.toml").read_text() == before
    assert not (uv_repo / HOLDS_FILE).exists()
    lock = (uv_repo / "uv.lock").read_text()
    assert "constraints" not in lock
    assert packages("uv.lock", lock)["six"] == "1.16.0"


def test_an_older_version_is_never_guessed(uv_repo: Path) -> None:
    with scratch(uv_repo) as made:
        with pytest.raises(Refused, match="no older version of idna"):
            pinned(made, made.head, hold("idna"), 60.0)
        with pytest.raises(UsageError) as wrong:
            pinned(made, made.head, hold("sixx"), 60.0)
    assert "six" in wrong.value.hint


def test_hashes_come_from_history_and_only_that_line_changes(tmp_path: Path) -> None:
    repo = new(tmp_path / "app")
    head = "# compiled\n-c constraints.txt\n\n"
    for version in ("2.31.0", "2.32.0"):
        text = head + hashed("idna", "3.4", "requests") + hashed("requests", version, "-r requirements.in")
        files = {
            "requirements.txt": text,
            "requirements.in": "requests>=2  # http\n",
            "constraints.txt": f"requests=={version}\n",
        }
        commit(repo, files)
    applied(repo, "requests")
    note = "# held until 2031-01-31 (prodwise pin): it broke\n"
    assert (repo / "requirements.txt").read_text() == head + hashed("idna", "3.4", "requests") + note + hashed(
        "requests", "2.31.0", "-r requirements.in"
    )
    assert (repo / "requirements.in").read_text() == f"{note}requests==2.31.0  # http\n"
    assert (repo / "constraints.txt").read_text() == f"{note}requests==2.31.0\n"
    assert applied(repo, "requests") == ""
    with scratch(repo) as made:
        put(made, released(made, made.head, "requests")[1])
    assert (repo / "requirements.in").read_text() == "requests>=2  # http\n"
    assert "held" not in (repo / "requirements.txt").read_text()


def test_hashes_that_history_does_not_hold_are_not_made_up() -> None:
    found = requirements.pinned(hashed("six", "1.17.0"), hold("six", "1.16.0"), "")
    assert isinstance(found, Cannot)
    assert "hashes" in found.reason


LINES = (
    ("six==1.17.0", "six==1.16.0"),
    ("Six [x] ~= 1.17 ; python_version < '3.13'  # why", "Six [x]==1.16.0 ; python_version < '3.13'  # why"),
    ("six", "six==1.16.0"),
    ("six>=1,<2", "six==1.16.0"),
    ("sixpence==1\n-r six.txt\n# six==1.17.0\nsix", "sixpence==1\n-r six.txt\n# six==1.17.0\nsix==1.16.0"),
)


@pytest.mark.parametrize(("line", "wanted"), LINES)
def test_a_line_keeps_what_is_not_a_version(line: str, wanted: str) -> None:
    found = requirements.pinned(line + "\n", hold("six", "1.16.0"), "")
    assert isinstance(found, str)
    assert [one for one in found.splitlines() if "(prodwise pin)" not in one] == wanted.splitlines()


def test_what_comes_from_an_address_is_left_alone() -> None:
    found = requirements.pinned("six @ https://example.org/six.whl\n", hold("six", "1.16.0"), "")
    assert isinstance(found, Cannot)


NAMES = st.sampled_from(["idna", "six", "attrs", "zope.interface", "ruamel_yaml", "Flask"])
VERSIONS = st.from_regex(r"[0-9]{1,2}(\.[0-9]{1,2}){1,2}", fullmatch=True)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(NAMES, VERSIONS, min_size=1), NAMES, VERSIONS, st.booleans())
def test_only_the_named_package_differs_and_twice_is_once(now: dict[str, str], name: str, old: str, lock: bool) -> None:
    now, then = {**now, name: now.get(name, "99.9")}, {**now, name: old}
    files: Mapping[str, str] = {"requirements.txt": "".join(hashed(*row) for row in now.items())}
    before: Mapping[str, str] = {"requirements.txt": "".join(hashed(*row) for row in then.items())}
    if lock:
        files, before = ({"uv.lock": uv_lock(one), "pyproject.toml": pyproject(one)} for one in (now, then))
    wanted = sound(hold(name, old))
    plan = planned(files, before, wanted)
    assert not plan.resolve
    after = {**files, **plan.edits}
    path = "uv.lock" if lock else "requirements.txt"
    was, found, expected = (packages(path, text) for text in (files[path], after[path], before[path]))
    assert found == expected
    assert {one for one in was if was[one] != found[one]} <= {
        one for one in found if one.lower().replace("_", "-") == name.lower().replace("_", "-")
    }
    assert planned(after, before, wanted).edits == {}
    ended = {**after, **releasing(after, name)}
    assert packages(path, ended[path]) == expected
    assert ended[HOLDS_FILE] == ""
    if lock:
        assert ended["pyproject.toml"] == files["pyproject.toml"]


def test_json_keeps_its_layout() -> None:
    text = '{\n    "name": "app", "files": ["a",  "b"],\n    "overrides": {"a": "1"}\n}\n'
    put_in = json_text.put(text, ("overrides", "ms"), "2.1.2")
    assert json.loads(put_in)["overrides"] == {"a": "1", "ms": "2.1.2"}
    assert '"files": ["a",  "b"],' in put_in
    assert json.loads(json_text.drop(put_in, ("overrides", "a")))["overrides"] == {"ms": "2.1.2"}
    deep = json_text.put(text, ("pnpm", "overrides", "ms"), "1")
    assert json.loads(deep)["pnpm"] == {"overrides": {"ms": "1"}}
    assert json_text.drop(deep, ("pnpm", "overrides", "ms")) == text


def npm_files(ms: str, asked: str, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    manifest = {"name": "app", "version": "1.0.0", "dependencies": {"ms": asked, "left-pad": "^1.3.0"}}
    entries = {
        "": {**manifest},
        "node_modules/left-pad": {"version": "1.3.0", "integrity": "sha512-left"},
        "node_modules/ms": {
            "version": ms,
            "integrity": f"sha512-{ms}",
            **({"dependencies": dict(extra)} if extra else {}),
        },
    }
    lock = {"name": "app", "version": "1.0.0", "lockfileVersion": 3, "requires": True, "packages": entries}
    return {
        "package.json": json.dumps(manifest, indent=4) + "\n",
        "package-lock.json": json.dumps(lock, indent=2) + "\n",
    }


def test_npm_asks_for_that_version_only_and_gets_its_entry_from_history(tmp_path: Path) -> None:
    repo = new(tmp_path / "app")
    for ms in ("2.1.2", "2.1.3"):
        commit(repo, npm_files(ms, "^2.1.0"))
    before = npm_files("2.1.3", "^2.1.0")
    applied(repo, "ms")
    assert (repo / "package.json").read_text() == before["package.json"].replace("^2.1.0", "2.1.2")
    assert json.loads((repo / "package-lock.json").read_text()) == json.loads(
        npm_files("2.1.2", "2.1.2")["package-lock.json"]
    )
    assert applied(repo, "ms") == ""
    with scratch(repo) as made:
        put(made, released(made, made.head, "ms")[1])
    assert (repo / "package.json").read_text() == before["package.json"]
    assert json.loads((repo / "package-lock.json").read_text())["packages"][""]["dependencies"]["ms"] == "^2.1.0"


def test_an_entry_whose_own_needs_changed_is_left_to_the_tool() -> None:
    now, then = npm_files("2.1.3", "^2.1.0", {"left-pad": "^1.3.0"}), npm_files("2.1.2", "^2.1.0")
    plan = planned(now, then, hold("ms", "2.1.2", Ecosystem.NODE))
    assert [one.argv[:3] for one in plan.resolve] == [("npm", "install", "--package-lock-only")]
    assert "needs itself" in plan.resolve[0].why


def test_other_locks_are_told_and_not_touched_and_other_bots_are_named(uv_repo: Path, tmp_path: Path) -> None:
    now = {"Gemfile.lock": "GEM\n  specs:\n    rack (3.1.0)\n"}
    plan = planned(now, {}, hold("rack", "3.0.0", Ecosystem.RUBY))
    assert (plan.edits, plan.command) == ({}, "bundle add rack --version 3.0.0")
    commit(uv_repo, {".github/dependabot.yml": "version: 2\n", "renovate.json": "{}\n"})
    with scratch(uv_repo) as made:
        told = pinned(made, made.head, hold("six"), 60.0).plan.told
    assert any('dependency-name: "six"' in one for one in told)
    assert any("allowedVersions" in one for one in told)


@pytest.mark.parametrize("name", ["--index-url=x", "../six", "six\n[evil]", "six==1 --hash", ""])
def test_a_name_is_only_a_name(name: str) -> None:
    with pytest.raises(UsageError):
        sound(hold(name, "1.0"))


def test_what_is_not_committed_is_seen(uv_repo: Path) -> None:
    with scratch(uv_repo) as made:
        assert unsaved(made, ["uv.lock", HOLDS_FILE]) == []
        (uv_repo / HOLDS_FILE).write_text("# mine\n")
        (uv_repo / "uv.lock").write_text("")
        assert unsaved(made, ["uv.lock", HOLDS_FILE]) == [HOLDS_FILE, "uv.lock"]


def proposals(repo: Path, fault: Fault) -> list[Proposal]:
    found = PinRepairer(repo, lambda: TODAY).propose(fault, NoWorkshop(), git(repo, "rev-parse", "HEAD"), 30.0)  # type: ignore[arg-type]
    return list(found)


def test_the_package_that_a_fault_speaks_of_is_proposed_back(uv_repo: Path) -> None:
    output = (
        'Traceback (most recent call last):\n  File "/app/a.py", line 1, in <module>\n    from six import gone\n'
        "ImportError: cannot import name 'gone' from 'six' (/v/lib/python3.11/site-packages/six.py)\n"
    )
    told = proposals(uv_repo, Fault(("python", "a.py"), output, "ImportError", "cannot import name 'gone' from 'six'"))
    assert [one.kind for one in told] == [ActionKind.PIN, ActionKind.PIN]
    assert told[0].why.startswith("pin six to 1.16.0 until ")
    assert told[1].why.startswith("pin six to 1.15.0 until ")
    assert told[0].rank < told[1].rank
    assert all(HOLDS_FILE in one.diff for one in told)
    with scratch(uv_repo) as made:
        put(made, told[0].diff)
    assert packages("uv.lock", (uv_repo / "uv.lock").read_text())["six"] == "1.16.0"


def test_a_package_in_whose_code_the_frames_end_is_proposed(uv_repo: Path) -> None:
    frames = (
        Frame("main", "a", "a.py", 3, True),
        Frame("f", "six", "/v/lib/python3.11/site-packages/six.py", 9, False),
    )
    told = proposals(uv_repo, Fault((), error="TypeError", message="f() got an unexpected argument", frames=frames))
    assert told
    assert "six" in told[0].why


def test_nothing_is_proposed_for_a_fault_that_speaks_of_no_package_that_moved(uv_repo: Path) -> None:
    assert (
        proposals(uv_repo, Fault(("python", "a.py"), "ZeroDivisionError: division by zero\n", "ZeroDivisionError"))
        == []
    )
    assert proposals(uv_repo, Fault(("x",), "ImportError: cannot import name 'x' from 'idna'\n", "ImportError")) == []


def test_why_a_pin_could_not_be_made_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package of a package, in a lock that its own tool writes, which is not here."""
    repo = new(tmp_path / "app")
    for version in ("1.0.0", "2.0.0"):
        lock = f'# yarn lockfile v1\n\n\nlefty@>=1:\n  version "{version}"\n  integrity sha512-{version}\n'
        commit(repo, {"package.json": '{"dependencies": {"other": "1"}}\n', "yarn.lock": lock})
    frames = (Frame("f", "lefty", "/r/node_modules/lefty/a.js", 9, False),)
    monkeypatch.setattr("prodwise.repair.pins.managers.found", lambda _name: "")
    with pytest.raises(TargetError, match=r"lefty 1\.0\.0: yarn is not installed on this machine: npm install"):
        proposals(repo, Fault((), error="TypeError", message="x", frames=frames))


def ask_registry(argv: list[str], folder: Path) -> None:
    """Runs a real client, or skips."""
    if not program(argv[0]):
        pytest.skip(f"not run: {argv[0]} is not installed")
    try:
        run(argv, folder, 60.0)
    except TargetError as error:
        pytest.skip(f"not run: no package registry ({error.message[-200:]})")


def real_uv(tmp_path: Path, *dependencies: str, older: str) -> Path:
    repo = new(tmp_path / "app")
    rows = ", ".join(f'"{one}"' for one in dependencies)
    (repo / "pyproject.toml").write_text(
        f'[project]\nname = "app"\nversion = "0.1"\nrequires-python = ">=3.11"\ndependencies = [{rows}]\n'
    )
    for more in (["--upgrade-package", older], ["--upgrade"]):
        ask_registry(["uv", "lock", *more], repo)
        commit(repo, {})
    return repo


def test_uv_itself_agrees_with_the_lock_and_does_not_bring_the_package_back(tmp_path: Path) -> None:
    repo = real_uv(tmp_path, "six>=1.15", "idna", older="six==1.16.0")
    applied(repo, "six")
    lock = (repo / "uv.lock").read_text()
    run(["uv", "lock", "--check", "--offline"], repo, 60.0)
    run(["uv", "lock", "--upgrade"], repo, 60.0)
    assert (repo / "uv.lock").read_text() == lock
    with scratch(repo) as made:
        put(made, released(made, made.head, "six")[1])
    run(["uv", "lock", "--check", "--offline"], repo, 60.0)
    run(["uv", "lock", "--upgrade"], repo, 60.0)
    assert packages("uv.lock", (repo / "uv.lock").read_text())["six"] != "1.16.0"


def test_uv_resolves_in_a_copy_what_text_cannot(tmp_path: Path) -> None:
    repo = real_uv(tmp_path, "jinja2", "idna", older="jinja2==3.1.3")
    with scratch(repo) as made:
        found = pinned(made, made.head, hold("jinja2", "3.1.2"), 60.0)
        assert git(repo, "status", "--porcelain") == ""
        put(made, found.diff)
    assert found.seen is None
    assert any("resolved by uv" in one for one in found.plan.told)
    run(["uv", "lock", "--check", "--offline"], repo, 60.0)
    assert packages("uv.lock", (repo / "uv.lock").read_text())["jinja2"] == "3.1.2"


def test_npm_itself_agrees_with_the_lock_that_text_or_npm_made(tmp_path: Path) -> None:
    repo = new(tmp_path / "app")
    quiet = ["--package-lock-only", "--ignore-scripts", "--no-audit", "--no-fund"]
    for asked in ("4.3.4", "^4.3.4"):
        (repo / "package.json").write_text(json.dumps({"name": "app", "dependencies": {"debug": asked}}, indent=2))
        ask_registry(["npm", "install", *quiet], repo)
        if asked == "^4.3.4":
            ask_registry(["npm", "update", *quiet], repo)
        commit(repo, {})
    applied(repo, "debug")
    found = packages("package-lock.json", (repo / "package-lock.json").read_text())
    assert found == {"debug": "4.3.4", "ms": "2.1.2"}
    run(["npm", "ci", "--dry-run", "--ignore-scripts", "--offline"], repo, 60.0)
    run(["npm", "update", *quiet], repo, 60.0)
    assert packages("package-lock.json", (repo / "package-lock.json").read_text())["debug"] == "4.3.4"


def test_git_of_the_user_is_never_written_to(uv_repo: Path) -> None:
    def everything() -> dict[str, int]:
        return {str(one): one.stat().st_mtime_ns for one in sorted((uv_repo / ".git").rglob("*")) if one.is_file()}

    git(uv_repo, "config", "filter.evil.clean", "touch ran")
    git(uv_repo, "config", "core.fsmonitor", "touch ran")
    (uv_repo / ".git" / "hooks" / "pre-commit").write_text("#!/bin/sh\ntouch ran\n")
    before = everything()
    with scratch(uv_repo) as made:
        assert pinned(made, made.head, hold("six"), 60.0).diff
    assert everything() == before
    assert not (uv_repo / "ran").exists()
    assert (
        subprocess.run(["git", "-C", str(uv_repo), "fsck"], capture_output=True, timeout=30, check=False).returncode
        == 0
    )


def test_an_environment_is_made_from_the_lock_once_and_seen_by_a_command(tmp_path: Path) -> None:
    repo = real_uv(tmp_path, "six>=1.15", older="six==1.16.0")
    applied(repo, "six")
    first = environment(repo, "uv.lock", tmp_path / "cache", 60.0)
    assert first is not None
    said = subprocess.run(
        [str(first.path / "python"), "-c", "import six; print(six.__version__)"],
        capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    assert said.stdout.strip() == "1.16.0"
    made = (first.place / ".done").stat().st_mtime_ns
    assert environment(repo, "uv.lock", tmp_path / "cache", 60.0) == first
    assert (first.place / ".done").stat().st_mtime_ns == made
    assert environment(tmp_path, "uv.lock", tmp_path / "cache", 60.0) is None


def test_a_source_distribution_is_never_built_for_it(tmp_path: Path) -> None:
    (tmp_path / "other.in").write_text("six\n")
    ask_registry(["uv", "pip", "compile", "other.in"], tmp_path)
    (tmp_path / "requirements.txt").write_text("docopt==0.6.2\n")  # has no wheel
    with pytest.raises(TargetError, match="docopt"):
        environment(tmp_path, "requirements.txt", tmp_path / "cache", 60.0)
