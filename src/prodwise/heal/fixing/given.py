"""What is to be fixed, as a check that can be run: from a command, or written from a trace."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, replace
from typing import Final

from prodwise.heal.fixing.repository import Repository
from prodwise.loop.verify.traced import Traced, traced
from prodwise.loop.verify.written import NOTES, Written, write
from prodwise.model.patch import Fault
from prodwise.ports.repair import Workshop

SHOWN_MAX: Final = 200
TESTS_MAX: Final = 5
BASH: Final = "/bin/bash"
_NEEDS_BASH = re.compile(r"(?:^|[;&|({\s])(?:source|pushd|\[\[)\s|<\(")
_TEST = re.compile(r"[\w./-]+\.py(?:::[\w.:\[\]-]+)?")


@dataclass(frozen=True)
class Given:
    """text: a reproducer that was written, "" for a command of theirs; it travels in the command itself, so that no tree holds it
    and nobody who proposes can edit it. shown: the check in a few words; times: how often it must fail at the base, each time in a
    fresh checkout."""

    fault: Fault
    shown: str
    text: str = ""
    notes: tuple[str, ...] = ()
    times: int = 2


@dataclass(frozen=True)
class NotReproduced:
    """refused: nothing was wrong with the repository, but with what was asked."""

    reason: str
    refused: bool = True


def given(test: str, trace: str, workshop: Workshop, base: str, root: str) -> Given | NotReproduced:
    """The command if there is one; the trace then only says where to look."""
    read = traced(trace, root)
    line = (BASH if _NEEDS_BASH.search(test) else "/bin/sh", "-c", test)
    if test and not read.frames:
        return Given(_fault(line, read), test[:SHOWN_MAX])
    with workshop.fresh(base) as tree:
        repository = Repository.of(tree.root)
        read = replace(
            read, frames=tuple(replace(one, file=repository.inside(one.file) or one.file) for one in read.frames)
        )
        if test:
            return Given(_fault(line, read), test[:SHOWN_MAX])
        if not (read.frames or read.failed):
            return NotReproduced("the trace holds no frame of a program that can be read")
        if tests := _tests(read, repository):
            command = ("python3", "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests)
            return Given(_fault(command, read), shlex.join(command)[:SHOWN_MAX])
        written = write(read, repository.inside, repository.text, repository.paths)
    if isinstance(written, str):
        return NotReproduced(f"no failing test can be written from this trace: {written}", refused=False)
    return _written(written, read)


def _written(written: Written, read: Traced) -> Given:
    shown = f"a test that calls {written.function} with the values of the trace"
    return Given(_fault(("python3", "-c", written.text), read), shown, written.text, NOTES)


def _fault(command: tuple[str, ...], read: Traced) -> Fault:
    values = {name: repr(value) for name, value in (read.values[-1] if read.values else {}).items()}
    return Fault(command, "", read.error, read.message, read.frames, values)


def _tests(read: Traced, repository: Repository) -> list[str]:
    """Failed tests that a runner named and this repository has."""
    named = [name for name in read.failed if _TEST.fullmatch(name)]
    return [name for name in named if name.split("::")[0] in repository.paths][:TESTS_MAX]
