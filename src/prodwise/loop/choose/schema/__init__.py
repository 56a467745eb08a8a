"""Whether what migrations did to the data since lets an older release serve again.

Safe is only what the older release never touches: new tables, new columns that it may leave out, indexes that forbid nothing.
What drops, renames, rewrites or narrows is not safe, nor is a change of rows; and what cannot be read is unknown, which is never
safe. Texts are looked at, never run.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from prodwise.loop.choose.schema.line import only_migrates, runs_packages_migrations
from prodwise.loop.choose.schema.notes import Notes, Unreadable, shown
from prodwise.loop.choose.schema.which import is_migration, is_source, lies_among_migrations, reader
from prodwise.model.schema import Crossing, FileChange, Finding, MigrationFile, RanLine, SchemaKind

__all__ = ["asks", "is_migration", "is_source", "lies_among_migrations", "read", "read_file", "summary"]

FILES_MAX: Final = 200
TEXT_MAX: Final = 256 * 1024
"""Characters of one migration; a longer one is unknown."""
TEXTS_MAX: Final = 1024 * 1024
"""Characters of all of them."""
FINDINGS_MAX: Final = 500
TOLD_MAX: Final = 3
_WORST: Final = (SchemaKind.CONTRACT, SchemaKind.DATA, SchemaKind.UNKNOWN, SchemaKind.EXPAND)


@lru_cache(maxsize=8)  # a story that cannot decide yet asks every second
def read(crossing: Crossing) -> tuple[Finding, ...]:
    """All that was done between two releases, by file and line; in no case does it depend on the order of the files."""
    found = {finding for line in crossing.lines for finding in _line(line)}
    if crossing.problem:
        found.add(Finding("migrations", 0, "were not all read", SchemaKind.UNKNOWN, crossing.problem))
    if len(crossing.files) > FILES_MAX or sum(len(file.text) for file in crossing.files) > TEXTS_MAX:
        what = f"are more than {FILES_MAX}, or longer than {TEXTS_MAX // 1024} KiB"
        found.add(Finding("migrations", 0, what, SchemaKind.UNKNOWN, "so many are not read"))
    else:
        found |= {finding for file in crossing.files for finding in read_file(file)}
    kept = sorted(found, key=lambda one: (one.safe, one.file, one.line, one.what, one.kind.value, one.reason))
    return tuple(
        sorted(kept[:FINDINGS_MAX], key=lambda one: (one.file, one.line, one.what, one.kind.value, one.reason))
    )


def read_file(file: MigrationFile) -> tuple[Finding, ...]:
    """Never empty but for a migration that does nothing."""
    notes = Notes(shown_path(file.path))
    known = reader(file.path, file.text)
    if file.change is FileChange.REMOVED:
        notes.unknown(0, "is in the older release only", "what of it ran is not known")
    elif file.change is FileChange.CHANGED:
        notes.unknown(0, "is in both releases, and differs", "which of the two ran is not known")
    elif file.problem:
        notes.unknown(0, "was not read", file.problem)
    elif len(file.text) > TEXT_MAX:
        notes.unknown(0, "was not read", f"it is longer than {TEXT_MAX // 1024} KiB")
    elif known is None:
        notes.unknown(0, "lies among migrations", "there is no reader for files of its kind")
    else:
        try:
            known(notes, file.text)
        except Unreadable as error:
            notes.unknown(0, "could not be read", str(error))
        except Exception as error:  # noqa: BLE001 — outside text: what a reader stumbles over is unknown, and no story ends of it
            notes.unknown(0, "could not be read", f"its reader failed: {type(error).__name__}")
    return tuple(notes.found)


def _line(ran: RanLine) -> list[Finding]:
    where = f"release line of {ran.release}"
    if ran.command is None:
        return [Finding(where, 0, "is not known", SchemaKind.UNKNOWN, "the release is no longer on this machine")]
    if not ran.command:
        return []
    what = f"ran `{shown(ran.command)}`"
    if not only_migrates(ran.command):
        return [Finding(where, 0, what, SchemaKind.UNKNOWN, "what it does to the data is not known")]
    if runs_packages_migrations(ran.command) and not ran.same_packages:
        reason = "its packages differ, and their own migrations are not in the repository"
        return [Finding(where, 0, what, SchemaKind.UNKNOWN, reason)]
    return []


def asks(findings: Iterable[Finding] | None) -> str:
    """Why a person must decide about going back, with file and line; "" when nothing speaks against it. None: not looked at."""
    if findings is None:
        return "what migrations did since is not known"
    bad = sorted(
        (one for one in findings if not one.safe), key=lambda one: (_WORST.index(one.kind), one.file, one.line)
    )
    if not bad:
        return ""
    told = "; ".join(f"{one.where} {one.what} ({one.reason})" for one in bad[:TOLD_MAX])
    more = f"; and {len(bad) - TOLD_MAX} more" if len(bad) > TOLD_MAX else ""
    return f"what migrations did since does not go back with the code: {told}{more}"


def summary(findings: Iterable[Finding] | None) -> str:
    """One sentence for what was found."""
    found = tuple(findings or ())
    if reason := asks(None if findings is None else found):
        return reason
    return f"migrations since then only add ({len(found)} steps)" if found else "no migration ran since then"


def shown_path(path: str) -> str:
    text = "".join(char if char.isprintable() else "?" for char in path)
    return text if len(text) <= 120 else f"…{text[-119:]}"
