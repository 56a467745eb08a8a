"""Tiny real apps for tests: standard library only, in a git repository of their own, in good and bad variants."""

from __future__ import annotations

import json
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from prodwise.clock import monotonic

GOOD, BAD, SICK, CRASH, DEAF, SLOW = "good", "bad", "sick", "crash", "deaf", "slow"
"""good; bad: every page is a 500, the probe is well; sick: the probe is a 500; crash: exits at once; deaf: never listens;
slow: every page takes 0.3 s longer."""

WEB = """\
import http.server, json, os, sys, time
VARIANT = open("variant").read().strip()
if VARIANT == "crash":
    sys.exit("this release cannot start")
if VARIANT == "deaf":
    time.sleep(3600)


class Page(http.server.BaseHTTPRequestHandler):
    protocol_version, wbufsize = "HTTP/1.1", -1

    def do_GET(self):
        path, _, query = self.path.partition("?")
        if path == "/healthz":
            return self.say(500 if VARIANT == "sick" else 200, "well")
        if path == "/env":
            return self.say(200, json.dumps({"env": dict(os.environ), "cwd": os.getcwd(), "uid": os.getuid()}))
        if path == "/pid":
            return self.say(200, str(os.getpid()))
        if path == "/wait":
            time.sleep(float(query or 1))
        if path == "/stream":
            return self.stream()
        if VARIANT == "slow":
            time.sleep(0.3)
        self.say(500 if VARIANT == "bad" else 200, os.environ.get("PRODWISE_RELEASE", ""))

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.do_GET()

    def stream(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for number in range(50):
            self.wfile.write(b"data: %d\\n\\n" % number)
            self.wfile.flush()
            time.sleep(0.1)

    def say(self, status, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 256


Server(("127.0.0.1", int(os.environ["PORT"])), Page).serve_forever()
"""

WORKER = """\
import os, time
if open("variant").read().strip() == "crash":
    raise SystemExit("this release cannot start")
while True:
    with open("beats", "a") as file:
        file.write(os.environ["PRODWISE_RELEASE"] + " " + str(os.getpid()) + "\\n")
    time.sleep(0.05)
"""

SETTINGS = """\
version = 1
address = "127.0.0.1:0"
shared = ["beats"]

[services.web]
command = "python3 web.py"
probe = "/healthz"
start_seconds = 5
"""

WITH_WORKER = """
[services.worker]
kind = "worker"
command = "python3 worker.py"
"""


def git(app: Path, *arguments: str) -> str:
    argv = ["git", "-C", str(app), "-c", "user.name=Test", "-c", "user.email=test@example.com", *arguments]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()


def make_app(
    parent: Path,
    name: str = "app",
    *,
    settings: str = SETTINGS,
    worker: bool = False,
    files: Mapping[str, str] | None = None,
) -> Path:
    """A committed app in `parent`/`name` whose first release is good. settings: its prodwise.toml."""
    app = parent / name
    app.mkdir(parents=True)
    git(app.parent, "init", "-q", "-b", "main", str(app))
    contents = {"web.py": WEB, "worker.py": WORKER, "prodwise.toml": settings + (WITH_WORKER if worker else "")}
    commit(app, GOOD, {**contents, ".gitignore": "beats\n*.env\n__pycache__/\n", **(files or {})})
    return app


def commit(app: Path, variant: str = GOOD, files: Mapping[str, str] | None = None) -> str:
    """Commits the app as this variant, with these files written first. Returns the full commit id."""
    for path, text in {**(files or {}), "variant": variant + "\n"}.items():
        (app / path).parent.mkdir(parents=True, exist_ok=True)
        (app / path).write_text(text)
    git(app, "add", "-A")
    git(app, "commit", "-q", "--allow-empty", "-m", f"make it {variant}")
    return git(app, "rev-parse", "HEAD")


@dataclass(frozen=True)
class Answer:
    """status 0: none came; text is the reason then."""

    status: int
    text: str
    headers: tuple[tuple[str, str], ...] = ()

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


def get(address: str, path: str = "/", *, lane: str = "", timeout_s: float = 10.0, data: bytes | None = None) -> Answer:
    """One request, without following anybody's proxy settings."""
    request = urllib.request.Request(f"http://{address}{path}", data=data)
    if lane:
        request.add_header("Cookie", f"prodwise_lane={lane}")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=timeout_s) as answer:
            return Answer(answer.status, answer.read().decode(), tuple(answer.headers.items()))
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.read().decode(errors="replace"), tuple(error.headers.items()))
    except OSError as error:
        return Answer(0, str(error))


def environment_of(address: str) -> dict[str, str]:
    """What the app's process was told."""
    told: dict[str, str] = json.loads(get(address, "/env").text)["env"]
    return told


@dataclass
class Load:
    """What a load's clients saw. statuses: 0 stands for no answer."""

    statuses: Counter[int] = field(default_factory=Counter)
    texts: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        return sum(self.statuses.values())

    @property
    def failed(self) -> int:
        return sum(count for status, count in self.statuses.items() if not 0 < status < 500)


@contextmanager
def load(address: str, path: str = "/", clients: int = 2) -> Iterator[Load]:
    """GETs as fast as they are answered, until the block ends; all that were begun are finished and counted."""
    seen, done, lock = Load(), threading.Event(), threading.Lock()

    def client() -> None:
        while not done.is_set():
            answer = get(address, path)
            with lock:
                seen.statuses[answer.status] += 1
                seen.texts[answer.text] += 1
            time.sleep(0.003)

    threads = [threading.Thread(target=client, daemon=True) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        done.set()
        for thread in threads:
            thread.join()


def until(done: Callable[[], object], seconds: float = 10.0, what: str = "it") -> None:
    """Polls a callable until it says yes. Raises AssertionError at the deadline."""
    deadline = monotonic() + seconds
    while not done():
        assert monotonic() < deadline, f"{what} did not happen within {seconds:g} s"
        time.sleep(0.02)
