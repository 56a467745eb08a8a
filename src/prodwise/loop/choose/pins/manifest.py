"""What of pyproject.toml and uv.toml a package manager may see outside the sandbox: what is asked for and where it comes from. Hooks,
plugins, interpreters and places to write to stay behind."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any, Final

import tomlkit

from prodwise.loop.choose.pins.seen import Cannot

_KEPT: Final[Mapping[str, frozenset[str]]] = {
    "uv": frozenset({
        "build-constraint-dependencies", "conflicts", "constraint-dependencies", "default-groups", "dependency-groups",
        "dependency-metadata", "dev-dependencies", "environments", "exclude-dependencies", "exclude-newer", "exclude-newer-package",
        "extra-index-url", "find-links", "fork-strategy", "index", "index-strategy", "index-url", "managed", "no-index",
        "no-sources", "override-dependencies", "package", "prerelease", "required-environments", "resolution", "sources",
        "workspace",
    }),
    "poetry": frozenset({
        "authors", "dependencies", "description", "dev-dependencies", "extras", "group", "license", "name", "package-mode",
        "readme", "requires-poetry", "source", "version",
    }),
    "pdm": frozenset({"dev-dependencies", "distribution", "resolution", "source"}),
}  # fmt: skip
_ASKED: Final = frozenset({"version", "dependencies", "optional-dependencies", "requires-python"})
"""What uv needs to know of a project."""


def kept(name: str, text: str) -> str | Cannot:
    """The file with what it says of locks; Cannot where it cannot be read."""
    try:
        data = tomllib.loads(text)
        left = _of_tool("uv", data) if name == "uv.toml" else {**data, **_tools(data)}
        new = tomlkit.dumps(left)
        return new if tomllib.loads(new) == left else Cannot(f"{name} cannot be written without its other settings")
    except (ValueError, RecursionError):
        return Cannot(f"{name} is no TOML")


def _tools(data: Mapping[str, Any]) -> dict[str, Any]:
    found = data.get("tool")
    if not isinstance(found, Mapping):
        return {"tool": {}} if found is not None else {}
    tables = {tool: found[tool] for tool in _KEPT if isinstance(found.get(tool), Mapping)}
    return {"tool": {tool: _of_tool(tool, table) for tool, table in tables.items()}}


def _of_tool(tool: str, table: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if key in _KEPT[tool]}


def builds(text: str) -> bool:
    """Whether uv would run the project's own build to know what it asks for: of a workspace's members it does, whatever it is told."""
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError):
        return True
    project = data.get("project")
    if not isinstance(project, Mapping):
        return "build-system" in data
    poetry = "poetry" in data.get("tool", {}) and "dependencies" not in project
    return poetry or "version" not in project or bool(_ASKED & set(map(str, project.get("dynamic", ()))))
