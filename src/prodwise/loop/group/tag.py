"""Which release of ours a program means by the name that its reports give."""

from __future__ import annotations

from typing import Final

from prodwise.model.release import Release

SHORTEST: Final = 7
"""Digits of a commit below which it names nothing."""


def calls(tag: str, release: Release) -> bool:
    """Our own id (PRODWISE_RELEASE), or the commit, which SDKs find by themselves; "name@" before it is an SDK's habit."""
    name = tag.rpartition("@")[2]
    return bool(name) and (name == release.id or (len(name) >= SHORTEST and release.commit.startswith(name.lower())))
