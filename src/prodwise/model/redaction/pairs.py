"""Secrets that are named inside a text: query strings, form bodies, headers, JSON, environment dumps, reprs, command lines.

A name is found first; its value is looked at only if the name announces a secret, so that time grows with the text's length.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from prodwise.model.redaction.patterns import MASK

STEMS = (
    *(
        "pass",
        "pwd",
        "secret",
        "token",
        "auth",
        "cooki",
        "key",
        "sess",
        "csrf",
        "xsrf",
        "dsn",
        "credential",
        "jwt",
        "otp",
    ),
    *(
        "pin",
        "cvv",
        "cvc",
        "ssn",
        "sig",
        "bearer",
        "card",
        "conn",
        "phone",
        "birth",
        "dob",
        "iban",
        "national_id",
        "tax_id",
    ),
)
"""Some of these stands, in small letters, in any text that names a secret."""

_KEY = re.compile(
    r"""
      (?<![\w.-])-{0,2}(?P<key>[A-Za-z_%][\w.%\[\]-]{0,60}+)
        (?P<close>\\{0,4}["'`])?
        (?P<sep>\s{0,4}(?:=>|=(?!=)|:(?![:/]))\s{0,4})(?P<list>\[\s{0,2}(?=\\{0,4}["']))?
    | (?<![\w-])--(?P<flag>[a-z][\w-]{1,60}+)\ (?=[^\s-])
    | (?:(?<=\()|(?<=\[\[)|(?<=,\[)|(?<=,\ \[))(?P<q>["'])(?P<first>[A-Za-z][\w-]{0,60}+)(?P=q),\s{0,2}(?=(?P=q))
    """,
    re.VERBOSE,
)
_QUOTED = re.compile(  # an unclosed one runs to the line's end: a text may have been cut
    r"""[bru]?(?:
        (?P<quote>["'`])(?P<inner>(?:\\.|(?!(?P=quote))[^\\\n])*+)
      | (?P<escape>\\{1,4})(?P<escaped>["'`])(?P<within>(?:(?!(?<!\\)(?P=escape)(?P=escaped))[^\n])*+)
    )""",
    re.VERBOSE,
)
_BARE = re.compile(r"""[^\s"'`&;,)\]}<>|\\]{1,4000}+""")
_SCHEME = re.compile(
    r"""(?:(?:Basic|Bearer|Digest|Token|ApiKey|Negotiate|AWS4-HMAC-SHA256|basic|bearer|token)\s{1,2})?[^\s"'`&;,)\]}<>|]{1,4000}+"""
)
_LINE = re.compile(r"""[^\n\r"'`}<>]{1,8000}+""")
_NO_VALUE = re.compile(
    r"""
    (?:None|null|nil|NULL|undefined|true|false|True|False|yes|no|on|off|str|int|bool|bytes|float|string|number|any|Any|Optional|object
      |required|missing|invalid|expired|empty|unset)(?![\w-])
    | [*•]{2,} | [xX]{3,}$ | \$\w+$ | \$\{ | \{ | \( | \[ | \? | %s | %\( | :\w+$ | @\w+$ | <
    | (?:self|cls|this|req|request|settings|config|os|process|env|kwargs|args|data|form|params|options|user|app)[.\[]\w
    | \w[\w.]*\($ | \[(?:redacted|Filtered|FILTERED)
    """,
    re.VERBOSE,
)
_STARTS_A_LINE = frozenset("\n,;{([&?\"'`|#")


def without_named(text: str, secret: Callable[[str], bool], code: bool) -> tuple[str, int]:
    """`text` without the values of names that are `secret`, and how many those were. In `code` only literals are values."""
    kept: list[str] = []
    count, at, begun = 0, 0, 0
    while (found := _KEY.search(text, at)) is not None:
        at = found.end()
        if not secret(found["key"] or found["flag"] or found["first"]):
            continue
        span = _value(text, found, code)
        if span is None:
            continue
        kept += (text[begun : span[0]], MASK)
        begun = at = span[1]
        count += 1
    return ("".join(kept) + text[begun:], count) if count else (text, 0)


def _value(text: str, found: re.Match[str], code: bool) -> tuple[int, int] | None:
    """Where the value lies that belongs to this name; None when it is none, or hidden already."""
    at = found.end()
    quoted = _QUOTED.match(text, at)
    if quoted is not None:
        begin, end = quoted.span("inner" if quoted["escape"] is None else "within")
        return None if begin == end or _NO_VALUE.match(text, begin, end) else (begin, end)
    if code or found["first"]:
        return None
    bare = _bare(found["key"] or "").match(text, at)
    if bare is None or _NO_VALUE.match(bare[0]) or text.startswith("(", bare.end()):
        return None
    return bare.span() if _is_meant(text, found, bare[0]) else None


def _bare(key: str) -> re.Pattern[str]:
    name = key.lower()
    return _LINE if name.endswith("cookie") else _SCHEME if name.endswith("authorization") else _BARE


def _is_meant(text: str, found: re.Match[str], value: str) -> bool:
    """Prose says "invalid token: expired" and means no value; a line, a list or a query string does mean one."""
    if ":" not in (found["sep"] or "") or found["close"]:
        return True
    before = text[max(0, found.start() - 4) : found.start()].rstrip(" \t-")
    return not before or before[-1] in _STARTS_A_LINE or any(one.isdigit() for one in value) or len(value) >= 16
