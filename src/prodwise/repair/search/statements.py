"""Statements that are missing: an update of a variable, a call that records something, a base case, an `else` value."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from itertools import permutations, takewhile

from prodwise.repair.edits import Edit
from prodwise.repair.search.site import Site
from prodwise.repair.source import Function

_RECORDING = frozenset(("append", "add", "appendleft", "extend", "update", "discard", "remove", "pop"))
_LOOPS = ast.For | ast.AsyncFor | ast.While
_BLOCKS = ast.For | ast.While | ast.If | ast.With | ast.Try
MOST = 80
HELD = 1.0


def edits(site: Site) -> Iterator[Edit]:
    """Insertions before the statement, and after it when it ends its block."""
    function = site.source.function(site.statement)
    if function is None or isinstance(site.statement, Function | ast.ClassDef):
        return
    last = _ends_block(site) and not isinstance(site.statement, ast.Return | ast.Raise | ast.Continue | ast.Break)
    inner = isinstance(site.source.parents.get(site.statement), _BLOCKS)
    made = [*_kept(site, function), *_assignments(site, function), *_calls(site, function)][:MOST]
    for text, cost in made:
        for after in (False, True) if last else (False,):
            cost_here = cost + (0.0 if (after and inner) or isinstance(site.statement, ast.Return) else 0.3)
            edit = site.insert(text, "statement missing", f"`{text}` is missing here", cost_here, after)
            if edit is not None:
                yield edit
    yield from _base_cases(site, function)
    yield from _order(site)


def _kept(site: Site, function: Function) -> Iterator[tuple[str, float]]:
    """`self.a = a` for a parameter that the class reads from there; by a path that forgets it, say."""
    arguments = (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)
    if not arguments or arguments[0].arg != "self":
        return
    text = site.source.of(site.statement)
    for one in arguments[1:]:
        for name in (one.arg, f"_{one.arg}"):
            if name in site.scope.attributes and f"self.{name} =" not in text:
                yield f"self.{name} = {one.arg}", 1.9 if function.name == "__init__" else 2.3


def _ends_block(site: Site) -> bool:
    parent = site.source.parents.get(site.statement)
    return any(
        isinstance(body := getattr(parent, name, None), list) and body and body[-1] is site.statement
        for name in ("body", "orelse", "finalbody")
    )


def _assignments(site: Site, function: Function) -> Iterator[tuple[str, float]]:
    """`a = b` of two of the function's variables where `a` is assigned but once, or not in this block. What a function is given
    to go through, and no turn of the loop here changes, is hardly meant to become something of one turn."""
    bound = [name for name in site.scope.locals if name not in ("self", "cls", "_")]
    if len(bound) > 9:
        return
    counts = Counter(_stored(function))
    given = {one.arg for one in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)}
    loops = [
        one
        for one in takewhile(lambda one: one is not function, site.source.up(site.statement))
        if isinstance(one, _LOOPS)
    ]
    turns = frozenset(_stored(loops[-1])) if loops else frozenset[str]()
    for one, two in permutations(bound, 2):
        if counts[one]:
            held = two in turns and one in given and one not in turns
            yield f"{one} = {two}", 2.4 + 0.2 * (counts[one] > 1) + HELD * held


def _stored(place: ast.AST) -> list[str]:
    return [node.id for node in ast.walk(place) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]


def _calls(site: Site, function: Function) -> Iterator[tuple[str, float]]:
    """`xs.append(x)` for the function's own lists and sets, and any recording call that it makes elsewhere."""
    receivers: dict[str, set[str]] = {}
    outer = [one for one in site.source.up(function) if isinstance(one, Function)]
    for node in ast.walk(outer[-1] if outer else function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _RECORDING:
            receivers.setdefault(ast.unparse(node.func.value), set()).add(node.func.attr)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            method = _method_of(node.value)
            if method:
                receivers.setdefault(node.targets[0].id, set()).add(method)
    names = [name for name in site.scope.locals if name not in ("self", "cls", "_")]
    for receiver, methods in receivers.items():
        for method in sorted(methods & {"append", "add", "appendleft", "extend", "discard", "remove"}):
            for name in names:
                if name != receiver:
                    yield f"{receiver}.{method}({name})", 2.4
                    if method == "append":
                        yield f"{receiver}.insert(0, {name})", 2.6


def _method_of(value: ast.expr) -> str:
    if isinstance(value, ast.List):
        return "append"
    if isinstance(value, ast.Set):
        return "add"
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
        return {"set": "add", "list": "append", "deque": "append", "Queue": "append"}.get(value.func.id, "")
    return ""


def _base_cases(site: Site, function: Function) -> Iterator[Edit]:
    """An early return for an empty or missing argument, as the first statement of a function that calls itself or has such
    a return already."""
    body = [one for one in function.body if not _docstring(one)]
    if not body or body[0] is not site.statement:
        return
    returns = [
        ast.unparse(node.value)
        for node in ast.walk(function)
        if isinstance(node, ast.Return) and node.value is not None
    ]
    simple = [text for text in dict.fromkeys(returns) if len(text) < 30]
    answers = (
        dict.fromkeys(f" {one}" for one in (*simple[:3], "{}", "[]", "0", "1", "None", "False"))
        if returns
        else {"": None}
    )
    recursive = any(isinstance(node, ast.Call) and _name(node.func) == function.name for node in ast.walk(function))
    for argument in function.args.args:
        name = argument.arg
        if name in ("self", "cls"):
            continue
        for test in (f"not {name}", f"{name} is None", f"{name} <= 0", f"{name} < 0"):
            for answer in answers:
                value = answer.strip().replace("{}", name)
                cost = 3.0 if (recursive and value in simple) or not returns else 3.5
                made = site.insert(
                    f"if {test}:\n    return {value}".rstrip(), "guard", f"the case `{test}` is missing", cost
                )
                if made is not None:
                    yield made


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _order(site: Site) -> Iterator[Edit]:
    """The statement and the next one of its block, exchanged; or moved one level out, when it is the last of its block."""
    source, statement = site.source, site.statement
    parent = source.parents.get(statement)
    simple = ast.Assign | ast.AugAssign | ast.Expr | ast.Return
    for name in ("body", "orelse"):
        block = getattr(parent, name, None)
        if not isinstance(block, list) or statement not in block:
            continue
        at = block.index(statement)
        after = block[at + 1] if at + 1 < len(block) else None
        if (
            after is not None
            and isinstance(statement, simple)
            and isinstance(after, simple)
            and not _docstring(statement)
        ):
            start, end = source.span(statement)[0], source.span(after)[1]
            gap = source.text[source.span(statement)[1] : source.span(after)[0]]
            text = source.of(after) + gap + source.of(statement)
            yield Edit(
                source.path, start, end, text, "order", "two statements are in the wrong order", 2.2, statement.lineno
            )
        if after is None and len(block) > 1 and isinstance(parent, _BLOCKS) and name == "body":
            yield from _outdented(site, parent)


def _outdented(site: Site, parent: ast.stmt) -> Iterator[Edit]:
    source, statement = site.source, site.statement
    if (
        (statement.end_lineno or 0) != statement.lineno
        or getattr(parent, "orelse", None)
        or isinstance(parent, ast.Try)
    ):
        return
    start = source.line_start(statement.lineno)
    indent = source.indent(parent)
    text = indent + source.lines[statement.lineno - 1].lstrip()
    end = start + len(source.lines[statement.lineno - 1])
    yield Edit(
        source.path,
        start,
        end,
        text,
        "order",
        "the statement belongs after the block, not into it",
        2.3,
        statement.lineno,
    )
