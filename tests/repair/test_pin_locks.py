"""Locks that are lines or hold a hash of their manifest, and what a package manager may see of a repository: by text alone."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from prodwise.loop.changes.locks import packages
from prodwise.loop.choose.pins import line_locks, planned, releasing, settings
from prodwise.loop.choose.pins.seen import Cannot
from prodwise.loop.verify.dependencies import strange
from prodwise.loop.verify.hashes import unhashed
from prodwise.loop.verify.patch.manifests import other_changes
from prodwise.model.breakage import Ecosystem
from prodwise.model.errors import GateFailed, Refused, TargetError
from prodwise.model.pin import HOLDS_FILE, Hold
from prodwise.repair.pins.environment import environment
from prodwise.repair.pins.managers import YARN_SETTINGS
from prodwise.repair.pins.resolve import tamed


def hold(package: str, version: str, ecosystem: Ecosystem = Ecosystem.NODE) -> Hold:
    return Hold(package, ecosystem, version, "it broke", date(2031, 1, 1), date(2031, 1, 31))


def yarn(version: str, asked: str, needs: str = "") -> str:
    return (
        f'# yarn lockfile v1\n\n\nis-number@^7.0.0:\n  version "7.0.0"\n  resolved "x#7"\n  integrity sha512-n7\n\n'
        f'uuid@{asked}:\n  version "{version}"\n  resolved "x#{version}"\n  integrity sha512-u{version}\n{needs}'
    )


def berry(version: str, asked: str, needs: str = "") -> str:
    return (
        '__metadata:\n  version: 8\n  cacheKey: 10c0\n\n"app@workspace:.":\n  version: 0.0.0-use.local\n'
        f'  resolution: "app@workspace:."\n  dependencies:\n    uuid: "npm:{asked}"\n  linkType: soft\n\n'
        f'"uuid@npm:{asked}":\n  version: {version}\n  resolution: "uuid@npm:{version}"\n{needs}  bin:\n    uuid: ./uuid\n'
        f"  checksum: 10c0/{version.replace('.', '') * 20}\n  linkType: hard\n"
    )


def pnpm(version: str, asked: str, needs: str = "") -> str:
    body = f":\n    dependencies:\n{needs}" if needs else ": {}\n"
    return (
        "lockfileVersion: '9.0'\n\nimporters:\n\n  .:\n    dependencies:\n      uuid:\n"
        f"        specifier: {asked}\n        version: {version}\n\npackages:\n\n"
        f"  uuid@{version}:\n    resolution: {{integrity: sha512-u{version}}}\n\nsnapshots:\n\n  uuid@{version}{body}"
    )


KINDS = {"yarn.lock": yarn, "later/yarn.lock": berry, "pnpm-lock.yaml": pnpm}


@pytest.mark.parametrize("path", KINDS)
def test_an_entry_goes_back_as_its_tool_wrote_it_and_no_tool_is_needed(path: str) -> None:
    made, manifest = KINDS[path], path.replace(path.rpartition("/")[2], "package.json")
    now = {path: made("8.3.2", "^8.3.2"), manifest: json.dumps({"dependencies": {"uuid": "^8.3.2"}})}
    plan = planned(now, {path: made("3.4.0", "^3.0.0")}, hold("uuid", "3.4.0"))
    assert not plan.resolve
    assert plan.edits[path] == made("3.4.0", "3.4.0")
    after = {**now, **plan.edits}
    assert planned(after, {}, hold("uuid", "3.4.0")).edits == {}
    assert json.loads(releasing(after, "uuid")[manifest])["dependencies"]["uuid"] == "^8.3.2"


def test_an_entry_that_needs_something_else_is_for_the_tool() -> None:
    for made, needs in (
        (yarn, '  dependencies:\n    a "1"\n'),
        (berry, '  dependencies:\n    a: "npm:1"\n'),
        (pnpm, "      a: 1.0.0\n"),
    ):
        found = line_locks.restored(made("2.0.0", "^2"), made("1.0.0", "^1", needs), "uuid", "1.0.0")
        assert found == Cannot(line_locks.OWN)


def test_an_entry_that_others_need_is_for_the_tool() -> None:
    other = '\nz@^1:\n  version "1.0.0"\n  dependencies:\n    uuid "^2"\n'
    assert line_locks.restored(yarn("2.0.0", "^2") + other, yarn("1.0.0", "^1"), "uuid", "1.0.0") == Cannot(
        line_locks.OTHER
    )
    twice = yarn("2.0.0", "^2, uuid@^2.1")
    assert line_locks.restored(twice, yarn("1.0.0", "^1"), "uuid", "1.0.0") == Cannot(line_locks.MANY)
    older = pnpm("1.0.0", "^1").replace("9.0", "6.0")
    assert isinstance(line_locks.restored(pnpm("2.0.0", "^2"), older, "uuid", "1.0.0"), Cannot)


POETRY = (
    '[project]\nname = "app"\nrequires-python = ">=3.11"\ndependencies = ["six (>=1.15)", "itsdangerous ({})"]\n\n'
    "[tool.poetry]\npackage-mode = false\n"
)
WROTE_ANY = "2009cb448a028e4dd7b23f2136b9f8127d3a05bce6ef715934bd52cf30d8ba25"
WROTE_EXACT = "f3293b804d978d78b39ff02b4fdfd67338a45bab2c1f67d3ac4402d1cc651d07"


def poetry_lock(version: str, digest: str) -> str:
    files = f'files = [\n    {{file = "i.whl", hash = "sha256:{version}"}},\n]\n'
    entry = f'[[package]]\nname = "itsdangerous"\nversion = "{version}"\n{files}'
    return f'{entry}\n[metadata]\nlock-version = "2.1"\ncontent-hash = "{digest}"\n'


def test_poetry_is_told_where_the_hash_of_what_is_asked_can_be_told() -> None:
    """The hashes are those that Poetry 2.5 wrote for these two files."""
    asked, exact = POETRY.format(">=2.0.1"), POETRY.format("==2.0.1")
    now = {"pyproject.toml": asked, "poetry.lock": poetry_lock("2.2.0", WROTE_ANY)}
    plan = planned(now, {"poetry.lock": poetry_lock("2.0.1", "0")}, hold("itsdangerous", "2.0.1", Ecosystem.PYTHON))
    assert plan.edits["pyproject.toml"] == exact
    assert plan.edits["poetry.lock"] == poetry_lock("2.0.1", WROTE_EXACT)
    ended = releasing({**now, **plan.edits}, "itsdangerous")
    assert ended["pyproject.toml"] == asked
    assert ended["poetry.lock"] == poetry_lock("2.0.1", WROTE_ANY)
    now["poetry.lock"] = poetry_lock("2.2.0", "f" * 64)
    plan = planned(now, {"poetry.lock": poetry_lock("2.0.1", "0")}, hold("itsdangerous", "2.0.1", Ecosystem.PYTHON))
    assert set(plan.edits) == {"poetry.lock", HOLDS_FILE}
    assert any("not told of the hold" in one for one in plan.told)


def test_settings_keep_what_they_say_of_locks_and_nothing_that_runs_or_is_secret() -> None:
    rc = "yarnPath: .yarn/evil.cjs\nplugins:\n  - ./evil.cjs\nnodeLinker: node-modules\nnpmAuthToken: secret\n"
    assert settings.kept(".yarnrc.yml", rc) == "nodeLinker: node-modules\n"
    assert settings.setting(rc, "nodeLinker") == "node-modules"
    yaml = "packages:\n- a\nstoreDir: /root\noverrides:\n  a: 1\nconfigDependencies:\n  x: 1\n"
    assert settings.kept("pnpm-workspace.yaml", yaml) == "packages:\n- a\noverrides:\n  a: 1\n"
    assert isinstance(settings.kept("pnpm-workspace.yaml", '{"storeDir": "/root"}\n'), Cannot)
    assert isinstance(settings.kept(".yarnrc.yml", '"yarnPath": evil.cjs\n'), Cannot)
    npmrc = "//r/:_authToken=${TOKEN}\n@corp:registry=x\nlegacy-peer-deps=true\nscript-shell=./evil\ngit=./evil\n"
    assert settings.kept(".npmrc", npmrc) == "@corp:registry=x\nlegacy-peer-deps=true\n"


def test_a_copy_holds_nothing_that_a_package_manager_would_run(tmp_path: Path) -> None:
    files = {".yarnrc.yml": "yarnPath: evil.cjs\n", ".yarnrc": "yarn-path evil\n", ".pnpmfile.cjs": "evil()\n"}
    (tmp_path / "a").mkdir()
    for name, text in files.items():
        (tmp_path / "a" / name).write_text(text)
    (tmp_path / "rc").write_text("git=./evil\n")
    (tmp_path / ".npmrc").symlink_to("rc")
    (tmp_path / "a" / "pnpm-workspace.yaml").write_text("overrides:\n  a: 1\nstoreDir: /root\n")
    tamed(tmp_path)
    assert sorted(one.name for one in tmp_path.rglob("*")) == ["a", "pnpm-workspace.yaml", "rc"]
    assert (tmp_path / "a" / "pnpm-workspace.yaml").read_text() == "overrides:\n  a: 1\n"
    (tmp_path / ".yarnrc.yml").write_text("nodeLinker: pnpm\n")
    tamed(tmp_path)
    assert (tmp_path / YARN_SETTINGS).read_text() == "nodeLinker: pnpm\n"
    (tmp_path / ".yarnrc.yml").write_text("? yarnPath\n: evil.cjs\n")
    with pytest.raises(GateFailed):
        tamed(tmp_path)


@pytest.mark.parametrize(
    ("lock", "what"),
    [
        ('"gen@exec:./gen.js::locator=app":\n  version: 1\n', "exec"),
        ('"x@https://example.org/x.git#commit=a":\n', "git"),
        ("pnpmfileChecksum: sha256-a\n", "pnpmfile"),
        ('[package.source]\ntype = "git"\n', "git"),
        ('[package.source]\ntype = "directory"\n', "folder"),
        ("    deprecated: see https://example.org/x.git for why\n", ""),
    ],
)
def test_locks_for_which_code_would_run_are_known(lock: str, what: str) -> None:
    assert what in settings.code(lock)
    assert bool(settings.code(lock)) is bool(what)


def test_they_are_neither_installed_nor_resolved(tmp_path: Path) -> None:
    lock = yarn("2.0.0", "^2") + '\nx@git+ssh://git@example.org/x:\n  version "1.0.0"\n'
    (tmp_path / "package.json").write_text("{}")
    (tmp_path / "yarn.lock").write_text(lock)
    with pytest.raises(TargetError, match="from git"):
        environment(tmp_path, "yarn.lock", tmp_path / "cache", 10.0)
    with pytest.raises(Refused, match="from git"):
        planned({"yarn.lock": lock, "package.json": '{"dependencies": {"uuid": "^2"}}'}, {}, hold("uuid", "1.0.0"))


@pytest.mark.parametrize("lock", ["pnpm-lock.yaml", "yarn.lock", "poetry.lock", "pdm.lock"])
def test_a_package_manager_that_is_not_here_is_named_with_how_it_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lock: str
) -> None:
    monkeypatch.setattr("prodwise.repair.pins.managers.found", lambda _name: "")
    for name in ("package.json", "pyproject.toml", lock):
        (tmp_path / name).write_text("{}" if name.endswith("json") else "")
    with pytest.raises(TargetError, match=r"is not installed on this machine: (pip|npm) install"):
        environment(tmp_path, lock, tmp_path / "cache", 10.0)


def test_what_has_no_hash_is_named() -> None:
    assert unhashed("requirements.txt", "six==1.16.0\nidna==3.4 --hash=sha256:" + "a" * 64 + "\n") == ("six",)
    assert unhashed("requirements.txt", "a==1\nb==1\nc==1\nd==1\n") == ("a", "b", "c", "1 more")
    assert unhashed("constraints.txt", "six==1.16.0\n") == ()
    for path, made in KINDS.items():
        name = path.rpartition("/")[2]
        assert unhashed(name, made("1.0.0", "^1")) == ()
        bare = made("1.0.0", "^1").replace("integrity sha512-u1.0.0", "").replace("integrity: sha512-u1.0.0", "")
        bare = "".join(line for line in bare.splitlines(keepends=True) if "checksum" not in line)
        assert unhashed(name, bare) == ("uuid",)
    lock = {"packages": {"": {}, "node_modules/a": {"version": "1"}, "node_modules/b": {"integrity": "sha512-b"}}}
    assert unhashed("package-lock.json", json.dumps(lock)) == ("a",)
    assert unhashed("poetry.lock", poetry_lock("1.0", "0").replace("hash = ", "size = ")) == ("itsdangerous",)


def test_overrides_of_pnpm_are_versions_and_its_other_settings_are_not() -> None:
    before = '{"name": "app"}\n'
    row = '"pnpm": {"overrides": {"uuid": "3.4.0"}}'
    assert list(other_changes("package.json", before, f'{{"name": "app", {row}}}\n', (row,), ())) == []
    row = '"pnpm": {"overrides": {}, "onlyBuiltDependencies": ["uuid"]}'
    assert list(other_changes("package.json", before, f'{{"name": "app", {row}}}\n', (row,), ()))


def test_a_checksum_of_yarn_is_known_or_waits() -> None:
    line = f"  checksum: 10c0/{'ab' * 64}"
    assert list(strange("yarn.lock", [line], ""))
    assert list(strange("yarn.lock", [line], line)) == []
    assert packages("pdm.lock", '[[package]]\nname = "six"\nversion = "1.16.0"\n') == {"six": "1.16.0"}
