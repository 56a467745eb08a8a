"""The shop's repository and environment, made once for all drill tests."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from prodwise.config.environment import read_env_file
from prodwise.drill.environment import make_environment
from prodwise.drill.git import git
from prodwise.drill.shop import ShopRepo, make_repo
from tests.drill.running_shop import RunningShop


@pytest.fixture(scope="session")
def shop_repo(tmp_path_factory: pytest.TempPathFactory) -> ShopRepo:
    return make_repo(tmp_path_factory.mktemp("shop") / "shop")


@pytest.fixture(scope="session")
def shop_bin(tmp_path_factory: pytest.TempPathFactory, shop_repo: ShopRepo) -> Path:
    return make_environment(shop_repo.path, tmp_path_factory.mktemp("env") / "venv")


@pytest.fixture
def shop(shop_repo: ShopRepo, shop_bin: Path, tmp_path: Path) -> Iterator[Callable[[str], RunningShop]]:
    """`shop("v2")` checks that release out into a folder of its own; call boot() on what it returns."""
    running: list[RunningShop] = []

    def check_out(ref: str) -> RunningShop:
        source = tmp_path / ref
        git(tmp_path, "clone", "-q", str(shop_repo.path), str(source))
        git(source, "checkout", "-q", ref)
        values = read_env_file(shop_repo.path / "shop.env") | {"PAYMENTS_OUTAGE_FILE": str(source / "payments.outage")}
        env = {"PATH": f"{shop_bin}{os.pathsep}{os.environ['PATH']}", **values}
        running.append(RunningShop(source, shop_bin, env))
        return running[-1]

    yield check_out
    for one in running:
        one.end()
