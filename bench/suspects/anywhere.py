"""Harmless changes that any project sees: documents, tests, comments, log lines, helpers, another layout."""

from __future__ import annotations

import re
from dataclasses import dataclass
from random import Random

from bench.suspects.project import Files, Harmless

_TITLES = ("Tidy up", "Small cleanup", "Improve docs")
_VERBS = ("load", "find", "count", "format", "merge", "clean", "parse", "pick")
_NOUNS = ("report", "label", "batch", "banner", "badge", "digest", "slot", "ticket")


def anywhere(language: str) -> tuple[Harmless, ...]:
    """The commoner ones more than once."""
    one = _Anywhere(language == "python")
    edits = (
        (one.readme, 2),
        (one.test, 2),
        (one.remark, 2),
        (one.log, 3),
        (one.helper, 3),
        (one.quotes, 1),
        (one.two, 2),
    )
    return tuple(Harmless(title, edit) for edit, many in edits for title in _TITLES[:many])


@dataclass(frozen=True)
class _Anywhere:
    python: bool

    def _source(self, files: Files, random: Random) -> str:
        suffix = ".py" if self.python else ".js"
        return random.choice(
            sorted(path for path in files if path.endswith(suffix) and not path.startswith(("test", "run.")))
        )

    def readme(self, files: Files, random: Random) -> Files:
        line = f"- {random.choice(_VERBS)} the {random.choice(_NOUNS)} ({random.randrange(1000)})\n"
        return {**files, "README.md": files.get("README.md", "# Notes\n") + line}

    def test(self, files: Files, random: Random) -> Files:
        name = f"{random.choice(_VERBS)}_{random.choice(_NOUNS)}_{random.randrange(1000)}"
        if self.python:
            return {**files, f"tests/test_{name}.py": f"def test_{name}():\n    assert '{name}'\n"}
        return {**files, f"tests/{name}.test.js": f'test("{name}", () => {{\n  expect("{name}");\n}});\n'}

    def remark(self, files: Files, random: Random) -> Files | None:
        note = "#" if self.python else "//"
        path = self._source(files, random)
        return _first_line(
            files, path, f"{note} {random.choice(_VERBS)}s the {random.choice(_NOUNS)}, see the wiki", random
        )

    def log(self, files: Files, random: Random) -> Files | None:
        path = self._source(files, random)
        what, many = f"{random.choice(_VERBS)} {random.choice(_NOUNS)}", random.randrange(100)
        line = f'log.debug("{what} %d", {many})' if self.python else f'log("{what}", {many});'
        return _first_line(files, path, line, random) if "log" in files[path] else None

    def helper(self, files: Files, random: Random) -> Files:
        path = self._source(files, random)
        verb, noun, many = random.choice(_VERBS), random.choice(_NOUNS), random.randrange(2, 100)
        if self.python:
            body = f"\n\ndef {verb}_{noun}_{many}(rows):\n    kept = [row for row in rows if row]\n    return kept[:{many}]\n"
        else:
            inside = f"  const kept = rows.filter(Boolean);\n  return kept.slice(0, {many});\n"
            body = f"\nfunction {verb}{noun.title()}{many}(rows) {{\n{inside}}}\n"
        return {**files, path: files[path].rstrip("\n") + "\n" + body}

    def quotes(self, files: Files, random: Random) -> Files:
        path = self._source(files, random)
        old, new = ('"', "'") if '"' in files[path] else ("'", '"')
        return {**files, path: re.sub(rf"{old}([\w /.:-]*){old}", rf"{new}\1{new}", files[path])}

    def two(self, files: Files, random: Random) -> Files | None:
        return self.log(self.helper(files, random), random)


def _first_line(files: Files, path: str, line: str, random: Random) -> Files | None:
    """The line as the first one of some function."""
    lines = files[path].split("\n")
    python = path.endswith(".py")
    head = re.compile(r"^\s*(?:async )?def .*:$" if python else r"^\s*(?:async )?function .*\{$")
    found = [at for at, text in enumerate(lines) if head.match(text)]
    if not found:
        return None
    at = random.choice(found)
    indent = len(lines[at]) - len(lines[at].lstrip()) + (4 if python else 2)
    return {**files, path: "\n".join([*lines[: at + 1], " " * indent + line, *lines[at + 1 :]])}
