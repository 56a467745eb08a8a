"""Envelopes as the Python SDK really sends them, and as many more like them, each with an event id of its own."""

from __future__ import annotations

import gzip
import logging
import re
import threading
import uuid
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = "ab" * 16
LEAST_BYTES = 10_000
_ID = re.compile(rb'"event_id":\s?"([0-9a-f]{32})"')


def real(count: int = 100) -> list[bytes]:
    """What the SDK sends for errors in a small shop: about 20 kB each, unpacked."""
    import flask
    import sentry_sdk

    with _listening() as (dsn, bodies):
        sentry_sdk.init(dsn, release="shop@1.4.2", _experiments={"transport_compression_algo": "gzip"})
        app, log = flask.Flask("shop"), logging.getLogger("shop")
        app.logger.disabled = True
        log.setLevel(logging.INFO)

        def price(cart: dict[str, int], coupon: dict[str, int], depth: int = 8) -> int:
            lines = {f"line{at}": f"{at} × {'tea ' * 5}" for at in range(12)}
            return price(cart, coupon, depth - 1) if depth and lines else cart["price"] * coupon["factor"]

        @app.get("/cart/<number>")
        def cart(number: str) -> str:
            for step in range(30):
                log.info("step %d of cart %s took %d ms", step, number, step * 3)
            sentry_sdk.set_user({"id": number})
            return str(price({"price": 3}, {"fact": 2}))

        client = app.test_client()
        for number in range(count):
            client.get(f"/cart/{number}")
        sentry_sdk.get_client().close(timeout=20)
        sentry_sdk.init()
    raw = [gzip.decompress(body) for body in bodies]
    return [one for one in raw if len(one) >= LEAST_BYTES]


def requests(raw: list[bytes], count: int, path: str, key: str, *, distinct: bool = False) -> Iterator[bytes]:
    """Whole HTTP requests, gzipped as the SDK does. distinct: each is a fault of its own."""
    ids = [match[1] if (match := _ID.search(one)) else b"" for one in raw]
    for number in range(count):
        body = raw[number % len(raw)].replace(ids[number % len(raw)], uuid.uuid4().hex.encode())
        if distinct:
            body = re.sub(rb'("length":\s?)\d+', rb"\g<1>%d" % (_length(body) + 8), body, count=1)
            body = body.replace(
                b'"KeyError"', b'"KeyError%s"' % (b"".join(b"%c" % (97 + number // 26**at % 26) for at in range(8))), 1
            )
        packer = zlib.compressobj(9, wbits=31)
        packed = packer.compress(body) + packer.flush()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Forwarded-Proto: https\r\n"
            f"Content-Type: application/x-sentry-envelope\r\nContent-Encoding: gzip\r\n"
            f"X-Sentry-Auth: Sentry sentry_key={key}, sentry_version=7, sentry_client=sentry.python/2\r\n"
            f"Content-Length: {len(packed)}\r\n\r\n"
        )
        yield head.encode() + packed


def _length(body: bytes) -> int:
    found = re.search(rb'"length":\s?(\d+)', body)
    return int(found[1]) if found else 0


@contextmanager
def _listening() -> Iterator[tuple[str, list[bytes]]]:
    """(a DSN, the bodies that were sent to it so far)."""
    bodies: list[bytes] = []

    class Taken(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Taken)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://{KEY}@127.0.0.1:{server.server_port}/1", bodies
    finally:
        server.shutdown()
        server.server_close()
