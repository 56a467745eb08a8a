"""What a changed file is for, and whether a change of it can matter to what runs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache

from prodwise.model.commit import Commit, FileChange, Hunk


class Kind(StrEnum):
    CODE = "code"
    TEST = "test"
    DOCUMENT = "document"
    PACKAGES = "packages"  # a manifest or a lock
    OTHER = "other"  # configuration, templates, data: it may well matter


_TEST = re.compile(
    r"(?:^|/)(?:tests?|specs?|__tests__|e2e|fixtures|cypress)/|(?:^|/)(?:test_[^/]*|conftest)\.py$|_test\.(?:py|go|rb)$"
    r"|[._](?:test|spec)\.[cm]?[jt]sx?$|_spec\.rb$|Tests?\.(?:java|kt|cs)$",
    re.IGNORECASE,
)
_DOCUMENT = re.compile(
    r"\.(?:md|rst|adoc|markdown)$|(?:^|/)docs?/|(?:^|/)(?:LICEN[CS]E|CHANGELOG|CHANGES|AUTHORS|NOTICE|CODEOWNERS|COPYING)(?:\.\w+)?$"
    r"|(?:^|/)\.(?:github|gitlab|circleci|vscode|idea)/|(?:^|/)\.(?:gitignore|gitattributes|editorconfig|pre-commit-config\.yaml)$",
    re.IGNORECASE,
)
_PACKAGES = re.compile(
    r"(?:^|/)(?:(?:[\w.-]*requirements[\w.-]*|constraints[\w.-]*)\.(?:txt|in|lock)|requirements/[\w.-]+\.txt|pyproject\.toml|poetry\.lock|uv\.lock"
    r"|Pipfile(?:\.lock)?|setup\.(?:py|cfg)|package(?:-lock)?\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml"
    r"|Gemfile(?:\.lock)?|go\.(?:mod|sum)|Cargo\.(?:toml|lock)|composer\.(?:json|lock)|pom\.xml|build\.gradle(?:\.kts)?)$",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"\.(?:py|pyi|pyx|[cm]?[jt]sx?|vue|svelte|rb|go|rs|java|kt|scala|cs|php|ex|exs|clj|swift|c|cc|cpp|h|hpp|lua|pl|sh)$",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"^\s*(?:#(?!!|include|define|if|endif)|//|/\*|\*(?:\s|/|$)|<!--|--\s|\"\"\"[^\"]*\"\"\"\s*$)")
_SPEAKS = re.compile(
    r"^\s*(?:self\.|this\.)?(?:_?log(?:ger|ging)?|console|print|debug|warn)(?:\.\w+)?\(.*\)[;,]?\s*$", re.IGNORECASE
)
_LAYOUT = re.compile(r"[\s;]+")
_WORD = re.compile(r"\w+")
_COMMA = re.compile(r",(?=[)\]}])")
_INDENTED = re.compile(r"\.(?:py|pyi|pyx|ya?ml|coffee|haml|pug|sass)$")


@lru_cache(maxsize=8192)
def kind_of(path: str) -> Kind:
    if _PACKAGES.search(path):
        return Kind.PACKAGES
    if _TEST.search(path):
        return Kind.TEST
    if _DOCUMENT.search(path):
        return Kind.DOCUMENT
    return Kind.CODE if _CODE.search(path) else Kind.OTHER


def comment(line: str, path: str = "") -> bool:
    """Blank, or nothing but a comment; there are none in JSON."""
    return not line.strip() or (not path.endswith(".json") and _COMMENT.match(line) is not None)


def speaks(line: str) -> bool:
    """Nothing but a word to a log."""
    return _SPEAKS.match(line) is not None


def layout_only(hunk: Hunk, path: str) -> bool:
    """Whether the hunk says the same as before: another layout, other quotes, a comma at the end. Where indentation means
    something, the same lines further in say something else."""
    if not any(hunk.removed) or not any(hunk.added) or _said(hunk.removed) != _said(hunk.added):
        return False
    same_lines = [line.strip() for line in hunk.removed] == [line.strip() for line in hunk.added]
    return not same_lines or _INDENTED.search(path) is None or _depths(hunk.removed) == _depths(hunk.added)


def idle(hunk: Hunk, path: str) -> bool:
    """Whether nothing that runs can tell that the hunk is there."""
    lines = (*hunk.removed, *hunk.added)
    return layout_only(hunk, path) or (any(lines) and all(comment(line, path) for line in lines))


def renamed_stems(files: Iterable[FileChange]) -> tuple[tuple[str, str], ...]:
    """(old, new) names of files that were renamed, without folder and suffix."""
    pairs = {
        (_stem(one.before), _stem(one.path)) for one in files if one.before and one.path and one.before != one.path
    }
    return tuple(sorted((old, new) for old, new in pairs if old != new))


def follows_rename(hunk: Hunk, renames: tuple[tuple[str, str], ...]) -> bool:
    """Whether the hunk only calls a renamed file by its new name."""
    if not renames or not hunk.removed or not hunk.added:
        return False
    before, after = (Counter(_WORD.findall("\n".join(lines))) for lines in (hunk.removed, hunk.added))
    gone, come = before - after, after - before
    return bool(gone) and any(gone.keys() <= {old} and come.keys() <= {new} for old, new in renames)


def _stem(path: str) -> str:
    return path.rsplit("/", 1)[-1].split(".", 1)[0]


def nothing_runs(commit: Commit) -> bool:
    """Whether the commit changed documents, tests, comments and layout only. What was not read whole may hold more."""
    if not commit.whole:
        return False
    for change in commit.own():
        if kind_of(change.path or change.before) in (Kind.TEST, Kind.DOCUMENT):
            continue
        if (
            change.path != change.before
            or not change.hunks
            or not all(idle(hunk, change.path) for hunk in change.hunks)
        ):
            return False
    return True


def _said(lines: tuple[str, ...]) -> str:
    text = _LAYOUT.sub("", "".join(lines)).replace("'", '"')
    return _COMMA.sub("", text).rstrip(",")


def _depths(lines: tuple[str, ...]) -> list[int]:
    return [len(line) - len(line.lstrip()) for line in lines]
