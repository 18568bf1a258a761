"""The Alerting plugin: monitors, workflows, alerts, findings, and the schedule that runs them on the node.

How a monitor runs: `scheduler` (or `rest_execute`) calls `runner`, which picks `run_query`, `run_bucket` or `run_doc`;
these ask the node through `inputs`, judge by `painless`, `buckets` or `expressions`, send by `actions`, write `alerts`.
`parse_*` read what clients send; `forms` turns searches into the server's form.
"""

from __future__ import annotations

from starlette.routing import Route

from provisioner.devcluster.standin.alerting.actions import Actions
from provisioner.devcluster.standin.alerting.alert_store import AlertStore
from provisioner.devcluster.standin.alerting.clock import Clock
from provisioner.devcluster.standin.alerting.configs import Configs
from provisioner.devcluster.standin.alerting.findings import Findings
from provisioner.devcluster.standin.alerting.jobs import Jobs
from provisioner.devcluster.standin.alerting.model import Job, Period
from provisioner.devcluster.standin.alerting.rest_alerts import AlertApi
from provisioner.devcluster.standin.alerting.rest_execute import ExecuteApi
from provisioner.devcluster.standin.alerting.rest_monitors import MonitorApi
from provisioner.devcluster.standin.alerting.rest_workflows import WorkflowApi
from provisioner.devcluster.standin.alerting.run_query import Tools
from provisioner.devcluster.standin.alerting.run_workflow import run_workflow
from provisioner.devcluster.standin.alerting.runner import run_monitor
from provisioner.devcluster.standin.alerting.scheduler import Scheduler
from provisioner.devcluster.standin.node import Node
from provisioner.devcluster.standin.plugin import Notifier, SettingsReader


class AlertingPlugin:
    """Answers for the Alerting plugin; see `standin.plugin.Plugin`."""

    name = "alerting"

    def __init__(
        self, node: Node, notifier: Notifier, clock: Clock | None = None, settings: SettingsReader | None = None
    ) -> None:
        self._configs = Configs(node)
        self.clock = clock or Clock()
        alerts, findings = AlertStore(node, self.clock), Findings(node)
        actions = Actions(node, notifier, self.clock, settings)
        self._tools = Tools(node, self._configs, alerts, actions, findings, self.clock)
        self._scheduler = Scheduler(self._execute, self.clock)
        jobs = Jobs(node, self._configs, alerts, self._scheduler)
        monitors = MonitorApi(node, self._configs, alerts, jobs, self.clock)
        self._routes: list[Route] = [
            *AlertApi(node, self._configs, alerts, findings).routes(),
            *ExecuteApi(self._configs, self._tools, monitors).routes(),
            *monitors.routes(),
            *WorkflowApi(node, self._configs, jobs, monitors, self.clock).routes(),
        ]

    def routes(self) -> list[Route]:
        """The REST routes; those without an id come first."""
        return self._routes

    async def start(self) -> None:
        """Schedule every enabled job that is stored."""
        self._scheduler.load([job async for job in self._configs.jobs()])

    async def stop(self) -> None:
        """Stop the schedule and the runs under way."""
        await self._scheduler.stop()

    async def advance(self, to: int) -> None:
        """Go ahead to a time (ms), running what is due on the way: replays of recordings need not wait."""
        await self._scheduler.advance(to)

    async def _execute(self, job: Job, period: Period) -> None:
        if job.is_workflow:
            await run_workflow(job, period, self._tools, dryrun=False)
        else:
            await run_monitor(job, period, self._tools, dryrun=False)
