"""The city's prompts as the menu sees them: files by name and language, and sentences made on the spot."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

log = logging.getLogger(__name__)

ON_THE_SPOT_S = 3.0
"""A caller who listens to nothing for longer would think the line dead."""


class PromptFiles:
    """Serves `ivr.session.PromptCatalogue` from the sounds folder of one city."""

    def __init__(self, sounds: Path, city: str, speak: Callable[[str, str], Path] | None) -> None:
        """`speak(text, language)` makes a sentence and blocks; None where no synthesiser is installed."""
        self._sounds, self._city, self._speak = sounds, city, speak

    def path(self, language: str, name: str) -> str:
        return str(self._sounds / language / self._city / name)

    async def dynamic(self, text: str, language: str) -> str | None:
        if self._speak is None:
            return None
        try:
            async with asyncio.timeout(ON_THE_SPOT_S):
                made = await asyncio.to_thread(self._speak, text, language)
        except TimeoutError:
            log.warning("a sentence took longer than %.0f s to make", ON_THE_SPOT_S)
            return None
        return str(made.with_suffix(""))
