"""From an error and the statement that raised it to the usual ways to end it."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator

from prodwise.repair.edits import Edit
from prodwise.repair.search.arguments import added
from prodwise.repair.search.names import near
from prodwise.repair.search.nearby import BUILT_IN
from prodwise.repair.search.site import Site
from prodwise.repair.source import Function, Source, scope
from prodwise.repair.templates import called, lost, nothing

Rule = Callable[[Site, str], Iterator[Edit]]


def edits(source: Source, statement: ast.stmt, error: str, message: str, depth: int) -> list[Edit]:
    """depth: 0 for the innermost frame of the app's own; farther ones cost more."""
    site = Site(source, statement, scope(source, statement))
    made: dict[tuple[int, int, str], Edit] = {}
    for rule in _RULES.get(error.rpartition(".")[2], ()):
        for edit in rule(site, message):
            made.setdefault((edit.start, edit.end, edit.new), edit)
    if not depth:
        return list(made.values())
    return [
        Edit(one.path, one.start, one.end, one.new, one.kind, one.why, one.cost + 0.4 * depth, one.line)
        for one in made.values()
    ]


def _missing_key(site: Site, message: str) -> Iterator[Edit]:
    yield from _not_there_yet(site)
    for node in site.source.head(site.statement):
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) and not isinstance(node.slice, ast.Slice):
            base, key = site.source.of(node.value), site.source.of(node.slice)
            cost = 1.4 if isinstance(node.slice, ast.Constant) else 1.7
            yield site.swap(node, f"{base}.get({key})", "missing key", f"`{key}` may be missing in `{base}`", cost)
            for default in ('""', "0", "[]", "{}", "False", key):
                why = f"`{key}` may be missing in `{base}`"
                yield site.swap(node, f"{base}.get({key}, {default})", "missing key", why, cost + 0.4)
            yield from _only_if(site, f"{key} in {base}", "missing key", 2.0)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("pop", "remove"):
            text = site.source.of(node)
            if node.func.attr == "pop" and len(node.args) == 1:
                yield site.swap(node, text[:-1] + ", None)", "missing key", "what is taken out may be missing", 1.2)
            else:
                yield site.swap(
                    node.func,
                    site.source.of(node.func.value) + ".discard",
                    "missing key",
                    "it may be gone already",
                    1.5,
                )


def _not_there_yet(site: Site) -> Iterator[Edit]:
    """`counts[word] += 1` where the word comes for the first time; `del seen[key]` of what is not there."""
    match site.statement:
        case ast.AugAssign(target=ast.Subscript() as target, op=ast.Add()) as statement:
            base, key, more = (site.source.of(one) for one in (target.value, target.slice, statement.value))
            for none, cost in (("0", 1.5), ("[]", 1.8), ('""', 2.0)):
                new = f"{base}[{key}] = {base}.get({key}, {none}) + {more}"
                yield site.swap(statement, new, "missing key", f"`{key}` may be missing in `{base}`", cost)
        case (
            ast.Delete(
                targets=[ast.Subscript(slice=ast.Name() | ast.Constant() | ast.Attribute()) as target]
            ) as statement
        ):
            base, key = site.source.of(target.value), site.source.of(target.slice)
            new, why = f"{base}.pop({key}, None)", f"`{key}` may be missing in `{base}`"
            yield site.swap(statement, new, "missing key", why, 1.4)


def _only_if(site: Site, test: str, kind: str, cost: float) -> Iterator[Edit]:
    """The statement only where the question holds: an `if` around one that is alone on its line and gives no value."""
    source, statement = site.source, site.statement
    test = re.sub(r"\s+", " ", test)
    if isinstance(statement, ast.If):
        text = source.of(statement.test)
        safe = text if isinstance(statement.test, ast.Compare | ast.Name | ast.Call | ast.Attribute) else f"({text})"
        yield site.swap(statement.test, f"{test} and {safe}", kind, f"it is asked only when `{test}`", cost)
    elif isinstance(statement, ast.Expr | ast.AugAssign | ast.Delete) and statement.lineno == statement.end_lineno:
        indent, start = source.indent(statement), source.span(statement)[0]
        new = f"if {test}:\n{indent}    {source.of(statement)}"
        yield Edit(
            source.path,
            start,
            source.span(statement)[1],
            new,
            kind,
            f"it is done only when `{test}`",
            cost,
            statement.lineno,
        )
    elif isinstance(statement, ast.For):
        return


def _none(site: Site, message: str) -> Iterator[Edit]:
    """Something was None: a default, a guard on the same line, or the value of a sibling."""
    attribute = (re.search(r"has no attribute '(\w{1,80})'", message) or [None, None])[1]
    for node in site.source.head(site.statement):
        asked = (
            isinstance(node, ast.Attribute) and node.attr == attribute if attribute else isinstance(node, ast.Subscript)
        )
        base = node.value if asked and isinstance(node, ast.Attribute | ast.Subscript) else None
        if base is not None and isinstance(base, ast.Name | ast.Attribute | ast.Call | ast.Subscript):
            yield from _guarded(site, base, node)
    if not attribute and isinstance(site.statement, ast.For):
        yield from _empty(site, site.statement.iter)
    if not attribute:
        for node in site.source.head(site.statement):
            if isinstance(node, ast.comprehension):
                continue
            if isinstance(node, ast.Call) and ("iterable" in message or "len()" in message or "argument" in message):
                for one in node.args:
                    yield from _empty(site, one)
            if isinstance(node, ast.Compare) and "iterable" in message:
                yield from _empty(site, node.comparators[-1])


def _guarded(site: Site, base: ast.expr, whole: ast.expr) -> Iterator[Edit]:
    text = site.source.of(base)
    yield from _only_if(site, f"{text} is not None", "none", 1.5)
    yield from _only_if(site, text, "none", 1.7)
    top = whole
    while isinstance(parent := site.source.parents.get(top), ast.Attribute | ast.Subscript | ast.Call) and not (
        isinstance(parent, ast.Call) and parent.func is not top
    ):
        top = parent
    if isinstance(getattr(top, "ctx", ast.Load()), ast.Load):
        inner = site.source.of(top)
        for default in ("None", '""', "[]", "0"):
            why = f"`{text}` may be None"
            yield site.swap(
                top, f"({inner} if {text} is not None else {default})", "none", why, 2.0 + 0.2 * (default != "None")
            )
    for default in ('""', "{}", "[]"):
        yield site.swap(base, f"({text} or {default})", "none", f"`{text}` may be None", 2.2)
    function = site.source.function(site.statement)
    if function is not None and isinstance(base, ast.Name | ast.Attribute):
        returns = [one for one in ast.walk(function) if isinstance(one, ast.Return)]
        values = [ast.unparse(one.value) if one.value is not None else "" for one in returns]
        for value in dict.fromkeys(("", *(one for one in values if len(one) < 20))):
            made = site.insert(f"if {text} is None:\n    return {value}".rstrip(), "none", f"`{text}` may be None", 2.3)
            if made:
                yield made


def _empty(site: Site, node: ast.expr) -> Iterator[Edit]:
    if isinstance(node, ast.Name | ast.Attribute | ast.Call | ast.Subscript):
        text = site.source.of(node)
        yield site.swap(node, f"{text} or []", "none", f"`{text}` may be None", 1.6)
        yield site.swap(node, f"{text} or ()", "none", f"`{text}` may be None", 1.9)


def _attribute(site: Site, message: str) -> Iterator[Edit]:
    found = re.search(r"'?(\w{1,80})'? object has no attribute '(\w{1,80})'|has no attribute '(\w{1,80})'", message)
    if found is None:
        return
    if found[1] == "NoneType":
        yield from _none(site, message)
        return
    wanted = found[2] or found[3]
    known = {one.attr for one in ast.walk(site.source.tree) if isinstance(one, ast.Attribute)}
    known |= {one.name for one in ast.walk(site.source.tree) if isinstance(one, Function)}
    for node in site.source.head(site.statement):
        if not isinstance(node, ast.Attribute) or node.attr != wanted:
            continue
        end = site.source.span(node)[1]
        for other in sorted(known - {wanted}, key=lambda one: -near(one, wanted))[:12]:
            cost = 2.2 - near(other, wanted)
            why = f"`.{other}` is meant instead of `.{wanted}`"
            yield Edit(site.source.path, end - len(wanted), end, other, "attribute", why, cost, node.lineno)
        base, parent = site.source.of(node.value), site.source.parents.get(node)
        kind = found[1] or ""
        if wanted in ("decode", "encode") and isinstance(parent, ast.Call):
            yield site.swap(parent, base, "encoding", f"`{base}` is {kind} already", 1.2)
        if kind == "str" and wanted == "decode" and isinstance(parent, ast.Call) and parent.args:
            yield site.swap(node.value, f'{base}.encode("ascii")', "encoding", f"`{base}` is text already", 1.6)
        if kind in ("bytes",):
            yield site.swap(node.value, f"{base}.decode()", "encoding", f"`{base}` is bytes", 1.8)
        if kind in ("int", "float", "bool"):
            yield site.swap(node.value, f"str({base})", "type", f"`{base}` is a number", 1.6)
        if kind in ("str", "dict", "tuple", "generator", "map", "filter", "set", "dict_keys"):
            yield site.swap(node.value, f"list({base})", "type", f"`{base}` is not a list", 1.8)
        if kind == "coroutine":
            yield site.swap(node.value, f"(await {base})", "await", f"`{base}` is not awaited", 1.0)
        if kind in ("method", "function", "builtin_function_or_method"):
            yield site.swap(node.value, f"{base}()", "call missing", f"`{base}` is meant to be called", 1.0)
        yield from _only_if(site, f'hasattr({base}, "{wanted}")', "attribute", 3.0)
        if isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
            yield site.swap(
                node, f'getattr({base}, "{wanted}", None)', "attribute", f"`{base}` may lack `.{wanted}`", 2.6
            )


def _type(site: Site, message: str) -> Iterator[Edit]:
    if "NoneType" in message:
        yield from _none(site, message)
    if "coroutine" in message:
        yield from _awaited(site, message)
    for node in site.source.head(site.statement):
        if isinstance(node, ast.BinOp) and (
            "operand" in message or "concatenate" in message or "must be str" in message
        ):
            for side in (node.left, node.right):
                text = site.source.of(side)
                for call in ("str", "int", "list", "tuple", "float"):
                    yield site.swap(
                        side, f"{call}({text})", "type", f"`{text}` has another type than its neighbour", 1.4
                    )
        if isinstance(node, ast.Call):
            yield from called.edits(site, node, message)
        if isinstance(node, ast.Subscript) and ("not subscriptable" in message or "indices must be" in message):
            base = site.source.of(node.value)
            for call in ("list", "int"):
                inner = node.value if call == "list" else node.slice
                yield site.swap(
                    inner, f"{call}({site.source.of(inner)})", "type", f"`{base}` cannot be asked like this", 1.6
                )
        if isinstance(node, ast.Compare) and "not supported between" in message:
            for part in (node.left, *node.comparators):
                text = site.source.of(part)
                for call in ("int", "str", "float", "len"):
                    yield site.swap(
                        part, f"{call}({text})", "type", f"`{text}` has another type than its neighbour", 1.5
                    )


def _index(site: Site, message: str) -> Iterator[Edit]:
    for node in site.source.head(site.statement):
        if isinstance(node, ast.Subscript) and not isinstance(node.slice, ast.Slice):
            base, index = site.source.of(node.value), site.source.of(node.slice)
            if isinstance(node.ctx, ast.Load):
                for default in ("None", '""', "0"):
                    why = f"`{base}` may be empty or too short"
                    yield site.swap(node, f"({base}[{index}] if {base} else {default})", "index", why, 2.2)
            yield from _only_if(site, base, "index", 1.8)
            if not isinstance(node.slice, ast.Constant):
                yield from _only_if(site, f"{index} < len({base})", "index", 1.8)
            if isinstance(site.statement, ast.While):
                test = site.source.of(site.statement.test)
                yield site.swap(
                    site.statement.test,
                    f"{index} < len({base}) and {test}",
                    "index",
                    f"`{index}` may pass the end",
                    1.5,
                )
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("pop", "popleft"):
            yield from _only_if(site, site.source.of(node.func.value), "index", 1.8)


def _division(site: Site, message: str) -> Iterator[Edit]:
    for node in site.source.head(site.statement):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div | ast.FloorDiv | ast.Mod):
            below, text = site.source.of(node.right), site.source.of(node)
            why = f"`{below}` may be zero"
            for default in ("0", "0.0", "None"):
                yield site.swap(
                    node, f"({text} if {below} else {default})", "division", why, 1.4 + 0.3 * (default == "None")
                )
            if isinstance(site.statement, ast.Return) and isinstance(node.right, ast.Name | ast.Call | ast.Attribute):
                for default in ("0", "0.0", "None"):
                    made = site.insert(f"if not {below}:\n    return {default}", "division", why, 1.8)
                    if made:
                        yield made


def _encoding(site: Site, message: str) -> Iterator[Edit]:
    for node in site.source.head(site.statement):
        if not isinstance(node, ast.Call):
            continue
        text = site.source.of(node)
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if name in ("open", "read_text", "write_text") and not any(one.arg == "encoding" for one in node.keywords):
            comma = ", " if node.args or node.keywords else ""
            yield site.swap(
                node, f'{text[:-1]}{comma}encoding="utf-8")', "encoding", "the encoding is left to the machine", 1.0
            )
        if name in ("decode", "encode"):
            yield from _decoded(site, node)
        elif node.args and name not in BUILT_IN and text.endswith(")") and not {"errors", None} & _given(node):
            why = f"what `{name}` is given may not be UTF-8"
            yield added(site, node, 'errors="replace"', why, 1.9)


def _decoded(site: Site, node: ast.Call) -> Iterator[Edit]:
    """What is given by a name is for others to decide: it is kept."""
    base, given = site.source.of(node.func), [*node.args, *(one.value for one in node.keywords)]
    if all(isinstance(one, ast.Constant) for one in given):
        yield site.swap(node, f'{base}("utf-8")', "encoding", "the text is UTF-8", 1.2)
        yield site.swap(node, f'{base}("utf-8", "replace")', "encoding", "the text may not be UTF-8", 1.8)
    elif len(node.args) == 1 and not node.keywords:
        text = f'{base}({site.source.of(node.args[0])}, "replace")'
        yield site.swap(node, text, "encoding", "the text may not be in this encoding", 1.8)


def _given(node: ast.Call) -> set[str | None]:
    return {one.arg for one in node.keywords}


def _awaited(site: Site, message: str) -> Iterator[Edit]:
    function = site.source.function(site.statement)
    if not isinstance(function, ast.AsyncFunctionDef):
        return
    for node in site.source.head(site.statement):
        if isinstance(node, ast.Call) and not isinstance(site.source.parents.get(node), ast.Await):
            yield site.swap(
                node, f"await {site.source.of(node)}", "await", f"`{site.source.of(node)[:60]}` is not awaited", 1.0
            )


def _exhausted(site: Site, message: str) -> Iterator[Edit]:
    for node in site.source.head(site.statement):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "next"
            and len(node.args) == 1
        ):
            inner = site.source.of(node.args[0])
            inner = f"({inner})" if isinstance(node.args[0], ast.GeneratorExp) and not inner.startswith("(") else inner
            yield site.swap(node, f"next({inner}, None)", "exhausted", "there may be no next one", 1.3)
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in ("max", "min")
            and len(node.args) == 1
        ):
            text = site.source.of(node)
            for default in ("0", "None"):
                yield site.swap(
                    node, f"{text[:-1]}, default={default})", "exhausted", "there may be nothing to compare", 1.5
                )


def _changing(site: Site, message: str) -> Iterator[Edit]:
    statement = site.statement
    if isinstance(statement, ast.For) and "changed" in message:
        text = site.source.of(statement.iter)
        yield site.swap(statement.iter, f"list({text})", "changing", "what is walked through is changed meanwhile", 0.8)


_RULES: dict[str, tuple[Rule, ...]] = {
    "KeyError": (_missing_key, _changing),
    "AttributeError": (_attribute,),
    "TypeError": (_type,),
    "IndexError": (_index, nothing.edits),
    "ZeroDivisionError": (_division,),
    "UnicodeDecodeError": (_encoding,),
    "UnicodeEncodeError": (_encoding,),
    "ValueError": (_exhausted, _encoding, nothing.edits, nothing.unpacked),
    "StopIteration": (_exhausted,),
    "RuntimeError": (_changing,),
    "NameError": (lost.edits,),
    "UnboundLocalError": (lost.edits,),
    "RuntimeWarning": (_awaited,),
}
