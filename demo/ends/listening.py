"""Recognising known prompts by ear: where each was heard in a recording, and which one sounds now.

Normalised cross-correlation of a prompt's first second against the recording (by FFT, at 4 kHz), then chunk by
chunk along the prompt, so a prompt that was cut by a key or a hang-up is still found, with how far it got.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demo.ends.g711 import Samples
from demo.ends.hearing import RATE
from demo.ends.media import MediaSession

_STEP = 2
_SLOW = RATE // _STEP
_HEAD_S = 1.0
_CHUNK_S = 0.2
_SEARCH_S = 0.03
_FLOOR = 60.0  # RMS below which a stretch counts as silent
_ENOUGH_S = 0.4
_NEARLY_S = 0.3
"""A prompt that was heard up to so little before its end counts as whole, and claims that end."""
_OVERLAP_S = _NEARLY_S + 0.1
"""So the next one may begin before it; more is another name for the same sound."""
_TAIL_THRESHOLD = 0.8
"""Prompts often end in the same words; only a near-perfect tail counts."""

Wave = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardPrompt:
    """One prompt in a recording. Seconds from the recording's start; `whole` when it was heard to its end."""

    name: str
    start_s: float
    end_s: float
    score: float
    whole: bool

    @property
    def heard_partially(self) -> bool:
        return not self.whole


@dataclass(frozen=True, slots=True)
class _Template:
    name: str
    wave: Wave
    lead: int
    voiced_end: int

    @property
    def head(self) -> Wave:
        return self.wave[self.lead : min(self.lead + int(_HEAD_S * _SLOW), self.voiced_end)]

    @property
    def tail(self) -> Wave | None:
        """The last second of sound; None where it would overlap the head."""
        length = int(_HEAD_S * _SLOW)
        if self.voiced_end - self.lead < 2 * length:
            return None
        return self.wave[self.voiced_end - length : self.voiced_end]


def _low_pass() -> Wave:
    taps = np.arange(-15, 16)
    kernel = np.sinc(taps / _STEP) / _STEP * np.hamming(31)
    taken: Wave = (kernel / kernel.sum()).astype(np.float32)
    return taken


_KERNEL = _low_pass()


def _slow(samples: Samples) -> Wave:
    if len(samples) < len(_KERNEL):
        return np.zeros(0, dtype=np.float32)
    wave: Wave = np.convolve(samples.astype(np.float32), _KERNEL, "same")[::_STEP].astype(np.float32)
    return wave


def _rms(wave: Wave) -> float:
    return float(np.sqrt(np.mean(wave * wave))) if len(wave) else 0.0


def _template(name: str, samples: Samples) -> _Template | None:
    wave = _slow(samples)
    frame = _SLOW // 50
    count = len(wave) // frame
    loud = np.sqrt(np.mean(wave[: count * frame].reshape(count, frame) ** 2, axis=1)) > _FLOOR * 2
    places = np.flatnonzero(loud)
    if len(places) * frame < _SLOW // 5:
        return None  # under 0.2 s of sound cannot be told from anything else
    return _Template(name, wave, int(places[0]) * frame, (int(places[-1]) + 1) * frame)


def _fast_length(wanted: int) -> int:
    """The next length whose only prime factors are 2, 3 and 5."""
    best = 1 << (wanted - 1).bit_length()
    five = 1
    while five < best:
        three = five
        while three < best:
            size = three
            while size < wanted:
                size *= 2
            best = min(best, size)
            three *= 3
        five *= 5
    return best


class Fingerprints:
    """Known prompts by name, 16-bit samples at 8 kHz. Prompts with under 0.2 s of sound are never found."""

    def __init__(self, prompts: Mapping[str, Samples]) -> None:
        made = (_template(name, samples) for name, samples in prompts.items())
        self._templates = {template.name: template for template in made if template is not None}
        self._seconds = {name: len(samples) / RATE for name, samples in prompts.items()}

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._templates)

    def seconds(self, name: str) -> float:
        """Length of a prompt."""
        return self._seconds[name]

    def find(
        self,
        samples: Samples,
        *,
        names: Collection[str] | None = None,
        threshold: float = 0.5,
        at_least_s: float = _ENOUGH_S,
    ) -> list[HeardPrompt]:
        """Every occurrence of the prompts (of `names`, when given) in a recording, in order of time."""
        wave = _slow(samples)
        if not len(wave):
            return []
        wanted: Iterable[_Template] = self._templates.values()
        if names is not None:
            wanted = [self._templates[name] for name in names if name in self._templates]
        padded = np.concatenate([wave, np.zeros(int(_HEAD_S * _SLOW), dtype=np.float32)])
        size = _fast_length(len(padded) + int(_HEAD_S * _SLOW))
        spectrum = np.fft.rfft(padded, size)
        energy = np.concatenate([[0.0], np.cumsum(padded.astype(np.float64) ** 2)])
        found: list[HeardPrompt] = []
        for template in wanted:
            for place in _peaks(template.head, spectrum, size, energy, threshold):
                heard = _follow(template, wave, place)
                if heard is not None and heard.end_s - heard.start_s >= at_least_s:
                    found.append(heard)
            found += _by_tail(template, spectrum, size, energy)
        return _without_overlaps(found)


def _peaks(
    head: Wave,
    spectrum: NDArray[np.complexfloating],
    size: int,
    energy: NDArray[np.float64],
    threshold: float,
) -> list[int]:
    length = len(head)
    product = np.fft.irfft(spectrum * np.conj(np.fft.rfft(head, size)), size)[: len(energy) - length]
    local = np.sqrt(np.maximum(energy[length:] - energy[:-length], length * _FLOOR**2))
    score = product / (local * float(np.linalg.norm(head)))
    peaks: list[int] = []
    for _ in range(64):
        best = int(np.argmax(score))
        if score[best] < threshold:
            break
        peaks.append(best)
        score[max(0, best - length // 2) : best + length // 2] = 0.0
    return peaks


def _by_tail(
    template: _Template, spectrum: NDArray[np.complexfloating], size: int, energy: NDArray[np.float64]
) -> list[HeardPrompt]:
    """Prompts whose end was heard although their head was lost (a telephone that stood still for a moment).

    Only the second that was recognised is claimed, so where the head was found too, the longer find wins.
    """
    tail = template.tail
    if tail is None:
        return []
    rest = len(template.wave) - template.voiced_end
    return [
        HeardPrompt(
            name=template.name,
            start_s=place / _SLOW,
            end_s=(place + len(tail) + rest) / _SLOW,
            score=_TAIL_THRESHOLD,
            whole=True,
        )
        for place in _peaks(tail, spectrum, size, energy, _TAIL_THRESHOLD)
    ]


def _follow(template: _Template, wave: Wave, place: int) -> HeardPrompt | None:
    """How far the prompt goes on from where its head was found at `place`."""
    chunk, search = int(_CHUNK_S * _SLOW), int(_SEARCH_S * _SLOW)
    offset = place - template.lead
    good_end, scores, misses = template.lead, [], 0
    for at in range(template.lead, template.voiced_end, chunk):
        part = template.wave[at : min(at + chunk, template.voiced_end)]
        if _rms(part) < _FLOOR * 2 or len(part) < chunk // 4:
            if not misses:
                good_end = at + len(part)
            continue
        low = max(0, offset + at - search)
        area = wave[low : offset + at + len(part) + search]
        score, shift = _best_match(part, area)
        if score < 0.5:
            misses += 1
            if misses > 1:
                break
            continue
        offset, misses = low + shift - at, 0
        good_end = at + len(part)
        scores.append(score)
    if not scores:
        return None
    whole = good_end >= template.voiced_end - int(_NEARLY_S * _SLOW)
    end = len(template.wave) if whole else good_end
    return HeardPrompt(
        name=template.name,
        start_s=(place - template.lead) / _SLOW,
        end_s=(offset + end) / _SLOW,
        score=float(np.mean(scores)),
        whole=whole,
    )


def _best_match(part: Wave, area: Wave) -> tuple[float, int]:
    if len(area) < len(part):
        return 0.0, 0
    product = np.correlate(area, part, "valid")
    sums = np.concatenate([[0.0], np.cumsum(area.astype(np.float64) ** 2)])
    local = np.sqrt(np.maximum(sums[len(part) :] - sums[: -len(part)], len(part) * _FLOOR**2))
    score = product / (local * float(np.linalg.norm(part)))
    best = int(np.argmax(score))
    return float(score[best]), best


def _without_overlaps(found: list[HeardPrompt]) -> list[HeardPrompt]:
    """Prompts that begin alike are found at the same place: the one that goes furthest is the one heard."""
    kept: list[HeardPrompt] = []

    def weight(one: HeardPrompt) -> float:
        return (one.end_s - one.start_s) * one.score + (_CHUNK_S * 2 if one.whole else 0.0)

    for one in sorted(found, key=weight, reverse=True):
        if all(min(one.end_s, other.end_s) - max(one.start_s, other.start_s) < _OVERLAP_S for other in kept):
            kept.append(one)
    return sorted(kept, key=lambda one: one.start_s)


class LiveEar:
    """Recognises prompts while they sound.

    Args:
        poll_s: seconds between looks; each costs about a millisecond a name.
    """

    def __init__(self, fingerprints: Fingerprints, media: MediaSession, *, poll_s: float = 0.3) -> None:
        self._fingerprints, self._media, self._poll_s = fingerprints, media, poll_s

    def now(self, names: Collection[str], *, since: float, enough_s: float = 0.8) -> HeardPrompt | None:
        """The newest of `names` that began after epoch `since`, seconds as epoch; None when there is none.

        A prompt that still sounds has the end that it will have if nobody stops it, and `whole` False.
        """
        part = self._media.heard.recording(last_s=enough_s + 2.5)
        heard = self._fingerprints.find(part.samples, names=names, at_least_s=enough_s)
        fresh = [one for one in heard if part.started_at + one.start_s > since]
        if not fresh:
            return None
        last = fresh[-1]
        start = part.started_at + last.start_s
        return HeardPrompt(
            name=last.name,
            start_s=start,
            end_s=start + self._fingerprints.seconds(last.name),
            score=last.score,
            whole=last.whole,
        )

    async def wait(
        self, names: Collection[str], *, since: float, timeout: float, enough_s: float = 0.8
    ) -> HeardPrompt | None:
        """Wait until one of `names` is recognised; None when `timeout` passed or the call ended."""
        limit = time.time() + timeout
        while not self._media.closed:
            heard = self.now(names, since=since, enough_s=enough_s)
            if heard is not None:
                return heard
            left = limit - time.time()
            if left <= 0:
                return None
            await asyncio.sleep(min(self._poll_s, left))
        return None
