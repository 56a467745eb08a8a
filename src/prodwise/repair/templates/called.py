"""A call that does not fit what is called: an argument too many, too few, or twice."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from prodwise.repair.edits import Edit
from prodwise.repair.search.names import near
from prodwise.repair.search.site import Site


def edits(site: Site, node: ast.Call, message: str) -> Iterator[Edit]:
    """message: of the TypeError."""
    if found := re.search(r"unexpected keyword argument '(\w{1,80})'", message):
        for one in node.keywords:
            if one.arg == found[1]:
                why = f"`{one.arg}` is no parameter of what is called"
                yield site.swap(node, _without(site, node, one), "argument", why, 2.2)
    if found := re.search(r"multiple values for (?:keyword )?argument '(\w{1,80})'", message):
        yield from _twice(site, node, found[1])
    if found := re.search(r"missing \d+ required (?:positional|keyword-only) arguments?: '(\w{1,80})'", message):
        yield from _lacking(site, node, found[1])
    if "not callable" in message:
        yield site.swap(node, site.source.of(node.func), "call dropped", "this is a value, not a function", 1.4)


def _twice(site: Site, node: ast.Call, name: str) -> Iterator[Edit]:
    """What the caller gives goes before what is given here; where none can, it is given once."""
    mine = next((one for one in node.keywords if one.arg == name), None)
    if mine is None:
        return
    why = f"`{name}` may be given by the caller as well"
    others = [one for one in node.keywords if one.arg is None]
    if not others:
        yield site.swap(node, _without(site, node, mine), "argument", why, 1.4)
    for other in others:
        both = f'**{{"{name}": {site.source.of(mine.value)}, **{site.source.of(other.value)}}}'
        yield site.swap(node, _without(site, node, mine, {other: both}), "argument", why, 1.0)


def _lacking(site: Site, node: ast.Call, name: str) -> Iterator[Edit]:
    text = site.source.of(node)
    comma = ", " if node.args or node.keywords else ""
    for value in sorted(site.scope.locals, key=lambda one: -near(one, name))[:6]:
        cost = 1.6 - 0.6 * near(value, name)
        argument = value if not node.keywords else f"{name}={value}"
        yield site.swap(node, f"{text[:-1]}{comma}{argument})", "argument", f"the call lacks `{name}`", cost)
    for value in site.scope.attributes:
        if near(value, name) > 0.6:
            yield site.swap(node, f"{text[:-1]}{comma}self.{value})", "argument", f"the call lacks `{name}`", 1.6)


def _without(site: Site, node: ast.Call, gone: ast.keyword, others: Mapping[ast.keyword, str] | None = None) -> str:
    """others: what stands in the place of a keyword."""
    kept = [(others or {}).get(one) or _keyword(site, one) for one in node.keywords if one is not gone]
    return f"{site.source.of(node.func)}({', '.join([*map(site.source.of, node.args), *kept])})"


def _keyword(site: Site, one: ast.keyword) -> str:
    return f"{one.arg}={site.source.of(one.value)}" if one.arg else f"**{site.source.of(one.value)}"
