"""An exception that a test waits for and the program does not raise: raised where the call differs from those that pass, or in place
of another one that is."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator
from dataclasses import dataclass

from prodwise.loop.verify.patch.protected import is_test
from prodwise.repair.edits import Edit
from prodwise.repair.search.site import Site
from prodwise.repair.source import Function, Source, scope
from prodwise.repair.templates import handlers
from prodwise.repair.values import Calls, Question, questions

_AWAITED = (
    re.compile(r"DID NOT RAISE (?!any of)(?:<class ')?(?:\w{1,60}\.){0,8}(\w{1,60})\b"),
    re.compile(r"AssertionError: (\w{1,60}) not raised\b"),
)
_WORDS = re.compile(r"[\w ,:'-]{1,100}")
_BROAD = frozenset(("BaseException", "Exception", "AssertionError", "KeyboardInterrupt", "SystemExit", "NameError"))
_WAITS = ("raises", "assertRaises", "assertRaisesRegex", "assert_raises")
LATER = 0.3
INNER = 0.7
DEEPER = 0.15
ALIKE_MAX = 3


@dataclass(frozen=True, slots=True)
class Awaited:
    """words: what the test asks of its message, "" for nothing."""

    error: str
    words: str


def edits(source: Source, statement: ast.stmt, wanted: Awaited, calls: Calls) -> Iterator[Edit]:
    """Before a statement of a function that the failing tests called last with what no passing test did. What the tests call
    themselves comes first."""
    function = source.function(statement)
    if function is None or isinstance(statement, Function | ast.ClassDef):
        return
    last = calls.last(source.path, function)
    asked = questions(last, calls.good(source.path, function))
    if not asked or not _known(source, wanted.error):
        return
    site = Site(source, statement, scope(source, statement))
    body = [one for one in function.body if not _docstring(one)]
    farther = 0.0 if body and statement is body[0] else LATER
    farther += 0.0 if all(not one.caller or is_test(one.caller) for one in last) else INNER
    for question in asked:
        text = f"if {question.text}:\n    raise {_made(source, wanted, question)}"
        why = f"`{wanted.error}` is expected when `{question.text}`"
        made = site.insert(text, "raise", why, question.cost + farther)
        if made is not None:
            yield made


def instead(source: Source, statement: ast.stmt, wanted: Awaited, error: str, depth: int) -> Iterator[Edit]:
    """Where another one is raised. depth: of its frame, 0 for the innermost of the program."""
    other = error.rpartition(".")[2]
    kind = getattr(builtins, other, None)
    if isinstance(statement, ast.Raise):
        yield from _another(source, statement, wanted, other, depth)
    plain = isinstance(statement, ast.Expr | ast.Return | ast.Assign | ast.AnnAssign | ast.AugAssign)
    if not plain or not isinstance(kind, type) or other in {*_BROAD, wanted.error} or not _known(source, wanted.error):
        return
    why, deeper = f"`{wanted.error}` is expected where {other} is raised", DEEPER * depth
    words = _quoted(wanted.words) if wanted.words else "str(error)"
    alike = _alike(source, statement, wanted)
    made = [(text, 1.1 + LATER * at) for at, text in enumerate(alike)] + [
        (f"{wanted.error}({words})", 1.5 + LATER * len(alike))
    ]
    for text, cost in made:
        then = f"raise {text} from error"
        yield from handlers.around(source, statement, f"{other} as error", then, why, cost + deeper)


def _alike(source: Source, statement: ast.stmt, wanted: Awaited) -> list[str]:
    """As the same function raises it elsewhere, with the awaited words first: what it is given tells more than words."""
    function = source.function(statement)
    raised = [one.exc for one in ast.walk(function) if isinstance(one, ast.Raise)] if function else []
    made = [one for one in raised if isinstance(one, ast.Call)]
    texts = dict.fromkeys(ast.unparse(one) for one in made if ast.unparse(one.func) == wanted.error and not _bare(one))
    return sorted(texts, key=lambda text: wanted.words not in text)[:ALIKE_MAX]


def _bare(made: ast.Call) -> bool:
    """Nothing but words."""
    return not made.keywords and all(isinstance(one, ast.Constant) for one in made.args)


def _another(source: Source, statement: ast.Raise, wanted: Awaited, other: str, depth: int) -> Iterator[Edit]:
    """It is made with the same words."""
    name = statement.exc.func if isinstance(statement.exc, ast.Call) else statement.exc
    if name is None or ast.unparse(name) != other or other == wanted.error or not _known(source, wanted.error):
        return
    start, end = source.span(name)
    why = f"`{wanted.error}` is expected where {other} is raised"
    yield Edit(source.path, start, end, wanted.error, "raise", why, 1.2 + DEEPER * depth, statement.lineno)


def awaited(said: str, test: Source | None = None, line: int = 0) -> Awaited | None:
    """From what the runner tells; else from the `try` of the test whose `else` failed, or from what waits for one around the line.
    None where no exception is waited for, or one that only a broad name tells. line: where the test failed."""
    around = list(_around(test, line)) if test is not None else []
    told = [name for pattern in _AWAITED for name in pattern.findall(said)]
    names = set(told or [name for node in around for name in (*_left(node, line), *_waiting(node))])
    if len(names) != 1 or names & _BROAD:
        return None
    return Awaited(names.pop(), next((text for node in around if (text := _words(node))), ""))


def _left(node: ast.stmt, line: int) -> list[str]:
    """What a `try` handles whose `else` has the line."""
    if not isinstance(node, ast.Try) or not any(one.lineno <= line <= (one.end_lineno or 0) for one in node.orelse):
        return []
    return [ast.unparse(one.type).rpartition(".")[2] for one in node.handlers if one.type is not None]


def _waiting(node: ast.stmt) -> list[str]:
    """What `with raises(E)` waits for, and `assertRaises(E, f)`."""
    calls = [one.context_expr for one in node.items] if isinstance(node, ast.With) else []
    calls += [node.value] if isinstance(node, ast.Expr) else []
    kinds = [
        call.args[0]
        for call in calls
        if isinstance(call, ast.Call) and call.args and ast.unparse(call.func).rpartition(".")[2] in _WAITS
    ]
    return [ast.unparse(one).rpartition(".")[2] for one in kinds if isinstance(one, ast.Name | ast.Attribute)]


def _around(test: Source, line: int) -> Iterator[ast.stmt]:
    """The statements of a test that hold a line, the innermost first."""
    held = [one for one in test.statements if one.lineno <= line <= (one.end_lineno or 0)]
    return iter(sorted(held, key=lambda one: (one.end_lineno or 0) - one.lineno))


def _words(node: ast.stmt) -> str:
    """`match=` of a `with`, where it is plain text; of the test's function what it compares an exception's text with."""
    calls = [one.context_expr for one in node.items] if isinstance(node, ast.With) else []
    values = [key.value for call in calls if isinstance(call, ast.Call) for key in call.keywords if key.arg == "match"]
    if isinstance(node, Function):
        caught = _caught(node)
        values = [side for one in ast.walk(node) if isinstance(one, ast.Compare) for side in _compared(one, caught)]
    texts = [one.value for one in values if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    return next((text for text in texts if _WORDS.fullmatch(text)), "")


def _caught(function: Function) -> set[str]:
    """The names under which it keeps an exception: of a `with`, of a handler."""
    within = [item.optional_vars for one in ast.walk(function) if isinstance(one, ast.With) for item in one.items]
    handled = {one.name for one in ast.walk(function) if isinstance(one, ast.ExceptHandler) and one.name}
    return handled | {one.id for one in within if isinstance(one, ast.Name)}


def _compared(node: ast.Compare, caught: set[str]) -> list[ast.expr]:
    """Both sides, where one is the text of an exception."""
    sides = [node.left, *node.comparators]
    of = [
        ast.unparse(one.args[0])
        for one in sides
        if isinstance(one, ast.Call) and ast.unparse(one.func) == "str" and one.args
    ]
    return sides if any(text.partition(".")[0] in caught for text in of) else []


def _known(source: Source, error: str) -> bool:
    kind = getattr(builtins, error, None)
    return error in source.globals or (isinstance(kind, type) and issubclass(kind, Exception))


def _made(source: Source, wanted: Awaited, question: Question) -> str:
    """As the file makes such an exception, where that is without arguments; else with words."""
    others = [
        ast.unparse(one.exc) for one in ast.walk(source.tree) if isinstance(one, ast.Raise) and one.exc is not None
    ]
    alike = [one for one in others if one.partition("(")[0] == wanted.error]
    if alike and not wanted.words and set(alike) <= {wanted.error, f"{wanted.error}()"}:
        return alike[0]
    words = wanted.words or question.why.replace("self.", "")
    return f"{wanted.error}({_quoted(words)})"


def _quoted(words: str) -> str:
    return f"'{words}'" if '"' in words else f'"{words}"'


def _docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
