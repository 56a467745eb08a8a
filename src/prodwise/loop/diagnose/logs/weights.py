"""The weights of what logs say: natural log-odds, added up per package. One place, so that a diagnosis can be argued about.

A package starts at PRIOR, and NONE stands at 0: that it is no package of the log. The same reason given by many lines counts
once, and a little more for the many. Set by hand from how the tools report; a new table is a new `VERSION`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

VERSION: Final = "logs-3"
PRIOR: Final = -3.0
AGAIN: Final = 0.25  # times ln(number of lines) for a reason that is given more than once
AGAIN_MAX: Final = 1.0


class Reason(StrEnum):
    """Why a package is suspected."""

    DIFFERS = "a lock or a rule names it with both versions"
    FORBIDDEN = "a rule of the build names it"
    NOT_FOUND = "the version asked for cannot be had"
    CONFLICTS = "its version is outside what another package needs"
    DEMANDS = "it needs a version of another package that is not the one in use"
    LEADS_TO = "a forbidden version comes in through it"
    BROKEN_FILE = "a file of it cannot be read by this compiler or runtime"
    LACKS = "the name asked of it is not there"
    CALLS = "its code asks for a name that is not there"
    RAISES = "the error was raised in its code"
    PASSES = "its code is on the way to the error"
    NAMED = "the error names one of its types"
    WARNS = "warnings about it count as errors"
    FAILS_TO_BUILD = "it does not build"
    MANAGES = "it decides the version of the package that is named"
    STANDS_OUT = "its version is newer than that of the packages it belongs with"
    LAGS = "its version is older than that of the packages it belongs with"
    FOLLOWS = "it came with another package that is suspected"
    ASKED = "it was installed by name just before"
    SEEN_TWICE = "it is in use, and the log mentions an older version of it"
    FETCHED = "it was fetched just before, and hardly anything else was"
    MOVED = "its version changed just before"
    STAYED = "its version did not change, and others did"


WEIGHT: Final = {
    Reason.DIFFERS: 6.0,
    Reason.FORBIDDEN: 5.0,
    Reason.NOT_FOUND: 5.0,
    Reason.CONFLICTS: 5.0,
    Reason.DEMANDS: 4.0,
    Reason.LEADS_TO: 4.5,
    Reason.BROKEN_FILE: 5.0,
    Reason.LACKS: 4.0,
    Reason.CALLS: 3.5,
    Reason.RAISES: 3.0,
    Reason.PASSES: 1.0,
    Reason.NAMED: 2.5,
    Reason.WARNS: 4.5,
    Reason.FAILS_TO_BUILD: 4.0,
    Reason.MANAGES: 5.5,
    Reason.STANDS_OUT: 2.0,
    Reason.LAGS: -1.5,
    Reason.FOLLOWS: -1.2,
    Reason.ASKED: 1.5,
    Reason.SEEN_TWICE: 0.5,
    Reason.FETCHED: 2.8,
    Reason.MOVED: 3.5,
    Reason.STAYED: -2.0,
}
