"""Integrity: an append-only log whose records are chained and signed, its checkpoints, and its verifier.

The format stands in docs/integrity.md. `Chain` writes, `verify.verify` checks.
"""

from provisioner.integrity.chain import Chain, Options
from provisioner.integrity.keys import KeyRing

__all__ = ["Chain", "KeyRing", "Options"]
