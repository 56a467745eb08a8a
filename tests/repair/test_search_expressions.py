"""Edits of an expression that the file around it, the failing test, or the failing call suggests."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from prodwise.repair.edits import Edit
from prodwise.repair.search import candidates
from prodwise.repair.source import Function, Source
from prodwise.repair.templates import asked, texts
from prodwise.repair.values import Call, Calls, Value
from tests.repair.small_programs import made


def same(one: str, two: str) -> bool:
    return ast.dump(ast.parse(one)) == ast.dump(ast.parse(two))


def cost(text: str, bad: str, good: str) -> float:
    """Of the likeliest edit that makes good of bad; fails without one."""
    assert text.count(bad) == 1, "the place is not plain"
    source, wanted = Source("m.py", text), text.replace(bad, good)
    found = [edit.cost for one in source.statements for edit in candidates.of(source, one) if reads(edit, text, wanted)]
    assert found, f"nothing makes {good!r} of {bad!r}"
    return min(found)


def reads(edit: Edit, text: str, wanted: str) -> bool:
    try:
        return same(edit.applied(text), wanted)
    except SyntaxError:
        return False


@pytest.mark.parametrize(
    ("around", "bad", "good"),
    [
        ("if b and a.is_open:\n        return 1", "if c:", "if c and a.is_open:"),
        ("if isinstance(b, list):\n        return 1", "if a is None:", "if a is None or isinstance(a, list):"),
        ("if b == 0:\n        return 1", "return a in c and b", "return a in c and b == 0 and b"),
        ("", "if a:", "if a is not None:"),
        ("", "if not a:", "if a is None:"),
        ("", "if a is not None:", "if a:"),
        ("", "return [x for x in a]", "return [x for x in a if x]"),
        ("if getattr(a, 'more', None):\n        return 1", "if c:", "if c or getattr(a, 'more', None):"),
    ],
)
def test_a_condition_asks_what_the_file_asks_elsewhere(around: str, bad: str, good: str) -> None:
    end = "\n        return c" if bad.endswith(":") else ""
    assert cost(f"def f(a, b, c):\n    {around or 'a = b'}\n    {bad}{end}\n", bad, good) < 2.8


@pytest.mark.parametrize(
    ("bad", "good"),
    [
        ("[y for x in a for y in x.split(b)]", "[x for x in a]"),
        ("{y for x in a if x for y in x}", "{x for x in a if x}"),
        ("a == b", "a is b"),
        ("a != b.c", "a is not b.c"),
    ],
)
def test_a_loop_within_a_loop_and_what_is_only_equal(bad: str, good: str) -> None:
    assert cost(f"def f(a, b):\n    return {bad}\n", bad, good) <= 2.0


@pytest.mark.parametrize(("text", "new"), [("a == 1", "a is 1"), ("[(x, y) for x in a for y in x]", "[x for x in a]")])
def test_what_is_written_out_is_not_asked_to_be_the_same_one(text: str, new: str) -> None:
    with pytest.raises(AssertionError, match="nothing makes"):
        cost(f"def f(a):\n    return {text}\n", text, new)


@pytest.mark.parametrize(
    ("head", "bad", "good"),
    [
        ("def f(a, deep=False):", "return a.read(1)", "return a.read(1, deep=deep)"),
        ("def f(a, **rest):", "return a.read()", "return a.read(**rest)"),
        ("def f(a, deep):", "return a.read(deep=None)", "return a.read(deep=deep)"),
        ("def f(a):", "return a.get(1)", 'return a.get(1, "")'),
        ("def f(a):", "return open(a)", 'return open(a, encoding="utf-8")'),
        ("import re\ndef f(a):", "return re.match('x', a)", "return re.match('x', a, re.IGNORECASE)"),
        ("def f(a, sep=' '):", "f(a, sep=' '):", 'f(a, sep=""):'),
    ],
)
def test_a_call_gets_what_it_lacks(head: str, bad: str, good: str) -> None:
    body = "return a" if bad in head else bad
    assert cost(f"{head}\n    {body}\n", bad, good) < 2.5


@pytest.mark.parametrize(
    ("bad", "good"),
    [
        ("return a[:n]", "return a[:-n]"),
        ("return a[n:]", "return a[-n:]"),
        ("return a[-n:]", "return a[n:]"),
        ("return a[n]", "return a[-n]"),
        ("return a[1 : len(b)]", "return a[1 : -len(b)]"),
    ],
)
def test_a_place_is_counted_from_the_other_end(bad: str, good: str) -> None:
    assert cost(f"def f(a, b, n):\n    {bad}\n", bad, good) < 2.2


def test_all_that_came_is_handed_on_where_others_do() -> None:
    text = "def f(a, **more):\n    a.go(1, **more)\n    return a.go(2)\n"
    assert cost(text, "a.go(2)", "a.go(2, **more)") < 2.1


def test_what_goes_nowhere_is_likelier_handed_on_than_what_is_used() -> None:
    text = "def f(a, one=1, two=2):\n    print(one)\n    return a.go()\n"
    assert cost(text, "a.go()", "a.go(two=two)") < cost(text, "a.go()", "a.go(one=one)")


@pytest.mark.parametrize(
    ("around", "bad", "good"),
    [
        ("x = os.path.abspath(b)", "return g(a)", "return g(os.path.abspath(a))"),
        ("x = b.replace('-', '_')", "return g(a)", "return g(a.replace('-', '_'))"),
        ("", "return g(a.name)", 'return g(a.name or "")'),
        ("", "return g(a, host)", "return g(a or b, host)"),
        ("x = b + os.sep", "return a.startswith(c)", "return a.startswith(c + os.sep)"),
        ("", "c = g(a.name)", "c = g(a.name) if a is not None else None"),
        ("", "return a['k']", "return a.get('k')"),
        ("", "return a.strip('x')", "return a"),
    ],
)
def test_an_expression_goes_through_what_others_go_through(around: str, bad: str, good: str) -> None:
    assert cost(f"import os\ndef f(a, b, c, host):\n    {around or 'pass'}\n    {bad}\n", bad, good) < 2.8


@pytest.mark.parametrize(
    ("bad", "good"),
    [
        ("[^a-z_]", "[^a-z_-]"),
        (".+/([^/]+)", ".+?/([^/]+)"),
        ("https://x", "https?://x"),
        (r"v(\d+)$", r"v([\d.]+)$"),
        ("^https?://", "^(?:https?:)?//"),
        ("a(b)c", "a(b)?c"),
        (r"\w+x", r"[\w-]+x"),
        ("a=(b)", r"a=\s*(b)"),
        ("^ab", "(?i)^ab"),
        (r"ab", r"ab$"),
        ("#([^;]+);", "#([^#;]+);"),
        (r"\s*|0x\d+", r"\s*|\b0x\d+"),
        (r"\s*--?(\w+)", r"\s*(?<!\S)--?(\w+)"),
        ("<(?:[^>]*)>", "<(?:[^<>]*)>"),
        ('"(?P<text>[^;]+);', '"(?P<text>[^";]+);'),
        (r"^[=-]+\s", r"^(?:=+|-+)\s"),
        (r"[.\w]{2,}", r"(?:\.{2,}|\w{2,})"),
        (r"(?<!\S)a\S", r"(?<!\w)a\S"),
    ],
)
def test_a_pattern_takes_more_or_less(bad: str, good: str) -> None:
    text = f"import re\ndef f(a):\n    return re.match(r'{bad}', a)\n"
    assert cost(text, f"r'{bad}'", f"r'{good}'") < 2.4


def test_what_opens_a_piece_is_a_character_of_its_own() -> None:
    """Not an escaped one, a sign that means something else, nor one that the class leaves out already."""
    for pattern, wrong in (
        (r"\d([^;]+)", "[^d;]"),
        ("a([^;]+)", "[^a;]"),
        ("^([^;]+)", "[^^;]"),
        ("#([;#]+)", "[#;#]"),
    ):
        text = f"import re\ndef f(a):\n    return re.match(r'{pattern}', a)\n"
        assert not any(wrong in one.new for one in made(text, 3).values())


@pytest.mark.parametrize(
    ("bad", "good"), [(r"<([^\n>]*)>", r"<([^>]*)>"), ("[23]x", "[3]x"), ("<([^>]*)>", "<([^>]*?)>")]
)
def test_a_class_of_a_pattern_holds_less(bad: str, good: str) -> None:
    text = f"import re\ndef f(a):\n    return re.match(r'{bad}', a)\n"
    assert cost(text, f"r'{bad}'", f"r'{good}'") < 2.4


@pytest.mark.parametrize(
    ("bad", "good"),
    [
        ("if a.startswith(b):", "if b in a:"),
        ("if a.endswith('x'):", "if a.endswith('x') and a.startswith('x'):"),
        ("if a == 'x':", "if a.startswith('x'):"),
        ("if 'x' in a:", "if a.endswith('x'):"),
        ("if type(a) is dict:", "if isinstance(a, dict):"),
        ("if type(a) != dict:", "if not isinstance(a, dict):"),
        ("if a[:2] == '__':", "if a[:2] == '__' and a[-2:] == '__':"),
        ("if a[0] == '(':", "if a[0] == '(' and a[-1] == '(':"),
    ],
)
def test_a_question_is_asked_in_another_way(bad: str, good: str) -> None:
    assert cost(f"def f(a, b):\n    {bad}\n        return 1\n", bad, good) < 2.4


@pytest.mark.parametrize(
    ("around", "bad", "good"),
    [
        ("x = arg(a, b, c)", "return g(c.default)", "return g(arg(a, c.default, c))"),
        ("", "return c.get('k', a)", "return c.get('k') or a"),
        ("", "return c.pop('k', a)", "return c.pop('k', None) or a"),
        ("", "return getattr(c, 'k', a)", "return getattr(c, 'k', None) or a"),
        ("", "return part(a, b)", "return part(a, b, whole=False)"),
        ("", "return part(a, b)", "return part(a, b, once=True)"),
    ],
)
def test_a_value_goes_where_others_go(around: str, bad: str, good: str) -> None:
    defined = "def part(a, b, whole=True, *, once=False):\n    return a\ndef arg(a, b, c):\n    return a\n"
    assert cost(f"{defined}def f(a, b, c):\n    {around or 'pass'}\n    {bad}\n", bad, good) < 2.6


@pytest.mark.parametrize(
    ("bad", "good"),
    [
        ("return g(c)", "return g(c.items())"),
        ("return g(a, c)", "return g(a, c.size)"),
        ("return g(a.name)", "return g(a)"),
        ("return g(a, deep=b)", "return g(a)"),
        ("return g(a, c, b)", "return g(a, c)"),
        ("return part(a, hole=b)", "return part(a, whole=b)"),
        ("return a.is_space", "return a.is_spaces"),
    ],
)
def test_a_thing_is_meant_itself_or_a_part_of_it(bad: str, good: str) -> None:
    around = "def part(a, whole=True):\n    return a\ndef h(a, c):\n    return c.size, c.items(), a.is_spaces\n"
    assert cost(f"{around}def f(a, b, c):\n    {bad}\n", bad, good) < 2.6


def test_a_switch_that_is_given_by_its_place_is_not_given_twice() -> None:
    source = Source("m.py", "def part(a, whole=True):\n    return a\ndef f(a):\n    return part(a, False)\n")
    made = [edit.new for edit in candidates.of(source, source.statements[-1])]
    assert made
    assert not any("whole=False" in one for one in made)


def test_a_pattern_stays_one() -> None:
    text = "import re\ndef f(a):\n    return re.match(r'a(b|[c)]d)', a)\n"
    source = Source("m.py", text)
    made = [edit for edit in candidates.of(source, source.statements[-1]) if edit.kind == "pattern"]
    assert made
    for edit in made:
        compile(edit.applied(text), "m.py", "exec")


def calls(bad: dict[str, Value], *good: dict[str, Value]) -> Calls:
    return Calls(((Call("m.py", 1, "test_m.py", bad),),), tuple(Call("m.py", 1, "test_m.py", one) for one in good))


@pytest.mark.parametrize(
    ("bad", "good", "wanted"),
    [
        ({"a": ("NoneType", None)}, {"a": ("str", "x")}, "if g(b) and a is not None:"),
        ({"a": ("bool", True)}, {"a": ("bool", False)}, "if g(b) or a:"),
        ({"a": ("list", 2)}, {"a": ("dict", 2)}, "if g(b) and (not isinstance(a, list)):"),
    ],
)
def test_a_condition_asks_what_tells_the_failing_call_from_others(
    bad: dict[str, Value], good: dict[str, Value], wanted: str
) -> None:
    text = "def f(a, b):\n    if g(b):\n        return 1\n    return 2\n"
    source = Source("m.py", text)
    (statement,) = [one for one in source.statements if isinstance(one, ast.If)]
    made = [edit.applied(text) for edit in asked.edits(source, statement, calls(bad, good))]
    assert any(same(one, text.replace("if g(b):", wanted)) for one in made)
    assert not list(asked.edits(source, statement, calls(bad, bad)))
    assert not list(asked.edits(source, statement, calls({"a": ("str", "x")}, {"a": ("str", "y")})))


@pytest.mark.parametrize(
    ("bad", "known", "good"),
    [
        ("if a.startswith('/*'):", "// b", "if a.startswith('/*') or a.startswith('//'):"),
        ("if 'x' in a:", "y", "if 'x' in a or 'y' in a:"),
        ("if a != 'x':", "y", "if a != 'x' and a != 'y':"),
        ("if g(a.get('x')):", "none", "if g(a.get('x', 'none')):"),
        ("if g(a, ['x', 'y']):", "z", "if g(a, ['x', 'y', 'z']):"),
    ],
)
def test_a_text_of_the_failing_test_is_looked_for_as_well(bad: str, known: str, good: str) -> None:
    text = f"def f(a):\n    {bad}\n        return 1\n"
    source = Source("m.py", text)
    (statement,) = [one for one in source.statements if isinstance(one, ast.If)]
    assert any(reads(edit, text, text.replace(bad, good)) for edit in texts.edits(source, statement, (known,)))


@pytest.mark.parametrize(
    ("old", "said", "new"),
    [
        ("Run 'apt list --upgradable' to see them.", "Run apt list --upgradable now", "apt list --upgradable"),
        ("no such branch", "there is no such branches", "no such"),
        ("no such branch", "nothing", None),
        ("push", "push it", None),
    ],
)
def test_what_is_looked_for_is_the_part_that_the_test_has_as_well(old: str, said: str, new: str | None) -> None:
    text = f"def f(a):\n    return {old!r} in a\n"
    source = Source("m.py", text)
    made = [one.applied(text) for one in texts.shorter(source, source.statements[-1], (said,))]
    assert made == ([] if new is None else [text.replace(repr(old), repr(new))])


def test_all_that_the_test_gave_is_not_looked_for() -> None:
    source = Source("m.py", "def f(a):\n    if 'php -s' in a:\n        return 1\n")
    (statement,) = [one for one in source.statements if isinstance(one, ast.If)]
    made = [one.new for one in texts.edits(source, statement, ("php -t pub -s :80", "php -S :80"))]
    assert made == ["'php -s' in a or 'php -S :80' in a"]


def test_the_texts_are_those_of_the_test_that_failed() -> None:
    test = Source("test_m.py", "def test_a():\n    assert f('one') == 'two'\n\ndef test_b():\n    assert f('three')\n")
    assert texts.of_test(test, 2) == ("one", "two")
    assert texts.of_test(test, 9) == ()
    assert texts.of_test(None, 2) == ()


def test_what_a_test_takes_from_its_module_is_said_by_it() -> None:
    text = "OUT = 'one'\nOTHER = 'two'\n\ndef given():\n    return 'three'\n\ndef test_a(given):\n    assert f(OUT, 'four') == given\n"
    assert texts.of_test(Source("test_m.py", text), 8) == ("four", "one", "three")


def test_all_edits_of_a_real_file_leave_it_readable() -> None:
    """Whatever the place: an edit is an expression for an expression."""
    path = Path(candidates.__file__).with_name("parts.py")
    source = Source("parts.py", path.read_text())
    statements = [one for one in source.statements if not isinstance(one, Function)][10:30]
    made = [edit for one in statements for edit in candidates.of(source, one)]
    assert made
    broken = [edit for edit in made[::7] if not readable(edit.applied(source.text))]
    assert not broken, broken[:3]


def readable(text: str) -> bool:
    try:
        compile(text, "m.py", "exec")
    except SyntaxError:
        return False
    return True
