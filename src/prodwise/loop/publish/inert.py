"""Outside text made inert for code hosts: it is shown, and does nothing.

GitHub, GitLab and Gitea act on text: they call people (@name), link and close issues (#1, !1, GH-1, KEY-1, addresses), obey
lines that begin with "/" (GitLab), and skip checks for "[skip ci]" in a commit's message. They look for these before and after
Markdown is rendered, so escaping for Markdown alone is not enough: what could act is replaced by a sign that looks alike.
"""

from __future__ import annotations

import re
import unicodedata

from prodwise.model.redaction import Redactor

LINE_MAX = 300
LOOKED_AT = 16_000
"""Characters of a text that are looked at; a line shows fewer."""

_TWINS = str.maketrans(dict(zip("@#`|[]<>&$", "＠＃｀｜［］＜＞＆＄", strict=True)))
_NUMBERED = re.compile(r"(?<![A-Za-z0-9_])([A-Za-z][A-Za-z0-9_]*)-(?=\d)")
_SIGILS = {"!": "！", "%": "％", "~": "～", "^": "＾"}
_BEFORE_NAME = re.compile(r"[!%~^](?=[\w\"])")
_ADDRESS = re.compile(r"(?<=:)//|(?:www|mailto)(?=[.:])", re.IGNORECASE)
_SKIPS = re.compile(r"\b(skip|no|ci)([- ])(?=(?:ci|skip|checks|pipeline|actions)\b)", re.IGNORECASE)
_BEGINS = re.compile(r"^(\d{0,9})([-+=.)])")
_HARMLESS_HEX = re.compile(r"[0-9a-f]{4,40}")


def inert(text: str, most: int = LINE_MAX, redactor: Redactor | None = None) -> str:
    """One line of it. 1. Secrets out, before anything is cut. 2. What cannot be seen becomes a space. 3. What could act is
    replaced by its twin. 4. The rest is cut."""
    clean, _ = (redactor or Redactor()).clean(text[:LOOKED_AT])
    seen = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in str(clean))
    line = " ".join(seen.split())
    line = _NUMBERED.sub("\\1‑", line.translate(_TWINS))
    line = _BEFORE_NAME.sub(lambda found: _SIGILS[found[0]], line)
    line = _ADDRESS.sub(lambda found: "∕∕" if found[0] == "//" else f"{found[0]}\u2024", line)
    line = _SKIPS.sub("\\1_", line)
    if line.startswith("/"):
        line = f"∕{line[1:]}"
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"


def shown(text: str, most: int = LINE_MAX, redactor: Redactor | None = None) -> str:
    """The same as a code span, which renderers leave alone; "(nothing)" for nothing."""
    line = inert(text, most, redactor)
    return f"`{line}`" if line else "(nothing)"


def prose(text: str, most: int = LINE_MAX, redactor: Redactor | None = None) -> str:
    """A sentence that reads as one: inert, with Markdown's signs escaped."""
    return _BEGINS.sub(r"\1\\\2", re.sub(r"([\\*_~])", r"\\\1", inert(text, most, redactor)))


def commit_name(commit: str) -> str:
    """The first seven of a commit's id, "" for what is none."""
    return commit[:7] if _HARMLESS_HEX.fullmatch(commit) else ""
