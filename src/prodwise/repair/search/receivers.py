"""The right question to the wrong thing: another receiver, or the attribute in which an answer is kept already."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from prodwise.repair.edits import Edit
from prodwise.repair.search.arguments import name_of
from prodwise.repair.search.site import Site
from prodwise.repair.source import Function

MOST = 12


def edits(site: Site, node: ast.expr) -> Iterator[Edit]:
    if not isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
        return
    parent = site.source.parents.get(node)
    if isinstance(node, ast.Name | ast.Attribute) and isinstance(parent, ast.Attribute) and parent.value is node:
        yield from _others(site, node, parent.attr)
    if isinstance(node, ast.Call):
        yield from _kept(site, node, node.args[:2])
    elif isinstance(node, ast.Subscript):
        yield from _kept(site, node, [node.slice])


def _others(site: Site, node: ast.expr, asked: str) -> Iterator[Edit]:
    """What the file asks for the same attribute elsewhere; else what this object holds. No module where the file has an answer of
    its own by that name: the two hardly do the same. What is gathered for the answer is put nowhere else."""
    mine, visible = ast.unparse(node), {*site.scope.locals, *site.source.globals}
    if _gathers(site, node):
        return
    if asked in site.source.methods:
        visible -= site.source.modules
    found: dict[str, float] = {}
    for text in site.source.receivers.get(asked, ()):
        if text.partition(".")[0].partition("[")[0].partition("(")[0] in visible:
            found[text] = 1.9
    if "self" in site.scope.locals and not mine.startswith("self.__"):
        near = {one.attr for one in ast.walk(site.source.function(site.statement) or site.statement)
                if isinstance(one, ast.Attribute) and name_of(one.value) == "self"}  # fmt: skip
        for attribute in site.scope.attributes:
            found.setdefault(f"self.{attribute}", 2.1 if attribute in near else 2.5)
    klass = site.source.klass(site.statement)
    own = {one.name for one in klass.body if isinstance(one, Function)} if klass is not None else set()
    for text in sorted(found, key=lambda one: found[one])[:MOST]:
        if text != mine and (text != "self" or asked in own):
            why = f"`{asked}` is asked of `{mine[:60]}`, and `{text}` is meant"
            yield site.swap(node, text, "receiver", why, found[text])


def _gathers(site: Site, node: ast.expr) -> bool:
    """Whether a step of its own fills what the function returns."""
    function = site.source.function(site.statement)
    if not isinstance(site.statement, ast.Expr) or not isinstance(node, ast.Name) or function is None:
        return False
    returned = (one.value for one in ast.walk(function) if isinstance(one, ast.Return) and one.value is not None)
    return any(name_of(one) == node.id for one in returned)


def _kept(site: Site, node: ast.expr, keys: list[ast.expr]) -> Iterator[Edit]:
    """`things.get("name")` or `things["name"]` where the object itself has a `name`, or the function."""
    for one in keys:
        if isinstance(one, ast.Constant) and isinstance(one.value, str):
            if one.value in site.scope.attributes and "self" in site.scope.locals:
                yield site.swap(node, f"self.{one.value}", "receiver", f"`self.{one.value}` holds it already", 1.9)
            elif one.value in site.scope.locals:
                yield site.swap(node, one.value, "receiver", f"`{one.value}` holds it already", 2.1)
