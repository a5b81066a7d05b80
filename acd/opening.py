"""When an operator is let go on, and in which queues first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from acd.demand import Demand
from acd.events import MakeReady
from acd.members import AUTO_PAUSE, Member
from acd.routing import matching
from acd.rules import FloorRules
from acd.seating import held_back
from acd.view import Caller
from core.facts.dialplan import PauseReason
from core.ids import OperatorId, QueueName, demand_of

ASK_AGAIN_S = 3.0
"""What the switch was asked to do and has not done, it is asked again after this long."""
CALLED_IN = "called_in"
"""The reason for opening an operator who stands by; the dialplan knows it (dialplans/40-operator.conf)."""
HELD_BACK = "held_back"
NO_OFFER = "no_offer"
ELSEWHERE = "elsewhere"
ROOM_AGAIN = "room_again"


def due_of(member: Member, rules: FloorRules) -> tuple[float, str] | None:
    """When this operator is to be opened or held back, and why; None while it is not for us to do."""
    room = rules.takes_telephone(member.operator)
    match member.state:
        case "ready" if not room:
            due = (member.since, ELSEWHERE)
        case state if state == f"paused:{PauseReason.ELSEWHERE}" and room:
            due = (member.since, ROOM_AGAIN)
        case "wrapup":
            due = (member.since + wrap_up_of(member, rules), "wrapup_over")
        case state if state == f"paused:{AUTO_PAUSE}" and member.open_at is not None:
            due = (member.open_at, HELD_BACK if held_back(member, rules) else "missed_once")
        case state if state == f"paused:{PauseReason.ADDED}" and member.open_at is not None:
            due = (member.open_at, NO_OFFER)
        case "ready" if member.closed and member.open_at is not None:
            due = (member.open_at, NO_OFFER)
        case _:
            return None
    if not room and due[1] != HELD_BACK:
        due = (due[0], ELSEWHERE)
    asked = [at for at in (member.asked_at, member.sent_back_at) if at is not None]
    return max([due[0], *(at + ASK_AGAIN_S for at in asked)]), due[1]


def wrap_up_of(member: Member, rules: FloorRules) -> float:
    """Seconds; after a restart nobody knows which queue the last call came from, so the longest counts."""
    queues = [member.last_queue] if member.last_queue else list(member.queues)
    return max((rules.wrap_up_s.get(demand_of(queue), 0.0) for queue in queues), default=0.0)


def onward(demands: Iterable[Demand]) -> dict[QueueName, tuple[QueueName, ...]]:
    """By queue: itself and the queues that its callers move on to."""
    return {
        stage.queue: tuple(later.queue for later in demand.stages[place:])
        for demand in demands
        for place, stage in enumerate(demand.stages)
    }


def opened(
    due: Mapping[OperatorId, str],
    members: Mapping[OperatorId, Member],
    needy: Sequence[Caller],
    onward_of: Mapping[QueueName, tuple[QueueName, ...]],
    now: float,
) -> Iterator[MakeReady]:
    """Ask the switch to open these operators, each first where they are meant to be.

    Args:
        due: why each of them is opened.
        needy: callers for whom nobody rings, neediest first.
        onward_of: what `onward` gives.
    """
    # Who was asked a moment ago is free too, or two operators would be meant for one caller.
    free = sorted(
        (
            member
            for member in members.values()
            if member.operator in due or member.asked_at is not None or member.state == "ready"
        ),
        key=lambda member: (member.penalty, member.operator),
    )
    meant = matching(
        needy,
        [
            (member.operator, member.queues if member.operator in due else member.open_queues)
            for member in free
        ],
    )
    for operator, why in due.items():
        member = members[operator]
        caller = meant.get(operator)
        # Also when nobody else waits: a newcomer of another queue looks at once, the one who is meant within a
        # second, in which they may move on to their next stage.
        member.asked_at, member.asked_for = now, ()
        if caller is not None and why != NO_OFFER:
            queues = onward_of.get(caller.queue, (caller.queue,))
            member.asked_for = tuple(queue for queue in queues if queue in member.queues)
        yield MakeReady(operator=operator, queues=member.asked_for, talk=member.talk, why=why)
