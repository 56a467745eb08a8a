"""Settings: told apart as the formats' own readers do, put back to the byte, in an order, and told without secrets."""

from __future__ import annotations

import configparser
import json
import tomllib
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from prodwise.loop.choose.settings import changed, form_of, planned, put_back, why
from prodwise.loop.choose.settings.put import entries
from prodwise.loop.choose.settings.told import NotApart, NotPut, Unreadable
from prodwise.model.patch import Fault
from prodwise.model.setting import Change, Form, Then

Values = dict[tuple[str, str], int]


def toml(values: Values, note: str) -> str:
    return _sections(values, "[{}]", "{} = {}" + note)


def ini(values: Values, note: str) -> str:
    return _sections(values, "[{}]", "{}: {}")


def yml(values: Values, note: str) -> str:
    return _sections(values, "{}:", "  {}: {}" + note)


def _sections(values: Values, head: str, row: str) -> str:
    rows = ["# first"]
    for section in dict.fromkeys(one for one, _ in values):
        rows += [
            head.format(section),
            *(row.format(name, value) for (of, name), value in values.items() if of == section),
            "",
        ]
    return "\n".join(rows)


def jsn(values: Values, note: str) -> str:
    whole: dict[str, dict[str, int]] = {}
    for (section, name), value in values.items():
        whole.setdefault(section, {})[name] = value
    return json.dumps(whole, indent=len(note) or None) + "\n"


def py(values: Values, note: str) -> str:
    rows = ["import os", ""]
    for section in dict.fromkeys(one for one, _ in values):
        rows += [
            f"class {section.title()}:",
            *(f"    {name.upper()} = {value}{note}" for (of, name), value in values.items() if of == section),
        ]
        rows += ["    def go(self): ...", ""]
    return "\n".join(rows)


WRITERS: dict[str, Callable[[Values, str], str]] = {
    "app.toml": toml, "app.ini": ini, "config/app.yaml": yml, "config.json": jsn, "app/settings.py": py,
}  # fmt: skip
KEYS = [(section, name) for section in ("cart", "paying") for name in ("most", "wait", "first")]
VALUES = st.dictionaries(st.sampled_from(KEYS), st.integers(0, 99), min_size=1)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(WRITERS)), VALUES, VALUES, st.sampled_from(["", "  # why"]), st.data())
def test_settings_go_back_and_all_else_stays(
    path: str, now: Values, then: Values, note: str, data: st.DataObject
) -> None:
    """One at a time and together; each leaves every line that is not its own."""
    text, before = WRITERS[path](now, note), WRITERS[path](then, "")
    moves = changed(path, text, [Then("b", text), Then("a", before)])
    assert not moves.left or path == "app/settings.py", "a class that is gone"
    if not moves.changes or moves.left:
        return
    one = data.draw(st.sampled_from(moves.changes))
    made = put_back(text, [one])
    assert made != text
    if one.hunk < 0:
        assert values(path, made) == values(path, text, but=one)
        if path != "config.json":
            rows, after = text.splitlines(), made.splitlines()
            assert len([row for row in rows if row not in after]) <= 1
            assert len([row for row in after if row not in rows]) <= 1
    if all(change.hunk < 0 for change in moves.changes):
        with suppress(NotPut):  # of a section that would be empty
            assert values(path, put_back(text, moves.changes)) == values(path, before)
    else:
        assert put_back(text, moves.changes) == before


def values(path: str, text: str, but: Change | None = None) -> dict[tuple[str, ...], str]:
    found = {key: one.value for key, one in entries(path, text).items()}
    if but is not None:
        found.pop(but.key, None)
        found |= {but.key: but.before} if but.before is not None else {}
    return found


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(WRITERS)), VALUES, st.integers(100, 200), st.data())
def test_there_and_back_is_the_same_text(path: str, now: Values, other: int, data: st.DataObject) -> None:
    key = data.draw(st.sampled_from(sorted(now)))
    text, before = WRITERS[path](now, "  # a"), WRITERS[path]({**now, key: other}, " # b")
    (one,) = changed(path, text, [Then("b", text), Then("a", before)]).changes
    made = put_back(text, [one])
    (back,) = changed(path, made, [Then("c", made), Then("b", text)]).changes
    assert put_back(made, [back]) == text


YAMLS = [
    "a: 1\nb:\n  c: 2  # two\n  d: 'it''s # no comment'\n",
    '---\na: "x: y"\nlist:\n- 1\n- b: 2\n  c: 3\nafter: yes\n',
    "text: |\n  one\n\n  # two\nfolded: >-\n  a\n  b\nz: [1, 2, {x: 1}]\n",
    "a:\nb:\n    c:\n        d: http://x/y#z\n    e: ~\n",
    "'quoted key': 1\n\"other\": 2\ndotted.key: -3\n",
    "a:\n  # only a comment\n  b: 1\n# c: 2\n",
]


@pytest.mark.parametrize("text", YAMLS)
def test_yaml_is_read_as_its_library_reads_it(text: str) -> None:
    found = {
        key: yaml.safe_load(f"k:{'' if one.value[:1] == chr(10) else ' '}{one.value}\n")["k"]
        for key, one in entries("config.yaml", text).items()
    }
    assert found == dict(_leaves(yaml.safe_load(text), ()))


def _leaves(value: Any, key: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict) and (not key or "x" not in value):
        for name, one in value.items():
            yield from _leaves(one, (*key, name))
    else:
        yield key, value


@pytest.mark.parametrize(
    "text",
    [
        "a: &x 1\nb: *x\n", "<<: {a: 1}\n", "a: 1\n---\nb: 2\n", "a: one\n  two\n", "- a\n- b\n", "a: 'open\n  end'\n", "a: 1\na: 2\n",
        "? a\n: b\n", "a: !env X\n", "just text\n", "{a: 1}\n", "a: [1,\n  2]\n",
    ],
)  # fmt: skip
def test_yaml_that_is_not_told_apart_is_said_so(text: str) -> None:
    with pytest.raises(NotApart):
        entries("config.yaml", text)


INIS = ["[a]\nx = 1\ny: two words ; kept\n z\n\n[b]\n# c\nx=\n", "[one two]\nkey with blanks = v = w\n"]


@pytest.mark.parametrize("text", INIS)
def test_ini_is_read_as_its_library_reads_it(text: str) -> None:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(text)
    truth = {(section, name): value for section in parser.sections() for name, value in parser[section].items()}
    found = {
        key: "\n".join(row.strip() for row in one.value.splitlines()) for key, one in entries("a.ini", text).items()
    }
    assert found == truth


TOMLS = [
    'a = 1\n"b c".d = """\nx = [ # no\n""""\n[t]\ne = [1, # one\n  "]"]\n'
    "[[u]]\nf = {g = 1}\n[[u]]\nf = '''x'''\n[[u.v]]\nw = 1979-05-27T07:32:00Z\n",
    "a.b.c = 1\na.b.d = 2 # x\n[ x . y ]\nz = 'C:\\q'\n",
]


@pytest.mark.parametrize("text", TOMLS)
def test_toml_is_told_apart_to_the_last_character(text: str) -> None:
    found = entries("a.toml", text)
    assert all(text[one.start : one.end] == one.value for one in found.values())
    assert all(tomllib.loads(f"v = {one.value}") for one in found.values())
    assert {".".join(key) for key in found} in (
        {"a", "b c.d", "t.e", "u.#0.f", "u.#1.f", "u.#1.v.#0.w"}, {"a.b.c", "a.b.d", "x.y.z"},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("path", "text"),
    [("a.toml", "a = \n"), ("config.json", "{'a': 1}"), ("settings.py", "A = (\n"), ("config.yaml", "a:\n\tb: 1\n")],
)
def test_what_its_form_does_not_take_is_named(path: str, text: str) -> None:
    with pytest.raises(Unreadable):
        entries(path, text)
    moves = changed(path, text, [Then("b", text), Then("a", "")])
    assert moves.changes == ()
    assert moves.left[0].why.startswith("it is no ")


def test_lines_go_back_where_settings_are_not_told_apart() -> None:
    now = "a: &x\n  b: 1\nc: *x\nd: 2\n\ne: 3\n"
    before = now.replace("b: 1", "b: 7").replace("e: 3", "e: 4")
    moves = changed("config.yaml", now, [Then("b", now), Then("a", before)])
    assert [(one.name, one.now, one.before) for one in moves.changes] == [
        ("a: &x.line 2", "  b: 1\n", "  b: 7\n"), ("line 6", "e: 3\n", "e: 4\n"),
    ]  # fmt: skip
    assert put_back(now, moves.changes[:1]) == now.replace("b: 1", "b: 7")
    assert put_back(now, moves.changes) == before


def test_code_is_never_put_back_by_lines() -> None:
    now, before = "A = 1\nA = 2\n", "A = 1\nA = 3\n"
    moves = changed("settings.py", now, [Then("b", now), Then("a", before)])
    assert moves.changes == ()
    assert "twice" in moves.left[0].why


def test_only_constants_of_a_settings_module_count() -> None:
    text = "A = 1\nb = 2\nC = f()\nD = E = 3\nF = 1; G = 2\nH: int = -4\nI = {'a': [1, (2, None)]}\nJ = 'é' # k\n"
    text += "class K:\n    L = 2 ** 3\n    m = 1\n"
    assert {".".join(key): one.value for key, one in entries("settings.py", text).items()} == {
        "A": "1", "H": "-4", "I": "{'a': [1, (2, None)]}", "J": "'é'", "K.L": "2 ** 3",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("shop.toml", Form.TOML), ("config/app.yaml", Form.YAML), ("data/prices.yaml", None), ("appsettings.json", Form.JSON),
        ("locale/de.json", None), ("app/settings/base.py", Form.PYTHON), ("app/views.py", None), ("app/shop_config.py", Form.PYTHON),
        ("src/main/resources/application.properties", Form.PROPERTIES), ("flags/new_cart", Form.FLAG), (".env.example", Form.ENV),
        (".env", None), ("README.md", None), ("a.ini", Form.INI),
    ],
)  # fmt: skip
def test_which_files_hold_settings(path: str, form: Form | None) -> None:
    assert form_of(path) is form


def test_a_setting_goes_to_what_it_was_before_it_last_changed() -> None:
    """Or, of a release, to what the release before had, whatever it was in between."""
    texts = ["a = 1\nb = 1\n", "a = 2\nb = 1\n", "a = 3\nb = 1\n", "a = 3\nb = 9\n"]
    older = [Then(f"c{number}", text) for number, text in reversed(list(enumerate(texts)))]
    last = changed("a.toml", texts[-1], older)
    assert [(one.name, one.now, one.before, one.by) for one in last.changes] == [
        ("b", "9", "1", "c3"),
        ("a", "3", "2", "c2"),
    ]
    whole = changed("a.toml", texts[-1], older, whole=True)
    assert [(one.name, one.before, one.by) for one in whole.changes] == [("b", "1", "c3"), ("a", "1", "c2")]
    there_and_back = [Then("c2", "a = 1\n"), Then("c1", "a = 2\n"), Then("c0", "a = 1\n")]
    assert changed("a.toml", "a = 1\n", there_and_back, whole=True).changes == ()


def change(key: str, path: str = "a.toml", by: str = "c1", now: str = "2", before: str = "1") -> Change:
    return Change(path, tuple(key.split(".")), now, before, by, "")


def test_the_smallest_set_is_tried_first() -> None:
    """What the fault speaks of begins, then suspect commits; all that stand alone rank alike."""
    all_of = [change("a"), change("cart.waitSeconds"), change("c", by="c9"), change("d", path="b.toml")]
    found = planned(all_of, Fault(("x",), output="KeyError: no wait_seconds", suspects=("c9",)))
    assert [tuple(one.name for one in each.changes) for each in found] == [
        ("cart.waitSeconds",), ("c",), ("a",), ("d",), ("a", "cart.waitSeconds", "c"), ("a", "cart.waitSeconds", "c", "d"),
    ]  # fmt: skip
    assert [one.rank for one in found] == [0, 0, 0, 0, 1, 2]
    assert len(planned([change(f"k{number}") for number in range(50)], Fault(("x",)))) == 13


def test_a_file_that_was_written_anew_is_left_alone() -> None:
    now, before = ("".join(f"k{number} = {value}\n" for number in range(70)) for value in (1, 2))
    moves = changed("a.toml", now, [Then("b", now), Then("a", before)])
    assert moves.changes == ()
    assert "written anew" in moves.left[0].why


def test_what_is_secret_is_neither_put_back_nor_told() -> None:
    now = 'store_dsn = "postgres://shop:one-two-3@db/x"\nmost = 2\napi_key = "a1b2c3d4e5f6"\n'
    before = now.replace("one-two-3", "four-five-6").replace("a1b2", "z9y8").replace("most = 2", "most = 20")
    moves = changed("a.toml", now, [Then("b", now), Then("a", before)])
    assert [one.name for one in moves.changes] == ["most"]
    assert {one.name for one in moves.left} == {"store_dsn", "api_key"}
    for one in (change("url", now='"https://u:hunter22@x/"'), change("mailer.password", before='"hunter22"')):
        assert "hunter22" not in why([one], lambda commit: commit)
        assert "hunter22" not in why([one, change("b")], lambda commit: commit)
    assert "made it 2; undo: set it to 2" in why([change("a")], str)
    assert "\n" not in why([change("a", now='"""x\n\x1b[31my"""')], str)
