"""What npm, Yarn and pnpm say of one package: that it cannot be had, is not what the lock file holds, or does not build."""

from __future__ import annotations

import re
from typing import Final

from prodwise.loop.diagnose.logs.asked import commands_of, names_asked
from prodwise.loop.diagnose.logs.clue import Reading
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
    rule("ERR! path ", rf"ERR! path .{{0,300}}/node_modules/{PKG}$", Reason.FAILS_TO_BUILD, RESOLUTION),
    rule("error path ", rf"error path .{{0,300}}/node_modules/{PKG}$", Reason.FAILS_TO_BUILD, RESOLUTION),
    rule(
        "node_modules/",
        rf"(?:error|ERR!) .{{0,300}}/node_modules/{PKG}: Command failed",
        Reason.FAILS_TO_BUILD,
        RESOLUTION,
    ),
)
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
