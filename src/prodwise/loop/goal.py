"""Where a person's wish to go back leads. Pure: those who do it and those who show it beforehand ask the same question."""

from __future__ import annotations

from collections.abc import Sequence

from prodwise.model.errors import Refused, UsageError
from prodwise.model.release import Release, ReleaseState

GOOD = (ReleaseState.VERIFIED_GOOD, ReleaseState.RETIRED)


def return_target(releases: Sequence[Release], serving: str, wanted: str = "") -> Release:
    """The newest good release before the one that serves, or the good one that is named by id or commit.

    releases: newest first; serving: the id that stable users reach. Raises UsageError (unknown) or Refused, with what to do.
    """
    if wanted:
        return _named(releases, serving, wanted)
    newest = next((release.number for release in releases if release.id == serving), 1 << 30)
    found = next((release for release in releases if release.state in GOOD and release.number < newest), None)
    if found is None:
        raise Refused(
            "there is no earlier verified-good release to go back to", "deploy a good one: `prodwise deploy REF`"
        )
    return found


def _named(releases: Sequence[Release], serving: str, wanted: str) -> Release:
    found = next((release for release in releases if wanted in (release.id, release.commit, release.short)), None)
    if found is None:
        raise UsageError(f"there is no release {wanted!r}", "`prodwise releases` lists them")
    if found.id == serving:
        raise Refused(f"release {found.id} is the one that serves", "`prodwise releases` lists the others")
    if found.state not in GOOD:
        raise Refused(
            f"release {found.id} is {found.state.value.replace('_', ' ')}: it is not known to be good",
            f"deploy it instead, with a ramp: `prodwise deploy {found.short}`",
        )
    return found
