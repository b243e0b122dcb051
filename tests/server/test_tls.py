"""A server never listens in the clear where others can reach it, and checks its certificate."""

from __future__ import annotations

import socket
import ssl
import threading

import pytest

from tensorspin.server.tls import listen, server_context

from ..support.appliances import Certificates


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("one"))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.0.2.1"])
def test_other_addresses_than_loopback_are_refused_in_the_clear(host):
    with pytest.raises((ValueError, OSError)) as raised:
        listen(host, 0, protected=False)
    if host != "::":  # where there is no IPv6, the address is unknown
        assert "--cert, --key and --token-file" in str(raised.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.2"])
def test_loopback_needs_nothing(host):
    with listen(host, 0, protected=False) as listening:
        assert listening.getsockname()[0].startswith("127.")
        assert listening.proto == socket.IPPROTO_TCP  # or each request takes 40 ms longer


def test_a_port_that_is_taken_is_told():
    with listen("127.0.0.1", 0, protected=False) as listening:
        port = listening.getsockname()[1]
        with pytest.raises(OSError, match=f"cannot listen at 127.0.0.1:{port}: Address"):
            listen("127.0.0.1", port, protected=False)
    with listen("0.0.0.0", 0, protected=True):
        pass


def test_an_unknown_host_is_told():
    with pytest.raises(OSError, match="host 'no.such.host.invalid' is unknown"):
        listen("no.such.host.invalid", 0, protected=True)


def test_a_key_of_another_certificate_is_refused(files, tmp_path):
    other = Certificates(tmp_path)
    context = server_context(files.certificate, files.key)
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    with pytest.raises(ValueError, match="does not match the certificate"):
        server_context(files.certificate, other.key)


def test_no_tickets_follow_the_handshake(files):
    """A ticket that comes while another thread of the client writes can lose what it writes."""
    here, there = socket.socketpair()
    context = server_context(files.certificate, files.key)
    with here, there:
        received = []

        def serve():
            with context.wrap_socket(there, server_side=True) as served:
                received.append(served.recv(2))
                served.sendall(b"no")

        thread = threading.Thread(target=serve)
        thread.start()
        trust = ssl.create_default_context(cafile=files.trusted)
        with trust.wrap_socket(here, server_hostname="localhost") as client:
            client.sendall(b"go")
            assert client.recv(2) == b"no" and client.version() == "TLSv1.3"
            assert not client.session.has_ticket
        thread.join()
    assert received == [b"go"]


def test_files_that_are_no_certificates_are_refused(files, tmp_path):
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("nonsense")
    for pair in ((nonsense, files.key), (files.certificate, nonsense), (files.key, files.key)):
        with pytest.raises(ValueError, match="must be a certificate and a private key in PEM"):
            server_context(*pair)
    with pytest.raises(FileNotFoundError, match="missing.pem"):
        server_context(files.certificate, tmp_path / "missing.pem")


def test_a_key_with_a_passphrase_is_refused_without_asking(files, tmp_path):
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_private_key(files.key.read_bytes(), None)
    locked = tmp_path / "locked.pem"
    locked.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    with pytest.raises(ValueError, match="must have no passphrase"):
        server_context(files.certificate, locked)


def test_a_key_that_everybody_may_read_is_warned_of(files, caplog):
    files.key.chmod(0o644)
    server_context(files.certificate, files.key)
    assert "may read the key" in caplog.text
    files.key.chmod(0o600)
