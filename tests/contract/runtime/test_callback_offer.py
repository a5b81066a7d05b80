"""The offer of a call-back: once a caller, only where one may be booked and there is a way out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import pytest_asyncio

from acd.events import CallerJoined, CallerLeft
from acd.floor import Floor
from acd.rules import FloorRules
from core.clock import ManualClock
from core.ids import QueueName
from runtime.callback_booking import CallbackBooking
from runtime.sounds import PromptFiles
from services.city import load_city
from services.ports import TrunkPeer
from storage.database import Database
from telephony.ami.errors import AmiDisconnected
from telephony.ami.session import AmiResponse

pytestmark = pytest.mark.contract

SHIKEN = Path(__file__).parents[2] / "pbx" / "shiken.toml"
CALLER = "PJSIP/carrier-00000001"


class Whispers:
    """Takes what would be whispered."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []
        self.gone = False

    async def action(
        self, name: str, /, *, timeout: float | None = None, **headers: str | Sequence[str]
    ) -> AmiResponse:
        if self.gone:
            raise AmiDisconnected("切れた")
        told = dict(each.split("=", 1) for each in headers["Variable"])
        self.said.append((told["T_SPIED"], Path(told["T_WHISPER"]).name))
        return AmiResponse(success=True, message="", fields={})


@pytest_asyncio.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    made = Database(f"sqlite+aiosqlite:///{tmp_path / 'toritsugi.db'}")
    await made.migrate()
    yield made
    await made.close()


async def booking(
    database: Database, ami: Whispers, *, contact: str = "sip:192.0.2.1"
) -> tuple[Floor, CallbackBooking]:
    async with database.uow() as unit:
        await unit.trunks.put(TrunkPeer(name="carrier", match="192.0.2.1", contact=contact))
    floor = Floor(FloorRules())
    made = CallbackBooking(
        profile=load_city(SHIKEN),
        clock=ManualClock(1_764_000_000.0),
        ami=cast(Any, ami),
        loop=cast(Any, SimpleNamespace(floor=floor)),
        prompts=PromptFiles(Path("/sounds"), "shiken", None),
        database=database,
        pending=lambda: (),
    )
    return floor, made


def joins(floor: Floor, queue: str) -> None:
    floor.handle(CallerJoined(at=1.0, caller=CALLER, queue=QueueName(queue), position=1))


async def test_once_a_caller(database: Database) -> None:
    ami = Whispers()
    floor, desk = await booking(database, ami)
    assert not await desk.offer(CALLER), "nobody waits"
    joins(floor, "consult-ja")
    assert await desk.offer(CALLER)
    assert not await desk.offer(CALLER), "heard it already"
    floor.handle(CallerLeft(at=2.0, caller=CALLER, queue=QueueName("consult-ja")))
    joins(floor, "consult-ja")
    assert not await desk.offer(CALLER), "the same caller came back"
    assert ami.said == [(CALLER, "callback_offer")]


@pytest.mark.parametrize(("queue", "contact"), [("card-ja", "sip:192.0.2.1"), ("consult-ja", "")])
async def test_not_where_none_can_be_booked(database: Database, queue: str, contact: str) -> None:
    ami = Whispers()
    floor, desk = await booking(database, ami, contact=contact)
    joins(floor, queue)
    assert not await desk.offer(CALLER)
    assert ami.said == []


async def test_what_could_not_be_said_may_be_said_later(database: Database) -> None:
    ami = Whispers()
    floor, desk = await booking(database, ami)
    joins(floor, "consult-ja")
    ami.gone = True
    with pytest.raises(AmiDisconnected):
        await desk.offer(CALLER)
    ami.gone = False
    assert await desk.offer(CALLER)
