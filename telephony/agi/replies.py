"""Reads AGI replies out of lines, without input or output of its own.

Traps: `HANGUP` comes between replies and is none; `100 Trying` precedes a reply; `520-` opens several lines;
the value of a variable may hold line breaks and parentheses; bytes need not be UTF-8.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass

log = logging.getLogger(__name__)

MAX_LINES = 200

_CODE = re.compile(r"(\d{3})([ -])(.*)", re.DOTALL)
_RESULT = re.compile(r"result=(\S*)(?: \((.*)\))?(?: endpos=(\d+))?\s*", re.DOTALL)
_OPEN_VALUE = re.compile(r"200 result=\S* \(")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One whole reply."""

    code: int
    """200 done, 510 unknown command, 511 dead channel, 520 wrong usage."""
    result: str = ""
    value: str | None = None
    """What stood in parentheses: a variable's value, or `timeout`, `hangup`."""
    endpos: int | None = None
    text: str = ""
    """The reply as it came, for messages."""

    @property
    def failed(self) -> bool:
        """The channel is gone, or the command failed for that reason."""
        return self.result == "-1" or self.value == "hangup"


class ReplyReader:
    """Collects lines until a reply is whole. One for each channel."""

    def __init__(self) -> None:
        self.hung_up = False
        """A `HANGUP` line was seen: the caller has gone."""
        self._lines: list[str] = []

    def feed(self, raw: bytes) -> Reply | None:
        """Take one line; the reply when this line completes one."""
        line = raw.decode("utf-8", "replace").rstrip("\r\n")
        if not self._lines:
            if line == "HANGUP":
                self.hung_up = True
                return None
            found = _CODE.match(line)
            if found is None:
                log.warning("AGI line that is no reply: %d bytes", len(raw))
                return None
            if found[1] == "100":
                return None
        self._lines.append(line)
        if not self._complete() and len(self._lines) < MAX_LINES:
            return None
        text = "\n".join(self._lines)
        self._lines.clear()
        return _parse(text)

    def _complete(self) -> bool:
        first, last = self._lines[0], self._lines[-1]
        if first.startswith("520-"):
            return last.startswith("520 ")
        return not _OPEN_VALUE.match(first) or last.endswith(")")


def _parse(text: str) -> Reply:
    found = _CODE.match(text)
    if found is None:
        return Reply(code=0, text=text)
    result = _RESULT.fullmatch(found[3])
    if result is None:
        return Reply(code=int(found[1]), text=text)
    return Reply(
        code=int(found[1]),
        result=result[1],
        value=result[2],
        endpos=int(result[3]) if result[3] else None,
        text=text,
    )
