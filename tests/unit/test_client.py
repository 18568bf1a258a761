"""What a server may answer, from a real one on a real socket; every trouble is a sentence."""

import json
import socket
import ssl
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from provisioner.client import Client, path
from provisioner.devcluster.certificates import issue
from provisioner.errors import ApiError, ClusterError, UnclearError
from provisioner.secretrefs import MissingSecretError
from provisioner.settings import Target

JSON = "application/json"


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = (200, JSON, "{}")
        self.seen = []


class _Handler(BaseHTTPRequestHandler):
    def _do(self):
        length = int(self.headers.get("Content-Length") or 0)
        self.server.seen.append((self.command, self.path, self.headers.get("Authorization"), self.rfile.read(length)))
        status, kind, text = self.server.answer
        if status == 0:
            time.sleep(0.5)
            return
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PUT = do_POST = do_DELETE = _do  # noqa: N815 (the library's names)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    made = _Server()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


def client(server, scheme="http", **options):
    return Client(Target("dev", (f"{scheme}://127.0.0.1:{server.server_address[1]}",), **options))


def test_paths_are_encoded():
    assert path("_ingest", "pipeline", "a/b c%ü..?#") == "/_ingest/pipeline/a%2Fb%20c%25%C3%BC..%3F%23"


def test_requests_as_they_are_and_nothing_is_asked_twice(server, monkeypatch):
    monkeypatch.setenv("CLIENT_PASSWORD", "hunter2")
    made = client(server, username="me", password="${env:CLIENT_PASSWORD}")
    server.answer = (200, JSON, '{"ok": true}')
    assert made.request("PUT", "/a", {"b": "ü"}, {"c": "d"}) == {"ok": True}
    assert server.seen == [("PUT", "/a?c=d", "Basic bWU6aHVudGVyMg==", b'{"b":"\xc3\xbc"}')]
    server.answer = (503, JSON, "{}")
    with pytest.raises(UnclearError, match="PUT /a: 503") as error:
        made.request("PUT", "/a", {})
    assert error.value.status == 503
    assert len(server.seen) == 2


@pytest.mark.parametrize(
    ("status", "kind", "text", "words"),
    [
        (400, JSON, '{"error": {"type": "t", "reason": "r"}, "status": 400}', "GET /x: 400 t: r"),
        (400, JSON, '{"error": {"type": "t", "reason": "r", "caused_by": {"reason": "c"}}}', "GET /x: 400 t: r (c)"),
        (400, JSON, '{"error": {"type": null, "reason": null, "caused_by": null}}', "GET /x: 400"),
        (500, JSON, '{"error": "only text"}', "GET /x: 500 only text"),
        (500, "text/plain", "plain", "GET /x: 500 plain"),
        (500, JSON, '{"cut off', "GET /x: 500"),
        (409, JSON, "", "GET /x: 409"),
        (302, JSON, "", "GET /x: 302"),
    ],
)
def test_error_answers(server, status, kind, text, words):
    server.answer = (status, kind, text)
    with pytest.raises(ApiError) as error:
        client(server).request("GET", "/x")
    assert error.value.status == status
    assert words in error.value.message
    assert len(error.value.message) < 500


def test_404_is_an_answer(server):
    server.answer = (404, JSON, '{"error": {"type": "t", "reason": "r"}}')
    assert client(server).get("/x") is None
    server.answer = (400, JSON, "{}")
    with pytest.raises(ApiError):
        client(server).get("/x")


def test_a_blocked_index_is_no_matter_of_credentials(server):
    reason = "index [.provisioner-acme] blocked by: [FORBIDDEN/8/index write (api)];"
    server.answer = (403, JSON, json.dumps({"error": {"type": "cluster_block_exception", "reason": reason}}))
    with pytest.raises(ApiError, match="FORBIDDEN/8"):
        client(server).request("PUT", "/x")


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_are_told_without_the_password(server, monkeypatch, status):
    monkeypatch.setenv("CLIENT_PASSWORD", "hunter2")
    server.answer = (status, "text/plain", "Unauthorized")
    with pytest.raises(ClusterError) as error:
        client(server, username="me", password="${env:CLIENT_PASSWORD}").request("GET", "/x")
    assert "refuses me" in error.value.message
    assert "hunter2" not in error.value.message + error.value.hint
    assert error.value.exit_code == 2


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("text/html", "<html>hello</html>"),
        (JSON, "{"),
        (JSON, "[]"),
        (JSON, "{}"),
        (JSON, '{"version": 5}'),
        (JSON, "5"),
    ],
)
def test_what_is_no_opensearch_is_told(server, kind, text):
    server.answer = (200, kind, text)
    with pytest.raises(ClusterError, match="does not answer as OpenSearch does") as error:
        client(server).greet()
    assert "hosts" in error.value.hint


def test_an_opensearch_is_greeted(server):
    server.answer = (200, JSON, json.dumps({"version": {"number": "3.4.0"}}))
    client(server).greet()


def test_nobody_there():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(ClusterError, match=f"127.0.0.1:{port} can't be reached") as error:
        Client(Target("dev", (f"http://127.0.0.1:{port}",))).request("GET", "/")
    assert "dev up" in error.value.hint
    with pytest.raises(ClusterError, match="can't be reached"):
        Client(Target("dev", ("http://host.invalid:9200",))).request("GET", "/")


def test_plain_http_where_tls_is_expected_is_told_at_once(server):
    with pytest.raises(ClusterError, match=r"no TLS connection to https://.* comes about") as error:
        client(server, "https", verify=False).request("GET", "/")
    assert type(error.value) is ClusterError
    assert "https" in error.value.hint


def test_no_answer_in_time(server):
    server.answer = (0, "", "")
    with pytest.raises(ClusterError, match=r"gave no answer within 0\.1 s to GET /slow"):
        client(server, timeout=0.1).request("GET", "/slow")


@pytest.mark.parametrize("host", ["http://127.0.0.1:x", "http://[::1", "http://127.0.0.1:99999999"])
def test_hosts_that_are_none(host):
    with pytest.raises(ClusterError):
        Client(Target("dev", (host,))).request("GET", "/")


def test_missing_secrets_and_files(tmp_path, monkeypatch):
    monkeypatch.delenv("CLIENT_PASSWORD", raising=False)
    with pytest.raises(MissingSecretError, match="CLIENT_PASSWORD"):
        Client(Target("dev", ("https://a",), username="me", password="${env:CLIENT_PASSWORD}"))
    (tmp_path / "no.pem").write_text("no certificate")
    for ca in (tmp_path / "no.pem", tmp_path / "none.pem"):
        with pytest.raises(ClusterError, match="target 'dev' can't be used"):
            Client(Target("dev", ("https://a",), ca=str(ca)))
        with pytest.raises(ClusterError, match="target 'dev' can't be used"):
            Client(Target("dev", ("https://a",), client_cert=str(ca), client_key=str(ca)))


def test_certificates_are_verified_unless_told_not_to(tmp_path, server):
    issued = issue(datetime.now(UTC))
    for name, content in (("ca", issued.authority), ("cert", issued.node.certificate), ("key", issued.node.key)):
        (tmp_path / f"{name}.pem").write_bytes(content)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with pytest.raises(ClusterError, match="can't be verified") as error:
        client(server, "https").request("GET", "/")
    assert "`ca`" in error.value.hint
    assert server.seen == []
    assert client(server, "https", ca=str(tmp_path / "ca.pem")).request("GET", "/") == {}
    assert client(server, "https", verify=False).request("GET", "/") == {}
