"""Which files of a repository hold settings, and how they are written."""

from __future__ import annotations

import re
from typing import Final

from prodwise.model.setting import Form

_BY_END: Final = {
    ".toml": Form.TOML, ".yaml": Form.YAML, ".yml": Form.YAML, ".json": Form.JSON, ".ini": Form.INI, ".cfg": Form.INI,
    ".conf": Form.INI, ".cnf": Form.INI, ".properties": Form.PROPERTIES, ".py": Form.PYTHON,
}  # fmt: skip
_TOLD_BY_NAME: Final = (Form.YAML, Form.JSON)
"""Much else is written so: a name must speak of settings."""
_NAMES = re.compile(
    r"settings?|config|conf(?![a-z])|flags?|features?|toggles?|options?|preferences?|prefs|defaults?|limits?|application|env"
    r"|rollout|experiments?|params?|parameters|tuning|quotas?",
    re.IGNORECASE,
)
_MODULE = re.compile(r"(?:[a-z0-9_]*_)?(?:settings|config|conf|constants|defaults|flags|features|options)\.py")
_MODULE_FOLDERS: Final = frozenset({"settings", "config", "conf", "configs"})
_ENV = re.compile(r"(?:[\w.-]*\.)?env\.(?:example|sample|template|dist|defaults)|(?:example|sample|defaults)\.env")
_FLAG_FOLDERS: Final = frozenset({"flags", "features", "toggles", "feature_flags", "feature-flags"})
_FLAG_ENDS: Final = ("", ".flag", ".txt")


def form_of(path: str) -> Form | None:
    """None for what is no settings file by its name."""
    *folders, name = path.split("/")
    end = name[name.rfind(".") :].lower() if "." in name[1:] else ""
    if is_example(path):
        return Form.ENV
    if folders and folders[-1].lower() in _FLAG_FOLDERS and end in _FLAG_ENDS:
        return Form.FLAG
    form = _BY_END.get(end)
    if form is Form.PYTHON:
        module = _MODULE.fullmatch(name) or (folders and folders[-1] in _MODULE_FOLDERS)
        return form if module else None
    if form in _TOLD_BY_NAME:
        return form if any(_NAMES.search(part) for part in (*folders[-2:], name.removesuffix(end))) else None
    return form


def is_example(path: str) -> bool:
    """A tracked example of an environment, which holds no secret by what it is for."""
    return _ENV.fullmatch(path.rsplit("/", 1)[-1].lower()) is not None
