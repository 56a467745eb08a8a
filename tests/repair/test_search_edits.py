"""The right edit is among those that are tried, and comes before most others."""

from __future__ import annotations

import ast

import pytest

from prodwise.repair.edits import Edit, unified
from prodwise.repair.rank import hollow, score
from prodwise.repair.search import candidates
from prodwise.repair.source import Function, Source
from prodwise.repair.templates import crash, defaults, expected, guards, handlers


def statement_at(source: Source, line: int) -> ast.stmt:
    return next(one for one in source.statements if one.lineno == line and not isinstance(one, Function))


def made(text: str, line: int) -> dict[str, Edit]:
    source = Source("m.py", text)
    return {edit.applied(text): edit for edit in reversed(candidates.of(source, statement_at(source, line)))}


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
    ("error", "message", "line", "good"),
    [
        ("KeyError", "'k'", "return d['k']", "return d.get('k')"),
        ("ZeroDivisionError", "division by zero", "return 1 / n", "return (1 / n if n else 0)"),
        ("TypeError", 'can only concatenate str (not "int") to str', "return d + n", "return d + str(n)"),
        ("AttributeError", "'NoneType' object has no attribute 'x'", "return d.x", "return (d.x if d is not None else None)"),
        ("NameError", "name 'coutn' is not defined", "return coutn", "return count"),
        ("UnicodeDecodeError", "'ascii' codec", "return open(d)", 'return open(d, encoding="utf-8")'),
        ("RuntimeError", "dictionary changed size during iteration", "for x in d: pass", "for x in list(d): pass"),
        ("StopIteration", "", "return next(d)", "return next(d, None)"),
    ],
)  # fmt: skip
def test_an_error_calls_for_its_usual_ends(error: str, message: str, line: str, good: str) -> None:
    text = f"def f(d, n, count):\n    {line}\n"
    source = Source("m.py", text)
    edits = crash.edits(source, statement_at(source, 2), error, message, 0)
    assert f"    {good}\n" in [edit.applied(text).split("\n", 1)[1] for edit in edits]


def test_a_handler_takes_the_error_beside_its_own() -> None:
    text = "def f(d):\n    try:\n        return int(d)\n    except ValueError:\n        return 0\n"
    source = Source("m.py", text)
    (edit,) = handlers.edits(source, statement_at(source, 3), "TypeError")
    assert "except (ValueError, TypeError):" in edit.applied(text)
    assert not list(handlers.edits(source, statement_at(source, 3), "Exception"))


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


def test_an_edit_that_answers_itself_is_none() -> None:
    for text in ("x < x", "if a or not a:", "a = a", "return max(x, x)", "1 < 2"):
        assert hollow(text), text
    for text in ("x < y", "a = b", "return max(0, x)", "if a or not b:"):
        assert not hollow(text), text


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
