"""What npm, Yarn and pnpm say of one package: that it cannot be had, is not what the lock file holds, or does not build."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from prodwise.loop.diagnose.logs.asked import commands_of, names_asked
from prodwise.loop.diagnose.logs.clue import Clue, Reading
from prodwise.loop.diagnose.logs.node.names import PKG, VER
from prodwise.loop.diagnose.logs.rules import rule
from prodwise.loop.diagnose.logs.text import Log
from prodwise.loop.diagnose.logs.weights import Reason
from prodwise.model.breakage import Ecosystem, Failure

RESOLUTION, LOCK = Failure.RESOLUTION, Failure.LOCK
RULES: Final = (
    rule("No matching version found for", rf"found for {PKG}@[\^~>=<]{{0,2}}{VER}", Reason.NOT_FOUND, RESOLUTION),
    rule(
        "is not in this registry",
        rf"'{PKG}@[\^~>=<]{{0,2}}{VER}?[^']{{0,60}}' is not in this registry",
        Reason.NOT_FOUND,
        RESOLUTION,
    ),
    rule(
        "The requested resource '",
        rf"resource '{PKG}(?:@[\^~>=<]{{0,2}}{VER}?[^']{{0,60}})?' could not be found",
        Reason.NOT_FOUND,
        RESOLUTION,
    ),
    rule(
        "is not in the npm registry", rf"'{PKG}@[^']{{0,60}}' is not in the npm registry", Reason.NOT_FOUND, RESOLUTION
    ),
    rule(
        "Couldn't find any versions for",
        rf'versions for "{PKG}" that matches "[\^~]?{VER}?',
        Reason.NOT_FOUND,
        RESOLUTION,
    ),
    rule("Couldn't find package", rf'package "{PKG}(?:@[\^~]?{VER})?"', Reason.NOT_FOUND, RESOLUTION),
    rule("No candidates found", rf"[ :]{PKG}@npm:[\^~]?{VER}: No candidates found", Reason.NOT_FOUND, RESOLUTION),
    rule("is incompatible with this module", rf"error {PKG}@{VER}: The engine", Reason.NOT_FOUND, RESOLUTION),
    rule("EBADENGINE", rf"package: '{PKG}@{VER}'", Reason.NOT_FOUND, RESOLUTION, 0.6),
    rule("Not compatible with your version of node/npm", rf"node/npm: {PKG}@{VER}", Reason.NOT_FOUND, RESOLUTION),
    rule(
        "does not satisfy",
        rf"Invalid: lock file's {PKG}@\S{{1,60}} does not satisfy (?:@?[\w./-]{{1,160}})@{VER}",
        Reason.DIFFERS,
        LOCK,
    ),
    rule("from lock file", rf"Missing: {PKG}@{VER} from lock file", Reason.DIFFERS, LOCK, 0.9),
    rule("specifiers in the lockfile", rf'"{PKG}":"', Reason.DIFFERS, LOCK, 0.3),
    rule("EINTEGRITY", rf"EINTEGRITY.{{0,300}}/{PKG}-{VER}\.tgz", Reason.DIFFERS, LOCK),
    rule("seems to be corrupted", rf"tarball data for {PKG}@(?:{VER}|\S{{1,300}}) \(", Reason.DIFFERS, LOCK),
    rule("Integrity check failed for", rf'check failed for "{PKG}"', Reason.DIFFERS, LOCK),
    rule("unexpected checksum for", rf"://[^/\s]{{1,200}}/{PKG}/-/\S{{1,150}}?-{VER}\.tgz", Reason.DIFFERS, LOCK),
    rule("The remote archive doesn't match", rf"[ :]{PKG}@npm:{VER}: The remote archive doesn't", Reason.DIFFERS, LOCK),
    rule("gyp ERR! cwd ", rf"gyp ERR! cwd .{{0,300}}/node_modules/{PKG}$", Reason.FAILS_TO_BUILD, RESOLUTION, 0.9),
    rule("couldn't be built", rf"[ :]{PKG}@npm:{VER} couldn't be built", Reason.FAILS_TO_BUILD, RESOLUTION),
    rule(
        " script, failed",
        rf"node_modules/{PKG}: Running (?:pre|post)?install script, failed",
        Reason.FAILS_TO_BUILD,
        RESOLUTION,
    ),
    rule("ERR! path ", rf"ERR! path .{{0,300}}/node_modules/{PKG}$", Reason.FAILS_TO_BUILD, RESOLUTION),
    rule("error path ", rf"error path .{{0,300}}/node_modules/{PKG}$", Reason.FAILS_TO_BUILD, RESOLUTION),
    rule(
        "node_modules/",
        rf"(?:error|ERR!) .{{0,300}}/node_modules/{PKG}: Command failed",
        Reason.FAILS_TO_BUILD,
        RESOLUTION,
    ),
)
MAYBE_OWN: Final = 0.6
"""The share of a package whose script runs after an installation, if it may be the project's own."""
HASHES_MAX: Final = 5
_SCRIPT: Final = re.compile(
    rf"(?:ERR!|error) (?:Failed at the )?{PKG}@{VER} (?P<script>(?:pre|post)?install)(?: script|:)"
)
_RUN: Final = re.compile(
    r"^> ((?:@[\w.-]{1,80}/)?[\w.-]{1,100})@\S{1,60} \S{1,60}(?: (?!\S{0,300}node_modules/)\S{1,300})?$"
)
"""A script of the project itself: it is run where the project lies, or where npm does not say."""
_WANTED: Final = re.compile(r"integrity checksum failed.{0,200}? wanted (sha\d{1,3}-[\w+/=]{16,200})")
_TRYING: Final = re.compile(rf"tarball trying {PKG}@{VER} by hash")
_VERSIONED: Final = re.compile(r"node_modules/\.pnpm/((?:@[\w.-]{1,80}\+)?[\w.-]{1,100})@(\d[\w.-]{0,60})")


def installed(log: Log, found: Reading) -> None:
    for name, (_, version) in names_asked(log, Ecosystem.NODE, commands_of(log)):
        found.versions.setdefault(name, version)
    for _, line in log.hits("node_modules/.pnpm/", 300):
        for one in _VERSIONED.finditer(line):
            found.versions.setdefault(one[1].replace("+", "/"), one[2])
    for _, line in [*log.hits("── ", 500)]:
        for one in re.finditer(r"── ((?:@[\w.-]{1,80}/)?[\w.-]{1,100})@(\d[\w.+-]{0,60})", line):
            found.versions.setdefault(one[1], one[2])


def stopped(log: Log) -> Iterator[Clue]:
    """1. Packages whose own script failed while they were installed. 2. The one whose archive is not of the hash that was wanted."""
    own = {one[1] for _, line in log.hits("> ", 200) if (one := _RUN.match(line)) is not None}
    for number, line in log.hits("install", 200):
        script = _SCRIPT.search(line)
        if script is not None and script["name"] not in own:
            sure = script["script"] != "postinstall" or f"node_modules/{script['name']}" in log.text
            yield Clue(
                Reason.FAILS_TO_BUILD, script["name"], RESOLUTION, number, script["version"], 1.0 if sure else MAYBE_OWN
            )
    wanted = [
        one[1] for _, line in log.hits("integrity checksum failed", 40) if (one := _WANTED.search(line)) is not None
    ]
    for digest in list(dict.fromkeys(wanted))[:HASHES_MAX]:
        for number, line in log.hits(digest, 20):
            if (trying := _TRYING.search(line)) is not None:
                yield Clue(Reason.DIFFERS, trying["name"], LOCK, number, trying["version"])
