"""Is this cluster fit for what we want? Each question is asked of the API itself, not of a plugin's name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from provisioner import durations, permissions
from provisioner.errors import ApiError, ClusterError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from provisioner.client import Client

OLDEST = (2, 13)
"""The first version that has all we use: messages show `sample_documents` (Alerting, since 2.13), and ISM's explain
takes a filter (since 2.12). Tests run on 3.4.0."""
DISK_LOW = 85.0
"""Percent used at which OpenSearch stops giving a node new shards (`cluster.routing.allocation.disk.watermark.low`)."""

TEMPLATES = 100
"""Templates that a server should compile in a minute. Alerting makes one of each window rule's search, another one of
each further page of its groups, for the last key of the page before stands in it, and two of each message. The server
keeps a hundred, compiles 75 in five minutes (measured on 3.4.0), and a run that needs one more ends in an error."""
_RATE = "script.context.template.max_compilations_rate"
_FEW_TEMPLATES = (
    f'with many rules over windows some runs would fail ("Too many dynamic script compilations"): '
    f"set {_RATE} to 1000/1m by PUT _cluster/settings"
)
_MOST_ALERTS = "plugins.alerting.max_actionable_alert_count"
_FEW_ALERTS = (
    "while a rule has more alerts than that, Alerting sends one message for all of them at every run, whatever the "
    f"throttle says, and names only the new ones: set {_MOST_ALERTS} to -1 by PUT _cluster/settings"
)


@dataclass(frozen=True, slots=True)
class Check:
    """One question and its answer: `ok`, or what is wrong and what to do. `fatal` ones stop a bootstrap."""

    name: str
    ok: bool
    detail: str
    hint: str = ""
    fatal: bool = True


def run(client: Client, owner: str | None = None) -> Iterator[Check]:
    """All checks in order; ends after the first where the cluster can't be reached at all. Nothing is written.

    With an `owner` the permissions on its state are asked for too.
    """
    reached = _guarded("server", _server, client)
    yield reached
    if not reached.ok and not reached.detail.startswith("OpenSearch") and "no permissions" not in reached.detail:
        return
    yield _guarded("health", _health, client)
    for name, method, path, body in (
        ("Alerting", "POST", "/_plugins/_alerting/monitors/_search", {"size": 0, "query": {"match_all": {}}}),
        ("Notifications", "GET", "/_plugins/_notifications/features", None),
        ("Index Management", "GET", "/_plugins/_ism/policies", None),
    ):
        yield _plugin(client, name, method, path, body)
    yield _guarded("Painless", _painless, client)
    yield from _settings(client)
    yield from _security(client, owner)
    yield _guarded("disk", _disk, client)


def _guarded(name: str, check: Callable[[Client], Check], client: Client) -> Check:
    try:
        return check(client)
    except (ApiError, ClusterError) as error:
        return Check(name, False, error.message, error.hint or "look at the cluster's log")


def _server(client: Client) -> Check:
    answer = client.greet()
    version = answer["version"]
    number, distribution = str(version.get("number", "?")), version.get("distribution", "elasticsearch")
    if distribution != "opensearch":
        return Check("server", False, f"{distribution} {number}", "provisioner is for OpenSearch")
    old = tuple(int(part) for part in number.split(".")[:2]) < OLDEST
    detail = f"OpenSearch {number}, cluster {answer.get('cluster_name')}"
    return Check("server", not old, detail, "upgrade to OpenSearch {}.{} or newer".format(*OLDEST) if old else "")


def _health(client: Client) -> Check:
    health = client.request("GET", "/_cluster/health")
    detail = f"{health['status']}, {health['number_of_nodes']} node(s), {health['active_shards']} shards"
    return Check(
        "health", health["status"] != "red", detail, "mend the red indices first" if health["status"] == "red" else ""
    )


def _plugin(client: Client, name: str, method: str, path: str, body: Any) -> Check:
    """A missing plugin has no route: the server answers 400 ("no handler found") or 404, never 200."""
    try:
        client.request(method, path, body, safe=True)
    except ApiError as error:
        return Check(name, False, f"its API does not answer ({error.status})", f"install the plugin that gives {path}")
    except ClusterError as error:
        return Check(name, False, error.message, error.hint)
    return Check(name, True, f"{path.rpartition('/')[0]} answers")


def _painless(client: Client) -> Check:
    answer = client.request(
        "POST",
        "/_scripts/painless/_execute",
        {"script": {"source": "return 6 * params.n", "params": {"n": 7}}},
        safe=True,
    )
    ok = answer.get("result") == "42"
    return Check(
        "Painless",
        ok,
        "inline scripts run" if ok else f"6 * 7 gave {answer.get('result')}",
        "" if ok else "check script.allowed_types",
    )


def _settings(client: Client) -> Iterator[Check]:
    """Settings of the cluster by which rules would fall short."""
    try:
        asked = {"flat_settings": "true", "include_defaults": "true"}  # a node's own file counts as a default here
        answer = client.request("GET", "/_cluster/settings", params=asked)
    except (ApiError, ClusterError):
        yield Check("templates", True, f"{_RATE} may not be seen", fatal=False)
        yield Check("alerts", True, f"{_MOST_ALERTS} may not be seen", fatal=False)
        return
    settings = {**answer.get("defaults", {}), **answer.get("persistent", {}), **answer.get("transient", {})}
    yield _templates(settings)
    most = int(settings.get(_MOST_ALERTS, 50))
    detail = f"a message for each alert of a rule, up to {most} at once" if most >= 0 else "a message for each alert"
    yield Check("alerts", most < 0, detail, "" if most < 0 else _FEW_ALERTS, fatal=False)


def _templates(settings: Mapping[str, Any]) -> Check:
    """How many search and message templates the server compiles: what is too much fails a monitor's run."""
    general = settings.get("script.max_compilations_rate", "use-context")
    rate = settings.get(_RATE, "75/5m") if general == "use-context" else general
    if str(settings.get("script.disable_max_compilations_rate")) == "true":
        return Check("templates", True, "compiled without limit", fatal=False)
    enough = _a_minute(rate) >= TEMPLATES
    return Check(
        "templates",
        enough,
        f"the server compiles {rate.replace('/', ' templates in ')}",
        "" if enough else _FEW_TEMPLATES,
        fatal=False,
    )


def _a_minute(rate: str) -> float:
    count, _, time = rate.partition("/")
    try:
        return int(count) * 60_000 / durations.ms(time)
    except ValueError:
        return float("inf")  # "unlimited"


def _security(client: Client, owner: str | None) -> Iterator[Check]:
    """Who we are, whether that suffices for what apply does, and whether roles and users can be applied."""
    wanted = client.target.access
    try:
        info = client.request("GET", "/_plugins/_security/authinfo")
    except ApiError:  # no such route
        yield Check("permissions", True, "no security plugin: everyone may do everything")
        if wanted:
            hint = "install the security plugin, or take `access: true` out of the target"
            yield Check("access", False, "there is no security plugin to hold roles and users", hint)
        return
    except ClusterError as error:
        yield Check("permissions", False, error.message, error.hint)
        return
    who = f"user {info.get('user_name')} with roles {', '.join(info.get('roles', [])) or 'none'}"
    yield _guarded("permissions", lambda client: _permissions(client, owner, who), client)
    yield (
        _guarded("access", _administrator, client)
        if wanted
        else Check(
            "access",
            False,
            "roles, role mappings and users of this repository are not applied to this target",
            "set `access: true` on the target to apply them; it takes an administrator",
            fatal=False,
        )
    )


def _permissions(client: Client, owner: str | None, who: str) -> Check:
    found = permissions.missing(client, owner)
    if found.permissions:
        hint = "give its roles the permissions named; the starter pack's role for provisioner has them all"
        return Check("permissions", False, f"{who} lacks {', '.join(found.permissions)}", hint)
    if found.unasked:
        return Check("permissions", False, f"{who}: not all could be asked", found.unasked, fatal=False)
    return Check("permissions", True, f"{who} may do all that apply does")


def _administrator(client: Client) -> Check:
    """Whether the security plugin's own API is open to us, for each collection that is applied."""
    info = client.request("GET", "/_plugins/_security/api/permissionsinfo")
    closed = info.get("disabled_endpoints", {})
    needed = ("ROLES", "ROLESMAPPING", "INTERNALUSERS")
    shut = [name.lower() for name in needed if {"GET", "PUT", "DELETE"} & {*closed.get(name, ())}]
    if info.get("has_api_access") and not shut:
        return Check("access", True, "roles, role mappings and users can be applied")
    return Check(
        "access",
        False,
        f"this user may not write {', '.join(shut) or 'roles, role mappings and users'}",
        "use an administrator's credentials or certificate, or set `access: false` on the target",
    )


def _disk(client: Client) -> Check:
    """The fullest data node, against the watermark at which it gets no more shards."""
    rows = client.request(
        "GET", "/_cat/allocation", params={"format": "json", "h": "node,disk.percent,disk.avail", "bytes": "gb"}
    )
    used = [(float(row["disk.percent"]), row) for row in rows if row.get("disk.percent")]
    if not used:
        return Check("disk", True, "no figures", fatal=False)
    percent, row = max(used, key=lambda item: item[0])
    full = percent >= DISK_LOW
    detail = f"{row['node']}: {percent:.0f} % used, {row['disk.avail']} GB free"
    return Check(
        "disk",
        not full,
        detail,
        "free space or add a node: at 85 % a node gets no new shards" if full else "",
        fatal=False,
    )
