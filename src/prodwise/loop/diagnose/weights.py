"""The weights of evidence: natural log-odds, added up per hypothesis. One place, so that a diagnosis can be argued about.

Priors say how likely a cause is before anything is known of the incident; UNKNOWN stands at 0, so a cause leads only when
its evidence is worth more than its rarity. Set by hand from the scenarios in `tests/loop/test_diagnose.py`, each step being
worth about a factor of e; +4 is "55 times likelier if true", -8 "cannot be". Those of certificates and of changes elsewhere
are counted in incidents that are drawn, and rounded (`bench/incidents/ratios.py`). Data, not code: a new table is a new `VERSION`.
`docs/diagnosis.md` holds the same table, word for word: a test compares them.
"""

from __future__ import annotations

from typing import Final

from prodwise.model.diagnosis import Cause

VERSION: Final = "diagnose-5"

PRIOR: Final = {
    Cause.RELEASE: -2.0,
    Cause.DEPENDENCY: -2.0,
    Cause.CONFIG: -2.3,
    Cause.CRASH: -2.0,
    Cause.CRASH_LOOP: -2.0,
    Cause.HANG: -2.0,
    Cause.OVERLOAD: -3.0,
    Cause.UPSTREAM: -2.5,
    Cause.MEMORY: -2.5,
    Cause.DISK: -3.0,
    Cause.DESCRIPTORS: -3.0,
    Cause.CERTIFICATE: -3.0,
    Cause.INPUT: -2.5,
    Cause.CLOCK: -3.5,
    Cause.SLOW: -2.3,
    Cause.ERRORS: -2.2,
    Cause.NOTHING: -1.0,
    Cause.UNKNOWN: 0.0,
}

TEMPERATURE: Final = 1.4
"""Weights are divided by this before they become shares; set, like the two that follow, on cases that were drawn
(`bench/incidents/draw.py`)."""

LAST_RESORT: Final = {Cause.UNKNOWN: 3.0, Cause.ERRORS: 2.0, Cause.SLOW: 2.0}
"""So much less do these count for a share beside a cause that leads: they say that nothing nearer explains it."""

CURVE: Final = (
    (0.0, 0.0), (0.06, 0.01), (0.14, 0.035), (0.20, 0.06), (0.24, 0.14), (0.27, 0.21), (0.285, 0.30), (0.42, 0.34),
    (0.435, 0.51), (0.543, 0.595), (0.549, 0.705), (0.75, 0.745), (0.78, 0.785), (0.80, 0.87), (0.83, 0.905), (0.86, 0.94),
    (0.92, 0.955), (0.96, 0.975), (1.0, 0.985),
)  # fmt: skip
"""Raw share → how often that was right, among cases that were drawn."""

# A change and the onset: (seconds at most between them, weight)
AFTER_CHANGE: Final = ((120.0, 4.0), (600.0, 3.0), (3600.0, 1.5), (86_400.0, 0.3))  # most bad changes show in minutes
LONG_AFTER_CHANGE: Final = -1.0  # later than that
BEFORE_CHANGE: Final = -8.0  # it had begun already
ONSET_TOLERANCE_S: Final = 2.0  # an onset is known no better than this

# Releases
CONTRAST_WORSE: Final = 5.0  # the new release fails beside the old one, which does not
CONTRAST_ALIKE: Final = -4.0  # both fail: it is not the release
NEW_RELEASE_DIES: Final = 2.0  # the process that ended, or hangs, runs the new release
NEW_RELEASE_KEEPS_DYING: Final = 1.0  # and does so again and again
NEW_FOR_S: Final = 3600.0  # an older release runs everywhere: that what ended runs it tells nothing
CHANGED_ELSEWHERE: Final = -1.5  # other services only, and none that this one needs; they may share what is at fault
PACKAGE_EXPLAINS: Final = -1.5  # against the rest of a release: the error comes from a package that it changed
PACKAGE_PASSED: Final = -1.5  # against that package, where the error only passes through its code
KILLED_FROM_OUTSIDE: Final = -3.0  # one SIGKILL or SIGTERM: a person or the kernel, rarely the release

# Processes
DIED: Final = 4.0  # the process ended without being asked
DIED_OF_A_KILL: Final = 0.5  # once, of SIGKILL or SIGTERM
KEEPS_DYING: Final = 5.0  # three times within two minutes, or as a detector says
SILENT_BUT_ALIVE: Final = 4.0  # the process has run since before the onset, and does not answer
STILL_ANSWERS: Final = -2.5  # half of its users' requests or more are answered

# Load
TRAFFIC_UP: Final = ((2.5, 2.5), (1.5, 1.5))  # times the usual rate at least, weight
TRAFFIC_AS_USUAL: Final = -5.0  # less than that
ALL_ROUTES: Final = 1.5  # more than half of the routes are hit
FEW_ROUTES: Final = -3.0  # half of them or fewer
SLOWER: Final = 1.0  # answers take twice as long or more
AS_FAST: Final = -2.0  # answers take no longer than usual: clients that are refused at once ask again, and more often
OVERLOAD_EXPLAINS: Final = -2.0  # against own faults, when traffic is up and answers are not as fast as ever

# Needed services
NEEDED_IS_SICK: Final = 3.5  # our probe, its process, its requests or its latency say so
NEEDED_FAILED_FIRST: Final = 2.0  # no later than ours did
NEEDED_FAILED_LATER: Final = -3.0  # so that it follows from ours
SOME_ROUTES: Final = 0.5  # not all of our routes are hit
NEEDED_ANSWERS: Final = -3.0  # its probe answers, where programs report that it cannot be reached
BEGAN_THERE: Final = 1.0  # the figures of all services say that it began there; traces are only cited
BEGAN_BELOW: Final = 3.5  # the same, where nothing else says that the service is not well; with traces it is hearsay
NEEDED_EXPLAINS: Final = -4.0  # against our own changes and faults, when a needed service failed first
ITSELF_OUTSIDE: Final = 6.0  # the service stands for something outside our control

# What it uses up, as the machine says
KERNEL_KILLED: Final = 6.0  # the kernel killed for want of memory when the process ended of SIGKILL
KERNEL_DID_NOT: Final = -4.0  # it ended of SIGKILL, and the kernel killed nothing for want of memory
KILLED_WHILE_SCARCE: Final = 2.0  # of SIGKILL while it grew or memory was scarce; the kernel is not heard
MEMORY_GROWS: Final = 3.5  # steadily for ten minutes or more, by half or more
MEMORY_SCARCE: Final = 2.5  # nine tenths of its limit are used, or a twentieth of the machine's is left
MEMORY_AMPLE: Final = -4.0  # less than half of its limit and of the machine's is used, and it does not grow
DISK_FULL: Final = 6.0  # less than 64 MiB and 10 % is free, or less than 1 % of the inodes
DISK_LOW: Final = 2.0  # less than 256 MiB and 30 %
DISK_FREE: Final = -6.0  # more than that, where programs report otherwise
FILES_OUT: Final = 5.5  # a process has nine tenths of its limit open
FILES_FEW: Final = -5.0  # less than half, where programs report otherwise
USED_UP_EXPLAINS: Final = -3.0  # against our own changes and faults, when the machine says that something is used up

# Certificates and tokens, as we saw them
CERTIFICATE_OVER: Final = ((3600.0, 6.0), (86_400.0, 3.0))  # one that it rests on ended so long before at most
CERTIFICATE_DUE: Final = 4.0  # one was to run out within the hour before, and nobody could look since
CERTIFICATES_VALID: Final = -0.8  # all were seen valid since the onset, where programs report otherwise
CERTIFICATE_EXPLAINS: Final = -3.0  # against our own changes and faults, when one ended within the hour before

# Inputs and the clock
ONE_INPUT: Final = 5.0  # one path has nearly all failures of its route, and the route's others work
ONE_INPUT_EXPLAINS: Final = -2.0  # against our own changes and faults
CLOCK_WAS_SET: Final = 6.0  # by 30 s or more, from ten minutes before the onset on
CLOCK_EXPLAINS: Final = -2.0  # against our own changes and faults

# What programs report
REPORTED: Final = 4.5  # errors of that kind, new since about the onset
HEARSAY_MAX: Final = 0.9  # a cause that rests on reports alone is never worth more: it yields to what our own eyes see

# Symptoms
FAILING: Final = 2.5  # requests fail more than before
SLOW: Final = 3.0  # answers take longer than usual
ALL_WELL: Final = 4.0  # no sign of our own: requests are answered as before, no probe fails, no process ended
