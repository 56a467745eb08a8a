"""Deliveries as senders should never make them: read or refused, never kept as they are; and signatures as attackers make them."""

from __future__ import annotations

import hashlib
import hmac
import json
import unicodedata
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prodwise.config import HookConfig
from prodwise.model.errors import NotSigned, UsageError
from prodwise.model.outside import Call, Told
from prodwise.signals.hooks.reading import BACK_S, instant, subject, text
from prodwise.signals.hooks.signing import Bearer, BodyMac, StandardWebhook
from prodwise.signals.hooks.ways import WAYS

NOW = 1_800_000_000.0
SECRET = "a-secret-of-the-test-alone"
CONFIG = HookConfig()
EVENTS = ["push", "deployment", "deployment_status", "workflow_run", "ping", "\x1b[2J", ""]
RESOURCES = ["metric_alert", "event_alert", "issue", "error", ""]
SAMPLES: dict[str, list[dict[str, Any]]] = {
    "alertmanager": [{"version": "4", "alerts": [{"status": "firing", "labels": {"alertname": "x"}, "annotations": {}}]}],
    "deploy": [{"version": "v1", "previous": "v0", "service": "web", "kind": "config", "who": "ana", "text": "t", "at": NOW}],
    "github": [
        {
            "ref": "refs/heads/main", "after": "a" * 40, "repository": {"name": "shop", "default_branch": "main"},
            "head_commit": {"message": "m"}, "pusher": {"name": "ana"}, "action": "completed",
            "deployment": {"id": 1, "sha": "a" * 40, "environment": "production", "creator": {"login": "ana"}},
            "deployment_status": {"state": "success", "created_at": "2026-01-01T00:00:00Z"},
            "workflow_run": {"id": 1, "name": "Deploy", "conclusion": "success", "head_branch": "main", "head_sha": "b" * 40},
        }
    ],
    "sentry": [
        {"action": "critical", "data": {"metric_alert": {"id": 1, "projects": ["web"], "alert_rule": {"name": "r"}}}},
        {"action": "triggered", "data": {"event": {"title": "t", "issue_id": "1"}, "triggered_rule": "r"}},
        {"action": "resolved", "data": {"issue": {"id": "1", "title": "t", "project": {"slug": "web"}}}},
    ],
    "uptime-kuma": [{"heartbeat": {"status": 0, "msg": "m", "time": "2026"}, "monitor": {"id": 1, "name": "n"}, "msg": "x"}],
    "healthchecks": [{"code": "c", "name": "n", "status": "down"}],
}  # fmt: skip

strange: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=40) | st.sampled_from(["\x1b[31m", "<script>", "\u202e", "x" * 3000, "AKIA" + "A" * 16, "a" * 40]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@st.composite
def spoilt(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A genuine delivery with some of its values replaced by anything."""
    way = draw(st.sampled_from(sorted(WAYS)))
    data = json.loads(json.dumps(draw(st.sampled_from(SAMPLES[way]))))
    for _ in range(draw(st.integers(0, 4))):
        place: Any = data
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(place[key], dict | list) and draw(st.booleans()):
                place = place[key]
                continue
            place[key] = draw(strange)
            break
    return way, data


def read(way: str, body: bytes, headers: dict[str, str]) -> tuple[Told, str]:
    """What it says, or why it is refused."""
    try:
        return WAYS[way][1](Call(headers, body), CONFIG, NOW), ""
    except UsageError as error:
        return Told(), error.message


def texts(told: Told) -> Iterator[tuple[str, int]]:
    for alarm in told.alarms:
        yield from ((alarm.subject, 64), (alarm.name, 100), (alarm.text, 300), (alarm.about, 100), (alarm.source, 20))
    for change in told.changes:
        yield from ((change.id, 100), (change.service, 100), (change.before, 100), (change.after, 100))
        yield from ((change.who, 120), (change.text, 500), (change.inverse, 100))


def test_a_secret_in_the_place_of_an_id_is_not_kept() -> None:
    key = "AKIA" + "A" * 16
    told, _ = read("healthchecks", json.dumps({"code": key, "name": "n", "status": "down"}).encode(), {})
    assert told.alarms
    assert all(key not in value for value, _ in texts(told))


@settings(max_examples=400, deadline=None)
@given(spoilt(), st.sampled_from(EVENTS), st.sampled_from(RESOURCES))
def test_whatever_comes_is_clean_or_refused(made: tuple[str, dict[str, Any]], event: str, resource: str) -> None:
    way, data = made
    headers = {"x-github-event": event, "sentry-hook-resource": resource}
    told, refusal = read(way, json.dumps(data).encode(), headers)
    assert refusal.isprintable()
    for value, longest in texts(told):
        assert isinstance(value, str)
        assert len(value) <= longest
        assert not any(unicodedata.category(char) in ("Cc", "Cs") for char in value), value
        assert "AKIA" + "A" * 16 not in value
    for alarm in told.alarms:
        assert NOW - BACK_S <= alarm.began_at <= NOW
    for change in told.changes:
        assert change.outside
        assert NOW - BACK_S <= change.at <= NOW
    for value in told.skipped:
        assert not any(unicodedata.category(char) in ("Cc", "Cs") for char in value), value


@pytest.mark.parametrize("way", sorted(WAYS))
@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"{", b"\xff\xfe", b'{"a":1}' * 2, b"[" * 100_000, b"{}", b"\x00"]
)
def test_what_is_no_delivery_is_refused_in_words(way: str, body: bytes) -> None:
    told, refusal = read(way, body, {})
    assert not told.alarms
    assert not told.changes
    assert refusal or told.skipped


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (NOW - 5, NOW - 5),
        ("2027-01-15T07:59:00Z", NOW - 60),
        ("2027-01-15T07:59:00.123456789Z", NOW - 60 + 0.123456),
        ("2027-01-15T07:59:00", NOW - 60),
        ("0001-01-01T00:00:00Z", NOW),
        (NOW + 3600, NOW),
        ("9999-12-31T23:59:59Z", NOW),
        (1.0, NOW - BACK_S),
        (-1, NOW),
        (True, NOW),
        ("yesterday", NOW),
        ("9" * 400, NOW),
        (1e308, NOW),
        (None, NOW),
    ],
)
def test_clocks_that_are_off(value: object, expected: float) -> None:
    assert instant(value, NOW) == pytest.approx(expected, abs=1e-3)


def test_ids_and_texts() -> None:
    assert subject("a1b2") == "a1b2"
    assert subject(7) == "7"
    assert len(subject("x y\n")) == 32
    assert subject({"a": 1, "b": 2}) == subject({"b": 2, "a": 1})
    assert text("a\nb\t\x1b[31mc\u202ed") == "a b [31mc d"
    assert text(["no text"]) == ""


def mac(body: bytes, key: str = SECRET) -> str:
    return hmac.new(key.encode(), body, hashlib.sha256).hexdigest()


@given(st.binary(max_size=200), st.integers(0, 199), st.integers(1, 255))
def test_one_changed_bit_is_another_body(body: bytes, place: int, flip: int) -> None:
    scheme = BodyMac("x-sig")
    assert scheme.check(Call({"x-sig": mac(body)}, body), SECRET, NOW).id
    if body:
        changed = bytearray(body)
        changed[place % len(body)] ^= flip
        with pytest.raises(NotSigned):
            scheme.check(Call({"x-sig": mac(body)}, bytes(changed)), SECRET, NOW)


@pytest.mark.parametrize("secret", ["", "short", "x" * 15])
def test_a_missing_or_short_secret_opens_nothing(secret: str) -> None:
    for scheme, headers in (
        (Bearer(), {"authorization": f"Bearer {secret}"}),
        (BodyMac("x-sig"), {"x-sig": mac(b"{}", secret)}),
        (StandardWebhook(Bearer()), {"authorization": f"Bearer {secret}"}),
    ):
        with pytest.raises(NotSigned):
            scheme.check(Call(headers, b"{}"), secret, NOW)


@pytest.mark.parametrize("stamp", ["", "abc", "-1", "1e9", str(int(NOW) - 301), str(int(NOW) + 301), "9" * 13, "١٨"])
def test_a_delivery_says_when_it_was_made_and_that_is_now(stamp: str) -> None:
    scheme = BodyMac("x-sig", dated="x-at")
    with pytest.raises(NotSigned):
        scheme.check(Call({"x-sig": mac(b"{}"), "x-at": stamp}, b"{}"), SECRET, NOW)
    assert scheme.check(Call({"x-sig": mac(b"{}"), "x-at": str(int(NOW) - 299)}, b"{}"), SECRET, NOW)


def test_headers_that_are_no_signature() -> None:
    webhook = {"webhook-id": "m1", "webhook-timestamp": str(int(NOW)), "webhook-signature": "v1,"}
    for headers in (
        webhook,
        webhook | {"webhook-id": "a b"},
        webhook | {"webhook-signature": "v1,é"},
        webhook | {"webhook-id": ""},
    ):
        with pytest.raises(NotSigned):
            StandardWebhook(Bearer()).check(Call(headers, b"{}"), SECRET, NOW)
    with pytest.raises(NotSigned):
        StandardWebhook(Bearer()).check(Call(webhook, b"{}"), "whsec_not base64!!!!!", NOW)
    for value in ("Bearer é", "Basic !!!", "Basic " + "A" * 3, "Digest x", "", "Bearer"):
        with pytest.raises(NotSigned):
            Bearer().glance(Call({"authorization": value}), SECRET)
