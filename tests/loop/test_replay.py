"""A failing request as text: what is read of it, what is left out, what is written, and what counts as the same failure."""

from __future__ import annotations

import ast
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prodwise.loop.replay.asked import asked
from prodwise.loop.replay.declared import Started, declared
from prodwise.loop.replay.entry import entry
from prodwise.loop.replay.outcome import Outcome, expected, outcome, unlike
from prodwise.loop.replay.shrink import parts, shrunk
from prodwise.loop.replay.text import body_of, text
from prodwise.loop.verify.traced import traced
from prodwise.model.event import Frame
from prodwise.model.request import Entry, Request

PLAIN = "POST /a/b?x=1&x=2 HTTP/1.1\r\nHost: shop.example.com\r\nAccept: */*\r\n\r\nhello"
HAR = {"log": {"entries": [
    {"request": {"method": "GET", "url": "http://x/ok", "headers": []}, "response": {"status": 200}},
    {"request": {"method": "POST", "url": "https://shop.example.com/a/b?x=1", "headers": [
        {"name": ":path", "value": "/"}, {"name": "Accept", "value": "*/*"}], "postData": {"mimeType": "application/json",
        "text": '{"n": 1}'}}, "response": {"status": 502}},
]}}  # fmt: skip
EVENT: dict[str, Any] = {"request": {
    "url": "https://shop.example.com/a/b", "method": "POST", "query_string": "x=1",
    "headers": {"Accept": "*/*", "Cookie": "[Filtered]", "Content-Type": "application/json", "Content-Length": "99",
                "X-Real-Ip": "9.8.7.6"},
    "data": {"n": 1, "password": "[Filtered]", "items": [{"note": "[redacted email]", "price": 2}]},
}}  # fmt: skip


def got(told: str) -> Request:
    found = asked(told)
    assert isinstance(found, Request), found
    return found


def test_each_way_of_telling_a_request_is_read() -> None:
    assert got(PLAIN) == Request(
        "POST", "/a/b", "shop.example.com", "http", ("x=1", "x=2"), (("accept", "*/*"),), raw=b"hello"
    )
    har = got(json.dumps(HAR))
    assert (har.path, har.query, har.headers, har.json) == (
        "/a/b", ("x=1",), (("accept", "*/*"), ("content-type", "application/json")), '{"n": 1}',
    )  # fmt: skip
    small = got(json.dumps({"url": "/f", "method": "post", "query": {"a": "1"}, "form": {"n": 0}}))
    assert (small.method, small.query, small.form) == ("POST", ("a=1",), (("n", "0"),))
    event = got(json.dumps(EVENT))
    assert (event.scheme, event.query, event.headers) == (
        "https", ("x=1",), (("accept", "*/*"), ("content-type", "application/json")),
    )  # fmt: skip


@pytest.mark.parametrize(
    "told",
    [
        "", "{", "[]", "[1]", "hello", "GET", "{}", '{"request": 3}', '{"request": {"method": "GET"}}', '{"request": {"url": "//["}}',
        "[" * 5000,
        '{"url": "x:y", "method": "G T"}', json.dumps({"log": {"entries": []}}), json.dumps({"url": "/a", "json": "x" * 20_000}),
        json.dumps({"request": {"url": "/users/[redacted email]/edit"}}), "GET /tokens/ghp_" + "aB3dE5fG7h" * 4,
    ],
)  # fmt: skip
def test_what_cannot_be_made_again_is_told_so(told: str) -> None:
    assert isinstance(asked(told), str)


def test_what_may_be_secret_is_absent_and_told() -> None:
    request = got(json.dumps(EVENT))
    assert json.loads(request.json) == {"n": 1, "items": [{"price": 2}]}
    assert sorted(request.left_out) == [
        "header cookie", "header x-real-ip", "member note of the body", "member password of the body",
    ]  # fmt: skip
    more = got(
        "GET /x?token=abc&n=1&mail=ana@example.com HTTP/1.1\nAuthorization: Bearer abcdefgh12345678\nX-Api-Key: k\n\n"
    )
    assert (more.query, more.headers) == (("n=1",), ())
    assert more.left_out == (
        "query parameter token", "query parameter mail", "header authorization", "header x-api-key",
    )  # fmt: skip


def test_a_body_that_was_cut_on_its_way_is_not_made_up() -> None:
    cut = {**EVENT, "_meta": {"request": {"data": {"": {"rem": [["!raw", "x", 0, 9]]}}}}}
    assert got(json.dumps(cut)).lost
    part = {**EVENT, "_meta": {"request": {"data": {"n": {"": {"len": 2000}}}}}}
    assert "n" not in json.loads(got(json.dumps(part)).json)


ANYTHING = st.text(max_size=40) | st.sampled_from(
    [
        '"""',
        "'''\nimport os\nos.system('id')#",
        "\\",
        "{method}",
        "\ud800",
        "\0\x1b[2J",
        "\u202e",
        "a\r\nX: y",
        "%00%ff",
    ]
)


@settings(max_examples=150, deadline=None)
@given(
    ANYTHING,
    ANYTHING,
    ANYTHING,
    ANYTHING,
    st.dictionaries(ANYTHING, ANYTHING | st.integers() | st.lists(ANYTHING), max_size=4),
)
def test_whatever_a_request_holds_is_only_ever_a_value(
    path: str, query: str, name: str, header: str, document: Any
) -> None:
    told = {"request": {"method": "POST", "url": f"http://{name}/{path}", "query_string": query,
            "headers": {name: header, "X-A": header, "Content-Type": "application/json"}, "data": document}}  # fmt: skip
    request = asked(json.dumps(told))
    if isinstance(request, str):
        return
    assert_only_values(request)
    raw = asked(
        f"PUT /{path.split()[0] if path.split() else ''}?{'+'.join(query.split())}\n{name}: {header}\n\n{header}"
    )
    if isinstance(raw, Request):
        assert_only_values(raw)


def assert_only_values(request: Request) -> None:
    """But for its constants, the test is what it is for an empty request; and the constants are the request's."""
    app = Entry("shop", "app", asgi=True)
    written, empty = text(request, app), text(Request("GET", "/"), app)
    assert written.isascii()
    assert all(char.isprintable() or char == "\n" for char in written)
    told, rest = constants(written)
    assert told == {"PATH": request.path, "QUERY": "&".join(request.query), "HEADERS": dict(request.headers),
                    "BODY": body_of(request), "METHOD": request.method, "SCHEME": request.scheme, "HOST": request.host}  # fmt: skip
    assert rest == constants(empty)[1]


def constants(written: str) -> tuple[dict[str, Any], list[str]]:
    """(those in capitals, all other statements but the docstring)."""
    told, rest = dict[str, Any](), list[str]()
    for node in ast.parse(written).body[1:]:
        target = node.targets[0] if isinstance(node, ast.Assign) else None
        names = [
            one.id for one in (target.elts if isinstance(target, ast.Tuple) else [target]) if isinstance(one, ast.Name)
        ]
        if isinstance(node, ast.Assign) and names and names[0].isupper():
            value = ast.literal_eval(node.value)
            told |= dict(zip(names, value if len(names) > 1 else (value,), strict=True))
        else:
            rest.append(ast.dump(node))
    return told, rest


def test_what_a_request_does_not_need_goes() -> None:
    request = got(json.dumps({"url": "/x?a=1&b=2&c=3", "headers": {f"x-{n}": "1" for n in range(9)},
        "json": {"items": [{"price": 1, "n": 2}, {"price": None}], "note": "x", "deep": {"er": {"still": 1}}}}))  # fmt: skip
    asked_for = list[Request]()

    def fails(one: Request) -> bool:
        asked_for.append(one)
        items = json.loads(one.json).get("items", [])
        return "b=2" in one.query and any("price" in item and item["price"] is None for item in items)

    small = shrunk(request, fails, 60)
    assert (small.query, small.headers) == (("b=2",), (("content-type", "application/json"),))
    assert json.loads(small.json) == {"items": [{"price": None}]}
    assert len(asked_for) <= 60 < 2 ** len(parts(request))
    assert shrunk(request, fails, 0) == request
    assert shrunk(request, lambda _: False, 60) == request


FILES = {
    "shop/__init__.py": "from flask import Flask\ndef create_app():\n    return Flask(__name__)\n",
    "main.py": "from fastapi import FastAPI\nserver = FastAPI()\n",
    "src/hello.py": "import bottle\napp = bottle.Bottle()\n",
    "made.py": "import uvicorn\nfrom shop import create_app\napp = create_app()\n",
    "backend/manage.py": 'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site1.settings")\n',
    "backend/site1/wsgi.py": "",
}


@pytest.mark.parametrize(
    ("command", "want"),
    [
        ("gunicorn -w 4 shop.wsgi", Entry("shop.wsgi", "application", False)),
        ("PORT=1 exec gunicorn --bind 0:$PORT 'shop:create_app()'", Entry("shop", "create_app", False, True, env=(("PORT", "1"),))),
        ("gunicorn --chdir backend -k uvicorn.workers.UvicornWorker a:b",
         Entry("a", "b", True, folders=("backend",), folder="backend", django=True)),
        ("cd /x && poetry run uvicorn main:server --port $PORT", Entry("main", "server", True)),
        ("uvicorn --factory shop:create_app --app-dir src", Entry("shop", "create_app", True, True, ("src",))),
        ("python -m hypercorn main:server", Entry("main", "server", True)),
        ("waitress-serve --call shop:create_app", Entry("shop", "create_app", False, True)),
        ("flask --app shop run -p 80", Entry("shop", "create_app", False, True)),
        ("FLASK_APP=shop:create_app flask run", Entry("shop", "create_app", False, True, env=(("FLASK_APP", "shop:create_app"),))),
        ("fastapi run main.py", Entry("main", "server", True)),
        ("python3 src/hello.py", Entry("hello", "app", False, folders=(".", "src"))),
        ("python made.py", Entry("made", "app", True)),
        ("python backend/manage.py runserver",
         Entry("site1.wsgi", "application", False, folders=("backend",), folder="backend", django=True)),
        ("uwsgi --http :80 -w shop.wsgi:app", Entry("shop.wsgi", "app", False)),
        ("node server.js", None),
        ("python manage.py; rm -rf /", None),
        ("gunicorn 'a:b;import os'", None),
        ("flask --app ../../etc/x.py run", None),
        ("'", None),
    ],
)  # fmt: skip
def test_the_app_is_found_from_its_command(command: str, want: Entry | None) -> None:
    assert entry(Started("web", command), FILES.get) == want


def test_what_is_declared_comes_before_what_is_usual_and_secrets_stay() -> None:
    files = {
        "prodwise.toml": '[services.api]\ncommand = "uvicorn a:b"\n[services.web]\ncommand = "gunicorn c:d"\n'
        'env = { MODE = "x", SECRET_KEY = "hush", DATABASE_URL = "postgres://ana:hush12@db/x" }\n'
        '[services.job]\nkind = "worker"\ncommand = "python j.py"\n',
        "Procfile": "worker: x\nweb: flask run\n",
        "app.py": "",
    }
    assert [one.command for one in declared(files.get)] == ["gunicorn c:d", "uvicorn a:b", "flask run", "python app.py"]
    assert declared(files.get, "api")[0].service == "api"
    found = entry(declared(files.get)[0], files.get)
    assert found is not None
    assert (found.env, found.left_out) == ((("MODE", "x"),), ("setting DATABASE_URL", "setting SECRET_KEY"))
    assert declared({"prodwise.toml": "[[["}.get) == ()


TRACE = """Traceback (most recent call last):
  File "<string>", line 90, in <module>
  File "<string>", line 84, in test_request
  File "/srv/app/.venv/lib/python3.12/site-packages/flask/app.py", line 1511, in wsgi_app
  File "/srv/app/cart.py", line 7, in total
    return amount / count
{more}{error}
"""


def ended(error: str, more: str = "") -> Outcome:
    return outcome(
        1, TRACE.format(error=error, more=more), "", "/srv/app", lambda file: file if file == "cart.py" else ""
    )


SEEN = Outcome(
    error="ZeroDivisionError",
    message="division by zero",
    frame=Frame("total", "", "cart.py", 9, True, "return amount / count"),
)


def test_the_same_failure_is_the_same_error_at_the_same_place() -> None:
    assert unlike(SEEN, ended("ZeroDivisionError: division by zero")) == ""
    assert "another line" in unlike(SEEN, ended("ZeroDivisionError: division by zero"), lines=True)
    assert "another reason" in unlike(SEEN, ended("KeyError: 'x'"))
    assert "something else" in unlike(SEEN, ended("ZeroDivisionError: float modulo"))
    assert "answered with 404" in unlike(SEEN, outcome(0, "answered with 404\n", "", "/srv/app", str))
    assert "did not end" in unlike(SEEN, outcome(None, "", "time", "/srv/app", str))


@pytest.mark.parametrize(
    ("error", "more"),
    [
        ("sqlite3.OperationalError: no such table: cart", ""),
        ("requests.exceptions.ConnectionError: refused", ""),
        ("FileNotFoundError: x", ""),
        ("shop.Failed: not here: a connection to 'x'", ""),
        ("KeyError: 'STRIPE_KEY'", '  File "<frozen os>", line 679, in __getitem__\n'),
        ("ModuleNotFoundError: No module named 'stripe'", ""),
    ],
)
def test_the_want_of_what_is_not_here_is_no_failure_of_the_app(error: str, more: str) -> None:
    assert "not here" in unlike(SEEN, ended(error, more))


def test_a_refusal_somewhere_in_the_chain_counts_and_one_before_it_does_not() -> None:
    refused = 'Traceback (most recent call last):\n  File "/x.py", line 1, in y\nConnectionRefusedError: not here: a connection\n'
    chained = refused + "\nDuring handling of the above exception, another exception occurred:\n\n"
    real = TRACE.format(error="ZeroDivisionError: division by zero", more="")
    assert unlike(SEEN, outcome(1, refused + real, "", "/srv/app", str)) == ""
    assert "not here" in unlike(SEEN, outcome(1, chained + real, "", "/srv/app", str))


@pytest.mark.parametrize("error", ["OperationalError", "requests.ConnectionError", "FileNotFoundError"])
def test_an_error_about_the_outside_is_not_looked_for(error: str) -> None:
    frames = [{"function": "total", "filename": "cart.py", "lineno": 1, "in_app": True}]
    event = {"exception": {"values": [{"type": error, "value": "x", "stacktrace": {"frames": frames}}]}}
    assert "not here" in str(expected(traced(json.dumps(event)), str))


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (
            "multipart/form-data; boundary=X",
            '--X\r\nContent-Disposition: form-data; name="password"\r\n\r\nhunter2\r\n--X--',
        ),
        ("application/xml", "<login><password>hunter2</password></login>"),
        ("application/x-www-form-urlencoded", "payload=%3Cpassword%3Ehunter2%3C/password%3E"),
    ],
)
def test_what_a_body_calls_secret_never_gets_into_the_test(kind: str, body: str) -> None:
    found = asked(json.dumps({"url": "/f", "method": "POST", "headers": {"Content-Type": kind}, "data": body}))
    assert isinstance(found, str) or "hunter2" not in repr(found)


def test_a_plain_body_is_kept() -> None:
    assert (
        got("POST /f HTTP/1.1\r\nHost: x\r\nContent-Type: application/xml\r\n\r\n<author>Ada</author>").raw
        == b"<author>Ada</author>"
    )
