"""Serve the shop on 127.0.0.1:$PORT until told to end."""

import logging
import os
import signal
import sys

from teashop import create_app
from waitress import serve


def main() -> None:
    """Finish requests in flight on SIGTERM: waitress drains its queue when the main thread exits."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    threads = int(os.environ.get("SHOP_THREADS", "4"))
    serve(create_app(), host="127.0.0.1", port=int(os.environ["PORT"]), threads=threads, ident="shop", _quiet=True)


if __name__ == "__main__":
    main()
