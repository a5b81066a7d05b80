"""The engine's word as the desk hears it: told over the control socket, and read from the file when nobody tells."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from core.settings import Settings
from runtime.control_port import listen
from runtime.process import read_json, run_folder

log = logging.getLogger(__name__)

AGAIN_S = 0.5
"""Until the socket is tried again."""


class LiveFile:
    """The file that the engine writes twice a second; read again only when it changed."""

    def __init__(self, settings: Settings) -> None:
        self._path = run_folder(settings) / "live.json"
        self._stamp: tuple[int, int] | None = None
        self._told: Mapping[str, Any] = {}

    def read(self) -> Mapping[str, Any]:
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return self._told
        stamp = status.st_mtime_ns, status.st_ino
        if stamp != self._stamp:
            self._stamp, self._told = stamp, read_json(self._path)
        return self._told


class LiveFloor:
    """`services.desk_ports.LiveSource`. Every word carries the moment it was made at, so its age stays true whichever
    way it came."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._file = settings, LiveFile(settings)
        self._told: Mapping[str, Any] = {}
        self._hears = False
        self._news = asyncio.Event()

    def read(self) -> Mapping[str, Any]:
        if self._hears:
            return self._told
        kept = self._file.read()
        # What was told last may be newer than what a dead engine has left.
        return kept if kept.get("at", 0.0) >= self._told.get("at", 0.0) else self._told

    async def news(self, within_s: float) -> None:
        try:
            async with asyncio.timeout(within_s):
                await self._news.wait()
        except TimeoutError:
            return
        self._news.clear()

    async def run(self) -> None:
        silent = False
        while True:
            try:
                async for word in listen(self._settings):
                    self._told, self._hears, silent = word, True, False
                    self._news.set()
            except (OSError, ValueError) as problem:
                if not silent:
                    log.warning("the engine tells nothing (%s); its file is read instead", problem)
                silent = True
            self._hears = False
            await asyncio.sleep(AGAIN_S)
