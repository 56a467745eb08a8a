"""Releases that changed other services than the one that is not well, and none that it needs."""

from __future__ import annotations

from collections.abc import Iterator

from prodwise.loop.diagnose import readings as read
from prodwise.loop.diagnose import weights as w
from prodwise.loop.diagnose.case import Case
from prodwise.loop.diagnose.finding import Finding


def changed_elsewhere(case: Case, release: str, previous: str) -> Iterator[Finding]:
    """Against the release, or against going back from it: both changed the same services. What it shares with others
    (a database, say) may still be at fault, so that it weighs less, and never nothing."""
    ours = {case.service, *case.needed()}
    between = {(release, previous), (previous, release)}
    found = [one for one in case.touched if (one.release, one.previous) in between and not ours & {*one.services}]
    if found and case.service:
        yield Finding(w.CHANGED_ELSEWHERE, read.ids(case, *found))
