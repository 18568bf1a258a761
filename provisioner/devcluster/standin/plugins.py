"""Which plugins there are, and how they are put together."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Collection
from typing import Any

from provisioner.devcluster.standin.node import Node
from provisioner.devcluster.standin.plugin import Plugin

NAMES = ("alerting", "notifications", "ism")


def assemble(node: Node, names: Collection[str], *, job_interval: float) -> list[Plugin]:
    """The plugins of these names, in start order: Notifications first, the others send through it.

    `job_interval`: seconds between two looks of ISM at a managed index.
    """
    package = "provisioner.devcluster.standin"
    plugins: list[Plugin] = []
    notifier: Any = None
    if importlib.util.find_spec(f"{package}.notifications.plugin"):
        notifier = importlib.import_module(f"{package}.notifications.plugin").NotificationsPlugin(node)
        plugins.append(notifier)
    if "ism" in names and importlib.util.find_spec(f"{package}.ism.plugin"):
        plugins.append(importlib.import_module(f"{package}.ism.plugin").IsmPlugin(node, notifier, job_interval))
    if "alerting" in names and importlib.util.find_spec(f"{package}.alerting"):
        plugins.append(importlib.import_module(f"{package}.alerting").AlertingPlugin(node, notifier))
    return plugins
