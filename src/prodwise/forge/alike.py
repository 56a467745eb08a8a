"""Pull requests, comments and statuses as GitHub's API has them; Gitea's and Forgejo's is alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final
from urllib.parse import quote

from prodwise.forge.api import Api, address_of, number_of, seconds_of, stamp_of, text_of
from prodwise.model.pull import BRANCH_PREFIX, Mark, Person, PullSeen, PullState, Said

CONTEXT: Final = "prodwise"
SAID_MAX: Final = 200
OURS: Final = "<!-- prodwise:status -->"
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


class LikeGitHub:
    """What GitHub and Gitea answer alike. status_chars: how long a commit's status may be; at: the repository's own path."""

    def __init__(self, api: Api, repo: str, status_chars: int) -> None:
        self._api, self._repo, self._status_chars = api, repo, status_chars
        self._at = f"/repos/{quote(repo)}"

    def opened(self) -> Sequence[PullSeen]:
        return list(ours(self._api.pages(f"{self._at}/pulls", state="open"), self._repo))

    def edit(self, number: int, body: str | None, close: bool = False) -> None:
        changed = ({"body": body} if body is not None else {}) | ({"state": "closed"} if close else {})
        self._api.send("PATCH", f"{self._at}/pulls/{number}", changed)

    def comments(self, number: int, after: int, since: float) -> Sequence[Said]:
        """`since` goes by the last change, so that an older comment may come again: its id tells."""
        query = {"since": stamp_of(since - 1)} if since else {}
        entries = self._api.pages(f"{self._at}/issues/{number}/comments", **query)
        return list(islice((one for one in map(comment_of, entries) if one.id > after), SAID_MAX))

    def say(self, number: int, comment: int, text: str) -> int:
        body = {"body": f"{OURS}\n{text}"}
        comment = comment or self._said_before(number)
        if comment:
            edited = self._api.send("PATCH", f"{self._at}/issues/comments/{comment}", body, fine=(404,))
            if edited.status != 404:
                return comment
        return number_of(self._api.send("POST", f"{self._at}/issues/{number}/comments", body).json, "id")

    def mark(self, head: str, mark: Mark) -> None:
        data = {"state": mark.state.value, "description": mark.text[: self._status_chars], "context": CONTEXT}
        self._api.send("POST", f"{self._at}/statuses/{head}", data)

    def _said_before(self, number: int) -> int:
        author = text_of(self._api.get(f"{self._at}/pulls/{number}"), "user", "login")
        return ours_among(map(comment_of, self._api.pages(f"{self._at}/issues/{number}/comments")), author)
