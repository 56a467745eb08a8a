"""A suspect in a plain sentence, as evidence that a diagnosis may cite."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from prodwise.loop.diagnose.suspect.case import Finding, Suspect
from prodwise.loop.diagnose.suspect.weights import VERSION
from prodwise.loop.group.template import printable
from prodwise.model.evidence import Evidence

TOLD_MIN: Final = 0.5
"""Less likely than this is not worth a name: somebody wrote that commit."""
TOLD_MAX: Final = 5
TITLE_CHARS: Final = 80


def evidence(ranked: Sequence[Suspect], since: float, until: float) -> Evidence | None:
    """The likeliest commit and what speaks for it; None when none is likelier than all the rest. since, until: of the errors."""
    if not ranked or ranked[0].share < TOLD_MIN:
        return None
    data = {"weights": VERSION, "suspects": [_row(one) for one in ranked[:TOLD_MAX]]}
    return Evidence("suspect", "git", since, until, sentence(ranked[0]), data)


def sentence(suspect: Suspect) -> str:
    """ "suspect commit abc1234 'title' by author: changed shop/cart.py:41, where the error is raised"."""
    commit = suspect.commit
    why = next((one.text for one in suspect.findings if one.weight > 0), "nothing speaks for it")
    title, author = (printable(text)[:TITLE_CHARS] for text in (commit.title, commit.author))
    return f"suspect commit {commit.sha[:7]} '{title}' by {author}: {printable(why)}"


def _row(suspect: Suspect) -> dict[str, object]:
    return {
        "commit": suspect.commit.sha,
        "title": printable(suspect.commit.title)[:TITLE_CHARS],
        "author": printable(suspect.commit.author)[:TITLE_CHARS],
        "share": round(suspect.share, 3),
        "weight": round(suspect.weight, 2),
        "path": suspect.path,
        "line": suspect.line,
        "findings": [_finding(one) for one in suspect.findings],
    }


def _finding(found: Finding) -> dict[str, object]:
    return {"weight": round(found.weight, 2), "text": printable(found.text)[:300]}
