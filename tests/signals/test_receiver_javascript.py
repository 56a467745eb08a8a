"""The real JavaScript SDKs as clients: under Node, and in a page in Chromium. npm brings them; nothing of them lies here."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from prodwise.model.report import CheckIn
from prodwise.testing.receivers import Receivers, receivers
from tests.browser import chromium
from tests.signals.test_receiver import _within, seen


@pytest.fixture(scope="module")
def receiving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receivers]:
    with receivers(tmp_path_factory.mktemp("receiving")) as running:
        yield running


NODE = """
const Sentry = require("@sentry/node");
Sentry.init({ dsn: process.argv[2], release: "node-1", tracesSampleRate: 1.0 });
Sentry.setUser({ id: "grace" });
function checkout(cart) { return cart.total.toFixed(2); }
try { checkout({}); } catch (error) { Sentry.captureException(error); }
Sentry.captureCheckIn({ monitorSlug: "node-job", status: "ok" });
Sentry.flush(10000).then((ok) => process.exit(ok ? 0 : 1));
"""


def install(folder: Path, *packages: str) -> None:
    """Skips the test where npm cannot install it."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("not run: no npm and node")
    folder.mkdir(exist_ok=True)
    (folder / "package.json").write_text("{}")
    argv = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error", *packages]
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        pytest.skip(f"not run: npm cannot install {packages}: {done.stderr.strip()[-200:]}")


@pytest.mark.full
@pytest.mark.timeout(400)
def test_the_node_sdk_reports(receiving: Receivers, tmp_path: Path) -> None:
    install(tmp_path / "node", "@sentry/node")
    (tmp_path / "node" / "shop.js").write_text(NODE)
    subprocess.run(["node", "shop.js", receiving.dsn], cwd=tmp_path / "node", check=True, timeout=60)
    (told,) = seen(receiving, "TypeError: Cannot read properties of undefined")
    assert (told.release, told.source, len(told.user)) == ("node-1", "sentry", 16)
    group = receiving.archive.group(told.group)
    assert group is not None
    assert group.where.endswith("shop.js:checkout")
    assert any(isinstance(one.item, CheckIn) and one.item.monitor == "node-job" for one in receiving.heard())


PAGE = """<!doctype html><title>shop</title><script src="/sentry.js"></script>
<script>
Sentry.init({ dsn: "DSN", release: "page-1" });
function openCart() { undefinedCart.open(); }
window.setTimeout(openCart, 0);
</script>"""


@pytest.mark.full
@pytest.mark.browser
@pytest.mark.timeout(400)
def test_a_page_with_the_browser_sdk_reports(receiving: Receivers, tmp_path: Path) -> None:
    folder = tmp_path / "page"
    install(folder, "@sentry/browser", "esbuild")
    (folder / "in.js").write_text('import * as Sentry from "@sentry/browser"; window.Sentry = Sentry;')
    bundle = [str(folder / "node_modules" / ".bin" / "esbuild"), "in.js", "--bundle", "--minify", "--outfile=sentry.js"]
    subprocess.run(bundle, cwd=folder, check=True, capture_output=True, timeout=60)
    files = {"/": PAGE.replace("DSN", receiving.dsn).encode(), "/sentry.js": (folder / "sentry.js").read_bytes()}

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = files.get(self.path, b"")
            self.send_response(200 if body else 404)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Type", "text/html" if self.path == "/" else "text/javascript")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    site = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=site.serve_forever, daemon=True).start()
    try:
        with chromium() as browser:
            page = browser.new_page()
            page.goto(f"http://127.0.0.1:{site.server_port}/")
            assert _within(20, lambda: bool(page.wait_for_timeout(50) or seen(receiving, "undefinedCart")))
    finally:
        site.shutdown()
        site.server_close()
    (told,) = seen(receiving, "undefinedCart")
    assert (told.release, told.handled) == ("page-1", False)
