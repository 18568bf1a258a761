"""Role mappings of the security plugin: who has a role. A mapping's name is its role's, which must exist (404)."""

from __future__ import annotations

from provisioner.kinds._security import SecurityKind

KIND = SecurityKind("role_mapping", "rolesmapping")
