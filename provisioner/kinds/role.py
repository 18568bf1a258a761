"""Roles of the security plugin: what somebody may do."""

from __future__ import annotations

from provisioner.kinds._security import SecurityKind

KIND = SecurityKind("role", "roles")
