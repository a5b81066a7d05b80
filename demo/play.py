"""Playing a planned day: citizens call when their time comes, operators work until the last one has gone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from core.errors import ToritsugiError
from demo.citizens import Citizen
from demo.day import DayPlan
from demo.ends.transactions import Place
from demo.ends.user_agent import SipEnd
from demo.operators import Operator
from demo.people import Stage, Town, Voices


async def play_day(
    plan: DayPlan, *, started_at: float, trunk: SipEnd, town: Town, voices: Voices, stage: Stage
) -> list[Citizen]:
    """Let everybody call; returns when the last call is over.

    Args:
        started_at: epoch second that belongs to `plan.city_start`.
        trunk: the end that all citizens call through.
    """
    citizens = [Citizen(call.citizen, town, voices, stage) for call in plan.calls]

    async def visit(citizen: Citizen, after_s: float) -> None:
        await asyncio.sleep(max(0.0, started_at + after_s - time.time()))
        await citizen.run(trunk)

    async with asyncio.TaskGroup() as group:
        for citizen, call in zip(citizens, plan.calls, strict=True):
            group.create_task(visit(citizen, call.after_s))
    return citizens


async def sign_all_in(operators: Sequence[Operator], registrar: Place) -> None:
    """The beginning of the day for everybody.

    Raises:
        ToritsugiError: somebody could not sign in.
    """
    heard = await asyncio.gather(*(operator.sign_in(registrar) for operator in operators))
    refused = [operator.plan.operator for operator, ok in zip(operators, heard, strict=True) if not ok]
    if refused:
        raise ToritsugiError(
            f"オペレーター {'、'.join(refused)} が受付を開始できません", cure="交換機の記録を確かめる"
        )


async def sign_all_out(operators: Sequence[Operator]) -> None:
    """The end of the day for everybody."""
    await asyncio.gather(*(operator.sign_out() for operator in operators))
