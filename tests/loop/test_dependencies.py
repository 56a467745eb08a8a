"""A package that a release changed: who is named, what it weighs, and that it never weighs more than its release."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.incidents.draw import draw
from prodwise.loop.choose.pins.guilty import guilty
from prodwise.loop.diagnose import diagnose, evidence_of
from prodwise.loop.diagnose import weights as w
from prodwise.loop.diagnose.dependencies import PackageFacts, fact_in, in_error, in_log, refined, stated
from prodwise.model.delta import Package
from prodwise.model.diagnosis import BY_RELEASE, Cause
from prodwise.model.event import ErrorEvent, Frame, Thrown
from prodwise.model.patch import Fault
from tests.loop.test_diagnose import NEW, ONE_FAILS, ONSET, case, release, symptom

PACKAGES = (
    Package("requirements.txt", "rich", "13.0", "14.0"),
    Package("requirements.txt", "pyyaml", "5.4", "6.0"),
    Package("requirements.txt", "flask", "2.0", "3.0"),
    Package("requirements.txt", "new", "", "1.0"),
)
FLASK = Frame("wsgi_app", "flask.app", "flask/app.py", 10, False)
APP = Frame("cart", "shop.cart", "shop/cart.py", 12, True, "yaml.load(text)")
RICH = Frame("render", "rich.console", "rich/console.py", 3, False)
STANDARD = Frame("decode", "json.decoder", "json/decoder.py", 3, False)
FACTS = {"symptoms": (symptom("errors"),), "requests": ONE_FAILS, "changes": (release(30),)}


def error(kind: str, message: str, *frames: Frame, platform: str = "python") -> ErrorEvent:
    return ErrorEvent("e", ONSET + 1, 1, platform, "error", "", chain=(Thrown(kind, message, frames),))


@pytest.mark.parametrize(
    ("event", "named"),
    [
        (error("ValueError", "bad", FLASK, APP, RICH), "rich"),
        (error("ValueError", "bad", FLASK, APP, RICH, STANDARD), "rich"),
        (error("TypeError", "load() missing 1 required positional argument: 'Loader'", FLASK, APP), "pyyaml"),
        (error("ModuleNotFoundError", "No module named 'yaml'", APP), "pyyaml"),
        (error("ImportError", "cannot import name 'Z' from 'rich.console' (/x/site-packages/rich/console.py)", APP), "rich"),
        (error("KeyError", "'x'", FLASK, APP), ""),
        (error("ValueError", "bad", FLASK, APP, STANDARD), ""),
        (error("TypeError", "total() takes 1 positional argument", FLASK, APP), ""),
        (error("ModuleNotFoundError", "No module named 'shop.tax'", APP), ""),
    ],
)  # fmt: skip
def test_which_package_an_error_comes_from(event: ErrorEvent, named: str) -> None:
    found = in_error(PACKAGES, NEW, event, "reports:web")
    assert [one.name for one in found if one.sure] == ([named] if named else [])
    assert all(one.name in ("flask", named) for one in found)


def test_a_package_of_node_is_named_by_its_folder() -> None:
    frames = (
        Frame("show", "", "/app/src/cart.js", 3, True),
        Frame("next", "", "/app/node_modules/express/lib/router.js", 4, False),
    )
    packages = (Package("package-lock.json", "express", "4.21.0", "5.0.0"),)
    (found,) = in_error(
        packages, NEW, error("TypeError", "x is not a function", *frames, platform="node"), "reports:web"
    )
    assert (found.name, found.sure) == ("express", True)


BOOT = """Traceback (most recent call last):
  File "/app/wsgi.py", line 1, in <module>
    from rich.console import Zap
ImportError: cannot import name 'Zap' from 'rich.console' (/srv/venv/lib/python3.11/site-packages/rich/console.py)
"""


def test_the_log_of_a_release_that_does_not_start_names_the_package() -> None:
    (found,) = in_log(PACKAGES, NEW, f"listening on 8000\n{BOOT}", 5.0)
    assert (found.name, found.before, found.after, found.sure, found.source) == ("rich", "13.0", "14.0", True, "log")
    assert "cannot import name 'Zap'" in stated(found).text
    assert found.pin == "prodwise pin rich==13.0"


@pytest.mark.parametrize(
    "text", ["", "listening on 8000\n", "KeyError: 'rich'\n", "\x00" * 5000, BOOT.replace("rich", "poor")]
)
def test_a_log_that_blames_nothing_that_moved_names_nothing(text: str) -> None:
    assert in_log(PACKAGES, NEW, text, 5.0) == ()


def fact(**more: Any) -> PackageFacts:
    usual = {"sure": True, "source": "reports:web", "at": ONSET + 1, "said": "KeyError: 'price'"}
    return PackageFacts(NEW, "requirements.txt", "rich", "13.0", "14.0", **{**usual, **more})


def test_the_package_leads_with_its_versions_and_its_pin() -> None:
    found = diagnose(case({**FACTS, "packages": (fact(),)}))
    alone = diagnose(case(FACTS))
    assert [one.cause for one in found.hypotheses[:2]] == [Cause.DEPENDENCY, Cause.RELEASE]
    assert found.leading.subject == NEW
    assert found.leading.weight == alone.leading.weight
    assert found.hypotheses[1].weight == alone.leading.weight + w.PACKAGE_EXPLAINS
    for part in ("dependency rich 13.0 → 14.0 (requirements.txt)", "30 s after release", "prodwise pin rich==13.0"):
        assert part in found.leading.text
    cited = {one.id: one for one in evidence_of(case({**FACTS, "packages": (fact(),)}))}
    assert any(cited[name].kind == "package" for name in found.leading.supports)


def test_a_package_that_the_error_only_passes_comes_second() -> None:
    found = diagnose(case({**FACTS, "packages": (fact(sure=False),)}))
    assert [one.cause for one in found.hypotheses[:2]] == [Cause.RELEASE, Cause.DEPENDENCY]
    assert found.leading.weight == diagnose(case(FACTS)).leading.weight


def test_a_package_of_another_release_is_nobodys() -> None:
    found = diagnose(case({**FACTS, "packages": (replace(fact(), release="9-ccccccc"),)}))
    assert Cause.DEPENDENCY not in [one.cause for one in found.hypotheses]


@settings(deadline=None, max_examples=80)
@given(st.integers(0, 5000), st.booleans())
def test_what_is_said_of_a_package_changes_the_name_and_not_the_step(seed: int, sure: bool) -> None:
    """Whoever reports can move the lead between a release and its package, and nowhere else."""
    drawn = replace(draw(seed).case, packages=())
    names = [one.subject for one in diagnose(drawn).hypotheses if one.cause is Cause.RELEASE] or [NEW]
    told = tuple(replace(fact(sure=sure), release=name) for name in names)
    before, after = diagnose(drawn).hypotheses, diagnose(replace(drawn, packages=told)).hypotheses
    by_release = [one.weight for one in before if one.cause is Cause.RELEASE]
    assert max([one.weight for one in after if one.cause in BY_RELEASE], default=None) == max(by_release, default=None)
    assert [one.weight for one in after if one.cause not in BY_RELEASE] == [
        one.weight for one in before if one.cause not in BY_RELEASE
    ]
    assert (before[0].cause in BY_RELEASE) == (after[0].cause in BY_RELEASE)


def test_a_diagnosis_that_was_made_before_the_report_came_is_told_more_closely() -> None:
    alone = diagnose(case(FACTS))
    assert refined(alone, (fact(),)).leading.cause is Cause.DEPENDENCY
    assert refined(alone, ()) == alone
    unsaid = replace(alone, hypotheses=tuple(replace(one, share=None) for one in alone.hypotheses))
    assert all(one.share is None for one in refined(unsaid, (fact(),)).hypotheses)


def test_what_is_stored_of_it_is_read_back_and_leads_the_pin() -> None:
    kept = fact_in(dict(stated(fact()).data))
    assert kept == fact()
    assert kept.moved is not None
    silent = Fault(("false",), output="KeyError: 'price'")
    assert guilty(silent, (kept.moved,)) == ()
    assert guilty(replace(silent, packages=(kept.moved,)), (kept.moved,)) == (kept.moved,)
