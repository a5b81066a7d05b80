"""The `callbacks` commands: bookings for people and programs."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from acd.callback import Callback, CallbackState, Withdrawn, advance
from core.clock import TOKYO
from core.errors import ToritsugiError
from core.ids import CallId
from core.masking import mask_number
from runtime.instance import Instance
from runtime.records import Records


async def callback_rows(city: str | None, day: date | None, *, show_numbers: bool) -> list[dict[str, Any]]:
    """The bookings of a day, or those not at their end, by the callers' first entry."""
    instance = await _caught_up(city)
    async with instance.database.reading() as unit:
        if day is None:
            found = await unit.callbacks.open()
        else:
            start = datetime(day.year, day.month, day.day, tzinfo=TOKYO)
            found = await unit.callbacks.between(start.timestamp(), (start + timedelta(days=1)).timestamp())
    await instance.database.close()
    return [callback_record(callback, show_numbers=show_numbers) for callback in found]


def callback_record(callback: Callback, *, show_numbers: bool = False) -> dict[str, Any]:
    """One booking as JSON values; times are epoch seconds."""
    return {
        "call": callback.call,
        "number": callback.number if show_numbers else mask_number(callback.number),
        "queue": callback.demand,
        "state": callback.state.value,
        "meaning": callback.state.label_ja,
        "reason": callback.reason,
        "entered_at": round(callback.entered_at, 3),
        "booked_at": round(callback.booked_at, 3),
        "next_at": round(callback.next_at, 3),
        "tries": callback.tries,
        "offers": callback.offers,
        "operator": callback.operator,
        "cancelled_by": callback.by,
        "talk_s": round(callback.talk_s, 3),
    }


async def cancel_callback(city: str | None, call: str, say: Callable[[str], None]) -> None:
    """Take a booking back.

    Raises:
        ToritsugiError: there is none, it is at its end, or the citizen's telephone rings already.
    """
    instance = await _caught_up(city)
    rules = instance.profile.acd.callback.rules()
    async with instance.database.uow() as unit:
        callback = await unit.callbacks.get(CallId(call))
        if callback is None:
            raise ToritsugiError(
                f"ない予約です: {call}", where="通話番号", cure="toritsugi callbacks list で確かめる"
            )
        gone, _ = advance(callback, Withdrawn(at=time.time(), reason="by_hand"), rules)
        if gone.state is not CallbackState.CANCELLED or callback.state is CallbackState.CANCELLED:
            raise ToritsugiError(f"取り消せません: {callback.state.label_ja}", where=call)
        await unit.callbacks.put(gone)
    await instance.database.close()
    say("折り返しの予約を取り消しました。")


async def _caught_up(city: str | None) -> Instance:
    """The instance, with the database as far as the disk."""
    instance = Instance.open(city=city)
    await instance.database.migrate()
    await Records(instance.settings, instance.profile, instance.database, instance.clock).take_in()
    return instance
