"""Who may let a model see the code: a person on this instance, and the repository only less than that."""

from __future__ import annotations

from pathlib import Path

import pytest

from prodwise.config import validate
from prodwise.config.repair import RepairLimits, load_repair
from prodwise.loop.repair.spending import Bounds, Price, Spent, room
from prodwise.model.errors import ConfigError
from prodwise.repair.command.repairer import KEPT_OUTSIDE
from prodwise.wiring.models import command_of, with_models

MODEL = '[repair]\nmodel = "openai-chat:some-model"\nkey_env = "THE_KEY"\n'
COMMAND = '[repair.command]\nargv = ["agent", "{prompt}"]\n'


def instance(folder: Path, text: str) -> Path:
    state = folder / ".prodwise"
    state.mkdir(exist_ok=True)
    (state / "repair.toml").write_text(text)
    (state / "repair.toml").chmod(0o600)
    return state


def app(**repair: object) -> dict[str, object]:
    return {"version": 1, "services": {"web": {"command": "true"}}, "repair": repair}


def test_without_a_persons_word_there_is_no_model(tmp_path: Path) -> None:
    assert with_models(tmp_path, validate(app(), "prodwise.toml")) == ()


def test_the_repository_cannot_name_a_model_or_a_command() -> None:
    for key in ("model", "command", "key_env", "prices"):
        with pytest.raises(ConfigError, match=f"unknown key 'repair.{key}'"):
            validate(app(**{key: "x"}), "prodwise.toml")


def test_the_stricter_bound_holds(tmp_path: Path) -> None:
    setup = load_repair(instance(tmp_path, MODEL + "steps = 20\ntokens = 50000\ndollars = 2.0\n"))
    assert setup.bounds(RepairLimits()) == Bounds(20, 50_000, 2.0, 600.0)
    assert setup.bounds(RepairLimits(steps=500, tokens=1_000, dollars=0.5, seconds=60)) == Bounds(20, 1_000, 0.5, 60.0)


def test_the_repository_can_keep_models_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THE_KEY", "key-of-the-model-7c1b")
    instance(tmp_path, MODEL)
    assert [one.name for one in with_models(tmp_path, validate(app(), ""))] == ["agent"]
    assert with_models(tmp_path, validate(app(models=False), "")) == ()


def test_both_are_set_up_by_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THE_KEY", "key-of-the-model-7c1b")
    instance(tmp_path, MODEL + COMMAND + 'host = "api.example.com"\n')
    assert [one.name for one in with_models(tmp_path, validate(app(), ""))] == ["agent", "command"]


def test_a_file_that_others_may_write_is_not_believed(tmp_path: Path) -> None:
    state = instance(tmp_path, MODEL)
    (state / "repair.toml").chmod(0o666)
    with pytest.raises(ConfigError, match="can be written by others"):
        load_repair(state)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[repair]\nmodle = 'x'\n", "Extra inputs"),
        ("[other]\n", "unknown key 'other'"),
        ("[repair\n", "not valid TOML"),
        ("[repair]\nautomatic = 3\n", "name one, or a command"),
        ('[repair]\nautomatic = 3\nmodel = "some:model"\n', "automatic needs key_env or key_file"),
        (
            '[repair]\nautomatic = 3\nmodel = "some:model"\nkey_env = "GITHUB_TOKEN"\n',
            "nothing that a search is ever given",
        ),
        (COMMAND, "host or base_url"),
        (COMMAND + 'host = "https://api.example.com"\n', "plain name"),
        (COMMAND + 'base_url = "http://api.example.com"\nbase_url_env = "URL"\n', "https"),
        (COMMAND + 'base_url = "https://me@api.example.com"\nbase_url_env = "URL"\n', "https"),
        (COMMAND + 'host = "a.example"\ncredential_env = "MODEL_KEY"\n', "goes with lend_credential"),
        (COMMAND + 'host = "a.example"\nlend_credential = true\n', "goes with lend_credential"),
        (
            COMMAND + 'host = "a.example"\nlend_credential = true\ncredential_env = "GITHUB_TOKEN"\n',
            "GITHUB_TOKEN is nothing",
        ),
        (COMMAND + 'host = "a.example"\nenv = { GH_TOKEN = "x" }\n', "GH_TOKEN is nothing"),
        ('[repair]\nkey_env = "A"\nkey_file = "b"\n', "two places"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_reason(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        load_repair(instance(tmp_path, text))


def test_a_key_that_is_not_there_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("THE_KEY", raising=False)
    instance(tmp_path, MODEL)
    with pytest.raises(ConfigError, match="there is no key in THE_KEY"):
        with_models(tmp_path, validate(app(), ""))


def test_money_without_a_price_is_refused_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THE_KEY", "key-of-the-model-7c1b")
    instance(tmp_path, MODEL + "dollars = 1.0\n")
    with pytest.raises(ConfigError, match="price of 'some-model' is not known"):
        with_models(tmp_path, validate(app(), ""))
    instance(tmp_path, MODEL + 'dollars = 1.0\n[repair.prices."openai-chat:some-model"]\ninput = 3\noutput = 15\n')
    assert len(with_models(tmp_path, validate(app(), ""))) == 1


def test_a_credential_is_lent_only_if_a_person_lends_it(tmp_path: Path) -> None:
    lent = COMMAND + 'host = "a.example"\ncredential_env = "MODEL_KEY"\nlend_credential = true\n'
    setup = load_repair(instance(tmp_path, lent)).command
    assert setup is not None
    assert command_of(setup, "true-key").env == (("MODEL_KEY", "true-key"),)
    kept = COMMAND + 'base_url = "https://a.example/v1"\nbase_url_env = "URL"\n'
    kept += 'credential_env = "MODEL_KEY"\ncredential_header = "Authorization"\n'
    setup = load_repair(instance(tmp_path, kept)).command
    assert setup is not None
    command = command_of(setup, "true-key")
    assert command.env == (("MODEL_KEY", KEPT_OUTSIDE),)
    assert (command.way.host, command.way.path, command.way.value) == ("a.example", "/v1", "Bearer true-key")


@pytest.mark.parametrize(
    ("spent", "prompt", "over"),
    [
        (Spent(), 1_000, ""),
        (Spent(30, 0, 0), 1_000, "steps"),
        (Spent(1, 399_000, 0), 1_000, "tokens"),
        (Spent(1, 0, 0), 400_000, "tokens"),
        (Spent(1, 300_000, 6_300), 1_000, "money"),
        (Spent(1, 10, 10), 333_000, "money"),
    ],
)
def test_the_worst_case_of_the_next_request_fits_every_bound(spent: Spent, prompt: int, over: str) -> None:
    price, bounds = Price(3.0, 15.0), Bounds(30, 400_000, 1.0, 600.0)
    found = room(bounds, price, spent, prompt, 0.0)
    assert found.over == over
    if not over:
        worst = spent.plus(prompt, found.answer_tokens)
        assert worst.tokens <= bounds.tokens
        assert (worst.dollars(price) or 0.0) <= bounds.dollars
