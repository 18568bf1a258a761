"""`python -m provisioner.devcluster.standin`: run the stand-in until SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

from provisioner.devcluster.standin.app import build
from provisioner.devcluster.standin.node import Node, NodeTls
from provisioner.devcluster.standin.plugins import NAMES, assemble
from provisioner.devcluster.standin.serving import server


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line; exits with 2 and a sentence when it is wrong."""
    parser = argparse.ArgumentParser("provisioner.devcluster.standin", description=__doc__)
    parser.add_argument("--node", required=True, metavar="URL", help="the real node, as http(s)://host:port")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--plugins", default=",".join(NAMES), help="comma-separated (default %(default)s)")
    parser.add_argument(
        "--job-interval",
        type=float,
        default=300.0,
        metavar="SECONDS",
        help="how often ISM looks at every managed index (default %(default)s, as the real plugin)",
    )
    parser.add_argument("--tls-cert", type=Path, metavar="FILE", help="serve HTTPS with this certificate")
    parser.add_argument("--tls-key", type=Path, metavar="FILE")
    parser.add_argument("--node-ca", type=Path, metavar="FILE", help="the node's CA; callers must then authenticate")
    parser.add_argument("--node-client-cert", type=Path, metavar="FILE", help="the stand-in's own admin certificate")
    parser.add_argument("--node-client-key", type=Path, metavar="FILE")
    options = parser.parse_args(argv)
    options.plugins = [name for name in options.plugins.split(",") if name]
    unknown = [name for name in options.plugins if name not in NAMES]
    if unknown:
        parser.error(f"unknown plugin {', '.join(unknown)}: choose from {', '.join(NAMES)}")
    if bool(options.tls_cert) != bool(options.tls_key):
        parser.error("--tls-cert and --tls-key belong together")
    if options.node.startswith("https:") != bool(options.node_ca):
        parser.error("--node-ca and an https:// node belong together")
    if options.job_interval <= 0:
        parser.error("--job-interval must be more than 0 seconds")
    return options


async def serve(options: argparse.Namespace) -> None:
    """Wait for the node, then serve until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    tls = NodeTls(options.node_ca, options.node_client_cert, options.node_client_key) if options.node_ca else None
    node = Node(options.node, tls)
    plugins = assemble(node, options.plugins, job_interval=options.job_interval)
    app = build(node, plugins, authenticate=tls is not None)
    if not await _first(node.wait(), stop.wait()):
        await node.close()
        return
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.remove_signal_handler(number)
        # uvicorn stops cleanly at these and then raises them again for whoever handled them before: nobody must die.
        signal.signal(number, lambda _number, _frame: None)
    await server(app, host=options.host, port=options.port, cert=options.tls_cert, key=options.tls_key).serve()


async def _first(wanted: Coroutine[Any, Any, Any], other: Coroutine[Any, Any, Any]) -> bool:
    """Run both until one ends; whether that was `wanted`."""
    tasks = [asyncio.create_task(wanted), asyncio.create_task(other)]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    return tasks[0] in done


def main() -> int:
    """Run; 0 after a clean stop."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    asyncio.run(serve(arguments()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
