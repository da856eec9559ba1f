"""Logging: JSON lines on standard error, without personal data."""

import logging
import sys
from typing import Any

import structlog

from timebank.core import settings

# One list object for every call of `configure_logs`: a logger keeps the list from its first use.
PROCESSORS: list[structlog.typing.Processor] = [
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
    structlog.processors.JSONRenderer(ensure_ascii=False),
]


def configure_logs() -> None:
    """Log events and ids as JSON lines, without bodies, headers and query strings; warnings of libraries too.

    A library's warning is logged by logger and code location, without its message, which may quote personal data.
    """
    level: Any = getattr(logging, settings.current().log_level, logging.INFO)
    structlog.configure(
        processors=PROCESSORS,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, handlers=[Retold()], force=True)


class Retold(logging.Handler):
    """Writes a library's warning as a log line of ours, without its message."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
        structlog.get_logger().warning(
            "library", logger=record.name, at=f"{record.filename}:{record.lineno}", error=error
        )
