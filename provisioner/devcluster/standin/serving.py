"""How the stand-in is served: one place for the process and for the tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import uvicorn


def server(app: Any, *, host: str, port: int, cert: Path | None = None, key: Path | None = None) -> uvicorn.Server:
    """An HTTP server for the application, HTTPS with a certificate and key. It stops at SIGTERM and SIGINT.

    It adds no header of its own: the node's `date` and `server`, or their absence, pass as they are.
    """
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        ssl_certfile=cert,
        ssl_keyfile=key,
        access_log=False,
        log_level="warning",
        lifespan="on",
        ws="none",
        server_header=False,
        date_header=False,
        # Clients keep connections and send on them after minutes, as the server itself allows.
        timeout_keep_alive=600,
        timeout_graceful_shutdown=5,
    )
    return uvicorn.Server(config)
