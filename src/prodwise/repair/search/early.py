"""What comes before the work: a parameter in the form that others have, an answer where nothing is to be done."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache
from itertools import product

from prodwise.repair.edits import Edit
from prodwise.repair.search import nearby
from prodwise.repair.search.site import Site
from prodwise.repair.source import Function, Source

NAMES_MOST = 4
FORMS_MOST = 8
QUESTIONS_MOST = 12
ANSWERS_MOST = 4
_USUAL = (".strip()", ".lower()")
_NONE = {
    "str": '""',
    "bytes": 'b""',
    "list": "[]",
    "List": "[]",
    "dict": "{}",
    "Dict": "{}",
    "tuple": "()",
    "int": "0",
    "float": "0.0",
}
"""The empty value of what a function says that it hands back."""


def edits(site: Site) -> Iterator[Edit]:
    """Before the first statement of a function, docstring aside."""
    function = site.source.function(site.statement)
    if function is None or isinstance(site.statement, Function | ast.ClassDef) or first(function) is not site.statement:
        return
    yield from _formed(site, function)
    yield from _answered(site, function)


def first(function: Function) -> ast.stmt:
    body = function.body
    says = isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant) and len(body) > 1
    return body[1] if says else body[0]


def _formed(site: Site, function: Function) -> Iterator[Edit]:
    """`name = name.strip()`: as the file does with values of its own before it uses them."""
    names = [one.arg for one in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)
             if one.arg not in ("self", "cls")]  # fmt: skip
    for name, (form, cost) in product(names[:NAMES_MOST], forms(site.source).items()):
        if name not in {one.id for one in ast.walk(function) if isinstance(one, ast.Name)}:
            continue
        value = form.replace("{}", name)
        called = value.partition("(")[0]
        if called.isidentifier() and called not in {*site.source.globals, *site.scope.functions, *nearby.BUILT_IN}:
            continue
        made = site.insert(f"{name} = {value}", "statement missing", f"`{name}` is meant as `{value}`", cost)
        if made is not None:
            yield made


@lru_cache(maxsize=16)
def forms(source: Source) -> dict[str, float]:
    """What the file makes of a value and keeps under the same name, those of any file last."""
    found: dict[str, float] = {}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            name, text = node.targets[0].id, ast.unparse(node.value)
            read = [one.id for one in ast.walk(node.value) if isinstance(one, ast.Name) and one.id == name]
            own = nearby.names_in(node.value) - source.globals - nearby.BUILT_IN
            if len(read) == 1 and own == {name} and isinstance(node.value, ast.Call) and len(text) < 50:
                form = nearby.opened(text, name)
                if form.count("{}") == 1 and len(found) < FORMS_MOST:
                    found[form] = 2.4
    for chain in _USUAL:
        found.setdefault("{}" + chain, 2.7)
    return found


def _answered(site: Site, function: Function) -> Iterator[Edit]:
    """`if self.hidden: return ""`: a question that the file asks elsewhere, with an answer that this function gives."""
    asked = [one.text for one in nearby.questions(site.source)
             if one.place is not function and nearby.visible(site, one.names) and one.names & set(site.scope.locals)]  # fmt: skip
    own = ast.unparse(function)
    asked = [one for one in asked if one not in own][:QUESTIONS_MOST]
    for text, (at, answer) in product(asked, enumerate(answers(function))):
        made = site.insert(f"if {text}:\n    return {answer}".rstrip(), "guard",
                           f"`{text}` is asked elsewhere, and not here", 2.5 + 0.1 * at)  # fmt: skip
        if made is not None:
            yield made


def answers(function: Function) -> list[str]:
    """What it hands back elsewhere without work: constants, nothing, a parameter as it is. One that is never handed back so is
    none: that would go around all the work."""
    values = [one.value for one in ast.walk(function) if isinstance(one, ast.Return)]
    empty = (ast.unparse(one) for one in values if isinstance(one, ast.List | ast.Dict | ast.Tuple))
    plain = [ast.unparse(one) for one in values if isinstance(one, ast.Constant)] + [
        one for one in empty if len(one) < 3
    ]
    if not any(value is not None for value in values):
        return [""]
    told = (
        [_NONE[one] for one in [ast.unparse(function.returns).partition("[")[0]] if one in _NONE]
        if function.returns
        else []
    )
    texts = ['""'] if any(isinstance(one, ast.JoinedStr) or _joins(one) for one in values) else []
    handed = {one.id for one in values if isinstance(one, ast.Name)}
    given = [one.arg for one in function.args.args if one.arg in handed][:1]
    return list(dict.fromkeys((*told, *plain, *texts, *given, "None")))[:ANSWERS_MOST]


def _joins(value: ast.expr | None) -> bool:
    return (
        isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr in ("join", "format")
    )
