"""Our own audit: what each run of a command meant to do and how it ended, in an integrity chain.

The chain is a file of the user's own (`place`); its events fit the event schema (`events`) and go to the audit data
stream after an apply that wrote (`shipping`). docs/adr/0008-own-audit.md says why it is so.
"""

from provisioner.audit.trail import Trail

__all__ = ["Trail"]
