"""The used part of three APIs over one FakeForge: GitHub's, Gitea's (much alike) and GitLab's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from prodwise.testing.fake_forge import LOGIN, FakeComment, FakeForge, FakePull, Reply, serving

LOST = Reply(404, {"message": "Not Found"})


def fake_forge(kind: str, git_root: Path) -> AbstractContextManager[FakeForge]:
    """kind: github, gitlab or gitea. git_root: holds REPO.git, bare."""
    return serving(FakeForge(git_root, kind), _gitlab if kind == "gitlab" else _like_github)


def _like_github(forge: FakeForge, method: str, path: str, query: dict[str, str], data: dict[str, Any]) -> Reply:
    at = f"/repos/{forge.repo}"
    if not path.startswith(f"{at}/"):
        return LOST
    rest = path.removeprefix(at)
    if rest == "/pulls":
        return _open(forge, data) if method == "POST" else _listed(forge, query)
    if found := re.fullmatch(r"/(pulls|issues)/(\d+)", rest):
        return _one(forge, method, found[1], int(found[2]), data)
    if found := re.fullmatch(r"/issues/(\d+)/(comments|timeline)", rest):
        return _said(forge, method, int(found[1]), found[2], query, data)
    if (found := re.fullmatch(r"/issues/comments/(\d+)", rest)) and method == "PATCH":
        return _edited(forge, int(found[1]), data, lambda one: _comment(forge, one))
    if found := re.fullmatch(r"/collaborators/([^/]+)/permission", rest):
        return _permission(forge, unquote(found[1]))
    if (found := re.fullmatch(r"/statuses/([0-9a-f]{40})", rest)) and method == "POST":
        states = ("error", "failure", "pending", "success") + (("warning",) if forge.kind == "gitea" else ())
        most = 140 if forge.kind == "github" else 255
        return _marked(
            forge, found[1], data.get("state"), states, data.get("context"), data.get("description", ""), most
        )
    return LOST


def _open(forge: FakeForge, data: dict[str, Any]) -> Reply:
    github = forge.kind == "github"
    standing = next(
        (one for one in forge.pulls if one.head == data["head"] and one.state == "open" and not one.fork), None
    )
    if standing and github:
        said = f"A pull request already exists for {forge.repo.partition('/')[0]}:{standing.head}."
        return Reply(
            422,
            {
                "message": "Validation Failed",
                "errors": [{"resource": "PullRequest", "code": "custom", "message": said}],
            },
        )
    if standing:
        return Reply(409, {"message": f"pull request already exists for these targets [id: {standing.number}]"})
    if github and data.get("draft") and not forge.drafts:
        said = "Draft pull requests are not supported in this repository."
        return Reply(422, {"message": said})
    if not forge.tip(data["head"]) or not forge.tip(data["base"]):
        return (
            Reply(422, {"message": "Validation Failed", "errors": [{"field": "head", "code": "invalid"}]})
            if github
            else LOST
        )
    draft = bool(data.get("draft")) if github else data["title"].startswith("WIP:")
    return Reply(201, _pull(forge, _made(forge, data["title"], data["body"], data["head"], data["base"], draft)))


def _made(forge: FakeForge, title: str, body: str, head: str, base: str, draft: bool) -> FakePull:
    pull = FakePull(len(forge.pulls) + 1, title, body, head, base, LOGIN, draft=draft)
    forge.pulls.append(pull)
    return pull


def _listed(forge: FakeForge, query: dict[str, str]) -> Reply:
    wanted = [one for one in reversed(forge.pulls) if _in_state(one, query.get("state", "open"))]
    if forge.kind == "github" and "head" in query:
        owner, _, branch = query["head"].partition(":")
        wanted = [one for one in wanted if one.head == branch and owner == forge.repo.partition("/")[0]]
    return _paged(forge, [_pull(forge, one, whole=False) for one in wanted], query)


def _in_state(pull: FakePull, state: str) -> bool:
    return state == "all" or (pull.state == "open") == (state in ("open", "opened"))


def _one(forge: FakeForge, method: str, part: str, number: int, data: dict[str, Any]) -> Reply:
    pull = forge.number(number)
    if pull is None:
        return LOST
    if method == "PATCH":
        pull.body, pull.title = data.get("body", pull.body), data.get("title", pull.title)
        if data.get("state") == "closed" and pull.state == "open":
            pull.state, pull.by = "closed", LOGIN
        return Reply(201 if forge.kind == "gitea" else 200, _pull(forge, pull))
    if part == "issues":
        by = {"login": pull.by, "id": forge.user_id(pull.by)} if pull.state != "open" else None
        return Reply(200, {"number": number, "state": _open_or_closed(pull), "closed_by": by, "pull_request": {}})
    return Reply(200, _pull(forge, pull))


def _open_or_closed(pull: FakePull) -> str:
    return "open" if pull.state == "open" else "closed"


def _pull(forge: FakeForge, pull: FakePull, whole: bool = True) -> dict[str, Any]:
    """whole: a list leaves out who merged, at GitHub."""
    source = "stranger/shop" if pull.fork else forge.repo
    told: dict[str, Any] = {
        "id": 9_000 + pull.number,
        "number": pull.number,
        "html_url": f"{forge.pages or forge.origin}/{forge.repo}/pull/{pull.number}",
        "title": pull.title,
        "body": pull.body,
        "state": _open_or_closed(pull),
        "draft": pull.draft,
        "merged_at": _stamp(forge.clock) if pull.state == "merged" else None,
        "user": {"login": pull.author, "id": forge.user_id(pull.author)},
        "head": {"ref": pull.head, "sha": forge.head_of(pull), "repo": {"full_name": source}},
        "base": {"ref": pull.base, "repo": {"full_name": forge.repo}},
    }
    if pull.state == "merged" and (whole or forge.kind == "gitea"):
        told["merged_by"] = {"login": pull.by, "id": forge.user_id(pull.by)}
    return told


def _said(forge: FakeForge, method: str, number: int, part: str, query: dict[str, str], data: dict[str, Any]) -> Reply:
    pull = forge.number(number)
    if pull is None:
        return LOST
    if method == "POST":
        return Reply(201, _comment(forge, forge.comment(number, LOGIN, data["body"])))
    entries = [_comment(forge, one) for one in pull.comments if _stamp(one.at) >= query.get("since", "")]
    if part == "timeline":
        closed = [{"type": "close", "user": {"login": pull.by}}] if pull.state == "closed" else []
        return (
            _paged(forge, [*({**one, "type": "comment"} for one in entries), *closed], query)
            if forge.kind == "gitea"
            else LOST
        )
    return _paged(forge, entries, query) if forge.kind == "github" else Reply(200, entries)  # Gitea gives all at once


def _edited(forge: FakeForge, wanted: int, data: dict[str, Any], told: Any) -> Reply:
    for pull in forge.pulls:
        for one in pull.comments:
            if one.id == wanted:
                one.body = data["body"]
                return Reply(200, told(one))
    return LOST


def _comment(forge: FakeForge, one: FakeComment) -> dict[str, Any]:
    user = {"login": one.by, "id": forge.user_id(one.by)} if one.by else None
    return {"id": one.id, "user": user, "body": one.body, "created_at": _stamp(one.at), "updated_at": _stamp(one.at)}


def _permission(forge: FakeForge, login: str) -> Reply:
    if forge.kind == "gitea" and not forge.admin and login != LOGIN:
        said = "Only admins can query all permissions, collaborators can query only their own"
        return Reply(403, {"message": said})
    if login not in forge.permissions:
        return Reply(200, {"permission": "read"}) if login.startswith("visitor") else LOST
    return Reply(200, {"permission": forge.permissions[login], "user": {"login": login}})


def _marked(forge: FakeForge, sha: str, state: Any, states: Sequence[str], name: Any, text: str, most: int) -> Reply:
    if state not in states or not name or len(text) > most:
        return Reply(422, {"message": "Validation Failed"})
    forge.statuses.append({"sha": sha, "state": state, "name": name, "text": text})
    return Reply(201, {"id": len(forge.statuses), "state": state})


def _gitlab(forge: FakeForge, method: str, path: str, query: dict[str, str], data: dict[str, Any]) -> Reply:
    at = f"/projects/{quote(forge.repo, safe='')}"
    if not path.startswith(f"{at}/"):
        return Reply(404, {"message": "404 Project Not Found"})
    rest = path.removeprefix(at)
    if rest == "/merge_requests":
        return _mr_open(forge, data) if method == "POST" else _mr_listed(forge, query)
    if found := re.fullmatch(r"/merge_requests/(\d+)", rest):
        return _mr(forge, method, int(found[1]), data)
    if found := re.fullmatch(r"/merge_requests/(\d+)/notes(?:/(\d+))?", rest):
        return _notes(forge, method, int(found[1]), int(found[2] or 0), query, data)
    if found := re.fullmatch(r"/members/all/(\d+)", rest):
        return _member(forge, int(found[1]))
    if (found := re.fullmatch(r"/statuses/([0-9a-f]{40})", rest)) and method == "POST":
        if any(one["sha"] == found[1] and one["state"] == data.get("state") for one in forge.statuses):
            return Reply(400, {"message": "Cannot transition status via :succeed from :success"})
        states = ("pending", "running", "success", "failed", "canceled", "skipped")
        return _marked(forge, found[1], data.get("state"), states, data.get("name"), data.get("description", ""), 255)
    return Reply(404, {"error": "404 Not Found"})


def _mr_open(forge: FakeForge, data: dict[str, Any]) -> Reply:
    branch = data["source_branch"]
    standing = next((one for one in forge.pulls if one.head == branch and one.state == "open" and not one.fork), None)
    if standing:
        said = f"Another open merge request already exists for this source branch: !{standing.number}"
        return Reply(409, {"message": [said]})
    if not forge.tip(branch) or not forge.tip(data["target_branch"]):
        return Reply(422, {"message": {"source_branch": ["does not exist"]}})
    title = data["title"]
    made = _made(forge, title, data["description"], branch, data["target_branch"], title.startswith("Draft:"))
    return Reply(201, _mr_told(forge, made))


def _mr_listed(forge: FakeForge, query: dict[str, str]) -> Reply:
    wanted = [one for one in reversed(forge.pulls) if _in_state(one, query.get("state", "all"))]
    if "source_branch" in query:
        wanted = [one for one in wanted if one.head == query["source_branch"]]
    return _paged(forge, [_mr_told(forge, one) for one in wanted], query)


def _mr(forge: FakeForge, method: str, number: int, data: dict[str, Any]) -> Reply:
    pull = forge.number(number)
    if pull is None:
        return Reply(404, {"message": "404 Not found"})
    if method == "PUT":
        pull.body = data.get("description", pull.body)
        if data.get("state_event") == "close" and pull.state == "open":
            pull.state, pull.by = "closed", LOGIN
    return Reply(200, _mr_told(forge, pull))


def _mr_told(forge: FakeForge, pull: FakePull) -> dict[str, Any]:
    by = {"id": forge.user_id(pull.by), "username": pull.by}
    return {
        "id": 9_000 + pull.number,
        "iid": pull.number,
        "project_id": 7,
        "source_project_id": 8 if pull.fork else 7,
        "target_project_id": 7,
        "title": pull.title,
        "description": pull.body,
        "draft": pull.draft,
        "state": {"open": "opened"}.get(pull.state, pull.state),
        "sha": forge.head_of(pull),
        "source_branch": pull.head,
        "target_branch": pull.base,
        "web_url": f"{forge.pages or forge.origin}/{forge.repo}/-/merge_requests/{pull.number}",
        "author": {"id": forge.user_id(pull.author), "username": pull.author},
        "merge_user": by if pull.state == "merged" else None,
        "closed_by": by if pull.state == "closed" else None,
    }


def _notes(forge: FakeForge, method: str, number: int, note: int, query: dict[str, str], data: dict[str, Any]) -> Reply:
    pull = forge.number(number)
    if pull is None:
        return Reply(404, {"message": "404 Not found"})
    if method == "PUT":
        return _edited(forge, note, data, lambda one: _note(forge, one))
    if method == "POST":
        return Reply(201, _note(forge, forge.comment(number, LOGIN, data["body"])))
    ordered = sorted(pull.comments, key=lambda one: one.at, reverse=query.get("sort", "desc") == "desc")
    return _paged(forge, [_note(forge, one) for one in ordered], query)


def _note(forge: FakeForge, one: FakeComment) -> dict[str, Any]:
    author = {"id": forge.user_id(one.by), "username": one.by} if one.by else None
    return {"id": one.id, "body": one.body, "author": author, "created_at": _stamp(one.at), "system": one.system}


def _member(forge: FakeForge, user: int) -> Reply:
    login = next((name for name in forge.permissions if forge.user_id(name) == user), "")
    if not login:
        return Reply(404, {"message": "404 Not found"})
    level = {"read": 20, "write": 30, "admin": 40}[forge.permissions[login]]
    return Reply(200, {"id": user, "username": login, "state": "active", "access_level": level})


def _paged(forge: FakeForge, entries: list[dict[str, Any]], query: dict[str, str]) -> Reply:
    """With a Link header, as all three do."""
    size = min(forge.page, int(query.get("limit" if forge.kind == "gitea" else "per_page", 30)))
    page = int(query.get("page", 1))
    more = len(entries) > page * size
    link = {"Link": f'<{forge.api}/elsewhere?page={page + 1}>; rel="next"'} if more else {}
    return Reply(200, entries[(page - 1) * size : page * size], link)


def _stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
