"""The anchors of the audit that are written while the centre runs."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from pathlib import Path

from core.clock import Clock
from services.audit import Anchor, Head, signed
from storage.anchors import AnchorFile
from storage.database import Database

log = logging.getLogger(__name__)

ANCHOR_EVERY_S = 600.0
KEY = "audit"
"""Name of the secret that signs anchors."""


def anchor_path(home: Path) -> Path:
    """Where the anchors of an instance stand."""
    return home / "audit-anchors.jsonl"


class Anchoring:
    """Writes anchors for one node."""

    def __init__(self, database: Database, clock: Clock, *, file: AnchorFile, node: str, key: str) -> None:
        self._database, self._clock, self._file = database, clock, file
        self._node, self._key = node, key

    async def run(self) -> None:
        """For ever: an anchor whenever the audit has grown."""
        while True:
            try:
                await self.once()
            except Exception:
                log.exception("the audit could not be anchored; it is tried again")
            await asyncio.sleep(ANCHOR_EVERY_S)

    async def once(self) -> bool:
        """Anchor the end of the audit unless it is anchored; whether it was done."""
        async with self._database.reading() as unit:
            head = await unit.audit.head()
        last = self._file.last()
        if head.seq == 0 or (last is not None and last.seq >= head.seq):
            return False
        self._write(head.seq, head.hash, pruned=False)
        return True

    def pruned(self, head: Head) -> None:
        """For `services.retention.Retention(anchor=…)`: up to where entries are deleted."""
        if head.pruned_seq:
            self._write(head.pruned_seq, head.pruned_hash, pruned=True)

    def _write(self, seq: int, digest: str, *, pruned: bool) -> None:
        plain = Anchor(at=round(self._clock.epoch(), 3), node=self._node, seq=seq, hash=digest, pruned=pruned)
        self._file.add(replace(plain, signature=signed(plain, self._key)))
