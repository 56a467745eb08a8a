"""Tokens of a GitHub App, against a host that checks who claims to be it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from prodwise import clock
from prodwise.config import validate
from prodwise.forge.github_app import PERMISSIONS, AppTokens, claim
from prodwise.model.errors import ConfigError, ForgeError
from prodwise.testing.fake_forge import TOKEN, FakeForge, Fault
from prodwise.testing.fake_github_app import FakeApp
from prodwise.testing.forge_kit import pull_for
from prodwise.wiring import forge as wired
from tests.forge.rigs import HostRig, host_rig

AT = 1_790_000_000.0
DOCS = Path(__file__).parents[2] / "docs"


@dataclass
class Host:
    """The App's host, and how our clocks differ from its own."""

    fake: FakeForge
    app: FakeApp
    behind_s: float = 0.0
    passed_s: float = 0.0

    def later(self, seconds: float) -> None:
        self.app.at += seconds
        self.passed_s += seconds

    def tokens(self, key: str = "", app_id: int = 0) -> AppTokens:
        return AppTokens(self.fake.repo, app_id or self.app.id, lambda: key or self.app.pem(), self.fake.api, lambda _: None,
                         lambda: self.app.at - self.behind_s, lambda: self.passed_s)  # fmt: skip


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostRig]:
    with host_rig("github", tmp_path_factory.mktemp("app")) as made:
        yield made


@pytest.fixture
def host(rig: HostRig) -> Host:
    rig.fake.app = FakeApp(AT)
    rig.fake.faults.clear()
    return Host(rig.fake, rig.fake.app)


def test_a_token_is_for_one_repository_and_what_is_used(host: Host) -> None:
    token = host.tokens().token()
    assert host.app.accepts(token)
    (_, asked) = host.app.made[token]
    manifest = json.loads((DOCS / "github-app.json").read_text())
    assert asked == {"repositories": ["shop"], "permissions": PERMISSIONS}
    assert manifest["default_permissions"] == PERMISSIONS


def test_a_token_is_kept_until_shortly_before_its_end(host: Host) -> None:
    tokens = host.tokens()
    first = tokens.token()
    host.later(3_200)
    assert tokens.token() == first
    host.later(200)
    second = tokens.token()
    assert second != first
    assert len(host.app.made) == 2
    host.later(3_601)
    assert not host.app.accepts(second)
    assert host.app.accepts(tokens.token())


@pytest.mark.parametrize("behind_s", [-50.0, 0.0, 100.0, 400.0])
def test_clocks_may_differ(host: Host, behind_s: float) -> None:
    host.behind_s = behind_s
    tokens = host.tokens()
    tokens.token()
    for _ in range(60):
        host.later(120)
        assert host.app.accepts(tokens.token())


def test_a_clock_that_is_far_off_is_said(host: Host) -> None:
    for behind_s, word in ((-3_600.0, "iat"), (3_600.0, "exp")):
        host.behind_s = behind_s
        with pytest.raises(ForgeError, match=word) as told:
            host.tokens().token()
        assert "clock" in told.value.hint


def test_what_is_wrong_is_an_error_without_the_key(host: Host) -> None:
    other = FakeApp(AT).pem()
    for tokens in (host.tokens(other), host.tokens(app_id=99)):
        with pytest.raises(ForgeError, match="could not be decoded") as told:
            tokens.token()
        assert "key_file" in told.value.hint
    for key in (
        "",
        "no key",
        other.replace("BEGIN", "BEG1N"),
        "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n",
    ):
        with pytest.raises(ConfigError, match="no RSA key"):
            claim(1, key, int(AT))
    host.app.installed = False
    with pytest.raises(ForgeError, match="404") as told:
        host.tokens().token()
    assert "installed on kettle/shop" in told.value.hint
    assert host.app.made == {}


def test_a_permission_that_was_not_granted_is_said(host: Host) -> None:
    host.app.grants["statuses"] = "read"
    with pytest.raises(ForgeError, match="not granted"):
        host.tokens().token()


def test_an_answer_without_a_token_is_an_error(host: Host) -> None:
    for body in ({}, {"token": "two words", "expires_at": "2027-01-01T00:00:00Z"}):
        host.fake.faults.append(Fault(201, "access_tokens", body=body))
        with pytest.raises(ForgeError, match="no token"):
            host.tokens().token()


def test_a_busy_host_is_asked_again(host: Host) -> None:
    host.fake.faults.append(Fault(503, "installation", times=2))
    assert host.tokens().token()


def forged(head: dict[str, object], says: dict[str, object], signature: bytes = b"") -> str:
    parts = [json.dumps(head).encode(), json.dumps(says).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(one).rstrip(b"=").decode() for one in parts)


def test_the_fake_believes_no_claim_that_github_would_not(host: Host) -> None:
    def status(given: str) -> int:
        answer = host.app.answer(host.fake.repo, "GET", f"/repos/{host.fake.repo}/installation", f"Bearer {given}", {})
        assert answer is not None
        return answer[0]

    good, says = (
        claim(host.app.id, host.app.pem(), int(AT)),
        {"iat": int(AT) - 60, "exp": int(AT) + 300, "iss": str(host.app.id)},
    )
    assert status(good) == 200
    head, middle, signature = good.split(".")
    bad = [forged({"alg": "none"}, says), forged({"alg": "RS256"}, says, b"x" * 256), f"{head}.{middle}.", "", "a.b", TOKEN,
           ".".join((head, forged({}, {**says, "exp": int(AT) + 500}).split(".")[1], signature)),
           claim(host.app.id, host.app.pem(), int(AT) - 3_600), claim(host.app.id, host.app.pem(), int(AT) + 3_600)]  # fmt: skip
    assert {status(one) for one in bad} == {401}


def test_an_app_that_is_configured_publishes(
    rig: HostRig, host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.app.at = clock.now()
    (tmp_path / "app.pem").write_text(host.app.pem())
    keys = {
        "kind": "github",
        "repo": host.fake.repo,
        "api": host.fake.api,
        "app_id": host.app.id,
        "key_file": str(tmp_path / "app.pem"),
    }
    config = validate({"version": 1, "forge": keys}, "prodwise.toml").forge
    made = wired.forge(config, rig.local, tmp_path / "state").publish(pull_for(rig, "k1"), [])
    assert rig.tip(made.branch) == made.head
    wired.forge(config, rig.local, tmp_path / "state")
    assert len(host.app.made) == 1, "one token for both"
    assert not [one for one in host.fake.asked if TOKEN in str(one.headers)]
    gone = config.model_copy(update={"key_file": "gone.pem"})
    with pytest.raises(ConfigError, match=r"gone\.pem cannot be read"):
        wired.forge(gone, rig.local, tmp_path / "state")


@pytest.mark.parametrize(("keys", "words"), [
    ({"app_id": 1}, "go together"), ({"key_file": "k"}, "go together"),
    ({"app_id": 1, "key_file": "k", "token_env": "T"}, "makes its tokens"),
    ({"app_id": 1, "key_file": "k", "kind": "gitlab"}, 'for a kind of "github"'),
])  # fmt: skip
def test_settings_that_do_not_fit(keys: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError) as told:
        validate({"version": 1, "forge": {"kind": "github", "repo": "a/b", **keys}}, "prodwise.toml")
    assert words in told.value.message
