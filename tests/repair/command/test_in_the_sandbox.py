"""The same in the true sandbox: no network but the door, no file of this machine, no variable but those that were given."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from prodwise.loop.repair.door import Way
from prodwise.loop.verify.patch import Scene, judge
from prodwise.model.errors import Refused
from prodwise.model.patch import Proposal
from prodwise.model.redaction import Redactor
from prodwise.repair.command import Command, CommandAgent
from prodwise.repair.transcript import Ended
from prodwise.repair.veil import Veil
from prodwise.sandbox.workshop import Workshop
from prodwise.testing import coding_agent
from tests.repair import broken_shop
from tests.repair.model_server import Asked, serving

KEY = "key-of-the-model-7c1b"


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    place = tmp_path_factory.mktemp("shop")
    broken_shop.made(place)
    try:
        with Workshop(place, (sys.executable,)) as made:
            yield made
    except Refused as error:
        pytest.skip(f"not run: {error.message}")


@pytest.fixture(scope="module")
def model() -> Iterator[Asked]:
    with serving() as asked:
        yield asked


def repaired(
    workshop: Workshop, model: Asked, folder: Path, mode: str, *more: str, seconds: float = 30.0
) -> tuple[list[Proposal], Ended, dict[str, str], str]:
    ends: list[Ended] = []
    way = Way("localhost", model.port, tls=False, private=True)
    argv = ("python3", "-c", Path(coding_agent.__file__).read_text(), mode, "{prompt}", *more)
    env = (("MODEL_HOST", f"localhost:{model.port}"), ("MODEL_KEY", KEY))
    veil = Veil(Redactor(), [broken_shop.MARKER, KEY])
    agent = CommandAgent(Command(argv, way, "", env, seconds), veil=veil, folder=folder, on_end=ends.append)
    proposals = list(
        agent.propose(
            broken_shop.fault(command=("python3", "-m", "unittest", "tests.test_cart")), workshop, workshop.base, 60
        )
    )
    text = ends[0].transcript.read_text()
    assert not any(secret in text for secret in (*broken_shop.SECRETS, KEY))
    outputs = [line["output"] for line in map(json.loads, text.splitlines()) if line["kind"] == "command"]
    said = json.loads(outputs[0]) if outputs and outputs[0].startswith("{") else {}
    return proposals, ends[0], said, text


def test_it_reaches_its_model_and_its_fix_is_proposed(workshop: Workshop, model: Asked, tmp_path: Path) -> None:
    proposals, ended, _, text = repaired(workshop, model, tmp_path, "good")
    assert ended.why == "proposed", text
    assert proposals[0].diff.count("diff --git") == 1
    assert model.requests[-1][1]["x-api-key"] == KEY


def test_there_is_no_way_past_the_door(workshop: Workshop, model: Asked, tmp_path: Path) -> None:
    """The model's own server is on this machine's loopback: in the sandbox that is another one."""
    _, _, said, text = repaired(workshop, model, tmp_path, "direct", f"127.0.0.1:{model.port}")
    assert said["direct"].startswith("no: "), text
    _, _, said, text = repaired(workshop, model, tmp_path, "elsewhere")
    assert len(said) == 9, text
    assert all(answer.startswith("no: ") for answer in said.values()), said


def test_it_finds_no_secret_but_the_key_that_it_was_lent(
    workshop: Workshop, model: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what was lent does not leave in its diff."""
    monkeypatch.setenv("PRODWISE_TEST_SECRET", "hunter2-of-the-healer")
    proposals, ended, said, text = repaired(workshop, model, tmp_path, "nosy")
    assert "hunter2" not in text
    assert "PRODWISE_TEST_SECRET" not in said
    assert "hunter2" not in "".join(said.values())
    assert said["~/.ssh/id_rsa"].startswith("no: ")
    assert said["../.env"].startswith("no: ")
    assert not any(secret in "".join(said.values()) for secret in broken_shop.SECRETS)
    assert (proposals, ended.why) == ([], "its change holds a secret")


def test_what_spoils_the_tests_never_passes_the_policy(workshop: Workshop, model: Asked, tmp_path: Path) -> None:
    """It makes the check pass, and is proposed: the gates are there to see how."""
    proposals, ended, _, _ = repaired(workshop, model, tmp_path, "spoils")
    assert ended.why == "proposed"
    broken = {one.rule for one in judge(proposals[0], Scene({}))}
    assert {"protected path", "no test touched"} <= broken


def test_one_that_never_ends_is_ended(workshop: Workshop, model: Asked, tmp_path: Path) -> None:
    proposals, ended, _, _ = repaired(workshop, model, tmp_path, "forever", seconds=3.0)
    assert (proposals, ended.why) == ([], "time")
