"""The payment provider, as the shop sees it: charges and shipping quotes over HTTP, somewhere else, taking its time.

It stands for a company outside. While the file named by PAYMENTS_OUTAGE_FILE exists it has an outage and answers 503.
"""

import json
import os
import signal
import sys
import time
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from waitress import serve

ANSWER_SECONDS = 0.03
BASE_CENTS, CENTS_PER_KILO = 390, 120

Start = Callable[[str, list[tuple[str, str]]], Any]


def answer(start: Start, status: str, body: dict[str, object]) -> Iterable[bytes]:
    payload = json.dumps(body).encode()
    start(status, [("Content-Type", "application/json"), ("Content-Length", str(len(payload)))])
    return [payload]


def in_outage() -> bool:
    path = os.environ.get("PAYMENTS_OUTAGE_FILE", "")
    return bool(path) and os.path.exists(path)


def app(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
    if in_outage():
        return answer(start, "503 Service Unavailable", {"error": "we are having an outage"})
    path = environ["PATH_INFO"]
    if path == "/healthz":
        return answer(start, "200 OK", {"ok": True})
    time.sleep(ANSWER_SECONDS)
    if path == "/quote":
        kilos = int(environ["QUERY_STRING"].partition("grams=")[2] or 0) / 1000
        return answer(start, "200 OK", {"cents": BASE_CENTS + round(CENTS_PER_KILO * kilos)})
    if path == "/charge" and environ["REQUEST_METHOD"] == "POST":
        if environ.get("HTTP_AUTHORIZATION") != f"Bearer {os.environ['PAYMENTS_KEY']}":
            return answer(start, "401 Unauthorized", {"error": "unknown key"})
        return answer(start, "200 OK", {"id": f"pay_{uuid.uuid4().hex[:12]}"})
    return answer(start, "404 Not Found", {"error": "no such thing"})


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    serve(app, host="127.0.0.1", port=int(os.environ["PORT"]), threads=24, ident="payments", _quiet=True)
