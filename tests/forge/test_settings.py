"""[forge] in prodwise.toml, the token's place, and the permissions that an app for GitHub asks for."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from prodwise.config import validate
from prodwise.config.forge import ForgeConfig
from prodwise.loop.publish.decide import forbidden
from prodwise.model.errors import ConfigError
from prodwise.testing.fake_forge import TOKEN
from prodwise.testing.forge_kit import pull_for
from prodwise.wiring.forge import forge, origin_of, token_of
from tests.forge.rigs import bare_rig, git, host_rig

DOCS = Path(__file__).parents[2] / "docs"


def read(**keys: Any) -> ForgeConfig:
    return validate({"version": 1, "forge": keys}, "prodwise.toml").forge


def test_nothing_needs_to_be_written() -> None:
    assert read() == ForgeConfig(kind="git")


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"kind": "github", "repo": "a/b"}, "token_env"),
        ({"kind": "github", "token_env": "T"}, "repo is missing"),
        ({"kind": "gitea", "repo": "a/b", "token_env": "T"}, "api is missing"),
        ({"kind": "github", "repo": "a/b/c", "token_env": "T"}, "owner/name"),
        ({"kind": "github", "repo": "../b?x", "token_env": "T"}, "repo"),
        ({"kind": "gitlab", "repo": "a/b", "token_env": "T", "token_file": "t"}, "two places"),
        ({"kind": "git", "repo": "a/b"}, "are for a kind"),
        ({"kind": "svn"}, "forge.kind"),
        ({"token": "ghp_x"}, "unknown key 'forge.token'"),
        ({"tokenenv": "X"}, "unknown key 'forge.tokenenv'"),
    ],
)
def test_what_is_wrong_is_named(keys: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as told:
        read(**keys)
    assert words in told.value.message
    if "tokenenv" in keys:
        assert "token_env" in told.value.hint


def test_the_token_comes_from_a_variable_or_a_file_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text("secret-1\n")
    assert token_of(read(kind="github", repo="a/b", token_file="token"), tmp_path) == "secret-1"
    monkeypatch.setenv("SHOP_TOKEN", "secret-2")
    assert token_of(read(kind="github", repo="a/b", token_env="SHOP_TOKEN"), tmp_path) == "secret-2"
    for bad in ("", "two\nlines", "ü", "x" * 5_000):
        (tmp_path / "token").write_text(bad)
        with pytest.raises(ConfigError) as told:
            token_of(read(kind="github", repo="a/b", token_file="token"), tmp_path)
        assert not bad or bad not in told.value.message
    with pytest.raises(ConfigError, match="cannot be read"):
        token_of(read(kind="github", repo="a/b", token_file="gone"), tmp_path)


@pytest.mark.parametrize(
    ("api", "origin"),
    [
        ("https://api.github.com", "https://github.com"),
        ("https://git.example/api/v3/", "https://git.example"),
        ("https://gitlab.com/api/v4", "https://gitlab.com"),
        ("https://example.com/forge/api/v1", "https://example.com/forge"),
    ],
)
def test_git_is_where_the_api_is(api: str, origin: str) -> None:
    assert origin_of(api) == origin


def test_what_is_configured_publishes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_TOKEN", TOKEN)
    with host_rig("gitlab", tmp_path) as rig:
        config = read(kind="gitlab", repo=rig.fake.repo, api=rig.fake.api, token_env="SHOP_TOKEN")
        made = forge(config, rig.local, tmp_path / "state").publish(pull_for(rig, "k1"), [])
        assert rig.tip(made.branch) == made.head


def test_plain_git_writes_a_note_beside_the_app(tmp_path: Path) -> None:
    with bare_rig(tmp_path) as rig:
        git(rig.local, "remote", "add", "origin", str(rig.bare))
        made = forge(read(), rig.local, tmp_path / "state").publish(pull_for(rig, "k1"), [])
        note = (tmp_path / "state/pulls/fix-k1.md").read_text()
        assert made.url.endswith("state/pulls/fix-k1.md")
        assert note.startswith("# fix(shop): handle carts that carry an old coupon format\n")
        assert "### After merge" in note
        said = git(rig.bare, "log", "-1", "--format=%B", made.branch)
        assert "### What broke" in said
        assert said.endswith("Prodwise-Fault: k1")
        with pytest.raises(ConfigError, match="no remote 'upstream'"):
            forge(read(remote="upstream"), rig.local, tmp_path)


def test_the_app_for_github_asks_for_little() -> None:
    manifest = json.loads((DOCS / "github-app.json").read_text())
    assert manifest["default_permissions"] == {
        "contents": "write", "pull_requests": "write", "statuses": "write", "metadata": "read"
    }  # fmt: skip
    assert manifest["public"] is False
    assert manifest["hook_attributes"]["active"] is False
    assert manifest["default_events"] == []


def test_the_page_on_forges_shows_settings_that_work() -> None:
    blocks = re.findall(r"```toml\n(.*?)```", (DOCS / "forge.md").read_text(), re.DOTALL)
    assert len(blocks) >= 4
    for block in blocks:
        validate({"version": 1, **tomllib.loads(block)}, "docs/forge.md")


@pytest.mark.parametrize(
    "path",
    [
        ".github/workflows/ci.yml", ".GitHub/x", ".gitlab-ci.yml", "a/.gitmodules",
        ".git/config", ".forgejo/workflows/x", ".circleci/config.yml",
        "Jenkinsfile", "jenkinsfile.prod", "docs/CODEOWNERS", ".ｇithub/x", "ci/.GitLab-CI.yml", ".woodpecker/x.yml", ".gitignore",
        ".github./x", "azure-pipelines.yml",
    ],
)  # fmt: skip
def test_what_runs_in_ci_is_for_people(path: str) -> None:
    assert forbidden(["shop.py", path]) == path


def test_what_only_looks_like_it_is_not_forbidden() -> None:
    assert forbidden(["src/github/client.py", "shop/gitlab.py", "ci.py", "workflows/x.py"]) == ""
