"""Alerts as lines of our own log."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from services.alerting import Notice

log = logging.getLogger(__name__)
# An end is as much worth a line as a beginning, whatever level is asked for.
log.setLevel(logging.INFO)


class LogNotifier:
    """`services.alerting.Notifier` that cannot fail."""

    name = "log"

    async def send(self, notices: Sequence[Notice]) -> None:
        for notice in notices:
            level = logging.INFO if notice.what in ("cleared", "test") else logging.WARNING
            log.log(level, "%s %s", notice.title, " ".join(notice.lines))
