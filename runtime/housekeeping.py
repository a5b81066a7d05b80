"""What an instance does at night and between calls: rotates logs, deletes what has had its time, and gives every
finished recording its row.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import asdict
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from core.clock import TOKYO, Clock
from core.errors import ToritsugiError
from core.settings import Settings
from runtime.anchoring import Anchoring
from runtime.availability import forget_months
from runtime.floor_papers import draft_last_month
from runtime.process import alive, read_json, run_folder
from runtime.records import Records, prove_day
from runtime.sealing import RecordingSealer, batches
from services.city import CityProfile
from services.recordings import RecordingKeeper
from services.retention import CutOffs, Retention, cut_offs
from storage.database import Database
from telephony.disk.rotation import begun, drained, rename_live, rotated
from telephony.disk.tail import Position

log = logging.getLogger(__name__)
# The one line a run writes is a record of deletion: it is written whatever level is asked for.
log.setLevel(logging.INFO)

NIGHT_HOUR = 3
"""City time at which a day's work begins."""
LOOK_EVERY_S = 5.0
RECORDINGS_EVERY_S = 0.5
RECORDINGS_SHARE = 20
"""Between two looks at the recordings' folder lie so many times what the last one took."""

RECORDINGS_AT_ONCE = 200
_OF_CASES = ("calls", "caller_numbers", "transcripts", "imported_cases")
"""Counts of what may have taken words out of the search."""

RotateLogs = Callable[[], Awaitable[object]]
"""Has a running Asterisk close and rename its own logs (`logger rotate`)."""


def last_run_key(node: str) -> str:
    """The setting that holds the city's date of the last nightly run; each node has files of its own."""
    return f"retention.last_run.{node}"


def due_day(city_now: datetime) -> date:
    """The day whose nightly work should have begun by now."""
    return (city_now - timedelta(hours=NIGHT_HOUR)).date()


class Housekeeper:
    """The housekeeping of one instance."""

    def __init__(
        self,
        settings: Settings,
        profile: CityProfile,
        database: Database,
        clock: Clock,
        records: Records,
        anchoring: Anchoring | None = None,
    ) -> None:
        self._settings, self._profile, self._database, self._clock = settings, profile, database, clock
        self._still = records.still
        self._sealer = RecordingSealer(settings)
        self._recordings = RecordingKeeper(settings.recordings, database.uow, clock, self._sealer.seal)
        numbers = profile.numbers
        self._retention = Retention(
            database.reading,
            database.uow,
            node=settings.node,
            city_numbers={*numbers.service, *numbers.test, numbers.outbound},
            remove_recording=self._remove_recording,
            anchor=anchoring.pruned if anchoring else lambda head: None,
        )

    async def watch_recordings(self) -> None:
        """For ever: store the rows of recordings as Asterisk closes them, and encrypt the files."""
        swept = False
        while True:
            began = time.monotonic()
            try:
                await self.watch_once()
                if not swept:
                    # What a killed engine left between a row and its encryption, and what is older than the key.
                    swept = await self.seal_rest() >= 0
            except Exception:
                log.exception("the rows of finished recordings could not be stored")
            await asyncio.sleep(max(RECORDINGS_EVERY_S, RECORDINGS_SHARE * (time.monotonic() - began)))

    async def watch_once(self) -> int:
        """Store the rows of recordings that were closed since the last time; how many."""
        return await self._recordings.take_in()

    async def seal_rest(self) -> int:
        """Encrypt every closed recording that is not, or that an older key encrypted; how many."""
        bases = await asyncio.to_thread(self._sealer.unsealed)
        sealed = 0
        for part in batches(sorted(bases), RECORDINGS_AT_ONCE):
            async with self._database.reading() as unit:
                known = await unit.recordings.known(part)
            sealed += await asyncio.to_thread(self._sealer.seal, known)
        return sealed

    async def every_night(self, rotate_logs: RotateLogs) -> None:
        """For ever: the work of a night, once a city's day, also when the instance was down at that hour."""
        while True:
            try:
                await self.nightly(rotate_logs)
            except Exception:
                log.exception("the night's work failed; it is tried again")
            await asyncio.sleep(LOOK_EVERY_S)

    async def nightly(self, rotate_logs: RotateLogs) -> bool:
        """Do the night's work if it is due; whether it was. A new instance waits for its first night."""
        key, day = last_run_key(self._settings.node), due_day(self._clock.city_now()).isoformat()
        async with self._database.reading() as unit:
            last = await unit.settings.get(key)
        if last == day:
            return False
        if last is not None:
            await self.run(rotate_logs)
            await draft_last_month(self._settings, self._profile, self._database, self._clock)
            await self._prove(due_day(self._clock.city_now()) - timedelta(days=1))
        async with self._database.uow() as unit:
            await unit.settings.put(key, day)
        return last is not None

    async def _prove(self, day: date) -> None:
        """Prove the day that is over; what fails here must not make the night's deletions run again."""
        try:
            found = await prove_day(self._settings, self._profile, self._database, self._clock, day)
        except Exception:
            log.exception("%s could not be proved; the desk says so until `ledger reconcile` has", day)
            return
        if not found.agrees:
            log.error("%s: %d differences; `ledger reconcile` lists them", day, len(found.differences))

    async def run(self, rotate_logs: RotateLogs | None = None, *, dry_run: bool = False) -> dict[str, Any]:
        """Delete and erase what has had its time.

        Args:
            rotate_logs: first rotate the logs, with this for the ones that Asterisk holds open. None leaves
                them to a running instance; nobody writes to those of one that is down, which are renamed.
            dry_run: only count.

        Returns:
            counts and cut-offs as JSON values; no personal data.
        """
        cut = cut_offs(self._profile.interactions.retention_days, self._clock.epoch())
        counts: Counter[str] = Counter()
        if not dry_run:
            await self.rotate(rotate_logs)
            await self.watch_once()
        counts.update(await self._strays(cut, dry_run))
        if dry_run:
            counts.update(await self._retention.due(cut))
        else:
            await self._recordings.adopt()
            counts.update(await self._retention.run(cut))
            await self.seal_rest()
        counts.update(await self._raw_logs(cut, dry_run))
        counts["availability_months"] = await asyncio.to_thread(
            forget_months, self._settings, cut.calls, dry_run=dry_run
        )
        if not dry_run and any(counts[name] for name in _OF_CASES):
            await self._database.forget_words()
        if not dry_run and not await self._database.empty_wal():
            log.info("deleted rows stay in the database's log until the next run: it was being read")
        done = dict(sorted(counts.items()))
        log.info("retention %s: %s", "would do" if dry_run else "done", done)
        return {
            "dry_run": dry_run,
            "counts": done,
            "before": {
                name: datetime.fromtimestamp(at, TOKYO).isoformat(timespec="seconds")
                for name, at in asdict(cut).items()
            },
        }

    async def rotate(self, rotate_logs: RotateLogs | None) -> None:
        """Begin new log files; see `run`."""
        if rotate_logs is None and alive(read_json(run_folder(self._settings) / "warden.json").get("pid")):
            return
        label = datetime.fromtimestamp(self._clock.epoch(), TOKYO).date().isoformat()
        async with self._still:
            # cel_custom opens its file for every record, so renaming is all.
            rename_live(self._settings.cel_log, label)
            if rotate_logs is None:
                for path in (self._settings.queue_log, *self._plain_logs()):
                    rename_live(path, label)
                return
            _copy_and_cut(self._console, label)
            try:
                await rotate_logs()
            except ToritsugiError as problem:
                log.warning("Asterisk's logs were not rotated this night: %s", problem)

    async def _strays(self, cut: CutOffs, dry_run: bool) -> Counter[str]:
        """Old files among the recordings that have no row."""
        old = await asyncio.to_thread(lambda: list(_older(self._settings.recordings, cut.recordings)))
        async with self._database.reading() as unit:
            known = await unit.recordings.known({_base_of(name) for name in old})
        strays = [name for name in old if _base_of(name) not in known]
        if not dry_run:
            for name in strays:
                await asyncio.to_thread(self._remove_recording, name)
        return Counter(stray_recordings=len(strays))

    async def _raw_logs(self, cut: CutOffs, dry_run: bool) -> Counter[str]:
        counts: Counter[str] = Counter(raw_logs=0, not_taken_in=0)
        async with self._still:
            async with self._database.reading() as unit:
                saved = {
                    each.log: Position.from_text(each.position)
                    for each in await unit.tails.positions()
                    if each.node == self._settings.node
                }
            followed = (("cel", self._settings.cel_log), ("queue_log", self._settings.queue_log))
            for kind, live in followed:
                position = saved.get(kind)
                served = drained(live, position)
                for path in [each for each in rotated(live) if _expired(each, cut)]:
                    if path not in served:
                        counts["not_taken_in"] += 1
                        continue
                    counts["raw_logs"] += 1
                    if not dry_run:
                        if position is not None and path.stat().st_ino == position.inode:
                            async with self._database.uow() as unit:
                                await unit.tails.forget(self._settings.node, kind)
                        path.unlink(missing_ok=True)
            for path in self._expired_plain_logs(cut):
                counts["raw_logs"] += 1
                if not dry_run:
                    path.unlink(missing_ok=True)
        if counts["not_taken_in"]:
            log.error("%d old logs are kept: the ledger has not read them", counts["not_taken_in"])
        return counts

    def _expired_plain_logs(self, cut: CutOffs) -> Iterator[Path]:
        sip = self._settings.sip_log
        # Whoever mirrors SIP opens its file again when it is gone; the other live ones are Asterisk's.
        for path in (*(each for live in self._plain_logs() for each in rotated(live)), sip):
            with contextlib.suppress(FileNotFoundError):
                if _expired(path, cut):
                    yield path

    @property
    def _console(self) -> Path:
        return self._settings.queue_log.parent / "console.log"

    def _plain_logs(self) -> tuple[Path, ...]:
        """Live files that nobody follows."""
        folder = self._settings.queue_log.parent
        return (folder / "messages.log", folder / "security.log", self._console, self._settings.sip_log)

    def _remove_recording(self, path: str) -> bool:
        # Only the name counts: the row's folder may be of another time or machine.
        try:
            (self._settings.recordings / Path(path).name).unlink()
        except FileNotFoundError:
            return False
        return True


def _expired(path: Path, cut: CutOffs) -> bool:
    first = begun(path)
    return path.stat().st_mtime < cut.raw_logs or (first is not None and first < cut.caller_numbers)


def _older(folder: Path, moment: float) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):
                    if (
                        entry.name.endswith((".wav", ".done"))
                        and entry.stat(follow_symlinks=False).st_mtime < moment
                    ):
                        yield entry.name
    except FileNotFoundError:
        return


def _base_of(name: str) -> str:
    stem = name.rpartition(".")[0]
    return stem.removesuffix("-citizen").removesuffix("-line")


def _copy_and_cut(path: Path, label: str) -> None:
    """Rotate a file that its writer keeps open for appending and nobody follows."""
    with contextlib.suppress(FileNotFoundError):
        stat, target = path.stat(), path.with_name(f"{path.name}.{label}")
        if stat.st_size:
            with path.open("rb") as old, target.open("ab") as new:
                shutil.copyfileobj(old, new)
            os.utime(target, ns=(stat.st_atime_ns, stat.st_mtime_ns))
            os.truncate(path, 0)


async def retention_run(city: str | None, *, dry_run: bool) -> dict[str, Any]:
    """`retention run`."""
    from runtime.instance import Instance

    instance = Instance.open(city=city)
    database = instance.database
    await database.migrate()
    records = Records(instance.settings, instance.profile, database, instance.clock)
    try:
        if not dry_run and not alive(read_json(run_folder(instance.settings) / "warden.json").get("pid")):
            await records.take_in()
        keeper = Housekeeper(
            instance.settings, instance.profile, database, instance.clock, records, instance.anchoring()
        )
        return await keeper.run(dry_run=dry_run)
    finally:
        await database.close()
