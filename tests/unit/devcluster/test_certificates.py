from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
from pathlib import Path

import pytest
from cryptography import x509

from provisioner.devcluster.certificates import Certificates, Pair, expires_soon, issue

NOW = dt.datetime.now(dt.UTC)


@pytest.fixture(scope="module")
def certificates() -> Certificates:
    return issue(NOW)


def written(folder: Path, pair: Pair) -> tuple[str, str]:
    (folder / "c.pem").write_bytes(pair.certificate)
    (folder / "k.pem").write_bytes(pair.key)
    return str(folder / "c.pem"), str(folder / "k.pem")


def greet(folder: Path, server: Pair, authority: bytes, host: str) -> str:
    """Serve one TLS connection with `server`'s certificate, and return what a client that trusts `authority` reads."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*written(folder, server))
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            try:
                with context.wrap_socket(connection, server_side=True) as secured:
                    secured.sendall(b"hello")
            except (ssl.SSLError, ConnectionError):
                connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            trusting = ssl.create_default_context(cadata=authority.decode())
            with (
                socket.create_connection(listener.getsockname()) as connection,
                trusting.wrap_socket(connection, server_hostname=host) as secured,
            ):
                return secured.recv(5).decode()
        finally:
            thread.join()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_client_that_trusts_the_authority_is_served(certificates: Certificates, tmp_path: Path, host: str) -> None:
    assert greet(tmp_path, certificates.node, certificates.authority, host) == "hello"
    assert greet(tmp_path, certificates.stand_in, certificates.authority, host) == "hello"


def test_another_authority_or_another_name_is_refused(certificates: Certificates, tmp_path: Path) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        greet(tmp_path, certificates.node, issue(NOW).authority, "localhost")
    with pytest.raises(ssl.SSLCertVerificationError):
        greet(tmp_path, certificates.node, certificates.authority, "example.org")


def test_names_are_those_that_the_settings_give_rights_to(certificates: Certificates) -> None:
    from provisioner.devcluster.config import server_settings

    settings = server_settings("x", Path("/x"), 1, 2, secure=True)
    for pair, key in (
        (certificates.admin, "plugins.security.authcz.admin_dn"),
        (certificates.node, "plugins.security.nodes_dn"),
    ):
        assert x509.load_pem_x509_certificate(pair.certificate).subject.rfc4514_string() == settings[key][0]
    subject = x509.load_pem_x509_certificate(certificates.stand_in.certificate).subject.rfc4514_string()
    assert subject not in (*settings["plugins.security.authcz.admin_dn"], *settings["plugins.security.nodes_dn"])


def test_they_are_renewed_in_time(certificates: Certificates) -> None:
    assert not expires_soon(certificates.authority, NOW)
    assert expires_soon(certificates.authority, NOW + dt.timedelta(days=336))
