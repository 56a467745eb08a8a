"""Views to HTML. Every value that reaches a page is escaped, made visible and bounded here, whatever the view did."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import secrets
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup
from starlette.responses import HTMLResponse

from prodwise.clock import now
from prodwise.server.views import words

MARK = f"csrf-{secrets.token_hex(16)}"
"""Stands in a fragment where each listener's own token goes; random, so that no outside text can hold it."""
_CODE = re.compile(r"`([^`]{1,300})`")
STATIC = {
    "prodwise.css": "text/css",
    "live.js": "text/javascript",
    "copy.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}


class Pages:
    """Renders templates. `error` is also what the exception handlers show."""

    def __init__(self, app_name: str) -> None:
        self.static = {name: (files("prodwise.server") / "static" / name).read_bytes() for name in STATIC}
        self._env = jinja2.Environment(
            loader=jinja2.PackageLoader("prodwise.server"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            finalize=_harmless,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        version = hashlib.sha256(b"".join(self.static.values())).hexdigest()[:10]
        self._env.globals.update(app_name=app_name, version=version, now=now, verdicts=words.VERDICTS)
        self._env.filters.update(
            ago=lambda at: words.ago(at, now()),
            until=lambda at: words.left(at - now()),
            clock=clock,
            day=day,
            seconds=seconds,
            stamp=stamp,
            duration=words.duration,
            percent=words.percent,
            count=words.count,
            marked=marked,
            sentence=sentence,
        )

    def html(self, template: str, **values: Any) -> str:
        return self._env.get_template(template).render(values)

    def page(self, template: str, *, csrf: str = "", status: int = 200, **values: Any) -> HTMLResponse:
        return HTMLResponse(self.html(template, csrf=csrf, **values), status)

    def error(self, status: int, error: str, code: str, hint: str) -> HTMLResponse:
        values: Mapping[str, Any] = {"problem": error, "code": code, "hint": hint, "status_code": status}
        return self.page("login_needed.html" if status == 401 else "error.html", status=status, **values)


def _harmless(value: object) -> object:
    """Jinja's last step before escaping: text that is not ours yet is made visible and cut."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return words.visible(value, 2000)
    return value


def marked(text: str) -> Markup:
    """Escaped, and what stands between backticks as code: hints are written for a terminal, too."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(Markup.escape(words.visible(text, 2000)))))


def clock(at: float) -> str:
    """ "14:02" in this machine's zone; the page's script shows the reader's own."""
    return dt.datetime.fromtimestamp(at).strftime("%H:%M")


def seconds(at: float) -> str:
    return dt.datetime.fromtimestamp(at).strftime("%H:%M:%S")


def day(at: float) -> str:
    return dt.datetime.fromtimestamp(at).strftime("%d %b, %H:%M")


def stamp(at: float) -> str:
    """ISO 8601 in UTC, for machines and for the tooltip."""
    return dt.datetime.fromtimestamp(at, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def sentence(text: str) -> str:
    """The first letter large, the rest as it is."""
    return text[:1].upper() + text[1:]
