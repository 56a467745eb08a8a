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
from typing import Final
from urllib.parse import quote

from prodwise.forge.alike import LikeGitHub, ours, pull_of
from prodwise.forge.api import Api, text_of
from prodwise.model.errors import ForgeError
from prodwise.model.pull import Person, PullSeen, PullState, PullText

NEEDS: Final = "write:repository and write:issue"
DRAFT: Final = "WIP: "
FOUND_MAX, STATUS_CHARS = 10, 250
_WRITES = frozenset({"owner", "admin", "write"})


class Gitea(LikeGitHub):
    """One repository, as "owner/name". Implements ports.Host."""

    def __init__(self, repo: str, token: str, base: str, pause: Callable[[float], None] = time.sleep) -> None:
        super().__init__(Api(base, token, "token", NEEDS, pause), repo, STATUS_CHARS)

    def found(self, branch: str) -> Sequence[PullSeen]:
        """The list cannot be asked for a branch: the newest thousand pull requests are looked through."""
        entries = self._api.pages(f"{self._at}/pulls", state="all", sort="newest")
        mine = (one for one in ours(entries, self._repo) if one.branch == branch)
        newest = sorted(mine, key=lambda one: one.number, reverse=True)[:FOUND_MAX]
        return [self._with_who(one) for one in newest]

    def open(self, branch: str, onto: str, text: PullText) -> PullSeen:
        wanted = {"title": f"{DRAFT}{text.title}", "body": text.body, "head": branch, "base": onto}
        answer = self._api.send("POST", f"{self._at}/pulls", wanted, fine=(409,))
        if answer.status != 409:
            return pull_of(answer.json)
        standing = next((one for one in self.found(branch) if one.state is PullState.OPEN), None)
        if standing is None:
            raise ForgeError(f"the host says that {branch} is proposed already, and does not show it")
        return standing

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

    def _with_who(self, seen: PullSeen) -> PullSeen:
        if seen.state is not PullState.CLOSED:
            return seen
        told = [
            one for one in self._api.pages(f"{self._at}/issues/{seen.number}/timeline") if one.get("type") == "close"
        ]
        return replace(seen, by=text_of(told[-1], "user", "login") if told else "")
