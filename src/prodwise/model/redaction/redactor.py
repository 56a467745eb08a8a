"""Cleans JSON values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import count as count_from
from operator import is_
from typing import Any

from prodwise.model.errors import ConfigError
from prodwise.model.redaction.keys import is_secret
from prodwise.model.redaction.pairs import STEMS, without_named
from prodwise.model.redaction.patterns import ADDRESS, CARD, FOUND, MASK, is_card, masked

DEPTH, VALUES, CHARS, TEXT_CHARS = 60, 20_000, 100_000, 16_000
"""What is looked at of one value: nesting, values, characters of text in all and of one text. The rest is not kept: what was
not looked at must not be stored."""
CUT = "[cut]"
_MARKED = re.compile(r"[\d@]|[Bb]earer|BEARER|[Bb]asic |-----BEGIN|://|eyJ|xox|webhooks/|services/")
_SHORT = 4
_ROUNDS = 2
_KNOWN, _KNOWN_CHARS = 8_192, 300
_TELLS_NOTHING = re.compile(
    r"""(?:none|null|nil|true|false|0|''|""|\[\]|\{\}|[*•]+|\[(?:redacted|filtered|cut)[a-z ]{0,20}\])?$""",
    re.IGNORECASE,
)
_MARKS = frozenset({MASK, CUT})
_CODE = frozenset({"context_line", "pre_context", "post_context"})


class Redactor:
    """Takes secrets, tokens, card and personal data out of JSON. One for all events: it remembers which texts are clean.

    keys: more expressions for names, looked for in a name's words joined by `_` (`X-Api-Key` is `x_api_key`); patterns: more
    expressions for texts; addresses: take IP addresses out, too. Raises ConfigError for an expression that does not compile.
    """

    def __init__(self, keys: Iterable[str] = (), patterns: Iterable[str] = (), addresses: bool = False) -> None:
        self._extra_keys = _any_of(keys)
        extra = _any_of(patterns)
        self._extra = tuple(one for one in (extra, ADDRESS if addresses else None) if one is not None)
        self._keys: dict[str, tuple[str, bool]] = {}
        self._clean_texts: set[str] = set()
        self._clean_code: set[str] = set()

    def clean(self, value: Any) -> tuple[Any, int]:
        """`value` (what `json.loads` gives) without what must not be kept, and how many replacements and cuts that took.

        The argument is not changed; what needed nothing is shared with it. Cleaning twice changes no more than once. Linear
        time; never raises."""
        walk = _Walk(self)
        return walk.value(value, DEPTH, False), walk.count

    def text(self, text: str, code: bool = False) -> tuple[str, int]:
        """One text without what must not be kept, and how many replacements that took. code: source code, where only
        literals are values: `token = make()` stays."""
        known = self._clean_code if code else self._clean_texts
        if len(text) <= _SHORT or text in known:
            return text, 0
        cleaned, count = self._replaced(text, code)
        if count:  # what stood beside a secret is judged again without it
            for _ in range(_ROUNDS):
                cleaned, more = self._replaced(cleaned, code)
                if not more:
                    break
                count += more
        if not count and len(text) <= _KNOWN_CHARS:
            if len(known) >= _KNOWN:
                known.clear()
            known.add(text)
        return cleaned, count

    def key(self, key: str) -> tuple[str, bool]:
        """The key itself, clean, and whether what stands under it is a secret."""
        known = self._keys.get(key)
        if known is None:
            clean = self.text(key)[0]
            known = clean, self._is_secret(key) or self._is_secret(clean)
            if len(key) <= _KNOWN_CHARS:
                if len(self._keys) >= _KNOWN:
                    self._keys.clear()
                self._keys[key] = known
        return known

    def _replaced(self, text: str, code: bool) -> tuple[str, int]:
        count = 0
        if _MARKED.search(text):
            text, count = _substituted(FOUND, text, masked)
        for pattern in self._extra:
            text, more = _substituted(pattern, text, _whole)
            count += more
        lower = text.lower()
        if self._extra_keys is not None or any(stem in lower for stem in STEMS):
            text, more = without_named(text, self._is_secret, code)
            count += more
        return text, count

    def _is_secret(self, key: str) -> bool:
        return is_secret(key, self._extra_keys)


class _Walk:
    """One walk through one value, with what is left of its budget."""

    def __init__(self, redactor: Redactor) -> None:
        self.redactor = redactor
        self.count = 0
        self.values = VALUES
        self.chars = CHARS

    def value(self, value: Any, depth: int, code: bool) -> Any:
        if isinstance(value, str):
            return self.text(value, code)
        if isinstance(value, dict):
            return self.mapping(value, depth - 1)
        if isinstance(value, list):
            return self.listing(value, depth - 1, code)
        if isinstance(value, int) and value > 10**13 and not isinstance(value, bool) and is_card(str(value)):
            return self.hidden(CARD)
        return value

    def text(self, text: str, code: bool) -> str:
        if len(text) <= _SHORT:
            return text
        self.chars -= min(len(text), TEXT_CHARS)
        if self.chars < 0:
            return self.hidden(CUT)
        cleaned, count = self.redactor.text(text[:TEXT_CHARS], code)
        self.count += count
        if len(cleaned) > TEXT_CHARS or len(text) > TEXT_CHARS:
            self.count += 1
            return cleaned[: TEXT_CHARS - len(CUT)] + CUT
        return cleaned if count else text

    def mapping(self, value: dict[str, Any], depth: int) -> Any:
        if depth <= 0 and value:
            return self.hidden(CUT)
        named = self._names_its_value(value)
        changed: dict[str, Any] = {}
        renamed: dict[str, str] = {}
        for at, (key, one) in enumerate(value.items()):
            self.values -= 1
            if self.values < 0:
                self.count += 1
                return _rebuilt(dict(list(value.items())[:at]), changed, renamed)
            clean_key, secret = self.redactor.key(key)
            hide = secret or (named and key == "value")
            new = self.concealed(one, depth) if hide else self.value(one, depth, key in _CODE)
            if new is not one:
                changed[key] = new
            if clean_key != key:
                renamed[key], self.count = clean_key, self.count + 1
        return _rebuilt(value, changed, renamed) if changed or renamed else value

    def listing(self, value: list[Any], depth: int, code: bool) -> Any:
        if depth <= 0 and value:
            return self.hidden(CUT)
        kept = value
        if len(value) > self.values:
            kept, self.count = value[: self.values], self.count + 1
        self.values -= len(kept)
        new = [self._element(one, depth, code) for one in kept]
        same = len(new) == len(value) and all(map(is_, new, value))
        return value if same else new

    def _element(self, one: Any, depth: int, code: bool) -> Any:
        """In a list of headers (`[["Cookie", "a=b"], …]`) the first of a pair names the second."""
        if isinstance(one, list) and len(one) == 2 and isinstance(one[0], str) and self.redactor.key(one[0])[1]:
            new = self.concealed(one[1], depth)
            return one if new is one[1] else [one[0], new]
        return self.value(one, depth, code)

    def concealed(self, value: Any, depth: int) -> Any:
        """All that stands under a secret's name, save what says no more than whether there is one."""
        if isinstance(value, dict | list) and depth > 0:
            return self._all_concealed(value, depth - 1)
        if value is None or isinstance(value, bool) or (isinstance(value, str) and _TELLS_NOTHING.match(value)):
            return value
        return self.hidden(MASK)

    def _all_concealed(self, value: dict[str, Any] | list[Any], depth: int) -> Any:
        self.values -= len(value)
        if self.values < 0:
            return self.hidden(CUT)
        if isinstance(value, list):
            new = [self.concealed(one, depth) for one in value]
            return value if all(map(is_, new, value)) else new
        changed = {key: found for key, one in value.items() if (found := self.concealed(one, depth)) is not one}
        renamed = {key: found for key in value if (found := self.redactor.key(key)[0]) != key}
        self.count += len(renamed)
        return _rebuilt(value, changed, renamed) if changed or renamed else value

    def hidden(self, mask: str) -> str:
        self.count += 1
        return mask

    def _names_its_value(self, value: dict[str, Any]) -> bool:
        """`{"key": "db.password", "value": …}`, as OpenTelemetry and HAR write it."""
        if "value" not in value or len(value) > 8:
            return False
        name = value.get("key", value.get("name"))
        return isinstance(name, str) and self.redactor.key(name)[1]


def _rebuilt(value: dict[str, Any], changed: dict[str, Any], renamed: dict[str, str]) -> dict[str, Any]:
    """With names that became equal told apart by a number."""
    result: dict[str, Any] = {}
    for key, one in value.items():
        name = renamed.get(key, key)
        if key in renamed and (name in result or name in value):
            name = next(
                f"{name} {n}" for n in count_from(2) if f"{name} {n}" not in result and f"{name} {n}" not in value
            )
        result[name] = changed.get(key, one)
    return result


def _substituted(pattern: re.Pattern[str], text: str, replace: Callable[[re.Match[str]], str]) -> tuple[str, int]:
    """As `subn`, but counts only what became another text."""
    count = 0

    def one(found: re.Match[str]) -> str:
        nonlocal count
        new = replace(found)
        count += new != found[0]
        return new

    return pattern.sub(one, text), count


def _whole(found: re.Match[str]) -> str:
    return MASK if found[0] and found[0] not in _MARKS else found[0]


def _any_of(expressions: Iterable[str]) -> re.Pattern[str] | None:
    found = [_compiled(one) for one in expressions]
    return re.compile("|".join(f"(?:{one})" for one in found)) if found else None


def _compiled(expression: str) -> str:
    try:
        re.compile(expression)
    except re.error as error:
        raise ConfigError(
            f"{expression!r} is not an expression to redact by: {error}",
            "Write it as Python's `re` takes it, or take it out.",
        ) from None
    return expression
