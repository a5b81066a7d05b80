"""Open JTalk: Japanese readings and the voice "mei". The only importer of pyopenjtalk.

The voice is CC-BY 3.0 (MMDAgent Project Team, Nagoya Institute of Technology): a product that plays it names them.
"""

from __future__ import annotations

import threading
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from core.errors import ToritsugiError
from speech.ports import Voice, Wave

NAME = "open-jtalk"
_lock = threading.Lock()


def reading(text: str) -> str:
    """How `text` is said, in katakana with long vowels as ー; signs stay as they are."""
    import pyopenjtalk  # a dictionary of 60 MB: loaded by the first who needs it

    with _lock:
        return str(pyopenjtalk.g2p(text, kana=True))


class OpenJTalk:
    """The voice "mei", in half tones and speeds. About 0.05 CPU seconds for a second of sound."""

    name = NAME

    @property
    def version(self) -> str:
        try:
            return version("pyopenjtalk-plus")
        except PackageNotFoundError as error:
            raise _missing() from error

    def synthesise(self, text: str, voice: Voice) -> tuple[Wave, int]:
        try:
            import pyopenjtalk
        except ImportError as error:
            raise _missing() from error
        with _lock:  # the HTS engine keeps speed and pitch between calls
            samples, rate = pyopenjtalk.tts(text, speed=voice.speed, half_tone=voice.half_tone)
        return np.asarray(samples, dtype=np.float32) / np.float32(32768.0), int(rate)


def _missing() -> ToritsugiError:
    return ToritsugiError(
        "日本語音声合成 Open JTalk が入っていません",
        where="pyopenjtalk-plus",
        cure="./toritsugi をもう一度実行して環境を作り直す",
    )
