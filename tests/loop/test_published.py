"""Which artifact a package of Java comes from, where that is known."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from prodwise.loop.diagnose.logs import java
from prodwise.loop.diagnose.logs.java import published
from prodwise.loop.diagnose.logs.java.catalogue import Catalogue, Jars

ROW = re.compile(r"[\w.-]+:[\w.-]+(?: \w+(?:\.\w+)*)+")


@pytest.mark.parametrize("table", ["published.txt", "manuals.txt"])
def test_each_row_names_an_artifact_and_packages_that_no_other_row_has(table: str) -> None:
    rows = files(java).joinpath(table).read_text().splitlines()
    assert [row for row in rows if not ROW.fullmatch(row)] == []
    packages = [package for row in rows for package in row.split()[1:]]
    assert len(packages) == len({*packages})


@pytest.mark.parametrize(
    ("name", "artifact"),
    [
        ("org.springframework.orm.jpa.vendor.Database", "org.springframework:spring-orm"),  # of Debian's
        ("org.testcontainers.containers.Network", "org.testcontainers:testcontainers"),  # by its manual
        ("org.testcontainers.junit.jupiter.Container", "org.testcontainers:junit-jupiter"),  # the longest beginning
        ("software.amazon.awssdk.services.eks.EksClient", "software.amazon.awssdk:eks"),  # of a family
        ("software.amazon.awssdk.services", ""),
        ("org.tern.Anything", ""),
        ("", ""),
    ],
)
def test_the_longest_beginning_that_is_known_tells(name: str, artifact: str) -> None:
    assert published.owner(name) == artifact


@pytest.mark.parametrize(
    ("artifact", "package", "found"),
    [
        ("jackson-databind", "com.fasterxml", "com.fasterxml.jackson.core:jackson-databind"),
        ("jackson-databind", "", "com.fasterxml.jackson.core:jackson-databind"),
        ("jackson-databind", "org.tern", ""),
        ("rxjava", "", ""),  # of two groups
        ("rxjava", "io.reactivex", ""),
        ("tern", "", ""),
    ],
)
def test_a_name_is_one_artifacts_or_none(artifact: str, package: str, found: str) -> None:
    assert published.named(artifact, package) == found


def owners(*used: str) -> list[str]:
    known = Catalogue(jars=Jars.SOME)
    for one in used:
        known.add(*one.split(":"), "1.0", jar=True)
    return [key for key, _ in known.owners("org.bouncycastle.openpgp.PGPUtil")]


def test_of_artifacts_in_a_log_the_one_that_is_known_to_bring_a_class_leads_whatever_java_it_is_for() -> None:
    assert (
        owners("org.bouncycastle:bcmail-jdk18on", "org.bouncycastle:bcpg-jdk18on")[0] == "org.bouncycastle:bcpg-jdk18on"
    )
    assert owners("org.bouncycastle:bcmail-jdk18on", "org.tern:bcpg")[0] == "org.bouncycastle:bcmail-jdk18on"


def test_an_artifact_that_is_not_in_the_log_is_not_made_up() -> None:
    assert owners("org.tern:tern-core") == []
