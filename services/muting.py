"""From a transcript's hidden stretches to recordings in which they are silent, and the proof that they are.

What has to be silent is stored in the transcript's own transaction; the file follows. A process killed between the two
leaves a recording that is due and is muted by the next one: muting twice changes nothing.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from core.clock import Clock
from core.errors import ToritsugiError
from core.folder_lock import replacing
from core.ids import CallId
from services.ports import UnitOfWork, UnitOfWorkFactory
from services.recordings import SIDES, look_at
from services.speech_ports import MuteState, RecordingMute
from speech.audio import AudioUnreadable
from speech.jobs import JobState, TranscriptionJob
from speech.muting import mute_file, remove_parts, widened
from speech.profile import MuteSection
from speech.transcript import Transcript, TranscriptSegment

log = logging.getLogger(__name__)

HOUR_S = 3600.0
ROUNDS = 3
"""A recording in which a scan hears a secret so many times is left to a person."""
PART_AGE_S = 3600.0
_WIDER_S = 0.3
"""Added to the margin with each round: what was still heard lay beside the stretch."""

Progress = Callable[[int, int], None]
"""Told how many are done, of how many."""


def mutes_of(
    call: CallId,
    base: str,
    segments: Iterable[TranscriptSegment],
    kinds: Collection[str],
    due_at: float,
) -> list[RecordingMute]:
    """What a transcript says of each side of its recording; a side without a secret has no entry."""
    spans: dict[str, list[tuple[float, float, str]]] = {side: [] for side in SIDES}
    for segment in segments:
        spans[segment.side] += [
            (hidden.start_s, hidden.end_s, hidden.kind) for hidden in segment.hidden if hidden.kind in kinds
        ]
    return [
        RecordingMute(base=base, side=side, call_id=call, spans=tuple(sorted(found)), due_at=due_at)
        for side, found in spans.items()
        if found
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Muter:
    """Mutes and proves the recordings of one node."""

    folder: Path
    uow: UnitOfWorkFactory
    reading: UnitOfWorkFactory
    clock: Clock
    rules: MuteSection
    node: str

    async def mute_due(self, progress: Progress | None = None) -> Counter[str]:
        """Make silent what is due; how many ended in which state, and `failed`."""
        await asyncio.to_thread(remove_parts, self.folder, time.time() - PART_AGE_S)
        async with self.reading() as unit:
            due = await unit.mutes.in_state([MuteState.DUE], self.node, None)
        done: Counter[str] = Counter()
        for number, mute in enumerate(due):
            try:
                done[(await self._mute(mute)).value] += 1
            except (ToritsugiError, OSError) as problem:
                # The next look tries again; one file must not keep the others audible.
                log.error("%s-%s stays audible: %s", mute.base, mute.side, problem)
                done["failed"] += 1
            if progress:
                progress(number + 1, len(due))
        return done

    async def _mute(self, mute: RecordingMute) -> MuteState:
        lock = replacing(self.folder)
        await asyncio.to_thread(lock.__enter__)
        try:
            async with self.reading() as unit:
                now = await unit.mutes.get(mute.base, mute.side)
                files = await unit.recordings.of_call(mute.call_id)
            if now is None or now.state is not MuteState.DUE:
                return now.state if now else MuteState.GONE
            path = self.folder / f"{now.base}-{now.side}.wav"
            margin = self.rules.margin_s + _WIDER_S * now.rounds
            spans = widened([(start, end) for start, end, _ in now.spans], margin)
            try:
                there = await asyncio.to_thread(mute_file, path, spans)
                state = MuteState.MUTED if there else MuteState.GONE
            except AudioUnreadable:
                state = MuteState.UNREADABLE
            look = await asyncio.to_thread(look_at, path)
            async with self.uow() as unit:
                await unit.mutes.put(replace(now, state=state, muted_at=self.clock.epoch()))
                for file in files:
                    # A header that was never finished is whole in the copy.
                    if (file.base, file.side) == (now.base, now.side) and state is MuteState.MUTED:
                        await unit.recordings.put(
                            replace(
                                file, state=look.state.value, bytes=look.bytes, duration_s=look.duration_s
                            )
                        )
            return state
        finally:
            lock.__exit__(None, None, None)

    async def to_scan(self, everything: bool = False) -> list[str]:
        """Bases of muted recordings that are not proven yet; with `everything` those that are, too."""
        states = [MuteState.MUTED, *([MuteState.PROVEN, MuteState.LEFT] if everything else [])]
        async with self.reading() as unit:
            found = await unit.mutes.in_state(states, self.node, None)
        return list(dict.fromkeys(mute.base for mute in found))

    async def scan(
        self, base: str, hear: Callable[[TranscriptionJob], Transcript], language: str
    ) -> MuteState:
        """Transcribe a muted recording again; mute and hear again what is still said, three times at most.

        Returns:
            PROVEN, LEFT, UNREADABLE, or DUE when it could not be heard (no model).

        Raises:
            ToritsugiError: `hear` failed; nothing has changed.
        """
        while True:
            # The whole file, not only the talk: the proof must not depend on where the talk was thought to be.
            job = TranscriptionJob(
                base=base,
                citizen_path=self.folder / f"{base}-citizen.wav",
                line_path=self.folder / f"{base}-line.wav",
                language=language,
                attempts=ROUNDS,
            )
            heard = await asyncio.to_thread(hear, job)
            if heard.state is JobState.NO_MODEL:
                return MuteState.DUE
            async with self.uow() as unit:
                known = {side: await unit.mutes.get(base, side) for side in SIDES}
                call = next(mute.call_id for mute in known.values() if mute)
                more = mutes_of(call, base, heard.segments, [kind.value for kind in self.rules.kinds], 0.0)
                rounds = max((mute.rounds for mute in known.values() if mute), default=0) + bool(more)
                for each in more:
                    await unit.mutes.merge(replace(each, due_at=self.clock.epoch()))
                state = MuteState.DUE if more else MuteState.PROVEN
                if heard.state is JobState.DAMAGED:
                    state = MuteState.UNREADABLE
                await self._put(unit, base, state, rounds)
            if not more:
                return state
            for mute in await self._due(base):
                await self._mute(mute)
            if rounds >= ROUNDS:
                async with self.uow() as unit:
                    await self._put(unit, base, MuteState.LEFT, rounds)
                return MuteState.LEFT

    async def _put(self, unit: UnitOfWork, base: str, state: MuteState, rounds: int) -> None:
        for side in SIDES:
            mute = await unit.mutes.get(base, side)
            if mute and mute.state not in (MuteState.GONE, MuteState.UNREADABLE):
                await unit.mutes.put(replace(mute, state=state, scanned_at=self.clock.epoch(), rounds=rounds))

    async def _due(self, base: str) -> list[RecordingMute]:
        async with self.reading() as unit:
            found = [await unit.mutes.get(base, side) for side in SIDES]
        return [mute for mute in found if mute and mute.state is MuteState.DUE]
