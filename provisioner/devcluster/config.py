"""What the server is told at its start: opensearch.yml, log4j2.properties and the Java command line. All pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from provisioner.devcluster.errors import DevClusterError

_HEAP = re.compile(r"([1-9]\d*)([mg])", re.IGNORECASE)
SMALLEST_HEAP = 128  # MB; 96 was the smallest that passed a whole proof run

LOG4J = """\
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%-5p][%-25c{1.}] [%node_name]%marker %m%n
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
"""

_JVM = (
    "-XX:+UseSerialGC",
    "-XX:+ExitOnOutOfMemoryError",
    "-XX:-OmitStackTraceInFastThrow",
    "-XX:-UsePerfData",
    "-Xss1m",
    "-Xshare:auto",
    "-Djava.awt.headless=true",
    "-Dfile.encoding=UTF-8",
    "-Djna.nosys=true",
    "-Dio.netty.noUnsafe=true",
    "-Dio.netty.noKeySetOptimization=true",
    "-Dio.netty.recycler.maxCapacityPerThread=0",
    "-Dio.netty.allocator.numDirectArenas=0",
    "-Dlog4j.shutdownHookEnabled=false",
    "-Dlog4j2.disable.jmx=true",
    # SPI lets icu4j answer where a trimmed Java has no locale data (Thai); a full Java answers by itself.
    "-Djava.locale.providers=CLDR,SPI",
    "-Dorg.apache.lucene.store.MMapDirectory.sharedArenaMaxPermits=1",
    "-Dopensearch.distribution.type=tar",
    "-Dopensearch.bundled_jdk=false",
    "--add-opens=java.base/java.nio=ALL-UNNAMED",
    "--enable-native-access=ALL-UNNAMED",
)

# A short-lived server spends most of its start compiling, and this halves it.
_FIRST_COMPILER_ONLY = "-XX:TieredStopAtLevel=1"


def heap_megabytes(heap: str) -> int:
    """Read a heap size such as `512m` or `1g`. Raises DevClusterError if it is none or too small."""
    match = _HEAP.fullmatch(heap)
    size = int(match[1]) * (1024 if match[2] in "gG" else 1) if match else 0
    if size < SMALLEST_HEAP:
        raise DevClusterError(f"--heap {heap}: give a size of {SMALLEST_HEAP}m or more, such as 512m or 1g.")
    return size


def java_command(
    java: Path, distribution: Path, home: Path, heap: int, archive: Sequence[str], *, optimize: bool = False
) -> list[str]:
    """The server's command line. `heap` is in megabytes; `archive` are the class-data options of this start; `optimize`
    lets Java's second compiler work too, as on any production server."""
    return [
        str(java),
        *_JVM,
        *(() if optimize else (_FIRST_COMPILER_ONLY,)),
        *archive,
        f"-Xms{heap}m",
        f"-Xmx{heap}m",
        f"-Djava.io.tmpdir={home / 'tmp'}",
        f"-Duser.home={home / 'tmp'}",
        f"-Dopensearch.path.home={distribution}",
        f"-Dopensearch.path.conf={home / 'config'}",
        "-cp",
        str(distribution / "lib" / "*"),
        "org.opensearch.bootstrap.OpenSearch",
    ]


def server_settings(name: str, home: Path, http_port: int, transport_port: int, *, secure: bool) -> Mapping[str, Any]:
    """The content of opensearch.yml: one node that listens on this machine's loopback address only."""
    settings: dict[str, Any] = {
        "cluster.name": f"provisioner-{name}",
        "node.name": name,
        "network.host": "127.0.0.1",
        "http.port": http_port,
        "transport.port": transport_port,
        "discovery.type": "single-node",
        "path.data": str(home / "data"),
        "path.logs": str(home / "logs"),
        "path.repo": [str(home / "snapshots")],
        # A laptop's disk is often fuller than 90 %; the server would then refuse to place a single shard.
        "cluster.routing.allocation.disk.threshold_enabled": False,
        # The breaker would count garbage, too, and only the G1 collector is asked to take that away: with ours, a node
        # whose heap is full of garbage refuses all requests (429), and so never collects it.
        "indices.breaker.total.use_real_memory": False,
    }
    return {**settings, **_SECURITY} if secure else settings


_SECURITY: Mapping[str, Any] = {
    "plugins.security.ssl.transport.pemcert_filepath": "node.pem",
    "plugins.security.ssl.transport.pemkey_filepath": "node-key.pem",
    "plugins.security.ssl.transport.pemtrustedcas_filepath": "ca.pem",
    "plugins.security.ssl.transport.enforce_hostname_verification": False,
    "plugins.security.ssl.http.enabled": True,
    "plugins.security.ssl.http.pemcert_filepath": "node.pem",
    "plugins.security.ssl.http.pemkey_filepath": "node-key.pem",
    "plugins.security.ssl.http.pemtrustedcas_filepath": "ca.pem",
    "plugins.security.authcz.admin_dn": ["CN=admin,O=provisioner-dev"],
    "plugins.security.nodes_dn": ["CN=node,O=provisioner-dev"],
    "plugins.security.allow_default_init_securityindex": True,
    "plugins.security.restapi.roles_enabled": ["all_access", "security_rest_api_access"],
}


def to_yaml(settings: Mapping[str, Any]) -> str:
    """Settings as the text of a YAML file."""
    return yaml.safe_dump(dict(settings), sort_keys=False)
