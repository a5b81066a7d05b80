"""A small mail server on loopback that speaks as the tests want, and keeps what it was given."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default


@dataclass
class SmtpPeer:
    """`answers` overrides the reply to a command by its first word; an empty one hangs."""

    answers: Mapping[str, str] = field(default_factory=dict)
    starttls: ssl.SSLContext | None = None
    port: int = 0
    said: list[str] = field(default_factory=list)
    """Commands, in order; `AUTH` without its secret."""
    mails: list[EmailMessage] = field(default_factory=list)
    secured: bool = False
    connections: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            await self._talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        finally:
            writer.close()

    async def _say(self, writer: asyncio.StreamWriter, command: str, usual: str) -> bool:
        answer = self.answers.get(command, usual)
        if not answer:
            await asyncio.sleep(3600)
        writer.write(answer.encode() + b"\r\n")
        await writer.drain()
        return answer[0] in "23"

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not await self._say(writer, "GREETING", "220 peer"):
            return
        while line := (await reader.readline()).decode().strip():
            command = line.split()[0].upper()
            self.said.append("AUTH" if command == "AUTH" else command + line[len(command) :])
            match command:
                case "EHLO":
                    offers = ["250-peer"]
                    if self.starttls is not None and not self.secured:
                        offers.append("250-STARTTLS")
                    await self._say(writer, command, "\r\n".join([*offers, "250 AUTH PLAIN"]))
                case "STARTTLS":
                    assert self.starttls is not None
                    await self._say(writer, command, "220 go on")
                    await writer.start_tls(self.starttls)
                    self.secured = True
                case "DATA":
                    if await self._say(writer, command, "354 go on"):
                        data = await reader.readuntil(b"\r\n.\r\n")
                        if await self._say(writer, "BODY", "250 kept"):
                            mail = message_from_bytes(data[:-3], policy=default)
                            assert isinstance(mail, EmailMessage)
                            self.mails.append(mail)
                case "AUTH":
                    await self._say(writer, command, "235 welcome")
                case "QUIT":
                    await self._say(writer, command, "221 bye")
                    return
                case _:
                    await self._say(writer, command, "250 fine")


@asynccontextmanager
async def smtp_peer(
    answers: Mapping[str, str] | None = None, starttls: ssl.SSLContext | None = None
) -> AsyncIterator[SmtpPeer]:
    peer = SmtpPeer(answers=answers or {}, starttls=starttls)

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(peer.serve(reader, writer))
        peer._tasks.add(task)
        with contextlib.suppress(asyncio.CancelledError):
            await task

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    peer.port = server.sockets[0].getsockname()[1]
    try:
        yield peer
    finally:
        server.close()
        for task in peer._tasks:
            task.cancel()
        await asyncio.gather(*peer._tasks, return_exceptions=True)


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("not within ten seconds")
