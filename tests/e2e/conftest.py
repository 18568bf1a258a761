"""What the tests on a real cluster share."""

from pack_cluster import pack, pack_url

__all__ = ["pack", "pack_url"]
