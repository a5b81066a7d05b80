"""pyst2's AGI with its known faults closed, and its only importer; for scripts that Asterisk starts itself.

Used from pyst2 0.5.1: `AGI.execute` and its exceptions. Replaced: the start (signal handler, everything to stderr,
caller id included), the reading of replies (endless loop after EOF, HANGUP taken for a reply) and the quoting.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Coroutine
from typing import Any, BinaryIO, TypeVar

from asterisk.agi import AGI, AGIHangup

from ivr.ports import CallerGone
from telephony.agi.replies import Reply, ReplyReader
from telephony.agi.voice import AgiVoice, Command

MAX_LINE = 64 * 1024
MAX_HEADER_LINES = 500


class _GuardedAgi(AGI):  # type: ignore[misc] # pyst2 has no types
    """`AGI` without its `__init__`, over two binary streams."""

    def __init__(self, stdin: BinaryIO, stdout: BinaryIO) -> None:
        self.stdin, self.stdout = stdin, stdout
        self._got_sighup = False
        self._replies = ReplyReader()
        self.env: dict[str, str] = {}
        for _ in range(MAX_HEADER_LINES):
            line = self._line().strip()
            if not line:
                return
            key, _colon, value = line.decode("utf-8", "replace").partition(": ")
            self.env[key] = value

    def hung_up(self) -> None:
        """Asterisk tells a hang-up by SIGHUP."""
        self._got_sighup = True

    def _line(self) -> bytes:
        line = self.stdin.readline(MAX_LINE)
        if not line.endswith(b"\n"):
            raise AGIHangup("Asterisk closed the conversation")
        return line

    def send_command(self, command: bytes, *args: object) -> None:
        self.stdout.write(command)
        self.stdout.flush()

    def get_result(self, stdin: object = None) -> Reply:
        while (reply := self._replies.feed(self._line())) is None:
            pass
        return reply


class ProcessAgiChannel(AgiVoice):
    """One call, spoken to over this process's own standard input and output. Every method blocks.

    There is no loop: drive a coroutine on it with `run_blocking`. A command that never ends is Asterisk's to end:
    the process has one call and holds nothing else up.
    """

    def __init__(self, stdin: BinaryIO, stdout: BinaryIO) -> None:
        try:
            self._agi = _GuardedAgi(stdin, stdout)
        except AGIHangup:
            raise CallerGone from None
        super().__init__(self._agi.env)

    @classmethod
    def of_this_process(cls) -> ProcessAgiChannel:
        """The call that Asterisk started this process for.

        Raises:
            CallerGone: there is none, or it ended already.
        """
        channel = cls(sys.stdin.buffer, sys.stdout.buffer)
        signal.signal(signal.SIGHUP, lambda *_: channel._agi.hung_up())
        return channel

    async def _execute(self, command: Command) -> Reply:
        try:
            reply: Reply = self._agi.execute(command.line)
        except (AGIHangup, BrokenPipeError):
            raise CallerGone from None
        return reply


Result = TypeVar("Result")


def run_blocking(task: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine that never really waits, without an event loop (whose import would cost more than the call).

    Raises:
        RuntimeError: it did wait for something.
    """
    try:
        task.send(None)
    except StopIteration as done:
        result: Result = done.value
        return result
    task.close()
    raise RuntimeError("a coroutine of a process AGI waited for an event loop")
