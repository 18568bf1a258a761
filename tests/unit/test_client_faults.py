"""What became of a request, on servers that break at every place: refused, unclear, answered; and who asks again."""

import ssl
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from faulty import HTML, closed_port, faulty, whole

from provisioner import backoff, client
from provisioner.client import Client
from provisioner.devcluster.certificates import issue
from provisioner.errors import ApiError, UnclearError, UnreachableError
from provisioner.settings import Target

OK = whole(200, '{"ok": true}')
CUT = whole(200, '{"ok": true}')[:-6]  # Content-Length promises more
NO_LENGTH = b'HTTP/1.1 200 X\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n{"ok": tr'
UNCLEAR = {
    "closed before the answer": (b"", "broke off before it answered PUT /x"),
    "reset before the answer": ("reset", "broke off before it answered PUT /x"),
    "reset within the status line": ((b"HTTP/1.1 20", "reset"), "broke off before it answered PUT /x"),
    "reset within the headers": ((CUT[:30], "reset"), "broke off before it answered PUT /x"),
    "reset after the headers": ((whole(200, "x" * 9)[:-9], "reset"), "not whole: it was cut off"),
    "reset within the body": ((CUT, "reset"), "not whole: it was cut off"),
    "closed within the body": (CUT, "not whole: it was cut off"),
    "cut off, with a Content-Length that fits": (whole(200, '{"ok": tr'), "cut off, or no JSON"),
    "cut off, without a Content-Length": (NO_LENGTH, "cut off, or no JSON"),
    "nothing in the body": (whole(200, ""), "cut off, or no JSON"),
    "a stall before the answer": ((b"", "stall"), r"gave no answer within 0\.3 s to PUT /x"),
    "a stall within the body": ((CUT, "stall"), r"not whole: it stopped for 0\.3 s"),
    "no HTTP": (b"SSH-2.0-OpenSSH_9.2\r\n", "broke off before it answered PUT /x"),
    "HTML with 200": (whole(200, HTML, "text/html"), "does not answer as OpenSearch does"),
    "502": (whole(502, HTML, "text/html"), "PUT /x: 502 <html>"),
    "503": (whole(503, '{"error": {"type": "t", "reason": "r"}}'), "PUT /x: 503 t: r"),
    "504": (whole(504, HTML * 100, "text/html"), "PUT /x: 504 <html>"),
    "504, cut off": (whole(504, HTML)[:-5], "PUT /x: 504 the answer is not whole"),
}


@pytest.fixture(autouse=True)
def short_waits(monkeypatch):
    """Real waits, but none that a test would notice."""
    monkeypatch.setattr(backoff, "waits", lambda waits=backoff.waits: waits(base=0.01, cap=0.05))


def made(*urls, **options):
    return Client(Target("dev", urls, **{"timeout": 5.0, **options}))


@pytest.mark.parametrize("what", UNCLEAR)
def test_a_write_without_a_whole_answer_is_unclear_and_sent_once(what):
    step, words = UNCLEAR[what]
    with faulty(step) as server, pytest.raises(UnclearError, match=words) as error:
        made(server.url, timeout=0.3).request("PUT", "/x", {"a": 1}, {"refresh": "true"})
    assert server.seen == [("PUT", "/x?refresh=true")]
    assert error.value.hint
    assert len(error.value.message) < 500


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A server's side of TLS, and the file with the authority."""
    folder = tmp_path_factory.mktemp("tls")
    issued = issue(datetime.now(UTC))
    for name, content in (("ca", issued.authority), ("cert", issued.node.certificate), ("key", issued.node.key)):
        (folder / f"{name}.pem").write_bytes(content)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context, str(folder / "ca.pem")


@pytest.mark.parametrize("what", [what for what in UNCLEAR if "no HTTP" not in what])
def test_so_it_is_over_tls(what, certificate):
    step, _ = UNCLEAR[what]
    context, ca = certificate
    with faulty(step, tls=context) as server, pytest.raises(UnclearError) as error:
        made(server.url, timeout=1, ca=ca).request("PUT", "/x", {"a": 1})
    assert len(server.seen) == 1
    assert error.value.hint


@pytest.mark.parametrize("what", [what for what in UNCLEAR if "stall" not in what])
def test_a_read_is_asked_again_until_the_answer_is_whole(what):
    step, _ = UNCLEAR[what]
    with faulty(step, step, OK) as server:
        assert made(server.url).get("/x") == {"ok": True}
        assert made(server.url).request("POST", "/y/_search", {}, safe=True) == {"ok": True}
    assert server.seen == [("GET", "/x")] * 3 + [("POST", "/y/_search")]


def test_a_read_gives_up_after_five_attempts():
    with faulty("reset") as server, pytest.raises(UnclearError):
        made(server.url).get("/x")
    assert len(server.seen) == backoff.ATTEMPTS == 5


def test_a_read_takes_no_longer_than_the_timeout_in_all():
    with faulty("reset", (b"", "stall")) as server:
        start = time.monotonic()
        with pytest.raises(UnclearError, match="gave no answer"):
            made(server.url, timeout=0.5).get("/x")
        assert 0.4 < time.monotonic() - start < 1.5
    assert len(server.seen) == 2


@pytest.mark.parametrize("status", [400, 404, 409, 500])
def test_an_error_status_is_an_answer_that_nobody_asks_for_twice(status):
    with faulty(whole(status, '{"error": "no"}')) as server:
        for safe in (False, True):
            with pytest.raises(ApiError, match=f"{status} no"):
                made(server.url).request("POST", "/x", safe=safe)
    assert len(server.seen) == 2


@pytest.mark.parametrize(
    "step", [whole(404, '{"result": "not_fo'), whole(404, "x" * 50)[:-20], (whole(404, "x" * 9)[:-9], "reset")]
)
def test_404_holds_even_where_its_body_does_not(step):
    """As Alerting answers a DELETE of a monitor that does not exist."""
    with faulty(step) as server, pytest.raises(ApiError) as error:
        made(server.url).request("DELETE", "/x")
    assert error.value.status == 404
    assert len(server.seen) == 1


def test_too_many_requests():
    busy = whole(429, '{"error": {"type": "rejected_execution_exception", "reason": "full"}}', Retry_After=1)
    with faulty(busy) as server, pytest.raises(ApiError) as error:
        made(server.url).request("PUT", "/x")
    assert (error.value.status, error.value.retry_after, len(server.seen)) == (429, 1, 1)
    with faulty(busy, OK) as server:
        start = time.monotonic()
        assert made(server.url).get("/x") == {"ok": True}
        assert time.monotonic() - start >= 1
    with faulty(busy) as server, pytest.raises(ApiError):  # to wait would take longer than the timeout
        made(server.url, timeout=0.8).get("/x")
    assert len(server.seen) == 1


@pytest.mark.parametrize("later", ["Wed, 21 Oct 2026 07:28:00 GMT", "-1", "soon", "1e9"])
def test_other_forms_of_retry_after_count_as_nothing(later):
    with faulty(whole(503, "", Retry_After=later)) as server, pytest.raises(UnclearError) as error:
        made(server.url).request("PUT", "/x")
    assert error.value.retry_after == 0


def test_nothing_was_sent():
    for host in (f"127.0.0.1:{closed_port()}", "host.invalid:9200", "a" * 70 + ":9200"):
        with pytest.raises(UnreachableError, match=f"http://{host} can't be reached"):
            made(f"http://{host}").request("PUT", "/x")


def test_a_host_that_refuses_is_passed_over_by_writes_too():
    dead = f"http://127.0.0.1:{closed_port()}"
    with faulty(OK) as server:
        for hosts in ((dead, server.url), (server.url, dead), (dead, dead, server.url)):
            asked = made(*hosts)
            for _ in range(4):
                assert asked.request("PUT", "/x") == {"ok": True}
    assert len(server.seen) == 12
    with pytest.raises(UnreachableError) as error:
        made(dead, f"http://127.0.0.1:{closed_port()}").request("PUT", "/x")
    assert error.value.message.count("Connection refused") == 2


def test_a_dead_host_fails_no_thread():
    dead = f"http://127.0.0.1:{closed_port()}"
    with faulty(OK) as server, ThreadPoolExecutor(8) as pool:
        asked = made(dead, server.url, dead)
        assert list(pool.map(lambda _: asked.request("PUT", "/x"), range(200))) == [{"ok": True}] * 200
    assert len(server.seen) == 200


def test_an_unclear_write_goes_to_no_other_host_but_the_next_request_does():
    with faulty("reset") as bad, faulty(OK) as good:
        asked = made(bad.url, good.url)
        outcomes = []
        for _ in range(6):
            try:
                outcomes.append(asked.request("PUT", "/x"))
            except UnclearError:
                outcomes.append(None)
        assert outcomes.count(None) == len(bad.seen) <= 1
        assert len(good.seen) == 6 - len(bad.seen)
        for _ in range(4):  # the order of hosts is drawn by lot
            assert made(bad.url, good.url).get("/x") == {"ok": True}


def test_eight_threads_share_a_client_without_noise(caplog):
    barrier = threading.Barrier(8)

    def ask(asked):
        barrier.wait()
        return [asked.get("/x") for _ in range(20)]

    with faulty(OK) as server, warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        asked = made(server.url)
        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(ask, [asked] * 8)) == [[{"ok": True}] * 20] * 8
    assert len(server.seen) == 160
    assert [str(w.message) for w in warned] == []
    assert [r for r in caplog.records if r.levelname != "DEBUG"] == []
    assert client.POOL > 8
