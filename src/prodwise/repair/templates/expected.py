"""From what an assertion says that it expected to the literal or argument of the program that makes the difference."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from functools import lru_cache

from prodwise.repair.edits import Edit
from prodwise.repair.search.arguments import added, name_of
from prodwise.repair.search.site import Site
from prodwise.repair.source import Source, scope

TEXT_MOST = 600
PAIRS_MOST = 6
LINES_MOST = 3
PIECE_LEAST = 4
_TEXT = r"('(?:[^'\\\n]|\\.){0,400}'|\"(?:[^\"\\\n]|\\.){0,400}\")"
_COMPARED = re.compile(rf"b?{_TEXT}\s*(?:==|!=|does not match)\s*b?{_TEXT}")
_MATCHED = re.compile(rf"(?:Expected regex|Regex): {_TEXT}\n(?:E? +)?(?:Actual message|Input): {_TEXT}")
"""What pytest says where a message is not the one that `raises(match=…)` waits for."""
_ESCAPED = re.compile(r"\\(\W)")
_LINES = re.compile(r"^E? +- (.{1,300})\n(?:E? +\?.*\n)?E? +\+ (.{1,300})$", re.MULTILINE)
_QUOTED = re.compile(r"\"[^\"\\\n]*\"|'[^'\\\n]*'")
_FIELD = re.compile(r"%[-#0-9.]*[a-zA-Z%]|\{[^{}]*\}")
_WORD = re.compile(r"\w+|\W")
_VALUE = r"(None|True|False|-?\d{1,12}(?:\.\d{1,12})?|\[\]|\{\}|\(\)|'')"
_VALUES = re.compile(rf"(?:assert |Error: |\s){_VALUE} (?:==|!=|is|is not) {_VALUE}(?![\w.(\[])")
_GIVEN = re.compile(r"\b([a-z_]\w{1,40})=(True|False|None|\d{1,6}|'[^'\n]{0,40}')(?=[,)\s])")


def edits(source: Source, statement: ast.stmt, message: str) -> Iterator[Edit]:
    site = Site(source, statement, scope(source, statement))
    pairs = differences(message)
    given = _given(message)
    for node in source.head(statement):
        if pairs and isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from _whole(site, node, message)
            yield from _literal(site, node, pairs)
            yield from _aligned(site, node, message)
        if pairs and isinstance(node, ast.JoinedStr):
            yield from _of_a_format(site, node, pairs, message)
        if pairs and isinstance(node, ast.Call) and name_of(node.func) == "replace":
            yield from _replaced(site, node, message)
        if isinstance(node, ast.Constant) and (not isinstance(node.value, str | bytes) or node.value == ""):
            for new in _others(message, repr(node.value)):
                why = f"`{node.value}` is expected as `{new}`"
                yield site.swap(node, new, "literal", why, 1.4 if isinstance(statement, ast.Return) else 1.9)
        if isinstance(node, ast.Call) and site.source.of(node).endswith(")") and name_of(node.func) in message:
            for name, value in given:
                if name not in {one.arg for one in node.keywords}:
                    why = f"the call is expected with `{name}={value}`"
                    yield added(site, node, f"{name}={value}", why, 1.3)


@lru_cache(maxsize=64)
def _others(message: str, value: str) -> tuple[str, ...]:
    """What an assertion held against this value."""
    pairs = _VALUES.findall(message)[:PAIRS_MOST]
    found = (new for pair in pairs for old, new in (pair, pair[::-1]) if old == value != new)
    return tuple(dict.fromkeys(found))


@lru_cache(maxsize=8)
def _given(message: str) -> tuple[tuple[str, str], ...]:
    """Arguments that a mock expected, or got."""
    return tuple(dict.fromkeys(_GIVEN.findall(message)))[:20] if "call" in message else ()


@lru_cache(maxsize=8)
def differences(message: str) -> list[tuple[str, str]]:
    """(what one side has, what the other has in its place), both ways: which is expected is not said."""
    found: dict[tuple[str, str], None] = {}
    words: dict[tuple[str, str], None] = {}
    for left, right in _held(message):
        for what, i, j, k, m in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
            if what != "equal":
                found[left[i:j], right[k:m]] = None
                found[right[k:m], left[i:j]] = None
        one, two = _WORD.findall(left), _WORD.findall(right)
        for what, i, j, k, m in SequenceMatcher(None, one, two, autojunk=False).get_opcodes():
            if what == "replace":
                words["".join(one[i:j]), "".join(two[k:m])] = None
                words["".join(two[k:m]), "".join(one[i:j])] = None
    inner = [pair for pair in words if pair not in found]
    return [*list(found)[: 2 * PAIRS_MOST], *inner[: 2 * PAIRS_MOST]]


@lru_cache(maxsize=8)
def _both_ways(message: str) -> tuple[tuple[str, str, tuple[tuple[int, int], ...]], ...]:
    """(one text, the other, where their common parts stand in each): which is expected is not said."""
    found = []
    for left, right in _held(message):
        for one, two in ((left, right), (right, left)):
            same = SequenceMatcher(None, one, two, autojunk=False).get_matching_blocks()
            found.append((one, two, tuple((place.a + at, place.b + at) for place in same for at in range(place.size))))
    return tuple(found)


def _aligned(site: Site, node: ast.Constant, message: str) -> Iterator[Edit]:
    """A literal whose text is a part of the one, as the other has it; the first and last character are the same in both."""
    begin, text = site.source.span(node)[0], site.source.of(node)
    bodies = [(begin + one.start() + 1, one[0][0], one[0][1:-1]) for one in _QUOTED.finditer(text)]
    if isinstance(site.source.parents.get(node), ast.JoinedStr) or "".join(body for *_, body in bodies) != node.value:
        return
    for start, quote, body in bodies:
        for at, piece, new in _as_there(body, message):
            if quote not in new:
                why = f"`{piece[:40]}` is expected as `{new[:40]}`"
                place = start + at
                yield Edit(site.source.path, place, place + len(piece), new, "literal", why, 1.6, node.lineno)


def _as_there(body: str, message: str) -> Iterator[tuple[int, str, str]]:
    """Where in the literal, what it says there, and what the other text says in that place."""
    for piece in [one for one in _FIELD.split(body) if len(one) >= PIECE_LEAST]:
        for one, two, same in _both_ways(message):
            at, places = one.find(piece), dict(same)
            if at >= 0 and at in places and at + len(piece) - 1 in places:
                new = two[places[at] : places[at + len(piece) - 1] + 1]
                if new != piece and not re.search(r"[\\{}%\n]", new):
                    yield body.index(piece), piece, new


def _replaced(site: Site, node: ast.Call, message: str) -> Iterator[Edit]:
    """One replacement more at the end of several."""
    if isinstance(site.source.parents.get(node), ast.Attribute) or len(node.args) != 2:
        return
    if not all(isinstance(one, ast.Constant) and isinstance(one.value, str) for one in node.args):
        return
    text, made = site.source.of(node), dict[tuple[str, str], None]()
    for left, right in _held(message):
        for what, i, j, k, m in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
            if what != "equal":
                made[left[i : j + 1], right[k : m + 1]] = None
                made[left[max(0, i - 1) : j], right[max(0, k - 1) : m]] = None
    both = [(one, two) for pair in made for one, two in (pair, pair[::-1])]
    for old, new in both[: 2 * PAIRS_MOST]:
        if old and len(old) < 12 and len(new) < 12:
            why = f"`{old}` is expected as `{new}`"
            yield site.swap(node, f"{text}.replace({old!r}, {new!r})", "literal", why, 2.0)


def _held(message: str) -> Iterator[tuple[str, str]]:
    """The texts that an assertion held against each other, as written on one line, or each on a line of its own."""
    for one, two in (*_COMPARED.findall(message)[:3], *_MATCHED.findall(message)[:3]):
        try:
            left, right = ast.literal_eval(one), ast.literal_eval(two)
        except (SyntaxError, ValueError):
            continue
        left = left if "\\" in right else _ESCAPED.sub(r"\1", left)  # a pattern that means one text
        if max(len(left), len(right)) <= TEXT_MOST and left != right:
            yield left, right
    for left, right in _LINES.findall(message)[:LINES_MOST]:
        if left != right:
            yield left, right


def _whole(site: Site, node: ast.Constant, message: str) -> Iterator[Edit]:
    """The very text that an assertion held against another one: that one."""
    text = site.source.of(node)
    for one, two, _ in _both_ways(message):
        new = _written(text, two) if one == node.value and not re.search(r"[{}%]", two) else ""
        if new and len(one) >= PIECE_LEAST:
            why = (
                f"`{one[:40]!r}` is expected as `{two[:40]!r}`"
                if "\\" in new
                else f"`{one[:40]}` is expected as `{two[:40]}`"
            )
            yield site.swap(node, new, "text", why, 1.3)


def _written(like: str, value: str) -> str:
    """A text as a literal in the quotes of another one; "" where that is none of one line with a plain quote at its begin."""
    quote, new = like[:1], repr(value)
    if quote not in ("'", '"') or like[:3] in ('"""', "'''"):
        return ""
    return new if new[0] == quote or quote in value or "'" in value else quote + new[1:-1] + quote


def _literal(site: Site, node: ast.Constant, pairs: list[tuple[str, str]]) -> Iterator[Edit]:
    """A piece of the program's literal is replaced as the difference says; an empty piece is put at either end."""
    text = site.source.of(node)
    quote = text[-1:]
    start = text.find(quote) + 1
    if not isinstance(site.source.parents.get(node), ast.JoinedStr) and text[start:-1] == node.value and start:
        for old, new in pairs:
            if re.search(r"[\\{}'\"\n]", new):
                continue
            values = [node.value.replace(old, new)] if old else [node.value + new, new + node.value]
            for value in values:
                if value != node.value and (old or new):
                    why = f"`{node.value[:40]}` is expected as `{value[:40]}`"
                    yield site.swap(node, text[:start] + value + quote, "literal", why, 1.6 if old else 2.0)


def _of_a_format(site: Site, node: ast.JoinedStr, pairs: list[tuple[str, str]], message: str) -> Iterator[Edit]:
    """A piece of what an f-string says between its fields, where it says it once."""
    start, text = site.source.span(node)[0], site.source.of(node)
    fields = [one.span() for one in _FIELD.finditer(text)]
    for old, new in pairs:
        at = text.find(old)
        if len(old) < PIECE_LEAST or text.count(old) != 1 or re.search(r"[\\{}'\"\n]", new):
            continue
        if not any(first < at + len(old) and at < last for first, last in fields):
            all_of_it = any(one.replace(old, new) == two for one, two, _ in _both_ways(message))
            why = f"`{old[:40]}` is expected as `{new[:40]}`"
            kind = "text" if all_of_it else "literal"
            yield Edit(site.source.path, start + at, start + at + len(old), new, kind, why, 1.6, node.lineno)
