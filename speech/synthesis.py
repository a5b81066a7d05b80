"""Text → what a telephone plays: spoken form, voice, 8 kHz, even loudness.

`TORITSUGI_VOICE` names the engine of Japanese prompts, `open-jtalk` (default) or `kokoro`; `TORITSUGI_ENGLISH_VOICE`
that of English ones, `kokoro-en` (default where installed) or `espeak`. docs/adr/0004-prompts.md tells why.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from core.errors import ToritsugiError
from speech import audio, espeak, kokoro, open_jtalk
from speech.ports import Pcm, Synthesiser, Voice
from speech.spoken import spoken_text

RENDERING = 1
"""Raise it whenever the way from a wave to a prompt file changes: it is part of the cache key."""

VOICE_VARIABLE = "TORITSUGI_VOICE"
ENGLISH_VOICE_VARIABLE = "TORITSUGI_ENGLISH_VOICE"
ENGINES: Mapping[str, Synthesiser] = {
    open_jtalk.NAME: open_jtalk.OpenJTalk(),
    kokoro.NAME: kokoro.Kokoro(),
    kokoro.ENGLISH_NAME: kokoro.KokoroEnglish(),
    espeak.NAME: espeak.Espeak(),
}

_BEFORE_S, _AFTER_S = 0.12, 0.25
_JAPANESE_PEOPLE = (
    Voice(engine=open_jtalk.NAME, half_tone=-7.0, speed=1.0),
    Voice(engine=open_jtalk.NAME, half_tone=-3.0, speed=1.08),
    Voice(engine=open_jtalk.NAME, half_tone=2.0, speed=0.95),
    Voice(engine=open_jtalk.NAME, half_tone=-5.0, speed=0.92),
)
_JAPANESE_OPERATORS = (
    Voice(engine=open_jtalk.NAME, half_tone=0.0, speed=1.05),
    Voice(engine=open_jtalk.NAME, half_tone=-1.5, speed=1.0),
)
_ENGLISH_PEOPLE = ("jm_kumo", "jf_nezumi")
_ENGLISH_OPERATOR = "jf_tebukuro"
_ENGLISH_PROMPTS = "jf_gongitsune"
_PLAIN_ENGLISH = Voice(engine=espeak.NAME, speaker="en-us+f2", speed=0.9)


def _english(speaker: str, values: Mapping[str, str] | None = None) -> Voice:
    best = kokoro.ENGLISH_NAME if kokoro.installed() else espeak.NAME
    if _wanted(values, ENGLISH_VOICE_VARIABLE, best, (kokoro.ENGLISH_NAME, espeak.NAME)) == espeak.NAME:
        return _PLAIN_ENGLISH
    return Voice(engine=kokoro.ENGLISH_NAME, speaker=speaker, speed=0.9)


def _wanted(values: Mapping[str, str] | None, variable: str, default: str, allowed: tuple[str, ...]) -> str:
    wanted = (os.environ if values is None else values).get(variable) or default
    if wanted not in allowed:
        raise ToritsugiError(
            f"音声合成の名前ではありません: {wanted!r}", where=variable, cure=f"{' か '.join(allowed)} にする"
        )
    return wanted


def prompt_voice(language: str, values: Mapping[str, str] | None = None) -> Voice:
    """The voice of fixed prompts.

    Raises:
        ToritsugiError: `TORITSUGI_VOICE` or `TORITSUGI_ENGLISH_VOICE` names no engine.
    """
    if language != "ja":
        return _english(_ENGLISH_PROMPTS, values)
    return Voice(engine=_wanted(values, VOICE_VARIABLE, open_jtalk.NAME, (open_jtalk.NAME, kokoro.NAME)))


def dynamic_voice(language: str) -> Voice:
    """The voice of sentences made during a call: always the fast one."""
    return Voice(engine=open_jtalk.NAME) if language == "ja" else _PLAIN_ENGLISH


def citizen_voices(language: str) -> tuple[Voice, ...]:
    """Voices for simulated citizens, told apart by pitch, pace and, where kokoro is chosen, by speaker."""
    if language != "ja":
        return tuple(_english(speaker) for speaker in _ENGLISH_PEOPLE)
    if prompt_voice("ja").engine == kokoro.NAME:
        return tuple(Voice(engine=kokoro.NAME, speaker=name) for name in ("jm_kumo", *kokoro.SPEAKERS[1:4]))
    return _JAPANESE_PEOPLE


def operator_voices(language: str) -> tuple[Voice, ...]:
    """Voices for simulated operators; none of them is a citizen's."""
    if language != "ja":
        return (_english(_ENGLISH_OPERATOR),)
    if prompt_voice("ja").engine == kokoro.NAME:
        return (Voice(engine=kokoro.NAME, speaker=kokoro.SPEAKERS[0]),)
    return _JAPANESE_OPERATORS


def engine_of(voice: Voice) -> Synthesiser:
    """The engine that speaks `voice`.

    Raises:
        ToritsugiError: there is no such engine.
    """
    try:
        return ENGINES[voice.engine]
    except KeyError:
        raise ToritsugiError(
            f"音声合成の名前ではありません: {voice.engine!r}", cure=f"次のどれかにする: {', '.join(ENGINES)}"
        ) from None


def render(text: str, voice: Voice, *, language: str, readings: Mapping[str, str] | None = None) -> Pcm:
    """`text` as 8 kHz telephone audio: −20 dBFS while speaking, short silence at both ends.

    Raises:
        ToritsugiError: the text says nothing, or the engine cannot be had.
    """
    return render_spoken(spoken_text(text, language, readings), voice)


def render_spoken(spoken: str, voice: Voice) -> Pcm:
    """Like `render`, for text that is already in its spoken form."""
    wave, rate = engine_of(voice).synthesise(spoken, voice)
    voiced = audio.trim(audio.resample(wave, rate, audio.TELEPHONE_RATE), audio.TELEPHONE_RATE)
    if len(voiced) < audio.TELEPHONE_RATE // 20:
        raise ToritsugiError(
            "読み上げる言葉がありません", where=spoken[:40], cure="文言を書くか、読みを登録する"
        )
    even = audio.level(voiced, audio.TELEPHONE_RATE)
    return audio.to_pcm(audio.pad(even, audio.TELEPHONE_RATE, _BEFORE_S, _AFTER_S))
