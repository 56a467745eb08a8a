"""A code host's REST API, asked with care: one origin, the token nowhere but in a header, everything bounded.

GitHub's "Best practices for using the REST API" is kept to by all: requests one after another, `retry-after` first, then
`x-ratelimit-reset`, else waits that double. Redirects are not followed: with the token they would leak it, and a moved
repository is for a person to know.
"""

from __future__ import annotations

import functools
import json
import re
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2

from prodwise.clock import monotonic, now
from prodwise.loop.publish.inert import inert
from prodwise.model.errors import ConfigError, ForgeError, Later

TRIES: Final = 4
CALL_S: Final = 15.0
WAIT_S: Final = 20.0
"""Waited for at most in one call, all pauses together; for longer ones the caller is told to come back."""
BODY_MAX: Final = 4 << 20
PAGES_MAX: Final = 20
PAGE: Final = 50
"""Gitea gives 50 at most unless it was set up otherwise."""
_PAGE = re.compile(r"https?://[A-Za-z0-9._~:/%?=&-]{1,500}")
_LIMIT_WORDS = ("rate limit", "abuse detection", "too many requests")
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    json: Any
    more: bool  # there is a next page
    scopes: str = ""  # what the host says the token may, and would have to


class Api:
    """One repository's part of it. base: of the API, without a slash at the end; scheme: before the token in its header
    ("Bearer", "token"); needs: the permissions that a token must have, in the host's words.

    Raises ConfigError for a base without TLS that is not on this machine."""

    def __init__(
        self, base: str, token: str, scheme: str, needs: str, pause: Callable[[float], None] = time.sleep
    ) -> None:
        check_base(base)
        self._base, self._needs, self._pause = base.rstrip("/"), needs, pause
        headers = {"Accept": "application/json", "User-Agent": "prodwise", "Authorization": f"{scheme} {token}"}
        self._client = httpx2.Client(
            headers=headers,
            timeout=CALL_S,
            follow_redirects=False,
            trust_env=False,
            verify=_tls() if base.startswith("https:") else False,
        )

    def get(self, path: str, **query: str | int) -> Any:
        return self.call("GET", path, query=query).json

    def pages(self, path: str, **query: str | int) -> Iterator[Mapping[str, Any]]:
        """Entries page by page. Only whether there is a next page is taken from the host, never its address."""
        for page in range(1, PAGES_MAX + 1):
            answer = self.call("GET", path, query={**query, "page": page, "per_page": PAGE, "limit": PAGE})
            if not isinstance(answer.json, list):
                raise ForgeError(f"GET {path}: a list was expected", "is `forge.api` the address of its API?")
            yield from (entry for entry in answer.json if isinstance(entry, dict))
            if not answer.more:
                return

    def send(self, method: str, path: str, data: Mapping[str, Any], fine: tuple[int, ...] = ()) -> Answer:
        """fine: statuses that are an answer here, beside success."""
        return self.call(method, path, data=data, fine=fine)

    def call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int] | None = None,
        data: Mapping[str, Any] | None = None,
        fine: tuple[int, ...] = (),
    ) -> Answer:
        """1. Ask. 2. What was surely not done is asked again, after the pause that the host wants; a change whose end is
        unknown is not: the caller looks first. 3. Everything else is an answer or an error with a hint."""
        waited, end = 0.0, monotonic() + 3 * CALL_S
        for attempt in range(1, TRIES + 1):
            problem, pause, again = "", float(2 ** (attempt - 1)), method == "GET"
            try:
                status, headers, body = self._once(method, path, query, data)
            except httpx2.TimeoutException:
                problem = f"no answer within {CALL_S:.0f} s"
            except (httpx2.ConnectError, httpx2.ProtocolError, httpx2.NetworkError) as error:
                problem, again = f"no answer ({type(error).__name__})", again or isinstance(error, httpx2.ConnectError)
            else:
                if 200 <= status < 300 or status in fine:
                    answer = _answer(status, headers, body)
                    if answer is not None:
                        return answer
                    problem = "its answer is cut off or no JSON"
                elif (limited := _limited(status, headers, body, pause)) is not None:
                    problem, pause, again = f"{status}, too many requests", limited, True
                elif status >= 500:
                    problem = f"{status} {_said(body)}".strip()
                else:
                    raise self._refused(method, path, status, headers, body)
            if not again:
                raise ForgeError(
                    f"{method} {path}: {problem}; whether it was done is not known", "look before it is tried again"
                )
            if attempt == TRIES or waited + pause > WAIT_S or monotonic() + pause > end:
                raise Later(f"{method} {path}: {problem}", f"again in {pause:.0f} s at the earliest", pause)
            self._pause(pause)
            waited += pause
        raise AssertionError("the last try raises")

    def _once(
        self, method: str, path: str, query: Mapping[str, str | int] | None, data: Mapping[str, Any] | None
    ) -> tuple[int, httpx2.Headers, bytes]:
        with self._client.stream(method, self._base + path, params=query, json=data) as response:
            body = bytearray()
            for piece in response.iter_bytes(65_536):
                body += piece
                if len(body) > BODY_MAX:
                    raise ForgeError(f"{method} {path}: the answer is larger than {BODY_MAX >> 20} MiB")
            return response.status_code, response.headers, bytes(body)

    def _refused(self, method: str, path: str, status: int, headers: httpx2.Headers, body: bytes) -> ForgeError:
        what, said = f"{method} {path}: {status}", _said(body)
        told = f"{what} {said}".strip()
        if status in (301, 302, 303, 307, 308):
            host = inert(urlsplit(headers.get("location", "")).hostname or "elsewhere", 100)
            return ForgeError(
                f"{what}: it points to {host}, which is not followed", "was the repository moved? correct [forge]"
            )
        if status == 401:
            return ForgeError(
                told, "the token is wrong, expired or revoked: make a new one and put it where [forge] says"
            )
        if status == 403:
            has = inert(headers.get("x-oauth-scopes", ""), 200)
            wants = inert(
                headers.get("x-accepted-github-permissions", "") or headers.get("x-accepted-oauth-scopes", ""), 200
            )
            lacks = f"this needs {wants}" if wants else f"it must have {self._needs}"
            return ForgeError(told, f"the token may not do this: {lacks}{f'; it has {has}' if has else ''}")
        if status in (404, 410):
            return ForgeError(told, f"is forge.repo right, and may the token see it ({self._needs})?")
        return ForgeError(told, "the host does not accept it; its message says why")


@functools.cache
def _tls() -> ssl.SSLContext:
    """Made once: 40 ms of reading certificates."""
    return httpx2.create_ssl_context(trust_env=False)


def check_base(base: str) -> None:
    """Raises ConfigError for what is no address of an API that a token may be sent to."""
    parts = urlsplit(base)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ConfigError("forge.api is no address of an API", 'write "https://HOST/api/v4", say')
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise ConfigError("forge.api would send the token unencrypted", "write https://")


def text_of(entry: Any, *keys: str) -> str:
    """A text inside nested objects, "" where there is none."""
    for key in keys:
        entry = entry.get(key) if isinstance(entry, dict) else None
    return entry if isinstance(entry, str) else ""


def address_of(entry: Any, key: str) -> str:
    """A page's address that may be shown as a link, "" for anything else."""
    found = text_of(entry, key)
    return found if _PAGE.fullmatch(found) else ""


def number_of(entry: Any, key: str) -> int:
    """Raises ForgeError where there is none: without its number nothing can be found again."""
    found = entry.get(key) if isinstance(entry, dict) else None
    if not isinstance(found, int) or isinstance(found, bool):
        raise ForgeError(f"the host's answer has no {key}", "is `forge.kind` right?")
    return found


def seconds_of(stamp: str) -> float:
    """Of an ISO 8601 stamp; 0 for what is none."""
    try:
        return datetime.fromisoformat(stamp).timestamp()
    except (ValueError, OverflowError):
        return 0.0


def stamp_of(seconds: float) -> str:
    return datetime.fromtimestamp(max(0.0, seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _answer(status: int, headers: httpx2.Headers, body: bytes) -> Answer | None:
    """None for JSON that is cut off."""
    try:
        found = json.loads(body) if body.strip() else None
    except ValueError:
        return None
    return Answer(status, found, 'rel="next"' in headers.get("link", "")[:4_000])


def _limited(status: int, headers: httpx2.Headers, body: bytes, pause: float) -> float | None:
    """How long to wait before the next try, None when no limit was met. A 403 without any sign of one is a permission."""
    known = _seconds(headers.get("retry-after", ""))
    if status == 503 and known is not None:
        return known
    if status not in (403, 429):
        return None
    if known is not None:
        return known
    reset = next((headers[name] for name in ("x-ratelimit-reset", "ratelimit-reset") if name in headers), "")
    left = headers.get("x-ratelimit-remaining", headers.get("ratelimit-remaining", ""))
    if left == "0" and (until := _seconds(reset)) is not None:
        return max(1.0, until - now())
    if status == 429 or any(word in _said(body).lower() for word in _LIMIT_WORDS):
        return 60.0 if status == 403 else pause
    return None


def _seconds(text: str) -> float | None:
    """A bounded number of seconds; dates are not used by these hosts."""
    return float(text) if text.isascii() and text.isdigit() and len(text) <= 11 else None


def _said(body: bytes) -> str:
    """The host's own words: one line, inert, short."""
    try:
        found = json.loads(body)
    except ValueError:
        return ""
    if not isinstance(found, dict):
        return ""
    parts = [
        found.get("message"),
        found.get("error"),
        *(found["errors"] if isinstance(found.get("errors"), list) else ()),
    ]
    told = [part.get("message") if isinstance(part, dict) else part for part in parts[:6]]
    return inert(
        "; ".join(
            one if isinstance(one, str) else " ".join(map(str, one)) for one in told if isinstance(one, str | list)
        ),
        300,
    )
