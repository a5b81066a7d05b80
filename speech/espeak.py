"""espeak-ng: English sentences on the spot, and English phonemes. The only importer of espeakng_loader.

The library is called through ctypes. It is GPL-3.0-or-later, comes as a wheel of its own, and is not part of what
this project distributes.
"""

from __future__ import annotations

import ctypes
import importlib
import threading
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from core.errors import ToritsugiError
from speech.ports import Voice, Wave

NAME = "espeak"
_RETRIEVAL = 1  # AUDIO_OUTPUT_RETRIEVAL: samples come to the callback, nothing is played
_UTF8, _POS_CHARACTER = 1, 1
_RATE, _PITCH = 1, 3  # espeak_PARAMETER
_WORDS_A_MINUTE, _MIDDLE_PITCH = 150, 50
_DONT_EXIT = 0x8000
_IPA_WITH_TIES = 0x02 | 0x80 | (ord("^") << 8)

_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(ctypes.c_char)
)


class _Library:
    """The library keeps one speaker's state for the whole process: one object, one lock."""

    def __init__(self) -> None:
        try:
            loader = importlib.import_module("espeakng_loader")  # untyped
        except ImportError as error:
            raise _missing() from error
        self._library = ctypes.CDLL(loader.get_library_path())
        data = str(loader.get_data_path()).encode()
        self.rate = int(self._library.espeak_Initialize(_RETRIEVAL, 0, data, _DONT_EXIT))
        if self.rate <= 0:
            raise _missing()
        self._blocks: list[np.ndarray[tuple[int], np.dtype[np.int16]]] = []
        self._library.espeak_TextToPhonemes.restype = ctypes.c_char_p
        self._callback = _Callback(self._collect)  # kept: ctypes does not hold it for the library
        self._library.espeak_SetSynthCallback(self._callback)

    def _collect(self, samples: ctypes._Pointer[ctypes.c_short], count: int, _events: object) -> int:
        if samples and count > 0:
            self._blocks.append(np.ctypeslib.as_array(samples, shape=(count,)).astype(np.int16))
        return 0

    def phonemes(self, text: str) -> list[str]:
        self._choose("en-us")
        rest = ctypes.c_char_p(text.encode())
        clauses = []
        while rest.value:
            said = self._library.espeak_TextToPhonemes(ctypes.byref(rest), _UTF8, _IPA_WITH_TIES)
            clauses.append((said or b"").decode())
        return clauses

    def _choose(self, speaker: str) -> None:
        if self._library.espeak_SetVoiceByName(speaker.encode()) != 0:
            raise ToritsugiError(f"espeak-ng にない声です: {speaker}", cure="例: en-us、en-us+m3、en-us+f4")

    def say(self, text: str, voice: Voice) -> Wave:
        self._choose(voice.speaker or "en-us")
        self._library.espeak_SetParameter(_RATE, round(_WORDS_A_MINUTE * voice.speed), 0)
        pitch = min(99, max(0, _MIDDLE_PITCH + round(5 * voice.half_tone)))
        self._library.espeak_SetParameter(_PITCH, pitch, 0)
        self._blocks = []
        encoded = text.encode()
        self._library.espeak_Synth(
            encoded, ctypes.c_size_t(len(encoded) + 1), 0, _POS_CHARACTER, 0, _UTF8, None, None
        )
        self._library.espeak_Synchronize()
        if not self._blocks:
            return np.zeros(0, dtype=np.float32)
        return np.concatenate(self._blocks).astype(np.float32) / np.float32(32768.0)


_lock = threading.Lock()
_loaded: list[_Library] = []


class Espeak:
    """English by formants: plain, about 0.01 CPU seconds for a second of sound."""

    name = NAME

    @property
    def version(self) -> str:
        try:
            return version("espeakng-loader")
        except PackageNotFoundError as error:
            raise _missing() from error

    def synthesise(self, text: str, voice: Voice) -> tuple[Wave, int]:
        with _lock:
            library = _library()
            return library.say(text, voice), library.rate


def phonemes(text: str) -> list[str]:
    """American English `text` in IPA, a string a clause; `^` ties the two signs of a diphthong or an affricate.

    Raises:
        ToritsugiError: espeak-ng cannot be had.
    """
    with _lock:
        return _library().phonemes(text)


def _library() -> _Library:
    if not _loaded:
        _loaded.append(_Library())
    return _loaded[0]


def _missing() -> ToritsugiError:
    return ToritsugiError(
        "英語音声合成 espeak-ng が使えません",
        where="espeakng-loader",
        cure="./toritsugi をもう一度実行して環境を作り直す",
    )
