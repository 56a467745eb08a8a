"""Stack traces as each language prints them, and text that is none."""

from __future__ import annotations

import shutil
import subprocess
import traceback
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prodwise.model.event import Thrown
from prodwise.signals.otlp.stacks import FRAMES_MAX, chain_of


def calls(thrown: Thrown) -> list[tuple[str, str, str, int]]:
    return [(one.module, one.function, one.file, one.line) for one in thrown.frames]


def told(text: str) -> list[tuple[str, str]]:
    return [(one.kind, one.message) for one in chain_of(text)]


def test_python_as_it_prints_itself() -> None:
    def pay() -> None:
        try:
            {}["price"]
        except KeyError as error:
            raise ValueError("no price: x") from error

    try:
        pay()
    except ValueError as error:
        chain = chain_of(traceback.format_exc(), "ValueError", str(error))
    assert [(one.kind, one.message) for one in chain] == [("KeyError", "'price'"), ("ValueError", "no price: x")]
    assert [one.function for one in chain[1].frames] == ["test_python_as_it_prints_itself", "pay"]
    assert chain[1].frames[-1].code == 'raise ValueError("no price: x") from error'
    assert chain[0].frames[-1].file == __file__


def test_python_without_sources_and_with_code_that_was_made() -> None:
    try:
        exec(compile("1 / 0", "<made>", "exec"))
    except ZeroDivisionError:
        (made,) = chain_of(traceback.format_exc())
    assert (made.kind, made.frames[-1].file, made.frames[-1].code) == ("ZeroDivisionError", "<made>", "")
    text = 'Traceback (most recent call last):\n  File "/x.py", line 3, in f\n  File "/y.py", line 4, in g\nshop.NoStock: none\nleft'
    (gone,) = chain_of(text)
    assert (gone.kind, gone.message, [one.line for one in gone.frames]) == ("shop.NoStock", "none", [3, 4])


def test_a_group_of_exceptions_stays_at_the_top() -> None:
    try:
        raise ExceptionGroup("two", [ValueError("one"), KeyError("other")])
    except ExceptionGroup:
        chain = chain_of(traceback.format_exc(), "ExceptionGroup", "two")
    assert chain[-1].kind == "ExceptionGroup"
    assert chain[-1].frames[-1].function == "test_a_group_of_exceptions_stays_at_the_top"


NODE = """
function checkout(cart) { return cart.total.toFixed(2); }
async function pay() { await null; checkout({}); }
pay().catch((error) => {
  const outer = new RangeError("not paid", { cause: error });
  console.log(require("node:util").inspect(outer));
});
"""


def test_node_as_it_prints_itself(tmp_path: Path) -> None:
    if shutil.which("node") is None:
        pytest.skip("not run: no node")
    (tmp_path / "shop.js").write_text(NODE)
    done = subprocess.run(["node", "shop.js"], cwd=tmp_path, capture_output=True, text=True, timeout=30, check=True)
    cause, top = chain_of(done.stdout)
    assert (cause.kind, top.kind, top.message) == ("TypeError", "RangeError", "not paid")
    assert cause.message.startswith("Cannot read properties of undefined")
    assert [one.function.removeprefix("async ") for one in cause.frames][-2:] == ["pay", "checkout"]
    assert cause.frames[-1].line == 2


JAVA = """java.lang.IllegalStateException: order 7: not paid
\tat com.shop.Cart.total(Cart.java:42)
\tat java.base/java.lang.Thread.run(Thread.java:833)
\tSuppressed: java.io.IOException: closing
\t\tat com.shop.File.close(File.java:1)
Caused by: java.sql.SQLException: gone
\tat com.shop.Db.query(Db.java:7)
\tat com.shop.Cart$$Lambda$14/0x0000.run(Unknown Source)
\t... 12 more
"""
GO = """goroutine 19 [running]:
runtime/debug.Stack()
\t/usr/local/go/src/runtime/debug/stack.go:24 +0x65
example.com/shop/cart.(*Cart).Total(0xc000, {0x1, 0x2}, ...)
\t/srv/shop/cart/cart.go:14 +0x1d
main.main.func1()
\t/srv/shop/main.go:22 +0x9
created by main.main in goroutine 1
\t/srv/shop/main.go:20 +0x4

goroutine 1 [chan receive]:
main.main()
\t/srv/shop/main.go:30 +0x4
"""
RUBY = """app/models/cart.rb:3:in `total': no price (ArgumentError)
\tfrom app/controllers/carts.rb:10:in `block in show'
\tfrom config.ru:5:in `<main>'
app/db.rb:1:in 'Db#query': gone: away (PG::Error)
\tfrom app/models/cart.rb:2:in 'Cart#total'
"""
PHP = """PHP Fatal error:  Uncaught App\\PriceError: no price in /srv/shop/src/Cart.php:12
Stack trace:
#0 /srv/shop/src/Shop.php(30): App\\Cart->total(Object(App\\Cart), 3)
#1 [internal function]: App\\Shop->{closure}(1)
#2 /srv/shop/index.php(5): array_map()
#3 {main}
  thrown in /srv/shop/src/Cart.php on line 12"""
PHP_OTEL = """App\\PriceError: no price
 at App.Cart.total(Cart.php:12)
 at {main}(index.php:5)
Caused by: RuntimeException: gone
 at App.Db.query(Db.php:1)
 ... 1 more"""
NET = """System.InvalidOperationException: bad
   at Shop.Cart.Total(Int32 n) in /src/Cart.cs:line 12
   at Shop.Program.Main(String[] args)"""


def test_java() -> None:
    assert told(JAVA) == [
        ("java.sql.SQLException", "gone"),
        ("java.lang.IllegalStateException", "order 7: not paid"),
    ]
    cause, top = chain_of(JAVA)
    assert calls(top) == [
        ("java.lang.Thread", "run", "Thread.java", 833),
        ("com.shop.Cart", "total", "Cart.java", 42),
    ]
    assert calls(cause)[-1] == ("com.shop.Db", "query", "Db.java", 7)


def test_go() -> None:
    (one,) = chain_of(GO, "*errors.errorString", "no stock")
    assert (one.kind, one.message) == ("*errors.errorString", "no stock")
    assert calls(one)[:3] == [
        ("main", "main", "/srv/shop/main.go", 20),
        ("main", "main.func1", "/srv/shop/main.go", 22),
        ("example.com/shop/cart", "(*Cart).Total", "/srv/shop/cart/cart.go", 14),
    ]


def test_ruby() -> None:
    assert told(RUBY) == [("PG::Error", "gone: away"), ("ArgumentError", "no price")]
    assert calls(chain_of(RUBY)[1])[-1] == ("", "total", "app/models/cart.rb", 3)


def test_php_by_itself_and_as_opentelemetry_prints_it() -> None:
    (one,) = chain_of(PHP)
    assert (one.kind, one.message) == ("App\\PriceError", "no price")
    assert calls(one) == [
        ("", "{main}", "/srv/shop/index.php", 5),
        ("App\\Shop", "{closure}", "/srv/shop/src/Shop.php", 30),
        ("App\\Cart", "total", "/srv/shop/src/Cart.php", 12),
    ]
    assert told(PHP_OTEL) == [("RuntimeException", "gone"), ("App\\PriceError", "no price")]
    assert calls(chain_of(PHP_OTEL)[1])[-1] == ("App\\Cart", "total", "Cart.php", 12)


def test_net() -> None:
    (one,) = chain_of(NET)
    assert (one.kind, calls(one)[-1]) == (
        "System.InvalidOperationException",
        ("Shop.Cart", "Total", "/src/Cart.cs", 12),
    )


def test_what_is_no_trace_gives_none_and_what_is_too_much_is_cut() -> None:
    for text in ("", "nothing to see", "at last", "\n" * 1000, "File 7", "#0", "Traceback (most recent call last):"):
        assert chain_of(text, "E", "m") == ()
    endless = "Error: deep\n" + "    at f (/srv/a.js:1:2)\n" * 5_000
    (one,) = chain_of(endless)
    assert len(one.frames) == FRAMES_MAX


PARTS = ("at ", "File \"", "a.b(", ")", "(", ":12", ".go:3", "\n", "\n\t", "Caused by: ", "#0 ", "in `", "'", "Error: x", " ", ".",
         "$", 'File "x", line 1, in f', "goroutine ", "    ", "{main}", " in /x.php:1", "Suppressed:", "<")  # fmt: skip


@settings(max_examples=300, deadline=None, database=None)
@given(st.lists(st.sampled_from(PARTS), max_size=80).map("".join), st.text(max_size=20))
def test_no_text_breaks_it(text: str, kind: str) -> None:
    for one in chain_of(text, kind):
        assert one.frames


@pytest.mark.full
@pytest.mark.timeout(600)
@settings(max_examples=20_000, deadline=None, database=None)
@given(st.lists(st.one_of(st.sampled_from(PARTS), st.text(max_size=5)), max_size=200).map("".join))
def test_no_text_breaks_it_at_length(text: str) -> None:
    chain_of(text)


@pytest.mark.timeout(20)
@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "piece", ["at (", "a.", "((", 'File "', "x:1:in `", "A: in ", "#0 x(", ".go:", " \t", "at a.b(c"]
)
def test_a_hostile_text_comes_to_an_end(piece: str) -> None:
    """An expression that tries all ways would not, in any time."""
    line = piece * (2_000 // len(piece))
    assert chain_of("\n".join(["x.go:1", *[line] * 100])) == ()
