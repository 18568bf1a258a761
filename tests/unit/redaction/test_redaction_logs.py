"""Redaction in a program's own logging."""

import io
import logging

import structlog
from test_redaction_catalogue import SHIPPED

from provisioner.redaction import RedactingFilter, RedactingProcessor, Redactor

REDACTOR = Redactor(SHIPPED)


def logged(act):
    """What a handler with the filter writes."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    handler.addFilter(RedactingFilter(REDACTOR))
    logger = logging.Logger("test")
    logger.addHandler(handler)
    records = []
    handler.addFilter(lambda record: records.append(record) or True)
    act(logger)
    return stream.getvalue(), records


def test_arguments_extra_and_exceptions_are_redacted():
    def act(logger):
        try:
            raise ValueError("token=abcdef")
        except ValueError:
            logger.exception("login %s password=%s", "jane", "hunter2", extra={"api_key": "k", "user": "jane"})

    text, (record,) = logged(act)
    assert text.startswith("ERROR login jane password=[password_REDACTED]\nTraceback")
    assert "ValueError: token=[access_token_REDACTED]" in text
    assert (record.api_key, record.user) == ("[api_key_REDACTED]", "jane")
    assert "hunter2" not in str(vars(record))
    assert record.ingest["redacted"]["fields"] == ["api_key"]


def test_a_message_that_can_not_be_made_is_written_without_its_arguments():
    text, _ = logged(lambda logger: logger.info("password=%s pin %d", "hunter2", "x"))
    assert text == "INFO password=[password_REDACTED] pin %d\n"
    text, _ = logged(lambda logger: logger.warning("pin=1234 %d", "hunter2"))
    assert text == "WARNING pin=[password_REDACTED] %d\n"


def test_structlog():
    written = []

    def renderer(_logger, _method, event):
        written.append(event)
        raise structlog.DropEvent

    log = structlog.wrap_logger(None, processors=[RedactingProcessor(REDACTOR), renderer])
    log.info("login password=hunter2", client_secret="x", count=3)
    assert written == [
        {
            "event": "login password=[password_REDACTED]",
            "client_secret": "[api_key_REDACTED]",
            "count": 3,
            "ingest": {"redacted": {"detectors": ["api_key", "password"], "fields": ["client_secret", "event"]}},
        }
    ]
