"""Statements that the file writes elsewhere in like company, and that are missing here."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from textwrap import dedent

from prodwise.repair.edits import Edit
from prodwise.repair.search.site import Site
from prodwise.repair.source import Function, Source

MOST = 8
DONORS_MOST = 3_000
LINES_MOST = 4
BASE = 3.2
"""What a copy costs that has nothing in common with its new place; more than LIMIT is not made."""
LIMIT = 2.7
_NAME = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True)
class Donor:
    """A statement where it stands. before, after: its neighbours' texts, or what its block begins with; own: names that
    its function binds;
    bound: those among them that it binds itself."""

    node: ast.stmt
    text: str
    function: Function
    klass: ast.ClassDef | None
    before: str
    after: str
    own: frozenset[str]
    bound: frozenset[str]


def edits(site: Site) -> Iterator[Edit]:
    """Before the statement, and after it when it ends its block; those in the likest company first."""
    function = site.source.function(site.statement)
    if function is None or isinstance(site.statement, Function | ast.ClassDef):
        return
    block = _block(site.source, site.statement)
    at = block.index(site.statement)
    texts = [_text(site.source, one) for one in block]
    here = Here(function, site.source.klass(function), site.source, site.statement, frozenset(texts))
    yield from _copies(site, here, texts[at - 1] if at else _opener(site.source, block), texts[at], False)
    ends = isinstance(site.statement, ast.Return | ast.Raise | ast.Continue | ast.Break)
    if at == len(block) - 1 and not ends:
        yield from _copies(site, here, texts[at], "", True)


@dataclass(frozen=True)
class Here:
    """Where a copy would stand. written: the statements of its block."""

    function: Function
    klass: ast.ClassDef | None
    source: Source
    statement: ast.stmt
    written: frozenset[str]

    @cached_property
    def names(self) -> frozenset[str]:
        return _bound(self.function) | frozenset(
            name for one in self.source.up(self.function) if isinstance(one, Function) for name in _bound(one)
        )

    @cached_property
    def read(self) -> frozenset[str]:
        return frozenset(
            one.id for one in ast.walk(self.function) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load)
        )

    @cached_property
    def looped(self) -> bool:
        return any(isinstance(one, ast.For | ast.While | ast.AsyncFor) for one in self.source.up(self.statement))


def _copies(site: Site, here: Here, before: str, after: str, last: bool) -> Iterator[Edit]:
    found: dict[str, float] = {}
    for donor in donors(site.source):
        cost = BASE - likeness(donor, here, before, after)
        if cost > LIMIT:
            continue
        for text, more in _fitted(donor, here, before, after):
            if text not in here.written and cost + more <= LIMIT:
                found[text] = min(found.get(text, LIMIT), cost + more)
    for text in sorted(found, key=found.__getitem__)[:MOST]:
        why = f"`{text.partition(chr(10))[0]}` stands elsewhere in such a place, and is missing here"
        made = site.insert(text, "copied", why, found[text], last)
        if made is not None:
            yield made


def likeness(donor: Donor, here: Here, before: str, after: str) -> float:
    """How much the new place has in common with the donor's own: its neighbours, its class, its function's name."""
    if donor.node is here.statement:
        return 0.0
    value = 0.0
    for mine, theirs in ((before, donor.before), (after, donor.after)):
        if mine == theirs:
            value += 0.75 if mine else 0.25
        elif mine and theirs and _skeleton(mine) == _skeleton(theirs):
            value += 0.4
        elif mine and theirs and _head(mine) == _head(theirs):
            value += 0.3
    if donor.klass is not None and donor.klass is here.klass:
        value += 0.2
    if donor.function is here.function:
        value += 0.5 if _beside(donor, here) else 0.2
    elif donor.function.name == here.function.name:
        value += 0.45
    return value


def _beside(donor: Donor, here: Here) -> bool:
    """Whether the donor stands in the other branch of a question: what is done there is easily forgotten here."""
    one, two = (here.source.parents.get(it) for it in (donor.node, here.statement))
    return one is two and isinstance(one, ast.If) and (donor.node in one.body) != (here.statement in one.body)


def _fitted(donor: Donor, here: Here, before: str, after: str) -> Iterator[tuple[str, float]]:
    """The donor in the names of its new place: as it is, or with its one unknown name as one that is known here; the one that
    stands in its place in a neighbour costs nothing."""
    if not here.looped and isinstance(donor.node, ast.Continue | ast.Break):
        return
    lacking = sorted(name for name in donor.own - donor.bound if name not in here.names)
    if any(name not in here.names | here.read for name in donor.bound):
        return
    if not lacking:
        yield donor.text, 0.0
    elif len(lacking) == 1 and not {"self", "cls"} & set(lacking):
        twins = {**_twins(donor.before, before), **_twins(donor.after, after)}
        arguments = [one.arg for one in here.function.args.args]
        known = dict.fromkeys((twins.get(lacking[0], ""), *arguments, *sorted(here.names)))
        some = [one for one in known if one in here.names - donor.own - {"self", "cls"}]
        for at, name in enumerate(some[:4]):
            more = 0.0 if twins.get(lacking[0]) == name else 0.35 + 0.1 * at
            yield re.sub(rf"(?<![\w.'\"]){lacking[0]}(?![\w'\"=])", name, donor.text), more


def _twins(theirs: str, mine: str) -> dict[str, str]:
    """The names of two texts that differ in nothing else."""
    if not mine or _skeleton(theirs) != _skeleton(mine):
        return {}
    return dict(zip(_NAME.findall(theirs), _NAME.findall(mine), strict=False))


@lru_cache(maxsize=16)
def donors(source: Source) -> Sequence[Donor]:
    """Every statement of the file's functions that is short enough."""
    found: list[Donor] = []
    for node in source.statements:
        function = source.function(node)
        if function is None or function is node or not _movable(source, node):
            continue
        block = _block(source, node)
        at = block.index(node)
        names = {one.id: one for one in ast.walk(node) if isinstance(one, ast.Name)}
        local = _bound(function)
        bound = {name for name, one in names.items() if isinstance(one.ctx, ast.Store)}
        found.append(
            Donor(
                node,
                dedent(source.indent(node) + source.of(node)),
                function,
                source.klass(function),
                _text(source, block[at - 1]) if at else _opener(source, block),
                _text(source, block[at + 1]) if at + 1 < len(block) else "",
                frozenset(names) & (local | _foreign(source, function)),
                frozenset(bound),
            )
        )
        if len(found) >= DONORS_MOST:
            break
    return found


def _movable(source: Source, node: ast.stmt) -> bool:
    lines = (node.end_lineno or node.lineno) - node.lineno + 1
    if lines > LINES_MOST or '"""' in source.of(node) or source.lines[node.lineno - 1][: node.col_offset].strip():
        return False
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Call | ast.Await)
    if isinstance(node, ast.If):
        return not node.orelse and len(node.body) == 1 and not isinstance(node.body[0], ast.If)
    if isinstance(node, ast.Return):
        return False
    return isinstance(node, ast.Assign | ast.AugAssign | ast.Raise | ast.Delete | ast.Continue)


@lru_cache(maxsize=4_000)
def _bound(function: Function) -> frozenset[str]:
    arguments = function.args
    names = {one.arg for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
    names |= {one.arg for one in (arguments.vararg, arguments.kwarg) if one is not None}
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.ExceptHandler | Function) and node is not function and node.name:
            names.add(node.name)
    return frozenset(names)


def _foreign(source: Source, function: Function) -> frozenset[str]:
    """Names of the functions around it."""
    return frozenset(name for one in source.up(function) if isinstance(one, Function) for name in _bound(one))


def _block(source: Source, node: ast.stmt) -> list[ast.stmt]:
    parent = source.parents[node]
    blocks = (getattr(parent, name, None) for name in ("body", "orelse", "finalbody"))
    return next(some for some in blocks if isinstance(some, list) and any(one is node for one in some))


def _opener(source: Source, block: list[ast.stmt]) -> str:
    """What a block begins with, "" for a function's."""
    parent = source.parents[block[0]]
    if isinstance(parent, Function) or getattr(parent, "body", None) is not block:
        return ""
    start = source.at(getattr(parent, "lineno", 1), getattr(parent, "col_offset", 0))
    return " ".join(source.text[start : source.span(block[0])[0]].split())


def _text(source: Source, node: ast.stmt) -> str:
    """What a statement says, of a longer one its head."""
    inner = getattr(node, "body", None)
    if not inner:
        return " ".join(source.of(node).split())
    return " ".join(source.text[source.span(node)[0] : source.span(inner[0])[0]].split())


@lru_cache(maxsize=20_000)
def _skeleton(text: str) -> str:
    """Without its names: `self.a = a` is like `self.b = b`."""
    seen: dict[str, str] = {}
    return _NAME.sub(lambda found: seen.setdefault(found[0], f"_{len(seen)}"), text)


def _head(text: str) -> str:
    """What is called or assigned first."""
    found = re.match(r"[\w.]+", text)
    return found[0] if found else text[:1]
