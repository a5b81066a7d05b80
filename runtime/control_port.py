"""The door by which other processes of this instance give commands: a socket in its home, one JSON object a line.

A Unix-domain socket, because the kernel then answers who may come in: the file is its owner's alone, in a folder that
is its owner's alone ([ADR 21](../docs/adr/0021-commands-for-a-desk.md)). Who comes in is believed about whom they
speak for: a desk has logged its people in.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from acd.commands import Act, Answer, Asked, Asker, Command, Hand, Outcome, Role
from core.errors import ToritsugiError
from core.ids import CallId, OperatorId
from core.settings import Settings

log = logging.getLogger(__name__)

LINE_BYTES = 64 * 1024
WORD_BYTES = 8 * 1024 * 1024
"""Of one word of the floor; two hundred operators take about 60 KiB."""
MOST_AT_ONCE = 64
"""Connections; whoever comes after that is turned away."""
NAME = "control.sock"
FLOOR = "floor"
"""What a connection asks for that only wants to hear the engine's word of the floor from then on."""
SLOWEST_S = 10.0
"""Whoever takes no word for so long is cut off."""


@contextlib.contextmanager
def socket_address(settings: Settings) -> Iterator[str]:
    """The socket's address, short enough for the kernel however deep the home lies."""
    folder = settings.home / "run"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{NAME}"
    finally:
        os.close(descriptor)


def command_of(values: Mapping[str, Any]) -> Command:
    """A command from its JSON object.

    Raises:
        ToritsugiError: a field is missing, of another kind, or unknown.
    """
    known = {"id", "act", "by", "operator", "to", "reason", "until", "skills"}
    if unknown := sorted(set(values) - known):
        raise _unreadable(
            f"知らない項目です: {', '.join(unknown)}",
            "余計な項目を消す",
        )
    by = values.get("by")
    if not isinstance(by, dict):
        raise _unreadable(
            "だれの操作か (by) がありません", 'by に {"name": …, "role": …, "operator": …} を書く'
        )
    try:
        act = Act(_text(values, "act"))
    except ValueError:
        raise _unreadable(
            f"知らない操作です: {values.get('act')!r}", f"次のどれか: {', '.join(Act)}"
        ) from None
    try:
        role = Role(_text(by, "role"))
    except ValueError:
        raise _unreadable(f"知らない役割です: {by.get('role')!r}", f"次のどれか: {', '.join(Role)}") from None
    skills = values.get("skills") or {}
    if not isinstance(skills, dict) or not all(
        isinstance(level, int) and not isinstance(level, bool) for level in skills.values()
    ):
        raise _unreadable("skills が読めません", '{"card": 3} のように書く')
    telephone, operator = _text(by, "operator"), _text(values, "operator")
    return Command(
        act=act,
        asker=Asker(name=_text(by, "name"), role=role, operator=OperatorId(telephone)),
        operator=OperatorId(operator),
        to=_text(values, "to"),
        reason=_text(values, "reason"),
        until=_text(values, "until"),
        skills=skills,
    )


def _text(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name)
    if value is None:
        return ""
    # Some of it becomes a header of a manager action, where a line break would begin another one.
    if not isinstance(value, str) or len(value) > 500 or not value.isprintable():
        raise _unreadable(f"{name} が読めません", "500 字までの一行の文字で書く")
    return value


def _unreadable(message: str, cure: str) -> ToritsugiError:
    return ToritsugiError(message, where="依頼", cure=cure)


def record_of(answer: Answer) -> dict[str, Any]:
    """An answer as JSON values."""
    return {
        "outcome": answer.outcome.value,
        "text": answer.text,
        "call": answer.call,
        "hand": _hand(answer.hand) if answer.hand else None,
    }


def _hand(hand: Hand) -> dict[str, Any]:
    return {
        "operator": hand.operator,
        "state": hand.state,
        "call": hand.call,
        "joined": hand.joined,
        "asked": hand.asked.value,
        "by_telephone": hand.by_telephone,
        "muted": hand.muted,
        "relay": hand.relay,
        "warned": hand.warned,
        "after": hand.after,
        "watchers": sorted(hand.watchers),
    }


def hand_of_record(told: Mapping[str, Any]) -> Hand:
    """What `record_of` says of an operator's hand. It names no channels: both are taken to be there while a call is in
    hand, and the engine looks again before it does anything."""
    call = CallId(told["call"]) if told["call"] else None
    there = "there" if call else ""
    return Hand(
        operator=OperatorId(told["operator"]), state=told["state"], call=call, leg=there, citizen=there,
        joined=told["joined"], asked=Asked(told["asked"]), by_telephone=told["by_telephone"], muted=told["muted"],
        relay=told["relay"], warned=told["warned"], after=told["after"],
        watchers=frozenset(OperatorId(each) for each in told["watchers"]),
    )  # fmt: skip


@dataclass(slots=True)
class ControlPort:
    """Serves commands until it is cancelled."""

    settings: Settings
    do: Callable[[Command], Awaitable[Answer]]
    words: Callable[[], AsyncIterator[bytes]]
    """The engine's words of the floor, a line each, the present one first."""
    _open: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self) -> None:
        """For ever; ends by cancellation. A socket file left by a dead engine is replaced."""
        with socket_address(self.settings) as address:
            Path(address).unlink(missing_ok=True)
            old = os.umask(0o177)
            try:
                server = await asyncio.start_unix_server(self._serve, address, limit=LINE_BYTES)
            finally:
                os.umask(old)
            try:
                async with server:
                    await server.serve_forever()
            finally:
                for task in list(self._open):
                    task.cancel()
                Path(address).unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            return
        self._open.add(task)
        try:
            while len(self._open) <= MOST_AT_ONCE:
                try:
                    line = await reader.readline()
                except ValueError:
                    return  # longer than any command
                if not line:
                    return
                if _wants_the_floor(line):
                    return await self._tell(writer)
                writer.write(json.dumps(await self._answered(line), ensure_ascii=False).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, TimeoutError, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(task)
            writer.close()

    async def _tell(self, writer: asyncio.StreamWriter) -> None:
        """Every word of the floor until the listener goes."""
        async for word in self.words():
            writer.write(word)
            async with asyncio.timeout(SLOWEST_S):
                await writer.drain()

    async def _answered(self, line: bytes) -> dict[str, Any]:
        identity: Any = None
        try:
            values = json.loads(line)
            if not isinstance(values, dict):
                raise ValueError("no object")
            identity = values.get("id")
            command = command_of(values)
        except ToritsugiError as problem:
            answer = Answer(outcome=Outcome.REFUSED, text=str(problem))
        except (ValueError, RecursionError):
            answer = Answer(
                outcome=Outcome.REFUSED, text="読めない依頼です。一行に一つの JSON を書いてください。"
            )
        else:
            try:
                # Whoever asked may hang up: what was begun is brought to its end, and noted.
                answer = await asyncio.shield(self.do(command))
            except asyncio.CancelledError:
                raise
            except Exception:
                log.exception("a command failed: %s", command.act.value)
                answer = Answer(
                    outcome=Outcome.SWITCH_REFUSED, text="中枢で失敗しました。記録を見てください。"
                )
        return {"id": identity if isinstance(identity, str | int) else None, **record_of(answer)}


def _wants_the_floor(line: bytes) -> bool:
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(values, dict) and values.get("act") == FLOOR


async def listen(settings: Settings) -> AsyncIterator[dict[str, Any]]:
    """The running engine's words of the floor, the present one at once and each newer one as it is made.

    Ends when the engine goes away.

    Raises:
        OSError: no engine listens.
    """
    with socket_address(settings) as address:
        reader, writer = await asyncio.open_unix_connection(address, limit=WORD_BYTES)
    try:
        writer.write(json.dumps({"act": FLOOR}).encode() + b"\n")
        await writer.drain()
        while (line := await reader.readline()).endswith(b"\n"):
            word = json.loads(line)
            if "at" not in word:
                return  # a refusal: an older engine, still running, tells nothing
            yield word
    finally:
        writer.close()


async def ask(settings: Settings, command: Mapping[str, Any], *, within_s: float = 40.0) -> dict[str, Any]:
    """Give one command to the running engine, and its answer.

    Raises:
        ToritsugiError: no engine runs, or it did not answer in time.
    """
    try:
        with socket_address(settings) as address:
            reader, writer = await asyncio.open_unix_connection(address, limit=LINE_BYTES)
    except OSError as problem:
        raise ToritsugiError(
            "中枢 (engine) が動いていません", where="toritsugi call", cure="toritsugi up で始める"
        ) from problem
    try:
        writer.write(json.dumps(dict(command), ensure_ascii=False).encode() + b"\n")
        async with asyncio.timeout(within_s):
            await writer.drain()
            line = await reader.readline()
    except (TimeoutError, ConnectionError) as problem:
        raise ToritsugiError(
            "中枢 (engine) の返事がありません", where="toritsugi call", cure="toritsugi status で確かめる"
        ) from problem
    finally:
        writer.close()
    if not line:
        raise ToritsugiError(
            "中枢 (engine) が途中で止まりました",
            where="toritsugi call",
            cure="通話の様子を見てから、もう一度",
        )
    answer: dict[str, Any] = json.loads(line)
    return answer
