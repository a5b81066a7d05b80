"""The parent process: starts Asterisk, the engine, the transcriber, the desk and the prober, and keeps them alive.

It also receives Asterisk's copy of every SIP message (HEP), so that the count of calls is independent of the
engine. A child whose loop has stopped beating is killed: that closes its sockets, and every caller falls back.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from asterisk_conf.embedded import AsteriskDown, EmbeddedAsterisk
from core.settings import PROJECT_ROOT, Settings
from runtime.process import (
    BEAT_DEAD_S,
    beat_age,
    beat_path,
    die_with_parent,
    run_folder,
    write_json,
)
from telephony.hep import HepReceiver

log = logging.getLogger(__name__)

START_GRACE_S = 30.0
"""A starting child may take this long until its first beat."""
RESTART_FIRST_S = 0.2
RESTART_LAST_S = 3.0
"""Callers meet the fallback script meanwhile; a long pause would gain nothing."""
ONE_ARENA = {"MALLOC_ARENA_MAX": "1"}
"""For whoever runs an event loop: glibc gives each thread that waits for a database a heap of its own, and what those
have freed is of no use to the others. The transcriber counts in many threads at once and is left alone."""
STEADY_S = 30.0
"""A child that ran so long starts over with the shortest delay."""


@dataclass(slots=True)
class Child:
    """A process of ours that is started again whenever it ends."""

    name: str
    arguments: Sequence[str]
    beats: bool
    process: asyncio.subprocess.Process | None = None
    started_at: float = 0.0
    restarts: int = 0
    delay: float = field(default=RESTART_FIRST_S)
    needed: bool = True
    """Whether the centre counts as ready only once this beats."""


class Warden:
    """Runs one instance until told to stop."""

    def __init__(
        self, settings: Settings, asterisk: EmbeddedAsterisk, environment: Mapping[str, str]
    ) -> None:
        self._settings, self._asterisk = settings, asterisk
        self._environment = dict(os.environ) | dict(environment)
        self._stop = asyncio.Event()
        self.ready = asyncio.Event()
        self.children = [
            Child("engine", ("engine",), beats=True),
            Child("transcriber", ("transcriber",), beats=False),
        ]
        if settings.http_port:
            self.children.append(Child("desk", ("desk",), beats=True, needed=False))

        if settings.availability:
            self.children.append(Child("prober", ("prober",), beats=False, needed=False))

    def stop(self) -> None:
        """Ask for the end; `run` returns when all is down."""
        self._stop.set()

    async def run(self) -> None:
        """Start everything, watch it, and end it all after `stop()`.

        Raises:
            AsteriskDown: Asterisk did not start.
        """
        hep = HepReceiver("127.0.0.1", self._settings.hep_port, self._settings.sip_log)
        await hep.start()
        try:
            if await self._asterisk.adopt():
                log.warning("took over the Asterisk that an earlier parent left running")
            else:
                await self._asterisk.start()
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._keep_asterisk())]
                tasks += [group.create_task(self._keep(child)) for child in self.children]
                tasks.append(group.create_task(self._report()))
                await self._stop.wait()
                for task in tasks:
                    task.cancel()
        finally:
            for child in self.children:
                await self._end(child)
            await self._asterisk.stop()
            await hep.stop()
            with contextlib.suppress(FileNotFoundError):
                (run_folder(self._settings) / "warden.json").unlink()

    async def _keep_asterisk(self) -> None:
        while True:
            await self._asterisk.ended()
            log.error("Asterisk ended; starting it again")
            try:
                await self._asterisk.start()
            except AsteriskDown as problem:
                log.error("%s", problem)
                await asyncio.sleep(2.0)

    async def _keep(self, child: Child) -> None:
        loop = asyncio.get_running_loop()
        path = beat_path(self._settings, child.name)
        while True:
            path.unlink(missing_ok=True)
            child.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "runtime",
                *child.arguments,
                cwd=PROJECT_ROOT,
                env={**(ONE_ARENA if child.beats else {}), **self._environment},
                stdin=subprocess.DEVNULL,
                preexec_fn=die_with_parent,
            )
            child.started_at = loop.time()
            watch = asyncio.create_task(self._watch(child)) if child.beats else None
            try:
                code = await child.process.wait()
            finally:
                if watch is not None:
                    watch.cancel()
            child.restarts += 1
            child.delay = (
                RESTART_FIRST_S
                if loop.time() - child.started_at > STEADY_S
                else min(child.delay * 2, RESTART_LAST_S)
            )
            log.error("%s ended with %s; starting again in %.1f s", child.name, code, child.delay)
            await asyncio.sleep(child.delay)

    async def _watch(self, child: Child) -> None:
        path = beat_path(self._settings, child.name)
        loop = asyncio.get_running_loop()
        while child.process is not None:
            await asyncio.sleep(0.25)
            age = beat_age(path)
            late = loop.time() - child.started_at > START_GRACE_S if age is None else age > BEAT_DEAD_S
            if age is not None and child.needed:
                self.ready.set()
            if late:
                log.error("%s does not answer; killing it, to be started again", child.name)
                child.process.kill()
                return

    async def _end(self, child: Child) -> None:
        process = child.process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(5.0):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    async def _report(self) -> None:
        path = run_folder(self._settings) / "warden.json"
        while True:
            write_json(
                path,
                {
                    "pid": os.getpid(),
                    "asterisk": self._asterisk.pid,
                    "ready": self.ready.is_set(),
                    **{
                        child.name: {
                            "pid": child.process.pid
                            if child.process and child.process.returncode is None
                            else None,
                            "restarts": child.restarts,
                        }
                        for child in self.children
                    },
                },
            )
            await asyncio.sleep(0.25)
