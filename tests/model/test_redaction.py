"""What must go before anything is stored, what must stay, and what no input may do."""

from __future__ import annotations

import copy
import json
import time
import timeit
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from prodwise.model.errors import ConfigError
from prodwise.model.redaction import Redactor
from prodwise.model.redaction.keys import is_secret, words_of
from prodwise.model.redaction.patterns import is_card, is_iban
from tests.model.secrets_corpus import AMEX, IBAN, KEYS, MAKERS, NAMED, NO_KEYS, PASSWORD, PEM, STAYS, VISA


def kept(value: Any) -> str:
    return json.dumps(Redactor().clean(value)[0], ensure_ascii=False)


def test_the_corpus_is_large_enough() -> None:
    assert len(MAKERS) + len(NAMED) + len(KEYS) >= 80
    assert len(set(STAYS)) + len(NO_KEYS) >= 60
    assert len(set(STAYS)) >= 60


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("around", ["{}", "refused {} twice", 'got "{}".', "x={}\ny=1", "(see <{}>)"])
def test_what_gives_itself_away_goes(name: str, around: str) -> None:
    secret = MAKERS[name]
    cleaned, count = Redactor().clean({"message": around.format(secret)})
    said = cleaned["message"]
    assert secret not in said
    assert not any(part in said for part in (secret[8:], secret[:-8]) if len(part) > 8)
    assert count >= 1
    assert "redacted" in said


@pytest.mark.parametrize("name", NAMED)
def test_what_is_named_a_secret_goes(name: str) -> None:
    text, secret = NAMED[name]
    cleaned, count = Redactor().clean({"message": text})
    assert secret not in cleaned["message"], cleaned
    assert count >= 1
    assert len(cleaned["message"]) > 10, "and what stands around it stays"


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(
    "value", [PASSWORD, 987654, [PASSWORD], {"a": {"b": PASSWORD}}], ids=["text", "number", "list", "tree"]
)
def test_what_stands_under_a_secrets_name_goes(key: str, value: Any) -> None:
    for shape in (
        {key: value},
        {"a": [{"b": {key: value}}]},
        {"headers": [[key, value]]},
        {"attributes": [{"key": key, "value": value}]},
    ):
        cleaned, count = Redactor().clean(shape)
        assert PASSWORD not in json.dumps(cleaned)
        assert "987654" not in json.dumps(cleaned)
        assert count == 1
        assert key in json.dumps(cleaned), "that there was one is known"


@pytest.mark.parametrize("key", NO_KEYS)
def test_names_that_only_resemble_keep_their_values(key: str) -> None:
    assert Redactor().clean({key: "plain words", "n": {key: 5}}) == ({key: "plain words", "n": {key: 5}}, 0)


@pytest.mark.parametrize("text", STAYS)
def test_what_people_need_stays(text: str) -> None:
    assert Redactor().clean({"message": text, "list": [text]}) == ({"message": text, "list": [text]}, 0)


@pytest.mark.parametrize("value", [None, True, False, "", "None", "[Filtered]", "****"])
def test_that_there_is_no_secret_may_be_known(value: Any) -> None:
    assert Redactor().clean({"password": value}) == ({"password": value}, 0)


def test_names_are_cut_into_words() -> None:
    assert {words_of(one) for one in ("X-Api-Key", "xApiKey", "X_API_KEY", "x.api.key", "x[api][key]")} == {"x_api_key"}
    assert not is_secret("x" * 10_000)


def test_of_a_numbers_kind_its_check_digits_decide() -> None:
    assert is_card(VISA)
    assert is_card(AMEX)
    assert not any(is_card(VISA[:-1] + str(n)) for n in range(10) if str(n) != VISA[-1])
    assert is_iban(IBAN)
    assert not is_iban(IBAN[:-1] + "1")
    assert Redactor().clean({"n": int(VISA), "id": int(VISA) + 1}) == (
        {"n": "[redacted card number]", "id": int(VISA) + 1},
        1,
    )


def test_source_code_keeps_its_calls_and_loses_its_literals() -> None:
    frame = {
        "pre_context": ["token = fetch(user)", f'secret_key = "{PASSWORD}"'],
        "context_line": "session: Session = open_session(token=token)",
        "vars": {"password": PASSWORD, "token": "None", "user": "'ann'"},
    }
    cleaned, count = Redactor().clean(frame)
    assert cleaned["pre_context"] == ["token = fetch(user)", 'secret_key = "[redacted]"']
    assert cleaned["context_line"] == frame["context_line"]
    assert cleaned["vars"] == {"password": "[redacted]", "token": "None", "user": "'ann'"}
    assert count == 2


def test_names_hold_no_secret_either() -> None:
    one, other = "ann" + "@example.com", "bob" + "@example.com"
    cleaned, count = Redactor().clean({one: 1, other: 2, "tags": {f"pay {VISA}": "x"}})
    assert cleaned == {"[redacted email]": 1, "[redacted email] 2": 2, "tags": {"pay [redacted card number]": "x"}}
    assert count == 3


def test_a_team_adds_its_own_names_and_texts() -> None:
    own = Redactor(keys=[r"^customer_code$"], patterns=[r"\bKD-\d{6}\b"], addresses=True)
    assert own.clean({"customerCode": "abc", "m": "KD-123456 from 10.1.2.3, customer_code=xyz"}) == (
        {"customerCode": "[redacted]", "m": "[redacted] from [redacted], customer_code=[redacted]"},
        4,
    )
    with pytest.raises(ConfigError) as refused:
        Redactor(patterns=["("])
    assert refused.value.hint


def test_what_is_cleaned_is_a_copy_and_the_rest_is_shared() -> None:
    event = {"a": {"password": PASSWORD}, "b": {"c": [1, "plain words"]}}
    before = copy.deepcopy(event)
    cleaned, _ = Redactor().clean(event)
    assert event == before
    assert cleaned["b"] is event["b"]
    assert Redactor().clean(event["b"])[0] is event["b"]


def test_more_than_is_looked_at_is_not_kept() -> None:
    deep: Any = {"password": PASSWORD}
    for _ in range(500):
        deep = {"a": deep}
    wide = {f"k{i}": "plain words" for i in range(100_000)}
    for value in (deep, wide, ["plain words"] * 100_000, "plain words " * 100_000, {"a": ["y" * 10_000] * 100}):
        cleaned, count = Redactor().clean(value)
        assert count >= 1
        assert len(json.dumps(cleaned)) < 1_000_000
        assert PASSWORD not in json.dumps(cleaned)


def test_remembering_clean_texts_changes_nothing() -> None:
    used = Redactor()
    for _ in range(3):
        for text, _ in NAMED.values():
            assert used.clean(text) == Redactor().clean(text)
        for text in STAYS:
            assert used.clean({"context_line": text, "m": text}) == Redactor().clean({"context_line": text, "m": text})


PIECES = st.sampled_from(
    [
        *MAKERS.values(),
        *(text for text, _ in NAMED.values()),
        *KEYS,
        *STAYS,
        "=",
        ": ",
        '"',
        "'",
        "\\",
        "\n",
        "@",
        "://",
        "[redacted",
        "]",
    ]
)
TEXTS = st.one_of(
    st.text(max_size=40), st.lists(PIECES, max_size=6).map("".join), st.lists(PIECES, max_size=5).map(" ".join)
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=5), st.dictionaries(st.one_of(st.sampled_from(KEYS), TEXTS), inner, max_size=5)
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(VALUES)
def test_cleaning_twice_is_cleaning_once(value: Any) -> None:
    once, _ = Redactor().clean(value)
    twice, count = Redactor().clean(once)
    assert repr(twice) == repr(once)
    assert count == 0


@settings(max_examples=150, deadline=None)
@given(TEXTS, st.sampled_from(sorted(MAKERS)), TEXTS)
def test_a_secret_goes_whatever_stands_around_it(before: str, name: str, after: str) -> None:
    assume(MAKERS[name] not in before + after)
    assert MAKERS[name] not in kept({"m": f"{before} {MAKERS[name]} {after}"})


GROWING = (
    *(
        "token='",
        'token=\\"',
        "token=",
        "a[",
        "a.",
        "a@b.",
        "://a:",
        PEM.format("PRIVATE KEY")[:30],
        "4111 ",
        "DE89 ",
        "+1 (",
        "Bearer ",
    ),
    *("token a1", " ", "a", "-", "\\", "password\n: ", "('password', '", "%5B"),
)


@pytest.mark.parametrize("unit", GROWING)
def test_time_grows_with_length_and_no_faster(unit: str) -> None:
    def seconds(chars: int) -> float:
        text = (unit * chars)[:chars]
        return min(timeit.repeat(lambda: Redactor().clean(text), timer=time.thread_time, number=1, repeat=5))

    short, long = seconds(2_000), seconds(16_000)
    assert long < 8 * 4 * short + 0.002, "8 times the text: 8 times the time, not 64 times"
