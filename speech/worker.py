"""Transcription in a child process that may crash or hang.

The child keeps its models between jobs, runs at low priority, and is replaced when it dies or takes too long, so one
bad file costs one try of one job.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

from core.errors import ToritsugiError
from speech.audio import AudioUnreadable, open_recording
from speech.engines import VOCABULARY, EngineKind, Engines, choose
from speech.jobs import TranscriptionJob
from speech.transcript import Transcript, transcribe_recording

_LEAST_LIMIT_S, _LIMIT_FACTOR = 120.0, 3.0
_NICE = 10


class TranscriptionCrashed(ToritsugiError):
    """The child died or hung over one recording."""

    code = "speech.transcription_crashed"


def limit_s(job: TranscriptionJob) -> float:
    """Seconds after which a job counts as hanging: 2 minutes and three times the length of the audio."""
    length = 0.0
    for path in (job.citizen_path, job.line_path):
        with suppress(AudioUnreadable):
            length += open_recording(path).duration_s
    return _LEAST_LIMIT_S + _LIMIT_FACTOR * length


class ChildTranscriber:
    """Transcribes in a child process, which is started at the first job and again after each loss."""

    def __init__(
        self,
        folders: Sequence[Path],
        *,
        engine: str = "auto",
        vocabulary: Mapping[str, Sequence[str]] = VOCABULARY,
        threads: int = 1,
        languages: Sequence[str] = ("ja", "en"),
        limit: Callable[[TranscriptionJob], float] = limit_s,
        serve: Callable[..., None] | None = None,
    ) -> None:
        """
        Args:
            folders: where models lie.
            threads: cores for one recording.
            languages: those that calls may have.
            limit: seconds allowed for a job.
            serve: the child's main function (picklable), for tests of crashes.
        """
        self._folders, self._engine = tuple(folders), engine
        self._options = {"engine": engine, "vocabulary": dict(vocabulary), "threads": threads}
        self._languages, self._limit, self._serve = tuple(languages), limit, serve or _serve
        self._child: multiprocessing.process.BaseProcess | None = None
        self._pipe: Connection | None = None

    def languages(self) -> Collection[str]:
        return {
            language
            for language in self._languages
            if choose(language, self._folders, self._engine).kind is not EngineKind.NO_MODEL
        }

    def transcribe(self, job: TranscriptionJob) -> Transcript:
        """
        Raises:
            TranscriptionCrashed: the child died or took too long; it has been ended.
            ToritsugiError: what the child reported.
        """
        limit = self._limit(job)
        try:
            pipe = self._ready()
            pipe.send(job)
            if not pipe.poll(limit):
                raise TranscriptionCrashed(f"{limit:.0f} 秒で終わりません", where=job.base)
            answer = pipe.recv()
        except (EOFError, OSError) as error:
            self.close()
            raise TranscriptionCrashed("文字起こしの処理が落ちました", where=job.base) from error
        except TranscriptionCrashed:
            self.close()
            raise
        if isinstance(answer, Transcript):
            return answer
        raise ToritsugiError(str(answer), where=job.base)

    def _ready(self) -> Connection:
        if self._pipe is None or self._child is None or not self._child.is_alive():
            self.close()
            context = multiprocessing.get_context("spawn")
            self._pipe, theirs = context.Pipe()
            self._child = context.Process(
                target=self._serve, args=(theirs, self._folders, self._options), daemon=True
            )
            self._child.start()
            theirs.close()
        return self._pipe

    def close(self) -> None:
        """End the child, if there is one."""
        if self._pipe:
            self._pipe.close()
        if self._child:
            self._child.kill()
            self._child.join(5)
        self._pipe = self._child = None


def _serve(pipe: Connection, folders: Sequence[Path], options: Mapping[str, object]) -> None:
    """The child: one job in, one transcript or one sentence about its failure out, until the parent is gone."""
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # the terminal's Ctrl-C reaches the whole group; the parent decides
    os.nice(_NICE)
    engines = Engines(folders, **options)  # type: ignore[arg-type] # the options are ChildTranscriber's own
    while True:
        try:
            job = pipe.recv()
        except (EOFError, OSError):
            return
        try:
            pipe.send(transcribe_recording(job, engines))
        except Exception as error:  # one bad file must not take the next ones with it
            pipe.send(str(error) if isinstance(error, ToritsugiError) else f"{type(error).__name__}: {error}")
