"""A folder of known vulnerabilities in the form of OSV, as a person put it there: JSON files, and zip archives of them. Offline."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from prodwise.clock import monotonic
from prodwise.loop.verify.advisories import NAMES
from prodwise.model.breakage import Ecosystem
from prodwise.model.errors import TargetError

ENTRIES_MAX: Final = 400_000
ENTRY_BYTES_MAX: Final = 4 * 2**20
READ_S: Final = 30.0


@dataclass(frozen=True)
class AdvisoryFolder:
    """Implements ports.repair.Advisories."""

    place: Path

    def known(self, ecosystem: Ecosystem, package: str) -> Sequence[Mapping[str, Any]]:
        name = "[-_.]+".join(re.escape(part) for part in re.split(r"[-_.]+", package))
        speaks = re.compile(rf'"{name}"'.encode(), re.IGNORECASE)
        until, count, found = monotonic() + READ_S, 0, list[Mapping[str, Any]]()
        try:
            for count, text in enumerate(self._texts(), 1):
                if count > ENTRIES_MAX or monotonic() > until:
                    raise TargetError(f"{self.place} holds more than can be read", "keep your ecosystems only")
                if NAMES[ecosystem].encode() in text and speaks.search(text):
                    found.append(json.loads(text))
        except (OSError, ValueError, zipfile.BadZipFile, RecursionError, NotImplementedError) as error:
            raise TargetError(
                f"{self.place} cannot be read: {str(error)[:200]}", "is it a folder of OSV's JSON?"
            ) from None
        if not count:
            raise TargetError(f"{self.place} holds no entry", "is it a folder of OSV's JSON?")
        return found

    def _texts(self) -> Iterator[bytes]:
        if not self.place.is_dir():
            raise OSError("it is no folder")
        for file in sorted(self.place.rglob("*")):
            if file.suffix == ".json":
                with file.open("rb") as one:
                    yield _whole(one.read(ENTRY_BYTES_MAX + 1), file.name)
            elif file.suffix == ".zip":
                with zipfile.ZipFile(file) as archive:
                    for info in archive.infolist():
                        if info.filename.endswith(".json"):
                            with archive.open(info) as one:
                                yield _whole(one.read(ENTRY_BYTES_MAX + 1), info.filename)


def _whole(text: bytes, name: str) -> bytes:
    if len(text) > ENTRY_BYTES_MAX:
        raise ValueError(f"{name[:80]} is longer than {ENTRY_BYTES_MAX >> 20} MiB")
    return text
