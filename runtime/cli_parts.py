"""What all commands share: where words go, and how a day and a moment are read."""

from __future__ import annotations

import sys
from datetime import date, datetime
from typing import Annotated

import typer

from core.clock import TOKYO
from core.errors import ToritsugiError

City = Annotated[str | None, typer.Option("--city", help="市の名前。例: matsusaka")]


def say(text: str) -> None:
    """One line for the person at the terminal."""
    print(text, file=sys.stderr, flush=True)


def out(text: str) -> None:
    """One line for the next program."""
    print(text, flush=True)


def _year(day: date) -> None:
    if not 1970 < day.year < 2100:
        raise ValueError("no year of ours")


def moment_of(text: str, option: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        _year(moment)
    except ValueError as problem:
        raise ToritsugiError(
            f"日時が読めません: {text!r}", where=option, cure="例: 2026-12-30T16:31"
        ) from problem
    return moment if moment.tzinfo else moment.replace(tzinfo=TOKYO)


def day_of(text: str, option: str) -> date:
    try:
        day = date.fromisoformat(text)
        _year(day)
    except ValueError as problem:
        example = "2026-11" if option == "--month" else "2026-11-24"
        raise ToritsugiError(f"日付が読めません: {text!r}", where=option, cure=f"例: {example}") from problem
    return day
