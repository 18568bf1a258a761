"""How the demo fails."""

from __future__ import annotations

from provisioner.errors import ProvisionerError


class DemoError(ProvisionerError):
    """Something did not go as it must: the cluster is stopped, exit code 1."""

    exit_code = 1
