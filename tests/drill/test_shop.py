"""The demo shop: it is what it says, and each of its bad releases really is bad."""

from __future__ import annotations

import http.cookiejar
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from prodwise.config import load
from prodwise.drill.environment import make_environment
from prodwise.drill.git import git
from prodwise.drill.shop import HISTORY, ShopRepo, make_repo, regrow
from tests.drill.running_shop import RunningShop, get, poll

Shop = Callable[[str], RunningShop]


class Browser:
    """A visitor who keeps cookies and follows redirects."""

    def __init__(self, port: int) -> None:
        self._base = f"http://127.0.0.1:{port}"
        jar = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))

    def get(self, path: str) -> str:
        return str(self._opener.open(self._base + path, timeout=5).read().decode())

    def post(self, path: str, **form: str) -> str:
        data = urllib.parse.urlencode(form).encode()
        return str(self._opener.open(self._base + path, data, timeout=5).read().decode())


def test_history_holds_what_is_claimed(shop_repo: ShopRepo) -> None:
    tags = git(shop_repo.path, "tag").split()
    assert sorted(tags) == sorted(["v1", *(release.tag for release in HISTORY)])
    assert git(shop_repo.path, "rev-parse", "HEAD").strip() == shop_repo.commits["v2"]
    for release in HISTORY:
        assert git(shop_repo.path, "rev-parse", f"{release.tag}~1").strip() == shop_repo.commits[release.parent]
    assert git(shop_repo.path, "status", "--porcelain") == "", "secrets and the database are ignored"


def test_what_main_says_of_the_app_holds_for_the_releases_that_grow_from_it(tmp_path: Path) -> None:
    make_repo(tmp_path)
    grown = [release.tag for release in HISTORY if release.parent == "v2"]
    brought = {tag: git(tmp_path, "diff", "v2", tag) for tag in grown}
    (tmp_path / "prodwise.toml").write_text((tmp_path / "prodwise.toml").read_text() + "\n[heal]\nwatch_seconds = 8\n")
    git(tmp_path, "commit", "-q", "-a", "-m", "Watch for a shorter time")
    regrow(tmp_path)
    assert {tag: git(tmp_path, "diff", "main", tag) for tag in grown} == brought
    assert all(git(tmp_path, "rev-parse", f"{tag}~1") == git(tmp_path, "rev-parse", "main") for tag in grown)
    assert git(tmp_path, "branch", "--show-current").strip() == "main"


def test_configuration_is_valid_and_secrets_stay_outside_git(shop_repo: ShopRepo) -> None:
    config = load(shop_repo.path)
    assert set(config.services) == {"web", "worker", "payments"}
    assert config.services["payments"].upstream
    assert "shop.env" not in git(shop_repo.path, "ls-files").split()
    assert (shop_repo.path / "shop.env").stat().st_mode & 0o077 == 0


def test_someone_buys_tea_and_the_worker_packs_it(shop: Shop) -> None:
    running = shop("v2")
    assert running.boot()
    visitor = Browser(running.web)
    assert "Dragonwell" in visitor.get("/")
    assert "Dragonwell" not in visitor.get("/?q=pine")
    assert "First Sencha" in visitor.post("/cart/items", product="sencha", tins="2")
    receipt = visitor.post("/checkout", name="Ada", address="1 Here St")
    assert "Thank you, Ada." in receipt
    assert "paid" in receipt
    running.start("worker")
    assert poll(lambda: "packed" in visitor.get("/orders/1"))
    assert get(running.web, "/orders/1")[0] == 404, "another visitor does not see the order"
    assert get(running.web, "/static/shop.css")[0] == 200


def test_boots_fast_and_ends_on_sigterm(shop: Shop) -> None:
    running = shop("v2")
    assert running.boot()
    running.processes["web"].kill()
    running.processes["web"].wait(5)
    times = []
    for _ in range(3):
        begin = time.monotonic()
        process = running.start("web", running.web)
        assert poll(lambda: get(running.web, "/healthz")[0] == 200)
        times.append(time.monotonic() - begin)
        process.terminate()
        assert process.wait(6) == 0
    assert min(times) < 1.0, f"0.3 s on an idle machine: {times}"


def test_an_outage_of_the_provider_breaks_checkout_only(shop: Shop) -> None:
    running = shop("v2")
    assert running.boot()
    visitor = Browser(running.web)
    visitor.post("/cart/items", product="mint", tins="1")
    outage = Path(running.env["PAYMENTS_OUTAGE_FILE"])
    outage.touch()
    with pytest.raises(urllib.error.HTTPError) as refused:
        visitor.post("/checkout", name="Ada", address="Here")
    assert refused.value.code == 502
    assert "worked out later" in visitor.get("/product/mint")
    assert get(running.payments, "/healthz")[0] == 503
    outage.unlink()
    assert "Thank you" in visitor.post("/checkout", name="Ada", address="Here")


def test_bad_boot_does_not_start(shop: Shop) -> None:
    running = shop("bad-boot")
    assert not running.boot_without_migration()
    assert running.processes["web"].wait(5) != 0


def test_bad_errors_fails_for_carts_with_a_small_tin_only(shop: Shop) -> None:
    running = shop("bad-errors")
    assert running.boot()
    assert [get(running.web, path)[0] for path in ("/", "/cart", "/product/mint")] == [200, 200, 200], (
        "passes its checks"
    )
    assert "a tray" in Browser(running.web).post("/cart/items", product="assam", tins="1")
    with pytest.raises(urllib.error.HTTPError) as failed:
        Browser(running.web).post("/cart/items", product="sencha", tins="1")
    assert failed.value.code == 500


def test_bad_product_fails_for_products_without_a_review_only(shop: Shop) -> None:
    running = shop("bad-product")
    assert running.boot()
    assert [get(running.web, path)[0] for path in ("/", "/cart", "/healthz")] == [200, 200, 200], "passes its checks"
    assert get(running.web, "/product/sencha")[0] == 200
    assert get(running.web, "/product/mint")[0] == 500


def test_bad_late_holds_under_a_small_share_and_fails_under_full_traffic(shop: Shop) -> None:
    running = shop("bad-late")
    assert running.boot()
    assert {get(running.web, "/cart")[0] for _ in range(195)} == {200}
    assert poll(lambda: get(running.web, "/cart")[0] == 500, 8)
    assert get(running.web, "/healthz")[0] == 200, "its health check sees nothing"


def test_slow_takes_much_longer_for_a_product(shop: Shop) -> None:
    def fastest(ref: str) -> float:
        running = shop(ref)
        assert running.boot()
        times = []
        for _ in range(4):
            begin = time.monotonic()
            assert get(running.web, "/product/sencha")[0] == 200
            times.append(time.monotonic() - begin)
        return min(times)

    assert fastest("slow") > 0.3 > 3 * fastest("v2")


def test_bad_worker_dies_at_the_first_order(shop: Shop) -> None:
    running = shop("bad-worker")
    assert running.boot()
    visitor = Browser(running.web)
    visitor.post("/cart/items", product="mint", tins="1")
    visitor.post("/checkout", name="Ada", address="Here")
    assert running.start("worker").wait(10) != 0


def test_noisy_fails_about_once_in_a_hundred(shop: Shop) -> None:
    running = shop("noisy")
    assert running.boot()
    failed = sum(get(running.web, "/cart")[0] == 500 for _ in range(1500))
    assert 2 <= failed <= 40, "binomial(1500, 0.01): outside once in a million runs"


def test_good_next_sorts_by_price(shop: Shop) -> None:
    running = shop("good-next")
    assert running.boot()
    _, page = get(running.web, "/?by=price")
    assert page.index("Garden Mint") < page.index("First Sencha") < page.index("Gyokuro Shade")


def test_bad_cart_fails_for_teas_that_nobody_has_reviewed_only(shop: Shop) -> None:
    running = shop("bad-cart")
    assert running.boot()
    assert [get(running.web, path)[0] for path in ("/", "/cart", "/product/mint")] == [200, 200, 200], (
        "passes its checks"
    )
    assert "4.5 of 5 stars" in Browser(running.web).post("/cart/items", product="sencha", tins="1")
    with pytest.raises(urllib.error.HTTPError) as failed:
        Browser(running.web).post("/cart/items", product="mint", tins="1")
    assert failed.value.code == 500


def test_an_update_of_a_dependency_takes_a_name_away(shop_repo: ShopRepo, tmp_path: Path) -> None:
    ask = "import webcolors; print(hasattr(webcolors, 'CSS3_NAMES_TO_HEX'))"
    said = {}
    for ref in ("v2", "bad-dependency"):
        source = tmp_path / ref
        git(tmp_path, "clone", "-q", "-b", ref, str(shop_repo.path), str(source))
        python = make_environment(source, tmp_path / f"{ref}-env") / "python"
        said[ref] = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True, timeout=30).stdout
    assert said == {"v2": "True\n", "bad-dependency": "False\n"}
    changed = git(shop_repo.path, "diff", "--name-only", "v2", "bad-dependency").split()
    assert changed == ["requirements.in", "requirements.txt"]


@pytest.mark.parametrize("ref", ["v2", "bad-cart"])
def test_the_shop_has_tests_that_pass_in_its_own_environment(shop: Shop, ref: str) -> None:
    running = shop(ref)
    command = [running.bin / "python", "-m", "unittest", "-q"]
    done = subprocess.run(command, cwd=running.source, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
