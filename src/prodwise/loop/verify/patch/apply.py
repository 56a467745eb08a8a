"""What a file holds after a diff. Lines must stand exactly where the diff says: nothing is searched for, nothing is fuzzy."""

from __future__ import annotations

from prodwise.model.diff import DiffHunk, FileDiff


class DoesNotApply(ValueError):
    """The file does not hold what the diff says that it holds."""


def applied(text: str, file: FileDiff) -> str:
    """The text after all hunks. Raises DoesNotApply."""
    lines = text.split("\n")
    ended = lines[-1] == ""
    if ended:
        lines.pop()
    done: list[str] = []
    at, open_end = 0, not ended
    for hunk in file.hunks:
        olds = [line for line in hunk.lines if line.sign in " -"]
        begin = hunk.old - 1 if olds else hunk.old
        if begin < at or [line.text for line in olds] != lines[begin : begin + len(olds)]:
            raise DoesNotApply(f"{file.path or file.before}: line {hunk.old} is not what the diff says")
        last = begin + len(olds) == len(lines)
        if last and not olds and lines and not ended:
            raise DoesNotApply(f"{file.path or file.before}: its last line has no end, and the diff does not say so")
        if olds and olds[-1].ended is (last and not ended):
            raise DoesNotApply(f"{file.path or file.before}: the file's end is not what the diff says")
        done += lines[at:begin] + [line.text for line in hunk.lines if line.sign in " +"]
        at = begin + len(olds)
        open_end = _open_end(hunk, open_end, last)
    done += lines[at:]
    return "\n".join(done) + ("" if open_end or not done else "\n")


def _open_end(hunk: DiffHunk, before: bool, last: bool) -> bool:
    news = [line for line in hunk.lines if line.sign in " +"]
    return not news[-1].ended if news and last else before
