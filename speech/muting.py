"""Silence in the place of a spoken secret: which stretches, and the muted copy that replaces the recording."""

from __future__ import annotations

import os
import struct
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from core.keys import KeyRing
from core.sealed import SealBroken, SealingWriter, open_plain, ring_of_environment, sealed_with
from speech.audio import AudioProblem, AudioUnreadable, Recording, open_recording

Spans = tuple[tuple[float, float], ...]
"""Stretches in seconds from the recording's start: in order, apart."""

PART_SUFFIX = ".muting"
_BLOCK = 1 << 18
_PCM, _SAMPLE = 1, 2
_JOIN_S = 0.4
"""Two secrets so close are one stretch; what lies between them is a digit that was not heard more often than a word."""


def joined(spans: Iterable[tuple[float, float]]) -> Spans:
    """`spans` in order, those that touch or nearly touch as one."""
    result: list[tuple[float, float]] = []
    for start, end in sorted(spans):
        if result and start <= result[-1][1] + _JOIN_S:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return tuple(result)


def widened(spans: Iterable[tuple[float, float]], margin_s: float) -> Spans:
    """`spans` with `margin_s` before and behind, joined."""
    return joined((max(0.0, start - margin_s), end + margin_s) for start, end in spans)


def mute_file(
    path: Path, spans: Sequence[tuple[float, float]], ring: Callable[[], KeyRing] = ring_of_environment
) -> bool:
    """Replace `path` by a copy that is silent in `spans`; its length, rate and all other sound stay the same.

    At any moment `path` is the original or the whole muted copy, on disk too; muting again changes no sample. The copy
    of an encrypted file is encrypted. Nobody else may replace the file meanwhile (`core.folder_lock`).

    Returns:
        False when the file is not there (any more).

    Raises:
        AudioUnreadable: it holds no sound, is damaged, or is no WAV of 16 bits.
        KeyProblem: it is encrypted, and its key is not here.
    """
    try:
        recording = open_recording(path)
        stat, key_id = path.stat(), sealed_with(path)
    except FileNotFoundError:
        return False
    except AudioUnreadable as error:
        if error.problem is AudioProblem.MISSING:
            return False
        raise
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=PART_SUFFIX)
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file, open_plain(path, ring) as source:
            if key_id is None:
                _copy(recording, source, file.write, spans)
            else:
                keys = ring()
                writer = SealingWriter(file, keys.current or keys.of(key_id))
                _copy(recording, source, writer.write, spans)
                writer.close()
            file.flush()
            os.fsync(file.fileno())
        part.chmod(stat.st_mode & 0o777)
        os.utime(part, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        if not path.exists():
            part.unlink()
            return False
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)
    return True


def remove_parts(folder: Path, older_than: float) -> int:
    """Remove what a killed `mute_file` left (muted copies, never originals) before a moment; how many."""
    gone = 0
    for part in folder.glob(f".*{PART_SUFFIX}"):
        try:
            if part.stat().st_ctime < older_than:
                part.unlink()
                gone += 1
        except FileNotFoundError:
            continue
    return gone


def _copy(
    recording: Recording,
    source: BinaryIO,
    write: Callable[[bytes], object],
    spans: Sequence[tuple[float, float]],
) -> None:
    """The file byte by byte, with zeros for the samples in `spans`."""
    try:
        frame = _SAMPLE * recording.channels
        head, at = _head(recording, source)
        write(head)
        edges = [
            (round(start * recording.rate) * frame, round(end * recording.rate) * frame)
            for start, end in spans
        ]
        left = recording.frames * frame
        source.seek(at)
        done = 0
        while block := bytearray(source.read(_BLOCK)):
            for first, last in edges:
                begin, end = max(0, first - done), min(len(block), last - done, left - done)
                if begin < end:
                    block[begin:end] = bytes(end - begin)
            write(bytes(block))
            done += len(block)
    except (OSError, SealBroken, struct.error) as error:
        raise AudioUnreadable(AudioProblem.DAMAGED, recording.path, type(error).__name__) from error


def _head(recording: Recording, source: BinaryIO) -> tuple[bytes, int]:
    """All before the samples, and where they begin; for a header that was never finished, a whole one."""
    source.seek(0)
    head = bytearray(source.read(12))
    while len(chunk := source.read(8)) == 8:
        name, size = chunk[:4], int.from_bytes(chunk[4:], "little")
        head += chunk
        if name == b"data":
            if recording.repaired:
                length = recording.frames * _SAMPLE
                head[4:8] = struct.pack("<I", len(head) - 8 + length)
                head[-4:] = struct.pack("<I", length)
            return bytes(head), source.tell()
        body = source.read(size + size % 2)
        if name == b"fmt " and (
            struct.unpack("<H", body[:2])[0] != _PCM or struct.unpack("<H", body[14:16])[0] != 8 * _SAMPLE
        ):
            break
        head += body
    raise AudioUnreadable(AudioProblem.DAMAGED, recording.path, "16 bit の WAV ではない")


def quiet(path: Path, spans: Sequence[tuple[float, float]]) -> bool:
    """Whether `path` is silent in all of `spans` (as far as it goes)."""
    recording = open_recording(path)
    return not any(np.any(recording.read(start, end, recording.rate)) for start, end in spans)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
