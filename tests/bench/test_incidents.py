"""Incidents that are drawn, and faults on real histories: services, paths, certificates and tokens in them."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from bench.incidents import layout, parts
from bench.incidents.corpus import entries, quiet
from bench.incidents.draw import draw
from bench.incidents.ratios import Ratio, ratios
from bench.incidents.world import NEW, NOW, OLD, Backdrop
from bench.suspects import shop
from bench.suspects.play import History, play
from prodwise.loop.detect.certificate import standing
from prodwise.model.certificate import Standing
from prodwise.model.diagnosis import BY_RELEASE, Cause

CASES = 4000


def test_weights_of_certificates_and_changes_elsewhere_claim_no_more_than_what_is_drawn() -> None:
    found = ratios(draw(20_000_000 + number, Backdrop(strays=1.0)) for number in range(CASES))
    assert [one.told() for one in found if not one.borne_out] == []
    assert all(min(one.of_right, one.of_wrong) > 10 for one in found), "each was met"
    assert sum(one.right + one.wrong for one in found) > 100


def test_a_weight_that_claims_more_than_was_counted_is_told() -> None:
    assert Ratio("x", -1.5, 10, 1000, 60, 1000).borne_out
    assert not Ratio("x", -4.0, 10, 1000, 60, 1000).borne_out
    assert Ratio("x", 1.0, 60, 1000, 10, 1000).borne_out, "less than was counted is caution"
    assert not Ratio("x", 4.0, 60, 1000, 10, 1000).borne_out


def test_all_of_it_is_drawn_and_red_herrings_among_it() -> None:
    stood: Counter[tuple[Standing, bool]] = Counter()
    changed: Counter[tuple[bool, bool]] = Counter()
    for number in range(CASES):
        drawn = draw(30_000_000 + number)
        case, needed = drawn.case, {"web", *drawn.case.needed()}
        stood.update((standing(one, NOW), drawn.cause is Cause.CERTIFICATE) for one in case.credentials)
        for one in case.touched:
            assert {*one.services} <= {each.id for each in case.services}
            changed[not needed & {*one.services}, drawn.cause in BY_RELEASE and one.release == NEW] += 1
    assert min(stood[Standing.OVER, guilty] for guilty in (True, False)) > 10
    assert {one for one, _ in stood} >= {*Standing} - {Standing.EARLY}
    assert min(changed[outside, guilty] for outside in (True, False) for guilty in (True, False)) > 3


def test_the_same_seed_draws_the_same_and_one_without_backdrop_draws_nothing_of_it() -> None:
    bare = Backdrop(several=0.0, watched=0.0, tokens=0.0, strays=0.0)
    for number in range(200):
        assert draw(number) == draw(number)
        assert draw(number, bare).case.touched == ()
    assert all(
        draw(number, bare).case.credentials == ()
        for number in range(200)
        if draw(number).cause is not Cause.CERTIFICATE
    )


def test_a_fault_lies_in_what_its_release_changed() -> None:
    for number in range(300):
        here = layout.app(Random(number), 1.0)
        if here.own and all(here.own.values()):
            files = layout.files(Random(number), here, True)
            assert files
            assert {one.partition("/")[0] for one in files} <= {*here.own, "shared", "requirements.lock"}


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    found = play(shop.PROJECT, shop.PROJECT.faults[0], 1, tmp_path_factory.mktemp("history") / "repo")
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("whose", "guilty", "services"),
    [("web", True, ("web",)), ("web worker", True, ("web", "worker")), ("worker", True, ("worker",)), ("", True, None),
     ("web", False, ("worker",))],
)  # fmt: skip
def test_what_a_release_changed_is_asked_of_its_real_history(
    history: History, whose: str, guilty: bool, services: tuple[str, ...] | None
) -> None:
    found = parts.changed(history, parts.Parts(whose, guilty), 5.0)
    assert [(one.release, one.previous, one.at, one.services) for one in found] == (
        [(NEW, OLD, 5.0, services)] if services else []
    )


def test_the_corpus_names_each_entry_once_and_holds_both_kinds() -> None:
    names = [one.name for one in (*entries(), *quiet())]
    assert len(names) == len({*names})
    several = [one for one in entries() if one.parts is not None]
    assert {one.cause for one in several} > {Cause.RELEASE, Cause.ERRORS, Cause.CRASH}
    assert len(several) >= 6
