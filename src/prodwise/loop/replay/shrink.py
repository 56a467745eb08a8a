"""The smallest request that still fails alike: parts are left out, large pieces first, as long as it does."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from prodwise.model.request import Request

PARTS_MAX: Final = 80
DEPTH_MAX: Final = 6
Part = tuple[str, ...]
"""What it is of, then where: ("header", "3"), ("json", "items", "0", "price")."""


def parts(request: Request) -> tuple[Part, ...]:
    """What may be left out, headers first: they matter least often."""
    found = [("header", str(at)) for at, one in enumerate(request.headers) if one[0] != "content-type"]
    found += [("query", str(at)) for at in range(len(request.query))]
    found += [("form", str(at)) for at in range(len(request.form))]
    inside = [("json", *path) for path in _inside(json.loads(request.json))] if request.json else []
    return (*found, *inside)[:PARTS_MAX]


def without(request: Request, gone: frozenset[Part]) -> Request:
    kept: Callable[[str, Sequence[Any]], tuple[Any, ...]] = lambda kind, given: tuple(  # noqa: E731
        one for at, one in enumerate(given) if (kind, str(at)) not in gone
    )
    document = request.json and json.dumps(_kept(json.loads(request.json), ("json",), gone))
    return replace(
        request, headers=kept("header", request.headers), query=kept("query", request.query), form=kept("form", request.form),
        json=document,
    )  # fmt: skip


def shrunk(request: Request, fails: Callable[[Request], bool], tries: int) -> Request:
    """1. Everything at once. 2. Pieces of what is left, each half as long as the one before. 3. Single parts, until none can go.

    fails: whether it still fails alike; asked at most `tries` times."""
    gone, left, size = frozenset[Part](), list(parts(request)), len(parts(request))
    while left and size and tries:
        went = False
        for piece in [left[at : at + size] for at in range(0, len(left), size)]:
            if not tries:
                break
            tries -= 1
            if fails(without(request, gone.union(piece))):
                gone, went = gone.union(piece), True
                left = [one for one in left if not any(one[: len(other)] == other for other in piece)]
        size = min(size // 2, len(left)) if size > 1 else int(went)
    return without(request, gone)


def _inside(value: Any, path: Part = ()) -> Iterator[Part]:
    """Members of a document, the outer ones first."""
    if len(path) >= DEPTH_MAX or not isinstance(value, (dict, list)):
        return
    pairs = [(str(key), one) for key, one in (value.items() if isinstance(value, dict) else enumerate(value))]
    yield from ((*path, key) for key, _ in pairs)
    for key, one in pairs:
        yield from _inside(one, (*path, key))


def _kept(value: Any, path: Part, gone: frozenset[Part]) -> Any:
    if isinstance(value, dict):
        return {key: _kept(one, (*path, key), gone) for key, one in value.items() if (*path, key) not in gone}
    if isinstance(value, list):
        return [_kept(one, (*path, str(at)), gone) for at, one in enumerate(value) if (*path, str(at)) not in gone]
    return value
