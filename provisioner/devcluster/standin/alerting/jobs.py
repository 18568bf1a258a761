"""Changing jobs: what is stored, what is scheduled, and the alerts of what is gone, together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioner.devcluster.standin.alerting.alert_store import AlertStore
from provisioner.devcluster.standin.alerting.configs import Configs
from provisioner.devcluster.standin.alerting.errors import conflict, wrapped
from provisioner.devcluster.standin.alerting.model import DOC, Job, Json
from provisioner.devcluster.standin.alerting.run_doc import first_metadata
from provisioner.devcluster.standin.alerting.scheduler import Scheduler
from provisioner.devcluster.standin.errors import StandInError
from provisioner.devcluster.standin.node import Node
from provisioner.devcluster.standin.store import Stored

# Who wrote a job: without the security plugin, nobody. It is stored, and never shown.
NOBODY: Json = {
    "name": "",
    "backend_roles": [],
    "roles": [],
    "user_requested_tenant": None,
    "user_requested_tenant_access": None,
    "custom_attribute_names": [],
}


class Jobs:
    """Create, update and delete monitors and workflows."""

    def __init__(self, node: Node, configs: Configs, alerts: AlertStore, scheduler: Scheduler) -> None:
        self._node = node
        self._configs = configs
        self._alerts = alerts
        self._scheduler = scheduler

    async def create(self, kind: str, form: Json) -> tuple[Job, Stored]:
        """Store and schedule a new job."""
        stored = await self._configs.put(kind, None, {**form, "user": NOBODY})
        job = Job(stored.id, stored.version, form)
        if job.monitor_type == DOC:
            await first_metadata(job, self._node, self._configs)
        self._scheduler.put(job)
        return job, stored

    async def update(self, kind: str, current: Job, form: Json, tokens: Mapping[str, Any]) -> tuple[Job, Stored]:
        """Store and schedule a job's new form; alerts of triggers that are gone end.

        Raises:
            OpenSearchError: 409 when the tokens are stale.
        """
        try:
            stored = await self._configs.put(kind, current.id, {**form, "user": NOBODY}, **tokens)
        except StandInError as error:
            raise (conflict(str(error.body["error"]["reason"])) if error.status == 409 else wrapped(error)) from None
        job = Job(stored.id, stored.version, form)
        self._scheduler.put(job)
        await self._scheduler.settled(job.id)
        await self._alerts.move_lost(f"{kind}_id", job.id, [trigger.id for trigger in job.triggers])
        return job, stored

    async def delete(self, field: str, id_: str) -> int:
        """Unschedule and delete a job and end its alerts; the version of the deletion.

        `field`: `monitor_id` or `workflow_id`.
        """
        self._scheduler.drop(id_)
        await self._scheduler.settled(id_)
        version = await self._configs.delete(id_)
        await self._alerts.move_lost(field, id_, None)
        return version
