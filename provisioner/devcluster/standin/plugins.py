"""Which plugins there are, and how they are put together."""

from __future__ import annotations

from collections.abc import Collection

from provisioner.devcluster.standin.alerting import AlertingPlugin
from provisioner.devcluster.standin.ism.plugin import IsmPlugin
from provisioner.devcluster.standin.node import Node
from provisioner.devcluster.standin.notifications.plugin import NotificationsPlugin
from provisioner.devcluster.standin.plugin import Plugin
from provisioner.devcluster.standin.settings import ClusterSettings

NAMES = ("alerting", "notifications", "ism")


def assemble(node: Node, names: Collection[str], *, job_interval: float) -> list[Plugin]:
    """The plugins of these names, in start order: Notifications first, the others send through it.

    `job_interval`: seconds between two looks of ISM at a managed index.
    """
    settings = ClusterSettings(node)
    notifier = NotificationsPlugin(node, settings)
    plugins: list[Plugin] = [settings]
    if "notifications" in names:
        plugins.append(notifier)
    if "ism" in names:
        plugins.append(IsmPlugin(node, notifier, settings, job_interval))
    if "alerting" in names:
        plugins.append(AlertingPlugin(node, notifier, settings=settings))
    return plugins
