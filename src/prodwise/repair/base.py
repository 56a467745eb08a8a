"""The base of a repair, as our scratch repository knows it."""

from __future__ import annotations

from prodwise.ports.repair import Workshop
from prodwise.repair.scratch import Scratch


def known(made: Scratch, workshop: Workshop, base: str) -> str:
    """The base itself, or a commit of the same files where it is the workshop's own (of what was not committed yet)."""
    if made.tried("cat-file", "-e", f"{base}^{{commit}}")[0] == 0:
        return base
    with workshop.fresh(base) as tree:
        return made.taken(tree.root)
