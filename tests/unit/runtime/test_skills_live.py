"""A changed skill is audited, and the running engine learns of it; nothing is read anew without a change."""

from __future__ import annotations

from pathlib import Path

import pytest

from acd.demand import queues_for
from core.errors import ToritsugiError
from core.ids import OperatorId
from runtime import people
from runtime.instance import Instance

pytestmark = pytest.mark.unit

ONE = OperatorId("101")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORITSUGI_HOME", str(tmp_path))
    monkeypatch.delenv("TORITSUGI_DATABASE_URL", raising=False)
    monkeypatch.setenv("SUDO_USER", "青木")

    async def nothing_runs(instance: Instance, say: object) -> None:
        """No Asterisk is installed or running here."""

    monkeypatch.setattr(people, "_apply", nothing_runs)


def silent(_text: str) -> None:
    """Nobody reads it."""


async def test_a_browser_for_a_telephone_ends_the_old_password() -> None:
    shown: list[str] = []
    await people.add_operator(
        "matsusaka", ONE, "山田", ["card=1"], ("ja",), shown.append, silent, browser=True
    )
    assert shown == [], "nobody needs to know it"
    secrets = [await secret_of(ONE)]
    for browser in (False, True):
        await people.set_browser("matsusaka", ONE, browser, shown.append, silent)
        secrets.append(await secret_of(ONE))
    assert len(set(secrets)) == 3
    assert [line.partition(": ")[2] for line in shown if line.startswith("password")] == [secrets[1]]


async def secret_of(number: str) -> str:
    instance = Instance.open(city="matsusaka")
    async with instance.database.reading() as unit:
        account = await unit.operators.get(OperatorId(number))
    await instance.database.close()
    assert account is not None
    return account.sip_secret


async def test_who_changed_what_is_kept() -> None:
    await people.add_operator("matsusaka", ONE, "山田", ["card=1"], ("ja",), silent, silent)
    await people.set_skills("matsusaka", ONE, ["card=3", "en=2"], silent)
    instance = Instance.open(city="matsusaka")
    async with instance.database.reading() as unit:
        added, changed = await unit.audit.between(0, instance.clock.epoch() + 1)
    assert (added.actor, added.action, added.subject) == ("青木", "operator.add", "101")
    assert added.detail == {"skills": {"card": 1}, "group": "", "telephone": "sip"}
    assert (changed.actor, changed.action, changed.subject) == ("青木", "operator.skills", "101")
    assert changed.detail == {"before": {"card": 1}, "after": {"card": 3, "en": 2}}
    await instance.database.close()


async def test_the_engine_reads_the_rules_once_for_each_change() -> None:
    await people.add_operator("matsusaka", ONE, "山田", ["card=1"], ("ja",), silent, silent)
    instance = Instance.open(city="matsusaka")
    first, rules = await instance._read_rules("")
    assert rules is not None
    assert queues_for(rules.demands, rules.skills[ONE]) == ("card_2-ja",)
    assert await instance._read_rules(first) == (first, None)
    await people.set_skills("matsusaka", ONE, ["card=3"], silent)
    second, rules = await instance._read_rules(first)
    assert second != first
    assert rules is not None
    assert queues_for(rules.demands, rules.skills[ONE]) == ("card-ja", "card_2-ja")
    await instance.database.close()


@pytest.mark.parametrize("skill", ["passport=1", "card=0", "card=6", "card", "card=x"])
async def test_what_is_no_skill_changes_nothing(skill: str) -> None:
    await people.add_operator("matsusaka", ONE, "山田", ["card=1"], ("ja",), silent, silent)
    instance = Instance.open(city="matsusaka")
    before, _rules = await instance._read_rules("")
    with pytest.raises(ToritsugiError):
        await people.set_skills("matsusaka", ONE, [skill], silent)
    assert await instance._read_rules(before) == (before, None)
    async with instance.database.reading() as unit:
        assert len(await unit.audit.between(0, instance.clock.epoch() + 1)) == 1
    await instance.database.close()


async def test_nobody_of_that_number() -> None:
    with pytest.raises(ToritsugiError, match="いない番号"):
        await people.set_skills("matsusaka", "999", ["card=1"], silent)
