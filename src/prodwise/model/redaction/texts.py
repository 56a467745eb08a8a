"""One text, cleaned; and what is remembered of texts and names, since most of an app's errors say the same again."""

from __future__ import annotations

import re
from collections.abc import Callable

from prodwise.model.redaction.keys import is_secret
from prodwise.model.redaction.pairs import STEMS, without_named
from prodwise.model.redaction.patterns import FOUND, MASK, masked

CUT = "[cut]"
SHORT = 4
"""Characters that hold no secret by themselves."""
_ROUNDS = 2
_KNOWN, _KNOWN_CHARS = 8_192, 300
_OUTCOMES, _OUTCOME_CHARS = 2_048, 4_000
_MARKS = frozenset({MASK, CUT})
_DIGITS = str.maketrans("123456789", "000000000")
_STEM = re.compile("|".join(STEMS))
_RUN = re.compile(r"[A-Za-z0-9_=-]{20}")
_NUMBER = re.compile(r"[0-9][0-9 -]{12}|[A-Z][A-Z][0-9][0-9][A-Z0-9 ]")
_PHONE = re.compile(r"\+[0-9]|\([0-9]{3}\)")


def may_tell(shape: str) -> bool:
    """Whether a text of this shape could hold something to hide: cheaper than to look for it, and never wrong when it says no.
    A shape is a text with zeros for its digits: thousands of texts share one, and whether it may tell holds for all of them."""
    return (
        "@" in shape
        or "%00" in shape
        or "asic " in shape
        or _STEM.search(shape.lower()) is not None
        or _RUN.search(shape) is not None
        or _NUMBER.search(shape) is not None
        or _PHONE.search(shape) is not None
    )


class Texts:
    """Cleans texts by patterns and by the names in them. clean, clean_code: texts known to need nothing."""

    def __init__(self, keys: re.Pattern[str] | None, patterns: tuple[re.Pattern[str], ...]) -> None:
        self.clean: set[str] = set()
        self.clean_code: set[str] = set()
        self.plain_keys: set[str] = set()
        self._extra_keys, self._extra = keys, patterns
        self._by_shape = keys is None and not patterns
        self._harmless: set[str] = set()
        self._outcomes: dict[int, tuple[str, int]] = {}
        self._secret_keys: dict[str, bool] = {}

    def text(self, text: str, code: bool = False) -> tuple[str, int]:
        """`text` without what must not be kept, and how many replacements that took. code: source code, where only literals
        are values: `token = make()` stays."""
        if len(text) <= SHORT:
            return text, 0
        if self._by_shape:
            shape = text.translate(_DIGITS)
            harmless = shape in self._harmless
            if not harmless and not may_tell(shape):
                _remember(self._harmless, shape)
                harmless = True
            if harmless:
                _remember(self.clean, text)
                return text, 0
        known = self.clean_code if code else self.clean
        if text in known:
            return text, 0
        outcome = self._outcomes.get(hash((text, code)))
        return self._looked_for(text, code) if outcome is None else outcome

    def _looked_for(self, text: str, code: bool) -> tuple[str, int]:
        cleaned, count = text, 0
        for _ in range(1 + _ROUNDS):  # what stood beside a secret is judged again without it
            cleaned, more = self._replaced(cleaned, code)
            count += more
            if not more or (self._by_shape and not may_tell(cleaned.translate(_DIGITS))):
                break
        if not count and len(text) <= _KNOWN_CHARS:
            _remember(self.clean_code if code else self.clean, text)
        elif len(text) <= _OUTCOME_CHARS:
            if len(self._outcomes) >= _OUTCOMES:
                self._outcomes.clear()
            self._outcomes[hash((text, code))] = cleaned, count  # by hash: the secret itself is not kept in memory
        return cleaned, count

    def key(self, key: str) -> tuple[str, bool]:
        """The name itself, clean, and whether what stands under it is a secret."""
        if key in self.plain_keys:
            return key, False
        clean, count = self.text(key)
        secret = self.is_secret(key) or (count > 0 and self.is_secret(clean))
        if not count and not secret:
            _remember(self.plain_keys, key)
        return clean, secret

    def is_secret(self, key: str) -> bool:
        """Whether the name announces a secret; remembered, as the same few names come again and again."""
        known = self._secret_keys.get(key)
        if known is None:
            known = is_secret(key, self._extra_keys)
            if len(key) <= _KNOWN_CHARS:
                if len(self._secret_keys) >= _KNOWN:
                    self._secret_keys.clear()
                self._secret_keys[key] = known
        return known

    def _replaced(self, text: str, code: bool) -> tuple[str, int]:
        text, count = _substituted(FOUND, text, masked)
        for pattern in self._extra:
            text, more = _substituted(pattern, text, _whole)
            count += more
        if self._extra_keys is not None or _STEM.search(text.lower()):
            text, more = without_named(text, self.is_secret, code)
            count += more
        return text, count


def _remember(known: set[str], text: str) -> None:
    if len(text) > _KNOWN_CHARS:
        return
    if len(known) >= _KNOWN:
        known.clear()
    known.add(text)


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
