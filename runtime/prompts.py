"""The city's prompts and sentences on the spot; the real work is `speech`'s."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from pathlib import Path

from core.errors import ToritsugiError
from core.settings import Settings
from services.city import CityProfile
from speech.prompt_cache import build_prompts, speak_dynamic
from speech.synthesis import dynamic_voice, render_spoken

log = logging.getLogger(__name__)


def cache_folder(settings: Settings) -> Path:
    """Shared by all instances of this installation: the same sentence is made once."""
    return settings.tools / "cache"


def build_city_prompts(settings: Settings, profile: CityProfile, say: Callable[[str], None]) -> None:
    """Make every fixed prompt of the city that is not there yet."""
    texts = {
        (language, name): text
        for language in profile.ivr.languages
        for name, text in profile.prompts.static(language).items()
        if text
    }
    # What a department hears before it gets a citizen: on which line they were.
    texts |= {("ja", f"op_line_{line.id}"): f"{line.name_ja}の件です。" for line in profile.acd.lines}

    def progress(done: int, of: int, name: str) -> None:
        if done == 1 or done == of or done % 10 == 0:
            say(f"音声案内を作っています {done}/{of} ({name})")

    build_prompts(
        texts,
        city=profile.city.id,
        out_dir=settings.sounds,
        cache_dir=cache_folder(settings),
        readings=profile.prompts.readings,
        overrides=settings.home / "recorded-prompts",
        on_progress=progress,
    )


def speaker(settings: Settings, profile: CityProfile) -> Callable[[str, str], Path]:
    """A function that says a sentence on the spot (blocking; call it in a thread)."""

    def speak(text: str, language: str) -> Path:
        return speak_dynamic(
            text, language, cache_dir=cache_folder(settings), readings=profile.prompts.readings
        )

    return speak


def warm_up(languages: Iterable[str]) -> None:
    """Load the synthesisers before the first caller needs one (blocking): that takes longer than a caller waits.

    What is said is thrown away: a sentence from the cache would load nothing.
    """
    for language in languages:
        try:
            render_spoken("準備ができました。" if language == "ja" else "Ready.", dynamic_voice(language))
        except (ToritsugiError, OSError) as problem:
            log.warning("no sentences on the spot in %s: %s", language, problem)
