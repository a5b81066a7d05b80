"""The words of a stretch of speech, masked, and the times at which a secret is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from speech.ports import Word
from speech.redact import Span

UNSURE_BELOW = {"vosk": 0.6, "faster-whisper": 0.5}
"""Confidence under which a word is marked. Engines differ in what they mean by it: Vosk's is a posterior over its own
lattice and mostly near 1, Whisper's the product of the tokens' probabilities."""
_UNSURE_ELSEWHERE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenWord:
    """A word as it is kept: masked. Times are seconds from the start of the recording."""

    start_s: float
    end_s: float
    text: str
    confidence: float
    unsure: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Hidden:
    """A stretch in which a secret is said. Times are seconds from the start of the recording."""

    start_s: float
    end_s: float
    kind: str
    """A `speech.redact.Secret`."""


def unsure_below(engine: str) -> float:
    """The least confidence that needs no mark; `engine` begins with the engine's name."""
    return UNSURE_BELOW.get(engine.partition(" ")[0], _UNSURE_ELSEWHERE)


def text_of(words: Sequence[Word]) -> str:
    """What the words are together."""
    return "".join(word.text for word in words).strip()


def masked_words(
    words: Sequence[Word], spans: Sequence[Span], least: float
) -> tuple[tuple[SpokenWord, ...], tuple[Hidden, ...]]:
    """The words without their secrets, and when those were said: whole words, though a span may end inside one.

    Args:
        spans: places in `text_of(words)`.
        least: confidence below which a word is unsure.
    """
    joined = "".join(word.text for word in words)
    lead = len(joined) - len(joined.lstrip())
    kept: list[SpokenWord] = []
    hidden: list[Hidden] = []
    times: list[list[float]] = [[] for _ in spans]
    at = -lead
    for word in words:
        start, at = at, at + len(word.text)
        text, place = "", start
        for number, span in enumerate(spans):
            begin, end = max(span.start, start), min(span.end, at)
            if begin >= end:
                continue
            times[number] += [word.start_s, word.end_s]
            mask = span.secret.mask if span.first and begin == span.start else ""
            text += word.text[place - start : begin - start] + mask
            place = end
        text += word.text[place - start :]
        if text.strip():
            kept.append(
                SpokenWord(
                    start_s=round(word.start_s, 2),
                    end_s=round(word.end_s, 2),
                    text=text,
                    confidence=round(min(1.0, max(0.0, word.confidence)), 3),
                    unsure=word.confidence < least,
                )
            )
    for span, said in zip(spans, times, strict=True):
        if said:
            hidden.append(
                Hidden(start_s=round(min(said), 2), end_s=round(max(said), 2), kind=span.secret.value)
            )
    return tuple(kept), tuple(hidden)
