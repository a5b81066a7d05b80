"""Which recogniser serves a language (`engine = "auto"`), looked up anew each time a model may have arrived."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum, unique
from pathlib import Path

from speech import whisper_engine
from speech.ports import Recogniser
from speech.vosk_engine import VoskRecogniser
from speech.whisper_engine import WhisperRecogniser

VOCABULARY: Mapping[str, Sequence[str]] = {
    "ja": (
        "マイナンバーカード", "マイナポータル", "電子証明書", "暗証番号", "交付通知書", "本人確認書類",
        "健康保険証", "公金受取口座", "生年月日", "委任状", "代理人", "住所変更", "再発行", "紛失",
        "受付番号", "予約", "市役所", "住民票", "運転免許証", "担当者",
        "粗大ごみ", "引っ越し", "害虫駆除", "生活保護", "戸籍謄本", "国民年金", "住民税", "印鑑登録",
    ),
}  # fmt: skip
"""Words of every municipal call centre; a profile adds its own. The last eight are what citizens ask a city about most
beside the card (docs/adr/0004-prompts.md)."""

_VOSK_NAME = re.compile(r"^vosk-model-(?P<small>small-)?(?P<language>[a-z]{2})(?:-[a-z-]*)?-[\d.]+")
_WHISPER_NAME = re.compile(r"^faster-whisper-")
_VOSK_CODES = {"cn": "zh", "jp": "ja", "kz": "kk", "ua": "uk", "vn": "vi"}


@unique
class EngineKind(StrEnum):
    """Who would transcribe."""

    VOSK = "vosk"
    WHISPER = "whisper"
    NO_MODEL = "no_model"


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineChoice:
    """What `auto` takes for a language, and why."""

    language: str
    kind: EngineKind
    model: Path | None
    reason: str


def vosk_models(folders: Iterable[Path]) -> dict[str, Path]:
    """Language → Vosk model folder: the first folder wins, then a full model before a small one."""
    best: dict[str, Path] = {}
    for folder in folders:
        here: dict[str, tuple[bool, Path]] = {}
        for path in sorted(folder.glob("vosk-model-*")) if folder.is_dir() else ():
            name = _VOSK_NAME.match(path.name)
            whole = (path / "am" / "final.mdl").is_file() or (path / "final.mdl").is_file()
            if name and whole:
                language = _VOSK_CODES.get(name["language"], name["language"])
                small = bool(name["small"])
                if language not in here or (here[language][0] and not small):
                    here[language] = (small, path)
        for language, (_, path) in here.items():
            best.setdefault(language, path)
    return best


def whisper_model(folders: Iterable[Path]) -> Path | None:
    """A whisper model folder, the first by folder and name."""
    for folder in folders:
        for path in sorted(folder.glob("faster-whisper-*")) if folder.is_dir() else ():
            if _WHISPER_NAME.match(path.name) and (path / "model.bin").is_file():
                return path
    return None


def choose(language: str, folders: Sequence[Path], engine: str = "auto") -> EngineChoice:
    """The engine for `language`.

    Args:
        engine: `auto`, or `vosk` or `whisper` to allow only that one.
    """
    if engine in ("auto", "vosk"):
        model = vosk_models(folders).get(language)
        if model:
            return EngineChoice(
                language=language, kind=EngineKind.VOSK, model=model, reason="Vosk のモデルがある"
            )
    if engine in ("auto", "whisper"):
        model = whisper_model(folders)
        if model and whisper_engine.installed():
            reason = "この言語の Vosk のモデルがないため、第二エンジンを使う"
            return EngineChoice(language=language, kind=EngineKind.WHISPER, model=model, reason=reason)
    return EngineChoice(
        language=language,
        kind=EngineKind.NO_MODEL,
        model=None,
        reason="モデルがない(./toritsugi models fetch)",
    )


class Engines:
    """Loaded recognisers. A model dropped into a folder takes over at the next call."""

    def __init__(
        self,
        folders: Sequence[Path],
        *,
        engine: str = "auto",
        vocabulary: Mapping[str, Sequence[str]] = VOCABULARY,
        threads: int = 1,
    ) -> None:
        """
        Args:
            folders: where models lie; earlier ones win.
            threads: cores for each recogniser.
        """
        self._folders, self._engine, self._threads = tuple(folders), engine, threads
        self._vocabulary = vocabulary
        self._loaded: dict[str, tuple[EngineChoice, Recogniser]] = {}

    def choice(self, language: str) -> EngineChoice:
        """What would serve `language` now."""
        return choose(language, self._folders, self._engine)

    def recogniser(self, language: str) -> Recogniser | None:
        """The recogniser for `language`, None while there is no model.

        Raises:
            ToritsugiError: the model is there and cannot be loaded.
        """
        choice = self.choice(language)
        if choice.model is None:
            return None
        held = self._loaded.get(language)
        if held and held[0] == choice:
            return held[1]
        recogniser: Recogniser = (
            VoskRecogniser(choice.model, language)
            if choice.kind is EngineKind.VOSK
            else WhisperRecogniser(
                choice.model,
                language,
                vocabulary=self._vocabulary.get(language, ()),
                threads=self._threads,
            )
        )
        self._loaded[language] = (choice, recogniser)
        return recogniser
