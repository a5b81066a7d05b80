"""Which engine serves a language, from what lies in the models folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from speech import whisper_engine
from speech.engines import EngineKind, Engines, choose, vosk_models

pytestmark = pytest.mark.unit


def vosk(folder: Path, name: str) -> Path:
    (folder / name / "am").mkdir(parents=True)
    (folder / name / "am" / "final.mdl").touch()
    return folder / name


def whisper(folder: Path) -> Path:
    (folder / "faster-whisper-base").mkdir(parents=True)
    (folder / "faster-whisper-base" / "model.bin").touch()
    return folder / "faster-whisper-base"


@pytest.fixture(autouse=True)
def whisper_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whisper_engine, "installed", lambda: True)


def test_nothing_there(tmp_path: Path) -> None:
    choice = choose("ja", [tmp_path, tmp_path / "none"])
    assert (choice.kind, choice.model) == (EngineKind.NO_MODEL, None)
    assert Engines([tmp_path]).recogniser("ja") is None


def test_whisper_stands_in_and_a_dropped_vosk_model_takes_over(tmp_path: Path) -> None:
    model = whisper(tmp_path)
    vosk(tmp_path, "vosk-model-small-en-us-0.15")
    engines = Engines([tmp_path])
    assert (engines.choice("ja").kind, engines.choice("ja").model) == (EngineKind.WHISPER, model)
    assert engines.choice("en").kind is EngineKind.VOSK
    japanese = vosk(tmp_path, "vosk-model-small-ja-0.22")
    assert (engines.choice("ja").kind, engines.choice("ja").model) == (EngineKind.VOSK, japanese)


def test_without_the_extra_whisper_serves_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whisper(tmp_path)
    monkeypatch.setattr(whisper_engine, "installed", lambda: False)
    assert choose("ja", [tmp_path]).kind is EngineKind.NO_MODEL


def test_one_engine_can_be_forced(tmp_path: Path) -> None:
    whisper(tmp_path)
    vosk(tmp_path, "vosk-model-ja-0.22")
    assert choose("ja", [tmp_path], "whisper").kind is EngineKind.WHISPER
    assert choose("ja", [tmp_path], "vosk").kind is EngineKind.VOSK
    assert choose("ko", [tmp_path], "vosk").kind is EngineKind.NO_MODEL


def test_a_full_model_wins_over_a_small_one_and_settings_over_all(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "settings", tmp_path / "state"
    vosk(theirs, "vosk-model-small-ja-0.22")
    full = vosk(theirs, "vosk-model-ja-0.22")
    assert vosk_models([ours, theirs]) == {"ja": full}
    chosen = vosk(ours, "vosk-model-small-ja-0.22")
    assert vosk_models([ours, theirs]) == {"ja": chosen}


def test_half_a_model_is_none(tmp_path: Path) -> None:
    (tmp_path / "vosk-model-small-ja-0.22" / "am").mkdir(parents=True)
    (tmp_path / "faster-whisper-base").mkdir()
    assert choose("ja", [tmp_path]).kind is EngineKind.NO_MODEL


def test_models_of_other_names_speak_their_language(tmp_path: Path) -> None:
    vosk(tmp_path, "vosk-model-small-cn-0.22")
    vosk(tmp_path, "vosk-model-en-us-0.22-lgraph")
    assert set(vosk_models([tmp_path])) == {"zh", "en"}
