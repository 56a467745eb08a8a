"""Plain git: any remote is enough. The branch goes to the remote, the pull request's text into a note beside the app.

Nobody can comment there. Merging is seen in the main branch, by the commit or by its change (so that a squash counts, too);
removing the branch unmerged means no.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from prodwise.forge.branch import GitBranches
from prodwise.model.errors import ForgeError, Refused
from prodwise.model.pull import BRANCH_PREFIX, Mark, Person, PullSeen, PullState, PullText, Said

RECORDS: Final = "pulls.json"
RECORDS_MAX: Final = 1_000
COMMITS: Final = 300
"""Of the main branch since a pull request's base; one that was merged longer ago and removed counts as closed."""


@dataclass(frozen=True, slots=True)
class Record:
    """patch: git's id of the change itself, which survives a squash or a rebase."""

    number: int
    branch: str
    head: str = ""
    base: str = ""
    patch: str = ""
    title: str = ""
    body: str = ""
    status: str = ""
    state: PullState = PullState.OPEN


class GitNotes:
    """folder: where notes are kept. Implements ports.Host."""

    def __init__(self, branches: GitBranches, folder: Path) -> None:
        self._branches, self._folder = branches, folder

    def found(self, branch: str) -> Sequence[PullSeen]:
        return self._look(branch, self._branches.tips(branch).get(branch, ""))

    def opened(self) -> Sequence[PullSeen]:
        there = self._branches.tips(f"{BRANCH_PREFIX}*")
        seen = [one for branch, tip in sorted(there.items()) for one in self._look(branch, tip)]
        return [one for one in seen if one.state is PullState.OPEN]

    def open(self, branch: str, onto: str, text: PullText) -> PullSeen:
        found = self.found(branch)
        if not found:
            raise ForgeError(f"{branch} is not on the remote")
        record = replace(self._record(found[0].number), title=text.title, body=text.body)
        self._keep(record)
        return self._seen(record)

    def edit(self, number: int, body: str | None, close: bool = False) -> None:
        record = self._record(number)
        record = replace(record, body=record.body if body is None else body)
        if close:
            tip = self._branches.tips(record.branch).get(record.branch, "")
            if tip and tip != record.head:
                raise Refused(f"{record.branch} holds commits that are not ours", "remove it by hand, if that is meant")
            if tip:
                self._branches.drop(record.branch, tip)
            record = replace(record, state=PullState.CLOSED)
        self._keep(record)

    def comments(self, number: int, after: int, since: float) -> Sequence[Said]:
        return ()

    def say(self, number: int, comment: int, text: str) -> int:
        self._keep(replace(self._record(number), status=text))
        return number

    def may_write(self, who: Person) -> bool:
        return False

    def mark(self, head: str, mark: Mark) -> None:
        """A commit has no status without a host; the note's status says it."""

    def _look(self, branch: str, tip: str) -> list[PullSeen]:
        known = next((one for one in self._records() if one.branch == branch), None)
        if known is None and not tip:
            return []
        record = known or Record(self._next(), branch)
        if record.state is PullState.OPEN:
            record = self._brought_up(record, tip)
            self._keep(record)
        return [self._seen(record)]

    def _brought_up(self, record: Record, tip: str) -> Record:
        """1. A new tip is measured. 2. What is in the main branch is merged. 3. What is gone else was closed."""
        git = self._branches
        with git.workshop() as shop:
            name, main = git.head()
            git.fetch(shop, f"refs/heads/{name}", *([f"refs/heads/{record.branch}"] if tip else []), deep=True)
            if tip and tip != record.head:
                base = git.ask(shop, "merge-base", main, tip).strip()
                record = replace(
                    record, head=tip, base=base, patch="".join(_patch_ids(git, shop, "diff", f"{base}..{tip}"))
                )
            since = f"{record.base}..{main}"
            commits = git.ask(shop, "rev-list", f"--max-count={COMMITS}", "--end-of-options", since).split()
            merged = record.head in commits or record.patch in _patch_ids(git, shop, "log", since)
        return replace(record, state=PullState.MERGED if merged else PullState.OPEN if tip else PullState.CLOSED)

    def _seen(self, record: Record) -> PullSeen:
        return PullSeen(record.number, str(self._note(record)), record.branch, record.head, record.state)

    def _note(self, record: Record) -> Path:
        return self._folder / f"{record.branch.removeprefix('prodwise/')}.md"

    def _record(self, number: int) -> Record:
        found = next((one for one in self._records() if one.number == number), None)
        if found is None:
            raise ForgeError(f"there is no note {number} in {self._folder}")
        return found

    def _next(self) -> int:
        return max((one.number for one in self._records()), default=0) + 1

    def _records(self) -> list[Record]:
        path = self._folder / RECORDS
        if not path.is_file():
            return []
        try:
            return [Record(**{**entry, "state": PullState(entry["state"])}) for entry in json.loads(path.read_text())]
        except (ValueError, TypeError, KeyError):
            raise ForgeError(
                f"{path} is not what was written", "move it away: what is on the remote is found again"
            ) from None

    def _keep(self, record: Record) -> None:
        """The note for people, then the record; both replaced whole."""
        others = [one for one in self._records() if one.number != record.number]
        self._folder.mkdir(parents=True, exist_ok=True)
        status = f"\n---\n\n{record.status}\n" if record.status else ""
        told = (
            f"# {record.title or record.branch}\n\nBranch `{record.branch}`, {record.state}.\n\n{record.body}{status}"
        )
        _replace(self._note(record), told)
        _replace(
            self._folder / RECORDS, json.dumps([asdict(one) for one in [*others, record][-RECORDS_MAX:]], indent=1)
        )


def _patch_ids(git: GitBranches, shop: Path, by: str, commits: str) -> list[str]:
    most = (f"--max-count={COMMITS}", "--no-show-signature") if by == "log" else ()
    told = git.ask(shop, by, "-p", "--no-ext-diff", "--no-textconv", "--no-color", *most, "--end-of-options", commits)
    return [line.split(" ")[0] for line in git.ask(shop, "patch-id", "--stable", given=told).splitlines()]


def _replace(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "w") as file:
        file.write(text)
    os.replace(name, path)
