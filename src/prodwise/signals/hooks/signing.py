"""Whether a delivery is genuine: over the raw body, in constant time, once, and only now where it says when it was made."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Final, Protocol

from prodwise.model.errors import NotSigned
from prodwise.model.outside import Call, Genuine

SECRET_MIN: Final = 16
WINDOW_S: Final = 300.0
_HEX = re.compile(r"[0-9a-f]{64}")
_ID = re.compile(r"[A-Za-z0-9._:-]{1,100}")


class Scheme(Protocol):
    """How one tool proves itself."""

    def glance(self, call: Call, secret: str) -> None:
        """Before the body is read: raises NotSigned for what cannot be genuine whatever the body is."""

    def check(self, call: Call, secret: str, now: float) -> Genuine:
        """Raises NotSigned."""


@dataclass(frozen=True, slots=True)
class Bearer:
    """The secret itself as `Authorization: Bearer …` (or as the password of Basic). once_s: a body counts once in so long."""

    once_s: float = 0.0

    def glance(self, call: Call, secret: str) -> None:
        scheme, _, given = call.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                given = base64.b64decode(given.strip(), validate=True).decode().partition(":")[2]
            except (binascii.Error, UnicodeDecodeError):
                given = ""
        if scheme.lower() not in ("bearer", "basic") or not _same(given.strip(), _usable(secret)):
            raise NotSigned("the key is missing or wrong", "send it as `Authorization: Bearer KEY`")

    def check(self, call: Call, secret: str, now: float) -> Genuine:
        self.glance(call, secret)
        return Genuine(_of_body(call), self.once_s) if self.once_s else Genuine()


@dataclass(frozen=True, slots=True)
class BodyMac:
    """HMAC-SHA-256 over the body, hex, in a header. Ids in other headers are not signed, so the body itself is what comes once.

    dated: a header with Unix seconds, where the tool sends one.
    """

    header: str
    prefix: str = ""
    dated: str = ""

    def glance(self, call: Call, secret: str) -> None:
        given = call.headers.get(self.header, "")
        if not given.startswith(self.prefix) or not _HEX.fullmatch(given.removeprefix(self.prefix)):
            raise NotSigned(f"{self.header} is missing or no signature", "set the same secret on both sides")

    def check(self, call: Call, secret: str, now: float) -> Genuine:
        self.glance(call, secret)
        meant = hmac.new(_usable(secret).encode(), call.body, hashlib.sha256).hexdigest()
        if not _same(call.headers[self.header].removeprefix(self.prefix), meant):
            raise NotSigned("the signature is not of this body", "set the same secret on both sides")
        if self.dated:
            _recent(call.headers.get(self.dated, ""), now)
        return Genuine(_of_body(call))


@dataclass(frozen=True, slots=True)
class StandardWebhook:
    """standardwebhooks.com, symmetric (v1); without its headers, a bearer token."""

    bearer: Bearer

    def glance(self, call: Call, secret: str) -> None:
        if "webhook-signature" not in call.headers:
            self.bearer.glance(call, secret)
            return
        if not _ID.fullmatch(call.headers.get("webhook-id", "")):
            raise NotSigned("webhook-id is missing or unusable")

    def check(self, call: Call, secret: str, now: float) -> Genuine:
        self.glance(call, secret)
        if "webhook-signature" not in call.headers:
            return self.bearer.check(call, secret, now)
        message, stamp = call.headers["webhook-id"], call.headers.get("webhook-timestamp", "")
        _recent(stamp, now)
        signed = f"{message}.{stamp}.".encode() + call.body
        meant = base64.b64encode(hmac.new(_standard_key(secret), signed, hashlib.sha256).digest()).decode()
        given = [one.removeprefix("v1,") for one in call.headers["webhook-signature"].split(" ")[:10]]
        if not any(_same(one, meant) for one in given):
            raise NotSigned("the signature is not of this delivery", "set the same secret on both sides")
        return Genuine(f"id:{message}")


def _standard_key(secret: str) -> bytes:
    """`whsec_` is followed by the key in base64; anything else is the key itself."""
    plain = _usable(secret)
    if not plain.startswith("whsec_"):
        return plain.encode()
    try:
        return base64.b64decode(plain.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        raise NotSigned("this way's own secret is no base64 after whsec_", "correct it on this machine") from None


def _usable(secret: str) -> str:
    """A missing or guessable secret opens nothing."""
    if len(secret) < SECRET_MIN:
        raise NotSigned("this way in has no usable secret yet", f"give it one of {SECRET_MIN} characters or more")
    return secret


def _recent(stamp: str, now: float) -> None:
    if not stamp.isascii() or not stamp.isdigit() or len(stamp) > 12 or abs(now - int(stamp)) > WINDOW_S:
        raise NotSigned("the delivery is too old, or says no time", "check the clocks of both machines")


def _same(given: str, meant: str) -> bool:
    return hmac.compare_digest(given.encode(), meant.encode())


def _of_body(call: Call) -> str:
    return f"body:{hashlib.sha256(call.body).hexdigest()}"
