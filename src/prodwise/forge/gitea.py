"""Gitea and Forgejo over the API, version 1.

Names are those of its documentation: `repoCreatePullRequest` (409 when it exists), `repoListPullRequests`,
`repoEditPullRequest`, `issueGetCommentsAndTimeline` (who closed it), `issueGetComments`, `repoCreateStatus`, and
`repoGetRepoPermissions`, which only an administrator of the repository may ask about others.
A title that begins with "WIP:" is a draft.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final
from urllib.parse import quote

from prodwise.forge.api import Api, number_of, stamp_of, text_of
from prodwise.forge.entries import OURS, comment_of, ours, ours_among, pull_of
from prodwise.model.errors import ForgeError
from prodwise.model.pull import Mark, Person, PullSeen, PullState, PullText, Said

NEEDS: Final = "write:repository and write:issue"
CONTEXT: Final = "prodwise"
DRAFT: Final = "WIP: "
FOUND_MAX, SAID_MAX, STATUS_CHARS = 10, 200, 250
_WRITES = frozenset({"owner", "admin", "write"})


class Gitea:
    """One repository, as "owner/name". Implements ports.Host."""

    def __init__(self, repo: str, token: str, base: str, pause: Callable[[float], None] = time.sleep) -> None:
        self._repo = repo
        self._api = Api(base, token, "token", NEEDS, pause)
        self._at = f"/repos/{quote(repo)}"

    def found(self, branch: str) -> Sequence[PullSeen]:
        """The list cannot be asked for a branch: the newest thousand pull requests are looked through."""
        entries = self._api.pages(f"{self._at}/pulls", state="all", sort="newest")
        mine = (one for one in ours(entries, self._repo) if one.branch == branch)
        newest = sorted(mine, key=lambda one: one.number, reverse=True)[:FOUND_MAX]
        return [self._with_who(one) for one in newest]

    def opened(self) -> Sequence[PullSeen]:
        return list(ours(self._api.pages(f"{self._at}/pulls", state="open"), self._repo))

    def open(self, branch: str, onto: str, text: PullText) -> PullSeen:
        wanted = {"title": f"{DRAFT}{text.title}", "body": text.body, "head": branch, "base": onto}
        answer = self._api.send("POST", f"{self._at}/pulls", wanted, fine=(409,))
        if answer.status != 409:
            return pull_of(answer.json)
        standing = next((one for one in self.found(branch) if one.state is PullState.OPEN), None)
        if standing is None:
            raise ForgeError(f"the host says that {branch} is proposed already, and does not show it")
        return standing

    def edit(self, number: int, body: str | None, close: bool = False) -> None:
        changed = ({"body": body} if body is not None else {}) | ({"state": "closed"} if close else {})
        self._api.send("PATCH", f"{self._at}/pulls/{number}", changed)

    def comments(self, number: int, after: int, since: float) -> Sequence[Said]:
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

    def may_write(self, who: Person) -> bool:
        asked = self._api.call(
            "GET", f"{self._at}/collaborators/{quote(who.login, safe='')}/permission", fine=(403, 404)
        )
        if asked.status == 403:
            raise ForgeError(
                "the token's account may not ask what others may do",
                "only an administrator of the repository may: make it one, or answer in Prodwise instead of by comment",
            )
        return asked.status == 200 and text_of(asked.json, "permission") in _WRITES

    def mark(self, head: str, mark: Mark) -> None:
        data = {"state": mark.state.value, "description": mark.text[:STATUS_CHARS], "context": CONTEXT}
        self._api.send("POST", f"{self._at}/statuses/{head}", data)

    def _said_before(self, number: int) -> int:
        author = text_of(self._api.get(f"{self._at}/pulls/{number}"), "user", "login")
        return ours_among(map(comment_of, self._api.pages(f"{self._at}/issues/{number}/comments")), author)

    def _with_who(self, seen: PullSeen) -> PullSeen:
        if seen.state is not PullState.CLOSED:
            return seen
        told = [
            one for one in self._api.pages(f"{self._at}/issues/{seen.number}/timeline") if one.get("type") == "close"
        ]
        return replace(seen, by=text_of(told[-1], "user", "login") if told else "")
