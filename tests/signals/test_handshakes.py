"""Real certificates of real servers: valid, run out, too early, for another name, from nobody, and none at all."""

from __future__ import annotations

import contextlib
import functools
import socket
import ssl
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from prodwise.clock import monotonic, now
from prodwise.loop.detect.certificate import advice, standing, told
from prodwise.model.certificate import Credential, Endpoint, Standing
from prodwise.signals import handshakes
from prodwise.signals.der import validity
from prodwise.signals.handshakes import TlsHandshakes
from tests.certificates import DAY_S, Issuer, serving


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Issuer:
    return Issuer(tmp_path_factory.mktemp("certificates"))


def look(issuer: Issuer, port: int, host: str = "localhost") -> Credential:
    return TlsHandshakes(issuer.trust()).look(Endpoint(host, port, ("pay",)))


def certificate_in(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes().partition(b"-----END PRIVATE KEY-----\n")[2])


@pytest.mark.parametrize(
    ("made", "found", "words"),
    [
        ({}, Standing.FINE, "is valid until 20"),
        ({"ends_s": 10 * DAY_S}, Standing.FINE, "is valid until"),
        ({"begins_s": -76 * DAY_S, "ends_s": 13 * DAY_S}, Standing.WANING, "runs out in 13 days, on 20"),
        ({"begins_s": -88 * DAY_S, "ends_s": 2.5 * DAY_S}, Standing.ENDING, "runs out in 2 days, on 20"),
        ({"begins_s": -90 * DAY_S, "ends_s": -30.0}, Standing.OVER, "ran out on 20"),
        ({"begins_s": 3600.0}, Standing.EARLY, "is not valid before 20"),
        ({"names": ("shop.example", "127.0.0.2")}, Standing.OTHER_NAME, "is for another name: Hostname mismatch"),
        ({"alone": True}, Standing.UNTRUSTED, "is not trusted by this machine: self-signed certificate"),
        ({"alone": True, "begins_s": -9.0, "ends_s": -5.0}, Standing.OVER, "ran out on 20"),
    ],
)
def test_what_a_server_shows_is_told_by_its_dates_and_by_openssl(
    issuer: Issuer, made: dict[str, Any], found: Standing, words: str
) -> None:
    path = issuer.certificate(**made)
    with serving(path) as server:
        seen = look(issuer, server.port)
    shown = certificate_in(path)
    assert (seen.not_before, seen.not_after) == (
        shown.not_valid_before_utc.timestamp(), shown.not_valid_after_utc.timestamp(),
    )  # fmt: skip
    assert standing(seen, now()) is found, seen
    assert f"the certificate of localhost:{server.port} (pay) {words}" in told(seen, now())
    assert found is Standing.FINE or advice(seen, now())


def test_an_address_is_compared_with_the_addresses_that_it_is_for(issuer: Issuer) -> None:
    with serving(issuer.certificate(names=("127.0.0.2",))) as server:
        assert standing(look(issuer, server.port, "127.0.0.1"), now()) is Standing.OTHER_NAME
    with serving(issuer.certificate(names=("127.0.0.1",))) as server:
        assert standing(look(issuer, server.port, "127.0.0.1"), now()) is Standing.FINE


def test_an_unknown_issuer_is_not_trusted_and_the_machine_s_own_trust_is_the_default(issuer: Issuer) -> None:
    with serving(issuer.certificate()) as server:
        seen = TlsHandshakes().look(Endpoint("localhost", server.port, ()))
    assert standing(seen, now()) is Standing.UNTRUSTED
    assert "unable to get local issuer certificate" in told(seen, now())


def test_nothing_is_sent_after_the_handshake(issuer: Issuer) -> None:
    with serving(issuer.certificate()) as server:
        look(issuer, server.port)
    assert (server.met, server.heard) == (1, [b""])


@contextlib.contextmanager
def talking(says: bytes) -> Iterator[int]:
    """A server without TLS; it holds the line."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with contextlib.suppress(OSError):
                connection, _ = listening.accept()
                with connection:
                    connection.sendall(says)
                    while connection.recv(1000):
                        pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        with contextlib.suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def test_what_could_not_be_looked_at_is_unknown(issuer: Issuer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    refused = look(issuer, port)
    assert (standing(refused, now()), refused.why) == (Standing.UNKNOWN, "connection refused")
    with talking(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        plain = look(issuer, port)
    assert standing(plain, now()) is Standing.UNKNOWN
    assert plain.why.startswith("no handshake: ")


def test_a_server_that_says_nothing_is_given_up(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handshakes, "LOOK_S", 0.2)
    with talking(b"") as port:
        began = monotonic()
        seen = look(issuer, port)
    assert (standing(seen, now()), seen.why[:16]) == (Standing.UNKNOWN, "no answer within")
    assert monotonic() - began < 60, "it waited for the deadline and not for the server"


def test_where_no_thread_can_be_started_that_is_said_and_names_are_looked_up_again_later(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    looking = TlsHandshakes(issuer.trust())

    def full(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with serving(issuer.certificate()) as server:
        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", full)
            seen = [looking.look(Endpoint("localhost", server.port, ())) for _ in range(handshakes.LOOKUPS_MAX + 1)]
        assert {one.why for one in seen} == {"no thread can be started"}
        assert standing(looking.look(Endpoint("localhost", server.port, ())), now()) is Standing.FINE


def test_a_name_that_is_looked_up_for_long_is_given_up_and_few_are_waited_for(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handshakes, "LOOK_S", 0.1)
    asked, answers = list[object](), threading.Event()

    def stuck(*_: object, **__: object) -> list[object]:
        asked.append(1)
        answers.wait(60)
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", stuck)
    looking = TlsHandshakes(issuer.trust())
    for _ in range(handshakes.LOOKUPS_MAX + 2):
        seen = looking.look(Endpoint("pay.example", 443, ()))
        assert (standing(seen, now()), seen.why[:16]) == (Standing.UNKNOWN, "no answer within")
    assert len(asked) == handshakes.LOOKUPS_MAX
    monkeypatch.setattr(handshakes, "LOOK_S", 30.0)
    answers.set()
    assert looking.look(Endpoint("pay.example", 443, ())).why == "its name leads nowhere"


def test_what_the_machine_trusts_is_read_with_the_first_look_and_once(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[ssl.SSLContext] = []
    trust = issuer.trust()

    def trusting() -> ssl.SSLContext:
        made.append(trust)
        return trust

    monkeypatch.setattr(ssl, "create_default_context", trusting)
    looking = TlsHandshakes()
    assert made == []
    with serving(issuer.certificate()) as server:
        for _ in range(2):
            assert standing(looking.look(Endpoint("localhost", server.port, ())), now()) is Standing.FINE
    assert len(made) == 1


def test_dates_are_read_as_another_library_reads_them(issuer: Issuer) -> None:
    for ends_s in (DAY_S, 40 * 365 * DAY_S):  # the second is written in the longer form
        shown = certificate_in(issuer.certificate(ends_s=ends_s))
        assert validity(shown.public_bytes(Encoding.DER)) == (
            shown.not_valid_before_utc.timestamp(),
            shown.not_valid_after_utc.timestamp(),
        )


@functools.cache
def _sample() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return certificate_in(Issuer(Path(folder)).certificate()).public_bytes(Encoding.DER)


def test_a_certificate_without_times_is_none() -> None:
    def element(tag: int, *inside: bytes) -> bytes:
        whole = b"".join(inside)
        return bytes([tag, len(whole)]) + whole

    head = (element(0x02, b"\1"), element(0x30), element(0x30))
    for times in ((), (element(0x17, b"310101000000Z"),)):
        with pytest.raises(ValueError, match="belongs here"):
            validity(element(0x30, element(0x30, *head, element(0x30, *times))))


@given(st.data())
def test_broken_certificates_are_refused_in_one_way(data: st.DataObject) -> None:
    whole = data.draw(st.sampled_from([_sample(), b"\x30\x03\x30\x01\x02", b""]))
    cut = whole[: data.draw(st.integers(0, len(whole)))]
    at, byte = data.draw(st.integers(0, max(0, len(cut) - 1))), data.draw(st.binary(max_size=3))
    with contextlib.suppress(ValueError):
        begins, ends = validity(cut[:at] + byte + cut[at + 1 :])
        assert isinstance(begins, float)
        assert isinstance(ends, float)
