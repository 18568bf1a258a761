"""Internal users of the security plugin.

The password is write-only: the server shows an empty `hash`. Whether it is still the one that was sent can't be seen,
so a password changed in the cluster is no drift; one changed here is noticed by its reference's fingerprint.
"""

from __future__ import annotations

from provisioner.kinds._security import SecurityKind
from provisioner.secretplaces import PLACES

KIND = SecurityKind("user", "internalusers", PLACES["user"], ("hash", "password"))
