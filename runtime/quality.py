"""`quality list | show | overrule | themes`."""

from __future__ import annotations

import getpass
import json
import os
from collections.abc import Callable
from datetime import date, datetime, timedelta

from core.clock import TOKYO
from core.errors import ToritsugiError
from core.ids import CallId
from runtime.instance import Instance
from services.understanding import check_row, overrule
from speech.quality import themes

Out = Callable[[str], None]


async def list_quality(city: str | None, day: date, days: int, out: Out) -> None:
    """The checks of the calls that began in the days up to `day`, one JSON line each, the lowest score first."""
    instance = Instance.open(city=city)
    await instance.database.migrate()
    until = datetime(day.year, day.month, day.day, tzinfo=TOKYO) + timedelta(days=1)
    async with instance.database.reading() as unit:
        checks = await unit.quality.between((until - timedelta(days=days)).timestamp(), until.timestamp())
    await instance.database.close()
    for check in sorted(checks, key=lambda each: (each.score is None, each.score or 0.0, each.at)):
        out(json.dumps(check_row(check, items=False), ensure_ascii=False))


async def show_quality(city: str | None, call: str, out: Out) -> None:
    """One check with its items, the sentences behind them, and the measures.

    Raises:
        ToritsugiError: no such check.
    """
    instance = Instance.open(city=city)
    await instance.database.migrate()
    async with instance.database.reading() as unit:
        check = await unit.quality.get(CallId(call))
    await instance.database.close()
    if check is None:
        raise ToritsugiError(
            f"品質分析のない通話です: {call}", where="通話", cure="文字起こしが終わった日本語の通話だけにある"
        )
    out(json.dumps(check_row(check, items=True), ensure_ascii=False, indent=1))


async def overrule_quality(
    city: str | None, call: str, item: str, passed: bool, reason: str, by: str, out: Out
) -> None:
    """See `services.understanding.overrule`."""
    instance = Instance.open(city=city)
    await instance.database.migrate()
    who = by or os.environ.get("SUDO_USER") or getpass.getuser()
    try:
        async with instance.database.uow() as unit:
            after = await overrule(
                unit, CallId(call), item, passed, by=who, reason=reason, now=instance.clock.epoch()
            )
    finally:
        await instance.database.close()
    out(json.dumps(check_row(after, items=False), ensure_ascii=False))


async def training_themes(city: str | None, month: date, out: Out) -> None:
    """What to train after a month, the most pressing first, one JSON line each."""
    instance = Instance.open(city=city)
    await instance.database.migrate()
    since = datetime(month.year, month.month, 1, tzinfo=TOKYO)
    until = (since + timedelta(days=32)).replace(day=1)
    async with instance.database.reading() as unit:
        checks = await unit.quality.between(since.timestamp(), until.timestamp())
    await instance.database.close()
    for theme in themes((c.call_id, c.operator, c.record, c.overruled) for c in checks):
        out(
            json.dumps(
                {
                    "item": theme.item,
                    "theme": theme.theme,
                    "missed": theme.missed,
                    "of": theme.applied,
                    "share": round(theme.share, 3),
                    "operators": {who: {"missed": m, "of": n} for who, (m, n) in theme.operators.items()},
                    "calls": theme.calls,
                },
                ensure_ascii=False,
            )
        )
