"""The repository that the fault campaigns apply: every kind of object, in two versions."""

from __future__ import annotations

from clusters import SMALL, Repository

INDEX = """\
kind: component_template
id: extra
title: Settings beside
template: {settings: {index: {refresh_interval: %refresh%}}}
---
kind: component_template
id: codec
title: More settings beside
template: {settings: {index: {number_of_routing_shards: 4}}}
---
kind: index_template
id: %log%
title: Logs of this lane
log_type: %log%
schema: event
components: [common, extra, codec]
default_pipeline: normalize
final_pipeline: redaction
---
kind: data_stream
id: %log%
title: Logs of this lane
---
kind: ingest_pipeline
id: tag
title: Tag events
processors:
  - set: {field: tags, value: %tag%}
"""
RETENTION = """\
kind: retention
id: keep
title: Logs of this lane
log_type: %log%
hot: 30d
cold: 1y
compliance: [General]
rollover: {age: %rollover%, size: 30gb}
"""
CHANNELS = """\
kind: channel
id: hook
title: %hook%
type: webhook
url: %url%/hook
headers: {X-Key: "${env:FAULTLAB_KEY}"}
---
kind: channel
id: second
title: Another webhook
type: webhook
url: %url%/second
---
kind: channel
id: mail-server
title: Mail server
type: smtp
host: localhost
port: 19791
method: none
from: alerts@example.org
---
kind: channel
id: team
title: Team
type: email_group
recipients: [security@example.org]
---
kind: channel
id: mail
title: Mail to the team
type: email
sender: mail-server
groups: [team]
"""
WATCHED = """\
kind: rule
id: watched
title: %title%
description: Its alerts must live through everything.
severity: high
log_type: %log%
type: threshold
query: 'action:login_failed'
group_by: [source.ip, actor.username]
threshold: {count: %count%, within: 12h}
schedule: 1m
throttle: 15m
runbook: https://runbooks.example/watched
"""
MATCH = """\
kind: rule
id: %id%
title: %id%
description: Events that match.
severity: high
log_type: %log%
type: match
query: 'action:%id%'
schedule: 1m
runbook: https://runbooks.example/match
"""
RARE = """\
kind: rule
id: %id%
title: %id%
description: A monitor that one version has and the other has not.
severity: high
log_type: %log%
type: threshold
query: 'action:%id%'
group_by: [source.ip]
threshold: {count: 3, within: 5m}
schedule: 1m
runbook: https://runbooks.example/rare
"""
UNMARKED = """\
kind: raw
id: unmarked
resource: monitor
name: %owner%-unmarked
body:
  type: monitor
  name: %owner%-unmarked
  monitor_type: query_level_monitor
  enabled: false
  schedule: {period: {interval: 1, unit: DAYS}}
  inputs:
    - search:
        indices: ["%owner%-none*"]
        query: {size: 0, query: {match_all: {}}}
  triggers: []
---
kind: raw
id: unmarked-pipeline
resource: ingest_pipeline
name: %owner%-unmarked
body:
  description: Nobody can tell whose it is
  processors:
    - set: {field: a, value: b}
"""
"""Objects that bear no mark: after a kill, only the note in the state tells whose they are."""

VALUES = {
    1: {"refresh": "5s", "tag": "one", "rollover": "7d", "hook": "First", "title": "Watched", "count": "4"},
    2: {"refresh": "9s", "tag": "two", "rollover": "6d", "hook": "Second", "title": "Watched anew", "count": "3"},
}
"""Five objects differ: less than the 30 % that plans may change without being forced."""

ONLY_IN = {1: "rare-one", 2: "rare-two"}
"""A rule that each version alone has: every update deletes one object and creates another."""

BOTH = ("lockout", "sudo")


def files(version: int, owner: str, log_type: str, url: str) -> dict[str, str]:
    """The files of a version."""

    def filled(text: str, **more: str) -> str:
        for name, value in {**VALUES[version], "owner": owner, "log": log_type, "url": url, **more}.items():
            text = text.replace(f"%{name}%", value)
        return text

    rules = {f"rules/{id_}.yml": filled(MATCH, id=id_) for id_ in BOTH}
    rules[f"rules/{ONLY_IN[version]}.yml"] = filled(RARE, id=ONLY_IN[version])
    return {
        "templates/index/main.yml": filled(INDEX),
        "ilm/keep.yml": filled(RETENTION),
        "rules/channels.yml": filled(CHANNELS),
        "rules/severities.yml": SMALL.replace("channels: []", "channels: [hook]"),
        "rules/watched.yml": filled(WATCHED),
        "rules/unmarked.yml": filled(UNMARKED),
        **rules,
    }


def write(target: Repository, version: int, log_type: str, url: str) -> None:
    """Make the repository this version."""
    for id_ in ONLY_IN.values():
        (target.root / f"rules/{id_}.yml").unlink(missing_ok=True)
    target.write(files(version, target.owner, log_type, url))
