"""What goes to a model or into a transcript: without secrets, without control characters, and short."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from prodwise.loop.repair.paths import plain
from prodwise.model.redaction import Redactor

TEXT_MAX = 12_000
HIDDEN = "[redacted]"
_KNOWN_MIN = 6
_KEYS = re.compile(r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|\Z)", re.DOTALL)


class Veil:
    """known: secrets by their value (of the environment, of the app's own file), hidden wherever they stand."""

    def __init__(self, redactor: Redactor, known: Iterable[str] = ()) -> None:
        self._redactor = redactor
        self._known = sorted({one for one in known if len(one) >= _KNOWN_MIN}, key=len, reverse=True)

    def text(self, text: str, most: int = TEXT_MAX) -> str:
        """The end of it: what a program printed last says most."""
        return str(self._redactor.clean(_last(self.shown(text), min(most, TEXT_MAX)))[0])

    def code(self, text: str, most: int = TEXT_MAX) -> str:
        """The beginning of it; only literals count as values, so that code stays readable."""
        return str(self._redactor.clean({"context_line": self.shown(text)[: min(most, TEXT_MAX)]})[0]["context_line"])

    def mapping(self, values: Mapping[str, str]) -> dict[str, Any]:
        shown = {plain(key)[:100]: self.shown(value)[:1_000] for key, value in list(values.items())[:40]}
        cleaned: dict[str, Any] = self._redactor.clean(shown)[0]
        return cleaned

    def is_told(self, diff: str) -> bool:
        """Whether a known secret stands in what a diff adds."""
        added = "\n".join(line for line in diff.splitlines() if line.startswith("+"))
        return any(one in added for one in self._known)

    def json(self, value: object) -> str:
        """One line of a transcript."""
        return json.dumps(self._redactor.clean(self._walked(value))[0], ensure_ascii=True)

    def _walked(self, value: object) -> object:
        if isinstance(value, str):
            return self.shown(value)[:TEXT_MAX]
        if isinstance(value, dict):
            return {self.shown(str(key))[:200]: self._walked(one) for key, one in list(value.items())[:100]}
        if isinstance(value, list | tuple):
            return [self._walked(one) for one in value[:100]]
        return value

    def shown(self, text: str) -> str:
        """Without known secrets, private keys and control characters, line for line; not yet looked through for others."""
        text = plain(text[-500_000:])
        for one in self._known:
            text = text.replace(one, HIDDEN)
        return _KEYS.sub(lambda found: HIDDEN + "\n" * found[0].count("\n"), text)


def fenced(what: str, text: str) -> str:
    """`text` as data, between marks that it cannot have known."""
    mark = secrets.token_hex(8)
    return f"<data {mark} {what}>\n{text}\n</data {mark}>"


def _last(text: str, most: int) -> str:
    return text if len(text) <= most else f"[… {len(text) - most} characters left out]\n{text[-most:]}"
