"""What the desk reads of the SIP that it passes on: which calls go on, and whether a browser speaks as who it is.

A browser's message is passed on only as the one thing that it plainly is. The switch knows peers by their address as
well, and the desk's own address may be a trunk's, so nobody else's name may come from here; and the switch would
read a second message behind the first one's end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

DOMAIN = "desk.invalid"
"""Of browsers' telephones; `static/softphone.js` says it too."""
_COMPACT = {"i": "call-id", "t": "to", "f": "from", "l": "content-length", "m": "contact", "v": "via"}
_ONCE = ("call-id", "cseq", "from", "to", "content-length")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """The head of one SIP message."""

    first: str
    headers: dict[str, str]
    """Of those that may stand only once, by their long names."""

    @property
    def is_answer(self) -> bool:
        return self.first.startswith("SIP/2.0 ")

    @property
    def method(self) -> str:
        """Of the request, or of the one that is answered."""
        return self.headers["cseq"].rpartition(" ")[2]

    @property
    def within(self) -> bool:
        """Whether it is about something that goes on already."""
        return ";tag=" in self.headers["to"]


def read(text: str) -> Message | None:
    """One whole message and nothing else; None for anything that could be read in two ways."""
    head, end, body = text.partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    if not end or re.search(r"[\r\n\0]", "".join((first, *lines))):
        return None
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        name = _COMPACT.get(name.rstrip(" \t").lower(), name.rstrip(" \t").lower())
        if not colon or not re.fullmatch(r"[a-z0-9!%*_+`'~.-]+", name) or (name in _ONCE and name in headers):
            return None
        headers[name] = value.strip()
    if any(name not in headers for name in _ONCE):
        return None
    length = headers["content-length"]
    if not re.fullmatch(r"[0-9]{1,5}", length) or int(length) != len(body.encode()):
        return None
    return Message(first=first, headers=headers)


def may_pass(text: str, user: str) -> bool:
    """Whether a browser may say this to the switch as `user` (`op101`)."""
    if not text.strip("\r\n"):
        return True  # a sign of life
    message = read(text)
    if message is None:
        return False
    if message.is_answer or message.within:
        return True
    return message.headers["from"].startswith(f"<sip:{user}@{DOMAIN}>;tag=")


class Calls:
    """Which calls go on over one wire, by what is said on it."""

    def __init__(self) -> None:
        self._open: dict[str, bool] = {}
        """By Call-ID: whether it has been answered."""

    @property
    def any(self) -> bool:
        """Whether something rings or talks."""
        return bool(self._open)

    def hear(self, text: str) -> None:
        """One SIP message, in either direction. What is none changes nothing."""
        message = read(text)
        if message is None:
            return
        call = message.headers["call-id"]
        if message.is_answer:
            status = message.first[8:11]
            if message.method == "INVITE" and status.startswith("2"):
                self._open[call] = True
            elif message.method == "INVITE" and status[:1] in "3456" and not self._open.get(call, True):
                del self._open[call]
        elif message.method == "INVITE":
            # One within a call says that it goes on, though this wire may be new.
            self._open[call] = self._open.get(call, False) or message.within
        elif message.method == "BYE":
            self._open.pop(call, None)
