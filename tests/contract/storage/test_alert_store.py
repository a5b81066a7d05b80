"""Alerts on every database: what the engine writes and what people write do not overwrite each other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from acd.alerts import Acknowledgement, Alert, AlertKind, AlertRule, ChangeKind, Reading
from core.clock import ManualClock
from services.alerting import AlertKeeper, acknowledge
from storage.database import Database

pytestmark = pytest.mark.contract

T0 = 1_764_000_000.0
ALERT = Alert(
    id="abcd2345",
    kind=AlertKind.MISSED_OFFERS,
    subject="101",
    label="青木さん（101）",
    text="青木さん（101）が呼び出しに3回続けて出ていません。",
    since=T0 - 60,
    raised_at=T0,
    notified=1,
    notified_at=T0,
)
OTHER = replace(
    ALERT, id="abzz2345", kind=AlertKind.NOBODY, subject="", raised_at=T0 + 5, notified=0, notified_at=None
)
SEEN = Acknowledgement(at=T0 + 9, by="責任者 山田", note="電話機を交換")
RULE = AlertRule(
    raise_at=1, clear_at=0, raise_after_s=0, clear_after_s=0, again_after_s=60, remind=True, most_per_day=9
)
BAD = Reading(kind=AlertKind.NOBODY, value=1, text="だれもいません。")


async def test_alerts_come_back_as_they_were(database: Database) -> None:
    async with database.uow() as unit:
        await unit.alerts.put([OTHER, ALERT])
    async with database.reading() as unit:
        assert await unit.alerts.open() == [ALERT, OTHER]
        assert await unit.alerts.between(T0, T0 + 5) == [ALERT]
        assert await unit.alerts.between(T0 + 5, T0 + 6) == [OTHER]


async def test_a_cleared_alert_is_history_and_known_for_a_while(database: Database) -> None:
    over = replace(ALERT, cleared_at=T0 + 100, notified=2, notified_at=T0 + 60, text="まだ出ていません。")
    async with database.uow() as unit:
        await unit.alerts.put([ALERT])
        await unit.alerts.put([over])
    async with database.reading() as unit:
        assert await unit.alerts.open() == []
        assert await unit.alerts.known(T0 + 100) == [over]
        assert await unit.alerts.known(T0 + 101) == []
        assert await unit.alerts.between(0, 2 * T0) == [over]


async def test_an_acknowledgement_is_the_first_persons_and_no_writer_takes_it_away(
    database: Database,
) -> None:
    async with database.uow() as unit:
        await unit.alerts.put([ALERT, OTHER])
        assert await unit.alerts.acknowledge(ALERT.id, SEEN)
        assert not await unit.alerts.acknowledge(ALERT.id, replace(SEEN, by="別の人"))
        assert not await unit.alerts.acknowledge("zzzzzzzz", SEEN)
        # The engine, which has not heard of it yet, writes its own state.
        await unit.alerts.put([replace(ALERT, notified=2)])
    async with database.reading() as unit:
        assert await unit.alerts.acknowledged([ALERT.id, OTHER.id, "zzzzzzzz"]) == {ALERT.id: SEEN}
        assert (await unit.alerts.open())[0] == replace(ALERT, notified=2, acknowledged=SEEN)
    async with database.uow() as unit:
        await unit.alerts.put([replace(OTHER, cleared_at=T0 + 9)])
        assert not await unit.alerts.acknowledge(OTHER.id, SEEN)


async def test_a_person_types_the_beginning_of_an_id(database: Database) -> None:
    async with database.uow() as unit:
        await unit.alerts.put([ALERT, OTHER])
    assert [alert.id for alert in await acknowledge(database.uow, "ab", SEEN)] == [ALERT.id, OTHER.id]
    assert await acknowledge(database.uow, "x", SEEN) == []
    assert await acknowledge(database.uow, "abc", SEEN) == [replace(ALERT, acknowledged=SEEN)]
    async with database.reading() as unit:
        assert list(await unit.alerts.acknowledged([ALERT.id, OTHER.id])) == [ALERT.id]


def keeper(database: Database, clock: ManualClock) -> AlertKeeper:
    return AlertKeeper(
        rules={AlertKind.NOBODY: RULE},
        kinds=frozenset({AlertKind.NOBODY}),
        reading=database.reading,
        uow=database.uow,
        clock=clock,
        channels=(),
    )


async def test_the_engine_learns_of_an_acknowledgement_and_a_restart_tells_nothing_twice(
    database: Database,
) -> None:
    clock = ManualClock(T0)
    async with database.uow() as unit:
        # Another process's alert is none of its business.
        await unit.alerts.put([ALERT])
    first = keeper(database, clock)
    (raised,) = await first.look([BAD])
    assert (raised.what, raised.notify) == (ChangeKind.RAISED, True)
    clock.advance(61)
    second = keeper(database, clock)
    assert [change.what for change in await second.look([BAD])] == [ChangeKind.REMINDED]
    assert len(await acknowledge(database.uow, raised.alert.id, SEEN)) == 1
    for _ in range(5):
        clock.advance(61)
        assert await second.look([BAD]) == []
    (cleared,) = await second.look([])
    assert cleared.alert.acknowledged == SEEN
    async with database.reading() as unit:
        assert [alert.id for alert in await unit.alerts.open()] == [ALERT.id]


async def test_old_alerts_go_with_the_calls_of_their_time(database: Database) -> None:
    async with database.uow() as unit:
        await unit.alerts.put([replace(ALERT, cleared_at=T0 + 10), OTHER])
        assert await unit.retention.alerts_of(T0 + 10) == 0
        assert await unit.retention.alerts_of(T0 + 11) == 1
        assert await unit.retention.drop_alerts(T0 + 11) == 1
        assert await unit.alerts.open() == [OTHER]
