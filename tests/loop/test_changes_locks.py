"""Lock files of ten package managers, as they write them; what is not understood is said, and no address is ever shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prodwise.loop.changes.locks import difference, is_lock, packages
from prodwise.model.delta import Package

UV = """version = 1
[[package]]
name = "flask"
version = "3.1.0"
source = { registry = "https://user:secret@example.org/simple" }
[[package]]
name = "shop"
source = { editable = "." }
"""
NPM = """{"lockfileVersion": 3, "packages": {
  "": {"name": "shop", "version": "1.0.0"}, "node_modules/@vue/core": {"version": "3.4.1"},
  "node_modules/a": {"version": "1.0.0"}, "node_modules/b/node_modules/a": {"version": "2.0.0"},
  "node_modules/local": {"link": true, "resolved": "packages/local"}, "packages/local": {"version": "9.9.9"}}}"""
NPM_1 = '{"lockfileVersion": 1, "dependencies": {"a": {"version": "1.0.0", "dependencies": {"b": {"version": "git+ssh://k@h/r"}}}}}'
YARN = """# yarn lockfile v1

"@babel/core@^7.0.0", "@babel/core@^7.1.0":
  version "7.24.0"
  resolved "https://user:secret@example.org/x.tgz#abc"
  dependencies:
    semver "^6.3.1"

semver@^6.3.1:
  version "6.3.1"
"""
BERRY = """__metadata:
  version: 8

"semver@npm:^6.3.1, semver@npm:^6.3.0":
  version: 6.3.1
  resolution: "semver@npm:6.3.1"

"shop@workspace:.":
  version: 0.0.0-use.local
"""
PNPM = """lockfileVersion: '9.0'
importers:
  .:
    dependencies:
      vue: {specifier: ^3.4.0, version: 3.4.1}
packages:
  '@vue/shared@3.4.1':
    resolution: {integrity: sha512-x}
  vue@3.4.1:
    resolution: {integrity: sha512-y}
snapshots:
  vue@3.4.1(typescript@5.0.0): {}
"""
PNPM_6 = "packages:\n\n  /vue@3.4.1(typescript@5.0.0):\n    dev: false\n  /old/1.2.3:\n    dev: true\n"
GEMS = "GEM\n  remote: https://x.org/\n  specs:\n    rails (7.1.3)\n      rack (>= 2.2)\n    rack (3.0.9)\n\nPLATFORMS\n  ruby\n"
GO = """module example.org/shop

go 1.22

require github.com/one/alone v1.0.0
require (
\tgithub.com/gin-gonic/gin v1.9.1
\tgolang.org/x/net v0.20.0 // indirect
)

replace github.com/one/alone v1.0.0 => ../alone
"""
COMPOSER = '{"packages": [{"name": "symfony/http", "version": "v7.0.1"}], "packages-dev": [{"name": "a/b", "version": "dev-main"}]}'
REQUIREMENTS = """# pinned
-r base.txt
--index-url https://user:secret@example.org/simple
Flask==3.1.0 \\
    --hash=sha256:abc
uvicorn[standard] == 0.30.0 ; python_version > "3.9"
rich>=13,<14  # colours
plain
private @ https://user:secret@example.org/private.zip
"""


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("uv.lock", UV, {"flask": "3.1.0", "shop": "not from a registry"}),
        ("api/poetry.lock", UV, {"flask": "3.1.0", "shop": "not from a registry"}),
        ("Cargo.lock", '[[package]]\nname = "serde"\nversion = "1.0.2"\n', {"serde": "1.0.2"}),
        ("web/package-lock.json", NPM, {"@vue/core": "3.4.1", "a": "1.0.0, 2.0.0"}),
        ("package-lock.json", NPM_1, {"a": "1.0.0", "b": "not from a registry"}),
        ("yarn.lock", YARN, {"@babel/core": "7.24.0", "semver": "6.3.1"}),
        ("yarn.lock", BERRY, {"semver": "6.3.1"}),
        ("pnpm-lock.yaml", PNPM, {"@vue/shared": "3.4.1", "vue": "3.4.1"}),
        ("pnpm-lock.yaml", PNPM_6, {"vue": "3.4.1", "old": "1.2.3"}),
        ("Gemfile.lock", GEMS, {"rails": "7.1.3", "rack": "3.0.9"}),
        ("go.mod", GO, {"github.com/one/alone": "v1.0.0", "github.com/gin-gonic/gin": "v1.9.1", "golang.org/x/net": "v0.20.0"}),
        ("composer.lock", COMPOSER, {"symfony/http": "v7.0.1", "a/b": "dev-main"}),
        (
            "requirements-prod.txt",
            REQUIREMENTS,
            {"flask": "3.1.0", "uvicorn": "0.30.0", "rich": ">=13,<14", "plain": "any version", "private": "not from a registry"},
        ),
    ],
)  # fmt: skip
def test_each_format_is_read_as_its_tool_writes_it(path: str, text: str, expected: dict[str, str]) -> None:
    found = packages(path, text)
    assert found == expected
    assert "secret" not in str(found)


def test_our_own_lock_is_read_whole() -> None:
    text = (Path(__file__).parents[2] / "requirements.lock").read_text()
    found = packages("requirements.txt", text)
    pinned = [
        line.partition("==")[0].partition("[")[0] for line in text.splitlines() if "==" in line and line[0].isalnum()
    ]
    assert len(pinned) > 20
    assert sorted(found) == sorted(name.lower().replace("_", "-") for name in pinned)


def test_what_differs_is_told_by_name_with_both_versions() -> None:
    before = '[[package]]\nname = "a"\nversion = "1"\n[[package]]\nname = "gone"\nversion = "2"\n'
    after = '[[package]]\nname = "a"\nversion = "1.1"\n[[package]]\nname = "new"\nversion = "3"\n'
    assert difference("uv.lock", before, after) == [
        Package("uv.lock", "a", "1", "1.1"),
        Package("uv.lock", "gone", "2", ""),
        Package("uv.lock", "new", "", "3"),
    ]
    assert difference("uv.lock", "", before) == [Package("uv.lock", "a", "", "1"), Package("uv.lock", "gone", "", "2")]


@pytest.mark.parametrize("path", ["package.json", "Cargo.toml", "locks/uv.lock.bak", "notes.txt", "requirements.md"])
def test_other_files_are_no_lock_files(path: str) -> None:
    assert not is_lock(path)


@pytest.mark.parametrize(
    ("path", "text"), [("uv.lock", "[[package"), ("package-lock.json", "{"), ("composer.lock", '{"a":' * 5000)]
)
def test_a_broken_one_is_said_to_be_unreadable(path: str, text: str) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        packages(path, text)


NAMES = (
    "uv.lock",
    "package-lock.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "Gemfile.lock",
    "go.mod",
    "composer.lock",
    "requirements.txt",
)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(NAMES), st.text(alphabet="ab@/:=[]{}()\"' \n\t.,#-<>!~^1vpackages", max_size=300))
def test_no_text_breaks_a_reader(path: str, text: str) -> None:
    try:
        found = packages(path, text)
    except ValueError:
        return
    assert all(isinstance(name, str) and isinstance(version, str) for name, version in found.items())
