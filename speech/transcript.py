"""A recording's two sides → one transcript: gated, recognised, put in order, masked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from core.errors import ToritsugiError
from speech.audio import AudioProblem, AudioUnreadable, open_recording
from speech.gate import MARGIN_S, spoken_stretches
from speech.invented import FASTEST
from speech.jobs import JobState, TranscriptionJob
from speech.kana import reading
from speech.packing import Piece, Plan, chunk_audio, plan_chunks
from speech.ports import Recogniser, Word
from speech.redact import Turn, find_secrets, masked_text
from speech.words import Hidden, SpokenWord, masked_words, text_of, unsure_below

CITIZEN, LINE = "citizen", "line"
_PAUSE_S, _LONGEST_S = 0.8, 12.0
_WAIT_FOR_SIDE = 3
_GOES_ON = "…"
"""All of a stretch belongs to a secret whose mask stands in an earlier one."""
_MUSIC_S, _MUSIC_REST_S = 8.0, 1.5
_SENTENCE_ENDS = ("。", "？", "！", "?", "!", ".")


class RecogniserSource(Protocol):
    """Where a transcript's recogniser comes from; `speech.engines.Engines` is one."""

    def recogniser(self, language: str) -> Recogniser | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptSegment:
    """What one side said without a pause. Times are seconds from the start of the recording."""

    side: str
    """`citizen` (what the citizen says) or `line` (what the citizen hears)."""
    start_s: float
    end_s: float
    text: str
    """Masked; `…` where all of it belongs to a secret that began before."""
    kana: str
    """Reading of the masked text; empty for languages other than Japanese."""
    confidence: float
    words: tuple[SpokenWord, ...] = ()
    """Masked, with their times and confidence."""
    hidden: tuple[Hidden, ...] = ()
    """When a secret was said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """What is kept of a recording's words."""

    base: str
    language: str
    state: JobState
    """`done`, `empty`, `damaged` or `no_model`."""
    reason: str = ""
    engine: str = ""
    duration_s: float = 0.0
    """Length of the longer side."""
    spoken_s: float = 0.0
    """Seconds of speech, both sides together."""
    segments: tuple[TranscriptSegment, ...] = ()
    """In order of time."""
    holds: tuple[tuple[float, float], ...] = ()
    """Where the citizen heard music and nobody spoke: seconds from the start of the recording."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a recogniser gave for one stretch: not masked, and never kept."""

    side: str
    words: tuple[Word, ...]

    @property
    def start_s(self) -> float:
        return self.words[0].start_s

    @property
    def end_s(self) -> float:
        return self.words[-1].end_s


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    heard: tuple[Heard, ...] = ()
    duration_s: float = 0.0
    spoken_s: float = 0.0
    wordless: tuple[tuple[float, float], ...] = ()
    problem: AudioProblem | None = None
    reason: str = ""


def transcribe_recording(job: TranscriptionJob, engines: RecogniserSource) -> Transcript:
    """The transcript of `job`. A side that gives no audio is told in `reason`; the other one still counts.

    Raises:
        ToritsugiError: a file is missing (it may come yet; after two tries the other side goes alone), or a model
            cannot be loaded: worth another try.
    """
    recogniser = engines.recogniser(job.language)
    if recogniser is None:
        return Transcript(
            base=job.base, language=job.language, state=JobState.NO_MODEL, reason="この言語のモデルがない"
        )
    sides = [
        _transcribe_side(side, path, recogniser, job.ranges)
        for side, path in ((CITIZEN, job.citizen_path), (LINE, job.line_path))
    ]
    missing = [side for side in sides if side.problem is AudioProblem.MISSING]
    if missing and (len(missing) == len(sides) or job.attempts < _WAIT_FOR_SIDE):
        raise ToritsugiError(missing[0].reason, cure="録音の保存先を確かめる")
    return Transcript(
        base=job.base,
        language=job.language,
        state=_state(sides),
        reason="、".join(side.reason for side in sides if side.reason),
        engine=recogniser.name,
        duration_s=max(side.duration_s for side in sides),
        spoken_s=sum(side.spoken_s for side in sides),
        segments=masked([each for side in sides for each in side.heard], job.language, recogniser.name),
        holds=sides[1].wordless,
    )


def _state(sides: Sequence[_Side]) -> JobState:
    problems = [side.problem for side in sides]
    if None in problems:
        return JobState.DONE
    return JobState.DAMAGED if AudioProblem.DAMAGED in problems else JobState.EMPTY


def _transcribe_side(
    side: str, path: Path, recogniser: Recogniser, ranges: Sequence[tuple[float, float]]
) -> _Side:
    try:
        recording = open_recording(path)
        found = spoken_stretches(recording, ranges)
        heard: list[Heard] = []
        for plan in plan_chunks(found, recogniser.window_s):
            words = recogniser.transcribe(chunk_audio(recording, plan))
            told = (Heard(side=side, words=tuple(group)) for group in _sentences(words, plan))
            heard += [each for each in told if not _too_quick(each)]
    except AudioUnreadable as error:
        return _Side(problem=error.problem, reason=f"{path.name}: {error.message}")
    return _Side(
        heard=tuple(heard),
        wordless=wordless([(s.start_s, s.end_s) for s in found], [(h.start_s, h.end_s) for h in heard]),
        duration_s=recording.duration_s,
        spoken_s=sum(stretch.length_s for stretch in found),
    )


def wordless(
    sounds: Sequence[tuple[float, float]], spoken: Sequence[tuple[float, float]]
) -> tuple[tuple[float, float], ...]:
    """Stretches of sound, eight seconds and longer, in which no word was heard: music.

    Args:
        sounds: where there is sound, in order and apart.
        spoken: where words were heard.
    """
    joined: list[tuple[float, float]] = []
    for start, end in sounds:
        if joined and start - joined[-1][1] < _MUSIC_REST_S:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    found: list[tuple[float, float]] = []
    for start, end in joined:
        at = start
        for first, last in sorted(spoken):
            if first < end and last > at:
                if first - at >= _MUSIC_S:
                    found.append((at, first))
                at = max(at, last)
        if end - at >= _MUSIC_S:
            found.append((at, end))
    return tuple((round(start, 2), round(end, 2)) for start, end in found)


def _sentences(words: Sequence[Word], plan: Plan) -> Iterator[list[Word]]:
    """Groups of words, in the recording's time: cut at pauses and at ends of sentences."""
    group: list[Word] = []
    for word in words:
        piece = plan.piece_at((word.start_s + word.end_s) / 2)
        if _after_the_end(word, plan.pieces[piece]):
            continue
        start = plan.source_time(word.start_s, piece)
        here = replace(word, start_s=start, end_s=max(start, plan.source_time(word.end_s, piece)))
        if group and (
            here.start_s - group[-1].end_s > _PAUSE_S
            or here.end_s - group[0].start_s > _LONGEST_S
            or group[-1].text.rstrip().endswith(_SENTENCE_ENDS)
        ):
            yield group
            group = []
        group.append(here)
    if group:
        yield group


def _after_the_end(word: Word, piece: Piece) -> bool:
    """Whether a word begins in the silence that follows a piece: recognisers like to add a polite ending there."""
    return piece.length_s > 1.0 and word.start_s > piece.chunk_s + piece.length_s - MARGIN_S - 0.05


def _confidence(words: Sequence[Word]) -> float:
    weights = [max(0.01, word.end_s - word.start_s) for word in words]
    mean = sum(w * word.confidence for w, word in zip(weights, words, strict=True)) / sum(weights)
    return round(min(1.0, max(0.0, mean)), 3)


def _too_quick(heard: Heard) -> bool:
    length, text = max(heard.end_s - heard.start_s, 0.02), text_of(heard.words)
    return len(text) > 3 and len(text) / length > FASTEST


def masked(heard: Sequence[Heard], language: str, engine: str = "") -> tuple[TranscriptSegment, ...]:
    """What was heard as segments in order of time, masked, with readings; what is empty afterwards and hides nothing
    is left out.

    Args:
        engine: its name, which says how sure its words have to be.
    """
    ordered = sorted(heard, key=lambda each: (each.start_s, each.side))
    texts = [text_of(each.words) for each in ordered]
    secrets = find_secrets(
        [Turn(side=each.side, text=text) for each, text in zip(ordered, texts, strict=True)]
    )
    least = unsure_below(engine)
    segments = []
    for each, text, spans in zip(ordered, texts, secrets, strict=True):
        kept = masked_text(text, spans).strip()
        words, hidden = masked_words(each.words, spans, least)
        if kept or hidden:
            segments.append(
                TranscriptSegment(
                    side=each.side,
                    start_s=round(each.start_s, 2),
                    end_s=round(each.end_s, 2),
                    text=kept or _GOES_ON,
                    kana=reading(kept) if language == "ja" else "",
                    confidence=_confidence(each.words),
                    words=words,
                    hidden=hidden,
                )
            )
    return tuple(segments)


def transcribe_paths(
    paths: Sequence[Path], engines: RecogniserSource, language: str
) -> Iterator[dict[str, str | float]]:
    """What `toritsugi transcribe PATH…` prints: `file, side, start_s, end_s, text, confidence`.

    `<base>-citizen.wav` and `<base>-line.wav` next to each other are masked as one conversation; any other file is
    a conversation of its own, with side `citizen`.

    Raises:
        AudioUnreadable: a file gives no audio.
        ToritsugiError: there is no model for `language`.
    """
    recogniser = engines.recogniser(language)
    if recogniser is None:
        raise ToritsugiError(
            f"言語 {language} のモデルがありません", cure="./toritsugi models fetch を実行する"
        )
    for base, sides in _conversations(paths).items():
        heard: list[Heard] = []
        for side, path in sides.items():
            open_recording(path)
            done = _transcribe_side(side, path, recogniser, ())
            if done.problem:
                raise AudioUnreadable(done.problem, path)
            heard += done.heard
        for segment in masked(heard, language, recogniser.name):
            yield {
                "file": str(base),
                "side": segment.side,
                "start_s": segment.start_s,
                "end_s": segment.end_s,
                "text": segment.text,
                "confidence": segment.confidence,
            }


def _conversations(paths: Sequence[Path]) -> dict[Path, dict[str, Path]]:
    found: dict[Path, dict[str, Path]] = {}
    for path in paths:
        side = next((side for side in (CITIZEN, LINE) if path.stem.endswith(f"-{side}")), None)
        base = path.with_name(path.stem.removesuffix(f"-{side}")) if side else path
        found.setdefault(base, {})[side or CITIZEN] = path
    return found
