"""`alerts list`, `alerts ack`, `alerts test`, and the parent's watch."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from acd.alert_words import CityTimeOf, title_of
from acd.alerts import Acknowledgement, Alert
from core.errors import ToritsugiError
from runtime.alerting import PARENTS_KINDS, EngineWatch, keeper_for, notifiers
from runtime.instance import Instance
from services.alerting import Channel, acknowledge, trial_notice
from storage.database import Database

DAY_S = 86_400.0


async def watch_engine(instance: Instance) -> None:
    """For ever, in the parent: tell when the engine gives no sign of life."""
    database = Database(instance.settings.database_url)
    settings, profile, clock = instance.settings, instance.profile, instance.clock
    keeper = keeper_for(
        profile,
        PARENTS_KINDS,
        reading=database.reading,
        uow=database.uow,
        clock=clock,
        channels=[Channel(each, clock) for each in notifiers(settings, profile, clock, instance.secret)],
        must_know=False,
    )
    try:
        await EngineWatch(settings, profile, keeper).run()
    finally:
        await database.close()


async def list_alerts(city: str | None, *, open_only: bool, days: int) -> list[dict[str, Any]]:
    """`alerts list`: open ones first raised first, or all of the last days."""
    instance = Instance.open(city=city)
    await instance.database.migrate()
    now = instance.clock.epoch()
    async with instance.database.reading() as unit:
        found = await unit.alerts.open() if open_only else await unit.alerts.known(now - days * DAY_S)
    await instance.database.close()
    return [alert_record(alert, instance.clock.city_time_of) for alert in found]


def alert_record(alert: Alert, time_of: CityTimeOf) -> dict[str, Any]:
    """As JSON values, times by the city's clock."""

    def told(moment: float | None) -> str | None:
        return None if moment is None else time_of(moment).isoformat(timespec="seconds")

    by = alert.acknowledged
    return {
        "id": alert.id,
        "kind": alert.kind.value,
        "subject": alert.subject,
        "title": title_of(alert),
        "text": alert.text,
        "since": told(alert.since),
        "raised_at": told(alert.raised_at),
        "told": alert.notified,
        "acknowledged_at": told(by.at) if by else None,
        "acknowledged_by": by.by if by else None,
        "note": by.note if by else None,
        "cleared_at": told(alert.cleared_at),
    }


async def acknowledge_alert(
    city: str | None, identity: str, by: str, note: str, say: Callable[[str], None]
) -> None:
    """`alerts ack`: a running engine learns of it with its next look."""
    instance = Instance.open(city=city)
    await instance.database.migrate()
    given = Acknowledgement(at=instance.clock.epoch(), by=by, note=note)
    try:
        found = await acknowledge(instance.database.uow, identity.strip().lower(), given)
        async with instance.database.reading() as unit:
            stored = await unit.alerts.acknowledged([alert.id for alert in found])
    finally:
        await instance.database.close()
    if not found:
        raise ToritsugiError(
            f"続いている警報の中にありません: {identity}",
            where="ID",
            cure="toritsugi alerts list --open で確かめる",
        )
    if len(found) > 1:
        raise ToritsugiError(
            f"一つに決まりません: {', '.join(alert.id for alert in found)}",
            where="ID",
            cure="続きの文字も書く",
        )
    (alert,) = found
    if stored[alert.id] != given:
        say(f"{title_of(alert)}: すでに {stored[alert.id].by} さんが対応中です。")
        return
    say(f"{title_of(alert)}: {by} さんが対応中としました。くり返しの知らせは止まります。")


async def try_channels(city: str | None) -> list[dict[str, Any]]:
    """`alerts test`: a trial notice through every channel, one try each."""
    instance = Instance.open(city=city)
    clock = instance.clock
    trial = trial_notice(clock.epoch(), clock.city_time_of, instance.profile.city.centre_ja)
    channels = [
        Channel(each, clock)
        for each in notifiers(instance.settings, instance.profile, clock, instance.secret)
    ]
    problems = await asyncio.gather(*(channel.attempt([trial]) for channel in channels))
    return [
        {"channel": channel.notifier.name, "ok": problem is None, "problem": str(problem) if problem else ""}
        for channel, problem in zip(channels, problems, strict=True)
    ]
