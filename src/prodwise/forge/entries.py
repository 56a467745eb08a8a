"""Pull requests and comments as GitHub's API writes them; Gitea's and Forgejo's are written alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from prodwise.forge.api import address_of, number_of, seconds_of, text_of
from prodwise.model.pull import BRANCH_PREFIX, Person, PullSeen, PullState, Said

OURS = "<!-- prodwise:status -->"
"""The first line of our one comment. It is believed only of the author of the pull request."""


def ours(entries: Iterable[Mapping[str, Any]], repo: str) -> Iterator[PullSeen]:
    """Those from branches of ours. A fork may name its branches as it likes, so that the repository's name must fit, too."""
    for entry in entries:
        head = entry.get("head")
        here = text_of(head, "repo", "full_name").casefold() == repo.casefold()
        if here and text_of(head, "ref").startswith(BRANCH_PREFIX):
            yield pull_of(entry)


def pull_of(entry: Any) -> PullSeen:
    number, is_open = number_of(entry, "number"), text_of(entry, "state") == "open"
    state = PullState.OPEN if is_open else PullState.MERGED if text_of(entry, "merged_at") else PullState.CLOSED
    ref, head = text_of(entry, "head", "ref"), text_of(entry, "head", "sha")
    by = text_of(entry, "merged_by", "login") if state is PullState.MERGED else ""
    return PullSeen(number, address_of(entry, "html_url"), ref, head, state, text_of(entry, "user", "login"), by)


def comment_of(entry: Any) -> Said:
    """Who is gone has no name, and may write nothing."""
    who = entry.get("user") if isinstance(entry, dict) else None
    person = Person(number_of(who, "id"), text_of(who, "login")) if isinstance(who, dict) else Person(0, "")
    return Said(number_of(entry, "id"), person, seconds_of(text_of(entry, "created_at")), text_of(entry, "body"))


def ours_among(comments: Iterable[Said], author: str) -> int:
    """The id of our comment; 0 when it is not there."""
    return next((one.id for one in comments if author and one.by.login == author and one.body.startswith(OURS)), 0)
