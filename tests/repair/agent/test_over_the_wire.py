"""A provider's own library, and an endpoint on this machine that speaks OpenAI's protocol: what goes over the wire, and what not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from prodwise.config import validate
from prodwise.model.errors import Refused
from prodwise.repair.transcript import Ended
from prodwise.sandbox import jail
from prodwise.wiring.models import with_models
from tests.repair import broken_shop
from tests.repair.broken_shop import RIGHT

KEY = "key-of-the-model-7c1b"
CALLS = [
    ("read_file", {"path": "shop/cart.py"}),
    ("replace_text", RIGHT),
    ("finish", {"fixed": True, "summary": "Off by one."}),
]


class Endpoint:
    """asked: (headers, body) of every request."""

    def __init__(self) -> None:
        self.asked: list[tuple[dict[str, str], dict[str, Any]]] = []
        self.status, self.calls = 200, CALLS

    def answer(self) -> dict[str, Any]:
        tool, arguments = self.calls[min(len(self.asked), len(self.calls)) - 1]
        call = {
            "id": f"call-{len(self.asked)}",
            "type": "function",
            "function": {"name": tool, "arguments": json.dumps(arguments)},
        }
        message = {"role": "assistant", "content": None, "tool_calls": [call]}
        usage = {"prompt_tokens": 1_000, "completion_tokens": 50, "total_tokens": 1_050}
        return {"id": "x", "object": "chat.completion", "created": 1, "model": "some-model", "usage": usage,
                "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}  # fmt: skip


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    known = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            known.asked.append(({name.lower(): value for name, value in self.headers.items()}, body))
            answer = json.dumps(
                known.answer() if known.status == 200 else {"error": {"message": f"no, {KEY}"}}
            ).encode()
            self.send_response(known.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{server.server_address[1]}/v1")
    monkeypatch.setenv("THE_KEY", KEY)
    try:
        yield known
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def repaired(tmp_path: Path) -> tuple[list[str], Ended]:
    workshop, base = broken_shop.made(tmp_path / "shop")
    state = tmp_path / "shop" / ".prodwise"
    state.mkdir()
    prices = '[repair.prices."openai-chat:some-model"]\ninput = 2\noutput = 8\n'
    (state / "repair.toml").write_text(
        f'[repair]\nmodel = "openai-chat:some-model"\nkey_env = "THE_KEY"\ndollars = 1.0\n{prices}'
    )
    (state / "repair.toml").chmod(0o600)
    ends: list[Ended] = []
    config = validate(
        {"version": 1, "services": {"web": {"command": "true", "env": {"APP_SECRET": broken_shop.MARKER}}}}, ""
    )
    (agent,) = with_models(tmp_path / "shop", config, ends.append)
    return [one.diff for one in agent.propose(broken_shop.fault(), workshop, base, 60.0)], ends[0]


def test_a_fix_over_the_wire_and_no_secret_with_it(endpoint: Endpoint, tmp_path: Path) -> None:
    diffs, ended = repaired(tmp_path)
    assert ended.why == "proposed", ended.transcript.read_text()
    assert "+    for price in prices:" in diffs[0]
    assert (ended.steps, ended.tokens, ended.dollars) == (3, 3_150, pytest.approx(3 * (1_000 * 2 + 50 * 8) / 1e6))
    for headers, body in endpoint.asked:
        assert headers["authorization"] == f"Bearer {KEY}"
        sent = json.dumps(body)
        assert not any(secret in sent for secret in (*broken_shop.SECRETS, KEY))
        assert len(body["tools"]) == 8
    assert endpoint.asked[-1][1]["messages"][-1]["role"] == "tool"


def test_a_provider_that_refuses_ends_it_and_its_words_tell_no_key(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.status = 401
    diffs, ended = repaired(tmp_path)
    assert (diffs, ended.why) == ([], "no answer")
    assert KEY not in ended.transcript.read_text()
    assert "401" in ended.transcript.read_text()


@pytest.mark.full
def test_prodwise_fix_asks_the_model_that_a_person_names(endpoint: Endpoint, tmp_path: Path) -> None:
    """A fault that the search cannot mend; the model's fix passes every gate."""
    try:
        jail.require()
    except Refused as error:
        pytest.skip(f"not run: {error.message}")
    cart = '"""Carts."""\n\n\ndef total(lines):\n    return sum(float(line) for line in lines)\n'
    test = "import unittest\n\nfrom shop.cart import total\n\n\nclass Cart(unittest.TestCase):\n    def test_total(self):\n"
    test += '        self.assertEqual(total(["1.5", "2"]), 3.5)\n\n    def test_comma(self):\n'
    test += '        self.assertEqual(total(["1,5", "2", "3,25"]), 6.75)\n'
    broken_shop.made(tmp_path / "shop")
    (tmp_path / "shop" / "shop" / "cart.py").write_text(cart)
    (tmp_path / "shop" / "tests" / "test_cart.py").write_text(test)
    edit = {"path": "shop/cart.py", "old": "float(line)", "new": "float(line.replace(',', '.'))"}
    endpoint.calls = [
        ("read_file", {"path": "shop/cart.py"}),
        ("replace_text", edit),
        ("finish", {"fixed": True, "summary": "Commas."}),
    ]
    words = [
        "fix",
        "--repo",
        str(tmp_path / "shop"),
        "--test",
        "python3 -m unittest tests.test_cart",
        "--json",
        str(tmp_path / "fix.json"),
    ]
    env = {**os.environ, "OPENAI_API_KEY": KEY, "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "prodwise", *words, "--model", "openai-chat:some-model"],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads((tmp_path / "fix.json").read_text())
    assert (told["status"], told["repairer"]) == ("fixed", "agent")
    assert {one["verdict"] for one in told["gates"]} == {"pass"}
    assert "requests" in done.stderr
    assert KEY not in done.stdout + done.stderr
