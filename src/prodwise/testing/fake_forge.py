"""A code host on this machine: real HTTP, real git, the part of GitHub's, GitLab's and Gitea's APIs that is used, and faults.

The APIs are in fake_forge_api.py. Git is served by `git http-backend`, as the hosts' documentation says: HTTP basic
authentication with a token as the password. Names, statuses and messages are those of the hosts' documentation.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:  # needs a library that only it needs
    from prodwise.testing.fake_github_app import FakeApp

TOKEN, LOGIN = "forge-token-3f9c2a", "prodwise-bot"
REPO = "kettle/shop"


@dataclass
class Fault:
    """What the next matching requests to the API get instead of an answer. part: in the path; times: how often; after: do what
    was asked first, and answer wrongly then; cut: the right answer, but half of it; seconds: wait first."""

    status: int = 0
    part: str = ""
    method: str = ""
    times: int = 1
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    after: bool = False
    cut: bool = False
    seconds: float = 0.0


@dataclass
class Asked:
    method: str
    path: str
    headers: dict[str, str]


@dataclass
class FakePull:
    number: int
    title: str
    body: str
    head: str
    base: str
    author: str
    state: str = "open"  # open, closed, merged
    draft: bool = False
    by: str = ""
    fork: bool = False
    sha: str = ""  # when the branch is gone
    comments: list[FakeComment] = field(default_factory=list)


@dataclass
class FakeComment:
    id: int
    by: str
    body: str
    at: float
    system: bool = False


@dataclass
class FakeForge:
    """One repository of one host. permissions: login → "read", "write" or "admin"; the token's account has "write"."""

    git_root: Path
    kind: str
    repo: str = REPO
    permissions: dict[str, str] = field(default_factory=lambda: {LOGIN: "write"})
    pulls: list[FakePull] = field(default_factory=list)
    statuses: list[dict[str, str]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    admin: bool = True  # Gitea: whether the token's account may ask what others may do
    drafts: bool = True  # GitHub: whether the plan has drafts
    page: int = 50
    clock: float = 1_800_000_000.0
    origin: str = ""
    pages: str = ""  # what addresses of pages begin with; "" = the origin
    ids: int = 100
    app: FakeApp | None = None  # GitHub: then its tokens alone are good

    @property
    def api(self) -> str:
        return self.origin + {"github": "/api/v3", "gitlab": "/api/v4", "gitea": "/api/v1"}[self.kind]

    @property
    def remote(self) -> str:
        return f"{self.origin}/{self.repo}.git"

    @property
    def bare(self) -> Path:
        return self.git_root / f"{self.repo}.git"

    def tip(self, branch: str) -> str:
        argv = ["git", "-C", str(self.bare), "rev-parse", "--verify", "--quiet", f"refs/heads/{branch}"]
        return subprocess.run(argv, capture_output=True, text=True, check=False).stdout.strip()

    def head_of(self, pull: FakePull) -> str:
        pull.sha = self.tip(pull.head) or pull.sha
        return pull.sha

    def number(self, number: int) -> FakePull | None:
        return next((one for one in self.pulls if one.number == number), None)

    def comment(self, number: int, by: str, body: str, system: bool = False) -> FakeComment:
        """A person says something."""
        pull = self.number(number)
        assert pull is not None
        self.ids, self.clock = self.ids + 1, self.clock + 1
        said = FakeComment(self.ids, by, body, self.clock, system)
        pull.comments.append(said)
        return said

    def turn(self, number: int, state: str, by: str) -> None:
        """A person merges, closes or reopens. Merging also puts the commit into the base branch."""
        pull = self.number(number)
        assert pull is not None
        head = self.head_of(pull)
        pull.state, pull.by = state, by
        if state == "merged":
            argv = ["git", "-C", str(self.bare), "update-ref", f"refs/heads/{pull.base}", head]
            subprocess.run(argv, check=True, capture_output=True)

    def accepts(self, token: str) -> bool:
        return self.app.accepts(token) if self.app else token == TOKEN

    def user_id(self, login: str) -> int:
        return 1 + sum(login.encode())

    def fault(self, method: str, path: str) -> Fault | None:
        for one in self.faults:
            if one.times > 0 and one.part in path and one.method in ("", method):
                one.times -= 1
                return one
        return None


@dataclass
class Reply:
    status: int
    json: Any = None
    headers: dict[str, str] = field(default_factory=dict)


Routes = Callable[[FakeForge, str, str, dict[str, str], dict[str, Any]], Reply]


@contextmanager
def serving(forge: FakeForge, routes: Routes) -> Iterator[FakeForge]:
    """Serves it on a free port of loopback until the block ends."""
    server = ThreadingHTTPServer(
        ("127.0.0.1", 0), type("Handler", (_Handler,), {"forge": forge, "routes": staticmethod(routes)})
    )
    server.daemon_threads = True
    forge.origin = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield forge
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


class _Handler(BaseHTTPRequestHandler):
    forge: FakeForge
    routes: Routes
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Tests read `asked`."""

    def _any(self) -> None:
        self.forge.asked.append(Asked(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}))
        body = self._body()
        if f"/{self.forge.repo}.git/" in self.path:
            self._git(body)
        else:
            self._api(body)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _any

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding", "") != "chunked":
            return self.rfile.read(int(self.headers.get("content-length") or 0))
        read = bytearray()
        while size := int(self.rfile.readline().strip() or b"0", 16):
            read += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return bytes(read)

    def _api(self, body: bytes) -> None:
        parts = urlsplit(self.path)
        fault = self.forge.fault(self.command, self.path)
        if fault and fault.seconds:
            time.sleep(fault.seconds)
        if fault and fault.status and not fault.after:
            self._reply(
                Reply(fault.status, fault.body if fault.body is not None else {"message": "a fault"}, fault.headers)
            )
            return
        data = json.loads(body) if body else {}
        path = parts.path.removeprefix(urlsplit(self.forge.api).path)
        if self.forge.app:
            sent = self.headers.get("authorization", "")
            if told := self.forge.app.answer(self.forge.repo, self.command, path, sent, data):
                self._reply(Reply(*told))
                return
        if not self._token_in_header():
            self._reply(
                Reply(401, {"message": "Bad credentials" if self.forge.kind == "github" else "401 Unauthorized"})
            )
            return
        reply = type(self).routes(self.forge, self.command, path, dict(parse_qsl(parts.query)), data)
        if fault and fault.after:
            reply = Reply(fault.status, {"message": "a fault"})
        self._reply(reply, cut=bool(fault and fault.cut))

    def _token_in_header(self) -> bool:
        sent = self.headers.get("authorization", "")
        scheme, _, token = sent.partition(" ")
        private = self.headers.get("private-token", "")
        return (scheme in ("Bearer", "token") and self.forge.accepts(token)) or self.forge.accepts(private)

    def _reply(self, reply: Reply, cut: bool = False) -> None:
        told = b"" if reply.json is None else json.dumps(reply.json).encode()
        told = told[: len(told) // 2] if cut else told
        self.send_response(reply.status)
        for name, value in {"Content-Type": "application/json", **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    def _git(self, body: bytes) -> None:
        scheme, _, sent = self.headers.get("authorization", "").partition(" ")
        told = base64.b64decode(sent).decode().partition(":")[2] if scheme == "Basic" else ""
        if not self.forge.accepts(told):
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        parts = urlsplit(self.path)
        env = {
            "PATH": os.environ.get("PATH", os.defpath),
            "GIT_PROJECT_ROOT": str(self.forge.git_root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "PATH_INFO": parts.path,
            "QUERY_STRING": parts.query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("content-type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("content-encoding", ""),
            "HTTP_GIT_PROTOCOL": self.headers.get("git-protocol", ""),
            "REMOTE_USER": LOGIN,
            "REMOTE_ADDR": "127.0.0.1",
        }
        done = subprocess.run(
            ["git", "http-backend"], input=body, capture_output=True, env=env, check=False, timeout=60
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        lines = [line.partition(": ") for line in head.decode().split("\r\n") if ": " in line]
        status = next((value for name, _, value in lines if name.lower() == "status"), "200 OK")
        self.send_response(int(status.split()[0]))
        for name, _, value in lines:
            if name.lower() != "status":
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
