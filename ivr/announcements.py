"""What is said outside menus: closed, and how long the wait will be. Pure; playing is the session's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from core.clock import TOKYO
from core.hours import ClosedReason, HoursState
from ivr.engine import Prompt
from ivr.prompts import PromptBook, fill
from ivr.spoken import say_minutes, say_next_opening


@dataclass(frozen=True, slots=True)
class OnTheSpot:
    """A sentence with today's figures in it; `instead` is the fixed prompt when it cannot be made."""

    language: str
    text: str
    instead: str | None = None


PromptPart = Prompt | OnTheSpot

Templates = Mapping[str, Mapping[str, str]]
"""Language to name to text with placeholders (`PromptBook.templates`)."""


def closed_announcement(
    templates: Templates, state: HoursState, now: datetime, language: str
) -> list[PromptPart]:
    """What a caller hears who finds the centre closed: why, when it opens again, goodbye."""
    if state.reason is None:
        raise ValueError("the centre is open")
    if state.reason is ClosedReason.EMERGENCY and state.emergency is not None:
        parts: list[PromptPart] = [Prompt(language, state.emergency.message)]
    else:
        parts = [Prompt(language, f"closed_{state.reason}")]
    if state.next_opening is not None:
        when = say_next_opening(now.astimezone(TOKYO), state.next_opening, language)
        # Only the reason is certain when the next opening cannot be spoken: an emergency has no usual hours.
        instead = None if state.reason is ClosedReason.EMERGENCY else "closed_static"
        parts.append(OnTheSpot(language, fill(templates[language]["closed_next"], {"next": when}), instead))
    elif state.reason is not ClosedReason.EMERGENCY:
        parts.append(Prompt(language, "closed_static"))
    return [*parts, Prompt(language, "goodbye")]


def wait_announcement(
    templates: Templates, position: int, minutes: tuple[int, int] | None, language: str
) -> list[PromptPart]:
    """Position, and the wait as a range of minutes when one is known; then the request to stay."""
    texts = templates[language]
    if minutes is None:
        text = fill(texts["wait_position_only"], {"position": str(position)})
    else:
        wait = say_minutes(*minutes, language)
        text = fill(texts["wait_position"], {"position": str(position), "minutes": wait})
    return [OnTheSpot(language, text), Prompt(language, "wait_stay")]


def as_text(parts: Iterable[PromptPart], book: PromptBook) -> str:
    """The words that a caller hears."""
    texts = [
        part.text if isinstance(part, OnTheSpot) else book.texts[part.language][part.name] for part in parts
    ]
    return "".join(f"{text} " if text.isascii() else text for text in texts).strip()
