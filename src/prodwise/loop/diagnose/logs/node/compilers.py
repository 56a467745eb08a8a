"""What TypeScript and bundlers say of the packages that a program imports."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from prodwise.loop.diagnose.logs.clue import Clue
from prodwise.loop.diagnose.logs.node.names import FULL, PATH, PKG, package
from prodwise.loop.diagnose.logs.rules import rule
from prodwise.loop.diagnose.logs.text import Log
from prodwise.loop.diagnose.logs.weights import Reason
from prodwise.model.breakage import Failure

COMPILATION, RUNTIME = Failure.COMPILATION, Failure.RUNTIME
_OF_ANOTHER: Final = r"[^'\"]{0,60}error TS\d{1,6}: Module ['\"]{1,4}[^'\"]{0,300}node_modules/"
"""What follows the place of an error that is about another package's module."""
ABOVE_LINES: Final = 3
_UNREAD: Final = re.compile(rf"(?:^|\s)(?:[^\s'\"]{{0,300}}/)?node_modules/{FULL}/")
RULES: Final = (
    rule(
        " has no exported member",
        rf"""(?:Module ['"]+|error TS\d{{1,6}}: ['"]+){PATH}['"]+ has no exported member""",
        Reason.LACKS,
        COMPILATION,
    ),
    rule(
        "error TS249",
        rf"error TS249[78]: Module ['\"]+{PATH}['\"]+ (?:resolves to|uses 'export =)",
        Reason.LACKS,
        COMPILATION,
    ),
    rule(
        "error TS",
        rf"(?:^|[\s\]])(?:[^\s'\"]{{0,300}}/)?node_modules/{PATH}[(:]\d(?={_OF_ANOTHER})",
        Reason.CALLS,
        COMPILATION,
        0.9,
    ),
    rule("TS2307", rf"Cannot find module '{PATH}'", Reason.LACKS, COMPILATION, 0.9),
    rule("TS7016", rf"declaration file for module '{PATH}'", Reason.LACKS, COMPILATION, 0.9),
    rule("has no default export", rf"""Module ['"]+{PATH}['"]+ has no default export""", Reason.LACKS, COMPILATION),
    rule(
        "error TS",
        rf"(?:^|[\s\]])(?:[^\s'\"]{{0,300}}/)?node_modules/{PATH}[(:]\d(?!{_OF_ANOTHER})",
        Reason.BROKEN_FILE,
        COMPILATION,
        0.8,
    ),
    rule(
        "node_modules/", rf"^\s{{0,4}}(?:\./)?node_modules/{PATH}:\d{{1,6}}:\d{{1,6}}$", Reason.NAMED, COMPILATION, 0.9
    ),
    rule("node_modules/", rf"""import\("[^"]{{0,300}}node_modules/{PATH}"\)""", Reason.NAMED, COMPILATION, 0.9),
    rule(
        "node_modules/",
        rf"(?i:\berror) in (?:\[[\w-]{{1,40}}\] )?(?:[^\s'\"]{{0,300}}/)?node_modules/{PATH}[(: ]\d(?!{_OF_ANOTHER})",
        Reason.BROKEN_FILE,
        COMPILATION,
        0.8,
    ),
    rule("plugin ", rf"\bplugin {PKG} requires [A-Z]\w{{1,30}} v?\d", Reason.DEMANDS, COMPILATION),
    rule("Module not found", rf"Can't resolve '{PATH}' in '", Reason.LACKS, COMPILATION, 0.9),
    rule("Can't resolve", rf"Can't resolve '{PATH}'", Reason.LACKS, COMPILATION, 0.8),
    rule(
        "is not exported from package",
        rf"is not exported from package .{{0,300}}/node_modules/{FULL}",
        Reason.LACKS,
        COMPILATION,
        1.1,
    ),
    rule("was not found in '", rf"was not found in '{PATH}'", Reason.LACKS, COMPILATION),
    rule("is not exported from '", rf"is not exported from '{PATH}'", Reason.LACKS, COMPILATION),
    rule(
        "is not exported by ", rf"""is not exported by "[^"]{{0,200}}node_modules/{PATH}""", Reason.LACKS, COMPILATION
    ),
    rule(
        "No matching export in",
        rf"""No matching export in "[^"]{{0,200}}node_modules/{PATH}" """,
        Reason.LACKS,
        COMPILATION,
    ),
    rule('Could not resolve "', rf'Could not resolve "{PATH}"', Reason.LACKS, COMPILATION, 0.9),
    rule("failed to resolve import", rf'failed to resolve import "{PATH}"', Reason.LACKS, COMPILATION, 0.9),
    rule("Failed to resolve import", rf'Failed to resolve import "{PATH}"', Reason.LACKS, COMPILATION, 0.9),
    rule("Failed to resolve entry for package", rf'entry for package "{FULL}"', Reason.LACKS, COMPILATION),
    rule('specifier in "', rf"""specifier in "{FULL}" package""", Reason.LACKS, COMPILATION),
)


def unread(log: Log) -> Iterator[Clue]:
    """Files that webpack cannot read, which it names with the error or just above, behind what it loads them with."""
    for number, line in log.hits("Module parse failed", 20):
        above = range(number - 1, max(0, number - 1 - ABOVE_LINES), -1)
        last = next((at for at in above if log.line(at).strip()), number)
        for at, text in ((number, line), (last, log.line(last))):
            file = _UNREAD.search(text.rpartition("!")[2] if "!" in text else text)
            if file is not None:
                yield Clue(Reason.BROKEN_FILE, package(file["name"]), COMPILATION, at)
                break
