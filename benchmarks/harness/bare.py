"""The bare peer, as a child process: `harness.bare RESULT REQUESTS`. Requests sent by opensearch-py, and nothing else.

REQUESTS is JSON: `host`, `parallel`, and `levels`, each a list of [method, path, parameters, body]. Those of a level
are sent at once, as many as `parallel` says; the next level waits for them. Every answer is decoded and kept. RESULT
tells as that of `harness.command`; the first connection counts, the import does not.
"""

from __future__ import annotations

import json
import pathlib
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import opensearchpy

from harness.memory import peak


def main() -> None:
    """Send them all."""
    result, file = map(pathlib.Path, sys.argv[1:3])
    wanted = json.loads(file.read_text(encoding="utf-8"))
    parallel = wanted["parallel"]
    transport = opensearchpy.OpenSearch([wanted["host"]], pool_maxsize=parallel, timeout=60, max_retries=0).transport

    def send(request: list[object]) -> object:
        method, path, params, body = request
        return transport.perform_request(method, path, params=params, body=body)

    started = time.perf_counter()
    if parallel == 1:
        answers = [[send(request) for request in level] for level in wanted["levels"]]
    else:
        with ThreadPoolExecutor(parallel) as pool:
            answers = [list(pool.map(send, level)) for level in wanted["levels"]]
    seconds = time.perf_counter() - started
    count = sum(map(len, answers))
    told = {"seconds": {"requests": seconds}, "peak": peak(), "count": count}
    result.write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main()
