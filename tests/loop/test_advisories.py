"""Versions against entries in the form of OSV, and licences against a list: pure."""

from __future__ import annotations

from typing import Any

import pytest

from prodwise.loop.verify.advisories import affects, allowed
from prodwise.model.breakage import Ecosystem


def entry(*events: dict[str, str], versions: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    ranges = [{"type": "ECOSYSTEM", "events": list(events)}] if events else []
    package = {"ecosystem": "PyPI", "name": "Left_Pad"}
    return {"id": "X", "affected": [{"package": package, "ranges": ranges, "versions": list(versions)}], **more}


ZERO, TO_2, FROM_3, TO_3_5 = {"introduced": "0"}, {"fixed": "2.0"}, {"introduced": "3.0"}, {"last_affected": "3.5"}


@pytest.mark.parametrize(
    ("told", "version", "affected"),
    [
        (entry(ZERO, TO_2), "1.9", True),
        (entry(ZERO, TO_2), "2.0", False),
        (entry(TO_2, ZERO), "2.0.0", True),
        (entry(ZERO, TO_2), "2.0rc1", True),
        (entry(ZERO, TO_2, FROM_3, TO_3_5), "2.5", False),
        (entry(TO_3_5, FROM_3, TO_2, ZERO), "3.5", True),
        (entry(TO_3_5, FROM_3, TO_2, ZERO), "3.6", False),
        (entry(FROM_3), "3.0", True),
        (entry(FROM_3), "2.9", False),
        (entry(versions=("1.0",)), "1.0", True),
        (entry(versions=("1.0",)), "1.1", False),
        (entry(), "1.1", True),
        (entry(ZERO), "elsewhere", True),
        (entry(ZERO, withdrawn="2030-01-01T00:00:00Z"), "1.0", False),
    ],
)
def test_a_version_is_affected_unless_it_is_said_not_to_be(told: dict[str, Any], version: str, affected: bool) -> None:
    assert affects(told, Ecosystem.PYTHON, "left-pad", version) is affected


def test_other_packages_and_ecosystems_are_others() -> None:
    assert not affects(entry(ZERO), Ecosystem.NODE, "Left_Pad", "1.0")
    assert not affects(entry(ZERO), Ecosystem.PYTHON, "left-padding", "1.0")


@pytest.mark.parametrize("told", [{}, {"affected": 3}, {"affected": [{}]}, {"affected": [{"package": "x"}]}, []])
def test_what_is_no_entry_is_never_taken_for_harmless(told: Any) -> None:
    with pytest.raises(ValueError, match="no entry"):
        affects(told, Ecosystem.PYTHON, "x", "1")


@pytest.mark.parametrize(
    ("licence", "good"),
    [
        ("MIT", True), ("mit", True), ("MIT OR GPL-3.0-only", True), ("MIT AND GPL-3.0-only", False),
        ("MIT AND Apache-2.0", True), ("GPL-3.0-only", False), ("Apache-2.0 WITH LLVM-exception", False),
        ("(MIT OR GPL-3.0-only)", False), ("", False), ("MIT or something", False),
    ],
)  # fmt: skip
def test_a_licence_is_allowed_where_all_that_binds_is(licence: str, good: bool) -> None:
    assert allowed(licence, ("MIT", "Apache-2.0")) is good
