"""Tables that lack what the failing test speaks of: an entry, a word, a character; or have it, and spell it wrongly."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from difflib import SequenceMatcher
from functools import lru_cache

from prodwise.repair.edits import Edit
from prodwise.repair.search.arguments import name_of
from prodwise.repair.search.site import Site
from prodwise.repair.source import Source, scope

WORDS_MOST = 24
VALUES_MOST = 4
NUMBERS_MOST = 4
CHARACTERS_MOST = 8
LIKE_LEAST = 0.8
_OF_CHARACTERS = frozenset(("strip", "lstrip", "rstrip", "set", "frozenset", "quote", "quote_plus", "quote_from_bytes"))
_NAMED_CHARACTERS = frozenset(("safe", "unsafe", "chars", "characters", "ignore", "punctuation"))


def edits(source: Source, statement: ast.stmt, said: tuple[str, ...], numbers: tuple[int, ...] = ()) -> Iterator[Edit]:
    """said: texts that the test holds, or that the program was given; numbers: those that the test holds."""
    words, odd = words_of(said), characters_of(said)
    site = Site(source, statement, scope(source, statement))
    for node in source.head(statement):
        if isinstance(node, ast.Dict):
            yield from _entry(site, node, words)
        elif isinstance(node, ast.List | ast.Tuple | ast.Set):
            yield from _element(site, node, words, odd)
            yield from _number(site, node, numbers)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from _spelling(site, node, node.value, words)
            yield from _characters(site, node, node.value, odd)


@lru_cache(maxsize=8)
def words_of(said: tuple[str, ...]) -> tuple[str, ...]:
    """The shorter texts themselves, then their words."""
    whole = [text for text in said if re.fullmatch(r"[^\s{}\\]{1,30}", text)]
    inside = [word for text in said for word in re.findall(r"[^\W\d]\w+", text)]
    return tuple(dict.fromkeys((*whole, *inside)))[:WORDS_MOST]


@lru_cache(maxsize=8)
def characters_of(said: tuple[str, ...]) -> tuple[str, ...]:
    """Those that are neither letters nor digits."""
    found = Counter(one for text in said for one in text if not one.isalnum() and one not in "\\{}")
    return tuple(one for one, _ in found.most_common(CHARACTERS_MOST))


def _entry(site: Site, node: ast.Dict, words: tuple[str, ...]) -> Iterator[Edit]:
    """A key more, with what most of the others have."""
    keys = [one.value for one in node.keys if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    if len(keys) < 2 or len(keys) != len(node.keys):
        return
    usual = Counter(text for one in node.values if len(text := site.source.of(one)) <= 60 and "\n" not in text)
    end = site.source.span(node.values[-1])[1]
    pairs = list(zip(keys, (site.source.of(one) for one in node.values), strict=True))
    for word in dict.fromkeys(_cased(word, keys) for word in words):
        if word not in keys:
            for value in list(dict.fromkeys(one for pair in pairs if (one := _named_after(word, *pair))))[:VALUES_MOST]:
                why = f"`{word}` is left out"
                yield Edit(site.source.path, end, end, f", {word!r}: {value}", "entry", why, 1.7, node.lineno)
            for value, many in usual.most_common(VALUES_MOST):
                why = f"`{word}` is left out"
                yield Edit(site.source.path, end, end, f", {word!r}: {value}", "entry", why, 2.1 if many > 1 else 2.4,
                           node.lineno)  # fmt: skip


def _named_after(word: str, key: str, value: str) -> str:
    """`lang_FA.Words_FA()` for "fa", where "fr" has `lang_FR.Words_FR()`; "" where a value says nothing of its key."""
    if len(key) < 2 or len(value) > 60 or not word.isidentifier() or "\n" in value:
        return ""
    new = value
    for one, two in ((key, word), (key.upper(), word.upper()), (key.title(), word.title())):
        new = re.sub(rf"(?<![A-Za-z]){re.escape(one)}(?![a-z])", two, new)
    return new if new != value else ""


def _cased(word: str, others: list[str]) -> str:
    """Written as the others are."""
    if all(one.isupper() for one in others):
        return word.upper()
    return word.lower() if all(one.islower() for one in others) else word


def _element(
    site: Site, node: ast.List | ast.Tuple | ast.Set, words: tuple[str, ...], odd: tuple[str, ...]
) -> Iterator[Edit]:
    mine = [one.value for one in node.elts if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    if len(mine) < 2 or len(mine) != len(node.elts):
        return
    single = all(len(one) == 1 for one in mine)
    end = site.source.span(node.elts[-1])[1]
    for text in odd if single else words:
        if text not in mine:
            new = f", {text!r}"
            yield Edit(site.source.path, end, end, new, "part", f"`{text}` is left out", 2.1, node.lineno)


def _number(site: Site, node: ast.List | ast.Tuple | ast.Set, numbers: tuple[int, ...]) -> Iterator[Edit]:
    """`(301, 302)` that lacks the 308 of a test which speaks of 301 as well."""
    mine = [one.value for one in node.elts if isinstance(one, ast.Constant) and type(one.value) is int]
    if len(mine) < 2 or len(mine) != len(node.elts) or not set(mine) & set(numbers):
        return
    end = site.source.span(node.elts[-1])[1]
    for number in [one for one in numbers if one not in mine][:NUMBERS_MOST]:
        yield Edit(site.source.path, end, end, f", {number}", "part", f"`{number}` is left out", 2.0, node.lineno)


def _spelling(site: Site, node: ast.Constant, value: str, words: tuple[str, ...]) -> Iterator[Edit]:
    """Almost what the test says."""
    if not re.fullmatch(r"[\w-]{4,30}", value) or isinstance(site.source.parents.get(node), ast.JoinedStr):
        return
    for word in words:
        if word != value and value in re.split(r"[._-]", word) and _is_key(site, node):
            yield site.swap(node, repr(word), "literal", f"`{value}` is asked for as `{word}`", 1.9)
        elif word != value and abs(len(word) - len(value)) < 3 and word.lower() != value.lower():
            like = SequenceMatcher(None, word.lower(), value.lower()).ratio()
            if like >= LIKE_LEAST:
                new = word.upper() if value.isupper() else word
                yield site.swap(node, repr(new), "literal", f"`{value}` is meant as `{new}`", 1.9)


def _is_key(site: Site, node: ast.Constant) -> bool:
    parent = site.source.parents.get(node)
    return isinstance(parent, ast.Dict) and any(one is node for one in parent.keys)


def _characters(site: Site, node: ast.Constant, value: str, odd: tuple[str, ...]) -> Iterator[Edit]:
    """A text that stands for its characters: one more, or one less."""
    parent = site.source.parents.get(node)
    called = isinstance(parent, ast.Call) and node in parent.args and name_of(parent.func) in _OF_CHARACTERS
    called = called or (isinstance(parent, ast.keyword) and parent.arg in _NAMED_CHARACTERS)
    asked = (
        isinstance(parent, ast.Compare) and node in parent.comparators and isinstance(parent.ops[0], ast.In | ast.NotIn)
    )
    if not (called or (asked and len(value) > 1)) or len(value) > 12 or any(one.isalnum() for one in value):
        return
    for one in odd:
        if one not in value:
            yield site.swap(node, repr(value + one), "part", f"the character {one!r} is left out", 2.1)
    for one in value if len(value) > 1 else "":
        yield site.swap(node, repr(value.replace(one, "")), "part", f"the character {one!r} is too much", 2.2)
