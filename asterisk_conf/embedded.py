"""Starting, asking and stopping the Asterisk of this instance."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from asterisk_conf.model import Paths
from core.errors import ToritsugiError


class AsteriskDown(ToritsugiError):
    """Asterisk did not start, or is not there to be asked."""

    code = "asterisk.down"


def prepare_folders(paths: Paths) -> None:
    """Make the folders Asterisk writes to; it does not make them itself."""
    for folder in (
        paths.etc,
        paths.state / "keys",
        paths.state / "spool",
        paths.log / "cel-custom",
        paths.run,
        paths.recordings,
        paths.sounds,
        paths.fallback_script.parent,
    ):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)


class EmbeddedAsterisk:
    """One Asterisk process, kept apart from our own process group so that our end is not its end."""

    def __init__(self, argv: Sequence[str], paths: Paths) -> None:
        self._argv = [*argv, "-C", str(paths.etc / "asterisk.conf")]
        self._paths = paths
        self.process: asyncio.subprocess.Process | None = None
        self._adopted: int | None = None

    @property
    def pid(self) -> int | None:
        if self._adopted is not None:
            return self._adopted
        return self.process.pid if self.process and self.process.returncode is None else None

    def left_running(self) -> int | None:
        """The process id of an Asterisk that runs on our configuration though we did not start it.

        It is there when our parent process was killed: the calls went on without us.
        """
        try:
            pid = int((self._paths.run / "asterisk.pid").read_text(encoding="ascii"))
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError):
            return None
        return pid if self._argv[-1].encode() in words else None

    async def adopt(self) -> bool:
        """Take over what `left_running` finds, with the configuration that is on disk now.

        Returns False when there is nothing to take over. Calls in progress are not touched.
        """
        pid = self.left_running()
        if pid is None:
            return False
        self._adopted = pid
        for command in ("dialplan reload", "module reload res_pjsip.so", "queue reload all"):
            await self.cli(command, missing_ok=True)
        return True

    async def ended(self) -> None:
        """Wait until the process is gone."""
        if self._adopted is not None:
            while True:
                if self.left_running() != self._adopted:
                    break
                await asyncio.sleep(0.25)
            self._adopted = None
        elif self.process is not None:
            await self.process.wait()

    async def start(self, *, timeout: float = 30.0) -> None:
        """Start and wait until fully booted.

        Raises:
            AsteriskDown: it ended at once or was not ready in time; the message quotes its log.
        """
        console = self._paths.log / "console.log"
        with console.open("ab") as out:
            self.process = await asyncio.create_subprocess_exec(
                *self._argv, "-f", stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
            )
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while loop.time() < deadline:
            if self.process.returncode is not None:
                raise AsteriskDown(f"Asterisk が始まりません: {self.last_words()}", where=str(console))
            if "fully booted" in await self.cli("core waitfullybooted", missing_ok=True):
                return
            await asyncio.sleep(0.05)
        await self.stop()
        raise AsteriskDown(
            f"Asterisk が {timeout:.0f} 秒以内に始まりません: {self.last_words()}", where=str(console)
        )

    async def cli(self, command: str, *, missing_ok: bool = False, timeout: float = 15.0) -> str:
        """Run one console command and return what it prints.

        Raises:
            AsteriskDown: there is no Asterisk to ask (unless `missing_ok`).
        """
        process = await asyncio.create_subprocess_exec(
            *self._argv,
            "-rx",
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        try:
            async with asyncio.timeout(timeout):
                out, _ = await process.communicate()
        except TimeoutError:
            process.kill()
            await process.wait()
            out = b""
        text = out.decode("utf-8", "replace")
        if process.returncode and not missing_ok:
            raise AsteriskDown(f"Asterisk に尋ねられません: {text.strip()[:200]}", where=command)
        return text

    async def stop(self, *, timeout: float = 10.0) -> None:
        """End it: politely first, then by force."""
        pid = self.pid
        if pid is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
            try:
                async with asyncio.timeout(timeout):
                    await self.ended()
            except TimeoutError:
                os.kill(pid, signal.SIGKILL)
                await self.ended()

    def last_words(self) -> str:
        """The last lines of its log, for an error that a person reads."""
        lines: list[str] = []
        for name in ("messages.log", "console.log"):
            path: Path = self._paths.log / name
            if path.exists():
                lines += [
                    line
                    for line in path.read_text(encoding="utf-8", errors="replace").splitlines()
                    if "ERROR" in line or "WARNING" in line
                ][-3:]
        return " / ".join(lines)[-600:] or "記録がありません"
