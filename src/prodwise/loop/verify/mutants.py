"""Small damage to the lines that a change wrote: a check that never notices any of it proves nothing."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from prodwise.model.diff import FileDiff

MUTANTS_MAX: Final = 24
_SWAPS: Final = (
    (r"\.get\(([^(),]{1,80})(?:, [^()]{0,80})?\)", r"[\1]"), (r"(?<=[\w)\]]) or [\w\[\]{}\"'().]{1,40}", ""),
    (r" if .{1,80} else [^,)\]}]{1,80}", ""), (r"\bexcept (?:[\w.]+|\([\w., ]*\))", "except ZeroDivisionError"),
    (r"<=", ">"), (r">=", "<"), (r"(?<![<>=!-])==(?!=)", "!="), (r"!=(?!=)", "=="), (r"(?<![<>=-])<(?![<=])", ">="),
    (r"(?<![<>=-])>(?![>=])", "<="), (r"\bnot in\b", "in"), (r"\bis not\b", "is"), (r"\bnot ", ""),
    (r"\bTrue\b", "False"), (r"\bFalse\b", "True"), (r"\btrue\b", "false"), (r"\bfalse\b", "true"),
    (r"\band\b", "or"), (r"\bor\b", "and"), (r"&&", "||"), (r"\|\|", "&&"), (r"(?<=[\w)\]] )\+(?= )", "-"),
    (r"(?<=[\w)\]] )-(?= )", "+"), (r"(?<=[\w)\]] )\*(?= )", "+"), (r"(?<=[\w)\]] )/(?= )", "*"),
    (r"\bmin\(", "max("), (r"\bmax\(", "min("), (r"(?<![\w.\"'])0(?![\w.])", "1"),
    (r"(?<![\w.\"'])([1-9]\d*)(?![\w.])", r"(\1 + 1)"), (r"(?<=return )(?!None\b)\S.*", "None"),
    (r"(?<=[\"'])(?=\w)", "x"), (r"\bNone\b", "0"), (r"\b(el)?if (.*):$", r"\1if not (\2):"),
    (r"\bwhile (.*):$", "while False:"), (r"\bfor (.*?) in (.*):$", r"for \1 in ():"), (r"\bwith .*:$", "if True:"),
    (r"(?<=yield )(?!from\b)\S.*", "None"), (r"\bdef (\w+)\(", r"def \1_("), (r"\bclass (\w+)", r"class \1_"),
)  # fmt: skip


def mutants(text: str, file: FileDiff) -> Iterator[str]:
    """The file with one of its added lines damaged, at most MUTANTS_MAX of them: each line without it, then each of its parts
    otherwise; in turns over the lines. What Python cannot read is left out."""
    lines = text.split("\n")
    places = [
        at
        for at in _added(file)
        if at < len(lines) and lines[at].strip() and not lines[at].lstrip().startswith(("#", "//"))
    ]
    damaged = {at: list(islice(_damage(lines[at]), 12)) for at in places}
    seen, made = {text}, 0
    for turn in range(12):
        for at in places:
            if turn < len(damaged[at]):
                mutant = "\n".join([*lines[:at], damaged[at][turn], *lines[at + 1 :]])
                if mutant not in seen and _reads(file.path, mutant):
                    seen.add(mutant)
                    yield mutant
                    made += 1
                    if made >= MUTANTS_MAX:
                        return


def _added(file: FileDiff) -> Iterator[int]:
    """Indexes of added lines in the text after."""
    for hunk in file.hunks:
        at = hunk.new - 1 if any(line.sign != "-" for line in hunk.lines) else hunk.new
        for line in hunk.lines:
            if line.sign == "+":
                yield at
            at += line.sign != "-"


def _damage(line: str) -> Iterator[str]:
    for form, other in _SWAPS:
        for found in re.finditer(form, line):
            yield line[: found.start()] + found.expand(other) + line[found.end() :]
    indent = line[: len(line) - len(line.lstrip())]
    yield f"{indent}pass"
    yield ""


def _reads(path: str, text: str) -> bool:
    if not path.endswith(".py"):
        return True
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
