"""A healing pull request in words, in the order that a tired person needs them. Outside text is shown inert."""

from __future__ import annotations

import re
from collections.abc import Iterator

from prodwise.loop.publish.extent import extent
from prodwise.loop.publish.inert import commit_name, inert, prose, shown
from prodwise.loop.publish.why import why
from prodwise.model.action import ActionKind
from prodwise.model.gate import Verdict
from prodwise.model.pull import BRANCH_PREFIX, Cause, HealingPull
from prodwise.model.redaction import Redactor

BODY_MAX = 24_000
"""Bounds below keep it under this; GitHub's own limit is 65,536."""
ROWS_MAX, FILES_MAX = 20, 10
CHECK_LINES_MAX, CHECK_WIDTH_MAX = 40, 160
COMMANDS = "`/prodwise explain`, `retry`, `smaller` or `close`"
_OURS = re.compile(r"https?://[A-Za-z0-9.-]{1,200}(?::\d{1,5})?(?:/[A-Za-z0-9/._-]{0,300})?")
_SIGNS = {Verdict.PASS: "✓ pass", Verdict.HOLD: "▲ hold", Verdict.FAIL: "✗ fail"}
_DOES = {
    ActionKind.REVERT: "takes a commit back",
    ActionKind.PIN: "pins a dependency",
    ActionKind.SETTING: "puts settings back",
    ActionKind.FLAG_OFF: "turns a flag off",
}


def body(pull: HealingPull) -> str:
    """The nine sections. Numbers come from the diff and the gates themselves."""
    redactor = Redactor()
    sections = (
        ("What broke", [prose(pull.broke, redactor=redactor) or "Not known."]),
        ("Right now", [_now(pull, redactor)]),
        ("Cause", [_cause(pull.cause, redactor)]),
        ("Change", list(_change(pull, redactor))),
        ("Proof", [*_proof(pull, redactor), *_check(pull.check, redactor)]),
        (
            "Not checked",
            [f"* {prose(one, redactor=redactor)}" for one in pull.unchecked[:ROWS_MAX]]
            or ["Nothing that is known of."],
        ),
        ("Risk", [prose(pull.risk, redactor=redactor) or "Not known."]),
        ("Undo", [prose(pull.undo, redactor=redactor) or "Revert the merge commit."]),
        ("After merge", [prose(pull.after, redactor=redactor) or "Nothing is watched."]),
    )
    told = "\n\n".join("\n".join((f"### {title}", "", *lines)) for title, lines in sections)
    return f"{told}\n\n{_foot(pull)}\n"


def message(pull: HealingPull, title: str, whole: bool, branch: str) -> str:
    """The commit's message. whole: with the pull request's text, where no host shows it; branch: whose commit it is."""
    text = body(pull) if whole else inert(why(pull.proposal))
    return f"{title}\n\n{text.strip()}\n\n{trailer(branch)}\n"


def trailer(branch: str) -> str:
    """What a squashed or rebased commit is known by: the fault, and which of its fixes it is."""
    return f"Prodwise-Fault: {inert(branch.removeprefix(BRANCH_PREFIX), 100)}"


def _now(pull: HealingPull, redactor: Redactor) -> str:
    serving = (
        f"production runs {shown(pull.serving, 60, redactor)}" if pull.serving else "which release serves is not known"
    )
    if not pull.met:
        return f"Calm, no user met it: the release was refused before. {serving[:1].upper()}{serving[1:]}."
    return (
        f"Calm, users are served again: {serving}."
        if pull.calm
        else f"Not calm yet, users may still meet it: {serving}."
    )


def _cause(cause: Cause | None, redactor: Redactor) -> str:
    if cause is None:
        return "Not known. The change ends the fault; why it began is open."
    where = shown(f"{cause.file}:{cause.line}" if cause.line else cause.file, 200, redactor)
    release = f"release {shown(cause.release, 60, redactor)}" if cause.release else ""
    commit = f"commit `{name}`" if (name := commit_name(cause.commit)) else ""
    came = " / ".join(part for part in (release, commit) if part)
    return f"{where}, came in with {came}" if came else f"{where}; what it came in with is not known"


def _change(pull: HealingPull, redactor: Redactor) -> Iterator[str]:
    reach = extent(pull.proposal.diff)
    lines = reach.added + reach.removed
    code = len(reach.files) - len(reach.tests)
    tests = f" + {_n(len(reach.tests), 'test')}" if reach.tests else ""
    does = _DOES.get(pull.proposal.kind, "changes code")
    yield f"{_n(lines, 'line')} (+{reach.added} −{reach.removed}), {_n(code, 'file')}{tests}; {does}."
    yield f"Found by {shown(pull.proposal.repairer, 60, redactor)}; {prose(why(pull.proposal), redactor=redactor)}"
    yield ""
    yield from (f"* {shown(path, 200, redactor)}" for path in reach.files[:FILES_MAX])
    if len(reach.files) > FILES_MAX:
        yield f"* and {len(reach.files) - FILES_MAX} more"


def _proof(pull: HealingPull, redactor: Redactor) -> Iterator[str]:
    yield "| Proof | base | this branch |"
    yield "|---|---|---|"
    for row in pull.proof[:ROWS_MAX]:
        yield f"| {prose(row.what, 120, redactor)} | {prose(row.base, 80, redactor)} | {prose(row.branch, 80, redactor)} |"
    for gate in pull.gates[:ROWS_MAX]:
        yield f"| {shown(gate.gate, 60, redactor)}: {prose(gate.reason, 160, redactor)} | | {_SIGNS[gate.verdict]} |"


def _check(text: str, redactor: Redactor) -> Iterator[str]:
    """The head of the test, which says what fails; the rest is the same for every test of its kind."""
    lines = text.splitlines()
    if not lines:
        return
    yield from ("", "The failing check, as a test of its own that the change could not touch:", "", "```python")
    for line in lines[:CHECK_LINES_MAX]:
        yield line[: len(line) - len(line.lstrip(" "))][:40] + inert(line, CHECK_WIDTH_MAX, redactor)
    yield "```"
    if len(lines) > CHECK_LINES_MAX:
        yield f"And {_n(len(lines) - CHECK_LINES_MAX, 'more line')}, which make the call."
    yield "Signs that a code host would act on are shown as others that look alike."


def _foot(pull: HealingPull) -> str:
    link = f"[The whole story]({pull.link}) · " if _OURS.fullmatch(pull.link) else ""
    return f"---\n\n{link}Merging is yours: nothing merges this by itself. Closing it means no, and is remembered. Comment {COMMANDS}."


def _n(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
