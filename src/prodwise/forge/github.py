"""GitHub, and GitHub Enterprise Server, over the REST API.

Names are those of its documentation: "Create a pull request", "List pull requests", "Update a pull request", "Get an issue"
(`closed_by` is told there only), "List issue comments", "Get repository permissions for a user", "Create a commit status".
A draft becomes ready by GraphQL only: a person does that.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, Final
from urllib.parse import quote

from prodwise.forge.alike import LikeGitHub, ours, pull_of
from prodwise.forge.api import Api, text_of
from prodwise.model.errors import ForgeError
from prodwise.model.pull import Person, PullSeen, PullState, PullText

BASE: Final = "https://api.github.com"
NEEDS: Final = "contents: write, pull requests: write, commit statuses: write, metadata: read"
FOUND_MAX, STATUS_CHARS = 10, 140
_WRITES = frozenset({"admin", "write"})  # "maintain" is told as write, "triage" as read


class GitHub(LikeGitHub):
    """One repository, as "owner/name". Implements ports.Host."""

    def __init__(self, repo: str, token: str, base: str = BASE, pause: Callable[[float], None] = time.sleep) -> None:
        super().__init__(Api(base, token, "Bearer", NEEDS, pause), repo, STATUS_CHARS)
        self._owner = repo.partition("/")[0]

    def found(self, branch: str) -> Sequence[PullSeen]:
        query = {"state": "all", "head": f"{self._owner}:{branch}", "sort": "created", "direction": "desc"}
        mine = (one for one in ours(self._api.pages(f"{self._at}/pulls", **query), self._repo) if one.branch == branch)
        return [self._with_who(one) for one in islice(mine, FOUND_MAX)]

    def open(self, branch: str, onto: str, text: PullText) -> PullSeen:
        """422 tells, among others, that it exists, and that a private repository's plan has no drafts."""
        wanted = {"title": text.title, "body": text.body, "head": branch, "base": onto, "draft": True}
        answer = self._api.send("POST", f"{self._at}/pulls", wanted, fine=(422,))
        if answer.status == 422 and "draft" in _reasons(answer.json):
            answer = self._api.send("POST", f"{self._at}/pulls", {**wanted, "draft": False}, fine=(422,))
        if answer.status != 422:
            return pull_of(answer.json)
        standing = next((one for one in self.found(branch) if one.state is PullState.OPEN), None)
        if standing is None:
            raise ForgeError(f"GitHub does not take {branch}: {_reasons(answer.json) or 'no reason given'}")
        return standing

    def may_write(self, who: Person) -> bool:
        """404: nobody that the repository knows."""
        asked = self._api.call("GET", f"{self._at}/collaborators/{quote(who.login, safe='')}/permission", fine=(404,))
        return asked.status == 200 and text_of(asked.json, "permission") in _WRITES

    def _with_who(self, seen: PullSeen) -> PullSeen:
        """A list does not say who merged or closed."""
        if seen.state is PullState.OPEN:
            return seen
        part, key = ("issues", "closed_by") if seen.state is PullState.CLOSED else ("pulls", "merged_by")
        return replace(seen, by=text_of(self._api.get(f"{self._at}/{part}/{seen.number}"), key, "login"))


def _reasons(answer: Any) -> str:
    errors = answer.get("errors") if isinstance(answer, dict) else None
    told = [text_of(one, "message") or text_of(one, "code") for one in errors] if isinstance(errors, list) else []
    return "; ".join([text_of(answer, "message"), *told])[:300].casefold()
