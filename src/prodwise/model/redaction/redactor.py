"""Cleans JSON values."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import count as count_from
from typing import Any

from prodwise.model.errors import ConfigError
from prodwise.model.redaction.patterns import ADDRESS, CARD, MASK, is_card
from prodwise.model.redaction.texts import CUT, SHORT, Texts

DEPTH, VALUES, CHARS, TEXT_CHARS = 60, 20_000, 100_000, 16_000
"""What is looked at of one value: nesting, values, characters not known to be clean, and characters of one text. The rest is
not kept: what was not looked at must not be stored."""
_LEAST_CARD = 10**13
_TELLS_NOTHING = re.compile(
    r"""(?:none|null|nil|true|false|0|''|""|\[\]|\{\}|[*•]+|\[(?:redacted|filtered|cut)[a-z ]{0,20}\])?$""",
    re.IGNORECASE,
)
_CODE = frozenset({"context_line", "pre_context", "post_context"})


class Redactor:
    """Takes secrets, tokens, card and personal data out of JSON. One for all events: it remembers which texts are clean.

    keys: more expressions for names, looked for in a name's words joined by `_` (`X-Api-Key` is `x_api_key`); patterns: more
    expressions for texts; addresses: take IP addresses out, too. Raises ConfigError for an expression that does not compile.
    """

    def __init__(self, keys: Iterable[str] = (), patterns: Iterable[str] = (), addresses: bool = False) -> None:
        extra = (_any_of(patterns), ADDRESS if addresses else None)
        self._texts = Texts(_any_of(keys), tuple(one for one in extra if one is not None))

    def clean(self, value: Any) -> tuple[Any, int]:
        """`value` (what `json.loads` gives) without what must not be kept, and how many replacements and cuts that took.

        The argument is not changed; what needed nothing is shared with it. Cleaning twice changes no more than once. Linear
        time; never raises."""
        walk = _Walk(self._texts)
        return walk.value(value, DEPTH, False), walk.count


class _Walk:
    """One walk through one value, with what is left of its budget."""

    def __init__(self, texts: Texts) -> None:
        self.texts, self.clean, self.plain = texts, texts.clean, texts.plain_keys
        self.count = 0
        self.values = VALUES
        self.chars = CHARS

    def value(self, value: Any, depth: int, code: bool) -> Any:
        """The value itself where it needs nothing."""
        kind = type(value)
        if kind is str:
            return self.text(value, code)
        if kind is dict:
            return self.mapping(value, depth - 1)
        if kind is list:
            return self.listing(value, depth - 1, code)
        if kind is int and value >= _LEAST_CARD and value < 10**20 and is_card(str(value)):
            return self.hidden(CARD)
        return value

    def text(self, text: str, code: bool) -> str:
        if len(text) <= SHORT:
            return text
        self.chars -= min(len(text), TEXT_CHARS)
        if self.chars < 0:
            return self.hidden(CUT)
        cleaned, count = self.texts.text(text[:TEXT_CHARS], code)
        self.count += count
        if len(cleaned) > TEXT_CHARS or len(text) > TEXT_CHARS:
            self.count += 1
            return cleaned[: TEXT_CHARS - len(CUT)] + CUT
        return cleaned if count else text

    def mapping(self, value: dict[str, Any], depth: int) -> Any:
        """The loop that most values pass through: known texts and plain numbers go by without a call."""
        if depth <= 0 or (left := self.values - len(value)) < 0:
            return self.hidden(CUT)
        self.values = left
        changed: dict[str, Any] = {}
        renamed: dict[str, str] = {}
        named = "value" in value and self._names_its_value(value)
        clean, plain = self.clean, self.plain
        for key, one in value.items():
            if key not in plain or named:
                name, secret = self.texts.key(key)
                if name != key:
                    renamed[key], self.count = name, self.count + 1
                if secret or (named and key == "value"):
                    changed[key] = self.concealed(one, depth)
                    continue
            kind = type(one)
            if kind is str:
                if one in clean or len(one) <= SHORT:
                    continue
                new = self.text(one, key in _CODE)
            elif kind is dict:
                new = self.mapping(one, depth - 1)
            elif kind is list:
                new = self.listing(one, depth - 1, key in _CODE)
            else:
                new = self.value(one, depth, False)
            if new is not one:
                changed[key] = new
        return _rebuilt(value, changed, renamed) if changed or renamed else value

    def listing(self, value: list[Any], depth: int, code: bool) -> Any:
        if self._is_too_much(value, depth):
            return self.hidden(CUT)
        clean, clean_code = self.clean, self.texts.clean_code
        changed: dict[int, Any] = {}
        for at, one in enumerate(value):
            kind = type(one)
            if kind is str:
                if one in clean or len(one) <= SHORT or (code and one in clean_code):
                    continue
                new = self.text(one, code)
            elif kind is dict:
                new = self.mapping(one, depth - 1)
            else:
                new = self._pair(one, depth) if kind is list and len(one) == 2 else self.value(one, depth, code)
            if new is not one:
                changed[at] = new
        return [changed.get(at, one) for at, one in enumerate(value)] if changed else value

    def _pair(self, pair: list[Any], depth: int) -> Any:
        """In a list of headers (`[["Cookie", "a=b"], …]`) the first of a pair names the second."""
        if not isinstance(pair[0], str) or not self.texts.key(pair[0])[1]:
            return self.value(pair, depth, False)
        new = self.concealed(pair[1], depth)
        return pair if new is pair[1] else [pair[0], new]

    def concealed(self, value: Any, depth: int) -> Any:
        """All that stands under a secret's name, save what says no more than whether there is one."""
        if isinstance(value, dict | list):
            return self._all_concealed(value, depth - 1)
        if value is None or isinstance(value, bool) or (isinstance(value, str) and _TELLS_NOTHING.match(value)):
            return value
        return self.hidden(MASK)

    def _all_concealed(self, value: dict[str, Any] | list[Any], depth: int) -> Any:
        if self._is_too_much(value, depth):
            return self.hidden(CUT)
        if isinstance(value, list):
            return [self.concealed(one, depth) for one in value]
        renamed = {key: name for key in value if (name := self.texts.key(key)[0]) != key}
        self.count += len(renamed)
        return _rebuilt(value, {key: self.concealed(one, depth) for key, one in value.items()}, renamed)

    def hidden(self, mask: str) -> str:
        self.count += 1
        return mask

    def _is_too_much(self, value: dict[str, Any] | list[Any], depth: int) -> bool:
        if len(value) > self.values or (depth <= 0 and value):
            return True
        self.values -= len(value)
        return False

    def _names_its_value(self, value: dict[str, Any]) -> bool:
        """`{"key": "db.password", "value": …}`, as OpenTelemetry and HAR write it."""
        name = value.get("key", value.get("name"))
        return isinstance(name, str) and len(value) <= 8 and self.texts.key(name)[1]


def _rebuilt(value: dict[str, Any], changed: dict[str, Any], renamed: dict[str, str]) -> dict[str, Any]:
    """With names that became equal told apart by a number."""
    if not renamed:
        return {**value, **changed}
    result: dict[str, Any] = {}
    for key, one in value.items():
        name = renamed.get(key, key)
        if key in renamed and (name in result or name in value):
            name = next(
                f"{name} {n}" for n in count_from(2) if f"{name} {n}" not in result and f"{name} {n}" not in value
            )
        result[name] = changed.get(key, one)
    return result


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
