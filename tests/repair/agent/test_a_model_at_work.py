"""A model with the tools of a scratch tree: it fixes what it can, and every bound ends it by name."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from pydantic_ai.models.test import TestModel

from prodwise import clock
from prodwise.loop.repair.spending import Bounds, Price
from prodwise.model.action import ActionKind
from prodwise.model.errors import ConfigError
from prodwise.model.patch import Fault, Proposal
from prodwise.model.redaction import Redactor
from prodwise.ports.repair import Limits
from prodwise.repair.agent import Agent
from prodwise.repair.agent.desk import Desk, NotDone, WriteFile
from prodwise.repair.agent.talk import model_of
from prodwise.repair.transcript import Ended
from prodwise.repair.veil import Veil
from prodwise.testing.bare_workshop import BareWorkshop
from prodwise.testing.scripted_model import Say, Script, finish, use
from tests.repair import broken_shop
from tests.repair.broken_shop import RIGHT

Shop = tuple[BareWorkshop, str]


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return broken_shop.made(tmp_path / "shop")


def repaired(
    shop: Shop,
    script: Script,
    tmp_path: Path,
    *,
    bounds: Bounds | None = None,
    price: Price | None = None,
    fault: Fault | None = None,
) -> tuple[list[Proposal], Ended]:
    ends: list[Ended] = []
    veil = Veil(Redactor(), [broken_shop.MARKER])
    agent = Agent(script.model(), veil=veil, folder=tmp_path / "kept", bounds=bounds, price=price, on_end=ends.append)
    proposals = list(agent.propose(fault or broken_shop.fault(), shop[0], shop[1], 60.0))
    assert len(ends) == 1
    return proposals, ends[0]


def test_it_looks_changes_tries_and_proposes_its_edits_alone(shop: Shop, tmp_path: Path) -> None:
    script = Script([
        use("list_files"), use("search_text", text="prices[1:]"), use("read_file", path="shop/cart.py"), use("run_check"),
        use("replace_text", **RIGHT), use("run_test", name="tests.test_cart"), finish(summary="The first price was left out."),
    ])  # fmt: skip
    proposals, ended = repaired(shop, script, tmp_path)
    assert [one.kind for one in proposals] == [ActionKind.PATCH]
    assert "-    for price in prices[1:]:" in proposals[0].diff
    assert "+    for price in prices:" in proposals[0].diff
    assert proposals[0].diff.count("diff --git") == 1
    assert proposals[0].why == "a model's fix: The first price was left out"
    assert ended.why == "proposed"
    assert (ended.steps, ended.dollars) == (7, None)
    assert script.tools == {
        "list_files", "read_file", "search_text", "run_check", "run_test", "replace_text", "write_file", "finish"
    }  # fmt: skip
    assert "exit code 1" in script.answers[3]
    assert "exit code 0" in script.answers[5]


def test_the_transcript_tells_every_step_and_is_its_owners_alone(shop: Shop, tmp_path: Path) -> None:
    _, ended = repaired(
        shop, Script([use("read_file", path="shop/settings.py"), use("replace_text", **RIGHT), finish()]), tmp_path
    )
    lines = [json.loads(line) for line in ended.transcript.read_text().splitlines()]
    assert [line["kind"] for line in lines] == ["opening", "model", "tool", "model", "tool", "model", "tool", "end"]
    assert lines[-1]["why"] == "proposed"
    assert ended.transcript.stat().st_mode & 0o077 == 0
    assert not any(secret in ended.transcript.read_text() for secret in broken_shop.SECRETS)


def test_it_makes_no_package_of_a_folder_of_scripts_by_writing_its_mark(shop: Shop, tmp_path: Path) -> None:
    with shop[0].fresh(shop[1]) as tree:
        desk = Desk(tree, broken_shop.fault(), Veil(Redactor()), Limits(), clock.monotonic() + 60)
        (tree.root / "shop/helm").mkdir()
        (tree.root / "shop/helm/__init__.py").touch()
        (tree.root / "shop/k8s").mkdir()
        assert desk.act(WriteFile(path="shop/helm/cart.py", text="")) == "Written."
        (tree.root / "shop/k8s/__init__.py").touch()
        desk.written["shop/k8s/__init__.py"] = b""
        with pytest.raises(NotDone, match="deploy manifests"):
            desk.act(WriteFile(path="shop/k8s/cart.py", text=""))


def test_a_claim_is_checked_in_a_fresh_checkout(shop: Shop, tmp_path: Path) -> None:
    """The first finish lies; what the check says is told; the second one is true."""
    wrong = use("replace_text", path="shop/cart.py", old="result = 0", new="result = 7")
    script = Script([finish(), wrong, finish(), use("replace_text", path="shop/cart.py", old="result = 7", new="result = 0"),
                     use("replace_text", **RIGHT), finish()])  # fmt: skip
    proposals, ended = repaired(shop, script, tmp_path)
    assert ended.why == "proposed"
    assert len(proposals) == 1
    assert "Nothing was changed" in script.answers[0]
    assert "In a fresh checkout with your edits alone: exit code 1" in script.answers[2]


@pytest.mark.parametrize(
    ("bounds", "price", "why"),
    [
        (Bounds(steps=4), None, "steps"),
        (Bounds(tokens=9_000), None, "tokens"),
        (Bounds(dollars=0.05), Price(3.0, 15.0), "money"),
        (Bounds(seconds=2.0), None, "time"),
    ],
)
def test_each_bound_ends_it_by_its_name(
    shop: Shop, tmp_path: Path, bounds: Bounds, price: Price | None, why: str
) -> None:
    script = Script(
        lambda _: Say(calls=(("read_file", {"path": "shop/cart.py"}),), seconds=0.3 if why == "time" else 0.0)
    )
    proposals, ended = repaired(shop, script, tmp_path, bounds=bounds, price=price)
    assert (proposals, ended.why) == ([], why)
    assert ended.steps <= bounds.steps
    assert ended.tokens <= bounds.tokens
    assert ended.dollars is None or ended.dollars <= bounds.dollars
    assert json.loads(ended.transcript.read_text().splitlines()[-1])["why"] == why


def test_money_is_not_bounded_by_a_guess(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="price of 'scripted' is not known"):
        Agent(Script([Say()]).model(), veil=Veil(Redactor()), folder=tmp_path, bounds=Bounds(dollars=1.0))


def test_a_model_that_never_answers_is_left_in_time(shop: Shop, tmp_path: Path) -> None:
    proposals, ended = repaired(shop, Script([Say(seconds=3_600)]), tmp_path, bounds=Bounds(seconds=1.5))
    assert (proposals, ended.why) == ([], "time")
    assert ended.seconds < 30


def test_a_check_that_passes_needs_no_model(shop: Shop, tmp_path: Path) -> None:
    script = Script([finish()])
    proposals, ended = repaired(shop, script, tmp_path, fault=broken_shop.fault(command=(sys.executable, "-c", "pass")))
    assert (proposals, ended.why, script.asked) == ([], "the check passes already", 0)


def test_pydantic_ais_own_test_model_plays_every_tool_and_breaks_nothing(shop: Shop, tmp_path: Path) -> None:
    ends: list[Ended] = []
    agent = Agent(
        TestModel(), veil=Veil(Redactor()), folder=tmp_path / "kept", bounds=Bounds(seconds=30), on_end=ends.append
    )
    assert list(agent.propose(broken_shop.fault(), shop[0], shop[1], 60.0)) == []
    assert ends[0].why == "given up"


@pytest.mark.parametrize(("name", "hint"), [("nonsense", "docs/repairs.md"), ("openai:gpt-5", "docs/repairs.md")])
def test_a_model_that_cannot_be_had_is_said_with_a_hint(monkeypatch: pytest.MonkeyPatch, name: str, hint: str) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(ConfigError) as told:
        model_of(name)
    assert hint in told.value.hint


def test_without_the_extra_the_hint_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydantic_ai.models", None)
    with pytest.raises(ConfigError) as told:
        model_of("openai:gpt-5")
    assert told.value.hint == "pip install 'prodwise[agent]'"
