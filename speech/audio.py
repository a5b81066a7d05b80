"""Reading recordings, writing prompts, and the one place where audio changes its rate.

A recording is read in windows, so a file of ten hours needs no more memory than one of ten minutes. An encrypted one is
decrypted as it is read, in memory alone.
"""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum, unique
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile
import soxr

from core.errors import ToritsugiError
from core.sealed import SealBroken, open_plain
from speech.ports import Pcm, Wave

TELEPHONE_RATE = 8_000
"""Hz, the rate of every prompt and of what Asterisk records."""

_WAV_HEADER = 44
_RATES = range(4_000, 192_001)
_PEAK = 0.95
_KNEE = 0.6


@unique
class AudioProblem(StrEnum):
    """Why a file gives no audio."""

    MISSING = "missing"
    EMPTY = "empty"
    DAMAGED = "damaged"


class AudioUnreadable(ToritsugiError):
    """A file gives no audio; `problem` says why."""

    code = "speech.audio_unreadable"

    def __init__(self, problem: AudioProblem, path: Path, detail: str = "") -> None:
        words = {
            AudioProblem.MISSING: ("音声ファイルがありません", "保存先と保存期間を確かめる"),
            AudioProblem.EMPTY: (
                "音声ファイルに音が入っていません",
                "通話が録音開始前に切れていないか確かめる",
            ),
            AudioProblem.DAMAGED: ("音声ファイルが壊れていて読めません", "元の録音から写し直す"),
        }
        message, cure = words[problem]
        super().__init__(f"{message}({detail})" if detail else message, where=str(path), cure=cure)
        self.problem = problem


def resample(samples: Wave, rate_from: int, rate_to: int) -> Wave:
    """`samples` at another rate (Hz), band-limited; the same object when nothing changes."""
    if rate_from == rate_to or not len(samples):
        return samples
    return np.asarray(soxr.resample(samples, rate_from, rate_to, quality="HQ"), dtype=np.float32)


def to_pcm(samples: Wave) -> Pcm:
    """Samples in -1…1 as 16-bit integers; what is louder is clipped."""
    return np.asarray(np.clip(np.rint(samples * 32768.0), -32768, 32767), dtype=np.int16)


def from_pcm(pcm: Pcm) -> Wave:
    """16-bit integers as samples in -1…1."""
    return np.asarray(pcm, dtype=np.float32) / np.float32(32768.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A readable audio file of at least one sample."""

    path: Path
    rate: int
    """Hz, as stored."""
    channels: int
    frames: int
    repaired: bool = False
    """The header was never finished (Asterisk died while it recorded); lengths come from the file itself."""

    @property
    def duration_s(self) -> float:
        return self.frames / self.rate

    def read(self, start_s: float, end_s: float, rate: int) -> Pcm:
        """From `start_s` to `end_s` at `rate` Hz, channels mixed. Shorter where the file ends sooner.

        Raises:
            AudioUnreadable: the file changed or is damaged inside.
            KeyProblem: it is encrypted, and its key is not here.
        """
        length_s = self.duration_s
        first = round(max(0.0, min(start_s, length_s)) * self.rate)
        count = round(max(0.0, min(end_s, length_s)) * self.rate) - first
        if count <= 0:
            return np.zeros(0, dtype=np.int16)
        try:
            with open_sound(self) as sound:
                sound.seek(first)
                block = sound.read(count, dtype="float32", always_2d=True)
        except (OSError, soundfile.LibsndfileError, RuntimeError, SealBroken) as error:
            raise AudioUnreadable(AudioProblem.DAMAGED, self.path, type(error).__name__) from error
        mono = block[:, 0] if block.shape[1] == 1 else block.mean(axis=1, dtype=np.float32)
        clean = np.nan_to_num(mono, nan=0.0, posinf=0.0, neginf=0.0)
        return to_pcm(resample(np.asarray(clean, dtype=np.float32), self.rate, rate))

    def windows(self, start_s: float, end_s: float, length_s: float) -> Iterator[tuple[float, float]]:
        """Times (s) that cover `start_s`…`end_s` in pieces of at most `length_s`."""
        at, stop = max(0.0, start_s), min(end_s, self.duration_s)
        while at < stop:
            yield at, min(at + length_s, stop)
            at += length_s


@contextmanager
def open_sound(recording: Recording) -> Iterator[soundfile.SoundFile]:
    """The samples of `recording`, also behind a header that was never finished, encrypted or not.

    Raises:
        soundfile.LibsndfileError, OSError, SealBroken: it changed since it was looked at.
        KeyProblem: it is encrypted, and its key is not here.
    """
    with open_plain(recording.path) as file:
        if not recording.repaired:
            with soundfile.SoundFile(file) as sound:
                yield sound
            return
        with _beheaded(file) as sound:
            yield sound


def _beheaded(file: BinaryIO) -> soundfile.SoundFile:
    return soundfile.SoundFile(
        _Tail(file, _WAV_HEADER), samplerate=TELEPHONE_RATE, channels=1, format="RAW", subtype="PCM_16"
    )


class _Tail(io.RawIOBase):
    """A file without its first bytes, as the unfinished WAV of a killed Asterisk is read."""

    def __init__(self, file: BinaryIO, skip: int) -> None:
        super().__init__()
        self._file, self._skip = file, skip
        self._file.seek(skip)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override] # typeshed wants a wider buffer type
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence == os.SEEK_SET:
            offset += self._skip
        return self._file.seek(offset, whence) - self._skip

    def tell(self) -> int:
        return self._file.tell() - self._skip


def open_recording(path: Path) -> Recording:
    """Look at `path` without reading its sound, encrypted or not.

    Raises:
        AudioUnreadable: missing, empty (a bare header counts as empty) or damaged.
        KeyProblem: it is encrypted, and its key is not here.
    """
    try:
        with open_plain(path) as file:
            return _look(path, file)
    except FileNotFoundError as error:
        raise AudioUnreadable(AudioProblem.MISSING, path) from error
    except (OSError, SealBroken) as error:
        raise AudioUnreadable(AudioProblem.DAMAGED, path, type(error).__name__) from error


def _look(path: Path, file: BinaryIO) -> Recording:
    size = file.seek(0, os.SEEK_END)
    if size == 0:
        raise AudioUnreadable(AudioProblem.EMPTY, path)
    file.seek(0)
    head = file.read(_WAV_HEADER)
    is_wave = head[:4] == b"RIFF" and head[8:12] == b"WAVE"
    if is_wave and size <= _WAV_HEADER:
        raise AudioUnreadable(AudioProblem.EMPTY, path)
    if is_wave and _unfinished(head):
        return Recording(
            path=path, rate=TELEPHONE_RATE, channels=1, frames=(size - _WAV_HEADER) // 2, repaired=True
        )
    file.seek(0)
    try:
        with soundfile.SoundFile(file) as info:
            rate, channels, frames = info.samplerate, info.channels, info.frames
    except (OSError, soundfile.LibsndfileError, RuntimeError) as error:
        raise AudioUnreadable(AudioProblem.DAMAGED, path, type(error).__name__) from error
    if rate not in _RATES or channels < 1:
        raise AudioUnreadable(AudioProblem.DAMAGED, path, f"{rate} Hz × {channels}")
    if frames <= 0:
        raise AudioUnreadable(AudioProblem.EMPTY, path)
    return Recording(path=path, rate=rate, channels=channels, frames=frames)


def _unfinished(head: bytes) -> bool:
    """Asterisk's 8 kHz mono header whose data length was never filled in."""
    return (
        head[36:40] == b"data"
        and int.from_bytes(head[40:44], "little") in (0, 0xFFFFFFFF)
        and head[20:24] == b"\x01\x00\x01\x00"
        and int.from_bytes(head[24:28], "little") == TELEPHONE_RATE
        and head[34:36] == b"\x10\x00"
    )


def write_telephone_wav(path: Path, pcm: Pcm) -> None:
    """Write 8 kHz mono 16-bit `pcm` so that a reader sees all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".part-", suffix=".wav")
    try:
        with os.fdopen(handle, "wb") as file:
            soundfile.write(file, pcm, TELEPHONE_RATE, format="WAV", subtype="PCM_16")
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def active_level(samples: Wave, rate: int) -> float:
    """Level in dBFS of the frames (20 ms) that hold speech: those within 25 dB of the loudest."""
    frame = max(1, rate // 50)
    usable = len(samples) // frame * frame
    if not usable:
        return -120.0
    power = np.square(samples[:usable].reshape(-1, frame)).mean(axis=1)
    loudest = float(power.max())
    if loudest <= 1e-12:
        return -120.0
    return float(10 * np.log10(power[power > loudest * 10**-2.5].mean()))


def level(samples: Wave, rate: int, target_db: float = -20.0) -> Wave:
    """Bring speech to `target_db` dBFS (active level); peaks bend smoothly and stay below 0.95."""
    now = active_level(samples, rate)
    if now <= -119.0:
        return samples
    loud = samples * np.float32(10 ** ((target_db - now) / 20))
    size = np.abs(loud)
    room = _PEAK - _KNEE
    bent = _KNEE + room * np.tanh((size - _KNEE) / room)
    return np.asarray(np.where(size <= _KNEE, loud, np.sign(loud) * bent), dtype=np.float32)


def pad(samples: Wave, rate: int, before_s: float, after_s: float) -> Wave:
    """`samples` between two silences."""
    zeros = [np.zeros(round(seconds * rate), dtype=np.float32) for seconds in (before_s, after_s)]
    return np.concatenate([zeros[0], samples, zeros[1]])


def trim(samples: Wave, rate: int, below_db: float = -50.0, keep_s: float = 0.02) -> Wave:
    """Cut silence (relative to the peak) off both ends."""
    peak = float(np.abs(samples).max(initial=0.0))
    loud = np.flatnonzero(np.abs(samples) > peak * 10 ** (below_db / 20)) if peak else np.zeros(0, dtype=int)
    if not len(loud):
        return samples[:0]
    keep = round(keep_s * rate)
    return samples[max(0, int(loud[0]) - keep) : int(loud[-1]) + 1 + keep]


def telephone_channel(samples: Wave, rate: int) -> Pcm:
    """What a citizen's voice is after the network: 300–3400 Hz, 8 kHz, mu-law and back."""
    narrow = resample(samples, rate, TELEPHONE_RATE)
    spectrum = np.fft.rfft(narrow)
    hertz = np.fft.rfftfreq(len(narrow), 1 / TELEPHONE_RATE)
    spectrum[(hertz < 300) | (hertz > 3400)] = 0
    voice = np.fft.irfft(spectrum, n=len(narrow))
    buffer = io.BytesIO()
    soundfile.write(
        buffer, to_pcm(np.asarray(voice, dtype=np.float32)), TELEPHONE_RATE, format="WAV", subtype="ULAW"
    )
    buffer.seek(0)
    pcm, _ = soundfile.read(buffer, dtype="int16")
    return np.asarray(pcm, dtype=np.int16)
