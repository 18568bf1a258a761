from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.devcluster.diagnosis import probable_reason, start_failure, tail


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (
            "BindHttpException[Failed to bind to 127.0.0.1:9250]; nested: BindException[Address already in use];",
            "--port",
        ),
        ("java.lang.OutOfMemoryError: Java heap space", "--heap 1g"),
        ("OpenJDK 64-Bit Server VM warning: ... error='Cannot allocate memory' (errno=12)", "too little memory"),
        ("java.io.IOException: No space left on device", "the disk is full"),
        ("java.lang.IllegalStateException: failed to obtain node locks, tried [/x/data]", "provisioner dev status"),
        ("cannot downgrade a node from version [3.5.0] to version [3.4.0]", "--delete"),
        ("java.lang.IllegalStateException: jar hell!", "two jars"),
        ("Plugin [x] was built for OpenSearch version 2.19.0 but version 3.4.0 is running", "does not fit"),
        ("Likely root cause: java.nio.file.AccessDeniedException: /x/bin", "may not read or write"),
        ("Unrecognized VM option 'UseFoo'", "this Java can't run it"),
    ],
)
def test_reasons(line: str, says: str) -> None:
    reason = probable_reason(["[2026-11-23][INFO] starting", line, "at a.b.C(D.java:1)"])
    assert reason is not None
    assert says in reason


def test_no_reason_is_invented() -> None:
    # Every start logs its Java options, among them one about memory.
    assert (
        probable_reason(["[INFO ][o.o.n.Node] [x] JVM arguments [-Xshare:auto, -XX:+ExitOnOutOfMemoryError]"]) is None
    )
    assert probable_reason(["[2026-11-23][INFO] started", "[WARN] max file descriptors is too low"]) is None


def test_the_end_of_a_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("".join(f"line {n}\n" for n in range(1000)))
    assert tail(log, 2) == ["line 998", "line 999"]
    assert tail(log, 0) == []
    assert tail(tmp_path / "missing", 5) == []
    log.write_text("ends without a newline")
    assert tail(log, 5) == ["ends without a newline"]


def test_a_start_failure_shows_reason_and_log(tmp_path: Path) -> None:
    log = tmp_path / "node.log"
    log.write_text("a\n\tat b.c.D(E.java:1) ~[?:?]\n\t... 6 more\nNo space left on device\n")
    message = start_failure("OpenSearch ended while starting", log)
    assert message.startswith("OpenSearch ended while starting. Probably the disk is full")
    assert message.endswith("  | a\n  | No space left on device")
    assert "is empty" in start_failure("OpenSearch ended while starting", tmp_path / "none")
