"""A floor for the guard: who sits there, who waits, and what the guard says about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from acd.demand import Demand, Stage
from acd.guard import Guard
from acd.guard_profile import GuardStepSection
from acd.guard_steps import GuardRules, GuardStep
from acd.outlook import Outlook
from acd.view import Caller, FloorView, Load, Seat
from core.ids import CallId, LineId, OperatorId, QueueName

CARD, CARD2, PORTAL = QueueName("card-ja"), QueueName("card_2-ja"), QueueName("portal-ja")
LIMIT_S = 300.0

DEMANDS = (
    Demand(
        line=LineId("card"),
        language="ja",
        priority=0,
        wait_limit_s=900.0,
        stages=(
            Stage(queue=CARD, after_s=0.0, least={"card": 3}),
            Stage(queue=CARD2, after_s=240.0, least={"card": 1}),
        ),
    ),
    Demand(
        line=LineId("portal"),
        language="ja",
        priority=0,
        wait_limit_s=900.0,
        stages=(Stage(queue=PORTAL, after_s=0.0, least={"portal": 1}),),
    ),
)


def rules(
    *steps: GuardStepSection,
    groups: Mapping[str, str] | None = None,
    calm_s: float = 60.0,
    settle_s: float = 5.0,
) -> GuardRules:
    return GuardRules(
        demands=DEMANDS,
        limits_s={CARD: LIMIT_S, PORTAL: LIMIT_S},
        steps=steps,
        groups={OperatorId(operator): group for operator, group in (groups or {}).items()},
        calm_s=calm_s,
        settle_s=settle_s,
    )


def outlook() -> Outlook:
    return Outlook(demands=DEMANDS, wrap_up_s={CARD: 20.0, PORTAL: 20.0}, limits_s={})


def guard_with(*steps: GuardStepSection, **more: object) -> Guard:
    return Guard(rules(*steps, **more), outlook())  # type: ignore[arg-type]


def seat(
    operator: str,
    state: str = "ready",
    *,
    since: float = 0.0,
    queues: Iterable[QueueName] = (CARD, CARD2, PORTAL),
    talking_in: QueueName | None = None,
) -> Seat:
    return Seat(
        operator=OperatorId(operator),
        state=state,
        since=since,
        queues=dict.fromkeys(queues, state == "ready"),
        load=Load(calls=0, handled_s=0.0, available_s=0.0),
        last_ended_at=0.0,
        talking_in=talking_in or (CARD if state in ("talking", "wrapup") else None),
    )


def caller(name: str, since: float, *, queue: QueueName = CARD, ringing_at: str | None = None) -> Caller:
    return Caller(
        channel=name,
        call=CallId(f"c-{name}"),
        queue=queue,
        demand=CARD if queue == CARD2 else queue,
        since=since,
        ringing_at=OperatorId(ringing_at) if ringing_at else None,
    )


def view(
    at: float,
    seats: Iterable[Seat] = (),
    callers: Iterable[Caller] = (),
    handling_s: Mapping[QueueName, tuple[float, ...]] | None = None,
) -> FloorView:
    return FloorView(
        at=at,
        seats=tuple(sorted(seats, key=lambda each: each.operator)),
        callers=tuple(sorted(callers, key=lambda each: (each.since, each.channel))),
        handling_s=handling_s or {CARD: (100.0,) * 5, PORTAL: (100.0,) * 5},
    )


def steps_of(commands: Iterable[object]) -> list[GuardStep]:
    return [command for command in commands if isinstance(command, GuardStep)]
