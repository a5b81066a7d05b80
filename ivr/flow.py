"""A city's menu as immutable data. Built from the profile, or read back by the fallback script."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.ids import LineId, QueueName


@dataclass(frozen=True, slots=True)
class ToLine:
    """The caller wants a person of this service line."""

    line: LineId


@dataclass(frozen=True, slots=True)
class ToMenu:
    menu: str


@dataclass(frozen=True, slots=True)
class Tell:
    """An announcement that answers by itself; with `refer_to`, one that names another number."""

    prompt: str
    refer_to: str | None = None


@dataclass(frozen=True, slots=True)
class ToStaff:
    """Straight to somebody of the directory, without an operator."""

    extension: str
    line: LineId
    """Whose operators take the call when nobody there does."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """Say the menu again."""


Target = ToLine | ToMenu | Tell | ToStaff | Repeat
"""What a key leads to; the union is closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Menu:
    id: str
    prompt: str
    choices: Mapping[str, Target]
    """Key (`0`-`9`, `*`, `#`) to what it leads to."""


@dataclass(frozen=True, slots=True)
class LineQueues:
    """What a caller may be queued for on one service line."""

    languages: tuple[str, ...]
    priority: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Everything `ivr.engine` needs to lead a caller to an end."""

    languages: tuple[str, ...]
    """The first is spoken when the caller chooses none."""
    language_keys: Mapping[str, str]
    """Key to language, heard in the language step; empty when there is one language."""
    language_timeout_s: float
    start: str
    menus: Mapping[str, Menu]
    tries: int
    """Wrong or silent answers before the caller is given to a person."""
    max_steps: int
    """Answers of any kind before the caller is given to a person: nobody walks in circles."""
    digit_timeout_s: float
    fallback_line: LineId
    lines: Mapping[LineId, LineQueues]
    direct: Mapping[str, LineId] = field(default_factory=dict)
    """Extension to which a number of the city leads without a menu, and the line that takes the call in vain."""

    def queue(self, line: LineId, language: str) -> QueueName:
        """The queue of a line for a caller of `language`; the line's first language if it lacks that one."""
        languages = self.lines[line].languages
        return QueueName(f"{line}-{language if language in languages else languages[0]}")
