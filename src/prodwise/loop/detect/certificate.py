"""How a certificate or token stands, whether a person is told of it, and in which words."""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from prodwise.model.certificate import Credential, Kind, Standing

DAY_S: Final = 86_400.0
WANING_S, ENDING_S = 14 * DAY_S, 3 * DAY_S
WANING_SHARE, ENDING_SHARE = 1 / 6, 1 / 30
"""The same for those that live shorter: 14 of 90 days are about a sixth, and what is made anew each day is no news."""
VERIFIED, OVER, EARLY, NAMES = 0, 10, 9, (62, 64)
"""OpenSSL's X509_V_OK, CERT_HAS_EXPIRED, CERT_NOT_YET_VALID, and HOSTNAME_ and IP_ADDRESS_MISMATCH."""
TOLD: Final = frozenset(Standing) - {Standing.FINE, Standing.UNKNOWN}
NEWS_MAX: Final = 20
TOKEN_MAX: Final = 16 * 1024
LAST_TIME: Final = 4e9
_TOKEN = re.compile(r"[A-Za-z0-9_-]{2,4096}\.([A-Za-z0-9_-]{2,12288})\.[A-Za-z0-9_-]{0,4096}")


def standing(seen: Credential, now: float) -> Standing:
    """1. Unseen is unknown, and so is what ran out after it was seen: it may have been renewed. 2. Its own dates.
    3. What OpenSSL says of its chain and name. 4. How much of its time is left."""
    begins, ends = seen.not_before, seen.not_after
    if ends is None or (seen.kind is Kind.CERTIFICATE and seen.code is None):
        return Standing.UNKNOWN
    if ends <= now:
        return Standing.OVER if ends <= seen.at else Standing.UNKNOWN
    if begins is not None and begins > now:
        return Standing.EARLY
    if seen.code in NAMES:
        return Standing.OTHER_NAME
    if seen.code not in (VERIFIED, None):
        return {OVER: Standing.OVER, EARLY: Standing.EARLY}.get(seen.code or 0, Standing.UNTRUSTED)
    life_s = ends - begins if begins is not None else float("inf")
    if ends - now <= min(ENDING_S, ENDING_SHARE * life_s):
        return Standing.ENDING
    return Standing.WANING if ends - now <= min(WANING_S, WANING_SHARE * life_s) else Standing.FINE


def after(before: Credential | None, seen: Credential) -> Credential:
    """A look joined to the one before it: when it was last valid, and since when it is refused."""
    found = standing(seen, seen.at)
    fine_at = seen.at if found.valid else before.fine_at if before is not None else 0.0
    bad_at = 0.0 if found.valid or before is None else before.bad_at
    return replace(seen, fine_at=fine_at, bad_at=bad_at or (seen.at if found.refused else 0.0))


def news_of(seen: Credential, now: float) -> str:
    """What a person is told once: this level of this very certificate; "" for nothing."""
    found = standing(seen, now)
    return f"{found.value} {seen.not_after or 0:.0f}" if found in TOLD else ""


def named(seen: Credential) -> str:
    """ "the certificate of api.example:443 (pay)"."""
    if seen.kind is Kind.TOKEN:
        return f"the token in {seen.subject}"
    whose = f" ({', '.join(seen.services)})" if seen.services else ""
    return f"the certificate of {seen.subject}{whose}"


def told(seen: Credential, now: float) -> str:
    """How it stands, as a sentence without its full stop."""
    ends, begins = moment(seen.not_after), moment(seen.not_before)
    said = {
        Standing.FINE: f"is valid until {ends}",
        Standing.WANING: f"runs out in {_left(seen, now)}, on {ends}",
        Standing.ENDING: f"runs out in {_left(seen, now)}, on {ends}",
        Standing.OVER: f"ran out on {ends}" if (seen.not_after or now) <= now else f"is not accepted: {seen.why}",
        Standing.EARLY: f"is not valid before {begins}"
        if (seen.not_before or 0) > now
        else f"is not accepted: {seen.why}",
        Standing.OTHER_NAME: f"is for another name: {seen.why}",
        Standing.UNTRUSTED: f"is not trusted by this machine: {seen.why}",
        Standing.UNKNOWN: f"is not known: {seen.why or 'it was not looked at since it was to run out'}",
    }
    return f"{named(seen)} {said[standing(seen, now)]}"


def advice(seen: Credential, now: float) -> str:
    """What a person can do about it."""
    found = standing(seen, now)
    if found is Standing.UNKNOWN:
        return "Correct its address in prodwise.toml, if that is it."
    if seen.kind is Kind.TOKEN:
        return "Put a new one into the env_file, and start what holds it again."
    if found is Standing.EARLY:
        return "Put one in place that is valid, and see that this machine's clock is right."
    if found is Standing.OTHER_NAME:
        return "Put one in place that holds this name, or see where the name leads to."
    if found is Standing.UNTRUSTED:
        return "Put the whole chain in place, from an issuer that clients know."
    return "Renew it, or ask whoever runs it to."


def moment(at: float | None) -> str:
    """UTC, to the minute."""
    usable = at is not None and 0 <= at <= LAST_TIME
    return f"{datetime.fromtimestamp(at or 0.0, UTC):%Y-%m-%d %H:%M} UTC" if usable else "a time that is not known"


def _left(seen: Credential, now: float) -> str:
    left_s = max(0.0, (seen.not_after or now) - now)
    if left_s >= 2 * DAY_S:
        return f"{left_s / DAY_S:.0f} days"
    if left_s >= 2 * 3600:
        return f"{left_s / 3600:.0f} hours"
    return f"{left_s / 60:.0f} minutes" if left_s >= 120 else f"{left_s:.0f} seconds"


def token_times(value: str) -> tuple[float | None, float] | None:
    """(begins, ends) of a JSON Web Token by its own claims, not verified; None for whatever says nothing of the kind."""
    match = _TOKEN.fullmatch(value) if len(value) <= TOKEN_MAX else None
    if match is None:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(match[1] + "=" * (-len(match[1]) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return None
    if not isinstance(claims, dict):
        return None
    ends = _time(claims.get("exp"))
    begins = _time(claims.get("nbf"))
    return (begins if begins is not None else _time(claims.get("iat")), ends) if ends is not None else None


def _time(claim: object) -> float | None:
    usable = isinstance(claim, int | float) and not isinstance(claim, bool) and 0 < claim <= LAST_TIME
    return float(claim) if usable and isinstance(claim, int | float) else None
