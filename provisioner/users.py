"""What else in the cluster uses an object: asked before it is deleted, only of those kinds that could use it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provisioner.kinds import monitor
from provisioner.mentions import mentions, pipelines
from provisioner.policycopies import managed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from provisioner.client import Client
    from provisioner.kinds import ResourceKind
    from provisioner.model import Body, Ref

_USERS = {
    "channel": ("monitor", "channel", "ism_policy"),
    "data_stream": ("monitor",),
    "component_template": ("index_template",),
    "index_template": ("data_stream",),
    "ingest_pipeline": ("index_template", "component_template", "ingest_pipeline"),
    "role": ("role_mapping", "user"),
}
"""Which kinds of objects can use one of this kind."""
_PIPELINE_SETTINGS = "/*/_settings/index.default_pipeline,index.final_pipeline"


def users(
    client: Client,
    kinds: Mapping[str, ResourceKind],
    refs: Collection[Ref],
    excluded: Collection[Ref],
    server_ids: Mapping[str, Ref],
) -> dict[Ref, tuple[str, ...]]:
    """What uses these, in words ("monitor Failed logins"); those that nothing uses are left out.

    Objects that are `excluded` count for nothing. But indices ask for their pipeline whatever their template says by
    now: all of them count, save those of a data stream among `refs`, which goes too. `server_ids` maps a server's id to
    kind and key: names of monitors are not unique.
    """
    look = _Look(client, kinds, frozenset(refs), frozenset(excluded), server_ids)
    found: dict[Ref, set[str]] = defaultdict(set)
    for ref, words in (*look.objects(), *look.workflows(), *look.indices(), *look.managed()):
        if ref in look.refs:
            found[ref].add(words)
    return {ref: tuple(sorted(words)) for ref, words in found.items()}


@dataclass(frozen=True, slots=True)
class _Look:
    """Each of these gives what uses what; nothing is read for a kind that nobody asked for."""

    client: Client
    kinds: Mapping[str, ResourceKind]
    refs: frozenset[Ref]
    excluded: frozenset[Ref]
    server_ids: Mapping[str, Ref]

    def keys(self, kind: str) -> set[str]:
        """Those of one kind that are asked for."""
        return {key for name, key in self.refs if name == kind}

    def objects(self) -> Iterator[tuple[Ref, str]]:
        """Other objects that bodies of theirs tie to it."""
        asked = {kind for kind, _ in self.refs}
        for name in sorted({user for kind in asked for user in _USERS.get(kind, ()) if user in self.kinds}):
            for live in self.kinds[name].all(self.client):
                ref = self.server_ids.get(live.server_id) if name == "monitor" else live.ref
                if ref not in self.excluded:
                    words = f"{name} {_title(name, live.key, live.body)}"
                    yield from ((used, words) for used in mentions(name, live.body, live.key))

    def workflows(self) -> Iterator[tuple[Ref, str]]:
        """A workflow names its monitors by the server's ids; deleting one of them is refused (403)."""
        if not self.keys("monitor") | self.keys("channel"):
            return
        for id_, workflow in monitor.workflows(self.client).items():
            if self.server_ids.get(id_) in self.excluded:
                continue
            for kind, key in mentions("workflow", workflow):
                used = self.server_ids.get(key, (kind, key)) if kind == "monitor" else (kind, key)
                yield used, f"workflow {workflow.get('name', '')}"

    def indices(self) -> Iterator[tuple[Ref, str]]:
        """An index refuses documents once its pipeline is gone. Of a data stream only the newest index takes any."""
        if not self.keys("ingest_pipeline"):
            return
        params = {"expand_wildcards": "open,closed,hidden", "flat_settings": "true"}
        found = self.client.get(_PIPELINE_SETTINGS, params=params) or {}
        streams = _streams(self.client) if found else {}
        newest = {indices[-1]: stream for stream, indices in streams.items()}
        older = {index for indices in streams.values() for index in indices[:-1]}
        for index, shown in found.items():
            stream = newest.get(index)
            if index in older or stream in self.keys("data_stream"):
                continue
            user = f"data_stream {stream}" if stream else f"index {index}"
            for setting, pipeline in pipelines(shown["settings"]):
                until = ", until it rolls over" if stream else ""
                yield ("ingest_pipeline", pipeline), f"{user} ({setting}{until})"

    def managed(self) -> Iterator[tuple[Ref, str]]:
        """Indices that ISM manages by a policy, but those of a data stream that is ours: they may lose it."""
        policies = self.keys("ism_policy")
        found = managed(self.client, policies) if policies else {}
        streams = _streams(self.client) if found else {}
        ours = {i for stream, named in streams.items() if ("data_stream", stream) in self.excluded for i in named}
        for policy, names in found.items():
            yield from ((("ism_policy", policy), f"index {index}") for index in names if index not in ours)


def _title(kind: str, key: str, body: Body) -> str:
    """Channels made by hand have ids that say nothing: their names do."""
    return str(body.get("name") or key) if kind == "channel" else key


def _streams(client: Client) -> dict[str, list[str]]:
    """All data streams and their indices, the newest last."""
    params = {"filter_path": "data_streams.name,data_streams.indices.index_name"}
    found = (client.get("/_data_stream", params=params) or {}).get("data_streams", [])
    return {item["name"]: [index["index_name"] for index in item["indices"]] for item in found}
