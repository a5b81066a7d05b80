"""Asterisk's side of a FastAGI conversation, scripted."""

from __future__ import annotations

import asyncio


class AgiPeer:
    """Connects, says its header, reads commands, replies what it is told."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def connect(cls, port: int, script: str | None = "ivr", *arguments: str) -> AgiPeer:
        """`script` None says no header."""
        peer = cls(*await asyncio.open_connection("127.0.0.1", port))
        if script is not None:
            header = f"agi_network: yes\nagi_network_script: {script}\nagi_uniqueid: n1-1.1\n"
            header += "".join(f"agi_arg_{i}: {text}\n" for i, text in enumerate(arguments, 1))
            await peer.say(header + "\n")
        return peer

    async def say(self, text: str | bytes) -> None:
        self.writer.write(text.encode() if isinstance(text, str) else text)
        await self.writer.drain()

    async def command(self) -> str:
        """The next command."""
        line = await asyncio.wait_for(self.reader.readuntil(b"\n"), 5)
        return line.decode().rstrip("\n")

    async def answer(self, text: str | bytes) -> str:
        """Read a command, reply `text` and a newline; the command."""
        command = await self.command()
        await self.say((text.encode() if isinstance(text, str) else text) + b"\n")
        return command

    async def closed(self) -> bool:
        """Wait until the other side closes; False when it says something instead."""
        try:
            return await asyncio.wait_for(self.reader.read(1), 5) == b""
        except ConnectionError:
            return True

    def close(self) -> None:
        self.writer.close()
