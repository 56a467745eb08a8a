"""From when until when an X.509 certificate is valid, read from its bytes: OpenSSL tells it only where it verifies."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

SEQUENCE, INTEGER, VERSION = 0x30, 0x02, 0xA0
SIZE_MAX: Final = 64 * 1024


def validity(der: bytes) -> tuple[float, float]:
    """(notBefore, notAfter) in Unix seconds. Raises ValueError for what is no certificate."""
    if len(der) > SIZE_MAX:
        raise ValueError("a certificate of more than 64 KiB")
    signed, _ = _inside(_inside(der, SEQUENCE)[0], SEQUENCE)
    rest = _inside(signed, VERSION)[1] if signed[:1] == bytes([VERSION]) else signed
    for tag in (INTEGER, SEQUENCE, SEQUENCE):  # serial number, algorithm, issuer
        rest = _inside(rest, tag)[1]
    times, _ = _inside(rest, SEQUENCE)
    begins, times = _inside(times)
    ends, _ = _inside(times)
    return _time(begins), _time(ends)


def _inside(data: bytes, tag: int | None = None) -> tuple[bytes, bytes]:
    """(what the first element holds, what comes after it). tag: which element belongs here, None for any."""
    if len(data) < 2 or (tag is not None and data[0] != tag):
        raise ValueError("not the element that belongs here")
    size, begin = data[1], 2
    if size >= 0x80:
        many = size & 0x7F
        if not 1 <= many <= 3:
            raise ValueError("a length that cannot be")
        size, begin = int.from_bytes(data[2 : 2 + many], "big"), 2 + many
    if begin + size > len(data):
        raise ValueError("cut short")
    return data[begin : begin + size], data[begin + size :]


def _time(text: bytes) -> float:
    """YYMMDDhhmmssZ (RFC 5280: from 50 on it is 19..) or YYYYMMDDhhmmssZ."""
    digits = text.decode("ascii").removesuffix("Z")
    if len(digits) == 12:
        digits = f"{'19' if digits[:2] >= '50' else '20'}{digits}"
    if len(digits) != 14 or not digits.isdigit():
        raise ValueError("not a time")
    return datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=UTC).timestamp()
