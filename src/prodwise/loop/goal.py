"""Where a person's wish to go back leads. Pure: those who do it and those who show it beforehand ask the same question."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from prodwise.loop.named import one_of
from prodwise.model.errors import Refused
from prodwise.model.release import Release, ReleaseState

GOOD = (ReleaseState.VERIFIED_GOOD, ReleaseState.RETIRED)
COMMIT_CHARS: Final = 4
"""Fewer say nothing of a commit."""


def return_target(releases: Sequence[Release], serving: str, wanted: str = "", beside: str = "") -> Release:
    """The newest good release before the one that serves, or the good one that is named by id or commit.

    releases: newest first; serving: the id that stable users reach; beside: another one that has a share of users though it is on
    its way no more: going back leaves that, for the one that serves. Raises UsageError (unknown) or Refused, with what to do.
    """
    stable = next((release for release in releases if release.id == serving), None)
    if beside and stable is not None and (not wanted or meant(releases, wanted).id == serving):
        return stable
    if wanted:
        return _named(releases, serving, wanted)
    newest = next((release.number for release in releases if release.id == serving), 1 << 30)
    found = next((release for release in releases if release.state in GOOD and release.number < newest), None)
    if found is None:
        raise Refused(
            "there is no earlier verified-good release to go back to", "deploy a good one: `prodwise deploy REF`"
        )
    return found


def meant(releases: Sequence[Release], wanted: str) -> Release:
    """The release with this id or commit, else the only one that begins so; of a commit that was shipped twice, the newer.

    releases: newest first. Raises UsageError.
    """
    exact = next((release for release in releases if wanted in (release.id, release.commit, release.short)), None)
    if exact is not None:
        return exact
    known = {release.id: release for release in releases}
    if len(wanted) >= COMMIT_CHARS:
        known = {**{release.commit: release for release in reversed(releases)}, **known}
    return known[one_of(wanted, list(known), "release", "prodwise releases")]


def _named(releases: Sequence[Release], serving: str, wanted: str) -> Release:
    found = meant(releases, wanted)
    if found.id == serving:
        raise Refused(f"release {found.id} is the one that serves", "`prodwise releases` lists the others")
    if found.state not in GOOD:
        raise Refused(
            f"release {found.id} is {found.state.value.replace('_', ' ')}: it is not known to be good",
            f"deploy it instead, with a ramp: `prodwise deploy {found.short}`",
        )
    return found
