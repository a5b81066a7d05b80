"""Short ways to bring a floor into a state."""

from __future__ import annotations

from acd.events import FloorCommand, MemberJoined, MemberPaused, OfferMade, TalkEnded, TalkStarted, Tick
from acd.floor import Floor, FloorRules
from core.ids import OperatorId, QueueName

QUEUE = QueueName("card-ja")
CALLER = "PJSIP/trunk-00000001"
WRAP_UP_S = 30.0


def floor_with(*operators: OperatorId, missed_before_pause: int = 3) -> Floor:
    """Operators signed in to one queue, ready."""
    floor = Floor(FloorRules(wrap_up_s={QUEUE: WRAP_UP_S}, missed_before_pause=missed_before_pause))
    for operator in operators:
        floor.handle(MemberJoined(at=0.0, operator=operator, queue=QUEUE, penalty=10, paused=None))
    return floor


def tick(floor: Floor, at: float) -> list[FloorCommand]:
    return floor.handle(Tick(at=at))


def talk(
    floor: Floor, operator: OperatorId, *, start: float, seconds: float, queue: QueueName = QUEUE
) -> list[FloorCommand]:
    """A call from offer to wrap-up, in the order of Asterisk's events: pause at connect, talk, wrap-up, end."""
    floor.handle(OfferMade(at=start, operator=operator, queue=queue, caller=CALLER))
    floor.handle(MemberPaused(at=start, operator=operator, reason="talking"))
    floor.handle(TalkStarted(at=start, operator=operator, queue=queue, caller=CALLER))
    end = start + seconds
    floor.handle(MemberPaused(at=end, operator=operator, reason="wrapup"))
    return floor.handle(TalkEnded(at=end, operator=operator, queue=queue, talk_s=seconds))
