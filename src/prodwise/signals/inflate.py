"""Unpacks bodies, and never makes more than it was allowed to, whatever the bytes promise."""

from __future__ import annotations

import zlib
from typing import Protocol

import brotli
import zstandard

from prodwise.model.report import Reason, Rejected

BODY_MAX = 1024 * 1024
"""Bytes as they are sent."""
OUT_MAX = 2 * 1024 * 1024
"""Bytes as they are meant."""
SLICE = 16 * 1024
_GZIP, _RAW = 31, -15


class _Unpacks(Protocol):
    def __call__(self, body: bytes) -> bytes:
        """At most OUT_MAX + 1 bytes. Raises ValueError or an error of the codec's own."""


def unpack(body: bytes, encoding: str) -> bytes:
    """The body as it was before `Content-Encoding`. Raises Rejected (413, 415 or 400)."""
    if len(body) > BODY_MAX:
        raise Rejected(Reason.TOO_LARGE, 413)
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return body
    codec = _CODECS.get(name)
    if codec is None:
        raise Rejected(Reason.ENCODING, 415)
    try:
        out = codec(body)
    except (zlib.error, brotli.error, zstandard.ZstdError, ValueError, EOFError, MemoryError):
        raise Rejected(Reason.UNPACK) from None
    if len(out) > OUT_MAX:
        raise Rejected(Reason.BOMB, 413)
    return out


def _inflate(body: bytes, window: int) -> bytes:
    stream, parts, size = zlib.decompressobj(window), [], 0
    for start in range(0, len(body), SLICE):  # in slices: what is left over when there is too much would be copied
        parts.append(stream.decompress(body[start : start + SLICE], OUT_MAX + 1 - size))
        size += len(parts[-1])
        if stream.eof or size > OUT_MAX:
            return b"".join(parts)
    raise ValueError("cut off")


def _gunzip(body: bytes) -> bytes:
    return _inflate(body, _GZIP)


def _deflate(body: bytes) -> bytes:
    """With zlib's frame, as the standard has it, or without, as some send it."""
    try:
        return _inflate(body, zlib.MAX_WBITS)
    except zlib.error:
        return _inflate(body, _RAW)


def _brotli(body: bytes) -> bytes:
    stream, parts, size = brotli.Decompressor(), [], 0
    part = stream.process(body, output_buffer_limit=OUT_MAX + 1)
    while part:
        parts.append(part)
        size += len(part)
        if size > OUT_MAX or stream.is_finished():
            return b"".join(parts)
        part = stream.process(b"", output_buffer_limit=OUT_MAX + 1 - size)
    if not stream.is_finished():
        raise ValueError("cut off")
    return b"".join(parts)


def _zstd(body: bytes) -> bytes:
    reader = zstandard.ZstdDecompressor(max_window_size=8 * 1024 * 1024).stream_reader(body)
    out = reader.read(OUT_MAX + 1)
    if len(out) <= OUT_MAX and len(out) < max(1, zstandard.frame_content_size(body)):
        raise ValueError("cut off")
    return out


_CODECS: dict[str, _Unpacks] = {
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}
