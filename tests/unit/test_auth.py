"""How a client proves who it is, to real servers that check it; and that no secret shows anywhere."""

import hashlib
import logging
import re
import ssl
import sys
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from faulty import HTML, closed_port, faulty, whole

from provisioner import auth
from provisioner.client import Client
from provisioner.devcluster.certificates import issue
from provisioner.errors import ApiError, ClusterError, ProvisionerError, UnclearError, UnreachableError
from provisioner.settings import Aws, Target

AWS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI", "AWS_SESSION_TOKEN": "IQoJb3Jp"}
SIGNED = re.compile(r"AWS4-HMAC-SHA256 Credential=(\S+), SignedHeaders=(\S+), Signature=([0-9a-f]{64})$")


class _Handler(BaseHTTPRequestHandler):
    def _do(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        refusal = self.server.refuse(self.command, self.path, self.headers, body)
        text = b'{"error": "%s"}' % refusal.encode() if refusal else b'{"ok": true}'
        self.send_response(401 if refusal else 200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_PUT = do_POST = do_DELETE = _do  # noqa: N815 (the library's names)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as made:
        made.daemon_threads = True
        made.refuse = lambda *_: ""
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def target(server, **options):
    return Target("dev", (f"http://127.0.0.1:{server.server_address[1]}",), **options)


def _refuse_signature(secrets):
    """A server's side of Signature Version 4: the signature made once more from what came over the wire."""

    def refuse(method, path, headers, body):
        found = SIGNED.match(headers["Authorization"] or "")
        if not found:
            return "no signature"
        scope, names, signature = found.groups()
        if scope.split("/")[0] != secrets["AWS_ACCESS_KEY_ID"] or scope.split("/")[2:] != [
            "eu-central-1",
            "es",
            "aws4_request",
        ]:
            return f"wrong scope {scope}"
        if not {"host", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token"} <= set(names.split(";")):
            return f"not signed: {names}"
        if headers["X-Amz-Content-SHA256"] != hashlib.sha256(body).hexdigest():
            return "the body is another"
        if headers["X-Amz-Security-Token"] != secrets["AWS_SESSION_TOKEN"]:
            return "wrong session"
        signed = {name: headers[name] for name in names.split(";")}
        request = AWSRequest(method, f"http://{headers['Host']}{path}", headers=signed, data=body)
        request.context["timestamp"] = headers["X-Amz-Date"]
        signer = SigV4Auth(Credentials(*secrets.values()), "es", "eu-central-1")
        wanted = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
        return "" if wanted == signature else "the signature differs"

    return refuse


@pytest.fixture
def aws(monkeypatch, tmp_path):
    for name, value in AWS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    return tmp_path


def test_aws_signatures_are_those_that_the_server_computes(server, aws):
    server.refuse = _refuse_signature(AWS)
    client = Client(target(server, aws=Aws("eu-central-1")))
    assert client.request("PUT", "/_ingest/pipeline/a%2Fb%20%C3%BC", {"ü": [1, None]}) == {"ok": True}
    assert client.request("GET", "/_cat/allocation", params={"h": "node,disk.percent", "format": "json"}) == {
        "ok": True
    }
    assert client.request("POST", "/*,-.x*/_search", {}, {"a": "", "z": "1", "b": "2"}, safe=True) == {"ok": True}
    assert client.request("DELETE", "/x") == {"ok": True}
    server.refuse = _refuse_signature({**AWS, "AWS_SECRET_ACCESS_KEY": "another"})
    with pytest.raises(ClusterError, match=r"refuses an AWS identity .*the signature differs"):
        client.get("/x")


def test_aws_credentials_from_a_profile(server, aws, monkeypatch):
    for name in AWS:
        monkeypatch.delenv(name)
    other = {"AWS_ACCESS_KEY_ID": "AKIDOTHER", "AWS_SECRET_ACCESS_KEY": "s3cr3t", "AWS_SESSION_TOKEN": "t0k3n"}
    (aws / "credentials").write_text(
        "[logs]\n" + "".join(f"{name.lower()} = {value}\n" for name, value in other.items())
    )
    server.refuse = _refuse_signature(other)
    assert Client(target(server, aws=Aws("eu-central-1", profile="logs"))).get("/x") == {"ok": True}
    with pytest.raises(ClusterError, match="no AWS credentials for target 'dev'") as error:
        Client(target(server, aws=Aws("eu-central-1")))
    assert "profile" in error.value.hint
    with pytest.raises(ClusterError, match=r"no AWS credentials for target 'dev': .*nobody"):
        Client(target(server, aws=Aws("eu-central-1", profile="nobody")))


def test_without_botocore_the_extra_is_named(server, monkeypatch):
    monkeypatch.setitem(sys.modules, "botocore.session", None)
    with pytest.raises(ProvisionerError, match="botocore is missing") as error:
        Client(target(server, aws=Aws("eu-central-1")))
    assert "pip install 'provisioner[aws]'" in error.value.hint


def test_a_token_is_sent(server, monkeypatch, tmp_path):
    server.refuse = lambda _m, _p, headers, _b: "" if headers["Authorization"] == "Bearer abc.def-1" else "no"
    (tmp_path / "token").write_text("abc.def-1\n")
    assert Client(target(server, token=f"${{file:{tmp_path / 'token'}}}")).get("/x") == {"ok": True}
    monkeypatch.setenv("CLIENT_TOKEN", "other")
    with pytest.raises(ClusterError, match="refuses the token: 401 no"):
        Client(target(server, token="${env:CLIENT_TOKEN}")).get("/x")


@pytest.mark.parametrize("token", ["", "two words", "line\nbreak", "tökén"])
def test_a_token_that_no_header_can_hold(server, monkeypatch, token):
    monkeypatch.setenv("CLIENT_TOKEN", token)
    with pytest.raises(ClusterError, match="the token of target 'dev'") as error:
        Client(target(server, token="${env:CLIENT_TOKEN}"))
    assert "CLIENT_TOKEN" in error.value.hint
    assert not token or token not in error.value.message


def test_passwords_may_hold_anything(server, monkeypatch):
    monkeypatch.setenv("CLIENT_PASSWORD", "€ü:\n")
    server.refuse = lambda _m, _p, headers, _b: "" if headers["Authorization"] == "Basic bWU64oKsw7w6Cg==" else "no"
    assert Client(target(server, username="me", password="${env:CLIENT_PASSWORD}")).get("/x") == {"ok": True}


def test_a_client_certificate_is_shown_where_one_is_asked_for(server, tmp_path):
    issued = issue(datetime.now(UTC))
    for name, content in (("ca", issued.authority), ("cert", issued.node.certificate), ("key", issued.node.key)):
        (tmp_path / f"{name}.pem").write_bytes(content)
    ca, cert, key = (str(tmp_path / f"{name}.pem") for name in ("ca", "cert", "key"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    context.load_verify_locations(ca)
    context.verify_mode = ssl.CERT_REQUIRED
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    host = f"https://127.0.0.1:{server.server_address[1]}"
    assert Client(Target("dev", (host,), ca=ca, client_cert=cert, client_key=key)).get("/x") == {"ok": True}
    with pytest.raises(ClusterError):
        Client(Target("dev", (host,), ca=ca, timeout=1)).request("PUT", "/x")


SECRETS = ("hunter2-secret", "aHVudGVyMi1zZWNyZXQ", "bWU6aHVudGVyMi1zZWNyZXQ")
ECHO = "you sent ECHO"
SENT = {"basic": f"Basic {SECRETS[2]}=", "token": f"Bearer {SECRETS[0]}", "aws": f"X-Amz-Security-Token {SECRETS[0]}"}


def _chain(error):
    """An exception with all that hangs on it, as text: what a traceback or a log of it would show."""
    while error is not None:
        yield from (str(error), repr(error), repr(error.args), str(getattr(error, "hint", "")), repr(vars(error)))
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize("way", ["basic", "token", "aws"])
@pytest.mark.parametrize(
    ("step", "kind"),
    [
        (whole(400, '{"error": {"type": "t", "reason": "you sent ECHO"}}'), ApiError),
        (whole(500, ECHO, "text/plain"), ApiError),
        (whole(401, ECHO, "text/plain"), ClusterError),
        (whole(503, ECHO, "text/plain"), UnclearError),
        (whole(429, ECHO, "text/plain"), ApiError),
        (whole(200, HTML), UnclearError),
        (whole(200, "{")[:-1], UnclearError),
        ("reset", UnclearError),
        ((b"", "stall"), UnclearError),
        (None, UnreachableError),
    ],
)
def test_no_error_and_no_log_holds_a_secret(monkeypatch, caplog, capfd, aws, way, step, kind):
    caplog.set_level(logging.DEBUG)
    for name in ("CLIENT_SECRET", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, SECRETS[0])
    ways = {
        "basic": {"username": "me", "password": "${env:CLIENT_SECRET}"},
        "token": {"token": "${env:CLIENT_SECRET}"},
        "aws": {"aws": Aws("eu-central-1")},
    }
    if isinstance(step, bytes) and b"ECHO" in step:
        head, _, body = step.decode().partition("\r\n\r\n")
        body = body.replace("ECHO", SENT[way])
        step = (re.sub("Content-Length: .*", f"Content-Length: {len(body)}", head) + "\r\n\r\n" + body).encode()
    with faulty(step or b"") as server:
        url = server.url if step else f"http://127.0.0.1:{closed_port()}"
        client = Client(Target("dev", (url,), timeout=0.3, **ways[way]))
        with pytest.raises(kind) as error:
            client.request("PUT", "/x", {"a": 1})
    texts = [*_chain(error.value), repr(client), repr(client.target), repr(auth.prove(client.target)), caplog.text]
    texts += capfd.readouterr()
    assert error.value.message
    assert [(secret, text) for text in texts for secret in SECRETS if secret in text] == []
