"""Texts of the failing test and of the call that failed: what a program compares with, looks for, or falls back on."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from difflib import SequenceMatcher

from prodwise.repair.edits import Edit
from prodwise.repair.search import conditions
from prodwise.repair.search.arguments import added, name_of
from prodwise.repair.search.site import Site
from prodwise.repair.source import Function, Source, scope
from prodwise.repair.values import Calls

TEXT_MOST = 40
LONG_MOST = 400
MOST = 14
NUMBERS_MOST = 24
_ASKING = ("startswith", "endswith")
COMMON_LEAST = 6
COMMON_SHARE = 0.4
"""Of a text that is looked for: less of it says hardly the same."""


def of_test(test: Source | None, line: int, most: int = TEXT_MOST) -> tuple[str, ...]:
    """The texts, short ones by default, of the test function that holds a line, in order; then those of what it takes from its
    module, by the name of a value or of a fixture."""
    around = _around(test, line)
    if test is None or not around:
        return ()
    found = [text for node in (around[0], *_taken(test, around[0])) for text in _texts_of(node)]
    return tuple(
        dict.fromkeys(text for text in found if 0 < len(text) <= most and (text.isprintable() or most > TEXT_MOST))
    )[:MOST]


def _texts_of(node: ast.AST) -> list[str]:
    held = [one for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    return [str(one.value) for one in sorted(held, key=lambda one: (one.lineno, one.col_offset))]


def _taken(test: Source, function: Function) -> Iterator[ast.stmt]:
    names = {one.id for one in ast.walk(function) if isinstance(one, ast.Name)}
    names |= {one.arg for one in ast.walk(function) if isinstance(one, ast.arg)}
    for one in test.tree.body:
        bound = [one.name] if isinstance(one, Function) else [
            target.id for target in getattr(one, "targets", ()) if isinstance(target, ast.Name)
        ]  # fmt: skip
        if one is not function and names.intersection(bound):
            yield one


def numbers_of(test: Source | None, line: int) -> tuple[int, ...]:
    """The whole numbers of the outermost function around a line of a test, in order."""
    held = [one for each in _around(test, line)[-1:] for one in ast.walk(each) if isinstance(one, ast.Constant)]
    found = [one.value for one in sorted(held, key=lambda one: (one.lineno, one.col_offset)) if type(one.value) is int]
    return tuple(dict.fromkeys(found))[:NUMBERS_MOST]


def _around(test: Source | None, line: int) -> list[Function]:
    """The functions that hold a line, the innermost first."""
    nodes = ast.walk(test.tree) if test is not None else ()
    found = [one for one in nodes if isinstance(one, Function) and one.lineno <= line <= (one.end_lineno or 0)]
    return sorted(found, key=lambda one: (one.end_lineno or 0) - one.lineno)


def known_to(source: Source, statement: ast.stmt, texts: tuple[str, ...], calls: Calls) -> tuple[str, ...]:
    """Those of the test, and those that the function was given."""
    function = source.function(statement)
    given = tuple(
        str(value) for one in (calls.last(source.path, function) if function is not None else ())
        for kind, value in one.values.values() if kind == "str" and value and len(str(value)) <= TEXT_MOST
    )  # fmt: skip
    return tuple(dict.fromkeys((*texts, *given)))[:MOST]


def edits(source: Source, statement: ast.stmt, known: tuple[str, ...]) -> Iterator[Edit]:
    site = Site(source, statement, scope(source, statement))
    if not known:
        return
    for node in source.head(statement):
        if isinstance(node, ast.Compare | ast.Call) and conditions.is_condition(site, node):
            yield from _like(site, node, known)
        if isinstance(node, ast.Call) and name_of(node.func) == "get" and len(node.args) == 1 and not node.keywords:
            for text in known:
                yield added(site, node, repr(text), f"{text!r} is meant where nothing is found", 2.2)
        if isinstance(node, ast.List | ast.Tuple | ast.Set) and len(node.elts) > 1:
            yield from _longer(site, node, known)


def shorter(source: Source, statement: ast.stmt, known: tuple[str, ...]) -> Iterator[Edit]:
    """`"no such branch" in v` as `"no such" in v`: the part that a text of the failing test has as well. known: of any length."""
    site = Site(source, statement, scope(source, statement))
    for node in source.head(statement):
        match node:
            case ast.Compare(left=ast.Constant(value=str(old)) as asked, ops=[ast.In() | ast.NotIn()]):
                pass
            case ast.Call(
                func=ast.Attribute(attr="startswith" | "endswith"), args=[ast.Constant(value=str(old)) as asked]
            ):
                pass
            case _:
                continue
        for new in dict.fromkeys(_common(old, text) for text in known):
            if max(COMMON_LEAST, COMMON_SHARE * len(old)) <= len(new) < len(old):
                yield site.swap(asked, repr(new), "literal", f"`{old[:60]}` is meant as `{new[:60]}`", 1.9)


def _common(one: str, two: str) -> str:
    """The longest part that both have, without the pieces of words at its ends."""
    place = SequenceMatcher(None, one, two, autojunk=False).find_longest_match()
    part = one[place.a : place.a + place.size]
    for at, whole in ((place.a, one), (place.b, two)):
        if re.match(r"\w\w", whole[max(0, at - 1) : at + 1]) if at else False:
            part = re.sub(r"^\w+", "", part)
        if re.match(r"\w\w", whole[at + place.size - 1 : at + place.size + 1]):
            part = re.sub(r"\w+$", "", part)
    return part.strip()


def _like(site: Site, node: ast.expr, texts: tuple[str, ...]) -> Iterator[Edit]:
    """`v.startswith('/*')` beside another beginning; `'a' in v` beside another part; `v == 'a'` beside another text."""
    constants = [
        one for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str) and one.value
    ]
    if len(constants) != 1 or (isinstance(node, ast.Call) and ast.unparse(node.func).startswith(("re.", "regex."))):
        return  # a test's text is no pattern
    old, text = constants[0], site.source.of(node)
    start, end = (at - site.source.span(node)[0] for at in site.source.span(old))
    negative = isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.NotIn | ast.NotEq)
    for new in _pieces(node, str(old.value), texts):
        if new != old.value:
            other = f"{text[:start]}{new!r}{text[end:]}"
            why = f"`{new[:40]}` is meant as well as `{str(old.value)[:40]}`"
            yield conditions.joined(site, node, other, "and" if negative else "or", why, 2.2)


def _pieces(node: ast.expr, old: str, texts: tuple[str, ...]) -> list[str]:
    """Of as many characters as the other has, at the same end, for a beginning or an end. What is looked for anywhere is hardly much
    longer: that would be the very text that the test gave."""
    name, many = name_of(node.func) if isinstance(node, ast.Call) else "", len(old)
    if name in _ASKING:
        cut = (text[:many] if name == "startswith" else text[-many:] for text in texts)
        return list(dict.fromkeys((*(one for one in cut if one), *texts)))[:MOST]
    if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In | ast.NotIn):
        return [one for one in texts if len(one.split()) <= len(old.split()) + 1]
    return list(texts)


def _longer(site: Site, node: ast.List | ast.Tuple | ast.Set, texts: tuple[str, ...]) -> Iterator[Edit]:
    mine = [one.value for one in node.elts if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    if len(mine) != len(node.elts):
        return
    end = site.source.span(node.elts[-1])[1]
    for text in texts:
        if text not in mine and " " not in text:
            yield Edit(site.source.path, end, end, f", {text!r}", "part", f"`{text}` is left out", 2.3, node.lineno)
