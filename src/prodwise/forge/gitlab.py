"""GitLab over the REST API, version 4.

Names are those of its documentation: "Create MR" (409 when one is open), "List project merge requests", "Update MR",
"List all merge request notes", "Set commit pipeline status", and "Retrieve a member of a project, including inherited and
invited members". A title that begins with "Draft:" is a draft.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice, takewhile
from typing import Any, Final
from urllib.parse import quote

from prodwise.forge.api import Api, address_of, number_of, seconds_of, text_of
from prodwise.model.errors import ForgeError
from prodwise.model.pull import BRANCH_PREFIX, Mark, MarkState, Person, PullSeen, PullState, PullText, Said

BASE: Final = "https://gitlab.com/api/v4"
NEEDS: Final = "scope api, as a Developer of the project"
CONTEXT: Final = "prodwise"
DRAFT: Final = "Draft: "
OURS: Final = "<!-- prodwise:status -->"
DEVELOPER: Final = 30
FOUND_MAX, SAID_MAX, STATUS_CHARS = 10, 200, 255
_STATES = {MarkState.PENDING: "pending", MarkState.SUCCESS: "success", MarkState.FAILURE: "failed"}


class GitLab:
    """One project, as "group/name". Implements ports.Host."""

    def __init__(self, repo: str, token: str, base: str = BASE, pause: Callable[[float], None] = time.sleep) -> None:
        self._api = Api(base, token, "Bearer", NEEDS, pause)
        self._at = f"/projects/{quote(repo, safe='')}"

    def found(self, branch: str) -> Sequence[PullSeen]:
        query = {"state": "all", "source_branch": branch, "order_by": "created_at", "sort": "desc"}
        entries = self._api.pages(f"{self._at}/merge_requests", **query)
        return list(islice((one for one in _ours(entries) if one.branch == branch), FOUND_MAX))

    def opened(self) -> Sequence[PullSeen]:
        return list(_ours(self._api.pages(f"{self._at}/merge_requests", state="opened")))

    def open(self, branch: str, onto: str, text: PullText) -> PullSeen:
        wanted = {
            "title": f"{DRAFT}{text.title}",
            "description": text.body,
            "source_branch": branch,
            "target_branch": onto,
            "remove_source_branch": True,
        }
        answer = self._api.send("POST", f"{self._at}/merge_requests", wanted, fine=(409,))
        if answer.status != 409:
            return _pull(answer.json)
        standing = next((one for one in self.found(branch) if one.state is PullState.OPEN), None)
        if standing is None:
            raise ForgeError(f"GitLab says that {branch} is proposed already, and does not show it")
        return standing

    def edit(self, number: int, body: str | None, close: bool = False) -> None:
        changed = ({"description": body} if body is not None else {}) | ({"state_event": "close"} if close else {})
        self._api.send("PUT", f"{self._at}/merge_requests/{number}", changed)

    def comments(self, number: int, after: int, since: float) -> Sequence[Said]:
        """Notes cannot be asked for since when: newest first, down to the last one known."""
        new = takewhile(lambda one: number_of(one, "id") > after, self._notes(number))
        people = [_note(one) for one in new if one.get("system") is not True]
        return sorted(people, key=lambda one: one.id)[:SAID_MAX]

    def say(self, number: int, comment: int, text: str) -> int:
        body = {"body": f"{OURS}\n{text}"}
        at = f"{self._at}/merge_requests/{number}/notes"
        comment = comment or self._said_before(number)
        if comment:
            edited = self._api.send("PUT", f"{at}/{comment}", body, fine=(404,))
            if edited.status != 404:
                return comment
        return number_of(self._api.send("POST", at, body).json, "id")

    def may_write(self, who: Person) -> bool:
        """404: no member. A member whose access has ended is blocked or gone."""
        asked = self._api.call("GET", f"{self._at}/members/all/{who.id}", fine=(404,))
        active = asked.status == 200 and text_of(asked.json, "state") == "active"
        return (
            active
            and text_of(asked.json, "username") == who.login
            and number_of(asked.json, "access_level") >= DEVELOPER
        )

    def mark(self, head: str, mark: Mark) -> None:
        """400 for a status that stands already: older GitLab calls that a transition which cannot be."""
        data = {"state": _STATES[mark.state], "description": mark.text[:STATUS_CHARS], "name": CONTEXT}
        answer = self._api.send("POST", f"{self._at}/statuses/{head}", data, fine=(400,))
        if answer.status == 400 and "transition" not in text_of(answer.json, "message").casefold():
            raise ForgeError("GitLab does not take the commit's status", text_of(answer.json, "message")[:200])

    def _notes(self, number: int) -> Iterator[Mapping[str, Any]]:
        return self._api.pages(f"{self._at}/merge_requests/{number}/notes", order_by="created_at", sort="desc")

    def _said_before(self, number: int) -> int:
        author = text_of(self._api.get(f"{self._at}/merge_requests/{number}"), "author", "username")
        said = (_note(one) for one in self._notes(number) if text_of(one, "body").startswith(OURS))
        return next((one.id for one in said if one.by.login == author), 0)


def _ours(entries: Iterable[Mapping[str, Any]]) -> Iterator[PullSeen]:
    """From the project itself: a fork may name its branches as it likes."""
    for entry in entries:
        here = entry.get("source_project_id") == entry.get("target_project_id")
        if here and text_of(entry, "source_branch").startswith(BRANCH_PREFIX):
            yield _pull(entry)


def _pull(entry: Any) -> PullSeen:
    """`locked` is a merge that is under way."""
    number, told = number_of(entry, "iid"), text_of(entry, "state")
    state = {"merged": PullState.MERGED, "closed": PullState.CLOSED}.get(told, PullState.OPEN)
    merged_by = text_of(entry, "merge_user", "username") or text_of(entry, "merged_by", "username")
    by = {PullState.MERGED: merged_by, PullState.CLOSED: text_of(entry, "closed_by", "username"), PullState.OPEN: ""}[
        state
    ]
    branch, author = text_of(entry, "source_branch"), text_of(entry, "author", "username")
    return PullSeen(number, address_of(entry, "web_url"), branch, text_of(entry, "sha"), state, author, by)


def _note(entry: Mapping[str, Any]) -> Said:
    who = entry.get("author")
    person = Person(number_of(who, "id"), text_of(who, "username")) if isinstance(who, dict) else Person(0, "")
    return Said(number_of(entry, "id"), person, seconds_of(text_of(entry, "created_at")), text_of(entry, "body"))
