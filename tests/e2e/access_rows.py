"""What each of the shipped roles can do and can't: user, method, path, body. Site.named fills the names in."""

from __future__ import annotations

import json
from typing import Any

API = "/_plugins/_security/api"
EVENT = {
    "@timestamp": "2026-05-11T14:23:45.123Z",
    "category": "system",
    "action": "service_started",
    "severity": "info",
    "message": "as it was",
}
OTHER = json.dumps(EVENT | {"message": "changed"})

MONITOR = {
    "type": "monitor",
    "name": "x",
    "monitor_type": "query_level_monitor",
    "enabled": False,
    "schedule": {"period": {"interval": 1, "unit": "DAYS"}},
    "inputs": [{"search": {"indices": ["foreign-{ns}"], "query": {"query": {"match_all": {}}}}}],
    "triggers": [],
}
NOWHERE = MONITOR | {"inputs": [{"search": {"indices": ["provisioner-searches-nothing-*"], "query": {"size": 0}}}]}
CAN: list[tuple[str, str, str, Any]] = [
    ("writer", "POST", "/{stream}/_doc", EVENT),
    ("writer", "PUT", "/{stream}/_create/new", EVENT),
    ("writer", "PUT", "/{stream}/_doc/newer?op_type=create", EVENT),
    ("writer", "POST", "/{stream}/_bulk", f'{{"create": {{}}}}\n{json.dumps(EVENT)}\n'),
    ("writer", "POST", "/_bulk?pipeline=_none", f'{{"create": {{"_index": "{{stream}}"}}}}\n{json.dumps(EVENT)}\n'),
    ("writer", "GET", "/", None),
    ("writer", "GET", "/_cluster/health", None),
    ("analyst", "POST", "/{stream}/_search", {"query": {"match_all": {}}}),
    ("analyst", "GET", "/logs-*-{ns}/_search", None),
    ("analyst", "GET", "/{stream}/_search?scroll=1m", None),
    ("analyst", "GET", "/{backing}/_doc/one", None),
    ("analyst", "POST", "/_mget", {"docs": [{"_index": "{backing}", "_id": "one"}]}),
    ("analyst", "POST", "/_msearch", '{"index": "{stream}"}\n{}\n'),
    ("analyst", "GET", "/{stream}/_field_caps?fields=*", None),
    ("analyst", "POST", "/_plugins/_alerting/monitors/_search", {"query": {"match_all": {}}}),
    ("analyst", "GET", "/_plugins/_alerting/monitors/alerts", None),
    ("analyst", "GET", "/_plugins/_alerting/findings/_search", None),
    ("auditor", "GET", "/{audit}/_search", None),
    ("auditor", "GET", "/.provisioner-{owner}/_search", None),
    ("applier", "GET", "/{stream}/_search", None),  # rules search with the roles of whoever wrote them
    ("applier", "GET", "/provisioner-searches-nothing-*/_search", None),  # what drift --notify looks for
    ("applier", "POST", "/_plugins/_alerting/monitors/_execute?dryrun=true", NOWHERE),
]

BULK = f"\n{OTHER}\n"
SEQ = "if_seq_no=0&if_primary_term=1"
WRITE = [
    # Replace: as a document of the stream, in its backing index, with and without the number that allows it there.
    ("PUT", "/{stream}/_doc/one", OTHER),
    ("PUT", "/{stream}/_create/one", OTHER),
    ("PUT", f"/{{stream}}/_doc/one?{SEQ}", OTHER),
    ("PUT", f"/{{backing}}/_doc/one?{SEQ}", OTHER),
    ("PUT", f"/{{backing}}/_doc/one?{SEQ}&pipeline=_none", OTHER),
    ("PUT", f"/{{backing}}/_doc/one?{SEQ}&pipeline={{owner}}-sshd", OTHER),
    ("PUT", f"/%3C{{backing}}%3E/_doc/one?{SEQ}", OTHER),
    ("PUT", "/{backing}/_doc/one", OTHER),
    ("PUT", "/{backing}/_doc/one?version=99&version_type=external", OTHER),
    ("PUT", "/{backing}/_create/another", OTHER),
    ("POST", "/{stream}/_bulk", '{"index": {"_id": "one"}}' + BULK),
    ("POST", "/_bulk", '{"index": {"_index": "{stream}", "_id": "one", "if_seq_no": 0, "if_primary_term": 1}}' + BULK),
    ("POST", "/_bulk", '{"index": {"_index": "{backing}", "_id": "one", "if_seq_no": 0, "if_primary_term": 1}}' + BULK),
    (
        "POST",
        "/_bulk?pipeline=_none",
        '{"index": {"_index": "{backing}", "_id": "one", "if_seq_no": 0, "if_primary_term": 1}}' + BULK,
    ),
    ("POST", "/_bulk", '{"index": {"_index": "{backing}", "_id": "one"}}' + BULK),
    # Update
    ("POST", "/{stream}/_update/one", {"doc": {"message": "changed"}}),
    ("POST", "/{backing}/_update/one", {"doc": {"message": "changed"}}),
    ("POST", "/{backing}/_update/one", {"doc": EVENT, "doc_as_upsert": True}),
    ("POST", "/_bulk", '{"update": {"_index": "{backing}", "_id": "one"}}\n{"doc": {"message": "changed"}}\n'),
    ("POST", "/_bulk", '{"update": {"_index": "{backing}", "_id": "up"}}\n{"doc": {}, "doc_as_upsert": true}\n'),
    ("POST", "/{stream}/_update_by_query", {"script": {"source": "ctx._source.message = 'changed'"}}),
    # Delete
    ("DELETE", "/{stream}/_doc/one", None),
    ("DELETE", "/{backing}/_doc/one", None),
    ("DELETE", f"/{{backing}}/_doc/one?{SEQ}", None),
    ("POST", "/_bulk", '{"delete": {"_index": "{backing}", "_id": "one"}}\n'),
    ("POST", "/{stream}/_delete_by_query", {"query": {"match_all": {}}}),
    ("DELETE", "/_data_stream/{stream}", None),
    ("DELETE", "/{backing}", None),
    ("DELETE", "/logs-*-{ns}", None),
    # Everything around it
    ("PUT", "/{stream}/_mapping", {"properties": {"x": {"type": "keyword"}}}),
    ("PUT", "/{stream}/_settings", {"index.final_pipeline": "_none"}),
    ("PUT", "/{backing}/_settings", {"index.final_pipeline": "_none"}),
    ("PUT", "/{stream}/_settings", {"plugins.index_state_management.auto_manage": False}),
    ("POST", "/{stream}/_rollover", None),
    ("POST", "/{stream}/_close", None),
    ("POST", "/_aliases", {"actions": [{"add": {"index": "{backing}", "alias": "way-in"}}]}),
    ("POST", "/_reindex", {"source": {"index": "{stream}"}, "dest": {"index": "{stream}", "op_type": "create"}}),
    ("PUT", "/_data_stream/logs-more-{ns}", None),
    ("PUT", "/logs-system-elsewhere/_create/one", EVENT),
    ("POST", "/_bulk", '{"create": {"_index": "logs-system-elsewhere"}}' + BULK),
    ("PUT", "/foreign-{ns}/_create/two", EVENT),
    ("PUT", "/.provisioner-{owner}/_create/two", {"type": "release"}),
    ("PUT", "/_ingest/pipeline/{owner}-redaction", {"processors": []}),
    ("PUT", "/_index_template/{owner}-system", {"index_patterns": ["logs-system-*"]}),
    ("PUT", "/_component_template/{owner}-common", {"template": {}}),
    ("PUT", "/_scripts/x", {"script": {"lang": "painless", "source": "1"}}),
    ("PUT", "/_cluster/settings", {"persistent": {"cluster.max_shards_per_node": "1"}}),
    ("PUT", "/_cluster/settings", {"persistent": {"plugins.index_state_management.job_interval": 1}}),
    ("PUT", "/_plugins/_ism/policies/x", {"policy": {"description": "", "default_state": "a", "states": []}}),
    ("DELETE", "/_plugins/_ism/policies/{owner}-system", None),
    ("POST", "/_plugins/_ism/remove/{backing}", None),
    ("POST", "/_plugins/_alerting/monitors", MONITOR),
    ("POST", "/_plugins/_alerting/monitors/_execute?dryrun=true", MONITOR),
    ("DELETE", "/_plugins/_notifications/configs/{owner}-email", None),
    ("PUT", API + "/roles/{owner}-log-writer", {"cluster_permissions": ["*"]}),
    ("PUT", API + "/rolesmapping/all_access", {"users": ["{owner}-writer"]}),
    ("PUT", API + "/internalusers/x", {"password": "aA1!enough-for-the-plugin"}),
    ("PATCH", API + "/roles", [{"op": "remove", "path": "/{owner}-auditor"}]),
    ("DELETE", API + "/cache", None),
]
READ = [
    ("GET", "/{stream}/_search", None),
    ("GET", "/{backing}/_search", None),
    ("GET", "/_search", None),
    ("GET", "/logs-*/_search", None),
    ("GET", "/{stream}/_search?scroll=1m", None),
    ("POST", "/_search/scroll", {"scroll_id": "FGluY2x1ZGVfY29udGV4dF91dWlk"}),
    ("POST", "/{stream}/_search/point_in_time?keep_alive=1m", None),
    ("GET", "/_search/point_in_time/_all", None),
    ("POST", "/_msearch", '{"index": "{stream}"}\n{}\n'),
    ("GET", "/{stream}/_doc/one", None),
    ("GET", "/{backing}/_doc/one", None),
    ("GET", "/{backing}/_source/one", None),
    ("POST", "/_mget", {"docs": [{"_index": "{backing}", "_id": "one"}]}),
    ("GET", "/{backing}/_termvectors/one?fields=message", None),
    ("POST", "/{backing}/_explain/one", {"query": {"match_all": {}}}),
    ("GET", "/{stream}/_count", None),
    ("GET", "/{stream}/_field_caps?fields=*", None),
    ("GET", "/{stream}/_validate/query", None),
    ("GET", "/{stream}", None),
    ("GET", "/{stream}/_mapping", None),
    ("GET", "/{stream}/_stats", None),
    ("GET", "/_cat/indices", None),
    ("GET", "/_data_stream", None),
    ("GET", "/_ingest/pipeline", None),
    ("GET", "/.provisioner-{owner}/_search", None),
    ("GET", "/_plugins/_notifications/configs", None),
    ("GET", "/_plugins/_ism/policies", None),
    ("GET", "/_plugins/_alerting/monitors/alerts", None),
    ("POST", "/_plugins/_alerting/monitors/_search", {"query": {"match_all": {}}}),
    ("GET", API + "/internalusers", None),
]
NOT_FOR_APPLIER = [
    ("PUT", "/{stream}/_doc/one", OTHER),
    ("PUT", f"/{{backing}}/_doc/one?{SEQ}", OTHER),
    ("POST", "/{backing}/_update/one", {"doc": {"message": "changed"}}),
    ("POST", "/{stream}/_update_by_query", {"script": {"source": "ctx._source.message = 'changed'"}}),
    ("POST", "/{stream}/_delete_by_query", {"query": {"match_all": {}}}),
    ("POST", "/_search/scroll", {"scroll_id": "FGluY2x1ZGVfY29udGV4dF91dWlk"}),
    ("POST", "/{stream}/_search/point_in_time?keep_alive=1m", None),
    ("GET", "/foreign-{ns}/_search", None),
    ("GET", "/foreign-{ns}/_doc/one", None),
    ("PUT", "/foreign-{ns}/_doc/two", EVENT),
    ("DELETE", "/foreign-{ns}", None),
    ("DELETE", "/foreign-{ns}/_doc/one", None),
    ("PUT", "/foreign-{ns}/_settings", {"index.priority": 2}),
    ("DELETE", "/*", None),
    ("PUT", "/anything", None),
    ("PUT", "/_data_stream/logs-system-elsewhere", None),
    ("DELETE", "/.provisioner-{owner}", None),
    ("PUT", "/.provisioner-another/_doc/head", {"type": "head"}),
    ("PUT", "/_scripts/x", {"script": {"lang": "painless", "source": "1"}}),
    ("PUT", "/_cluster/settings", {"persistent": {"cluster.max_shards_per_node": "1"}}),
    ("PUT", "/_cluster/settings", {"persistent": {"plugins.index_state_management.job_interval": 1}}),
    ("PUT", "/_snapshot/x", {"type": "fs", "settings": {"location": "x"}}),
    ("POST", "/_plugins/_ism/remove/{backing}", None),
    ("POST", "/_plugins/_ism/change_policy/foreign-{ns}", {"policy_id": "{owner}-system"}),
    ("POST", "/_plugins/_alerting/monitors", MONITOR),
    ("POST", "/_plugins/_alerting/monitors/_execute?dryrun=true", MONITOR),
    ("POST", "/_plugins/_alerting/monitors/x/_acknowledge/alerts", {"alerts": ["x"]}),
    ("GET", "/_plugins/_alerting/monitors/x", None),
    ("GET", "/_plugins/_alerting/findings/_search", None),
    ("GET", "/_plugins/_notifications/feature/test/{owner}-email", None),
    ("GET", API + "/roles", None),
    ("PUT", API + "/roles/{owner}-provisioner", {"cluster_permissions": ["*"]}),
    ("PUT", API + "/rolesmapping/all_access", {"users": ["{owner}-applier"]}),
    ("PUT", API + "/internalusers/x", {"password": "aA1!enough-for-the-plugin"}),
]
AUDITOR_MAY = ("/.provisioner-{owner}/_search", "/_search/scroll")


def _of_audit(value: Any) -> Any:
    """The same for the audit trail, whose first event has the same id."""
    if not isinstance(value, str):
        return value
    return value.replace("{stream}", "{audit}").replace("{backing}", ".ds-{audit}-000001")


CANNOT: list[tuple[str, str, str, Any]] = [
    *(("writer", *row) for row in WRITE + READ),
    *(("analyst", *row) for row in WRITE),
    ("analyst", "PUT", "/{stream}/_create/mine", EVENT),
    ("analyst", "GET", "/.provisioner-{owner}/_search", None),
    ("analyst", "GET", "/foreign-{ns}/_search", None),
    ("analyst", "GET", "/_plugins/_notifications/configs", None),
    *(("auditor", *row) for row in WRITE),
    *(("auditor", *row) for row in READ if row[1] not in AUDITOR_MAY),
    *(("auditor", method, _of_audit(path), _of_audit(body)) for method, path, body in WRITE),
    ("auditor", "PUT", "/{audit}/_create/mine", EVENT),
    ("auditor", "PUT", "/{stream}/_create/mine", EVENT),
    *(("applier", *row) for row in NOT_FOR_APPLIER),
    *(("nobody", *row) for row in WRITE + READ),
]
