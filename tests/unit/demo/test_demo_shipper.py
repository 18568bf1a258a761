"""Reading a log, and how much of it the demo takes."""

from __future__ import annotations

import gzip
import pathlib
from datetime import UTC, datetime, timedelta

import pytest

from provisioner.demo import log, shipper, sshdlog
from provisioner.errors import ProvisionerError

NOW = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)


def test_lines_are_read_without_their_ends_and_whatever_their_bytes(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "auth.log"
    file.write_bytes(b"one\r\n\n  two\nb\xffad\nlast")
    assert list(shipper.read(file)) == ["one", "  two", "b\N{REPLACEMENT CHARACTER}ad", "last"]


def test_a_gzipped_log_is_known_by_its_content(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "auth.log.1"
    file.write_bytes(gzip.compress(b"one\ntwo\n"))
    assert list(shipper.read(file)) == ["one", "two"]


@pytest.mark.parametrize("content", [None, b"\x1f\x8bno gzip", gzip.compress(b"cut off" * 100, mtime=0)[:-9]])
def test_a_log_that_cannot_be_read_is_told_in_a_sentence(tmp_path: pathlib.Path, content: bytes | None) -> None:
    file = tmp_path / "auth.log"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ProvisionerError, match=r"auth\.log can't be read: "):
        list(shipper.read(file))


def test_a_users_log_is_counted_by_us(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "auth.log"
    made = sshdlog.generate(NOW)
    file.write_text("\n".join(made.lines))
    shipment = log.of_user(file, NOW)
    assert shipment.lines == made.lines
    assert shipment.expected.keys() == made.planted
    assert (shipment.left_out, shipment.own, shipment.secrets) == (0, True, ())


def test_only_the_newest_lines_of_a_huge_log_are_taken(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "MOST_LINES", 30)
    file = tmp_path / "auth.log"
    file.write_text("".join(f"Nov 23 15:00:{second:02d} web-1 cron[1]: {second}\n" for second in range(60)))
    shipment = log.of_user(file, NOW)
    assert (len(shipment.lines), shipment.left_out) == (30, 30)
    assert shipment.lines[-1].endswith(": 59")


def test_only_as_many_hours_are_taken_as_the_monitor_can_run_over(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "MOST_RUNS", 3)
    times = [NOW - timedelta(minutes=ago) for ago in range(10, 0, -1)]
    lines = [
        f"{sshdlog.stamp(at, 'rfc3339')} web-1 sshd[1]: Failed password for root from 192.0.2.1 port 2 ssh2"
        for at in times
    ]
    file = tmp_path / "auth.log"
    file.write_text("\n".join(lines))
    shipment = log.of_user(file, NOW)
    assert shipment.lines == tuple(lines[-3:])
    assert shipment.left_out == 7
