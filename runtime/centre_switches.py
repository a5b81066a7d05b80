"""Closing the centre, opening it again, and what every caller hears meanwhile, from wherever it is asked."""

from __future__ import annotations

from acd.commands import Act, Command
from core.emergency import (
    clear_emergency,
    clear_notice,
    journal_taken,
    taken_journal,
    write_emergency,
    write_notice,
)
from core.errors import ToritsugiError
from core.hours import Emergency
from core.settings import Settings
from runtime.cli_parts import moment_of
from services.city import CityProfile
from services.ports import AuditEntry, UnitOfWorkFactory

SPOKEN = "notice_now"
"""The prompt of a notice in words of its own (`runtime.centre_commands.spoken_notice`)."""
DEFAULT_CLOSURE = "emergency_closed"
DEFAULT_NOTICE = "notice_emergency"


def throw(settings: Settings, profile: CityProfile, command: Command) -> None:
    """Close, reopen, say a notice or stop saying it; from the next call on, with or without an engine.

    Raises:
        ToritsugiError: an unknown message, or a moment that cannot be read.
    """
    home = settings.home
    match command.act:
        case Act.CLOSE | Act.NOTICE:
            closing = command.act is Act.CLOSE
            known = profile.emergency_messages if closing else (*profile.notices, SPOKEN)
            message = command.to or (DEFAULT_CLOSURE if closing else DEFAULT_NOTICE)
            if message not in known:
                raise ToritsugiError(
                    f"ない文言です: {message}",
                    where="文言 (--message)",
                    cure=f"次のどれか: {', '.join(known)}",
                )
            emergency = Emergency(
                message=message,
                until=moment_of(command.until, "--until") if command.until else None,
                reason=command.reason or "緊急",
            )
            (write_emergency if closing else write_notice)(home, emergency)
        case Act.REOPEN:
            clear_emergency(home)
        case Act.NOTICE_OVER:
            clear_notice(home)
        case _:
            raise ToritsugiError(f"センター全体の操作ではありません: {command.act.value}")


async def note_by_telephone(settings: Settings, uow: UnitOfWorkFactory) -> int:
    """Put into the audit what supervisors switched by telephone, also while no engine ran; how many lines."""
    lines = taken_journal(settings.home)
    if not lines:
        return 0
    async with uow() as unit:
        for line in lines:
            await unit.audit.add(
                AuditEntry(
                    at=line.at, actor=line.by, action=f"centre.{line.act}", subject="centre",
                    detail={"telephone": line.by, "outcome": "done"},
                )
            )  # fmt: skip
    journal_taken(settings.home)
    return len(lines)
