"""A coding agent by its command line: it reaches its model and nothing else, and only its diff is taken from it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from prodwise.loop.repair.door import Way, asked, is_public
from prodwise.model.errors import ConfigError
from prodwise.model.patch import Proposal
from prodwise.model.redaction import Redactor
from prodwise.ports.repair import Limits
from prodwise.repair.command import Command, CommandAgent
from prodwise.repair.command.door import Door
from prodwise.repair.transcript import Ended
from prodwise.repair.veil import Veil
from prodwise.testing import coding_agent
from tests.repair import broken_shop
from tests.repair.model_server import serving

STAND_IN = (sys.executable, str(Path(coding_agent.__file__)))
KEY = "key-of-the-model-7c1b"


def repaired(
    tmp_path: Path, mode: str, way: Way, *, seconds: float = 30.0, base_url_env: str = "", **env: str
) -> tuple[list[Proposal], Ended, list[dict[str, object]]]:
    workshop, base = broken_shop.made(tmp_path / "shop")
    ends: list[Ended] = []
    command = Command((*STAND_IN, mode, "{prompt}"), way, base_url_env, tuple(env.items()), seconds)
    veil = Veil(Redactor(), [broken_shop.MARKER, KEY])
    agent = CommandAgent(command, veil=veil, folder=tmp_path / "kept", limits=Limits(output=20_000), on_end=ends.append)
    proposals = list(agent.propose(broken_shop.fault(), workshop, base, 60.0))
    assert len(ends) == 1
    text = ends[0].transcript.read_text()
    assert not any(secret in text for secret in (*broken_shop.SECRETS, KEY))
    assert "\x1b" not in text
    return proposals, ends[0], [json.loads(line) for line in text.splitlines()]


def nowhere() -> Way:
    return Way("localhost", 1, tls=False, private=True)


def test_through_the_proxy_it_reaches_its_model_with_a_key_that_was_lent(tmp_path: Path) -> None:
    with serving() as model:
        way = Way("localhost", model.port, tls=False, private=True)
        proposals, ended, lines = repaired(tmp_path, "good", way, MODEL_HOST=f"localhost:{model.port}", MODEL_KEY=KEY)
    assert ended.why == "proposed"
    assert proposals[0].diff.count("diff --git") == 1
    assert "+    for price in prices:" in proposals[0].diff
    path, headers, body = model.requests[0]
    assert (path, headers["x-api-key"]) == ("/v1/edit", KEY)
    assert not any(secret in body for secret in broken_shop.SECRETS)
    doors = [line for line in lines if line["kind"] == "door"]
    assert [(one["method"], one["refused"]) for one in doors] == [("CONNECT", "")]
    assert int(str(doors[0]["sent"])) > 100 < int(str(doors[0]["received"]))


def test_over_the_base_url_the_key_stays_outside(tmp_path: Path) -> None:
    with serving() as model:
        way = Way("localhost", model.port, tls=False, path="/prefix", header="x-api-key", value=KEY, private=True)
        _, ended, _ = repaired(tmp_path, "good", way, base_url_env="MODEL_BASE_URL", MODEL_KEY="kept-outside")
    assert ended.why == "proposed"
    path, headers, _ = model.requests[0]
    assert (path, headers["x-api-key"], headers["host"]) == ("/prefix/v1/edit", KEY, f"localhost:{model.port}")


def test_the_door_itself_speaks_tls_and_checks_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("not run: no openssl on this machine to make a certificate")
    certificate = tmp_path / "both.pem"
    making = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
              "subjectAltName=DNS:localhost", "-keyout", str(tmp_path / "key"), "-out", str(tmp_path / "cert")]  # fmt: skip
    subprocess.run(making, check=True, capture_output=True)
    certificate.write_text((tmp_path / "key").read_text() + (tmp_path / "cert").read_text())
    with serving(certificate) as model:
        way = Way("localhost", model.port, header="authorization", value=f"Bearer {KEY}", private=True)
        (tmp_path / "untrusted").mkdir()
        _, ended, lines = repaired(tmp_path / "untrusted", "good", way, base_url_env="MODEL_BASE_URL")
        assert ended.why == "no change"
        assert "CERTIFICATE_VERIFY_FAILED" in str([line for line in lines if line["kind"] == "door"])
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert"))
        _, ended, _ = repaired(tmp_path, "good", way, base_url_env="MODEL_BASE_URL")
    assert ended.why == "proposed"
    assert [headers["authorization"] for _, headers, _ in model.requests] == [f"Bearer {KEY}"]


def test_it_gets_nowhere_else(tmp_path: Path) -> None:
    proposals, _, lines = repaired(tmp_path, "elsewhere", nowhere())
    said = next(json.loads(str(line["output"])) for line in lines if line["kind"] == "command")
    assert len(said) == 9
    assert all(answer.startswith("no: ") for answer in said.values()), said
    assert {line["refused"] for line in lines if line["kind"] == "door"} == {"another place", "not HTTP"}
    assert len(proposals) == 1  # what it did in the files was right, and is judged like any other


@pytest.mark.parametrize(
    ("mode", "why"),
    [
        ("idle", "no change"),
        ("fails", "no change"),
        ("forever", "time"),
        ("many", "its change is too large"),
        ("floods", "no change"),
    ],
)
def test_what_does_not_help_ends_by_its_name(tmp_path: Path, mode: str, why: str) -> None:
    proposals, ended, _ = repaired(tmp_path, mode, nowhere(), seconds=3.0 if mode == "forever" else 30.0)
    assert (proposals, ended.why) == ([], why)


def test_files_with_secrets_are_not_there_while_it_runs_and_no_part_of_its_diff(tmp_path: Path) -> None:
    proposals, _, lines = repaired(tmp_path, "nosy", nowhere(), MODEL_KEY="")
    found = next(json.loads(str(line["output"])) for line in lines if line["kind"] == "command")
    assert found[".env"].startswith("no: ")
    assert found["deploy.pem"].startswith("no: ")
    assert not any(secret in proposals[0].diff for secret in broken_shop.SECRETS)
    assert "b/.env" not in proposals[0].diff


def test_a_link_in_the_place_of_a_secret_is_not_followed(tmp_path: Path) -> None:
    before = Path("/etc/hostname").read_bytes()
    repaired(tmp_path, "links", nowhere())
    assert Path("/etc/hostname").read_bytes() == before


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True), ("2606:4700::1111", True), ("127.0.0.1", False), ("10.1.2.3", False), ("169.254.169.254", False),
        ("172.16.0.1", False), ("192.168.1.1", False), ("100.64.0.1", False), ("0.0.0.0", False), ("224.0.0.1", False),
        ("255.255.255.255", False), ("::1", False), ("::", False), ("fe80::1%eth0", False), ("fd00::1", False),
        ("::ffff:127.0.0.1", False), ("::ffff:10.0.0.1", False), ("64:ff9b::7f00:1", False), ("2002:7f00:1::", False),
        ("::7f00:1", False), ("nonsense", False),
    ],
)  # fmt: skip
def test_only_addresses_of_the_public_net_are_reached(address: str, public: bool) -> None:
    assert is_public(address) is public


def test_a_name_that_leads_home_is_refused_before_anything_runs() -> None:
    with pytest.raises(ConfigError, match="not on the public net"):
        Door(Way("localhost"), "", 1.0, lambda *_, **__: None)
    with pytest.raises(ConfigError, match="no name of a host"):
        Door(Way("user@evil.example"), "", 1.0, lambda *_, **__: None)


def test_a_request_over_the_base_url_carries_no_header_that_says_where_to() -> None:
    way = Way("api.example", path="/base", header="x-api-key", value="true")
    head = b"POST /v1?x=1 HTTP/1.1\r\nHost: evil\r\nX-Api-Key: other\r\nConnection: keep-alive\r\nhost : evil\r\nA: b"
    done = asked(head, way)
    assert done.head.decode().split("\r\n") == [
        "POST /base/v1?x=1 HTTP/1.1", "Host: api.example", "Connection: close", "x-api-key: true", "A: b", "", ""
    ]  # fmt: skip
