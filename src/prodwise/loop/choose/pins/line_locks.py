"""The entries of locks that are lines, pnpm's and Yarn's: a package that the app itself asks for, as it was in history."""

from __future__ import annotations

import re
from typing import Final

from prodwise.loop.choose.pins.seen import Cannot
from prodwise.loop.choose.pins.settings import form

MANY: Final = "the lock holds it more than once"
OTHER: Final = "other packages need it too"
OWN: Final = "what it needs itself differs between the two versions"
_NEEDS: Final = re.compile(
    r"^( +)(?:dependencies|optionalDependencies|peerDependencies\w*|dependenciesMeta):\n(?:\1 .*\n)+", re.M
)


def restored(now: str, then: str, package: str, version: str) -> str | Cannot:
    """The lock with the package's entry from then, asked for by the app as this version alone."""
    if form(now) != form(then):
        return Cannot("the lock was of another kind then")
    if "\r" in now or "\r" in then:
        return Cannot("its lines do not end as its tool writes them")
    return (_pnpm if now.startswith("lockfileVersion") else _yarn)(now, then, package, version)


def _yarn(now: str, then: str, package: str, version: str) -> str | Cannot:
    later = "__metadata:" in now
    here, there = _yarn_entries(now, package), _yarn_entries(then, package)
    if (
        len(here) != 1
        or len(there) != 1
        or "," in here[0][1]
        or not re.search(rf'^  version:? "?{re.escape(version)}"?$', there[0][0], re.M)
    ):
        return Cannot(MANY)
    if _metadata(now) != _metadata(then):
        return Cannot("the lock was of another kind then")
    asked = re.compile(
        rf'^    "?{re.escape(package)}"?' + (r': "(npm:[^"\n]+)"$' if later else r' "?([^"\n]+)"?$'), re.M
    )
    if len(asked.findall(now)) != (1 if later else 0):
        return Cannot(OTHER)
    if _needs(here[0][0]) != _needs(there[0][0]):
        return Cannot(OWN)
    key = f"{package}@{'npm:' if later else ''}{version}"
    bare = package[0].isalpha() and not package.startswith(("true", "false"))
    key = f"{key}:" if bare and not later else f'"{key}":'
    new = now.replace(here[0][0], f"{key}\n{there[0][0].partition(chr(10))[2]}", 1)
    return asked.sub(lambda one: one[0].replace(one[1], f"npm:{version}"), new) if later else new


def _metadata(lock: str) -> str:
    found = re.search(r"^__metadata:\n(?: .*\n)+", lock, re.M)
    return found[0] if found else ""


def _yarn_entries(lock: str, package: str) -> list[re.Match[str]]:
    """[0] the entry, [1] what its key asks for."""
    return list(re.finditer(rf'^"?({re.escape(package)}@[^\n]*):\n(?: [^\n]*\n)+', lock, re.M))


def _pnpm(now: str, then: str, package: str, version: str) -> str | Cannot:
    name, new = re.escape(package), now
    asked = list(re.finditer(rf"^( +)'?{name}'?:\n\1  specifier: [^\n]+\n\1  version: ([^\n]+)\n", now, re.M))
    if len(asked) != 1 or not re.fullmatch(r"[\w.+-]+", asked[0][2]):
        return Cannot(MANY)
    for part in ("packages", "snapshots"):
        here, there = _pnpm_entries(now, part, name), _pnpm_entries(then, part, name)
        if (len(here), len(there)) == (0, 0) and part == "snapshots":
            continue
        if len(here) != 1 or len(there) != 1 or there[0][1] != version:
            return Cannot(MANY)
        if _needs(here[0][0]) != _needs(there[0][0]):
            return Cannot(OWN)
        new = new.replace(here[0][0], there[0][0], 1)
    if re.search(rf"^ {{6}}'?{name}'?: \S", now, re.M) or "\ntime:" in now:
        return Cannot(OTHER)
    margin, key = asked[0][1], asked[0][0].partition("\n")[0]
    return new.replace(asked[0][0], f"{key}\n{margin}  specifier: {version}\n{margin}  version: {version}\n", 1)


def _pnpm_entries(lock: str, part: str, name: str) -> list[re.Match[str]]:
    """[0] the entry under this head, [1] its version."""
    found = re.search(rf"^{part}:\n(?:(?: .*)?\n)*", lock, re.M)
    entry = rf"^  '?/?{name}@([^'(\n:]+)[^\n:]*'?:(?: \{{\}})?\n(?: {{4}}[^\n]*\n)*"
    return list(re.finditer(entry, found[0], re.M)) if found else []


def _needs(entry: str) -> list[str]:
    return [one[0] for one in _NEEDS.finditer(entry)]
