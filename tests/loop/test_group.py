"""Which errors are one fault: pairs that must be one group, pairs that must be two, and what no input may do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest

from prodwise.loop.group import RULES, group_of
from prodwise.loop.group.files import plain_file
from prodwise.loop.group.names import function_name, module_name
from prodwise.model.event import ErrorEvent, Frame, Thrown

SQL = "cur.execute(INSERT, row)"


def frame(
    function: str, file: str = "shop/orders.py", code: str = "", line: int = 10, app: bool | None = True
) -> Frame:
    return Frame(function, "", file, line, app, code)


def java(function: str, module: str, app: bool | None = True) -> Frame:
    return Frame(function, module, "Cart.java", 7, app)


def thrown(kind: str, message: str, *frames: Frame) -> Thrown:
    return Thrown(kind, message, frames)


def event(*chain: Thrown, platform: str = "python", message: str = "", **more: object) -> ErrorEvent:
    known = ErrorEvent("e1", 1_790_000_000.0, 1, platform, "error", message, chain=chain)
    return replace(known, **more)  # type: ignore[arg-type]


def keys(events: Sequence[ErrorEvent]) -> set[str]:
    return {group_of(one).key for one in events}


VIEW = frame("checkout", "shop/views.py", "order = place(basket)")
PLACE = frame("place", code="raise Sold(tin)")
DRIVER = frame("execute", "/venv/lib/python3.11/site-packages/psycopg/cursor.py", "raise ex", app=False)
SOLD = thrown("Sold", "tin 5 is sold out", VIEW, PLACE)
LOST = thrown("OperationalError", "server closed the connection", frame("save", code=SQL), DRIVER)
SYNTAX = thrown("ProgrammingError", 'relation "orders" does not exist', frame("save", code=SQL), DRIVER)
WRAPPED = thrown("OrderFailed", "order 7 could not be placed", VIEW, frame("place", code="raise OrderFailed(order)"))


def _moved(one: ErrorEvent, files: str, lines: int) -> ErrorEvent:
    """The same fault in another release: another folder, other lines."""
    chain = tuple(
        replace(
            t,
            frames=tuple(
                replace(f, file=files + f.file if f.in_app else f.file, line=f.line + lines) for f in t.frames
            ),
        )
        for t in one.chain
    )
    return replace(one, id="e2", release="13-fff0000", chain=chain)


def _js(function: str, file: str, code: str = "", message: str = "x is undefined") -> ErrorEvent:
    return event(thrown("TypeError", message, frame(function, file, code, app=True)), platform="javascript")


def _said(message: str, **more: object) -> ErrorEvent:
    return event(message=message, **more)


def _java(message: str, function: str = "total", module: str = "shop.Cart") -> ErrorEvent:
    return event(thrown("java.lang.IllegalStateException", message, java(function, module)), platform="java")


RECURSIVE = (frame("walk", code="walk(child)"), frame("walk", code="walk(child)"), frame("walk", code="walk(child)"))

ONE: dict[str, tuple[ErrorEvent, ...]] = {
    "two releases of one app": (
        event(SOLD),
        _moved(event(SOLD), "/srv/shop/releases/12-abc1234/src/", 40),
        _moved(event(SOLD), "/srv/shop/releases/13-fff0000/src/", 3),
        _moved(event(SOLD), "/var/lib/docker/overlay2/9f86d081884c7d659a2feaa0c55ad0153f/merged/app/", 3),
    ),
    "ids in the message, code unknown": (
        _java("order 17 of ann@example.org failed after 12ms"),
        _java("order 99001 of bob.b@example.net failed after 3.5s"),
    ),
    "uuids, hashes, addresses, times, urls, paths and quoted values": (
        _java("a1b2c3d4-1111-2222-3333-444455556666 at 10.0.0.1:80 in /tmp/x1/y for 'ann' see http://a/b?c=1 0x7f31"),
        _java(
            "ffffffff-9999-8888-7777-444455556667 at 192.168.7.9:8080 in /var/z for 'bob' see https://c.d/e 0xdead10"
        ),
    ),
    "depth of a recursion": (
        event(thrown("ValueError", "m", VIEW, *RECURSIVE, frame("leaf", code="x[1]"))),
        event(thrown("ValueError", "m", VIEW, *RECURSIVE, *RECURSIVE, frame("leaf", code="x[1]"))),
    ),
    "where the stack happened to end": (
        event(thrown("RecursionError", "maximum recursion depth exceeded", *(frame("a"), frame("b")) * 60, frame("c"))),
        event(thrown("RecursionError", "maximum recursion depth exceeded", *(frame("a"), frame("b")) * 55, frame("a"))),
    ),
    "a deadline wherever it strikes": (
        event(thrown("SystemExit", "1", VIEW, frame("total", code="a + b")), route="GET /cart"),
        event(thrown("SystemExit", "1", VIEW, frame("render", code="join()")), route="GET /cart"),
    ),
    "memory wherever it ends": (
        event(thrown("MemoryError", "", VIEW, frame("total"))),
        event(thrown("MemoryError", "Unable to allocate 5 GiB", VIEW, frame("load"))),
    ),
    "a decorator put around the caller": (
        event(thrown("Sold", "m", VIEW, PLACE)),
        event(thrown("Sold", "m", VIEW, frame("wrapper", "shop/auth.py", "return f(*a)"), PLACE)),
    ),
    "another version of a library": (
        event(LOST),
        event(replace(LOST, frames=(LOST.frames[0], frame("_run", "/venv/site-packages/psycopg/x.py", app=False)))),
    ),
    "hashed bundles and columns": (
        _js("t", "https://cdn.a/assets/app.3f2a1b9c.js?v=1", "x" * 900),
        _js("e", "https://cdn.b/assets/app.77ac01de.js", "y" * 1200),
    ),
    "Vite's hashes": (_js("load", "/assets/index-BkT3x9aZ.js"), _js("load", "/assets/index-D4f_9wQs.js")),
    "lost chunks": (
        _js("t", "a.js", message="Loading chunk 12 failed.\n(error: https://a/12.ab12cd34.js)"),
        event(thrown("ChunkLoadError", "Loading CSS chunk 7 failed.", frame("e", "b.js")), platform="javascript"),
    ),
    "Script error.": (
        event(thrown("Error", "Script error.", frame("", "?")), platform="javascript"),
        event(message="Script error.", platform="javascript"),
    ),
    "Java's lambdas and proxies": (
        _java("m", "lambda$total$0", "shop.Cart$$Lambda$14/0x0000000800c8"),
        _java("m", "lambda$total$3", "shop.Cart$$Lambda$99/0x00000008ffff"),
        _java("m", "total", "shop.Cart$$EnhancerBySpringCGLIB$$1a2b3c"),
        _java("m", "total", "shop.Cart$$SpringCGLIB$$0"),
    ),
    "C#'s state machines": (_java("m", "MoveNext", "Shop.Cart+<Load>d__12"), _java("m", "Load", "Shop.Cart")),
    "Rust's hashes": (
        event(thrown("panic", "m", frame("shop::add::h0123456789abcdef", "src/a.rs")), platform="native"),
        event(thrown("panic", "m", frame("shop::add::hfedcba9876543210", "src/a.rs")), platform="native"),
    ),
    "Go's closures": (
        event(thrown("E", "m", frame("main.(*Server).cart.func1", "cart.go")), platform="go"),
        event(thrown("E", "m", frame("main.(*Server).cart.func2.1", "cart.go")), platform="go"),
    ),
    "log messages with values": (_said("paid 5.20 by card 7"), _said("paid 19 by card 9912")),
    "routes that the sender did not fold": (
        _said("failed", route="GET /v2/order/17/lines?page=1"),
        _said("failed", route="GET /v2/order/a1b2-77/lines"),
    ),
    "the sender's own template": (
        _said("hello ann", template="hello %s", logger="shop"),
        _said("hello bob and friends", template="hello %s", logger="shop"),
    ),
    "five equal exceptions of a group": (event(LOST, WRAPPED), event(LOST, LOST, LOST, WRAPPED)),
    "the sender's fingerprint": (event(SOLD, fingerprint=("pay",)), event(LOST, fingerprint=("pay",))),
    "the default fingerprint": (
        event(SOLD),
        event(SOLD, fingerprint=("{{ default }}",)),
        event(SOLD, fingerprint=("{{default}}",)),
    ),
}

TWO: dict[str, tuple[ErrorEvent, ErrorEvent]] = {
    "two lines of one function": (
        event(thrown("KeyError", "'a'", VIEW, frame("total", code="price = row['a']"))),
        event(thrown("KeyError", "'a'", VIEW, frame("total", code="rate = row['b']"))),
    ),
    "two types on one line": (
        event(thrown("KeyError", "'a'", VIEW, frame("total", code="row['a'] + 1"))),
        event(thrown("TypeError", "'a'", VIEW, frame("total", code="row['a'] + 1"))),
    ),
    "two messages in one function, code unknown": (_java("the basket is empty"), _java("the price is unknown")),
    "two attributes that are missing": (
        _js("load", "/a/app.js", message="Cannot read properties of undefined (reading 'map')"),
        _js("load", "/a/app.js", message="Cannot read properties of undefined (reading 'length')"),
    ),
    "two status codes": (
        _java("the provider answered with status 404"),
        _java("the provider answered with status 503"),
    ),
    "two causes under one generic wrapper": (event(LOST, WRAPPED), event(SYNTAX, WRAPPED)),
    "one cause, handled in two ways": (event(LOST, WRAPPED), event(LOST)),
    "a shared helper with two callers": (
        event(thrown("HTTPError", "m", frame("pay"), frame("get", "shop/http.py", "r.raise_for_status()"))),
        event(thrown("HTTPError", "m", frame("ship"), frame("get", "shop/http.py", "r.raise_for_status()"))),
    ),
    "errors that are raised on one line": (
        event(thrown("Failed", "the card was refused", frame("check", code="raise error"))),
        event(thrown("Failed", "the address is unknown", frame("check", code="raise error"))),
    ),
    "two routes of a deadline": (
        event(thrown("SystemExit", "1", VIEW), route="GET /cart"),
        event(thrown("SystemExit", "1", VIEW), route="GET /tin/:id"),
    ),
    "two cycles": (
        event(thrown("RecursionError", "m", *(frame("a"), frame("b")) * 60)),
        event(thrown("RecursionError", "m", *(frame("a"), frame("c")) * 60)),
    ),
    "two loggers": (_said("failed", logger="shop.pay"), _said("failed", logger="shop.mail")),
    "two routes of a message": (_said("failed", route="GET /a"), _said("failed", route="GET /b")),
    "two files of one name": (
        event(thrown("E", "m", frame("run", "shop/pay/job.py", "x()"))),
        event(thrown("E", "m", frame("run", "shop/mail/job.py", "x()"))),
    ),
    "two projects": (event(SOLD), event(SOLD, project=2)),
    "a fingerprint beside the default": (
        event(SOLD, fingerprint=("{{ default }}", "a")),
        event(SOLD, fingerprint=("{{ default }}", "b")),
    ),
    "a refined group of two faults": (
        event(SOLD, fingerprint=("{{ default }}", "a")),
        event(LOST, fingerprint=("{{ default }}", "a")),
    ),
    "fingerprints that would run together": (
        event(SOLD, fingerprint=("ab", "c")),
        event(SOLD, fingerprint=("a", "bc")),
    ),
    "libraries only": (
        event(thrown("E", "the pool is empty", DRIVER)),
        event(thrown("E", "the server said no", DRIVER)),
    ),
}


@pytest.mark.parametrize("name", ONE)
def test_one_fault_is_one_group(name: str) -> None:
    assert len(keys(ONE[name])) == 1, [group_of(one) for one in ONE[name]]


@pytest.mark.parametrize("name", TWO)
def test_two_faults_are_two_groups(name: str) -> None:
    assert len(keys(TWO[name])) == 2, [group_of(one) for one in TWO[name]]


RULED = {
    "script-error": ONE["Script error."][0],
    "stale-asset": ONE["lost chunks"][0],
    "out-of-memory": ONE["memory wherever it ends"][0],
    "deadline": ONE["a deadline wherever it strikes"][0],
    "endless-recursion": ONE["where the stack happened to end"][0],
    "frames": event(SOLD),
    "library-frames": event(thrown("E", "m", DRIVER)),
    "exception": event(thrown("E", "m")),
    "message": _said("failed"),
    "nothing": event(),
}


@pytest.mark.parametrize("rule", [one.name for one in RULES])
def test_each_rule_decides_where_it_should_and_says_why(rule: str) -> None:
    assert group_of(RULED[rule]).rule == rule
    assert len(next(one.why for one in RULES if one.name == rule)) > 30


def test_what_the_sender_asked_for_is_named_as_such() -> None:
    assert group_of(event(SOLD, fingerprint=("pay",))).rule == "asked"
    assert group_of(event(SOLD, fingerprint=("{{ default }}",))).rule == "frames"


def test_a_group_says_what_and_where() -> None:
    seen = group_of(_moved(event(LOST, WRAPPED), "/srv/shop/releases/12-abc1234/src/", 1))
    assert (seen.title, seen.where) == ("OrderFailed: order <n> could not be placed", "shop/orders.py:place")
    assert re.fullmatch(r"[0-9a-f]{32}", seen.key)
    assert group_of(event(thrown("E", "m", DRIVER))).where == "", "a library's function is nobody's here"
    assert group_of(event()).title == "an error that says nothing"


@pytest.mark.parametrize(
    "text", ["\x1b[31mred\x1b[0m \x00alert\u202e", "<script>\n\talert(1)</script>", "\ud800 half", "x" * 5000]
)
def test_a_title_is_one_short_line_without_terminal_escapes(text: str) -> None:
    title = group_of(event(thrown("E" * 300, text), message=text)).title
    assert len(title) <= 200
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", title)


NAMES = {
    "outer.<locals>.inner": "outer.inner",
    "outer.<locals>.<lambda>": "outer",
    "foo.<locals>.<genexpr>": "foo",
    "<lambda>": "",
    "<module>": "",
    "lambda$process$0": "process",
    "lambda$null$1": "",
    "<Load>d__12": "Load",
    "<Run>b__0": "Run",
    "<Main>g__Local|0_0": "Main",
    "_ZN4shop3add17h0123456789abcdefE": "_ZN4shop3add",
    "shop::run::{{closure}}": "shop::run",
    "main.(*Server).handle.func1.2": "main.(*Server).handle",
    "main.(*Server).total-fm": "main.(*Server).total",
    "block (2 levels) in total": "total",
    "rescue in total": "total",
    "_app_views_show_html_erb___123456_789": "_app_views_show_html_erb",
    "closure #1 in Cart.total": "Cart.total",
    "anonymous fn/2 in Shop.Cart.total/1": "Shop.Cart.total/1",
    "$anonfun$total$1": "total",
    "total.cold.1": "total",
    "async load": "load",
    "Worker.step": "Worker.step",
}
SCRIPT_NAMES = {
    "t": "",
    "n.e": "",
    "Object.<anonymous>": "",
    "Cart.render": "render",
    "load/<": "load",
    "_callee12$": "",
    "?": "",
}
MODULES = {
    "shop.Cart$$EnhancerBySpringCGLIB$$1a2b3c": "shop.Cart",
    "shop.Cart$$Lambda$887.1827771163": "shop.Cart",
    "shop.Cart_$$_javassist_12": "shop.Cart",
    "shop.Cart$HibernateProxy$abc": "shop.Cart",
    "shop.Cart$1": "shop.Cart",
    "shop.Cart$Item": "shop.Cart$Item",
    "com.sun.proxy.$Proxy42": "com.sun.proxy.$Proxy",
    "jdk.internal.reflect.GeneratedMethodAccessor12": "jdk.internal.reflect.GeneratedMethodAccessor",
    "Shop.Cart+<>c__DisplayClass5_0": "Shop.Cart",
    "Shop.Repo`1": "Shop.Repo",
    "github.com/shop/cart": "github.com/shop/cart",
    "__main__": "",
    "app/cart.js": "",
}
FILES = {
    "/srv/app/releases/12-abc1234/src/shop/orders.py": "shop/orders.py",
    "/home/u/app/.prodwise/releases/13-fff0000/src/shop/orders.py": "shop/orders.py",
    "/var/www/app/releases/20240101120000/app/models/cart.rb": "app/models/cart.rb",
    "/srv/app/current/app/models/cart.rb": "app/models/cart.rb",
    "/srv/venv/lib/python3.11/site-packages/flask/app.py": "flask/app.py",
    "/app/node_modules/.pnpm/e@1.0.0/node_modules/express/lib/a.js": "express/lib/a.js",
    "/go/pkg/mod/github.com/a/b@v1.2.3/cart.go": "github.com/a/b/cart.go",
    "/root/.cargo/registry/src/index.crates.io-6f17d22bba15001f/serde-1.0.0/src/lib.rs": "serde/src/lib.rs",
    "/usr/local/bundle/gems/rack-2.2.3/lib/rack.rb": "rack/lib/rack.rb",
    "C:\\build\\12\\Shop\\Cart.cs": "Shop/Cart.cs",
    "https://cdn/assets/app.3f2a1b9c.min.js?v=3#x": "assets/app.js",
    "https://cdn/static/js/4821.ab12cd34.chunk.js": "js/*.js",
    "webpack://shop/./src/cart.ts": "src/cart.ts",
    "webpack-internal:///(app-pages-browser)/./src/cart.tsx": "src/cart.tsx",
    "app:///main.js": "main.js",
    "date-picker.js": "date-picker.js",
    "shop/migrations/0001_initial.py": "shop/migrations/0001_initial.py",
    "<string>": "<string>",
    "": "",
}


@pytest.mark.parametrize("written", NAMES)
def test_functions_are_named_as_a_person_wrote_them(written: str) -> None:
    assert function_name(written) == NAMES[written]


@pytest.mark.parametrize("written", SCRIPT_NAMES)
def test_scripts_functions_are_named_alike_in_all_browsers(written: str) -> None:
    assert function_name(written, True) == SCRIPT_NAMES[written]


@pytest.mark.parametrize("written", MODULES)
def test_classes_and_modules_are_named_as_a_person_wrote_them(written: str) -> None:
    assert module_name(written) == MODULES[written]


@pytest.mark.parametrize("written", FILES)
def test_files_are_named_alike_wherever_they_lie(written: str) -> None:
    assert plain_file(written) == FILES[written]


def test_frames_whose_sdk_did_not_say_are_judged_by_where_they_lie() -> None:
    told = event(thrown("E", "m", VIEW, PLACE, DRIVER))
    silent = event(thrown("E", "m", *(replace(one, in_app=None) for one in (VIEW, PLACE, DRIVER))))
    assert group_of(told) == group_of(silent)
