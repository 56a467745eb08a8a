"""The weights of evidence: natural log-odds, added up per hypothesis. One place, so that a diagnosis can be argued about.

Priors say how likely a cause is before anything is known of the incident; UNKNOWN stands at 0, so a cause leads only when
its evidence is worth more than its rarity. Set by hand from the scenarios in `tests/loop/test_diagnose.py`, each step being
worth about a factor of e; +4 is "55 times likelier if true", -8 "cannot be". Data, not code: a new table is a new `VERSION`.
"""

from __future__ import annotations

from typing import Final

from prodwise.model.diagnosis import Cause

VERSION: Final = "diagnose-1"

PRIOR: Final = {
    Cause.RELEASE: -2.0,
    Cause.CONFIG: -2.3,
    Cause.CRASH: -2.0,
    Cause.CRASH_LOOP: -2.0,
    Cause.HANG: -2.0,
    Cause.OVERLOAD: -3.0,
    Cause.UPSTREAM: -2.5,
    Cause.SLOW: -2.3,
    Cause.ERRORS: -1.8,
    Cause.UNKNOWN: 0.0,
}

# A change and the onset: (seconds at most between them, weight). Most bad changes show within minutes.
AFTER_CHANGE: Final = ((120.0, 4.0), (600.0, 3.0), (3600.0, 1.5), (86_400.0, 0.3))
LONG_AFTER_CHANGE: Final = -1.0
BEFORE_CHANGE: Final = -8.0  # it had begun already
ONSET_TOLERANCE_S: Final = 2.0  # an onset is known no better than this

# Releases
CONTRAST_WORSE: Final = 5.0  # the new release fails beside the old one, which does not
CONTRAST_ALIKE: Final = -4.0  # both fail: it is not the release
NEW_RELEASE_DIES: Final = 2.0  # the process that ended, or hangs, runs the new release
NEW_RELEASE_KEEPS_DYING: Final = 1.0
KILLED_FROM_OUTSIDE: Final = -3.0  # one SIGKILL or SIGTERM: a person or the kernel, rarely the release

# Processes
DIED: Final = 4.0
DIED_OF_A_KILL: Final = 0.5
KEEPS_DYING: Final = 5.0
SILENT_BUT_ALIVE: Final = 4.0
STILL_ANSWERS: Final = -2.5

# Load
TRAFFIC_UP: Final = ((2.5, 2.5), (1.5, 1.5))  # times the usual rate at least → weight
TRAFFIC_AS_USUAL: Final = -5.0
ALL_ROUTES: Final = 1.5
FEW_ROUTES: Final = -3.0
SLOWER: Final = 1.0
SATURATED: Final = 2.0
NOT_SATURATED: Final = -3.0
OVERLOAD_EXPLAINS: Final = -2.0  # against own faults, when traffic is up and everything is slow

# Needed services
NEEDED_IS_SICK: Final = 3.5
NEEDED_FAILED_FIRST: Final = 2.0
NEEDED_FAILED_LATER: Final = -3.0
SOME_ROUTES: Final = 0.5
NEEDED_EXPLAINS: Final = -4.0  # against our own changes and faults, when a needed service failed first
ITSELF_OUTSIDE: Final = 6.0  # the service stands for something outside our control

# Symptoms
FAILING: Final = 2.5
SLOW: Final = 3.0
