"""What is written down while the service runs: JSON lines on standard error, without anything personal."""

import logging
import sys
from typing import Any

import structlog

from timebank.core import settings

# One list, however often the logs are configured: a logger keeps the list that it was first used with.
PROCESSORS: list[structlog.typing.Processor] = [
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
    structlog.processors.JSONRenderer(ensure_ascii=False),
]


def configure_logs() -> None:
    """JSON lines: events and ids, no bodies, no headers, no query strings; the libraries' warnings too.

    Of a library's warning the logger and its place are told, not its words: they may quote a name or a number.
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
    """Writes what a library warns of as a line of our own."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
        structlog.get_logger().warning(
            "library", logger=record.name, at=f"{record.filename}:{record.lineno}", error=error
        )
