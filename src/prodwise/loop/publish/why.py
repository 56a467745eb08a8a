"""Why a change is proposed, as a sentence that stands by itself."""

from __future__ import annotations

from typing import Final

from prodwise.model.patch import Proposal

SEARCH: Final = "search"
"""Its reasons name the mistake in the code as it stands; those of the others tell what is done."""


def why(proposal: Proposal) -> str:
    return f"what was wrong: {proposal.why}" if proposal.repairer == SEARCH else proposal.why
