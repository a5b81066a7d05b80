"""A log file as a stream of facts, in batches to be stored together with the position they reach."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ledger.facts import Fact, Source
from telephony.disk.cel import translate_cel
from telephony.disk.errors import DamagedLine
from telephony.disk.queue_log import translate_queue_log
from telephony.disk.tail import Position, Tail

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Store `facts` and `position` in one transaction, then ask for the next."""

    facts: tuple[Fact, ...]
    position: Position | None
    lines: int
    """Lines read; 0 means nothing new."""
    damaged: int
    """Lines that could not be used; each is in our log with its place."""


class FactReader:
    """One followed log file.

    Args:
        kind: `cel` or `queue_log`; begins `Source.file`.
        node: Asterisk's systemname.
        start: the saved position, None to read everything there is.
    """

    def __init__(
        self,
        kind: str,
        path: Path,
        node: str,
        translate: Callable[[str, Source], Fact | None],
        start: Position | None,
    ) -> None:
        self._kind, self._path, self._node, self._translate = kind, path, node, translate
        self.tail = Tail(path, start)
        self.damaged = 0

    @property
    def kind(self) -> str:
        return self._kind

    def read(self, limit: int = 1000) -> Batch:
        """What has come since the last batch, at most `limit` lines. Does not wait."""
        facts: list[Fact] = []
        lines = self.tail.read(limit)
        damaged = 0
        for line in lines:
            source = Source(node=self._node, file=f"{self._kind}:{line.at.file}", offset=line.at.offset)
            try:
                fact = self._translate(line.text, source)
            except DamagedLine as exc:
                damaged += 1
                log.error("%s: damaged line at %s+%d: %s", self._path, line.at.file, line.at.offset, exc)
            else:
                if fact is not None:
                    facts.append(fact)
        self.damaged += damaged
        return Batch(facts=tuple(facts), position=self.tail.position, lines=len(lines), damaged=damaged)

    def close(self) -> None:
        self.tail.close()


def cel_reader(path: Path, node: str, start: Position | None = None) -> FactReader:
    return FactReader("cel", path, node, translate_cel, start)


def queue_log_reader(path: Path, node: str, start: Position | None = None) -> FactReader:
    return FactReader("queue_log", path, node, translate_queue_log, start)
