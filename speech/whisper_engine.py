"""faster-whisper, the second engine, for languages without a Vosk model. The only importer of faster_whisper."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

from core.errors import ToritsugiError
from speech.audio import from_pcm
from speech.invented import is_invented
from speech.ports import RECOGNISER_RATE, Pcm, Word

_SILENT, _UNSURE = 0.6, -1.0
_TOKENS, _TOKENS_A_SECOND = 30, 9.0
_TAIL_S = 0.7
_ECHO = 4


def installed() -> bool:
    """Whether the extra `whisper` is there."""
    return importlib.util.find_spec("faster_whisper") is not None


class WhisperRecogniser:
    """One model with the language forced. Calls from several threads wait for each other.

    Every call costs a whole 30 s window (about a CPU second for the base model), but accuracy falls when many
    sentences share a window: 15 s is the measured middle (docs/adr/0004-prompts.md).
    """

    window_s = 15.0

    def __init__(
        self, model: Path, language: str, *, vocabulary: Sequence[str] = (), threads: int = 1
    ) -> None:
        """
        Args:
            vocabulary: words to expect, most likely first; they steer spelling and halve the errors.
            threads: cores to use.

        Raises:
            ToritsugiError: the folder holds no model that faster-whisper can load.
        """
        from faster_whisper import WhisperModel  # half a second: loaded with the first model

        self.name, self.language = f"faster-whisper {_version()} {model.name}", language
        self._vocabulary = tuple(vocabulary)
        self._prompt = "、".join(vocabulary) + "。" if vocabulary else None
        try:
            self._model = WhisperModel(
                str(model), device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True
            )
        except (RuntimeError, OSError, ValueError) as error:
            raise ToritsugiError(
                "Whisper のモデルを読めません",
                where=str(model),
                cure="フォルダを消して ./toritsugi models fetch を実行する",
            ) from error
        self._lock = threading.Lock()

    def transcribe(self, pcm16k: Pcm) -> Sequence[Word]:
        length_s = len(pcm16k) / RECOGNISER_RATE
        with self._lock:
            found, _ = self._model.transcribe(
                from_pcm(pcm16k),
                language=self.language,
                beam_size=5,
                best_of=2,
                temperature=(0.0, 0.4),
                max_new_tokens=_TOKENS + round(_TOKENS_A_SECOND * length_s),
                condition_on_previous_text=False,
                initial_prompt=self._prompt,
                word_timestamps=True,
            )
            return list(self._believed(found, length_s))

    def _believed(self, found: Iterable[object], length_s: float) -> Iterable[Word]:
        before = ""
        for segment in found:
            text, start, end = segment.text, segment.start, segment.end  # type: ignore[attr-defined] # untyped
            silent = segment.no_speech_prob > _SILENT and segment.avg_logprob < _UNSURE  # type: ignore[attr-defined]
            echo = len(text.strip()) >= _ECHO and before.rstrip("。、.,!?！？ ").endswith(
                text.strip("。、.,!?！？ ")
            )
            believed = not silent and not echo and not is_invented(text, end - start, self._vocabulary)
            before = text
            for word in (segment.words or ()) if believed else ():  # type: ignore[attr-defined]
                yield Word(
                    start_s=float(word.start),
                    end_s=float(word.end),
                    text=str(word.word),
                    confidence=float(word.probability),
                )
            if end > length_s - _TAIL_S:
                # the library would decode the silence that is left: a second for an invented polite ending
                return


def _version() -> str:
    from importlib.metadata import version

    return version("faster-whisper")
