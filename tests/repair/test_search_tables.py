"""Edits of tables and literals that the failing test suggests: an entry, a word, a character, a spelling."""

from __future__ import annotations

import ast

import pytest

from prodwise.repair.edits import Edit
from prodwise.repair.search import together
from prodwise.repair.source import Source
from prodwise.repair.templates import expected, tables, texts


def makes(made: list[Edit], text: str, wanted: str) -> bool:
    return any(ast.dump(ast.parse(edit.applied(text))) == ast.dump(ast.parse(wanted)) for edit in made)


@pytest.mark.parametrize(
    ("bad", "said", "good"),
    [
        ("{'ASC': A.x, 'BY': A.x}", "select div(1)", "{'ASC': A.x, 'BY': A.x, 'DIV': A.x}"),
        ("{'en': l_EN.W_EN(), 'fr': l_FR.W_FR()}", "fa", "{'en': l_EN.W_EN(), 'fr': l_FR.W_FR(), 'fa': l_FA.W_FA()}"),
        ("{'a': 1, 'b': 2,}", "c", "{'a': 1, 'b': 2, 'c': 2}"),
        ("['append', 'sort']", "{{ [].clear() }}", "['append', 'sort', 'clear']"),
        ("('\"', \"'\")", "`name`", "('\"', \"'\", '`')"),
        ("frozenset(' \\t')", "a\xa0b", "frozenset(' \\t\\xa0')"),
        ("x.strip('-_')", "a", "x.strip('-')"),
        ("{'root': 1, 'shop.error': 2}", "shop.root", "{'shop.root': 1, 'shop.error': 2}"),
        ("{'INDITCATOR': 1, 'b': 2}", "the indicator", "{'INDICATOR': 1, 'b': 2}"),
    ],
)
def test_a_table_gets_what_the_test_speaks_of(bad: str, said: str, good: str) -> None:
    text = f"T = {bad}\n"
    source = Source("m.py", text)
    made = list(tables.edits(source, source.statements[0], (said,)))
    assert makes(made, text, f"T = {good}\n"), [edit.new for edit in made]


@pytest.mark.parametrize(("numbers", "wanted"), [((301, 308), [308]), ((308, 5), []), ((301, 302), [])])
def test_numbers_get_the_one_that_the_test_speaks_of_beside_them(numbers: tuple[int, ...], wanted: list[int]) -> None:
    source = Source("m.py", "T = (301, 302)\n")
    made = [edit.new for edit in tables.edits(source, source.statements[0], (), numbers)]
    assert made == [f", {one}" for one in wanted]


def test_numbers_are_read_in_the_whole_test() -> None:
    text = "def test_a():\n    def ask(code, last=7):\n        assert f(code, 'a', True)\n    ask(301)\n    ask(308)\n"
    assert texts.numbers_of(Source("test_m.py", text), 3) == (7, 301, 308)
    assert texts.numbers_of(None, 3) == ()


def test_the_same_is_left_out_of_two_of_one_function() -> None:
    """Each alone is not enough."""
    text = "def f(a):\n    if a in (301, 302):\n        return 1\n    return a == 5 or a in (301, 307)\n"
    source = Source("m.py", text)
    placed = [together.Placed(edit, source, one) for one in source.statements
              for edit in tables.edits(source, one, (), (301, 308))]  # fmt: skip
    (both,) = [one.edit.applied(text) for one in together.joined(placed)]
    assert both == text.replace("302)", "302, 308)").replace("307)", "307, 308)")


def test_a_table_is_left_alone_where_the_test_holds_no_text() -> None:
    source = Source("m.py", "T = {'a': 1, 'b': 2}\nU = ['a', 'b']\n")
    assert not [edit for one in source.statements for edit in tables.edits(source, one, ())]


def test_texts_of_any_length_are_read_for_their_words() -> None:
    long = "select a from b " * 10
    test = Source("test_m.py", f"def test_a():\n    assert f('one') == {long!r}\n")
    assert texts.of_test(test, 2) == ("one",)
    assert tables.words_of(texts.of_test(test, 2, texts.LONG_MOST)) == ("one", "select", "from")


@pytest.mark.parametrize(
    "message",
    [
        "assert 'ninty one' == 'ninety one'",
        "E       AssertionError: assert 'x...' == 'y...'\nE         - ninety one\nE         ?    -\nE         + ninty one",
    ],
)
def test_a_word_is_spelt_as_expected(message: str) -> None:
    text = "T = ('ninty', 'eighty')\n"
    source = Source("m.py", text)
    made = list(expected.edits(source, source.statements[0], message))
    assert makes(made, text, "T = ('ninety', 'eighty')\n"), [edit.new for edit in made]


@pytest.mark.parametrize(
    "text", ["T = \"one of 'no', '1' or %s\" % x\n", "T = (\"It \"\n\"one of 'no', '1' or %s\" % x)\n"]
)
def test_a_literal_reads_as_the_part_of_the_expected_text_that_it_makes(text: str) -> None:
    source = Source("m.py", text)
    message = "AssertionError: \"It is one of 'no', 'off', '1' or 2\" does not match \"It is one of 'no', '1' or 2\""
    made = list(expected.edits(source, source.statements[0], message))
    assert makes(made, text, text.replace("'no', ", "'no', 'off', ")), [edit.new for edit in made]


def test_a_chain_of_replacements_has_one_more() -> None:
    text = "T = x.replace('io', 'o').replace('au', 'u')\n"
    source = Source("m.py", text)
    made = list(expected.edits(source, source.statements[0], "AssertionError: 'ventiuno' != 'ventuno'"))
    assert makes(made, text, f"{text.strip()}.replace('iu', 'u')\n"), [edit.new for edit in made]
