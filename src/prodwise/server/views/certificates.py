"""Certificates and tokens: how each stands, and what is asked of a person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from prodwise.loop.detect import certificate
from prodwise.model.certificate import Credential, Standing
from prodwise.server.views.words import visible


@dataclass(frozen=True, slots=True)
class CertificateLine:
    """until, looked_at: Unix seconds; until: None while that is not known."""

    kind: str
    subject: str
    services: tuple[str, ...]
    standing: str
    text: str
    until: float | None
    looked_at: float


def certificate_lines(seen: Sequence[Credential], now: float) -> tuple[CertificateLine, ...]:
    return tuple(
        CertificateLine(
            one.kind.value, visible(one.subject, 300), one.services, certificate.standing(one, now).value,
            visible(certificate.told(one, now), 300), one.not_after, one.at,
        )
        for one in sorted(seen, key=lambda one: one.id)
    )  # fmt: skip


def asked(seen: Sequence[Credential], now: float) -> Iterator[tuple[str, str]]:
    """(how it stands, what to do) of those whose time is over, or soon; and then of those that could never be looked at."""
    for one in sorted(seen, key=lambda one: (one.not_after is None, one.not_after or 0.0, one.id)):
        found = certificate.standing(one, now)
        never = found is Standing.UNKNOWN and not (one.fine_at or one.bad_at)
        if found in certificate.TOLD or never:
            said = visible(certificate.told(one, now), 300)
            yield f"{said[:1].upper()}{said[1:]}.", certificate.advice(one, now)
