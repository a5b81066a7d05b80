"""Starting, asking and stopping the Asterisk of this instance."""

from __future__ import annotations

import asyncio
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

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process and self.process.returncode is None else None

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
            out, _ = await asyncio.wait_for(process.communicate(), timeout)
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
        if self.process is None or self.process.returncode is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self.process.wait(), timeout)
        except TimeoutError:
            os.killpg(self.process.pid, signal.SIGKILL)
            await self.process.wait()

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
