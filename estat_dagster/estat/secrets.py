"""Keeping the appId out of everything that is written: it travels in every URL, so it is scrubbed at the source."""

from __future__ import annotations

import logging
import re

APP_ID = re.compile(r"(appId(?:=|%3D))[^&\s\"'<>)]+", re.IGNORECASE)
HIDDEN = "***"

# The loggers that write URLs at DEBUG. A filter works only on the very logger that a record is made with.
URL_LOGGERS = ("urllib3.connectionpool", "urllib3.util.retry", "requests", "http.client")


def scrub(words: str) -> str:
    """Return the text without any appId value."""
    return APP_ID.sub(rf"\g<1>{HIDDEN}", words)


class _Scrubber(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if APP_ID.search(message):
            record.msg, record.args = scrub(message), ()
        return True


_SCRUBBER = _Scrubber()


def guard_loggers() -> None:
    """Make the HTTP libraries' loggers scrub the appId; calling it again changes nothing."""
    for name in URL_LOGGERS:
        logging.getLogger(name).addFilter(_SCRUBBER)
