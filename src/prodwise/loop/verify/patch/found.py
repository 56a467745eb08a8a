"""The names of the rules, and what a text gives away by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

PARSES: Final = "code that can be read"
IMPORTS: Final = "no new imports"
CALLS: Final = "no new dangerous calls"
BROAD: Final = "no broad except"
GAMES: Final = "does not look at its judge"
TESTS: Final = "no test touched"
MUTES: Final = "no check silenced"
ASSERTS: Final = "asserts"
DOCTESTS: Final = "doctests"


@dataclass(frozen=True, slots=True)
class Found:
    """rule: which one it breaks if it is new; what: in plain words, the same for the same thing; line: where, from 1."""

    rule: str
    what: str
    line: int


_MUTED = re.compile(
    r"#\s*(?:noqa|nosec|type:\s*ignore|pragma:\s*no|pylint:|mypy:|pyright:|ruff:|fmt:\s*(?:off|skip)|flake8|nosemgrep)"
    r"|(?://|/\*)\s*(?:eslint-disable|@ts-(?:ignore|nocheck|expect-error)|istanbul|c8\s+ignore|nolint|NOSONAR|prettier-ignore)"
    r"|@SuppressWarnings|rubocop:disable|#\[allow\(|phpcs:ignore|@phpstan-ignore|@codeCoverageIgnore",
    re.IGNORECASE,
)
_JUDGE = re.compile(
    r"PYTEST_CURRENT_TEST|PYTEST_|\bpytest\b|\bunittest\b|\bdoctest\b|\bmocha\b|\bjest\b|\bvitest\b|NODE_ENV|JEST_WORKER|\bRSpec\b|\bminitest\b|\bphpunit\b"
    r"|\bconftest\b|\btest_\w+\.py\b|\b\w+_test\.(?:py|go|rb)\b|\.(?:test|spec)\.[cm]?[jt]sx?\b|\b(?:tests?|specs?|__tests__)/|\bTOX_ENV|GITHUB_ACTIONS|"
    r"\bCI\b(?=['\"])|hypothesis\b(?=['\"])|\bsys\._called_from_test|PRODWISE_",
    re.IGNORECASE,
)
_SKIPS = re.compile(
    r"\b(?:it|test|describe|context|suite)\s*\.\s*(?:skip|todo|only|failing)\b|(?<![\w.])(?:xit|xdescribe|xtest|fit|fdescribe)\s*\("
    r"|@(?:Ignore|Disabled)\b|\bt\.Skip|#\[ignore\]|\bskip(?:If|Unless|Test)\b|markTestSkipped",
)


def marks(text: str) -> Iterator[Found]:
    """Comments that silence checks, words about the test run, marks that skip tests: in any language."""
    for number, line in enumerate(text.split("\n"), 1):
        for rule, form, words in (
            (MUTES, _MUTED, "silences a check"),
            (GAMES, _JUDGE, "speaks of the test run"),
            (TESTS, _SKIPS, "skips a test"),
        ):
            for found in form.finditer(line[:2000]):
                yield Found(rule, f"{words}: {found[0].strip()[:60]}", number)
