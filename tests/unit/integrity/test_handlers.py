"""Python's logging and structlog into a chain."""

import logging

import lab
import orjson
import pytest
import structlog

from provisioner.integrity import Chain, Options
from provisioner.integrity.handlers import ChainHandler, ChainProcessor
from provisioner.integrity.verify import verify


@pytest.fixture
def chain(tmp_path):
    with Chain(tmp_path / "a.jsonl", lab.KEYS, options=Options(fsync="never")) as made:
        yield made
    result = verify([tmp_path], lab.KEYS)
    assert result.intact, result.problems


def records(tmp_path):
    return [orjson.loads(line) for line in (tmp_path / "a.jsonl").read_bytes().splitlines()]


def test_log_records_become_events(chain, tmp_path):
    logger = logging.Logger("payroll")
    logger.addHandler(ChainHandler(chain, logging.INFO))
    logger.debug("not this one")
    logger.warning("Failed login of %s", "john", extra={"event": {"action": "login_failed", "tenant": "x"}})
    try:
        _ = 1 / 0
    except ZeroDivisionError:
        logger.exception("It broke")
    first, second = records(tmp_path)
    assert (first["message"], first["severity"], first["action"]) == ("Failed login of john", "warning", "login_failed")
    assert first["labels"] == {"tenant": "x"}
    assert first["context"] == {"application": "payroll"}
    assert second["severity"] == "high"
    assert "ZeroDivisionError" in second["labels"]["exception"]


def test_what_cannot_be_written_does_not_end_the_program(chain, capsys):
    handler = ChainHandler(chain)
    logger = logging.Logger("x")
    logger.addHandler(handler)
    logger.warning("%d", "no number")
    logger.warning("%d", 7)
    assert "--- Logging error ---" in capsys.readouterr().err


def test_structlog_events_are_signed_and_given_on(chain, tmp_path):
    shown = []

    def last(_, __, event):
        shown.append(event)
        raise structlog.DropEvent

    logger = structlog.wrap_logger(
        structlog.PrintLogger(), processors=[structlog.processors.add_log_level, ChainProcessor(chain), last]
    )
    logger.error("Export", action="data_export", actor={"username": "john"}, rows=7)
    (record,) = records(tmp_path)
    assert (record["message"], record["severity"], record["action"]) == ("Export", "high", "data_export")
    assert record["labels"] == {"rows": 7}
    assert shown[0]["rows"] == 7


def test_structlog_may_end_there(chain, tmp_path, capsys):
    logger = structlog.wrap_logger(structlog.PrintLogger(), processors=[ChainProcessor(chain, last=True)])
    logger.info("Only signed", logger="payroll")
    assert records(tmp_path)[0]["context"] == {"application": "payroll"}
    assert capsys.readouterr().out == ""
