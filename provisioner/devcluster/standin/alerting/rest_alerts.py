"""Alerts and findings over REST: listing, acknowledging, and the remains of destinations."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provisioner.devcluster.standin.alerting.alert_store import AlertStore
from provisioner.devcluster.standin.alerting.alerts import AUDIT, Alert
from provisioner.devcluster.standin.alerting.configs import Configs
from provisioner.devcluster.standin.alerting.errors import invalid, status_error
from provisioner.devcluster.standin.alerting.findings import Findings
from provisioner.devcluster.standin.alerting.model import Json
from provisioner.devcluster.standin.alerting.reading import json_object
from provisioner.devcluster.standin.errors import OpenSearchError, illegal_argument
from provisioner.devcluster.standin.node import Node
from provisioner.devcluster.standin.plugin import route
from provisioner.devcluster.standin.rest import answer, bool_param, check_params, int_param

BASE = "/_plugins/_alerting"
OLD, NEW = "cluster:admin/opendistro/alerting", "cluster:admin/opensearch/alerting"
TABLE = {"sortString", "sortOrder", "missing", "size", "startIndex", "searchString"}


class AlertApi:
    """The endpoints for alerts and findings."""

    def __init__(self, node: Node, configs: Configs, alerts: AlertStore, findings: Findings) -> None:
        self._node = node
        self._configs = configs
        self._alerts = alerts
        self._findings = findings

    def routes(self) -> list[Route]:
        """The routes; they must stand before those with a monitor's id."""
        acknowledge = "{id}/_acknowledge/alerts"
        return [
            route(f"{BASE}/monitors/alerts", self.list_alerts, ["GET"], action=f"{OLD}/alerts/get"),
            route(f"{BASE}/workflows/alerts", self.list_chained, ["GET"], action=f"{NEW}/workflow_alerts/get"),
            route(f"{BASE}/monitors/{acknowledge}", self.acknowledge, ["POST"], action=f"{OLD}/alerts/ack"),
            route(
                f"{BASE}/workflows/{acknowledge}",
                self.acknowledge_chained,
                ["POST"],
                action=f"{OLD}/chained_alerts/ack",
            ),
            route(f"{BASE}/findings/_search", self.findings, ["GET"], action=f"{NEW}/findings/get"),
            route(f"{BASE}/destinations", self.destinations, ["GET"], action=f"{OLD}/destination/get"),
            route(f"{BASE}/v2/monitors", self.ppl_monitor, ["POST"], action=f"{OLD}/monitor/write"),
        ]

    async def list_alerts(self, request: Request) -> Response:
        """GET `monitors/alerts`: current and ended alerts; audit alerts only on demand."""
        allowed = {*TABLE, "severityLevel", "alertState", "monitorId", "workflowIds"}
        check_params(request, allowed)
        asked = request.query_params
        filters, must_not = _state_filters(request)
        if "monitorId" in asked:
            filters.append({"term": {"monitor_id": asked["monitorId"]}})
            if not asked.get("workflowIds"):
                filters.append({"term": {"workflow_id": ""}})
        if asked.get("workflowIds"):
            filters.append({"terms": {"workflow_id": [asked["workflowIds"]]}})
        found = await self._search(request, filters, must_not)
        return answer({"alerts": found[0], "totalAlerts": found[1]})

    async def list_chained(self, request: Request) -> Response:
        """GET `workflows/alerts`: chained alerts, with the alerts that they stand on if asked for."""
        allowed = {*TABLE, "severityLevel", "alertState", "workflowIds", "alertIds", "getAssociatedAlerts"}
        check_params(request, allowed)
        asked = request.query_params
        filters, _ = _state_filters(request)
        if asked.get("workflowIds"):
            filters.append({"terms": {"workflow_id": asked["workflowIds"].split(",")}})
            filters.append({"term": {"monitor_id": ""}})
        if asked.get("alertIds"):
            filters.append({"terms": {"_id": asked["alertIds"].split(",")}})
        alerts, total = await self._search(request, filters, [])
        associated: list[Json] = []
        if alerts and bool_param(request, "getAssociatedAlerts"):
            ids = [id_ for alert in alerts for id_ in alert["associated_alert_ids"]]
            hits = (await self._alerts.search({"size": len(ids), "query": {"terms": {"_id": ids}}}))["hits"]["hits"]
            associated = [Alert.of_hit(hit).shown() for hit in hits]
        return answer({"alerts": alerts, "associatedAlerts": associated, "totalAlerts": total})

    async def _search(self, request: Request, filters: list[Json], must_not: list[Json]) -> tuple[list[Json], int]:
        query: Json = {"bool": {"filter": filters, "must_not": must_not}}
        text = request.query_params.get("searchString", "").strip()
        if text:
            fields = ["monitor_name", "trigger_name"]
            query["bool"]["must"] = [{"query_string": {"query": text, "default_operator": "and", "fields": fields}}]
        body = {**_table(request, "monitor_name.keyword"), "query": query}
        hits = (await self._alerts.search(body))["hits"]
        total = hits["total"]["value"] if "total" in hits else 0
        return [Alert.of_hit(hit).shown() for hit in hits["hits"]], total

    async def acknowledge(self, request: Request) -> Response:
        """POST: acknowledge a monitor's alerts."""
        if await self._configs.get("monitor", request.path_params["id"]) is None:
            raise OpenSearchError(404, "resource_not_found_exception", "No monitor found with id [{}]")
        return await self._acknowledge(request, "monitor_id")

    async def acknowledge_chained(self, request: Request) -> Response:
        """POST: acknowledge a workflow's alerts."""
        if await self._configs.get("workflow", request.path_params["id"]) is None:
            raise status_error(404, "No workflow found with id")
        return await self._acknowledge(request, "workflow_id")

    async def _acknowledge(self, request: Request, field: str) -> Response:
        check_params(request, {"refresh"})
        body = await json_object(request, self._node)
        ids = body.get("alerts", [])
        if not ids:
            raise illegal_argument("You must provide at least one alert id.")
        return answer(await self._alerts.acknowledge(request.path_params["id"], ids, field))

    async def findings(self, request: Request) -> Response:
        """GET `findings/_search`: which documents matched which queries."""
        check_params(request, {*TABLE, "findingId"})
        filters: list[Json] = []
        if request.query_params.get("findingId"):
            filters.append({"term": {"_id": request.query_params["findingId"]}})
        query: Json = {"bool": {"filter": filters}}
        text = request.query_params.get("searchString", "").strip()
        if text:
            named = {
                "query_string": {"query": text, "default_operator": "and", "fields": ["queries.tags", "queries.name"]}
            }
            query["bool"]["should"] = [
                {"query_string": {"query": text}},
                {"nested": {"path": "queries", "query": named}},
            ]
            query["bool"]["minimum_should_match"] = 1
        return answer(await self._findings.search({**_table(request, "id"), "query": query}))

    async def destinations(self, request: Request) -> Response:
        """GET `destinations`: there are none since Notifications has channels."""
        check_params(request, TABLE | {"destinationType"})
        return answer({"totalDestinations": 0, "destinations": []})

    async def ppl_monitor(self, request: Request) -> Response:
        """POST `v2/monitors`: PPL monitors need the SQL plugin, which the dev cluster has not."""
        body = await json_object(request, self._node)
        if not body.get("ppl_monitor", {}).get("triggers"):
            raise invalid("Monitor must include at least 1 trigger.")
        raise invalid("PPL monitors need the SQL plugin, which this development cluster does not have.")


def _state_filters(request: Request) -> tuple[list[Json], list[Json]]:
    asked = request.query_params
    filters: list[Json] = []
    if asked.get("severityLevel", "ALL") != "ALL":
        filters.append({"term": {"severity": asked["severityLevel"]}})
    state = asked.get("alertState", "ALL")
    if state == "ALL":
        return filters, [{"term": {"state": AUDIT}}]
    return [*filters, {"term": {"state": state}}], []


def _table(request: Request, sort: str) -> Json:
    """Paging and order."""
    asked = request.query_params
    order: Json = {"order": asked.get("sortOrder", "asc").lower(), "unmapped_type": "keyword"}
    if asked.get("missing"):
        order["missing"] = asked["missing"]
    return {
        "sort": [{asked.get("sortString", sort): order}],
        "size": int_param(request, "size", 20),
        "from": int_param(request, "startIndex", 0),
    }
