"""`prodwise diagnose`: a log, and what changed lately, in; the dependency that broke it out."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Final

from prodwise.cli.desk import SCHEMA_VERSION, Desk, paint
from prodwise.cli.fit import tell
from prodwise.loop.diagnose.logs import Log, Sieve, clean, diagnose_log
from prodwise.model.breakage import Blamed, Breakage, Moved
from prodwise.model.errors import UsageError
from prodwise.targets.local.git import GitFailed
from prodwise.targets.local.manifests import recently_moved

PIECE_BYTES: Final = 2**20
READ_BYTES_MAX: Final = 2**30  # of a stream; of a file, too
OTHERS_SHOWN: Final = 3


def diagnose_command(desk: Desk, log: str, repo: Path | None, json_file: str) -> int:
    """Reads, diagnoses, tells. Exit 0, whether or not something was found."""
    read = read_log(log)
    moved, missing = _moved(repo)
    found = diagnose_log(read, moved)
    if missing:
        found = Breakage(found.causes, (*found.unknown, missing))
    if json_file == "-":
        desk.data(**_as_json(found))
        return 0
    if json_file:
        _write(Path(json_file), {"schema_version": SCHEMA_VERSION, **_as_json(found)})
    _tell(found)
    return 0


def read_log(name: str) -> Log:
    """The file's text, or stdin's for "-", as much as is needed of it. Raises UsageError if it cannot be read."""
    if name == "-":
        return _sieved(sys.stdin.buffer)
    try:
        with Path(name).open("rb") as file:
            return _sieved(file)
    except OSError as error:
        raise UsageError(f"cannot read {name}: {error.strerror}", "--log takes a file, or - for stdin") from None


def _sieved(stream: IO[bytes]) -> Log:
    sieve = Sieve()
    while sieve.seen < READ_BYTES_MAX and (piece := stream.read(PIECE_BYTES)):
        sieve.take(piece)
    return clean(sieve.kept, sieve.cut)


def _moved(repo: Path | None) -> tuple[list[Moved] | None, str]:
    """(what changed lately, what could not be known of it)."""
    if repo is None:
        return None, ""
    if not repo.is_dir():
        raise UsageError(f"{repo} is not a folder", "--repo takes the folder of a git repository")
    try:
        return recently_moved(repo), ""
    except GitFailed as error:
        return None, f"what changed lately: {error.message}"


def _as_json(found: Breakage) -> dict[str, Any]:
    return {"causes": [_cause(one) for one in found.causes], "unknown": list(found.unknown)}


def _cause(one: Blamed) -> Mapping[str, Any]:
    return {
        "kind": one.kind.value,
        "what": one.what,
        "version_from": one.version_from or None,
        "version_to": one.version_to or None,
        "confidence": one.confidence,
        "evidence": [f"line {quote.number}: {quote.text}" if quote.number else quote.text for quote in one.evidence],
        "ecosystem": one.ecosystem.value,
        "pin": one.pin or None,
    }


def _write(path: Path, result: Mapping[str, Any]) -> None:
    try:
        path.write_text(json.dumps(result, indent=2) + "\n")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}", "--json takes a file, or - for stdout") from None


def _tell(found: Breakage) -> None:
    """What broke, which package, which versions, the lines that say so, and what to try next."""
    if not found.causes:
        tell(paint("No dependency stands out.", "warn"))
    for first in found.causes[:1]:
        tell(f"{paint(first.what, 'bold')}  {_versions(first)}".rstrip())
        tell(f"  {first.kind.value.replace('_', ' ')}, {paint(f'{first.confidence:.0%} sure', 'dim')}")
        for quote in first.evidence:
            tell(f"  {paint(f'line {quote.number}' if quote.number else 'changed', 'dim')}  {paint(quote.text, '')}")
        if first.pin:
            tell(f"\nTry  {paint(first.pin, 'accent')}")
    others = [f"{one.what} ({one.confidence:.0%})" for one in found.causes[1 : 1 + OTHERS_SHOWN]]
    if others:
        tell(f"\nOr   {paint(', '.join(others), '')}")
    for line in found.unknown:
        tell(f"{paint('Not known:', 'dim')} {paint(line, '')}")


def _versions(one: Blamed) -> str:
    if one.version_from and one.version_to:
        return paint(f"{one.version_from} → {one.version_to}", "")
    return paint(one.version_to or one.version_from, "")
