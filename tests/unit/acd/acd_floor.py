"""Short ways to bring a floor into a state."""

from __future__ import annotations

from acd.demand import Demand, Stage
from acd.events import (
    CallerJoined,
    FloorCommand,
    MakeReady,
    MemberJoined,
    MemberPaused,
    MemberReady,
    OfferMade,
    SetOrder,
    TalkEnded,
    TalkNamed,
    TalkStarted,
    Tick,
)
from acd.floor import Floor
from acd.rules import FloorRules
from core.ids import LineId, OperatorId, QueueName, demand_of, language_of

QUEUE = QueueName("card-ja")
ONE = OperatorId("101")
CALLER = "PJSIP/trunk-00000001"
WRAP_UP_S = 30.0


def floor_with(
    *operators: OperatorId, missed_before_pause: int = 3, queues: tuple[QueueName, ...] = (QUEUE,)
) -> Floor:
    """Operators signed in to all queues, ready, and asked for nothing yet."""
    wrap_up = {demand_of(queue): WRAP_UP_S for queue in queues}
    floor = Floor(FloorRules(wrap_up_s=wrap_up, missed_before_pause=missed_before_pause))
    for operator in operators:
        sign_in(floor, operator, *queues)
    return floor


def sign_in(floor: Floor, operator: OperatorId, *queues: QueueName, at: float = 0.0) -> list[FloorCommand]:
    return [
        command
        for queue in queues
        for command in floor.handle(
            MemberJoined(at=at, operator=operator, queue=queue, penalty=10, paused=None)
        )
    ]


def one_stage(queue: QueueName, priority: int = 0, limit_s: float = 300.0) -> Demand:
    """A demand that never relaxes, served by whoever has its line."""
    line = LineId(queue.rpartition("-")[0])
    return Demand(
        line=line,
        language=language_of(queue),
        priority=priority,
        wait_limit_s=limit_s,
        stages=(Stage(queue=queue, after_s=0.0, least={line: 1}),),
    )


def tick(floor: Floor, at: float) -> list[FloorCommand]:
    """What a tick brings, the order of offers left out."""
    return [command for command in floor.handle(Tick(at=at)) if not isinstance(command, SetOrder)]


def pause(floor: Floor, operator: OperatorId, reason: str, at: float) -> list[FloorCommand]:
    """A pause in all queues, told queue by queue, as the switch does it."""
    return [
        command
        for queue in list(floor.members[operator].queues)
        for command in floor.handle(MemberPaused(at=at, operator=operator, queue=queue, reason=reason))
    ]


def ready(floor: Floor, operator: OperatorId, at: float, *queues: QueueName) -> None:
    """The switch opens `queues`, or all."""
    for queue in queues or list(floor.members[operator].queues):
        floor.handle(MemberReady(at=at, operator=operator, queue=queue))


def obey(floor: Floor, commands: list[FloorCommand], at: float) -> None:
    """Do what the floor asked for, as the switch does."""
    for command in commands:
        if isinstance(command, MakeReady):
            ready(floor, command.operator, at, *command.queues)


def join(
    floor: Floor, caller: str, queue: QueueName = QUEUE, at: float = 0.0, since: float | None = None
) -> None:
    floor.handle(CallerJoined(at=at, caller=caller, queue=queue, position=1, since=since))


def begin(
    floor: Floor, operator: OperatorId, at: float, queue: QueueName = QUEUE, caller: str = CALLER
) -> str:
    """An offer that is answered, in the order of Asterisk's events; the talk's name."""
    talk = f"n1-{operator}-{at}"
    floor.handle(OfferMade(at=at, operator=operator, queue=queue, caller=caller))
    pause(floor, operator, "talking", at)
    floor.handle(TalkStarted(at=at, operator=operator, queue=queue, caller=caller, talk=talk))
    return talk


def end(
    floor: Floor, operator: OperatorId, at: float, talk: str, talk_s: float, queue: QueueName = QUEUE
) -> list[FloorCommand]:
    """The telephone hangs up: the talk's name, wrap-up, the end."""
    floor.handle(TalkNamed(at=at, operator=operator, talk=talk))
    pause(floor, operator, "wrapup", at)
    return floor.handle(TalkEnded(at=at, operator=operator, queue=queue, talk_s=talk_s))


def talk(
    floor: Floor, operator: OperatorId, *, start: float, seconds: float, queue: QueueName = QUEUE
) -> str:
    """A call from offer to wrap-up; the talk's name."""
    name = begin(floor, operator, start, queue)
    end(floor, operator, start + seconds, name, seconds, queue)
    return name


def found(
    floor: Floor,
    paused: str | None,
    at: float = 50.0,
    since: float | None = None,
    in_call: bool = False,
    operator: OperatorId = ONE,
    queue: QueueName = QUEUE,
) -> list[FloorCommand]:
    """A row of a snapshot."""
    return floor.handle(
        MemberJoined(
            at=at, operator=operator, queue=queue, penalty=10, paused=paused, paused_since=since, in_call=in_call
        )
    )  # fmt: skip


def restarted(missed_before_pause: int = 2) -> Floor:
    """An engine that has just started, in the middle of its first snapshot."""
    floor = Floor(FloorRules(wrap_up_s={QUEUE: 30.0}, missed_before_pause=missed_before_pause))
    floor.reset()
    return floor


def wrapped_up(talk: str) -> MakeReady:
    return MakeReady(operator=ONE, queues=(), talk=talk, why="wrapup_over")
