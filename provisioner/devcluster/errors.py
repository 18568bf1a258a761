"""The one error that the dev cluster raises for anything a user can mend."""

from __future__ import annotations

from provisioner.errors import ProvisionerError


class DevClusterError(ProvisionerError):
    """What went wrong with the dev cluster and what to do about it, in whole sentences; exit code 2."""
