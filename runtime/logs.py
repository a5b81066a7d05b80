"""Structured logs on stderr, one JSON object a line, every long run of digits masked.

A telephone's screen shows the caller; a log file does not need to.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from core.masking import mask_text


def _masked(_logger: Any, _name: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in fields.items():
        if isinstance(value, str) and key not in ("timestamp", "level", "logger"):
            fields[key] = mask_text(value)
    return fields


def set_up_logging() -> None:
    """Send the standard library's logging through structlog; level from `TORITSUGI_LOG` (default WARNING)."""
    level = logging.getLevelNamesMapping().get(os.environ.get("TORITSUGI_LOG", "").upper(), logging.WARNING)
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso"),
        structlog.processors.format_exc_info,
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _masked,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # aiosqlite and SQLAlchemy tell every statement with its values, and a telephone's password is one of them.
    for chatty in ("alembic", "panoramisk", "asyncio", "aiosqlite", "asyncpg", "sqlalchemy"):
        logging.getLogger(chatty).setLevel(max(level, logging.WARNING))
