"""What a log tells of artifacts that were fetched: where in an address the group begins, which name and version follow it."""

from __future__ import annotations

from collections import Counter
from typing import Final

from prodwise.loop.diagnose.logs.java.names import TOP
from prodwise.loop.diagnose.logs.text import Log

JARS: Final = ("jar", "aar", "war", "hpi")
_FILES: Final = (".pom", *(f".{kind}" for kind in JARS))
_ROOTS: Final = ("maven2", "public", "releases")
_AFTER: Final = ").,"
PROGRESS: Final = "Progress ("
ADDRESS_CHARS: Final = 600
Fetch = tuple[int, str, str, str, str]
"""Line, group, name, version and kind of what was fetched."""


def fetches(log: Log) -> list[Fetch]:
    """Artifacts in the order they were fetched."""
    urls = _urls(log)
    groups = _groups(Counter(folder for _, folder, _, _, _ in urls), {folder: name for _, folder, name, _, _ in urls})
    return [(number, groups[folder], name, version, kind) for number, folder, name, version, kind in urls]


def tells_of_fetching(line: str) -> bool:
    """Also where a terminal's line was written over and over to show how far it is, with blanks at last."""
    return ("ownload" in line and "://" in line) or line.startswith(PROGRESS) or (line != "" and line.isspace())


def _urls(log: Log) -> list[Fetch]:
    """The same with the folder of the address that holds the artifact's in place of the group."""
    found: list[Fetch] = []
    if "ownload" not in log.text:
        return found
    word = "ownloaded" if "ownloaded from" in log.text or "ownloaded:" in log.text else "ownload"
    for number, line in enumerate(log.lines, 1):
        if word not in line:
            continue
        whole = line.partition("://")[2].partition(" ")[0]
        address = whole.rstrip(_AFTER).rsplit("/", 3) if len(whole) <= ADDRESS_CHARS else ()
        if len(address) == 4 and "/" in address[0]:
            folder, name, version, file = address
            if file.endswith(_FILES) and file.startswith(name) and file[len(name) : len(name) + 1] == "-":
                found.append((number, folder, name, version, file[file.rfind(".") + 1 :]))
    return found


def _groups(counted: Counter[str], names: dict[str, str]) -> dict[str, str]:
    """The group of each folder. names: an artifact in it."""
    bases: Counter[str] = Counter()
    begun: dict[str, int] = {}
    for folder, count in counted.items():
        parts = folder.split("/")
        begun[folder] = next((at for at in range(1, len(parts)) if parts[at] in TOP), 1)
        bases["/".join(parts[: begun[folder]])] += count
    known = {base for base, count in bases.items() if "/" in base and (count > 1 or base.endswith(_ROOTS))}
    found: dict[str, str] = {}
    for folder in counted:
        parts = folder.split("/")
        at = next((at for at in range(len(parts) - 1, 0, -1) if "/".join(parts[:at]) in known), 0)
        at = at or (len(parts) - 1 if parts[-1] == names[folder] else begun[folder])
        found[folder] = ".".join(parts[at:])
    return found
