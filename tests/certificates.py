"""Certificates made for a test, and servers that show them."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from prodwise.clock import now

DAY_S = 86_400.0


@dataclass
class Issuer:
    """An authority of the test's own; what it makes lies in `folder`."""

    folder: Path
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    made: int = 0

    def __post_init__(self) -> None:
        self._root = self._signed(
            self.key, "Test Root", datetime.fromtimestamp(now(), UTC), (-DAY_S, 900 * DAY_S), (), root=True
        )
        self.file.write_bytes(self._root.public_bytes(serialization.Encoding.PEM))

    @property
    def file(self) -> Path:
        return self.folder / "root.pem"

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.file))

    def certificate(
        self, *, begins_s: float = -DAY_S, ends_s: float = 80 * DAY_S, names: tuple[str, ...] = ("localhost", "127.0.0.1"),
        alone: bool = False,
    ) -> Path:  # fmt: skip
        """Key and certificate in one file; times are from now on; alone: signed by itself."""
        self.made += 1
        key = ec.generate_private_key(ec.SECP256R1())
        made = self._signed(
            key, "localhost", datetime.fromtimestamp(now(), UTC), (begins_s, ends_s), names, root=False, alone=alone
        )
        path = self.folder / f"{self.made}.pem"
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
        return path

    def _signed(
        self, key: ec.EllipticCurvePrivateKey, name: str, at: datetime, times: tuple[float, float], names: tuple[str, ...],
        *, root: bool, alone: bool = False,
    ) -> x509.Certificate:  # fmt: skip
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        issuer = subject if root or alone else self._root.subject
        begins, ends = (at + timedelta(seconds=one) for one in times)
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(begins).not_valid_after(ends)
        builder = builder.add_extension(x509.BasicConstraints(ca=root, path_length=None), critical=True)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName([_name(one) for one in names]), critical=False)
        return builder.sign(key if alone else self.key, hashes.SHA256())


def _name(text: str) -> x509.GeneralName:
    with contextlib.suppress(ValueError):
        return x509.IPAddress(ipaddress.ip_address(text))
    return x509.DNSName(text)


@dataclass
class Served:
    """heard: what clients sent after each handshake; the certificate may be exchanged while it serves."""

    port: int
    context: ssl.SSLContext
    heard: list[bytes] = field(default_factory=list)
    met: int = 0

    def show(self, certificate: Path) -> None:
        self.context.load_cert_chain(certificate)


@contextlib.contextmanager
def serving(certificate: Path) -> Iterator[Served]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        served = Served(listening.getsockname()[1], context)
        thread = threading.Thread(target=_serve, args=(listening, served), daemon=True)
        thread.start()
        yield served
        with contextlib.suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def _serve(listening: socket.socket, served: Served) -> None:
    while True:
        try:
            plain, _ = listening.accept()
        except OSError:
            return
        served.met += 1
        plain.settimeout(5)
        with contextlib.suppress(OSError), served.context.wrap_socket(plain, server_side=True) as secure:
            served.heard.append(secure.recv(1000))
