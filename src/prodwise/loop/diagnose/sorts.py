"""What kind of trouble an error's own words name. They are outside text: they may explain what is seen, and prove nothing."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final


class Sort(StrEnum):
    """What a reported error says ran out, or did not answer; OTHER for all that is the program's own."""

    MEMORY = "memory"
    DISK = "disk"
    DESCRIPTORS = "descriptors"
    CERTIFICATE = "certificate"
    CLOCK = "clock"
    UNREACHABLE = "unreachable"
    OTHER = ""


READ_MAX: Final = 400
_SORTS: Final = (
    (Sort.MEMORY, r"\bMemoryError\b|\bOutOfMemory(?:Error)?\b|\bENOMEM\b|cannot allocate memory|heap out of memory"
                  r"|heap limit|java heap space"),
    (Sort.DISK, r"\bENOSPC\b|no space left on device|disk (?:is )?full|database or disk is full|\bEDQUOT\b"
                r"|disk quota exceeded|could not extend file"),
    (Sort.DESCRIPTORS, r"\bEMFILE\b|\bENFILE\b|too many open files"),
    (Sort.CLOCK, r"\bnot yet valid\b|issued in the future|RequestTimeTooSkewed|clock (?:skew|is off|drift)|used too early"
                 r"|\bImmatureSignatureError\b"),
    (Sort.CERTIFICATE, r"certificate (?:has |is )?expired|CERT_HAS_EXPIRED|certificate_expired|certificate verify failed"
                       r"|token (?:has |is )?expired|\bExpired(?:Token|Signature)\w*|\bTokenExpired\w*"
                       r"|credentials? (?:have |has )?expired"),
    (Sort.UNREACHABLE, r"\bECONNREFUSED\b|connection refused|\bETIMEDOUT\b|\bEHOSTUNREACH\b|no route to host|\bENOTFOUND\b"
                       r"|getaddrinfo|name or service not known|temporary failure in name resolution|no such host"
                       r"|NameResolutionError|(?:connect|connection|read) timed? ?out|\b(?:Read|Connect)Timeout(?:Error)?\b"
                       r"|max retries exceeded|connection reset by peer|\bECONNRESET\b|upstream connect error|bad gateway"
                       r"|service unavailable|could not connect to server"),
)  # fmt: skip
_TOKEN: Final = re.compile(r"token|credential|signature|jwt", re.IGNORECASE)
_PATTERNS: Final = tuple((sort, re.compile(pattern, re.IGNORECASE)) for sort, pattern in _SORTS)


def sort_of(title: str) -> Sort:
    """By the first few hundred characters; of several, the one that lies deeper (a full disk before what could not connect)."""
    text = title[:READ_MAX]
    return next((sort for sort, pattern in _PATTERNS if pattern.search(text)), Sort.OTHER)


def about_token(title: str) -> bool:
    """Whether what is not valid any more is said to be a token rather than a certificate."""
    return "certificate" not in title[:READ_MAX].lower() and _TOKEN.search(title[:READ_MAX]) is not None


def names(title: str, service: str) -> bool:
    """Whether the text speaks of that service: its name as a word, or as a part of an address."""
    return (
        re.search(rf"(?<![A-Za-z0-9]){re.escape(service)}(?![A-Za-z0-9])", title[:READ_MAX], re.IGNORECASE) is not None
    )
