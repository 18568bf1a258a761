"""What is told of servers that no dev cluster can be: too old, without the security plugin, or none at all."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from provisioner import preflight
from provisioner.client import Client
from provisioner.errors import ClusterError
from provisioner.permissions import missing
from provisioner.settings import Target

OLD_SERVER = {"error": {"type": "illegal_argument_exception", "reason": "request [/x] contains unrecognized parameter"}}
RATE = "script.context.template.max_compilations_rate"
MOST = "plugins.alerting.max_actionable_alert_count"
NO_ROUTE = {"error": "no handler found for uri"}


class _Handler(BaseHTTPRequestHandler):
    def _do(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url, _, query = self.path.partition("?")
        status, answer = self.server.answer(self.command, url, query)
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PUT = do_POST = do_DELETE = _do  # noqa: N815 (the library's names)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    """Answers as a small healthy cluster does, version 3.4.0, but for what `answers` says by method and address."""

    def answer(method, url, query):
        if "perform_permission_check" in query and "check" in made.answers:
            return made.answers["check"]
        for known in (f"{method} {url}", url):
            if known in made.answers:
                return made.answers[known]
        return (404, {}) if method in ("PUT", "DELETE") else (200, {})

    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as made:
        made.daemon_threads = True
        made.answer = answer
        made.answers = {
            "/": (200, {"version": {"number": "3.4.0", "distribution": "opensearch"}, "cluster_name": "c"}),
            "/_cluster/health": (200, {"status": "green", "number_of_nodes": 1, "active_shards": 1}),
            "/_scripts/painless/_execute": (200, {"result": "42"}),
            "/_plugins/_security/authinfo": (200, {"user_name": "me", "roles": ["some"]}),
            "/_cat/allocation": (200, []),
            "/_cluster/settings": (200, {"persistent": {RATE: "1000/1m", MOST: "-1"}, "transient": {}}),
            "check": (200, {"accessAllowed": True, "missingPrivileges": []}),
        }
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def client(server, **options):
    return Client(Target("t", (f"http://127.0.0.1:{server.server_address[1]}",), timeout=2, **options))


def checks(server, **options):
    return {check.name: check for check in preflight.run(client(server, **options), "acme")}


def test_a_fit_server(server):
    found = checks(server)
    assert {name for name, check in found.items() if not check.ok} == {"access"}
    assert not found["access"].fatal
    assert "access: true" in found["access"].hint


@pytest.mark.parametrize(("number", "fit"), [("2.12.0", False), ("2.13.0", True), ("2.19.3", True), ("10.0.0", True)])
def test_the_oldest_version(server, number, fit):
    server.answers["/"] = (200, {"version": {"number": number, "distribution": "opensearch"}})
    check = checks(server)["server"]
    assert check.ok is fit
    assert fit or "2.13" in check.hint


def test_a_server_before_the_permission_check_is_told_but_no_obstacle(server):
    server.answers["check"] = (400, OLD_SERVER)
    check = checks(server)["permissions"]
    assert not check.ok
    assert not check.fatal
    assert "3.2" in check.hint


def test_what_is_missing_is_named_once(server):
    server.answers["check"] = (200, {"accessAllowed": False, "missingPrivileges": ["indices:admin/create"]})
    denied = "no permissions for [a:b, c:d] and User [name=me, backend_roles=[], requestedTenant=null]"
    server.answers["POST /_plugins/_alerting/monitors"] = (
        403,
        {"error": {"type": "security_exception", "reason": denied}},
    )
    assert missing(client(server), "acme").permissions == ("indices:admin/create", "a:b", "c:d")
    check = checks(server)["permissions"]
    assert check.fatal
    assert "me with roles some lacks indices:admin/create, a:b, c:d" in check.detail


def test_a_refusal_that_names_nothing_is_an_error_of_its_own(server):
    server.answers["POST /_plugins/_alerting/monitors"] = (401, {"error": "Unauthorized"})
    with pytest.raises(ClusterError, match="401"):
        missing(client(server), "acme")
    assert not checks(server)["permissions"].ok


def test_no_security_plugin(server):
    server.answers["/_plugins/_security/authinfo"] = (400, NO_ROUTE)
    found = checks(server)
    assert found["permissions"].ok
    assert "access" not in found
    assert checks(server, access=True)["access"].fatal


@pytest.mark.parametrize(
    ("info", "ok"),
    [
        ({"has_api_access": True, "disabled_endpoints": {}}, True),
        ({"has_api_access": True, "disabled_endpoints": {"AUDIT": ["GET", "PUT"]}}, True),
        ({"has_api_access": True, "disabled_endpoints": {"ROLES": ["PUT"]}}, False),
        ({"has_api_access": False, "disabled_endpoints": {}}, False),
    ],
)
def test_who_may_write_roles_and_users(server, info, ok):
    server.answers["/_plugins/_security/api/permissionsinfo"] = (200, info)
    check = checks(server, access=True)["access"]
    assert (check.ok, check.fatal) == (ok, True)


def test_what_is_not_opensearch_ends_the_checks(server):
    server.answers["/"] = (200, {"version": {"number": "8.1.0"}})
    found = checks(server)
    assert list(found) == ["server"]
    assert found["server"].detail == "elasticsearch 8.1.0"


@pytest.mark.parametrize(("said", "ok"), [({}, False), ({MOST: "50"}, False), ({MOST: "-1"}, True)])
def test_messages_for_many_alerts_at_once(server, said, ok):
    server.answers["/_cluster/settings"] = (200, {"persistent": said, "transient": {}})
    check = checks(server)["alerts"]
    assert (check.ok, check.fatal, MOST in check.hint) == (ok, False, not ok)
    server.answers["/_cluster/settings"] = (403, {"error": {"type": "security_exception", "reason": "no"}})
    assert checks(server)["alerts"].ok


@pytest.mark.parametrize(
    ("settings", "ok"),
    [
        ({}, False),
        ({RATE: "75/5m"}, False),
        ({RATE: "500/5m"}, True),
        ({RATE: "1000/1m"}, True),
        ({RATE: "unlimited"}, True),
        ({"script.max_compilations_rate": "75/5m", RATE: "1000/1m"}, False),
        ({"script.max_compilations_rate": "75/5m", "script.disable_max_compilations_rate": "true"}, True),
    ],
)
def test_few_templates_are_told_and_stop_nothing(server, settings, ok):
    server.answers["/_cluster/settings"] = (200, {"persistent": settings, "transient": {}})
    check = checks(server)["templates"]
    assert (check.ok, check.fatal) == (ok, False)
    assert (RATE in check.hint) is not ok


def test_settings_that_may_not_be_seen_are_no_fault(server):
    server.answers["/_cluster/settings"] = (403, {"error": {"type": "security_exception", "reason": "no permissions"}})
    assert checks(server)["templates"].ok
