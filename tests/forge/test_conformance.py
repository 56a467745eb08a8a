"""Every forge keeps the same promises: real git, real HTTP."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from prodwise.testing import forge_kit
from prodwise.testing.forge_kit import CHECKS, Rig
from tests.forge.rigs import KINDS, bare_rig, host_rig, http_rig

SAME_CODE = (
    forge_kit.a_better_change_updates_the_same_one,
    forge_kit.others_commits_are_left_alone,
    forge_kit.only_what_is_proven_and_calm,
    forge_kit.three_are_open_at_most,
    forge_kit.opens_a_branch_with_the_change,
)
"""What does not differ between hosts is tried on one of them; the long tests try all."""
SLOW = (("bare", forge_kit.three_are_open_at_most), ("bare", forge_kit.only_what_is_proven_and_calm))
PAIRS = [
    pytest.param(
        kind,
        check,
        marks=[pytest.mark.full]
        if (check in SAME_CODE and kind in ("gitlab", "gitea")) or (kind, check) in SLOW
        else [],
    )
    for kind in (*KINDS, "bare")
    for check in CHECKS
]


@pytest.mark.parametrize(("kind", "check"), PAIRS, ids=lambda one: getattr(one, "__name__", one))
def test_a_forge_keeps_its_promises(kind: str, check: Callable[[Rig], None], tmp_path: Path) -> None:
    with bare_rig(tmp_path) if kind == "bare" else host_rig(kind, tmp_path) as rig:
        check(rig)


@pytest.mark.parametrize(
    "check",
    [
        forge_kit.opens_a_branch_with_the_change,
        pytest.param(forge_kit.others_commits_are_left_alone, marks=pytest.mark.full),
        pytest.param(forge_kit.we_may_close, marks=pytest.mark.full),
    ],
)
def test_plain_git_over_http_with_a_token(check: Callable[[Rig], None], tmp_path: Path) -> None:
    with http_rig(tmp_path) as rig:
        check(rig)
