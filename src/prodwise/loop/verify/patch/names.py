"""Names of files: read as git writes them, and made comparable."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

_ESCAPE = re.compile(r'\\(?:([0-3][0-7]{2})|([abtnvfr"\\]))|([^\\"\x00-\x1f\x7f]+)')
_PLAIN: Final = {"a": 7, "b": 8, "t": 9, "n": 10, "v": 11, "f": 12, "r": 13, '"': 34, "\\": 92}
_CONTROL = re.compile(r'[\x00-\x1f\x7f"\\]')
LINKS_FOLLOWED: Final = 20


def unquoted(name: str) -> str | None:
    """git writes names with strange characters as C strings. None for what git does not write."""
    if not name.startswith('"'):
        return None if _CONTROL.search(name) or not name else name
    if len(name) < 2 or not name.endswith('"'):
        return None
    raw, at, body = bytearray(), 0, name[1:-1]
    while at < len(body):
        found = _ESCAPE.match(body, at)
        if found is None:
            return None
        octal, letter, text = found.groups()
        raw += (
            bytes([int(octal, 8)]) if octal else bytes([_PLAIN[letter]]) if letter else text.encode("utf-8", "replace")
        )
        at = found.end()
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return None


def folded(path: str) -> str:
    """The same for all spellings that some file system takes for one: case, composition, width, invisible characters, dots and
    blanks at the end of a part."""
    shown = "".join(
        char for char in unicodedata.normalize("NFKC", path) if unicodedata.category(char) not in ("Cf", "Mn", "Cc")
    )
    parts = unicodedata.normalize("NFC", shown.casefold()).replace("\\", "/").split("/")
    return "/".join(one if one in (".", "..") else one.rstrip(". ") for one in parts)


def resolved(path: str, links: Mapping[str, str]) -> str | None:
    """Where a path leads inside the repository; None when it leaves it, or cannot be followed. links: path → target."""
    todo, done, followed = path.split("/")[::-1], list[str](), 0
    if path.startswith("/"):
        return None
    while todo:
        part = todo.pop()
        if part in ("", "."):
            continue
        if part == "..":
            if not done:
                return None
            done.pop()
            continue
        done.append(part)
        target = links.get("/".join(done))
        if target is not None:
            followed += 1
            if target.startswith("/") or followed > LINKS_FOLLOWED:
                return None
            done.pop()
            todo += target.split("/")[::-1]
    return "/".join(done)
