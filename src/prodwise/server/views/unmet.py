"""A release that was refused before any user met it, for those who look: why, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass

from prodwise.model.unmet import Unmet
from prodwise.server.views.words import visible


@dataclass(frozen=True, slots=True)
class UnmetLine:
    release: str
    text: str
    fix: str


def unmet_line(refused: Unmet | None, fix: str) -> UnmetLine | None:
    """fix: what came of looking for one, "" where none was looked for."""
    if refused is None:
        return None
    return UnmetLine(
        refused.release, visible(sentence(refused.title), 300), fix_words(fix) or _not_sought(refused.release)
    )


def _not_sought(release: str) -> str:
    return f"No fix was looked for; this looks for one: prodwise fix --incident {release}"


def fix_words(fix: str) -> str:
    return visible(sentence(fix), 400) if fix else ""


def sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
