"""panoramisk with its known faults closed, and its only importer (docs/adr/0001-guarded-panoramisk.md).

Used from panoramisk 1.4: `AMIProtocol` (registry of pending actions, writing), `Action` (ids, serialising)
and `Message` (parsing). Not used: `Manager`, whose reconnect, ping and dispatch cannot be mended from
outside; `telephony.ami.session` does that work. Letters in comments are the faults of the decision record.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from panoramisk.actions import Action
from panoramisk.ami_protocol import AMIProtocol
from panoramisk.message import Message

from telephony.ami.errors import AmiBadValue, AmiBusy, AmiDisconnected

log = logging.getLogger(__name__)

Fields = Mapping[str, str]
"""One AMI message: lower-case keys; a header that came several times is joined by newlines."""

MAX_FRAME = 4 * 1024 * 1024
MAX_PENDING = 1000
MAX_UNSENT = 1024 * 1024
MAX_LIST = 200_000

_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_FORBIDDEN = re.compile(r"[\r\n\x00]")
_END = b"\r\n\r\n"
_EVENT = b"Event: "
_ACTION_ID = b"\r\nActionID: "


def fields_of(message: Message) -> dict[str, str]:
    """A plain dict of a panoramisk message."""
    store: Mapping[str, tuple[str, Any]] = message._store
    return {key: value if isinstance(value, str) else "\n".join(value) for key, (_, value) in store.items()}


class GuardedAction(Action):  # type: ignore[misc] # panoramisk has no types
    """An action that is answered when Asterisk's own list markers say so (B, C, G), not by its wording."""

    future: asyncio.Future[list[Message]]

    def __init__(self, name: str, headers: Mapping[str, str | Sequence[str]]) -> None:
        # K: a line break in a value would be a second action on the wire.
        for key, value in headers.items():
            if not _HEADER.fullmatch(key):
                raise AmiBadValue(f"AMI の項目名に使えません: {key!r}", where=name)
            for text in (value,) if isinstance(value, str) else value:
                if _FORBIDDEN.search(text):
                    raise AmiBadValue(f"{key} に改行か NUL が含まれています", where=name, cure="値を直す")
        super().__init__({**headers, "Action": name})

    @property
    def listing(self) -> bool:
        """Whether Asterisk has begun a list of events for this action."""
        return bool(self.responses) and self.responses[0].eventlist.lower() == "start"

    def add_message(self, message: Message) -> bool:
        """Take one message of the reply; True when it is whole."""
        self.responses.append(message)
        marker = message.eventlist.lower()
        if marker == "start" or (self.listing and "response" not in message and not marker):
            if len(self.responses) <= MAX_LIST:
                return False
            log.error("AMI list of %s cut at %d events", self["action"], MAX_LIST)
        if not self.future.done():
            self.future.set_result(self.responses)
        return True


class GuardedProtocol(AMIProtocol):  # type: ignore[misc] # panoramisk has no types
    """One AMI connection from connect to loss; never reused, never resurrected (F, I)."""

    transport: asyncio.Transport
    responses: dict[str, GuardedAction]

    def __init__(self, on_event: Callable[[Fields], None], wanted: Collection[str]) -> None:
        self._on_event = on_event
        self._wanted = frozenset(name.encode() for name in wanted)
        self._buffer = b""
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.skipped = 0
        self.faulty = 0

    def request(self, name: str, headers: Mapping[str, str | Sequence[str]]) -> GuardedAction:
        """Send an action once.

        Raises:
            AmiBadValue, AmiDisconnected, AmiBusy: nothing was sent.
        """
        action = GuardedAction(name, headers)
        if self.lost.done() or self.transport.is_closing():
            raise AmiDisconnected("Asterisk への管理接続 (AMI) がありません", where=name)
        if len(self.responses) >= MAX_PENDING or self.transport.get_write_buffer_size() > MAX_UNSENT:
            raise AmiBusy("Asterisk が AMI の要求に追いついていません", where=name)
        self.encoding = "utf-8"
        self.send(action)
        return action

    def forget(self, action: GuardedAction) -> None:
        """Stop waiting for the rest of a reply."""
        self.responses.pop(action.id, None)

    def data_received(self, data: bytes) -> None:
        # E: frames are cut as bytes and decoded whole, so no character is split between two reads.
        frames = (self._buffer + data).split(_END)
        self._buffer = frames.pop()
        if len(self._buffer) > MAX_FRAME:
            log.error("AMI message longer than %d bytes, connection dropped", MAX_FRAME)
            self.transport.abort()
            return
        for frame in frames:
            if frame.startswith(_EVENT):
                name = frame[len(_EVENT) : frame.find(b"\r\n")]
                if name not in self._wanted and _ACTION_ID not in frame:
                    self.skipped += 1
                    continue
            try:
                message = Message.from_line(frame.decode("utf-8", "replace").lstrip("\r\n"))
                if message is not None:
                    self.handle_message(message)
            except Exception:
                # D: one bad message or consumer must not close the connection.
                self.faulty += 1
                log.exception("AMI message could not be handled")

    def handle_message(self, message: Message) -> None:
        action = self.responses.get(message.actionid)
        is_event = "event" in message
        # L: an event that only carries a pending ActionID is not part of a list and belongs to everyone.
        if action is not None and (action.listing or not is_event):
            if action.add_message(message):
                self.forget(action)
        elif is_event and message.event.encode() in self._wanted:
            self._on_event(fields_of(message))

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        if not self.lost.done():
            self.lost.set_result(str(exc) if exc else "closed by peer")
        pending = list(self.responses.values())
        self.responses.clear()
        for action in pending:
            if not action.future.done():
                # F: fail at once; whether Asterisk ran the action is unknown, so it is never sent again.
                action.future.set_exception(
                    AmiDisconnected("返事の前に管理接続 (AMI) が切れました", where=action["action"])
                )
                action.future.exception()  # retrieved here: the waiter may already have given up

    def close(self) -> None:
        """Drop the connection now."""
        self.closed = True
        self.transport.abort()
