"""The licence that an installed package states of itself: read, never run."""

from __future__ import annotations

import glob
import json
import re
from email.parser import HeaderParser
from pathlib import Path
from typing import Final

from prodwise.loop.choose.pins.seen import same
from prodwise.ports.repair import Environment

BYTES_MAX: Final = 400_000
LICENCE_MAX: Final = 120


def licence(made: Environment, package: str) -> str:
    """As its metadata has it: an SPDX expression (PEP 639, npm), else its classifiers, else a short text. "" where it says nothing."""
    inside = f"node_modules/{glob.escape(package)}/package.json"
    for where in (inside, f"node_modules/.pnpm/*/{inside}"):
        for modules in made.place.glob(where):
            return _plain(_npm(modules))
    for info in made.place.glob("venv/lib/python*/site-packages/*.dist-info/METADATA"):
        if same(info.parent.name.removesuffix(".dist-info").rpartition("-")[0], package):
            return _plain(_python(info))
    return ""


def _npm(file: Path) -> str:
    try:
        told = json.loads(_text(file)).get("license", "")
    except (ValueError, AttributeError, RecursionError):
        return ""
    return str(told.get("type", "")) if isinstance(told, dict) else str(told)


def _python(file: Path) -> str:
    told = HeaderParser().parsestr(_text(file))
    if expression := told.get("License-Expression"):
        return str(expression)
    named = [str(one) for one in told.get_all("Classifier", []) if str(one).startswith("License ::")]
    if named:
        return " AND ".join(sorted(one.rpartition("::")[2].strip() for one in named))
    return str(told.get("License", ""))


def _text(file: Path) -> str:
    with file.open("rb") as one:
        return one.read(BYTES_MAX).decode(errors="replace")


def _plain(text: str) -> str:
    line = re.sub(r"\s+", " ", "".join(c if c.isprintable() else " " for c in text[: 4 * LICENCE_MAX])).strip()
    return line if len(line) <= LICENCE_MAX and line.upper() != "UNKNOWN" else ""
