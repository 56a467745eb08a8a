"""What compilers and the JVM say about names: which class is missing, wrong or on the way to an error."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from prodwise.loop.diagnose.logs.java import files
from prodwise.loop.diagnose.logs.java.naming import Naming
from prodwise.loop.diagnose.logs.text import Log
from prodwise.loop.diagnose.logs.weights import Reason
from prodwise.model.breakage import Failure

ERRORS_MAX: Final = 60
FRAMES_MAX: Final = 40
MORE_MAX: Final = 8
OUTER: Final = 0.6  # of the share of an exception that has a cause
OUTER_OF_LINKAGE: Final = 0.4  # where that cause is a name that is not there
OWN: Final = "own"
Whose = Callable[[str], str]
"""The artifact that a class comes from; OWN for the project's, "" when not known."""
_CLASS: Final = re.compile(r"(?<![\w.$/@])((?:[a-z_]\w{0,60}\.){2,12}[A-Z]\w{0,120})")
_SHORT_CLASS: Final = re.compile(r"(?<![\w.$/@])((?:[a-z_]\w{0,60}\.){1,12}[A-Z]\w{0,120})")
_SLASHED: Final = re.compile(r"(?<![\w/.$])((?:[a-z_]\w{0,60}/){1,12}[A-Z][\w$]{0,120})")
_PACKAGE: Final = re.compile(r"package ((?:[a-zA-Z_]\w{0,60}\.){0,12}\w{1,80}) does not exist")
_MODULE: Final = re.compile(r"module not found: ((?:[a-zA-Z_]\w{0,60}\.){1,12}\w{1,80})")
_AT: Final = re.compile(
    r"^(?:\[ERROR\] |\[WARNING\] |e: |w: |\[error\] |\[warn\] |Error:\s{1,3})?(?:file://)?(/?[\w./ \\:+@-]"
    r"{1,400}\.(?:java|kt|kts|scala|groovy)):"
    r"(?:\[\d+,\d+\]| ?\(\d+, ?\d+\)|\d+(?::\d+)?:?)\s?(.{0,1500})"
)
_DASHED: Final = re.compile(r"(?<![\w.$/:-])[a-z][a-z0-9]{1,40}(?:-[a-z0-9]{1,40}){1,6}(?![\w/-])")
"""What may be the name of an artifact in a sentence."""
_SYMBOL: Final = re.compile(r"symbol:\s{0,4}(class|method|variable|static|interface|constructor)\s{1,4}(\w{1,120})")
_LOCATION: Final = re.compile(
    r"location:\s{0,4}(package|class|interface|variable \S{1,120} of type|@interface|enum)\s{1,4}([\w.]{3,400})"
)
_MEMBER: Final = re.compile(
    r"(value|method|object|type|class|trait) (\w{1,120}) is not a member of (package )?((?:\w{1,60}\.){1,12}\w{1,120})"
)
_THROWN: Final = re.compile(
    r"^(?:\[ERROR\] |E\s{1,8}|\s{0,8}(?:Caused by|Suppressed|Exception in thread \"[^\"]{0,100}\"):? )?(?:Caused by: )?"
    r"((?:[a-z_]\w{0,60}\.){1,12}[A-Z][\w$]{0,120}(?:Exception|Error|Throwable|Failure)?)(?::\s{0,2}(.{0,1500}))?$"
)
_FRAME: Final = re.compile(
    r"^(?:\[ERROR\] )?\s{1,12}at (?:(?=[^(/\n]{1,200}/)[\w.-]{1,80}(?:@[\w.-]{1,60})?//?)?((?:[\w$]{1,120}\.){1,14}[\w$<>]{1,120}) ?\("
)
_ABSENT: Final = re.compile(
    r"class path resource \[((?:[a-z_]\w{0,60}\.){1,12}[A-Z]\w{0,120})[\w$]{0,120}\.class\] cannot be opened because it does not exist"
)
_SIGNATURE: Final = re.compile(
    r"'[\w.$\[\]]{1,200} ((?:[a-z_]\w{0,60}\.){1,12}[A-Z]\w{0,120})[\w$]{0,120}\.(?:<init>|\w{1,120})\([\w.$, \[\]]{0,600}\)'"
)
"""How the JVM writes a method that is not there, where a framework tells the words of the error without its name."""
_LINKAGE: Final = (
    "NoClassDefFoundError",
    "ClassNotFoundException",
    "NoSuchMethodError",
    "NoSuchFieldError",
    "AbstractMethodError",
    "IncompatibleClassChangeError",
    "IllegalAccessError",
    "UnsupportedClassVersionError",
    "VerifyError",
    "NoSuchMethodException",
    "ServiceConfigurationError",
    "BootstrapMethodError",
)
_JDK: Final = (
    "java.",
    "jdk.",
    "sun.",
    "com.sun.proxy",
    "com.sun.tools",
    "javax.management",
    "kotlin.",
    "scala.",
    "groovy.lang",
    "jdk.internal",
    "org.codehaus.groovy",
)
_RUNNERS: Final = (
    "org.apache.maven.plugin.Default",
    "org.apache.maven.plugin.internal.",
    "org.apache.maven.lifecycle.",
    "org.codehaus.plexus.DefaultPlexusContainer",
    "org.eclipse.sisu.",
)
"""Where Maven runs a plugin: what stands below raised nothing."""
_TESTERS: Final = re.compile(r"(?:^|\.)(?:assert\w*|hamcrest|opentest4j|junit|testng|truth|mockito|surefire)(?:\.|$)")


def of_tool(name: str) -> bool:
    """Whether a build tool brings it: what calls it is older or newer than the tool, and a dependency it is not."""
    return name.startswith("org.gradle.")


def _brought(name: str) -> bool:
    """Whether a language's own classes come with a library."""
    return name.startswith(("kotlin.", "scala.", "groovy.lang.", "org.codehaus.groovy."))


def of_jdk(name: str) -> bool:
    return name.startswith(_JDK)


def compiled(log: Log) -> Iterator[Naming]:
    """Errors of javac, kotlinc and scalac."""
    yield from files.unread(log)
    errors = 0
    seen: set[tuple[str, str]] = set()
    for number, line, message in _reported(log):
        warning = line.startswith(("[WARNING]", "w:", "[warn]")) or "warning:" in message[:12]
        if warning:
            continue
        errors += 1
        if errors > ERRORS_MAX:
            return
        block = [(number, message), *_rest(log, number)]
        for one in _of_error(block):
            if f"/{one.name.replace('.', '/')}." in line:
                continue  # the very class that the error is in
            if (one.name, one.reason) not in seen and not of_jdk(one.name):
                seen.add((one.name, one.reason))
                yield one


def warned(log: Log) -> Iterator[Naming]:
    """Warnings, where they count as errors."""
    for number, line, message in _reported(log):
        if line.startswith(("[WARNING]", "w:", "[warn]", "/")) and (
            "deprecated" in message or "[removal]" in message or "unchecked" in message
        ):
            name = message.partition(" has been deprecated")[0].rpartition(" in ")[2].strip()
            for found in _CLASS.findall(message):
                share = 1.0 if found.startswith(name) and name else 0.6
                if not of_jdk(found):
                    yield Naming(found, Reason.WARNS, Failure.WERROR, number, share)
            if "." in name and not _CLASS.search(message) and not of_jdk(name):
                yield Naming(name, Reason.WARNS, Failure.WERROR, number)


def _reported(log: Log) -> Iterator[tuple[int, str, str]]:
    """(number, line, message) of what is said about a place in a source file."""
    told: set[str] = set()
    for ending in (".java:", ".kt:", ".scala:", ".groovy:"):
        for number, line in log.hits(ending):
            found = _AT.match(line)
            if found and line not in told:
                told.add(line)
                yield number, line, found[2]


def _rest(log: Log, number: int) -> list[tuple[int, str]]:
    """What belongs to an error: the lines until the next one."""
    found = []
    for at, line in log.after(number, 8):
        if _AT.match(line) or line.startswith(("[INFO]", "[WARNING]", "BUILD", "> Task", "FAILURE")):
            break
        found.append((at, line.removeprefix("[ERROR]")))
    return found


def _of_error(block: list[tuple[int, str]]) -> Iterator[Naming]:
    number, message = block[0]
    text = "\n".join(line for _, line in block)
    kind = Failure.COMPILATION
    if "bad class file" in text:
        return
    package = _PACKAGE.search(message) or _MODULE.search(message)
    if package:
        yield Naming(package[1], Reason.LACKS, kind, number)
        return
    member = _MEMBER.search(message)
    if member:
        yield Naming(f"{member[4]}.{member[2]}" if member[3] else member[4], Reason.LACKS, kind, number)
        return
    symbol, location = _SYMBOL.search(text), _LOCATION.search(text)
    if symbol and location:
        where = location[2] if location[1] != "package" else f"{location[2]}.{symbol[2]}"
        at = next((at for at, line in block if "symbol:" in line), number)
        yield Naming(where, Reason.LACKS, kind, at)
        for found in _SHORT_CLASS.findall(text):
            if found != where:
                yield Naming(found, Reason.NAMED, kind, at, 0.5)
        return
    sure = (
        Reason.LACKS
        if "cannot access" in message or "does not override" in message or "not applicable" in text
        else Reason.NAMED
    )
    for found in _SHORT_CLASS.findall(text):
        yield Naming(found, sure, kind, number)
    if "cannot access" in message and not _SHORT_CLASS.search(text):
        yield Naming(
            message.partition("cannot access ")[2].split()[0] if message.partition("cannot access ")[2] else "",
            sure,
            kind,
            number,
        )


def thrown(log: Log, whose: Whose) -> Iterator[Naming]:
    """Exceptions and their frames. Where a test tool marks what failed, others count little: programs log what they survive."""
    seen: dict[tuple[str, str], int] = {}
    askers: dict[str, str] = {}
    marked = sorted(
        {number for mark in (" <<< ERROR!", " <<< FAILURE!", " FAILED") for number, _ in log.hits(mark, 2_000)}
    )
    told = [*_exceptions(log)]
    causes = {number for number, _, _ in told if "Caused by" in log.line(number)[:24]}
    for at, (number, name, message) in enumerate(told):
        weight = 1.0 if not marked or _belongs(log, number, marked) else 0.2
        if at + 1 < len(told) and told[at + 1][0] in causes and name.rpartition(".")[2] not in _LINKAGE:
            weight *= OUTER_OF_LINKAGE if told[at + 1][1].rpartition(".")[2] in _LINKAGE else OUTER
        for one in _of_exception(number, name, message, _below(log, number), whose):
            count = seen.get((one.name, one.reason), 0)
            seen[one.name, one.reason] = count + 1
            if (
                count < 12
                and one.name
                and not (of_jdk(one.name) and not (one.reason is Reason.LACKS and _brought(one.name)))
            ):
                yield replace(one, share=one.share * weight, by=one.by or askers.get(one.name, ""))
            askers.setdefault(one.name, one.by)


def _belongs(log: Log, number: int, marked: list[int]) -> bool:
    """Whether it stands in the block under a mark; or is what ended the build."""
    before = bisect_right(marked, number)
    if log.line(number).startswith("[ERROR] Failed to execute goal"):
        return True
    if not before or number - marked[before - 1] > 250:
        return False
    start = marked[before - 1]
    return number - start <= 2 or not any(
        not line.strip() or line.startswith("[INFO]") for _, line in log.after(start + 2, number - start - 2)
    )


def _exceptions(log: Log) -> Iterator[tuple[int, str, str]]:
    found = 0
    for number, line in _candidates(log):
        match = _THROWN.match(line)
        if match is None:
            inner = next((word for word in _LINKAGE if f"{word}: " in line), None)
            if inner is None or len(line) > 1_500:
                continue
            yield number, f"java.lang.{inner}", line.partition(f"{inner}: ")[2]
        else:
            inner = next((word for word in _LINKAGE if f"{word}: " in (match[2] or "")), None)
            if inner:
                yield number, f"java.lang.{inner}", (match[2] or "").partition(f"{inner}: ")[2]
            else:
                yield number, match[1], match[2] or ""
        found += 1
        if found > 300:
            return


def _candidates(log: Log) -> list[tuple[int, str]]:
    lines: dict[int, str] = {}
    for word in ("Error", "Exception"):
        lines.update(log.hits(word, 1_500))
    lines.update((number + 1, log.line(number + 1)) for number, _ in log.hits(" <<< ", 400))
    return sorted(lines.items())


def _below(log: Log, number: int) -> tuple[list[tuple[int, str]], list[tuple[int, str]]]:
    """(frames, lines that go on with the message before them)."""
    found: list[tuple[int, str]] = []
    more: list[tuple[int, str]] = []
    for at, line in log.after(number, FRAMES_MAX):
        frame = _FRAME.match(line)
        if frame:
            found.append((at, frame[1].rpartition(".")[0]))
        elif found or line.startswith(("Caused by", "[INFO]", "[ERROR]")) or " <<< " in line:
            break
        elif line.strip() and len(more) < MORE_MAX and not _THROWN.match(line):
            more.append((at, line))
    return found, more


def _of_exception(
    number: int, name: str, message: str, below: tuple[list[tuple[int, str]], list[tuple[int, str]]], whose: Whose
) -> Iterator[Naming]:
    short = name.rpartition(".")[2]
    frames, more = below
    path = [(at, one) for at, one in frames if not of_jdk(one) and not _TESTERS.search(one.rpartition(".")[0].lower())]
    if short in _LINKAGE:
        caller = next(((at, one) for at, one in path), None)
        for one in _linked(number, short, message):
            yield replace(one, by=caller[1] if caller else "")
        if caller and "Could not initialize class" not in message and short != "ServiceConfigurationError":
            yield Naming(caller[1], Reason.CALLS, Failure.RUNTIME, caller[0], 0.9)
        return
    if short == "ClassCastException" and " cannot be cast to " in message:
        for side, share in zip(message.split(" cannot be cast to ")[:2], (1.0, 0.5), strict=False):
            for found in _CLASS.findall(side)[:1]:
                yield Naming(found, Reason.LACKS, Failure.RUNTIME, number, share)
        return
    yield from _raised(path, whose)
    artifacts = 0
    for at, line in [(number, message), *more]:
        for found in (*_ABSENT.findall(line.replace("/", ".")), *_SIGNATURE.findall(line)):
            yield Naming(found, Reason.LACKS, Failure.RUNTIME, at, by=path[0][1] if path else "")
        for place, found in enumerate(_CLASS.findall(line)[:3]):
            yield Naming(found, Reason.NAMED, Failure.RUNTIME, at, 0.6**place)
        for found in _DASHED.findall(line)[:3]:
            artifacts += 1
            yield Naming(found, Reason.NAMED, Failure.RUNTIME, at, 0.8, artifact=f":{found}")
    tester = _TESTERS.search(name.lower()) is not None
    if not of_jdk(name) and (not tester or name.endswith("Exception")):  # a test tool's own exception is no assertion
        yield Naming(name, Reason.NAMED, Failure.RUNTIME, number, 0.8 if tester and not artifacts else 0.4)


def _raised(path: list[tuple[int, str]], whose: Whose) -> Iterator[Naming]:
    """Dependencies between the raise and the project's own code; the first one that is known raised it."""
    told: set[str] = set()
    for at, one in path:
        owner = OWN if one.startswith(_RUNNERS) else whose(one)
        if owner == OWN:
            return
        if owner and owner not in told:
            yield Naming(one, Reason.PASSES if told else Reason.RAISES, Failure.RUNTIME, at, 0.9 ** len(told))
            told.add(owner)
        if len(told) > 5:
            return


def _linked(number: int, short: str, message: str) -> Iterator[Naming]:
    """The class that a linkage error names; in a signature it is the one before the method."""
    text = message.removeprefix("Could not initialize class ").strip().strip("'\"")
    names = [one.replace("/", ".").replace("$", ".") for one in _SLASHED.findall(text)] or _CLASS.findall(text)
    if short == "ServiceConfigurationError" and ": Provider " in text:
        provider, service = _CLASS.findall(text.partition(": Provider ")[2]), names[:1]
        names = [*provider[:1], *service]
    if short in ("NoSuchMethodError", "NoSuchFieldError"):
        owner = _SHORT_CLASS.findall(text.partition("(")[0])
        names = owner[-1:] or names
    if "Could not initialize class" in message:  # why, was told where it was tried first, if at all
        yield from (Naming(one, Reason.NAMED, Failure.RUNTIME, number, 0.4) for one in names[:1])
        return
    reason = Reason.BROKEN_FILE if short == "UnsupportedClassVersionError" else Reason.LACKS
    for place, one in enumerate(names[:2]):
        share = 0.4 if of_tool(one) else 1.0 if place == 0 else 0.6
        yield Naming(one, reason, Failure.RUNTIME, number, share)
