"""What Spring Boot says of a start that failed: which method is not there, who called it, and whose jars these are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from prodwise.loop.diagnose.logs.java.naming import Naming
from prodwise.loop.diagnose.logs.text import Log
from prodwise.loop.diagnose.logs.weights import Reason
from prodwise.model.breakage import Failure

STARTS_MAX: Final = 3
LINES: Final = 40
_CLASS: Final = r"((?:[a-z_]\w{0,60}\.){1,12}[A-Z]\w{0,120})"
_METHOD: Final = re.compile(rf"^\s{{1,8}}'?(?:[\w.$\[\]]{{1,200}} )?{_CLASS}[\w$]{{0,120}}\.(?:<init>|\w{{1,120}})\(")
_PLACE: Final = re.compile(rf"^\s{{1,8}}{_CLASS}[\w$.<>]{{0,160}}\(\w{{1,120}}\.(?:java|kt)")
_JAR: Final = re.compile(r"/([A-Za-z][\w.-]{0,100}?)-(\d[\w.+-]{0,60}?)\.jar!?")
_AVAILABLE: Final = re.compile(r"The (?:called )?method's class, .{1,300} is available from the following locations")


def named(log: Log) -> Iterator[Naming]:
    """The caller, the missing method's class, and the jar that has this class without the method."""
    for number, _ in log.hits("An attempt was made to call a method that does not exist", STARTS_MAX):
        head, caller = Reason.CALLS, ""
        for at, line in log.after(number, LINES):
            place, method = _PLACE.match(line), _METHOD.match(line)
            if "following method did not exist" in line:
                head = Reason.LACKS
            elif place is not None and not caller and head is Reason.CALLS:
                caller = place[1]
                yield Naming(caller, head, Failure.RUNTIME, at, 0.9)
            elif method is not None and head is Reason.LACKS:
                yield Naming(method[1], head, Failure.RUNTIME, at, by=caller)
            elif _AVAILABLE.match(line):
                yield from _jar(log, at)


def _jar(log: Log, number: int) -> Iterator[Naming]:
    for at, line in log.after(number, 3):
        if (jar := _JAR.search(line)) is not None:
            yield Naming(jar[1], Reason.LACKS, Failure.RUNTIME, at, artifact=f":{jar[1]}", version=jar[2])
            return
