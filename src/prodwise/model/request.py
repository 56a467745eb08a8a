"""One request to an app, as it can be made again: outside text, bounded, and without what may be secret."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Request:
    """path: percent-encoded; query: its parts as they were sent ("a=1"); headers: lower-case names; the body is `form`, `json` (one
    document) or `raw`, at most one of them; left_out: what is not told since it may be secret, in words that are safe to show;
    lost: why the body is not known whole, "" if it is."""

    method: str
    path: str
    host: str = "localhost"
    scheme: str = "http"
    query: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    form: tuple[tuple[str, str], ...] = ()
    json: str = ""
    raw: bytes = b""
    left_out: tuple[str, ...] = ()
    lost: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """How an app is called. asgi: else WSGI; made: `name` is a function that makes the app; folders: searched for modules, before
    others; folder: where it is started, relative to the repository; env: settings that are declared, without secret ones; django:
    its settings are a Django project's; left_out: as above."""

    module: str
    name: str
    asgi: bool
    made: bool = False
    folders: tuple[str, ...] = (".",)
    folder: str = "."
    env: tuple[tuple[str, str], ...] = ()
    django: bool = False
    left_out: tuple[str, ...] = ()
