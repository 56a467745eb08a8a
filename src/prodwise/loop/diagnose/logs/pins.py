"""The next command to try: the version from before, in the words of the ecosystem's own tool. Shown, never run by us."""

from __future__ import annotations

import re
from typing import Final

from prodwise.model.breakage import Ecosystem

_PLAIN: Final = re.compile(r"[\w@./:+~-]{1,200}")


def pin(ecosystem: Ecosystem, name: str, before: str, gradle: bool = False) -> str:
    """ "" when the version from before is not known, or a name is not one that may stand in a command."""
    if not before or not _PLAIN.fullmatch(name) or not _PLAIN.fullmatch(before) or name.startswith("-"):
        return ""
    match ecosystem:
        case Ecosystem.PYTHON:
            return f"pip install '{name}=={before}'"
        case Ecosystem.NODE:
            return f"npm install --save-exact {name}@{before}"
        case Ecosystem.RUBY:
            return f"bundle add {name} --version {before}"
        case Ecosystem.GO:
            return f"go get {name}@{before if before.startswith('v') else 'v' + before}"
        case Ecosystem.PHP:
            return f"composer require {name}:{before} --with-all-dependencies"
        case Ecosystem.RUST:
            return f"cargo update -p {name} --precise {before}"
        case Ecosystem.JAVA if gradle:
            return f"implementation('{name}') {{ version {{ strictly '{before}' }} }}"
        case Ecosystem.JAVA:
            return f"mvn versions:use-dep-version -Dincludes={name} -DdepVersion={before} -DforceVersion=true"
