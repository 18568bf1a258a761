"""A development cluster: the real OpenSearch server on this machine, without Docker."""
