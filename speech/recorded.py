"""Recorded prompts that a city supplies in place of synthesised ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from core.errors import ToritsugiError
from speech.audio import TELEPHONE_RATE, active_level, from_pcm, open_recording

_SHORTEST_S, _LONGEST_S = 0.2, 180.0
_QUIETEST_DB = -45.0
_CURE = "8 kHz・16 ビット・モノラルの WAV にする(例: ffmpeg -i 元.wav -ar 8000 -ac 1 -sample_fmt s16 先.wav)"


class RecordedPromptRefused(ToritsugiError):
    """A supplied recording cannot be played to citizens as it is."""

    code = "speech.recorded_prompt_refused"


def check_recorded_prompt(path: Path) -> float:
    """The length of `path` in seconds, when it may be played as it is.

    Raises:
        AudioUnreadable: missing, empty or damaged.
        RecordedPromptRefused: wrong rate, width, channels or length, too quiet, or clipped.
    """
    recording = open_recording(path)
    where = str(path)
    info = soundfile.info(where)
    if (info.format, info.subtype) not in (("WAV", "PCM_16"), ("WAVEX", "PCM_16")):
        raise RecordedPromptRefused(
            f"WAV 16 ビットではありません: {info.format} {info.subtype}", where=where, cure=_CURE
        )
    if recording.rate != TELEPHONE_RATE:
        raise RecordedPromptRefused(f"{recording.rate} Hz です", where=where, cure=_CURE)
    if recording.channels != 1:
        raise RecordedPromptRefused(f"{recording.channels} チャンネルです", where=where, cure=_CURE)
    if not _SHORTEST_S <= recording.duration_s <= _LONGEST_S:
        raise RecordedPromptRefused(
            f"長さが {recording.duration_s:.1f} 秒です",
            where=where,
            cure=f"{_SHORTEST_S} 秒から {_LONGEST_S:.0f} 秒までにする",
        )
    wave = from_pcm(recording.read(0.0, recording.duration_s, TELEPHONE_RATE))
    if active_level(wave, TELEPHONE_RATE) < _QUIETEST_DB:
        raise RecordedPromptRefused(
            "音が小さすぎて聞こえません", where=where, cure="−20 dBFS 前後の音量で録音し直す"
        )
    if float(np.mean(np.abs(wave) > 0.999)) > 0.01:
        raise RecordedPromptRefused(
            "音が割れています", where=where, cure="音量を下げて録音し直す(−20 dBFS 前後)"
        )
    return recording.duration_s
