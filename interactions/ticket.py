"""Requests to the city (折り返し依頼、苦情、誤案内): who wants what, who sees to it until when, and what came of it.

Pure: a ticket and a word give the next ticket. Moments are real time in epoch seconds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum, unique

from core.errors import ToritsugiError
from core.ids import CallId


@unique
class TicketKind(StrEnum):
    CALL_BACK = "call_back"
    """The city calls the citizen back."""
    COMPLAINT = "complaint"
    WRONG_GUIDANCE = "wrong_guidance"
    """A citizen was told something wrong."""
    OUTREACH = "outreach"
    """The centre called an office or a home to invite applications (松阪 2章2(5)); kept when it is done."""

    @property
    def label_ja(self) -> str:
        return {
            "call_back": "折り返し依頼", "complaint": "苦情", "wrong_guidance": "誤案内", "outreach": "勧奨の電話",
        }[self.value]  # fmt: skip

    @property
    def asked_of_city(self) -> bool:
        """Whether somebody of the city is to see to it."""
        return self is not TicketKind.OUTREACH

    @property
    def tells_at_once(self) -> bool:
        """Whether the city is told the moment it is opened (松阪 2章2(4)ケ)."""
        return self in (TicketKind.COMPLAINT, TicketKind.WRONG_GUIDANCE)


@unique
class TicketState(StrEnum):
    PROPOSED = "proposed"
    """Made by the system after a transfer that nobody took; a person decides whether it is needed."""
    OPEN = "open"
    TAKEN = "taken"
    """Somebody at the city sees to it."""
    DONE = "done"
    CANCELLED = "cancelled"

    @property
    def label_ja(self) -> str:
        return {
            "proposed": "確認待ち", "open": "未対応", "taken": "対応中", "done": "完了", "cancelled": "取消",
        }[self.value]  # fmt: skip

    @property
    def ended(self) -> bool:
        return self in (TicketState.DONE, TicketState.CANCELLED)


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketStep:
    """One change, by whom."""

    at: float
    by: str
    state: TicketState
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """One request. It holds personal data: the citizen's name, number and matter."""

    ticket_id: str
    kind: TicketKind
    opened_at: float
    due_at: float
    """Until when the city is to have seen to it."""
    content: str
    department: str = ""
    """Extension of the directory; empty while nobody knows who should see to it."""
    person: str = ""
    number: str = ""
    """National digits to call; empty when none is known."""
    call: CallId | None = None
    state: TicketState = TicketState.OPEN
    owner: str = ""
    """Who at the city took it."""
    result: str = ""
    steps: tuple[TicketStep, ...] = ()

    @property
    def ended_at(self) -> float | None:
        return self.steps[-1].at if self.state.ended and self.steps else None


_ALLOWED = {
    TicketState.OPEN: {TicketState.PROPOSED},
    TicketState.TAKEN: {TicketState.OPEN, TicketState.TAKEN},
    TicketState.DONE: {TicketState.OPEN, TicketState.TAKEN},
    TicketState.CANCELLED: {TicketState.PROPOSED, TicketState.OPEN, TicketState.TAKEN},
}
"""From which states a state is reached."""


def ticket_id_of(call: CallId, extension: str) -> str:
    """The id of what a transfer in vain proposes; the same transfer always proposes the same."""
    return f"t-{call.removeprefix('c-')}-{extension}"


def moved(ticket: Ticket, state: TicketState, *, at: float, by: str, note: str = "") -> Ticket:
    """The ticket in its next state. `note` is the owner's remark, or the result when it is done.

    Raises:
        ToritsugiError: it cannot go there from where it is, nobody is named, or a result is missing.
    """
    if ticket.state not in _ALLOWED.get(state, set()):
        raise ToritsugiError(
            f"「{ticket.state.label_ja}」から「{state.label_ja}」にはできません",
            where=ticket.ticket_id,
            cure="toritsugi tickets list で状態を確かめる",
        )
    if not by.strip():
        raise ToritsugiError("だれがしたかがありません", where="--by", cure="氏名を書く")
    if state is TicketState.DONE and not note.strip():
        raise ToritsugiError("結果がありません", where="--result", cure="何をしたかを書く")
    step = TicketStep(at=at, by=by, state=state, note=note)
    return replace(
        ticket,
        state=state,
        owner=by if state is TicketState.TAKEN else ticket.owner,
        result=note if state is TicketState.DONE else ticket.result,
        steps=(*ticket.steps, step),
    )


def overdue(tickets: Iterable[Ticket], now: float, lead_s: float) -> list[Ticket]:
    """Those that the city must be reminded of: due within `lead_s` seconds or past it, and not at their end."""
    return sorted(
        (
            ticket
            for ticket in tickets
            if ticket.state in (TicketState.OPEN, TicketState.TAKEN) and ticket.due_at - now <= lead_s
        ),
        key=lambda ticket: (ticket.due_at, ticket.ticket_id),
    )
