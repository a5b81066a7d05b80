"""A scripted Manager Interface on loopback: says what Asterisk says, and misbehaves on demand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType

Action = dict[str, str]
Answer = Callable[[Action], str]

BANNER = "Asterisk Call Manager/11.0.0\r\n"


def message(**headers: str) -> str:
    """One AMI message."""
    return "".join(f"{key}: {value}\r\n" for key, value in headers.items()) + "\r\n"


def success(action: Action, text: str = "", **headers: str) -> str:
    return message(Response="Success", ActionID=action["ActionID"], Message=text, **headers)


def member(event: str, number: int) -> str:
    """A queue member's event; `number` tells one from another."""
    return message(
        Event=event, Queue="booking-ja", MemberName="op101", Interface="PJSIP/op101", Penalty=str(number),
        CallsTaken="0", LastCall="0", LastPause="0", LoginTime="0", InCall="0", Status="1", Paused="0",
        PausedReason="", StateInterface="PJSIP/op101", Membership="dynamic", Ringinuse="0", Wrapuptime="0",
    )  # fmt: skip


class FakeAmi:
    """Accepts any number of connections; answers the actions it has been taught, is silent on others."""

    def __init__(self, secret: str = "right") -> None:
        self.secret = secret
        self.port = 0
        self.connections = 0
        self.received: list[Action] = []
        self._answers: dict[str, Answer] = {
            "Login": self._login,
            "Ping": lambda action: success(action, Ping="Pong"),
            "Logoff": lambda action: message(Response="Goodbye", ActionID=action["ActionID"]),
        }
        self._writers: list[asyncio.StreamWriter] = []
        self._changed = asyncio.Condition()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> FakeAmi:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        await self.drop()

    def on(self, name: str, answer: Answer) -> None:
        self._answers[name] = answer

    def silent(self, name: str) -> None:
        self._answers.pop(name, None)

    def names(self) -> list[str]:
        """Names of the actions received so far."""
        return [action.get("Action", "?") for action in self.received]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something the server counts makes `condition` true."""
        async with asyncio.timeout(10), self._changed:
            await self._changed.wait_for(condition)

    async def send(self, text: str | bytes) -> None:
        """To the newest connection."""
        writer = self._writers[-1]
        writer.write(text.encode() if isinstance(text, str) else text)
        await writer.drain()

    async def drop(self) -> None:
        """Close every connection."""
        writers, self._writers = self._writers, []
        for writer in writers:
            writer.close()

    @property
    def open(self) -> int:
        """Connections that neither side has closed."""
        return len(self._writers)

    def _login(self, action: Action) -> str:
        if action["Secret"] != self.secret:
            return message(Response="Error", ActionID=action["ActionID"], Message="Authentication failed")
        return success(action, "Authentication accepted") + message(Event="FullyBooted", Uptime="5")

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        writer.write(BANNER.encode())
        await self._notify()
        try:
            while True:
                block = (await reader.readuntil(b"\r\n\r\n")).decode()
                action: Action = {}
                for line in block.strip().split("\r\n"):
                    key, _, value = line.partition(": ")
                    # A header that comes several times (Variable) is one text of several lines.
                    action[key] = f"{action[key]}\n{value}" if key in action else value
                self.received.append(action)
                answer = self._answers.get(action["Action"])
                text = answer(action) if answer else ""
                writer.write(text.encode())
                await self._notify()
                if "Authentication failed" in text:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            if writer in self._writers:
                self._writers.remove(writer)
            writer.close()
            await self._notify()
