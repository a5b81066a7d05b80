"""Shifts: what operators have carried goes on when they soon sign in again, and is made up for when they do not."""

from __future__ import annotations

from acd.events import MemberJoined
from acd.members import Member
from acd.order import carried_over
from acd.view import Load
from core.ids import OperatorId

SHIFT_BREAK_S = 4 * 3600.0
"""Who signs in again within this time goes on with the same shift, and what they carried in it counts on."""


class Shifts:
    """Of everybody who was ever signed in."""

    def __init__(self) -> None:
        self.last: dict[OperatorId, Load] = {}
        """What each operator had carried when they last signed out."""
        self._signed_out: dict[OperatorId, Member] = {}

    def begin(self, event: MemberJoined) -> Member:
        """Somebody signs in: the member of their earlier shift or of a new one, in no queue yet."""
        member = self._signed_out.pop(event.operator, None)
        if member is None or event.at - member.since > SHIFT_BREAK_S:
            seconds, calls = carried_over(self.last, event.operator)
            member = Member(event.operator, event.at, since=event.at, carried_s=seconds, carried_calls=calls)
        member.penalty = event.penalty
        return member

    def end(self, member: Member, at: float) -> None:
        """Somebody signs out."""
        self.last[member.operator] = member.load(at)
        member.signed_out(at)
        self._signed_out[member.operator] = member
