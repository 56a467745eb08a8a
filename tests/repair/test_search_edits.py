"""The right edit is among those that are tried, and comes before most others."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from prodwise.repair import turned, verdict
from prodwise.repair.edits import Edit, unified
from prodwise.repair.localise import Spectrum
from prodwise.repair.rank import edited, endless, for_nothing, hollow, out_of_its_loop, score
from prodwise.repair.search import candidates
from prodwise.repair.source import Function, Source
from prodwise.repair.templates import crash, defaults, expected, guards, handlers, members, raises
from prodwise.repair.values import Call, Calls, Value, questions
from tests.repair.small_programs import made, statement_at


@pytest.mark.parametrize(
    ("body", "bad", "good"),
    [
        ("if a {} b:\n    return 1", "<", "<="),
        ("return a {} b", "+", "-"),
        ("return a {} b", "and", "or"),
        ("return {}", "any(a)", "all(a)"),
        ("return f({})", "a, b", "b, a"),
        ("for i in range({}):\n    a = b", "a", "a + 1"),
        ("return {}", "a[b]", "a"),
        ("return {}", "a", "sorted(a)"),
        ("return {}", "a", "b"),
        ("return {}", "f(a)", "a"),
        ("a {} b", "+=", "-="),
        ("a {} b", "=", "+="),
        ("while {}:\n    a = b", "a.next is None", "a is None or a.next is None"),
        ("if {}:\n    return 1", "a", "not a"),
        ("while {}:\n    a = b", "len(b) > a.limit", "a.limit and len(b) > a.limit"),
        ("return a.{}(b)", "lstrip", "rstrip"),
        ("return [{}]", "1", "0"),
    ],
)
def test_usual_mistakes_are_undone(body: str, bad: str, good: str) -> None:
    indented = body.replace("\n", "\n    ")
    text = "def f(a, b):\n    c = a\n    " + indented + "\n"
    assert text.replace("{}", good) in made(text.replace("{}", bad), 3)


@pytest.mark.parametrize(
    "line",
    [
        "self.size = size",
        "self._size = size",
        "self.size: int = size",
        "g(size=size)",
        "g({'size': size})",
        "d['size'] = size",
    ],
)
def test_what_goes_by_its_own_name_is_meant(line: str) -> None:
    def other(text: str) -> str:
        before, _, after = text.rpartition("size")
        return f"{before}other{after}"

    text = f"def f(self, size, other, d):\n    {line}\n"
    assert other(text) not in made(text, 2)
    twin = text.replace("size", "count").replace("f(self, count", "f(self, size")
    before, _, after = twin.rpartition("count")
    given = f"{before}size{after}"  # to something of another name
    assert other(given) in made(given, 2)


@pytest.mark.parametrize(
    ("error", "message", "line", "good"),
    [
        ("KeyError", "'k'", "return d['k']", "return d.get('k')"),
        ("ZeroDivisionError", "division by zero", "return 1 / n", "return (1 / n if n else 0)"),
        ("TypeError", 'can only concatenate str (not "int") to str', "return d + n", "return d + str(n)"),
        ("AttributeError", "'NoneType' object has no attribute 'x'", "return d.x", "return (d.x if d is not None else None)"),
        ("NameError", "name 'coutn' is not defined", "return coutn", "return count"),
        ("UnicodeDecodeError", "'ascii' codec", "return open(d)", 'return open(d, encoding="utf-8")'),
        ("UnicodeDecodeError", "'utf-8' codec", "return d.decode(n)", 'return d.decode(n, "replace")'),
        ("UnicodeDecodeError", "'utf-8' codec", "return text(d, n)", 'return text(d, n, errors="replace")'),
        ("AttributeError", "'str' object has no attribute 'decode'", "return d.decode('unicode-escape')",
         "return d.encode(\"ascii\").decode('unicode-escape')"),
        ("RuntimeError", "dictionary changed size during iteration", "for x in d: pass", "for x in list(d): pass"),
        ("StopIteration", "", "return next(d)", "return next(d, None)"),
    ],
)  # fmt: skip
def test_an_error_calls_for_its_usual_ends(error: str, message: str, line: str, good: str) -> None:
    text = f"def f(d, n, count):\n    {line}\n"
    source = Source("m.py", text)
    edits = crash.edits(source, statement_at(source, 2), error, message, 0)
    assert f"    {good}\n" in [edit.applied(text).split("\n", 1)[1] for edit in edits]


def test_a_decoding_that_others_decide_about_is_left_to_them() -> None:
    """With constants in the place of what was given, their callers would be deaf."""
    text = "def f(d, encoding, errors):\n    return d.decode(encoding, errors)\n"
    source = Source("m.py", text)
    edits = crash.edits(source, statement_at(source, 2), "UnicodeDecodeError", "'utf-8' codec", 0)
    assert [edit.applied(text) for edit in edits if "encoding, errors)" not in edit.applied(text)] == []


def test_a_handler_takes_the_error_beside_its_own() -> None:
    text = "def f(d):\n    try:\n        return int(d)\n    except ValueError:\n        return 0\n"
    source = Source("m.py", text)
    (edit,) = handlers.edits(source, statement_at(source, 3), "TypeError")
    assert "except (ValueError, TypeError):" in edit.applied(text)
    assert not list(handlers.edits(source, statement_at(source, 3), "Exception"))


def test_what_follows_answers_where_an_answer_cannot_be_made() -> None:
    text = "def f(n):\n    if n:\n        if n > 3:\n            return chr(n)\n    return '?'\n"
    source = Source("m.py", text)
    (edit,) = handlers.edits(source, statement_at(source, 4), "ValueError")
    assert edit.applied(text) == (
        "def f(n):\n    if n:\n        if n > 3:\n            try:\n                return chr(n)\n"
        "            except ValueError:\n                pass\n    return '?'\n"
    )
    assert not list(handlers.edits(source, statement_at(source, 4), "TypeError"))  # the program's mistake, no bad value
    for other in (text.replace("return '?'", "print(n)"), text.replace("if n:", "for n in n:")):
        source = Source("m.py", other)
        assert not list(handlers.edits(source, statement_at(source, 4), "ValueError"))


def test_a_shared_default_is_made_anew_in_each_call() -> None:
    text = 'def f(x, found=[]):\n    """Says."""\n    found.append(x)\n    return found\n'
    source = Source("m.py", text)
    function = source.tree.body[0]
    assert isinstance(function, Function)
    (edit,) = defaults.edits(source, function)
    names: dict[str, object] = {}
    exec(edit.applied(text), names)
    call = names["f"]
    assert callable(call)
    assert call(1) == [1]
    assert call(2) == [2]


def test_what_stands_around_an_edit_is_kept_to_the_letter() -> None:
    text = 'def f(a):  # naïve\r\n\tß = "→"; x = a  <  1   # why\r\n\treturn x\r\n'
    source = Source("m.py", text)
    statement = next(one for one in source.statements if ast.unparse(one).startswith("x ="))
    applied = {edit.applied(text) for edit in candidates.of(source, statement)}
    assert text.replace("a  <  1", "a  <=  1") in applied
    assert "\r\n" in unified("m.py", text, text.replace("<", "<="))


def test_a_statement_of_many_lines_is_looked_at_as_a_whole() -> None:
    text = (
        "def f(a, b):\n    return (a\n            and b)\n\ndef g(a):\n    if a and \\\n       a.b:\n        return 1\n"
    )
    source, at = Source("m.py", text), text.index("b)\n")
    assert (
        edited(Edit("m.py", at, at + 1, "a", "variable", "", 1.0, 3), source, statement_at(source, 2))
        == "return (a\n            and a)"
    )
    head, at = statement_at(source, 6), text.index("a.b")
    assert edited(Edit("m.py", at, at + 3, "a", "piece", "", 1.0, 7), source, head) == "if a and \\\n       a:"
    assert hollow(edited(Edit("m.py", at, at + 3, "a", "piece", "", 1.0, 7), source, head))
    before = source.line_start(6)
    assert (
        edited(Edit("m.py", before, before, "    if not a:\n        return 0\n", "none", "", 1.0, 6), source, head)
        == "if not a:"
    )


def test_an_edit_that_answers_itself_is_none() -> None:
    kinds = "if isinstance(x, (str, bytes)) and not isinstance({}, {}):"
    for text in ("x < x", "if a or not a:", "a = a", "return max(x, x)", "1 < 2", "n *= 1", kinds.format("x", "bytes"),
                 "return (a\n        and (b or 'x' in a.c or d)\n        and 'x' in a.c)", "if a and b or b:",
                 "a is not None or a.b", "if a is None or a is not None:", "a and b >= c and b < c"):  # fmt: skip
        assert hollow(text), text
    for text in (
        "x < y",
        "a is None or a.b",
        "a is not None or b.a",
        "if a and (b or c):",
        "a = b",
        "return max(0, x)",
        "if a or not b:",
        "if a is None or b is not None:",
        "a < b or a < c",
        kinds.format("x", "Path"),
        kinds.format("y", "bytes"),
    ):
        assert not hollow(text), text


@pytest.mark.parametrize(
    ("test", "bad", "good", "ends"),
    [
        ("n < most", "n += 1", "n += 2", True),
        ("n < most", "n += 1", "n -= 1", False),
        ("n < most", "n += 1", "n += 0", False),
        ("most >= n and more()", "n += 1", "n -= 1", False),
        ("n > 0", "n += 1", "n -= 1", True),
        ("n > 0", "n -= 1", "n -= -1", False),
        ("more()", "n += 1", "n -= 1", True),
        ("n < most", "m += 1", "m -= 1", True),
    ],
)
def test_a_loop_goes_on_to_where_it_ends(test: str, bad: str, good: str, ends: bool) -> None:
    text = f"def f(n, m, most):\n    while {test}:\n        {bad}\n"
    source, at = Source("m.py", text), text.index(bad)
    edit = Edit("m.py", at, at + len(bad), good, "operator", "", 1.0, 3)
    assert endless(edit, source, statement_at(source, 3)) is not ends


@pytest.mark.parametrize(
    ("begins", "test", "bad", "good", "away"),
    [
        ("n = -1", "kind(a[n])", "n -= 1", "n += 1", True),
        ("n = 0", "kind(a[n])", "n += 1", "n -= 1", True),
        ("n = -1", "kind(a[n])", "n -= 1", "n -= 2", False),
        ("n = most", "kind(a[n])", "n -= 1", "n += 1", False),
        ("n = -1", "kind(a)", "n -= 1", "n += 1", False),
    ],
)
def test_a_loop_goes_on_from_where_it_begins(begins: str, test: str, bad: str, good: str, away: bool) -> None:
    text = f"def f(a, most):\n    {begins}\n    while {test}:\n        {bad}\n"
    source, at = Source("m.py", text), text.index(bad)
    edit = Edit("m.py", at, at + len(bad), good, "operator", "", 1.0, 4)
    assert endless(edit, source, statement_at(source, 4)) is away


@pytest.mark.parametrize(
    ("around", "bad", "good"),
    [
        ("def g(x, start=0): return x\n", "    return g(a)", "    return g(a, start=start)"),
        ("z = h(1, deep=True)\n", "    return h(a)", "    return h(a, deep=True)"),
        ("", "    return f(g(a, start), total=b)", "    return f(g(a), start, total=b)"),
        ("", "    a.stream.send(b)", "    b.stream.send(b)"),
        ("", "    return isinstance(a, list)", "    return isinstance(a, (list, tuple))"),
        ("", "    f(a)", "    return f(a)"),
        ("def k(b): b.c.stop()\n", "    b.d.stop()", "    b.c.stop()"),
    ],
)
def test_a_statement_becomes_what_others_do(around: str, bad: str, good: str) -> None:
    head = around + "def f(a, b, start):\n"
    assert head + good + "\n" in made(head + bad + "\n", len(head.splitlines()) + 1)


def test_the_exception_that_a_function_makes_elsewhere_is_made_here() -> None:
    text = "def f(n, t):\n    a = size(t)\n    b = str(t) if t is not None else '?'\n    return a + b\n"
    assert text.replace("a = size(t)", "a = size(t) if t is not None else '?'") in made(text, 2)


def test_what_an_object_holds_is_not_looked_up() -> None:
    text = "class C:\n    def f(self):\n        self.start = 1\n        return self.stats.get('start')\n"
    assert text.replace("self.stats.get('start')", "self.start") in made(text, 4)


def test_a_list_gets_the_element_that_others_like_it_have() -> None:
    text = "def f(a):\n    b = ['x', 'y', 'z']\n    return a in ['x', 'y']\n"
    assert text.replace("in ['x', 'y']", "in ['x', 'y', 'z']") in made(text, 3)


@pytest.mark.parametrize(
    ("error", "message", "good"),
    [
        ("TypeError", "not a mapping: <class 'NoneType'>", "    if args is None:\n        return url\n    x = g(url, args)\n"),
        ("TypeError", "a 'int' given", "    if not isinstance(args, str):\n        return args\n    x = g(url, args)\n"),
        ("TypeError", "must be str, got NoneType", '    x = g(url, args or "")\n'),
        ("TypeError", "a str, not bytes", '    if isinstance(url, bytes):\n        url = url.decode("utf-8")\n    x = g(url, args)\n'),
    ],
)  # fmt: skip
def test_an_unexpected_kind_of_value_is_asked_for_first(error: str, message: str, good: str) -> None:
    text = "def f(url, args):\n    x = g(url, args)\n    return x\n"
    source = Source("m.py", text)
    found = guards.edits(source, statement_at(source, 2), error, message, 0)
    assert text.replace("    x = g(url, args)\n", good) in {edit.applied(text) for edit in found}


def test_where_there_is_nothing_to_unpack_something_is() -> None:
    text = "def f(pairs):\n    a, b = zip(*pairs)\n    return a\n"
    source = Source("m.py", text)

    def tried(message: str) -> set[str]:
        return {one.applied(text) for one in crash.edits(source, statement_at(source, 2), "ValueError", message, 0)}

    found = tried("not enough values to unpack (expected 2, got 0)")
    assert {text.replace("*pairs)", f"*pairs) or {empty}") for empty in ("([], [])", "(None, None)")} <= found
    assert not tried("not enough values to unpack (expected 2, got 1)")


@pytest.mark.parametrize(
    ("bad", "message", "good"),
    [
        ("dump(a, 1, deep=False, **more)", "dump() got multiple values for keyword argument 'deep'",
         'dump(a, 1, **{"deep": False, **more})'),
        ("dump(a, 1, deep=False)", "dump() got multiple values for argument 'deep'", "dump(a, 1)"),
        ("dump(a, deep=False, b=1)", "dump() got an unexpected keyword argument 'deep'", "dump(a, b=1)"),
        ("dump(a, deep=False)", "dump() missing 1 required positional argument: 'more'", "dump(a, deep=False, more=more)"),
        ("dump(a, deep=False, **more)", "dump() got multiple values for keyword argument 'a'", ""),
    ],
)  # fmt: skip
def test_a_call_is_made_to_fit_what_is_called(bad: str, message: str, good: str) -> None:
    text = f"def f(a, more):\n    return {bad}\n"
    source = Source("m.py", text)
    found = crash.edits(source, statement_at(source, 2), "TypeError", message, 0)
    made = {edit.applied(text) for edit in found}
    assert text.replace(bad, good) in made if good else not made


@pytest.mark.parametrize(
    ("message", "good"),
    [
        ("AssertionError: assert 'a; b' == 'a, b'", "    return join('; ', a)"),
        ("E  Expected: join(', ', 'x', deep=False)\nE  Actual: call", "    return join(', ', a, deep=False)"),
    ],
)
def test_what_an_assertion_expected_is_tried(message: str, good: str) -> None:
    text = "def f(a):\n    return join(', ', a)\n"
    source = Source("m.py", text)
    found = expected.edits(source, statement_at(source, 2), message)
    assert text.replace("    return join(', ', a)", good) in {edit.applied(text) for edit in found}


@pytest.mark.parametrize(
    ("literal", "new"),
    [
        (r"'\\rule\n'", r"'\n\\rule\n'"),
        (r'"\\rule\n"', r'"\n\\rule\n"'),
        (r"r'\rule' '\n'", ""),
        ('"""\\\\rule\n"""', ""),
    ],
)
def test_a_text_with_escapes_becomes_the_one_that_is_expected(literal: str, new: str) -> None:
    text = f"def f(a):\n    return {literal}\n"
    source, message = Source("m.py", text), r"AssertionError: '\\rule\n' != '\n\\rule\n'"
    found = {
        edit.applied(text): edit.kind for edit in reversed([*expected.edits(source, statement_at(source, 2), message)])
    }
    assert found.get(text.replace(literal, new or "?")) == ("text" if new else None)


@pytest.mark.parametrize(
    "said",
    [
        "E  AssertionError: Regex pattern did not match.\nE    Regex: {}\nE    Input: {}",
        "E  AssertionError: Regex pattern did not match.\nE    Expected regex: {}\nE    Actual message: {}",
        "AssertionError: Pattern {} does not match {}",
    ],
)
def test_a_message_becomes_the_one_that_a_test_waits_for(said: str) -> None:
    text = "def f(a):\n    raise ValueError('give a or b (see the guide)')\n"
    source, wanted = Source("m.py", text), r"'give a, b or c \\(see the guide\\)'"
    message = said.format(wanted, "'give a or b (see the guide)'")
    made = {edit.applied(text): edit for edit in reversed([*expected.edits(source, statement_at(source, 2), message)])}
    edit = made[text.replace("a or b", "a, b or c")]
    assert verdict.RISK.get(edit.kind, 0) == 0, "one text was held against the other, and nothing was guessed"


def test_a_question_that_the_file_asks_elsewhere_is_likelier() -> None:
    asked = "def g(d):\n    if d is None:\n        return 0\n    return 1\n"
    plain = "def f(a):\n    return a.b\n"
    edit = Edit("m.py", 10, 10, "    if a is None:\n        return 0\n", "none", "", 2.0, 2)
    assert score(edit, 1.0, Source("m.py", plain + asked), ()) < score(edit, 1.0, Source("m.py", plain), ())


@pytest.mark.parametrize(
    "asked",
    [
        "    if isinstance({}, bytes):\n        {} = {}.decode('utf-8')\n",
        "    if {} is None:\n        return []\n",
    ],
)
def test_what_is_asked_of_one_value_is_asked_of_another(asked: str) -> None:
    head, body = "def f(base, path):\n", "    c = path.strip()\n"
    rest = asked.replace("{}", "base") + "    return c + base\n"
    assert head + asked.replace("{}", "path") + body + rest in made(head + body + rest, 2)


def test_what_a_class_reads_from_itself_is_kept_there() -> None:
    text = "class C:\n    def __init__(self, n, off):\n        if off:\n            return\n        self.n = n\n"
    assert text.replace("            return", "            self.n = n\n            return") in made(text, 4)


def calls(bad: dict[str, Value], *good: dict[str, Value], caller: str = "tests/test_m.py") -> Calls:
    """One failing call of the function at the first line of m.py, and those of passing tests."""
    return Calls(((Call("m.py", 1, caller, bad),),), tuple(Call("m.py", 1, caller, one) for one in good))


TEXT, NONE = ("str", "x"), ("NoneType", None)


@pytest.mark.parametrize(
    ("said", "bad", "good", "guard"),
    [
        ("DID NOT RAISE <class 'ValueError'>", {"a": NONE}, {"a": TEXT}, "a is None"),
        ("AssertionError: ValueError not raised by f", {"a": ("str", "")}, {"a": TEXT}, "not a"),
        ("AssertionError: ValueError not raised", {"a": ("int", -1)}, {"a": ("int", 0)}, "a < 0"),
        ("AssertionError: ValueError not raised", {"a": ("int", 0)}, {"a": ("int", 2)}, "a <= 0"),
        ("DID NOT RAISE ValueError", {"a": ("int", 1)}, {"a": TEXT}, "not isinstance(a, str)"),
        ("DID NOT RAISE <class 'ValueError'>", {"a": ("int", 7), "b": ("int", 5)}, {"a": ("int", 5), "b": ("int", 7)}, "a > b"),
    ],
)  # fmt: skip
def test_an_exception_that_is_waited_for_is_raised_where_the_call_differs(
    said: str, bad: dict[str, Value], good: dict[str, Value], guard: str
) -> None:
    text = "def f(a, b):\n    return g(a, b)\n"
    source, wanted = Source("m.py", text), raises.awaited(said)
    assert wanted is not None
    found = list(raises.edits(source, statement_at(source, 2), wanted, calls(bad, good)))
    assert f"    if {guard}:\n        raise ValueError(" in found[0].applied(text)
    inner = list(raises.edits(source, statement_at(source, 2), wanted, calls(bad, good, caller="n.py")))
    assert inner[0].cost > found[0].cost


def test_nothing_is_raised_for_what_passing_tests_do_or_for_a_broad_name() -> None:
    source = Source("m.py", "def f(a):\n    return g(a)\n")
    (wanted,) = [raises.awaited("DID NOT RAISE <class 'pkg.ValueError'>")]
    assert wanted is not None
    assert not list(raises.edits(source, statement_at(source, 2), wanted, calls({"a": NONE}, {"a": NONE})))
    unknown = raises.Awaited("Elsewhere", "")
    assert not list(raises.edits(source, statement_at(source, 2), unknown, calls({"a": NONE}, {"a": TEXT})))
    for said in (
        "DID NOT RAISE <class 'Exception'>",
        "DID NOT RAISE any of (KeyError, ValueError)",
        "A not raised",
        "AssertionError: A not raised AssertionError: B not raised",
    ):
        assert raises.awaited(said) is None, said


def test_how_a_negative_number_differs_is_left_open_without_a_zero() -> None:
    bad = Call("m.py", 1, "", {"a": ("int", -1)})
    good = Call("m.py", 1, "", {"a": ("int", 3)})
    one, two = questions([bad], [good])
    assert {one.text, two.text} == {"a < 0", "a <= 0"}
    assert two.cost - one.cost < 0.3


@pytest.mark.parametrize(
    ("test", "line", "wanted"),
    [
        ("with raises(E, match='no such'):\n    f()\n", 1, raises.Awaited("E", "no such")),
        ("try:\n    f()\nexcept m.E:\n    pass\nelse:\n    raise E\n", 6, raises.Awaited("E", "")),
        ("try:\n    f()\nexcept E:\n    pass\nelse:\n    raise E\n", 2, None),
        ("with self.assertRaises(m.E):\n    f()\n", 2, raises.Awaited("E", "")),
        ("pytest.raises(E, f, 1)\n", 1, raises.Awaited("E", "")),
        (
            "def t():\n    with raises(E) as e:\n        f()\n    assert str(e.value) == 'no such'\n",
            3,
            raises.Awaited("E", "no such"),
        ),
        (
            "def t():\n    with raises(E) as e:\n        f()\n    assert e.value.kind == 'other'\n",
            3,
            raises.Awaited("E", ""),
        ),
        ("def t():\n    with raises(E):\n        f()\n    assert str(g()) == 'other'\n", 3, raises.Awaited("E", "")),
        (
            "def t():\n    with self.assertRaises(E) as e:\n        f()\n    g('no' in str(e.exception))\n",
            3,
            raises.Awaited("E", "no"),
        ),
        ("with raises((E, F)):\n    f()\n", 2, None),
        ("with raises(Exception):\n    f()\n", 2, None),
    ],
)
def test_what_a_test_waits_for_is_read_in_it(test: str, line: int, wanted: raises.Awaited | None) -> None:
    said = "DID NOT RAISE <class 'm.E'>" if "match" in test else ""
    assert raises.awaited(said, Source("test_m.py", test), line) == wanted


def test_what_is_waited_for_is_raised_in_place_of_another_error() -> None:
    text = "class E(Exception):\n    pass\ndef f(a):\n    b = int(a)\n    return b\n"
    source, wanted = Source("m.py", text), raises.Awaited("E", "")
    (edit,) = raises.instead(source, statement_at(source, 4), wanted, "ValueError", 0)
    space: dict[str, Any] = {}
    exec(edit.applied(text), space)
    assert space["f"]("3") == 3
    with pytest.raises(space["E"], match="invalid literal"):
        space["f"]("x")
    (outer,) = raises.instead(source, statement_at(source, 4), wanted, "ValueError", 2)
    assert outer.cost > edit.cost
    for other, error in ((wanted, "Exception"), (wanted, "E"), (raises.Awaited("Elsewhere", ""), "ValueError")):
        assert not list(raises.instead(source, statement_at(source, 4), other, error, 0))


def test_what_is_waited_for_is_made_as_the_function_makes_it_elsewhere() -> None:
    text = (
        "class E(Exception):\n    pass\ndef f(a, b):\n    if not a:\n        raise E('none', b)\n    if len(a) > 9:\n"
        "        raise E('too long', b)\n    c = int(a)\n    return c\n"
    )
    source, wanted = Source("m.py", text), raises.Awaited("E", "too long")
    first, second, plain = raises.instead(source, statement_at(source, 8), wanted, "ValueError", 0)
    assert "raise E('too long', b) from error" in first.new
    assert "raise E('none', b) from error" in second.new
    assert 'raise E("too long") from error' in plain.new
    assert first.cost < second.cost < plain.cost


def test_another_exception_is_raised_with_the_same_words() -> None:
    text = "class E(Exception):\n    pass\ndef f(a):\n    raise ValueError('no', a)\n"
    source, wanted = Source("m.py", text), raises.Awaited("E", "")
    (edit,) = raises.instead(source, statement_at(source, 4), wanted, "ValueError", 0)
    assert edit.applied(text) == text.replace("raise ValueError", "raise E")
    assert not list(raises.instead(source, statement_at(source, 4), wanted, "KeyError", 0))


@pytest.mark.parametrize(
    ("bad", "good"),
    [
        ("n[k] += 1", "n[k] = n.get(k, 0) + 1"),
        ("n[k] += [a]", "n[k] = n.get(k, []) + [a]"),
        ("del n[k]", "n.pop(k, None)"),
    ],
)
def test_what_is_not_there_yet(bad: str, good: str) -> None:
    text = f"def f(n, k, a):\n    {bad}\n"
    source = Source("m.py", text)
    made = [one.applied(text) for one in crash.edits(source, statement_at(source, 2), "KeyError", "'x'", 0)]
    assert text.replace(bad, good) in made


def test_what_is_compared_may_be_of_any_class() -> None:
    equal = "    def __eq__(self, other):\n        return self.cents == other.cents\n"
    text = f"class Money:\n{equal}\n    def add(self, other):\n        return other.cents\n"
    source, message = Source("m.py", text), "'int' object has no attribute 'cents'"
    made = [one.applied(text) for one in guards.edits(source, statement_at(source, 3), "AttributeError", message, 0)]
    space: dict[str, Any] = {}
    exec(next(one for one in made if "NotImplemented" in one), space)
    assert (space["Money"]() == 3) is False
    plain = guards.edits(source, statement_at(source, 6), "AttributeError", message, 0)
    assert not any("NotImplemented" in one.new for one in plain)


def test_none_is_answered_before_an_assertion_that_does_not_hold_of_it() -> None:
    text = "def f(d):\n    v = d.get('k')\n    assert isinstance(v, bool)\n    return [v]\n"
    source = Source("m.py", text)
    found = guards.edits(source, statement_at(source, 3), "AssertionError", "", 0)
    good = text.replace("    assert", "    if v is None:\n        return []\n    assert")
    assert good == next(found).applied(text)


@pytest.mark.parametrize(
    ("message", "bad", "good"),
    [
        ("AssertionError: 0.0 != None", "0.0", "None"),
        ("assert 3 == 5", "3", "5"),
        ("assert None == []", "None", "[]"),
        ("assert '' is None", "''", "None"),
        ("AssertionError: False is not true : assert False is True", "False", "True"),
    ],
)
def test_a_value_becomes_the_one_that_is_expected(message: str, bad: str, good: str) -> None:
    text = f"def f(a):\n    return {bad}\n"
    source = Source("m.py", text)
    found = expected.edits(source, statement_at(source, 2), message)
    assert text.replace(bad, good) in {edit.applied(text) for edit in found}


@pytest.mark.parametrize(
    ("asked", "said", "value", "more"),
    [
        ("a", "", "z", '"z"'),
        ("a[0]", "", "zero", '"z"'),
        ("a.lower()", "", "Z", '"z"'),
        ("a[1]", "assert '`x`' == 'x'", "", '"`"'),
    ],
)
def test_a_collection_gets_the_text_of_the_failing_call(asked: str, said: str, value: str, more: str) -> None:
    text = f'def f(a):\n    return {asked} in ("x", "y")\n'
    source = Source("m.py", text)
    found = members.edits(source, statement_at(source, 2), said, calls({"a": ("str", value)}, {"a": TEXT}))
    assert text.replace('"y"', f'"y", {more}') in {edit.applied(text) for edit in found}
    passes = calls({"a": ("str", value)}, {"a": ("str", value)})
    assert said or not list(members.edits(source, statement_at(source, 2), said, passes))


@pytest.mark.parametrize(
    ("others", "made"),
    [("raise E\n", "raise E\n"), ("raise E\nraise E('no')\n", 'raise E("a must not be None")\n')],
)
def test_an_exception_is_made_as_the_file_makes_it(others: str, made: str) -> None:
    text = "def f(a):\n    return g(a)\nclass E(Exception): pass\n" + others
    source, wanted = Source("m.py", text), raises.Awaited("E", "")
    (edit,) = raises.edits(source, statement_at(source, 2), wanted, calls({"a": NONE}, {"a": TEXT}))
    assert made in edit.new


def test_what_one_place_lacks_is_tried_in_all_like_it_as_well() -> None:
    text = "def f(a, b):\n    return a // b + a % b\n"
    found = made(text, 2)
    assert {text.replace("a //", "abs(a) //"), text.replace("a ", "abs(a) ")} <= set(found)
    assert not any(edit.new.count("abs") > 1 for edit in made("def f(a, b):\n    return a // b\n", 2).values())


IN_COMPANY = """class Bar:
    def __init__(self, n, total):
        self.n = n
        self.total = total
        self.start()

    def reset(self, n, total):
        self.n = n
        self.start()

    def stop(self):
        for one in self.all:
            one.close()
            one.forget()

    def end(self, some):
        for each in some:
            each.close()
"""


@pytest.mark.parametrize(
    ("line", "good"),
    [
        (9, "        self.n = n\n        self.total = total\n        self.start()\n\n    def stop"),
        (18, "            each.close()\n            each.forget()\n"),
    ],
)
def test_a_statement_is_copied_to_where_its_neighbours_are_alike(line: int, good: str) -> None:
    costs = {edit.cost for text, edit in made(IN_COMPANY, line).items() if good in text and text != IN_COMPANY}
    assert costs
    assert min(costs) < 2.5


def test_nothing_is_copied_that_speaks_of_what_is_not_there() -> None:
    text = "def f(a, b):\n    start()\n    log(a, b)\n    return a\n\n\ndef g():\n    start()\n    return 1\n"
    assert not [one for one, edit in made(text, 9).items() if edit.kind == "copied" and "log" in one.split("def g")[1]]


def test_no_question_is_asked_twice_in_a_row() -> None:
    text = (
        "def f(self, d):\n    go()\n    if not exists(d):\n        self.make(d)\n    end()\n\n\n"
        "def g(self, d):\n    go()\n    if not exists(d):\n        self.fs.make(d)\n    end()\n"
    )
    assert not [one for one, edit in made(text, 10).items() if edit.kind == "copied" and one.count("not exists") > 2]


@pytest.mark.parametrize(("asked", "twice"), [("a is None", True), ("not a", True), ("a", False), ("a > 3", False)])
def test_what_is_asked_next_is_not_asked_before_it(asked: str, twice: bool) -> None:
    asks = "def g(b):\n    if b is None:\n        return 0\n\n\n"
    text = f"{asks}def f(a, b):\n    c = 1\n    if {asked}:\n        a = b\n    return a\n"
    before = "    c = 1\n    if a is None:\n        return"
    assert any(before in one for one in made(text, 8)) is not twice


@pytest.mark.parametrize(("around", "fits"), [("(str, bytes)", False), ("(list, bytes)", True)])
def test_a_step_is_not_left_out_for_what_it_is_there_for(around: str, fits: bool) -> None:
    text = (
        "def g(a):\n    if isinstance(a, str):\n        return 1\n\n\n"
        f"def f(a, b):\n    if b:\n        return\n    elif isinstance(a, {around}):\n        go(a)\n        a = a + b\n"
    )
    assert any("        if isinstance(a, str):\n            a = a + b" in one for one in made(text, 11)) is fits


def test_all_the_work_of_a_function_is_gone_around_by_no_answer_of_its_own() -> None:
    text = (
        "def g(a):\n    if isinstance(a, dict):\n        pass\n\n\n"
        "def f(a):\n    b = g(a)\n    if b:\n        return {}\n    return b + 1\n"
    )
    asked = "    if isinstance(a, dict):\n        return a\n    b ="
    assert not [one for one in made(text.format("b"), 7) if asked in one]
    assert [one for one in made(text.format("a"), 7) if asked in one]


def test_a_handler_cleans_up_as_its_like_do() -> None:
    text = (
        "def f(a, b):\n    try:\n        one(a)\n    except OSError as err:\n        if b:\n            remove(a)\n"
        "        raise Lost(a, err)\n    try:\n        two(a)\n    except OSError as err:\n        raise Gone(a)\n"
    )
    good = text.replace("        raise Gone(a)", "        if b:\n            remove(a)\n        raise Gone(a)")
    assert made(text, 11)[good].kind == "copied"


ASKS = 'def f(iri):\n    if len(iri.split()) == 1:\n        return iri\n    return iri.replace(" ", "+")\n'


@pytest.mark.parametrize(
    ("passing", "unnoticed"),
    [((2, 3), True), ((2, 4), False), ((), False)],
)
def test_a_question_is_not_turned_around_unnoticed(passing: tuple[int, ...], unnoticed: bool) -> None:
    source = Source("m.py", ASKS)
    asked = statement_at(source, 2)
    turn = next(edit for edit in candidates.of(source, asked) if edit.new == "!=")
    spectrum = Spectrum(({"m.py": frozenset((2, 3))},), ({"m.py": frozenset(passing)},))
    assert turned.unnoticed(turn, source, asked, spectrum) is unnoticed
    near = next(edit for edit in candidates.of(source, asked) if edit.new == "<=")
    assert not turned.unnoticed(near, source, asked, spectrum)


def test_of_questions_that_are_asked_together_none_is_turned_around_unnoticed() -> None:
    source = Source("m.py", "def f(a, b):\n    return a in b and len(a) == 3\n\n\ndef g(a):\n    return a == 3\n")
    both, alone = statement_at(source, 2), statement_at(source, 6)
    ran, never = Spectrum((), ({"m.py": frozenset((2, 6))},)), Spectrum((), ({"m.py": frozenset((1,))},))
    for statement, new in ((both, "not in"), (both, "!="), (alone, "!=")):
        turn = next(edit for edit in candidates.of(source, statement) if edit.new == new)
        assert turned.unnoticed(turn, source, statement, ran) is (statement is both)
        assert not turned.unnoticed(turn, source, statement, never)


WAITS = """class Wait:
    def __init__(self, low, high):
        self.low, self.high = low, high

    def seconds(self):
        return max(0, self.high)


class Random(Wait):
    def seconds(self):
        return uniform(0, super().seconds())

    def wrapped(self, f):
        f.waits = f
        return 0
"""


def test_what_the_object_was_made_with_may_be_meant_where_a_number_stands() -> None:
    assert made(WAITS, 11)[WAITS.replace("uniform(0,", "uniform(self.low,")].kind == "variable"
    assert WAITS.replace("max(0,", "max(self.low,") in made(WAITS, 6)
    assert WAITS.replace("f.waits = f", "f.waits = self") in made(WAITS, 14)


def test_a_loop_of_which_nothing_reads_its_turn_any_more_is_hardly_meant() -> None:
    text = "def f(names, all_names):\n    for name in names:\n        if odd(name):\n            return None\n    return names\n"
    source = Source("m.py", text)
    asked = statement_at(source, 3)
    start = text.index("name):")
    for new, out in (("all_names", True), ("name.lower()", False)):
        edit = Edit("m.py", start, start + 4, new, "variable", "why", 1.0, 3)
        assert out_of_its_loop(edit, source, asked) is out
    assert not out_of_its_loop(Edit("m.py", start - 4, start - 1, "even", "function", "why", 1.0, 3), source, asked)
    text = "def f(names):\n    return [name.strip() for name in names.split() if name]\n"
    source, start = Source("m.py", text), text.index("name.strip")
    for new, out in (("names", True), ("name.lower()", False)):
        edit = Edit("m.py", start, start + 4, new, "variable", "why", 1.0, 2)
        assert out_of_its_loop(edit, source, statement_at(source, 2)) is out


@pytest.mark.parametrize(
    ("line", "likely"),
    [
        ("b = g(a)", False),
        ("b = len(a)", True),
        ("n = g(a)", True),
        ("return g(a)", False),
        ("return h(a)", True),
        ("return n", True),
        ("return t", False),
    ],
)
def test_one_is_added_to_what_counts(line: str, likely: bool) -> None:
    text = f"def f(a, n, t):\n    {line}\n    a = t + '.'\n    if n < 3:\n        return 1 + h(t)\n    return b\n"
    found = made(text, 2)[text.replace(line, f"{line} + 1", 1)]
    assert (found.cost < 2.2) is likely


BRANCHES = """class Cache:
    def set(self, key, value):
        if self.kept.get(key):
            self.kept.move_to_end(key, last=True)
        else:
            self.kept[key] = value
            if self.most < len(self.kept):
                self.kept.popitem(last=False)
"""


def test_what_one_branch_does_may_be_forgotten_in_the_other() -> None:
    good = BRANCHES.replace(
        "            self.kept.move", "            self.kept[key] = value\n            self.kept.move"
    )
    assert made(BRANCHES, 4)[good].kind == "copied"


RENAMED = """def rename(self, entry, at):
    global last
    name = f"{self.short}-{at}"
    key, last = f"{self.id}-{at}", at
    total: int = 0
    if entry.name == name:
        return total
    entry.name = name
    entry.last = last
"""


@pytest.mark.parametrize(
    ("old", "new", "idle"),
    [
        ("total\n", "entry\n", True),
        (
            "name:\n        return total\n    entry.name = name",
            "key:\n        return total\n    entry.name = key",
            True,
        ),
        ("name:", "key:", False),
        ("self.short", "self.name", False),
        ('name = f"{self.short}-{at}"', 'label = f"{self.short}-{at}"', False),
        ("last\n", "key\n", False),
        ("entry.name =", "self.name =", False),
    ],
)
def test_what_is_worked_out_for_nothing_is_hardly_meant(old: str, new: str, idle: bool) -> None:
    source, at = Source("m.py", RENAMED), RENAMED.rindex(old)
    edit = Edit("m.py", at, at + len(old), new, "variable", "why", 1.0, 7)
    assert for_nothing(edit, source, statement_at(source, 8)) is idle


def test_a_loop_does_not_take_what_it_goes_through_from_one_of_its_turns() -> None:
    text = """def f(text, kept):
    text = text.strip()
    for at, one in enumerate(text):
        for rule in RULES:
            if rule(text, at):
                break
        else:
            yield one
"""
    held = next(one for one in made(text, 8).values() if one.new.strip() == "text = one")
    assert held.cost > 3
    text = "def f(text, kept):\n    last = None\n    for one in text:\n        if one != last:\n            show(one)\n"
    assert next(one for one in made(text, 5).values() if one.new.strip() == "last = one").cost < 3


def test_in_a_loop_lines_do_not_tell_how_a_question_was_answered_last() -> None:
    source = Source("m.py", "def f(a):\n    for b in a:\n        if b == 1:\n            return b\n    return 0\n")
    asked = statement_at(source, 3)
    turn = next(edit for edit in candidates.of(source, asked) if edit.new == "!=")
    ran = ({"m.py": frozenset((2, 3, 4))},)
    assert not turned.unnoticed(turn, source, asked, Spectrum(ran, ran))


@pytest.mark.parametrize(
    ("asks", "step", "done"),
    [
        ("if a:", "b.append(a)", "b.append(a)"),
        (
            "if a:\n            # each one",
            "b.append(\n                a\n            )",
            "b.append(\n            a\n        )",
        ),
        ("if a:", "return b", ""),  # what follows would never be done
        ("if a: pass\n        elif b:", "b.append(a)", ""),
        ("if a:", "b.append(a)\n        else:\n            c = 1", ""),
    ],
)
def test_a_step_may_be_meant_whatever_is_asked_before_it(asks: str, step: str, done: str) -> None:
    text = f"def f(b):\n    for a in b:\n        {asks}\n            {step}\n        c = 2\n"
    found = {program: edit for program, edit in made(text, 3).items() if edit.kind == "unasked"}
    assert list(found) == ([f"def f(b):\n    for a in b:\n        {done}\n        c = 2\n"] if done else [])


@pytest.mark.parametrize(
    ("imports", "call", "good"),
    [
        ("import base64", "base64.b64decode(a)", "base64.b64decode(a, validate=True)"),
        ("from base64 import b64decode as read", "read(a)", "read(a, validate=True)"),
        ("import html as h", "h.escape(a)", "h.escape(a, quote=False)"),
        ("import json", "json.loads(a)", ""),  # it has none
        ("import base64", "base64.b64decode(a, validate=True)", ""),
        ("import base64", "base64.b64decode(a, **b)", ""),
        ("from .base64 import b64decode", "b64decode(a)", ""),
        ("import requests", "requests.get(a)", ""),  # another's is not imported here to be looked at
        ("import antigravity", "antigravity.geohash(a)", ""),
    ],
)
def test_what_the_standard_library_lets_a_caller_switch_is_tried(imports: str, call: str, good: str) -> None:
    text = f"{imports}\n\n\ndef f(a, b):\n    return {call}\n"
    found = [program for program, edit in made(text, 5).items() if " can be given " in edit.why]
    assert found == ([text.replace(call, good)] if good else [])


def test_what_a_format_says_between_its_fields_becomes_what_is_expected() -> None:
    text = "def f(a):\n    raise ValueError(f'no {a} in a list of {len(a)}')\n"
    source = Source("m.py", text)
    said = "AssertionError: assert 'no x in a list of 1' == 'no x in a sequence of 1'"
    found = {edit.applied(text): edit for edit in expected.edits(source, statement_at(source, 2), said)}
    edit = found[text.replace("list", "sequence")]
    assert verdict.RISK.get(edit.kind, 0) == 0, "nothing else of it differs"
    more = said.replace("no x in a sequence", "none: x in a sequence")
    found = {edit.applied(text): edit for edit in expected.edits(source, statement_at(source, 2), more)}
    assert verdict.RISK[found[text.replace("list", "sequence")].kind] > 0
    said = "AssertionError: assert 'no lena in a list' == 'no mary in a list'"
    assert not [one for one in expected.edits(source, statement_at(source, 2), said) if "mary" in one.new]


def test_what_is_counted_is_counted_once() -> None:
    assert not [
        edit for edit in made("def f(a):\n    return sum(1 for b in a if b)\n", 2).values() if edit.kind == "constant"
    ]


TELLS = 'def f(a, b){}:\n    """Tells."""\n    if b:\n        return {}\n    else:\n        c = [b]\n        return str({})\n'


@pytest.mark.parametrize(
    ("returns", "value", "taken", "error", "message", "place", "answer"),
    [
        (" -> str", "b.x", "a[-1]", "IndexError", "list index out of range", "    if b:\n        return b", '""'),
        (" -> list[int]", "b.x", "a[0]", "IndexError", "tuple index out of range", "    if b:\n        return b", "[]"),
        ("", "0", "max(a)", "ValueError", "max() arg is an empty sequence", "    if b:\n        return 0", "0"),
        (
            "",
            "0",
            "c[1]",
            "IndexError",
            "list index out of range",
            "        return str",
            "0",
        ),  # what it makes is asked there
    ],
)
def test_there_is_an_answer_for_nothing(
    returns: str, value: str, taken: str, error: str, message: str, place: str, answer: str
) -> None:
    text = TELLS.format(returns, value, taken)
    source, base = Source("m.py", text), taken.removeprefix("max(").partition("[")[0].rstrip(")")
    found = {edit.applied(text) for edit in crash.edits(source, statement_at(source, 7), error, message, 0)}
    indent = place[: len(place) - len(place.lstrip())]
    assert text.replace(place, f"{indent}if not {base}:\n{indent}    return {answer}\n{place}") in found
    other = crash.edits(source, statement_at(source, 7), "ValueError", "no such thing", 0)
    assert not [edit for edit in other if "if not" in edit.new]
