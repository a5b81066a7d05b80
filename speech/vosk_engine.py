"""Vosk, the first engine. The only importer of vosk."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from pathlib import Path

from core.errors import ToritsugiError
from speech.ports import RECOGNISER_RATE, Pcm, Word

_BLOCK = 8_000
_NO_SPACES = frozenset({"ja", "zh"})


class VoskRecogniser:
    """One model, one language. Calls from several threads wait for each other."""

    window_s = 60.0

    def __init__(self, model: Path, language: str) -> None:
        """
        Raises:
            ToritsugiError: the folder holds no model that Vosk can load.
        """
        import vosk  # 40 MB of library: loaded with the first model

        vosk.SetLogLevel(-1)
        self.name, self.language = f"vosk {vosk_version()} {model.name}", language
        try:
            self._model = vosk.Model(str(model))
        except Exception as error:  # Vosk raises bare Exception
            raise ToritsugiError(
                "Vosk のモデルを読めません",
                where=str(model),
                cure="フォルダを消して ./toritsugi models fetch を実行する",
            ) from error
        self._new = vosk.KaldiRecognizer
        self._lock = threading.Lock()

    def transcribe(self, pcm16k: Pcm) -> Sequence[Word]:
        with self._lock:
            recogniser = self._new(self._model, RECOGNISER_RATE)
            recogniser.SetWords(True)
            results = [
                recogniser.Result()
                for first in range(0, len(pcm16k), _BLOCK)
                if recogniser.AcceptWaveform(pcm16k[first : first + _BLOCK].tobytes())
            ]
            results.append(recogniser.FinalResult())
        return [self._word(found) for text in results for found in json.loads(text).get("result", ())]

    def _word(self, found: dict[str, float | str]) -> Word:
        text = str(found["word"])
        return Word(
            start_s=float(found["start"]),
            end_s=float(found["end"]),
            text=text if self.language in _NO_SPACES else f" {text}",
            confidence=float(found.get("conf", 1.0)),
        )


def vosk_version() -> str:
    """The installed library's version."""
    from importlib.metadata import version

    return version("vosk")
