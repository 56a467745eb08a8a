"""One TLS handshake with an address, to see its certificate; nothing is sent after it."""

from __future__ import annotations

import contextlib
import errno
import socket
import ssl
import threading
from queue import Empty, SimpleQueue
from typing import Any, Final, TypeAlias

from prodwise.clock import monotonic, now
from prodwise.loop.detect.certificate import VERIFIED
from prodwise.model.certificate import Credential, Endpoint, Kind
from prodwise.signals.der import validity

LOOK_S: Final = 5.0
"""For the name, connecting and shaking hands, the latter both where the certificate is refused."""
ADDRESSES_MAX: Final = 4
LOOKUPS_MAX: Final = 4
"""Names that may be waited for at once: the system's resolver cannot be told to stop, so one that is late is left behind."""
WHY_MAX: Final = 200
_Place: TypeAlias = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]
"""One of the places that `getaddrinfo` tells."""


class TlsHandshakes:
    """Implements ports.Handshakes. OpenSSL decides on chain and name, by what this machine trusts."""

    def __init__(self, trust: ssl.SSLContext | None = None) -> None:
        """trust: instead of this machine's own, which is read with the first look."""
        self._trust = trust
        self._any = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._any.check_hostname, self._any.verify_mode = False, ssl.CERT_NONE
        self._lookups = threading.BoundedSemaphore(LOOKUPS_MAX)

    def look(self, endpoint: Endpoint) -> Credential:
        """1. Shakes hands as a client that checks. 2. Where it refuses, once more as one that does not, for the dates."""
        ends = monotonic() + LOOK_S
        code, why = VERIFIED, ""
        try:
            if self._trust is None:
                self._trust = ssl.create_default_context()
            places = self._places(endpoint, ends)
            try:
                der = _certificate(endpoint.host, places, self._trust, ends)
            except ssl.SSLCertVerificationError as refused:
                code, why = refused.verify_code, refused.verify_message
                der = _certificate(endpoint.host, places, self._any, ends)
            begins, over = validity(der)
        except (OSError, ValueError) as error:
            return Credential(Kind.CERTIFICATE, endpoint.id, endpoint.services, now(), why=_reason(error))
        return Credential(
            Kind.CERTIFICATE, endpoint.id, endpoint.services, now(), begins, over, code, why.rstrip(".")[:WHY_MAX]
        )

    def _places(self, endpoint: Endpoint, ends: float) -> list[_Place]:
        """Where its name leads. Raises OSError, TimeoutError among them, or ValueError for what is no name."""
        if not self._lookups.acquire(timeout=_left(ends)):
            raise TimeoutError
        told: SimpleQueue[list[_Place] | OSError | ValueError] = SimpleQueue()

        def look_up() -> None:
            try:
                found = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
                told.put(list[_Place](found[:ADDRESSES_MAX]))
            except (OSError, ValueError) as error:
                told.put(error)
            finally:
                self._lookups.release()

        try:
            threading.Thread(target=look_up, name="name of a certificate", daemon=True).start()
        except RuntimeError:  # this process has as many as it may: nobody else gives back what was taken for it
            self._lookups.release()
            raise OSError(errno.EAGAIN, "no thread can be started") from None
        try:
            found = told.get(timeout=_left(ends))
        except Empty:
            raise TimeoutError from None
        if isinstance(found, Exception):
            raise found
        return found


def _certificate(host: str, places: list[_Place], trust: ssl.SSLContext, ends: float) -> bytes:
    """The certificate's bytes. Raises OSError, TimeoutError among them, or ValueError where there is none."""
    with contextlib.closing(_connected(places, ends)) as plain:
        plain.settimeout(_left(ends))
        with trust.wrap_socket(plain, server_hostname=host) as secure:
            found = secure.getpeercert(binary_form=True)
    if not found:
        raise ValueError("it showed none")
    return found


def _connected(places: list[_Place], ends: float) -> socket.socket:
    """To the first that answers, within what is left for all of them."""
    failed: OSError = TimeoutError()
    for family, kind, protocol, _, place in places:
        made = socket.socket(family, kind, protocol)
        try:
            made.settimeout(_left(ends))
            made.connect(place)
            return made
        except OSError as error:
            made.close()
            failed = error
    raise failed


def _left(ends: float) -> float:
    """Raises TimeoutError."""
    left = ends - monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _reason(error: OSError | ValueError) -> str:
    """In words, without addresses or lines of OpenSSL's source."""
    if isinstance(error, socket.gaierror):
        return "its name leads nowhere"
    if isinstance(error, TimeoutError):
        return f"no answer within {LOOK_S:.0f} s"
    if isinstance(error, ssl.SSLError):
        return f"no handshake: {(error.reason or 'it is no TLS').lower().replace('_', ' ')}"[:WHY_MAX]
    if isinstance(error, OSError):
        return (error.strerror or "no connection").lower()[:WHY_MAX]
    return f"its certificate cannot be read: {error}"[:WHY_MAX]
