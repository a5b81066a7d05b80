"""Requests to the city: which states follow which, what must be said, and of which the city is reminded."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.errors import ToritsugiError
from interactions.ticket import Ticket, TicketKind, TicketState, moved, overdue

pytestmark = pytest.mark.unit

S = TicketState
OPEN = Ticket(
    ticket_id="t-1", kind=TicketKind.CALL_BACK, opened_at=0.0, due_at=1000.0, content="交付日の確認"
)


def test_a_request_from_its_opening_to_its_end() -> None:
    taken = moved(OPEN, S.TAKEN, at=10.0, by="佐藤")
    assert (taken.owner, taken.ended_at) == ("佐藤", None)
    done = moved(taken, S.DONE, at=20.0, by="佐藤", note="交付日を伝えた")
    assert (done.state, done.result, done.ended_at) == (S.DONE, "交付日を伝えた", 20.0)
    assert [(step.state, step.by) for step in done.steps] == [(S.TAKEN, "佐藤"), (S.DONE, "佐藤")]


@pytest.mark.parametrize(
    ("state", "after", "may"),
    [
        (S.PROPOSED, S.OPEN, True),
        (S.PROPOSED, S.CANCELLED, True),
        (S.PROPOSED, S.DONE, False),
        (S.PROPOSED, S.TAKEN, False),
        (S.OPEN, S.DONE, True),
        (S.OPEN, S.OPEN, False),
        (S.TAKEN, S.TAKEN, True),
        (S.TAKEN, S.OPEN, False),
        (S.DONE, S.CANCELLED, False),
        (S.CANCELLED, S.OPEN, False),
    ],
)
def test_which_state_follows_which(state: TicketState, after: TicketState, may: bool) -> None:
    ticket = replace(OPEN, state=state)
    if may:
        assert moved(ticket, after, at=1.0, by="佐藤", note="済み").state is after
        return
    with pytest.raises(ToritsugiError, match=state.label_ja):
        moved(ticket, after, at=1.0, by="佐藤", note="済み")


def test_the_end_needs_a_result_and_every_change_a_name() -> None:
    with pytest.raises(ToritsugiError, match="結果"):
        moved(OPEN, S.DONE, at=1.0, by="佐藤")
    with pytest.raises(ToritsugiError, match="だれが"):
        moved(OPEN, S.TAKEN, at=1.0, by=" ")


def test_the_city_is_reminded_of_what_is_open_and_near_its_deadline() -> None:
    late = replace(OPEN, ticket_id="t-2", due_at=500.0, state=S.TAKEN)
    proposed = replace(OPEN, ticket_id="t-3", due_at=1.0, state=S.PROPOSED)
    done = replace(OPEN, ticket_id="t-4", due_at=1.0, state=S.DONE)
    tickets = [OPEN, late, proposed, done]
    assert overdue(tickets, 0.0, 100.0) == []
    assert [each.ticket_id for each in overdue(tickets, 450.0, 100.0)] == ["t-2"]
    assert [each.ticket_id for each in overdue(tickets, 950.0, 100.0)] == ["t-2", "t-1"]
