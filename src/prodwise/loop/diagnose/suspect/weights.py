"""The weights of evidence for and against a commit: natural log-odds, added up. One place, so that a ranking can be argued about.

All commits begin at 0. Set by hand on the histories of `bench/suspects` that are not held back; steps are worth about a factor of
e each. Of findings of one kind only the strongest counts, so that a large commit gains nothing by touching much; of the kinds that
look at the same lines the strongest counts whole and the others by AGAIN, since they often say the same thing twice.
"""

from __future__ import annotations

from typing import Final

VERSION: Final = "suspect-1"

NONE_OF_THEM: Final = 1.0  # what none of the commits has to be weighed against: data, load, the world outside

AGAIN: Final = 0.35

# The commit as a whole
NOTHING_RUNS: Final = -3.0  # documents, tests, comments or layout only
ELSEWHERE: Final = -1.0  # nothing of what the error passes through, calls or names
AFTER_ONSET: Final = -4.0  # made when it failed already
ONSET_TOLERANCE_S: Final = 300.0  # clocks of developers' machines

# Where the error was raised, times DEPTH of the call
WROTE_LINE: Final = 4.0
NEAR_LINE: Final = 3.2  # in the same function, not further than NEAR_LINES
IN_FUNCTION: Final = 2.6
IN_FILE: Final = 0.9
IN_ANOTHER: Final = 0.3  # in a function of the same file that the failing code does not rest on
MOVED_LINE: Final = 0.4  # moved or laid out anew, the same text
OLDER: Final = -0.5  # for each later change of the same line
DEPTH: Final = (1.0, 0.75, 0.6, 0.5, 0.4, 0.3)  # by the app's own calls, from where it was raised outwards
NEAR_LINES: Final = 3

# What the failing code rests on, times DEPTH of the call
RESTS_ON: Final = 2.8  # the commit changed something that the failing line calls or reads
FEEDS: Final = 0.85  # times: by way of a line above that sets what the failing line reads
IN_BODY: Final = 0.55  # times: called elsewhere in the failing function
STEP: Final = 0.65  # times: each call further
MADE: Final = 1.6  # it changed lines that make a name (a key, an attribute, a value) which the failing line reads
UNMADE: Final = 2.6  # it took such lines away
RECEIVER: Final = 1.0  # more, if it is the very thing that is not as the error expects
READS_FILE: Final = 3.0  # it changed a file that the failing function reads
EMPTY_MADE: Final = 1.2  # the error found nothing where something was expected, and the commit wrote such nothing
SAME_WORDS: Final = 0.7  # the changed lines speak of what the failing line speaks of; less, the more commits do

# What the message names
TOOK_AWAY: Final = 4.0  # the commit removed what the message says is missing
TOOK_AWAY_A_USE: Final = 2.0  # it removed lines with that name, which made nothing
BEGAN_TO_USE: Final = 2.6  # or first wrote that name
USED_BEFORE: Final = -5.0  # it wrote that name when it was still there: a later commit took it away
CHANGED_SIGNATURE: Final = 3.6  # of what the message says was called wrongly
CALLS_OTHERWISE: Final = 3.0  # with more or fewer arguments than before
CALLS_IT: Final = 1.6  # more often than before
STOOD_BEFORE: Final = 2.0  # at most, for writing a line again that did before what fails now
SAYS_IT: Final = 3.4  # the message's own text was written here
FILE_GONE: Final = 5.0  # a file that the message names was removed or renamed
FILE_CHANGED: Final = 2.6

# Dependencies
PACKAGE_RAISES: Final = 4.0  # another version of a package that the error passes through
PACKAGE_NAMED: Final = 4.0  # of one that the message names
PACKAGE_USED: Final = 1.6  # of one that the failing line uses
PACKAGE_NEAR: Final = 1.2  # of one that the failing function uses, or what it rests on
PACKAGE_IMPORTED: Final = 0.6  # of one that the failing file imports
