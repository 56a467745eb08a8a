"""Regular expressions that take too much or too little: a class without a character, a star that is too greedy, a part that may
be missing."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator

from prodwise.repair.edits import Edit
from prodwise.repair.search.arguments import name_of
from prodwise.repair.search.site import Site

MOST = 110
LENGTH_MOST = 600
_FUNCTIONS = frozenset(("compile", "match", "search", "fullmatch", "sub", "subn", "split", "findall", "finditer"))
_CLASS = re.compile(r"(?<!\\)\[(?!\])(\^?)((?:[^\]\\\[]|\\.)+)\]")
_MORE = ("-", "_", ".", "0-9", "A-Z", "a-z", r"\s", ":", "+", "/", "@", " ")
_MEMBER = re.compile(r"\\.|[^\\]-[^\\]|.")
_RANGE = re.compile(r"[^\\]-[^\\]")
_TIMES = re.compile(r"\+|\{\d+,?\d*\}")
_SPECIAL = frozenset(".^$*+?{}()|[]")
_ATOM = re.compile(r"\\.|\[\^?\]?(?:[^\]\\]|\\.)*\]|[A-Za-z0-9/:,;=@#%&!\"'<>~` _-]")
_OPENS = re.compile(r"(?<!\\)([^\w\s\\()\[\]{}?*+|^$.-])(?:\((?:\?:|\?P<\w{1,40}>)?)?$")
_BEGINS = re.compile(r"(?:(?<=[|\n ])|(?<=\|)|(?<=\\s\*)|(?<=\(\?:))(?=\(\?:\w|[\w-])")
_BETWEEN = re.compile(r"(\\?[\"'`])(\((?:\?:|\?P<\w{1,40}>)?)?(\[\^?(?:[^\]\\\[]|\\.)+\]|\\\w)([+*])(\))?\1")
_SPOTS = re.compile(r"(?<=[=:,;>|)(])(?![*+?:)=!<])|(?=[=:,;<|)(])")
# One spelling → those that are meant in its place.
_SPELT = tuple((re.compile(old), new) for old, new in (
    (r"(?<!\\)(\.[*+])(?!\?)", r"\1?"), (r"(?<!\\)(\.[*+])\?", r"\1"),
    (r"(?<![\\(?*+])\+(?!\?)", "*"), (r"(?<![\\(?*+])\*(?!\?)", "+"),
    (r"\\w(?=[+*])", r"[\\w-]"), (r"\\w(?=[+*])", r"[\\w.-]"), (r"\\d\+", r"[\\d.]+"), (r"\\d\+", r"\\d+(?:\\.\\d+)?"),
    (r"(?<![\\*+?])\.(?![*+?])", r"\\."), (r"\\\.", "."), ("https:", "https?:"), ("http:", "https?:"), (r" \+", r"\\s+"),
    (r"(?<!\\) (?![*+?])", r"\\s+"), (r"(?<!\\) (?![*+?])", r"\\s*"), (r"\\s\+", r"\\s*"), (r"\\s\*", r"\\s+"),
    (r"\\d", "[0-9]"), (r"\{(\d+)\}", r"{1,\1}"), (r"\{(\d+)\}", r"{\1,}"), (r"\(\?!", "(?="), (r"(?<=\(\?<!)\\S(?=\))", r"\\w"),
    (r"(?<![-?])\\d\+", r"-?\\d+"), (r"\$$", r"\\Z"),
))  # fmt: skip


def edits(site: Site, node: ast.expr) -> Iterator[Edit]:
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or not _pattern(site, node):
        return
    text = site.source.of(node)
    quote = re.match(r"[bBuUrR]{0,2}('''|\"\"\"|'|\")", text)
    if quote is None or len(text) > LENGTH_MOST or isinstance(site.source.parents.get(node), ast.JoinedStr):
        return
    raw = "r" in text[: quote.start(1)].lower()
    body = text[quote.end() : len(text) - len(quote[1])]
    if not raw and "\\" in body:
        return
    seen: set[str] = {body}
    for new, cost in sorted(_variants(body), key=lambda one: one[1]):
        if (
            new in seen
            or quote[1] in re.sub(r"\\.", "", new)
            or not _reads(new)
            or ("\\" in new and not raw and quote.start(1))
        ):
            continue
        seen.add(new)
        if len(seen) > MOST:
            return
        why = f"the pattern is meant as `{new[:80]}`"
        kind = "r" if "\\" in new and not raw else ""
        yield site.swap(node, f"{kind}{text[: quote.end()]}{new}{quote[1]}", "pattern", why, cost)


def _pattern(site: Site, node: ast.Constant) -> bool:
    """What is given to `re`, or has a pattern's characters and a raw string's quotes."""
    parent = site.source.parents.get(node)
    if isinstance(parent, ast.Call) and node in parent.args[:1] and name_of(parent.func) in _FUNCTIONS:
        return isinstance(parent.func, ast.Attribute) and ast.unparse(parent.func.value) in ("re", "regex")
    raw = site.source.of(node)[:2].lower().startswith(("r'", 'r"', "rb", "br"))
    return raw and re.search(r"\\[dwsWSDb.]|\[|\(\?|[.\])][*+]", str(node.value)) is not None


def _reads(text: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            re.compile(text)
        except (re.error, OverflowError, RecursionError):
            return False
    return True


def _variants(body: str) -> Iterator[tuple[str, float]]:
    """Spellings, classes, ends, parts that may be missing."""
    for found in _CLASS.finditer(body):
        at = found.end(2)
        for more in _MORE:
            if more not in (_RANGE.sub("", found[2]) if more == "-" else found[2]):
                start = at if more == "-" or not found[2].endswith("-") else at - 1
                yield body[:start] + more + body[start:], 1.9 if more in "-_." else 2.2
        yield from _narrower(body, found)
        yield from _fenced(body, found)
        yield from _alike(body, found)
    for old, new in _SPELT:
        for found in list(old.finditer(body))[:6]:
            yield body[: found.start()] + found.expand(new) + body[found.end() :], 1.9
    yield f"(?i){body}", 2.1
    if not body.startswith("^"):  # beside an end there is no other one
        yield from ((f"^{body}", 2.1), (rf"\b{body}", 2.2))
    if not body.endswith(("$", r"\Z")):
        yield from ((f"{body}$", 2.0), (rf"{body}\b", 2.2))
    for end in ("^", "$", r"\b", r"\Z"):
        yield body.removeprefix(end), 2.1
        yield body.removesuffix(end), 2.1
    yield from _quoted(body)
    yield from _optional(body)
    yield from _begun(body)
    for found in list(re.finditer(r"(?<=[:/=])(?=[/\w(\\])", body))[:4]:
        start = body.startswith("^")
        yield f"{'^' if start else ''}(?:{body[start : found.start()]})?{body[found.start() :]}", 2.2
    for found in list(_SPOTS.finditer(body))[:8]:
        yield rf"{body[: found.start()]}\s*{body[found.start() :]}", 2.2


def _narrower(body: str, found: re.Match[str]) -> Iterator[tuple[str, float]]:
    """A class without one of its members; as few of them as will do."""
    members = list(_MEMBER.finditer(found[2]))
    for one in members if 1 < len(members) <= 12 else ():
        start = found.start(2) + one.start()
        yield body[:start] + body[start + len(one[0]) :], 2.1
    if body[found.end() : found.end() + 1] in ("*", "+") and body[found.end() + 1 : found.end() + 2] != "?":
        yield f"{body[: found.end() + 1]}?{body[found.end() + 1 :]}", 2.1


def _fenced(body: str, found: re.Match[str]) -> Iterator[tuple[str, float]]:
    """`&([^;]+);` as `&([^&;]+);`: what opens a piece does not stand inside of it."""
    opens = _OPENS.search(body[: found.start()])
    if found[1] and opens is not None and opens[1] not in found[2]:
        yield body[: found.start(2)] + opens[1] + body[found.start(2) :], 1.8


def _alike(body: str, found: re.Match[str]) -> Iterator[tuple[str, float]]:
    """`[=-]+` as `(?:=+|-+)`: as many of the same one, not any of them."""
    members, times = [one[0] for one in _MEMBER.finditer(found[2])], _TIMES.match(body, found.end())
    if (
        not found[1]
        and times is not None
        and 1 < len(members) <= 4
        and not any(_RANGE.fullmatch(one) for one in members)
    ):
        each = "|".join(
            f"{one if len(one) > 1 or one not in _SPECIAL else re.escape(one)}{times[0]}" for one in members
        )
        yield f"{body[: found.start()]}(?:{each}){body[times.end() :]}", 2.0


def _quoted(body: str) -> Iterator[tuple[str, float]]:
    """`"([a-z]+)"` as `"([^"]+)"`: between two quotes anything else may stand; or anything at all."""
    for found in list(_BETWEEN.finditer(body))[:4]:
        for new, cost in ((f"[^{found[1]}]", 1.8), (".", 2.0)):
            if found[3] != new:
                yield body[: found.start(3)] + new + body[found.end(3) :], cost


def _begun(body: str) -> Iterator[tuple[str, float]]:
    """An alternative that is taken only where a word begins; one that begins with a dash only where no word goes on."""
    for found in list(_BEGINS.finditer(body))[:8]:
        at = found.start()
        fence = r"(?<!\S)" if body[at] == "-" else r"\b"
        yield f"{body[:at]}{fence}{body[at:]}", 2.2


def _optional(body: str) -> Iterator[tuple[str, float]]:
    """A group, or a single character, that need not be there."""
    depth: list[int] = []
    for at, one in enumerate(body):
        escaped = at and body[at - 1] == "\\"
        if one == "(" and not escaped:
            depth.append(at)
        elif one == ")" and not escaped and depth:
            start = depth.pop()
            if body[at + 1 : at + 2] not in ("?", "*", "+", "{") and body[start : start + 3] not in (
                "(?=",
                "(?!",
                "(?<",
            ):
                yield f"{body[: at + 1]}?{body[at + 1 :]}", 2.1
    for found in list(_ATOM.finditer(body))[:40]:
        if body[found.end() : found.end() + 1] not in ("?", "*", "+", "{"):
            yield f"{body[: found.end()]}?{body[found.end() :]}", 2.3
