"""The demo shop: ordinary files in `app/`, and a git history of good and bad releases made from `releases/*.diff`."""

from __future__ import annotations

import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

from prodwise.drill.git import git

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Release:
    """One commit of the shop's history: its tag (and branch), the tag it grew from, and what it is known to do."""

    tag: str
    parent: str
    message: str
    about: str


HISTORY = (
    Release("v2", "v1", "Search the teas", "good"),
    Release("good-next", "v2", "Sort the shelf by price", "good"),
    Release("bad-errors", "v2", "Say what a tray of cups costs", "a cart with a small tin in it answers 500"),
    Release("bad-product", "v2", "Show the average of the stars", "a product nobody has reviewed answers 500"),
    Release("bad-cart", "v2", "Show the stars in the cart", "a cart with a tea that nobody has reviewed answers 500"),
    Release("bad-dependency", "v2", "Update what we depend on", "a filled cart answers 500: webcolors lost a name"),
    Release("bad-late", "v2", "Show how many people are looking around", "fails above 25 page views a second"),
    Release("bad-boot", "v2", "Parse the provider's answers faster", "does not start: a module is missing"),
    Release("slow", "v2", "Say what goes well together", "product pages take about a third of a second longer"),
    Release("bad-worker", "v2", "Report the weight of packed orders", "the worker dies at the first order"),
    Release("noisy", "v2", "Cache the rendered pages", "loses one page view in a hundred, always has"),
)


@dataclass(frozen=True, slots=True)
class ShopRepo:
    """A real git repository with `main` at v2. commits: full commit id of each tag."""

    path: Path
    commits: dict[str, str]


def make_repo(dest: Path) -> ShopRepo:
    """Makes the shop's repository in the empty or missing folder `dest`; about 0.3 s. Raises UsageError if git fails."""
    shutil.copytree(HERE / "app", dest, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__", "gitignore"))
    shutil.copy(HERE / "app" / "gitignore", dest / ".gitignore")
    git(dest, "init", "-q", "-b", "main")
    _commit(dest, "v1", "Open the shop")
    for release in HISTORY:
        git(dest, "checkout", "-q", "-B", "main" if release.tag == "v2" else f"work/{release.tag}", release.parent)
        git(dest, "apply", "--index", str(HERE / "releases" / f"{release.tag}.diff"))
        _commit(dest, release.tag, release.message)
    git(dest, "checkout", "-q", "main")
    _write_env_file(dest)
    tags = ("v1", *(release.tag for release in HISTORY))
    return ShopRepo(dest, {tag: git(dest, "rev-parse", f"{tag}^{{commit}}").strip() for tag in tags})


def regrow(dest: Path) -> None:
    """Puts what grew from v2 on what `main` is now: a release differs from the one before in its own change alone."""
    for release in HISTORY:
        if release.parent == "v2":
            git(dest, "rebase", "-q", "main", f"work/{release.tag}")
            git(dest, "tag", "-f", release.tag)
    git(dest, "checkout", "-q", "main")


def _commit(dest: Path, tag: str, message: str) -> None:
    git(dest, "add", "-A")
    git(dest, "commit", "-q", "-m", message)
    git(dest, "tag", tag)


def _write_env_file(dest: Path) -> None:
    """The untracked shop.env, readable by its owner only: new secrets for each copy, and where the outage switch lies."""
    values = {
        "SHOP_SECRET": secrets.token_hex(16),
        "PAYMENTS_KEY": secrets.token_hex(16),
        "PAYMENTS_OUTAGE_FILE": str((dest / "payments.outage").resolve()),
        "SHOP_FREE_SHIPPING_FROM": "60",
        "SHOP_THREADS": "4",
    }
    path = dest / "shop.env"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.writelines(f"{key}={value}\n" for key, value in values.items())
