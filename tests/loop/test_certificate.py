"""Certificates and tokens: how they stand, and what they say for and against a cause."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodwise.loop.detect.certificate import DAY_S, NEWS_MAX, news_of, standing, token_times, told
from prodwise.loop.diagnose import Case, diagnose
from prodwise.loop.diagnose import weights as w
from prodwise.loop.diagnose.case import GroupFacts
from prodwise.loop.diagnose.evidence import evidence_of
from prodwise.model.certificate import Credential, Kind, Standing
from prodwise.model.diagnosis import Cause, Hypothesis
from prodwise.model.service import Service, ServiceKind
from tests.loop.test_diagnose import ALL_FAIL, NOW, ONSET, release, symptom

DAYS_90 = 90 * DAY_S
SERVICES = (
    Service("web", ServiceKind.WEB, "x", needs=("pay",)),
    Service("pay", ServiceKind.WEB, "x", upstream=True),
    Service("mail", ServiceKind.WORKER, "x"),
)


def seen(**more: Any) -> Credential:
    usual = {"subject": "pay.example:443", "services": ("pay",), "at": NOW, "code": 0, "fine_at": NOW}
    times = {"not_before": NOW - 10 * DAY_S, "not_after": NOW + 80 * DAY_S}
    return Credential(Kind.CERTIFICATE, **{**usual, **times, **more})


def ended(before_onset_s: float, **more: Any) -> Credential:
    ends = ONSET - before_onset_s
    return seen(not_before=ends - DAYS_90, not_after=ends, code=10, fine_at=ends - 3600, bad_at=NOW, **more)


def reported(title: str) -> GroupFacts:
    return GroupFacts("web", "reports:web", title, title, "shop/pay.py:charge", ONSET, NOW, 40, 9)


def weighed(*credentials: Credential, **more: Any) -> Hypothesis | None:
    found = diagnose(failing(*credentials, **more))
    return next((one for one in found.hypotheses if one.cause is Cause.CERTIFICATE), None)


def failing(*credentials: Credential, **more: Any) -> Case:
    facts = {"symptoms": (symptom("errors"),), "requests": ALL_FAIL, "services": SERVICES, "credentials": credentials}
    return Case("web", NOW, NOW - 600, **{**facts, **more})


@pytest.mark.parametrize(
    ("left_s", "life_s", "found"),
    [
        (14 * DAY_S + 1, DAYS_90, Standing.FINE),
        (14 * DAY_S, DAYS_90, Standing.WANING),
        (3 * DAY_S + 1, DAYS_90, Standing.WANING),
        (3 * DAY_S, DAYS_90, Standing.ENDING),
        (1.0, DAYS_90, Standing.ENDING),
        (0.0, DAYS_90, Standing.OVER),
        (4 * 3600.0, 12 * 3600.0, Standing.FINE),
        (1.5 * 3600.0, 12 * 3600.0, Standing.WANING),
        (6 * DAY_S, 7 * DAY_S, Standing.FINE),
        (5.0, 12 * 3600.0, Standing.ENDING),
    ],
)
def test_levels_are_days_and_less_for_what_lives_shorter(left_s: float, life_s: float, found: Standing) -> None:
    assert standing(seen(not_before=NOW + left_s - life_s, not_after=NOW + left_s), NOW) is found


@pytest.mark.parametrize(
    ("code", "found"),
    [(62, Standing.OTHER_NAME), (64, Standing.OTHER_NAME), (18, Standing.UNTRUSTED), (20, Standing.UNTRUSTED),
     (23, Standing.UNTRUSTED), (10, Standing.OVER), (9, Standing.EARLY), (None, Standing.UNKNOWN)],
)  # fmt: skip
def test_openssl_s_verdict_counts_beside_the_dates(code: int | None, found: Standing) -> None:
    assert standing(seen(code=code, why="said so"), NOW) is found
    assert found is Standing.UNKNOWN or told(seen(code=code, why="said so"), NOW).endswith(": said so")


def test_what_was_not_seen_is_never_valid() -> None:
    unseen = Credential(Kind.CERTIFICATE, "x:443", (), NOW, why="no answer within 5 s")
    assert told(unseen, NOW) == "the certificate of x:443 is not known: no answer within 5 s"
    since = seen(at=NOW - 100, not_after=NOW - 50)
    assert standing(since, NOW - 60) is not Standing.OVER
    assert standing(since, NOW) is Standing.UNKNOWN, "it may have been renewed"


def test_each_level_of_each_certificate_is_news_once() -> None:
    times = [NOW + 10 * DAY_S, NOW + 20 * DAY_S]
    said = {news_of(seen(at=at, not_before=end - DAYS_90, not_after=end), at)
            for end in times for at in (end - 20 * DAY_S, end - 13 * DAY_S, end - 12 * DAY_S, end - DAY_S, end + 1)}  # fmt: skip
    assert said - {""} == {f"{level} {end:.0f}" for end in times for level in ("waning", "ending", "over")}
    assert len(said) <= NEWS_MAX


def token(claims: Any, head: str = "eyJhbGciOiJIUzI1NiJ9") -> str:
    return f"{head}.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.c2ln"


@pytest.mark.parametrize(
    ("value", "times"),
    [
        (token({"exp": 1_900_000_000}), (None, 1_900_000_000.0)),
        (token({"exp": 1_900_000_000.5, "nbf": 5, "iat": 4}), (5.0, 1_900_000_000.5)),
        (token({"exp": 9, "iat": 4}), (4.0, 9.0)),
        (token({"iat": 4}), None),
        (token({"exp": "soon"}), None),
        (token({"exp": True}), None),
        (token({"exp": 1e300}), None),
        (token({"exp": -1}), None),
        (token([1]), None),
        (token({"exp": 9}) + "\n", None),
        ("a." + "A" * 20_000 + ".b", None),
        ("aa.bb.cc", None),
        ("10.0.0.1", None),
        (token(None), None),
    ],
)
def test_a_token_is_read_by_its_own_claims(value: str, times: tuple[float | None, float] | None) -> None:
    assert token_times(value) == times


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: f"ab.{base64.urlsafe_b64encode(raw).decode()}.c"))
def test_any_value_is_a_token_or_none(value: str) -> None:
    found = token_times(value)
    assert found is None or isinstance(found[1], float)


def test_nested_claims_are_refused_and_not_an_error() -> None:
    raw = base64.urlsafe_b64encode(b'{"exp":' + b"[" * 9000).decode().rstrip("=")
    assert token_times(f"ab.{raw}.c") is None


def test_one_that_ended_just_before_leads_and_names_itself() -> None:
    found = diagnose(failing(ended(20), seen(subject="shop.example:443", services=("web",)), changes=(release(600),)))
    leading = found.leading
    assert (leading.cause, leading.subject, leading.hearsay) == (Cause.CERTIFICATE, "pay.example:443", False)
    assert leading.text.startswith("the certificate of pay.example:443 (pay) ran out on ")
    assert leading.text.endswith("; web rests on it")
    (cited,) = [one for one in evidence_of(failing(ended(20))) if one.kind == "certificate"]
    assert leading.supports == (cited.id,)
    assert (cited.source, cited.data["subject"]) == ("handshake", "pay.example:443")


@pytest.mark.parametrize(
    ("before_onset_s", "weight"),
    [(0.0, 6.0), (3600.0, 6.0), (3601.0, 3.0), (86_400.0, 3.0), (86_401.0, None), (-10.0, None)],
)
def test_the_longer_it_has_been_over_the_less_it_explains(before_onset_s: float, weight: float | None) -> None:
    found = weighed(ended(before_onset_s))
    assert (found.weight if found else None) == (weight if weight is None else w.PRIOR[Cause.CERTIFICATE] + weight)


def test_one_that_was_exchanged_for_a_wrong_one_counts_from_when_it_was_last_well() -> None:
    wrong = seen(code=62, why="Hostname mismatch", fine_at=ONSET - 1800, bad_at=NOW - 1)
    assert weighed(wrong) is not None
    assert weighed(replace(wrong, fine_at=0.0, bad_at=ONSET - 9)) is None, "for all that is known it never was well"
    assert weighed(replace(wrong, fine_at=ONSET - 3 * DAY_S, bad_at=ONSET - 2 * DAY_S)) is None, (
        "it has been so for days"
    )
    assert weighed(replace(wrong, fine_at=ONSET + 10)) is None, "it was well when it began"


def test_nobody_s_certificate_but_those_that_the_service_rests_on_counts() -> None:
    assert weighed(ended(20, services=("mail",))) is None
    assert weighed(ended(20, services=("web",))) is not None
    assert weighed(replace(ended(20), kind=Kind.TOKEN, subject="PAY_TOKEN", services=(), code=None)) is not None


def test_one_that_was_to_run_out_just_before_leads_until_somebody_looked() -> None:
    waited = seen(at=ONSET - 9000, fine_at=ONSET - 9000, not_before=ONSET - DAYS_90, not_after=ONSET - 1)
    found = diagnose(failing(waited))
    assert (found.leading.cause, found.leading.weight) == (
        Cause.CERTIFICATE,
        w.PRIOR[Cause.CERTIFICATE] + w.CERTIFICATE_DUE,
    )
    assert " was to run out on " in found.leading.text
    assert found.leading.text.endswith(" before this began; whether it was renewed is not known yet")
    assert any("whether the certificate of pay.example:443 (pay) is valid" in one for one in found.unknown)
    assert diagnose(failing(waited, changes=(release(20),))).leading.cause is Cause.RELEASE
    assert weighed(replace(waited, not_before=ONSET - 3 * 3600)) is None, "such are renewed all the time"
    assert weighed(replace(waited, not_after=ONSET - 3700)) is None
    assert weighed(replace(waited, services=("mail",))) is None
    both = weighed(waited, ended(20))
    assert both is not None
    assert both.weight == w.PRIOR[Cause.CERTIFICATE] + w.CERTIFICATE_OVER[0][1]


EXPIRED = "SSLCertVerificationError: certificate verify failed: certificate has expired"


def test_a_valid_one_speaks_against_what_programs_report() -> None:
    told_of = {"groups": (reported(EXPIRED),)}
    alone, valid, unseen = (
        weighed(**told_of),
        weighed(seen(), **told_of),
        weighed(seen(code=None, not_after=None), **told_of),
    )
    assert alone is not None
    assert valid is not None
    assert unseen is not None
    assert (alone.weight, valid.weight) == (w.HEARSAY_MAX, -3.0 + w.REPORTED + w.CERTIFICATES_VALID)
    assert valid.contradicts, "it is named"
    assert unseen.weight == alone.weight, "unknown is not valid"
    before = weighed(seen(at=ONSET - 60), **told_of)
    assert before is not None
    assert before.weight == alone.weight, "it was not looked at since"
    some = weighed(seen(), seen(subject="b:443", code=None), **told_of)
    assert some is not None
    assert some.weight == alone.weight


def test_valid_certificates_say_nothing_of_tokens() -> None:
    told_of = weighed(seen(), groups=(reported("ExpiredTokenException: token has expired"),))
    assert told_of is not None
    assert told_of.weight == w.HEARSAY_MAX


def test_reports_add_nothing_to_what_we_saw() -> None:
    alone, both = weighed(ended(20)), weighed(ended(20), groups=(reported(EXPIRED),))
    assert alone is not None
    assert both is not None
    assert (alone.weight, both.hearsay) == (both.weight, False)
    long_ago = weighed(ended(3 * DAY_S), groups=(reported(EXPIRED),))
    assert long_ago is not None
    assert (long_ago.weight, long_ago.hearsay, len(long_ago.supports)) == (w.HEARSAY_MAX, True, 2)


def test_nothing_ends_where_nothing_is_felt() -> None:
    assert all(
        one.cause is not Cause.CERTIFICATE for one in diagnose(failing(ended(20), symptoms=(), requests=())).hypotheses
    )


def test_what_could_not_be_seen_is_among_what_is_not_known() -> None:
    unseen = Credential(Kind.CERTIFICATE, "pay.example:443", ("pay",), NOW, why="connection refused")
    said = diagnose(
        failing(unseen, seen(subject="a:443", at=ONSET - 60), seen(subject="b:443", services=("mail",), code=None))
    ).unknown
    assert "whether the certificate of pay.example:443 (pay) is valid: connection refused" in said
    assert any(
        one.startswith("whether the certificate of a:443 (pay) is still the one that was valid on ") for one in said
    )
    assert not any("b:443" in one for one in said)
