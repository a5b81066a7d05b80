"""Anchors of the audit (`services.audit.Anchor`): a file of lines outside the database."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

from core.errors import ToritsugiError
from services.audit import Anchor


class AnchorFile:
    """`audit-anchors.jsonl`: lines are added, never changed. Copy it to where the database's owner does not get."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, anchor: Anchor) -> None:
        """Write one line; it is on the disk when this returns."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(json.dumps(asdict(anchor), sort_keys=True) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def read(self) -> list[Anchor]:
        """All of them; none when there is no file.

        Raises:
            ToritsugiError: a line cannot be read.
        """
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        anchors = []
        for number, line in enumerate(lines, start=1):
            try:
                anchors.append(Anchor(**json.loads(line)))
            except (ValueError, TypeError):
                raise ToritsugiError(
                    "控えの行が読めません",
                    where=f"{self.path}:{number}",
                    cure="写しを取ってあれば、それと比べる",
                ) from None
        return anchors

    def last(self) -> Anchor | None:
        """The line that was written last."""
        found = self.read()
        return found[-1] if found else None
