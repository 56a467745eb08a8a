"""Questions that could be asked at a place: about what is seen there, in the forms in which programs usually ask."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, permutations

from prodwise.repair.search import nearby
from prodwise.repair.search.site import Site
from prodwise.repair.source import Function, Source

THINGS_MOST = 36
ROOTS_MOST = 4
PAIRED_MOST = 8
KINDS_MOST = 24
COLLECTIONS_MOST = 8
CONSTANTS_MOST = 10
NAMED_MOST = 8
QUESTIONS_MOST = 1_500
TEXT_MOST = 60
NUMBER = "{0} if type({1}) in (int, float) else int('none')"
"""Asked of true numbers alone: of what is only true or false it would say the same in other words."""
_KINDS = ("str", "bytes", "int", "float", "bool", "list", "tuple", "dict", "set")
_PREDICATE = re.compile(r"_?(is|has|can|should|needs|supports|contains|exists)_?[a-z_]\w*|exists|isdir|isfile|isabs")


@dataclass(frozen=True, slots=True)
class Question:
    """cost: how unusual it is; asked: what a run evaluates for it, which errs where the question makes no sense."""

    text: str
    cost: float
    asked: str


def askable(site: Site, near: ast.AST) -> list[Question]:
    """The likelier ones first, QUESTIONS_MOST at most. near: what they would decide about."""
    found: dict[str, Question] = {}
    things = _things(site, near)
    spoken = {ast.unparse(one) for one in ast.walk(near) if isinstance(one, ast.expr)}
    plain = (Question(text, cost, text) for text, cost in
             (*_elsewhere(site, things), *_about(site, things), *_of_two(list(things)[:PAIRED_MOST])))  # fmt: skip
    for one in (*plain, *_of_numbers(site, things)):
        fits = len(one.text) <= TEXT_MOST and "\n" not in one.text and one.text not in spoken
        if fits and (one.text not in found or found[one.text].cost > one.cost):
            found[one.text] = one
    return sorted(found.values(), key=lambda one: one.cost)[:QUESTIONS_MOST]


def _things(site: Site, near: ast.AST) -> dict[str, float]:
    """What can be asked about → what that adds to a question: what the place itself speaks of comes first, then parameters."""
    function = site.source.function(site.statement)
    body: ast.AST = function or near
    parameters = [] if function is None else [one.arg for one in ast.walk(function.args) if isinstance(one, ast.arg)]
    found: dict[str, float] = {}
    for nodes, more in ((ast.walk(near), 0.0), (ast.walk(body), 0.25)):
        for text in _read(nodes):
            found.setdefault(text, min(more, 0.1) if text in parameters else more)
    roots = [one for one in found if one.isidentifier()][:ROOTS_MOST]
    for name in site.scope.attributes:
        found.setdefault(f"self.{name}", 0.2)
    for name in _taken(site.source, roots):
        found.setdefault(name, 0.35)
    known = {*site.scope.locals}
    own = {text: more for text, more in found.items() if text.partition(".")[0].partition("[")[0] in known}
    return dict(sorted(own.items(), key=lambda one: one[1])[:THINGS_MOST])


def _taken(source: Source, roots: list[str]) -> list[str]:
    """What the file takes from things of the same names, then what its classes hold: which of it is there, a run tells."""
    held = list(dict.fromkeys(
        one.attr for one in ast.walk(source.tree)
        if isinstance(one, ast.Attribute) and isinstance(one.ctx, ast.Store) and ast.unparse(one.value) == "self"
    ))  # fmt: skip
    taken = [
        one for one in dict.fromkeys(_read(ast.walk(source.tree))) if one.partition(".")[0] in roots and "." in one
    ]
    return [*taken, *(f"{root}.{name}" for root in roots for name in held)]


def _read(nodes: Iterator[ast.AST]) -> Iterator[str]:
    """Names, attributes of them and what is taken out of them by a constant; not what is only called."""
    some = list(nodes)
    called = {id(one.func) for one in some if isinstance(one, ast.Call)}
    for node in some:
        if id(node) in called or not isinstance(getattr(node, "ctx", None), ast.Load):
            continue
        text = ast.unparse(node) if isinstance(node, ast.Name | ast.Attribute | ast.Subscript) else ""
        plain = re.fullmatch(r"[a-zA-Z_]\w*(\.\w+){0,2}(\[('[^'\"]{1,30}'|-?\d+)\])?", text)
        if plain and text not in ("self", "cls", "_"):
            yield text


def _elsewhere(site: Site, things: dict[str, float]) -> Iterator[tuple[str, float]]:
    """What the file asks, of the same or of other names."""
    function = site.source.function(site.statement)
    for one in nearby.questions(site.source):
        if nearby.visible(site, one.names):
            yield one.text, 1.8 if one.place is function else 2.0
    for question in (*nearby.open_questions(site.source), *(f"{{}} in {name}" for name in _collections(site.source))):
        for thing, more in things.items():
            yield question.replace("{}", thing), 1.9 + more


def _about(site: Site, things: dict[str, float]) -> Iterator[tuple[str, float]]:
    kinds = _kinds(site.source)
    constants, named = _constants(site), _named(site)
    accessed = _accessed(site.source.function(site.statement) or site.statement)
    predicates = _predicates(site)
    for thing, more in things.items():
        yield f"{thing} is None", 1.7 + more
        yield thing, 1.8 + more
        for kind, cost in kinds.items():
            yield f"isinstance({thing}, {kind})", cost + more
        for name in accessed.get(thing, ()):
            yield f"hasattr({thing}, {name!r})", 2.1 + more
        yield f"len({thing}) > 1", 2.4 + more
        yield f"len({thing}) == 1", 2.5 + more
        for constant in constants:
            if isinstance(constant, str):
                yield f"{thing} == {constant!r}", 2.3 + more
                yield f"{constant!r} in {thing}", 2.5 + more
                yield f"{thing}.startswith({constant!r})", 2.5 + more
                yield f"{thing}.endswith({constant!r})", 2.6 + more
        for name in named:
            yield f"{thing} == {name}", 2.2 + more
        for predicate in predicates:
            yield f"{predicate}({thing})", 2.2 + more
        yield f"callable({thing})", 2.5 + more
    for name in site.source.methods if "self" in site.scope.locals else ():
        if _PREDICATE.fullmatch(name):
            yield f"self.{name}()", 2.3


def _of_numbers(site: Site, things: dict[str, float]) -> Iterator[Question]:
    numbers = [str(one) for one in _constants(site) if isinstance(one, int)]
    forms = ("{} == 0", "{} < 0", "{} > 0", *(f"{{}} {sign} {one}" for one in numbers for sign in ("==", "<", ">")))
    for thing, more in things.items():
        for form in forms:
            text = form.format(thing)
            yield Question(text, 2.4 + more, NUMBER.format(text, thing))


def _of_two(things: list[str]) -> Iterator[tuple[str, float]]:
    for one, other in combinations(things, 2):
        yield f"{one} == {other}", 2.2
        yield f"{one} is {other}", 2.4
    for one, other in permutations(things, 2):
        yield f"{one} in {other}", 2.3
        yield f"{one} < {other}", 2.4


@lru_cache(maxsize=16)
def _kinds(source: Source) -> dict[str, float]:
    """Types that the file asks for, the built-in ones, those that it defines or imports by a name in capitals."""
    found = dict.fromkeys(source.asked_types, 1.9)
    found.update((kind, 2.0) for kind in _KINDS if kind not in found)
    classes = [one.name for one in source.statements if isinstance(one, ast.ClassDef)]
    imported = [
        one.asname or one.name for each in source.tree.body if isinstance(each, ast.ImportFrom) for one in each.names
    ]
    named = [one for one in (*classes, *imported) if one[:1].isupper() and not one.isupper()]
    found.update((kind, 2.3) for kind in named if kind not in found)
    return dict(list(found.items())[:KINDS_MOST])


@lru_cache(maxsize=16)
def _collections(source: Source) -> tuple[str, ...]:
    """Names of what the module holds several things in."""
    shown = ast.Tuple | ast.List | ast.Set | ast.Dict
    return tuple(
        one.id for each in source.tree.body if isinstance(each, ast.Assign) for one in each.targets
        if isinstance(one, ast.Name) and (isinstance(each.value, shown) or _gathers(each.value))
    )[:COLLECTIONS_MOST]  # fmt: skip


def _gathers(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and ast.unparse(value.func) in ("frozenset", "set", "tuple", "dict", "list")


def _constants(site: Site) -> list[str | int]:
    """Short texts and numbers of the function, and what the file compares with."""
    function = site.source.function(site.statement)
    near = list(ast.walk(function)) if function is not None else []
    compared = [one for node in ast.walk(site.source.tree) if isinstance(node, ast.Compare) for one in node.comparators]
    values = [one.value for one in (*near, *compared) if isinstance(one, ast.Constant)]
    short = [
        one for one in values if type(one) is int or (isinstance(one, str) and 0 < len(one) <= 16 and "\n" not in one)
    ]
    return list(dict.fromkeys(short))[:CONSTANTS_MOST]


def _named(site: Site) -> list[str]:
    """Constants by their names, in capitals, with which the function compares; then those of the file."""
    function = site.source.function(site.statement)
    found = dict[str, None]()
    for place in (function, site.source.tree):
        for node in ast.walk(place) if place is not None else ():
            some = (node.left, *node.comparators) if isinstance(node, ast.Compare) else ()
            found.update((ast.unparse(one), None) for one in some if _capital(one))
    return list(found)[:NAMED_MOST]


def _capital(node: ast.expr) -> bool:
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return len(name) > 1 and name.isupper() and len(ast.unparse(node)) <= TEXT_MOST


def _accessed(place: ast.AST) -> dict[str, list[str]]:
    """Thing → the names of what is taken from it here."""
    found: dict[str, list[str]] = {}
    for node in ast.walk(place):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute):
            names = found.setdefault(ast.unparse(node.value), [])
            if node.attr not in names and len(names) < 4:
                names.append(node.attr)
    return found


def _predicates(site: Site) -> list[str]:
    """Functions of the file, or that it calls, whose names promise yes or no."""
    own = [one.name for one in site.source.tree.body if isinstance(one, Function)]
    called = [one for one in nearby.wrappers(site.source) if not one.startswith("self.")]
    found = [one for one in (*own, *called) if _PREDICATE.fullmatch(one.rpartition(".")[2])]
    return list(dict.fromkeys(found))[:8]
