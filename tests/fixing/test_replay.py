"""A failing request becomes a failing test: real frameworks, called in the real sandbox, and what is no reproducer stays none."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from prodwise.clock import monotonic
from prodwise.heal.fixing.budget import Budget
from prodwise.heal.fixing.check import Wanted, check
from prodwise.heal.fixing.given import NotReproduced
from prodwise.heal.fixing.reproducer import Reproducer
from prodwise.heal.fixing.story import Fix, repair
from prodwise.heal.mending import answer_from
from prodwise.sandbox.workshop import Workshop
from prodwise.testing.receivers import receivers
from tests.fixing.bench import Proposes, everything, gates, repository
from tests.loop.patches import diff


def made_again(folder: Path, seconds: float = 60, **wanted: str) -> Reproducer | NotReproduced:
    """The check of a request; the repository must be as it was afterwards."""
    before = everything(folder)
    with _workshop(folder) as workshop:
        found = check(
            Wanted(**wanted), workshop, workshop.base, Budget(seconds), str(workshop.directory), lambda _: None
        )
    assert everything(folder) == before
    return found


def mended(folder: Path, *diffs: str, seconds: float = 90, **wanted: str) -> Fix:
    with _workshop(folder) as workshop:
        budget = Budget(seconds)
        found = check(Wanted(**wanted), workshop, workshop.base, budget, str(workshop.directory), lambda _: None)
        return repair(found, [Proposes(*diffs)], workshop, workshop.base, budget, lambda _: None)


def _workshop(folder: Path) -> Workshop:
    """With the frameworks that these tests have."""
    return Workshop(folder, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")


VIEWS = """from flask import Flask, jsonify, request

app = Flask(__name__)
RATES = {"eur": 1.0, "usd": 1.1}


class Cart:
    def __init__(self, items):
        self.items = items

    def total(self, currency):
        return sum(item["price"] for item in self.items) * RATES[currency.lower()]


@app.post("/orders/<int:number>")
def order():
    return ""


@app.post("/carts/<int:number>")
def cart(number):
    data = request.get_json()
    return jsonify(number=number, total=Cart(data["items"]).total(request.args.get("currency")))
"""
SHOP = {"shop.py": VIEWS, "Procfile": "web: gunicorn -w 4 shop:app --bind 0.0.0.0:$PORT\n"}
REQUEST = """POST /carts/7?utm=mail HTTP/1.1
Host: shop.example.com
User-Agent: Mozilla/5.0
Cookie: session=0123456789abcdef
Content-Type: application/json

{"items": [{"price": 2, "name": "tea"}, {"price": 3}], "note": "quickly", "email": "ana@example.com"}
"""


def test_a_flask_request_becomes_the_smallest_test_that_fails_for_its_reason(tmp_path: Path) -> None:
    found = made_again(repository(tmp_path, SHOP), request=REQUEST)
    assert isinstance(found, Reproducer), found
    assert found.reason.error == "AttributeError"
    assert [frame.file for frame in found.fault.frames if frame.in_app] == ["shop.py", "shop.py"]
    for line in (
        "PATH = '/carts/7'",
        "QUERY = ''",
        "HEADERS = {'content-type': 'application/json'}",
        "BODY = b'{\"items\": []}'",
    ):
        assert line in found.text
    assert "0123456789abcdef" not in found.text
    assert "ana@example.com" not in found.text
    assert "* header cookie\n* member email of the body" in found.text
    assert any("header cookie" in note for note in found.notes)


def test_a_fix_is_believed_by_it_and_one_that_only_moves_the_failure_is_not(tmp_path: Path) -> None:
    right = diff("shop.py", VIEWS, VIEWS.replace("RATES[currency.lower()]", 'RATES[(currency or "eur").lower()]'))
    moved = diff("shop.py", VIEWS, VIEWS.replace("RATES[currency.lower()]", "RATES[str(currency).lower()]"))
    fix = mended(repository(tmp_path, SHOP), moved, right, request=REQUEST)
    assert [one.gates[-1].gate for one in fix.tried[:1]] == ["reproducer"]
    assert (fix.status, fix.proposal and fix.proposal.diff) == ("fixed", right), fix.reason
    assert set(gates(fix).values()) == {"pass"}


FAST = """from contextlib import asynccontextmanager

import fastapi
from starlette.middleware.base import BaseHTTPMiddleware


@asynccontextmanager
async def life(app):
    app.state.rates = {"eur": 1.0}
    yield


class Timing(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        return await call_next(request)


app = fastapi.FastAPI(lifespan=life)
app.add_middleware(Timing)


@app.post("/price/{size}")
async def price(size: int, request: fastapi.Request):
    data = await request.json()
    return {"price": size * request.app.state.rates[data["currency"]]}
"""
REPORTS = """
import json, sys
import sentry_sdk

sentry_sdk.init(dsn="http://k@127.0.0.1:9/1", before_send=lambda event, hint: print(json.dumps(event, default=str)))
sys.path.insert(0, ".")
scope = {"asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "https", "path": "/price/3",
    "raw_path": b"/price/3", "query_string": b"a=1&b=2", "headers": [(b"host", b"x.example.com"),
    (b"content-type", b"application/json"),
    (b"x-thing", b"1"),
    (b"content-length", b"34")], "server": ("x", 1), "client": ("1.2.3.4", 5)}
BODY = b'{"currency": "usd", "note": "yes"}'

import asyncio
from main import app

async def go():
    said, told = asyncio.Queue(), asyncio.Queue()
    said.put_nowait({"type": "lifespan.startup"})
    state = {}
    running = asyncio.create_task(app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": state}, said.get, told.put))
    await told.get()
    body = [{"type": "http.request", "body": BODY, "more_body": False}]
    async def receive():
        return body.pop() if body else await asyncio.Event().wait()
    async def send(message): pass
    try:
        await app({"type": "http", **scope}, receive, send)
    except KeyError:
        pass
    running.cancel()

asyncio.run(go())
"""


def reported(folder: Path) -> str:
    """What the app's own SDK says of a request that fails, as the framework's integration gathers it."""
    done = subprocess.run(
        [sys.executable, "-c", REPORTS], cwd=folder, capture_output=True, text=True, check=True, timeout=60,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    return next(line for line in done.stdout.splitlines() if '"exception"' in line)


@pytest.mark.full
def test_a_reported_fastapi_error_is_made_again_where_its_values_do_not_do(tmp_path: Path) -> None:
    shop = repository(tmp_path, {"main.py": FAST, "prodwise.toml": '[services.web]\ncommand = "uvicorn main:app"\n'})
    trace = reported(shop)
    found = made_again(shop, trace=trace)
    assert isinstance(found, Reproducer), found
    assert (found.reason.error, found.fault.error) == ("KeyError", "KeyError")
    assert "as it was with KeyError" in found.text
    assert "PATH = '/price/3'\nQUERY = ''\nHEADERS = {'content-type': 'application/json'}\n" in found.text
    assert 'BODY = b\'{"currency": "usd"}\'' in found.text
    other = FAST.replace('data["currency"]]', 'data["currency"]] if size else 1 / size').replace(
        '{"eur"', '{"usd": 2, "eur"'
    )
    (shop / "main.py").write_text(other)
    after = made_again(shop, trace=trace)
    assert isinstance(after, NotReproduced)
    assert "answered with 200" in after.reason


def with_view(body: str, head: str = "") -> dict[str, str]:
    """An app without a framework: WSGI itself."""
    view = "".join(f"    {line}\n" for line in body.splitlines())
    app = "def app(environ, start_response):\n    start_response(str(view() or '200 OK'), [])\n    return [b'']\n"
    return {"shop.py": f"{head}\n\n\ndef view():\n{view}\n\n{app}", "Procfile": "web: gunicorn shop:app\n"}


CALLS = "socket.create_connection(('10.1.2.3', 80))"


@pytest.mark.parametrize(
    ("body", "head", "why"),
    [
        ("sqlite3.connect('data.db').execute('select 1')", "import sqlite3", "the database 'data.db'"),
        ("urllib.request.urlopen('http://api.example.com')", "import urllib.request", "a connection to"),
        (CALLS, "import socket", "a connection to ('10.1.2.3', 80)"),
        (f"try:\n    {CALLS}\nexcept OSError as e:\n    raise ValueError('x') from e", "import socket", "a connection to"),
        ("os.environ['STRIPE']", "import os", "the setting"),
        ("open('uploads/1')", "", "FileNotFoundError"),
        ("return '404 Not Found'", "", "answered with 404"),
        ("return '503 Not Now'", "", "does not tell why"),
        ("return", "import no_such_package", "cannot be loaded"),
        ("return", "import os\nos.environ['SECRET']", "cannot be loaded"),
    ],
)  # fmt: skip
def test_what_needs_more_than_the_repository_is_no_reproducer(tmp_path: Path, body: str, head: str, why: str) -> None:
    found = made_again(repository(tmp_path, with_view(body, head)), request="GET /x\n\n")
    assert isinstance(found, NotReproduced), found.text
    assert why in found.reason
    assert not found.refused


def test_a_database_that_the_repository_holds_is_there(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "data.db") as made:
        made.execute("create table item (price int)")
        made.execute("insert into item values (0)")
    made.close()
    view = "rows = sqlite3.connect('data.db')\nrows.execute('update item set price = price + 0')\n"
    view += "return str(1 / rows.execute('select price from item').fetchone()[0])"
    found = made_again(repository(tmp_path, with_view(view, "import sqlite3")), request="GET /x\n\n")
    assert isinstance(found, Reproducer), found
    assert found.reason.error == "ZeroDivisionError"


def test_an_upstream_that_was_asked_on_the_way_counts_unless_a_trace_tells_what_failed(tmp_path: Path) -> None:
    view = f"try:\n    {CALLS}\nexcept OSError:\n    logging.exception('no figures')\nreturn str(1 / 0)"
    shop = repository(tmp_path, with_view(view, "import logging, socket"))
    found = made_again(shop, request="GET /x\n\n")
    assert isinstance(found, NotReproduced)
    assert "a connection to ('10.1.2.3', 80) was not here on the way" in found.reason
    trace = 'Traceback (most recent call last):\n  File "/srv/shop.py", line 9, in view\n    return str(1 / 0)\n'
    trace += "ZeroDivisionError: division by zero\n"
    found = made_again(shop, request="GET /x\n\n", trace=trace)
    assert isinstance(found, Reproducer), found
    assert found.reason.error == "ZeroDivisionError"


def test_a_failure_that_comes_and_goes_is_none(tmp_path: Path) -> None:
    view = "n = random.SystemRandom().randrange(10**9)\nraise type(f'E{n}Error', (Exception,), {})"
    found = made_again(repository(tmp_path, with_view(view, "import random")), request="GET /x\n\n")
    assert isinstance(found, NotReproduced)
    assert "flaky" in found.reason


ASGI = """async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        scope["state"]["rates"] = {"eur": 1.0}
        await send({"type": "lifespan.startup.complete"})
        await receive()
    message = await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(rate(scope, message["body"])).encode()})


def rate(scope, body):
    return scope["state"]["rates"][body.decode()]
"""


def test_an_asgi_app_is_started_and_called(tmp_path: Path) -> None:
    shop = repository(tmp_path, {"shop.py": ASGI, "Procfile": "web: uvicorn shop:app\n"})
    found = made_again(shop, request="POST /x?a=1\nContent-Type: text/plain\n\nusd")
    assert isinstance(found, Reproducer), found
    assert found.reason.error == "KeyError"
    assert "QUERY = ''" in found.text
    assert isinstance(made_again(shop, request="POST /x\n\neur"), NotReproduced)


def test_a_written_call_that_fails_for_another_reason_is_no_reproducer(tmp_path: Path) -> None:
    """A view without arguments can be called, and fails: for want of a request."""
    view = "def x():\n    return str(1 / int(request.args['n']))\n"
    app = "from flask import Flask, request\n\napp = Flask(__name__)\n\n\n"
    shop = repository(tmp_path, {"shop.py": f"{app}@app.get('/x')\n{view}", "Procfile": "web: flask --app shop run\n"})
    frames = [{"function": "x", "filename": "shop.py", "lineno": 8, "in_app": True, "vars": {}}]
    thrown = {"type": "ZeroDivisionError", "value": "division by zero", "stacktrace": {"frames": frames}}
    event = {"exception": {"values": [thrown]}}
    alone = made_again(shop, trace=json.dumps(event))
    assert isinstance(alone, NotReproduced)
    assert "another reason: RuntimeError, not ZeroDivisionError" in alone.reason
    told = {**event, "request": {"url": "http://h/x?n=0&m=1", "method": "GET"}}
    found = made_again(shop, trace=json.dumps(told))
    assert isinstance(found, Reproducer), found
    assert "QUERY = 'n=0'" in found.text


def test_the_test_goes_along_with_the_answer() -> None:
    told = {"status": "no_fix", "reason": "x", "gates": [], "not_checked": []}
    assert answer_from({**told, "reproducer": "def test(): ..."}).check == "def test(): ..."
    assert answer_from(told).check == ""


SENDS = """
import sys
import sentry_sdk

sentry_sdk.init(dsn=sys.argv[1], release="r-1", send_default_pii=True)
sys.path.insert(0, ".")
import shop

with shop.app.test_client() as client:
    client.set_cookie("session", "0123456789abcdef")
    client.post("/carts/7?currency=&utm=1", json={"items": [{"price": 2}], "note": "x", "card": "4111 1111 1111 1111"},
        headers={"Authorization": "Bearer abcdefgh12345678"})
sentry_sdk.flush(10)
"""


@pytest.mark.full
def test_what_a_receiver_keeps_of_a_reported_error_is_enough(tmp_path: Path) -> None:
    """A real SDK, a real receiver, its store; then the check, as for an incident."""
    shop = repository(tmp_path / "shop", SHOP)
    with receivers(tmp_path / "app", 1) as running:
        subprocess.run(
            [sys.executable, "-c", SENDS, running.dsn], cwd=shop, check=True, timeout=60, capture_output=True,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        )  # fmt: skip
        until = monotonic() + 30
        while not (groups := running.archive.groups(running.project.id, limit=1)[0]):
            assert monotonic() < until, "nothing was stored"
        kept = running.archive.example(groups[0].key)
    assert kept is not None
    found = made_again(shop, trace=json.dumps(kept.detail))
    assert isinstance(found, Reproducer), found
    assert (found.reason.error, found.fault.error) == ("KeyError", "KeyError")
    assert "BODY = b'{\"items\": []}'" in found.text
    assert "QUERY = 'currency='" in found.text
    for left in ("header cookie", "header authorization", "member card of the body"):
        assert f"* {left}" in found.text


DJANGO = {
    "manage.py": 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "site1.settings")\n',
    "site1/__init__.py": "",
    "site1/settings.py": 'SECRET_KEY = "x"\nROOT_URLCONF = "site1.urls"\nALLOWED_HOSTS = [".example.com"]\n'
    'MIDDLEWARE = ["django.middleware.common.CommonMiddleware", "django.middleware.csrf.CsrfViewMiddleware"]\n'
    'WSGI_APPLICATION = "site1.wsgi.application"\n',
    "site1/wsgi.py": "import os\nfrom django.core.wsgi import get_wsgi_application\n"
    'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site1.settings")\napplication = get_wsgi_application()\n',
    "site1/urls.py": "from django.http import JsonResponse\nfrom django.urls import path\n\n\ndef share(request):\n"
    '    return JsonResponse({"n": 10 // int(request.POST["n"])})\n\n\nurlpatterns = [path("share", share)]\n',
}


def test_a_django_form_is_made_again_without_its_token(tmp_path: Path) -> None:
    request = "POST /share\nHost: www.example.com\nContent-Type: application/x-www-form-urlencoded\n\nn=0&m=1&csrfmiddlewaretoken=abc"
    found = made_again(repository(tmp_path, DJANGO), request=request)
    assert isinstance(found, Reproducer), found
    assert "BODY = b'n=0'" in found.text
    assert "* form field csrfmiddlewaretoken" in found.text
