"""Class files that a compiler or a runtime cannot read: the jar that they stand in, or who reads them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from prodwise.loop.diagnose.logs.java.naming import Naming
from prodwise.loop.diagnose.logs.text import Log
from prodwise.loop.diagnose.logs.weights import Reason
from prodwise.model.breakage import Failure

_JAR: Final = re.compile(
    r"(?:repository/([\w./-]{3,300})/([\w.-]{1,120})|files-2\.1/([\w.-]{1,150})/([\w.-]{1,120}))/([\w.+-]{1,80})/"
)
_FILE: Final = re.compile(r"/([\w.-]{1,120})/([\w.+-]{1,80})/\1-\2[\w.-]{0,60}\.jar")
_UNPACKED: Final = re.compile(r"/jetified-([A-Za-z][\w.-]{0,100}?)-(\d[\w.+-]{0,60}?)\.jar[(!]")
"""A library of Android as Gradle unpacks it."""
_ENTRY: Final = re.compile(r"\.jar\(/?([\w/$-]{3,300})\.class\)$")
"""How javac writes a class file of a jar, whatever language the words around it are in."""
_NOT_FOUND: Final = re.compile(r"class file for ((?:[a-z_]\w{0,60}\.){1,12}[A-Z]\w{0,120})[\w$]{0,120} not found")
_INSIDE_JAVAC: Final = "com.sun.tools.javac.tree.JCTree$JCImport does not have member field"
"""Lombok before 1.18.30 on a JDK from 21 on (its changelog): it works on javac's own classes, and its name is not in the message."""


def unread(log: Log) -> Iterator[Naming]:
    for number, line in log.hits("incompatible version of Kotlin", 20):
        if (jar := _JAR.search(line)) is not None:
            yield _of_jar(jar, number)
    yield from _bad_files(log)
    told: set[str] = set()
    for number, line in log.hits("class file for ", 60):
        if (found := _NOT_FOUND.search(line)) is not None and found[1] not in told:
            told.add(found[1])
            yield Naming(found[1], Reason.LACKS, Failure.COMPILATION, number)
    for number, _ in log.hits(_INSIDE_JAVAC, 1):
        lombok = "org.projectlombok:lombok"
        yield Naming(lombok, Reason.CALLS, Failure.COMPILATION, number, artifact=lombok)


def _of_jar(jar: re.Match[str], number: int) -> Naming:
    name = f"{(jar[1] or jar[3]).strip('/').replace('/', '.')}:{jar[2] or jar[4]}"
    return Naming(name, Reason.BROKEN_FILE, Failure.COMPILATION, number, artifact=name, version=jar[5])


def _bad_files(log: Log) -> Iterator[Naming]:
    told: set[str] = set()
    for number, line in [*log.hits("bad class file", 60), *log.hits(".class)", 60)]:
        if "bad class file" not in line and not _ENTRY.search(line.rstrip()):
            continue
        jar, file = _JAR.search(line), _FILE.search(line) or _UNPACKED.search(line)
        if jar is not None:
            one = _of_jar(jar, number)
        elif file is not None:
            name, entry = f":{file[1]}", _ENTRY.search(line.rstrip())
            whose = entry[1].replace("/", ".") if entry else name
            one = Naming(whose, Reason.BROKEN_FILE, Failure.COMPILATION, number, artifact=name, version=file[2])
        else:
            continue
        if one.name not in told:
            told.add(one.name)
            yield one
