"""Recordings on disk as rows: what Asterisk has closed is looked at once and stored, one row a side.

MixMonitor's post command leaves an empty marker `<base>.done` when both files are whole. The marker goes when its
rows are stored, so a folder of years is never read again, only listed, and only after something in it changed.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum, unique
from pathlib import Path

from core.clock import Clock
from core.ids import CallId
from core.sealed import plain_size
from ledger.calls import Call
from services.ports import RecordingFile, UnitOfWorkFactory
from speech.audio import AudioProblem, AudioUnreadable, open_recording

log = logging.getLogger(__name__)

SIDES = ("citizen", "line")
OPEN_FILE_S = 600.0
"""A file that nobody wrote to for so long is closed: the Asterisk that wrote it was killed, and no marker comes."""
BATCH = 200
UNKNOWN_CALL_S = 60.0
"""A marker waits so long for its call to be in the ledger; then its row is stored without."""

_BASE = re.compile(r"(?P<call>c-[A-Za-z0-9]+-(?P<second>\d{1,12})\.\d{1,12})(?:-cb\d{1,2})?")
"""A call's own recording is named after it; that of a call-back's talk has the number of the try behind."""
_FILE = re.compile(rf"(?P<base>{_BASE.pattern})-(?:{'|'.join(SIDES)})\.wav")
_CLOCK_GRAIN_S = 1.0
"""A folder changed so recently may change again without its time telling."""


@unique
class RecordingState(StrEnum):
    """What was found when the file was closed."""

    CLOSED = "closed"
    UNFINISHED = "unfinished"
    """Asterisk died while it wrote: readable, its length taken from the file's size."""
    EMPTY = "empty"
    """Nothing, or nothing but a header: the call ended before a sound came."""
    DAMAGED = "damaged"
    MISSING = "missing"
    """The other side's file is there, this one's is not."""


_STATE_OF = {
    AudioProblem.EMPTY: RecordingState.EMPTY,
    AudioProblem.DAMAGED: RecordingState.DAMAGED,
    AudioProblem.MISSING: RecordingState.MISSING,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One side as it lies on disk."""

    path: Path
    state: RecordingState
    bytes: int | None
    duration_s: float | None


def look_at(path: Path) -> Look:
    """Read a file's header, not its sound."""
    try:
        size = plain_size(path)
    except FileNotFoundError:
        return Look(path=path, state=RecordingState.MISSING, bytes=None, duration_s=None)
    try:
        sound = open_recording(path)
    except AudioUnreadable as problem:
        state = _STATE_OF[problem.problem]
        return Look(
            path=path,
            state=state,
            bytes=size,
            duration_s=0.0 if state is RecordingState.EMPTY else None,
        )
    state = RecordingState.UNFINISHED if sound.repaired else RecordingState.CLOSED
    return Look(path=path, state=state, bytes=size, duration_s=round(sound.duration_s, 3))


def started_at(base: str, call: Call | None) -> float:
    """When the recording began: as the ledger says, or the second in the Uniqueid inside its name."""
    if call is not None and base == call.call_id:
        return call.arrived_at if call.recorded_from is None else call.recorded_from
    if call is not None and call.callback is not None:
        for each in call.callback.tries:
            if base == f"{call.call_id}-cb{each.attempt}":
                return each.at
    found = _BASE.fullmatch(base)
    if found is None:
        raise ValueError(f"no recording of ours: {base!r}")
    return float(found["second"])


def call_of(base: str) -> CallId:
    """The call that a recording belongs to.

    Raises:
        ValueError: it is no recording of ours.
    """
    found = _BASE.fullmatch(base)
    if found is None:
        raise ValueError(f"no recording of ours: {base!r}")
    return CallId(found["call"])


class RecordingKeeper:
    """Stores the rows of one folder. Several may run at once; storing a row twice changes nothing.

    Args:
        folder: the recordings'.
        uow: writes.
        clock: real time.
        seal: encrypts the files of these bases; called once their rows are stored.
    """

    def __init__(
        self,
        folder: Path,
        uow: UnitOfWorkFactory,
        clock: Clock,
        seal: Callable[[Collection[str]], object] | None = None,
    ) -> None:
        self._folder, self._uow, self._clock, self._seal = folder, uow, clock, seal
        self._listed_at: int | None = None

    async def take_in(self) -> int:
        """Store what has been closed since the last time; returns the number of recordings.

        Cheap to call often: the folder is listed only when it changed.
        """
        stored = 0
        while found := await asyncio.to_thread(self._markers):
            late = self._clock.epoch() - UNKNOWN_CALL_S
            done = await self.store([base for base, _ in found], lost=[b for b, at in found if at < late])
            await asyncio.to_thread(self._remove_markers, done)
            stored += len(done)
            if len(done) < len(found):
                self._listed_at = None  # some wait for their call, which the folder's time will not tell
                break
        return stored

    async def store(self, bases: Collection[str], *, lost: Collection[str] = ()) -> list[str]:
        """Store the rows of closed recordings.

        Args:
            bases: their base names.
            lost: those among them to be stored even when the ledger does not know the call.

        Returns:
            those dealt with; one without any file is, and has no row.
        """
        wanted = [base for base in bases if _BASE.fullmatch(base)]
        looks = await asyncio.to_thread(
            lambda: {
                base: [look_at(self._folder / f"{base}-{side}.wav") for side in SIDES] for base in wanted
            }
        )
        done = []
        async with self._uow() as unit:
            # A recording is named after its call (docs/dialplan-contract.md).
            calls = await unit.calls.get([call_of(base) for base in wanted])
            for base, sides in looks.items():
                call = calls.get(call_of(base))
                if call is None and base not in lost:
                    continue
                done.append(base)
                if all(look.state is RecordingState.MISSING for look in sides):
                    continue
                for side, look in zip(SIDES, sides, strict=True):
                    await unit.recordings.put(
                        RecordingFile(
                            base=base,
                            side=side,
                            call_id=call_of(base),
                            path=str(look.path),
                            state=look.state.value,
                            bytes=look.bytes,
                            duration_s=look.duration_s,
                            started_at=started_at(base, call),
                        )
                    )
        if self._seal is not None:
            await asyncio.to_thread(self._seal, done)
        return done

    def abandoned(self, base: str) -> bool:
        """Whether nobody has written to the files of `base` for ten minutes, or there are none."""
        now = self._clock.epoch()
        return all(now - _written(self._folder / f"{base}-{side}.wav") > OPEN_FILE_S for side in SIDES)

    async def adopt(self) -> int:
        """Store the rows of recordings whose Asterisk died; reads the whole folder, so once a day is enough."""
        bases = await asyncio.to_thread(self._old_bases)
        stored = 0
        for start in range(0, len(bases), BATCH):
            part = bases[start : start + BATCH]
            async with self._uow() as unit:
                part = sorted(set(part) - await unit.recordings.known(part))
            if part:
                stored += len(await self.store(part, lost=part))
        return stored

    def _markers(self) -> list[tuple[str, float]]:
        """Up to a batch of (base, time of the marker); empty when the folder is as it was last time."""
        try:
            changed = self._folder.stat().st_mtime_ns
        except FileNotFoundError:
            return []
        if changed == self._listed_at:
            return []
        listed_at = self._clock.epoch()
        found: list[tuple[str, float]] = []
        with os.scandir(self._folder) as entries:
            for entry in entries:
                base, dot, suffix = entry.name.rpartition(".")
                if dot and suffix == "done" and _BASE.fullmatch(base):
                    found.append((base, entry.stat(follow_symlinks=False).st_mtime))
                    if len(found) == BATCH:
                        return found
        self._listed_at = changed if changed < (listed_at - _CLOCK_GRAIN_S) * 1e9 else None
        return found

    def _remove_markers(self, bases: Iterable[str]) -> None:
        for base in bases:
            (self._folder / f"{base}.done").unlink(missing_ok=True)

    def _old_bases(self) -> list[str]:
        limit = self._clock.epoch() - OPEN_FILE_S
        latest: dict[str, float] = {}
        try:
            with os.scandir(self._folder) as entries:
                for entry in entries:
                    found = _FILE.fullmatch(entry.name)
                    if found:
                        written = entry.stat(follow_symlinks=False).st_mtime
                        base = found["base"]
                        latest[base] = max(written, latest.get(base, 0.0))
        except FileNotFoundError:
            return []
        return sorted(base for base, written in latest.items() if written < limit)


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
