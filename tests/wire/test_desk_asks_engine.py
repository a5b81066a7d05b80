"""The desk's control over the engine's socket: who asks, what is answered, and no engine at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from acd.commands import Act, Answer, Command, Outcome
from acd.commands import Role as CommandRole
from core.errors import ToritsugiError
from core.ids import OperatorId
from interactions.access import Role
from runtime.control_port import ControlPort, socket_address
from runtime.desk_control import EngineControl
from runtime.instance import Instance
from runtime.live_floor import LiveFile
from runtime.live_word import LiveWord
from runtime.process import run_folder, write_json
from services.desk_ports import User

pytestmark = pytest.mark.wire
UNTIL = "2026-11-27T15:00+09:00"


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Instance:
    monkeypatch.setenv("TORITSUGI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TORITSUGI_CITY", "matsusaka")
    return Instance.open()


@pytest.fixture
async def asked(instance: Instance) -> AsyncIterator[list[Command]]:
    found: list[Command] = []

    async def do(command: Command) -> Answer:
        found.append(command)
        refused = command.act is Act.READY
        return Answer(
            outcome=Outcome.REFUSED if refused else Outcome.DONE,
            text="通話中です。" if refused else "しました。",
        )

    task = asyncio.create_task(
        ControlPort(
            instance.settings, do, LiveWord(dict, run_folder(instance.settings) / "live.json").words
        ).run()
    )
    with socket_address(instance.settings) as address:
        async with asyncio.timeout(5):
            while True:
                if Path(address).exists():
                    break
                await asyncio.sleep(0.01)
    yield found
    task.cancel()


def user(role: Role, operator: str = "") -> User:
    return User(name="aoki", display="青木", role=role, operator=OperatorId(operator) if operator else None)


async def test_the_engine_is_told_who_asks_for_what(instance: Instance, asked: list[Command]) -> None:
    control = EngineControl(instance)
    said = await control.do(Act.PAUSE, user(Role.LEADER, "102"), operator=OperatorId("102"), to="break1")
    assert said == "しました。"
    await control.do(Act.SKILLS, user(Role.SUPERVISOR), operator=OperatorId("101"), skills={"booking": 5})
    await control.do(Act.CLOSE, user(Role.CITY_ADMIN), to="emergency_closed", reason="停電", until=UNTIL)
    assert [(each.act, each.asker.role, each.asker.operator) for each in asked] == [
        (Act.PAUSE, CommandRole.OPERATOR, "102"),
        (Act.SKILLS, CommandRole.SUPERVISOR, ""),
        (Act.CLOSE, CommandRole.CITY, ""),
    ]
    assert asked[1].skills == {"booking": 5}
    assert asked[2].until == UNTIL


async def test_a_refusal_comes_with_the_engines_words(instance: Instance, asked: list[Command]) -> None:
    with pytest.raises(ToritsugiError, match="通話中です"):
        await EngineControl(instance).do(Act.READY, user(Role.OPERATOR, "101"), operator=OperatorId("101"))


@pytest.mark.parametrize("role", [Role.SYSTEM_ADMIN, Role.AUDITOR, Role.CITY_STAFF])
async def test_roles_without_a_part_at_the_centre_ask_nothing(
    instance: Instance, asked: list[Command], role: Role
) -> None:
    with pytest.raises(ToritsugiError, match="役割"):
        await EngineControl(instance).do(Act.REOPEN, user(role))
    assert asked == []


async def test_no_engine_is_said_plainly(instance: Instance) -> None:
    with pytest.raises(ToritsugiError, match="動いていません"):
        await EngineControl(instance).do(Act.REOPEN, user(Role.SUPERVISOR))


def test_the_live_file_is_read_again_when_it_changed(instance: Instance) -> None:
    live, path = LiveFile(instance.settings), run_folder(instance.settings) / "live.json"
    assert live.read() == {}
    write_json(path, {"at": 1.0})
    first = live.read()
    assert (first, live.read() is first) == ({"at": 1.0}, True)
    write_json(path, {"at": 2.0})
    assert live.read() == {"at": 2.0}
    path.unlink()
    assert live.read() == {"at": 2.0}, "its age tells that the engine is away"
