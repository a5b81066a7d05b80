"""Alerts on a real centre: nobody there, offers missed, a wait too long, a hold too long, an engine that died.

Everything is told to a webhook, as a supervisor's system would get it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from centre import PROFILE, Centre, eventually, free_ports, kill, talk

from storage.database import Database

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]

RULES = """
[acd.alerts]
nobody = { raise_after_s = 1, clear_after_s = 1, again_after_min = 0.05, remind = false }
missed_offers = { again_after_min = 0.05, remind = false }
wait_limit = { clear_after_s = 1, again_after_min = 0.05 }
waiting = { raise_after_s = 0, clear_after_s = 1, again_after_min = 0.05 }
wait_risk = { clear_after_s = 1, again_after_min = 0.05, remind = false }
guard = { clear_after_s = 1, again_after_min = 0.05 }
long_hold = { limit_s = 10, remind = false }
engine = { raise_after_s = 0, remind = false }
"""


class Supervisor:
    """A system of the organisation that gets the alerts."""

    def __init__(self) -> None:
        self.notices: list[dict[str, Any]] = []
        self.signed: list[tuple[str, bytes]] = []

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.signed.append((request.headers["X-Toritsugi-Signature"], body))
        self.notices += json.loads(body)["notices"]
        return web.Response()

    async def begin(self, centre: Centre) -> None:
        """Forget the story before, once its alerts are over (that nobody is signed in is none of it)."""
        await eventually(lambda: _open(centre) <= {"nobody"}, within=60, what=lambda: f"{_open(centre)} over")
        self.notices.clear()

    def told(self, kind: str, what: str | None = None) -> list[dict[str, Any]]:
        return [n for n in self.notices if n["kind"] == kind and what in (None, n["what"])]

    async def hears(self, kind: str, what: str, *, times: int = 1, within: float = 20.0) -> dict[str, Any]:
        await eventually(
            lambda: len(self.told(kind, what)) >= times,
            within=within,
            what=lambda: f"{kind} {what} ×{times}, but {[(n['kind'], n['what']) for n in self.notices]}",
        )
        return self.told(kind, what)[times - 1]


def _open(centre: Centre) -> set[str]:
    return set(json.loads((centre.home / "run" / "alerts.json").read_text())["kinds"])


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def supervisor() -> AsyncIterator[tuple[Supervisor, str]]:
    made = Supervisor()
    application = web.Application()
    application.router.add_post("/alerts", made.take)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    yield made, f"http://127.0.0.1:{port}/alerts"
    await runner.cleanup()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def watched(
    tmp_path_factory: pytest.TempPathFactory, supervisor: tuple[Supervisor, str]
) -> AsyncIterator[Centre]:
    """A centre with limits that a story can wait for."""
    home = tmp_path_factory.mktemp("alerts")
    text = PROFILE.read_text(encoding="utf-8")
    text = text.replace("answer_rate = 0.90\n", "answer_rate = 0.90\nwait_alert_s = 4\nwaiting_alert = 1\n")
    text = text.replace("wait_limit_s = 10\n", "wait_limit_s = 120\n")
    profile = home / PROFILE.name
    profile.write_text(text.replace("[[acd.lines]]", f"{RULES}\n[[acd.lines]]", 1), encoding="utf-8")
    centre = Centre(
        home=home / "centre",
        ports=free_ports(5),
        database=Database(f"sqlite+aiosqlite:///{home / 'toritsugi.db'}"),
        profile=str(profile),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TORITSUGI_ALERT_WEBHOOK", supervisor[1])
        await centre.start({"101": {"card": 4, "portal": 4}, "102": {"card": 4}})
        yield centre
        await centre.stop()


async def test_nobody_signed_in_until_somebody_is(
    watched: Centre, supervisor: tuple[Supervisor, str]
) -> None:
    told, _ = supervisor
    raised = await told.hears("nobody", "raised")
    assert raised["title"] == "【警報】電話を受けられる人がいません"
    assert raised["lines"][0] == "状況：受付時間中ですが、サインインしている人がいません。"
    signature, body = told.signed[0]
    secret = (watched.home / "secrets" / "alert-webhook").read_text()
    moment = re.match(r"t=(\d+),v1=", signature)
    assert moment is not None
    expected = hmac.new(secret.encode(), f"{moment[1]}.".encode() + body, hashlib.sha256).hexdigest()
    assert signature.endswith(expected)
    async with watched.at_work("101"):
        cleared = await told.hears("nobody", "cleared")
        assert cleared["alert"] == raised["alert"]
        rows = [json.loads(line) for line in (await watched.command("alerts", "list")).splitlines()]
        (row,) = [row for row in rows if row["id"] == raised["alert"]]
        assert (row["kind"], row["told"], row["cleared_at"] is None) == ("nobody", 1, False)
    # The city closes: nobody needs to be there.
    before = len(told.told("nobody", "raised"))
    await told.hears("nobody", "raised", times=before + 1)
    watched.set_city_time("2026-11-24T17:00:00+09:00")
    await told.hears("nobody", "cleared", times=2)
    watched.set_city_time("2026-11-24T10:00:00+09:00")


async def test_an_operator_who_misses_offers(watched: Centre, supervisor: tuple[Supervisor, str]) -> None:
    told, _ = supervisor
    await told.begin(watched)
    async with watched.at_work("101") as (phone,):
        call = await watched.queued("1")
        for _ in range(2):
            assert await (await phone.rings()).ended(10)
        raised = await told.hears("missed_offers", "raised")
        assert raised["subject"] == "101"
        assert (
            raised["lines"][0]
            == "状況：試験101さん（101）が呼び出しに2回続けて出ていません。いまは呼び出しを止めています。"
        )
        await phone.ready()
        await told.hears("missed_offers", "cleared")
        offer = await phone.answer()
        await talk(call, offer)
        await call.hang_up()
        await phone.state("ready", within=20)
    assert len(told.told("missed_offers")) == 2
    await watched.leave()


async def test_a_wait_past_the_limit_is_told_until_somebody_cares(
    watched: Centre, supervisor: tuple[Supervisor, str]
) -> None:
    told, _ = supervisor
    await told.begin(watched)
    async with watched.at_work("101") as (phone,):
        await phone.dial("*21")
        first, second = await watched.queued("1"), await watched.queued("1")
        raised = await told.hears("wait_limit", "raised")
        assert raised["title"] == "【警報】待ち時間が上限を超えました：「カード・日本語」"
        assert raised["subject"] == "card-ja"
        await told.hears("wait_limit", "reminded")
        await told.hears("waiting", "reminded")
        await watched.command("alerts", "ack", raised["alert"][:5], "--by", "山田", "--note", "応援を呼んだ")
        heard = len(told.told("wait_limit", "reminded")) + 1
        # The other alert goes on every three seconds and is the clock here; one notice may have been on its way.
        turns = len(told.told("waiting", "reminded"))
        await told.hears("waiting", "reminded", times=turns + 4, within=30)
        assert len(told.told("wait_limit", "reminded")) <= heard
        assert len(told.told("wait_limit", "raised")) == 1
        out = await watched.command("alerts", "list", "--open")
        (row,) = [row for row in map(json.loads, out.splitlines()) if row["kind"] == "wait_limit"]
        assert (row["acknowledged_by"], row["note"]) == ("山田", "応援を呼んだ")
        await phone.ready()
        for call in (first, second):
            offer = await phone.answer()
            await talk(call, offer)
            await call.hang_up()
        cleared = await told.hears("wait_limit", "cleared")
        assert cleared["alert"] == raised["alert"]
        await phone.state("ready", within=20)
    await watched.leave()


async def test_a_hold_that_lasts_and_an_engine_that_dies(
    watched: Centre, supervisor: tuple[Supervisor, str]
) -> None:
    told, _ = supervisor
    await told.begin(watched)
    async with watched.at_work("101") as (phone,):
        call = await watched.queued("1")
        offer = await phone.answer()
        await talk(call, offer)
        assert await offer.hold("sendonly") == 200
        raised = await told.hears("long_hold", "raised", within=30)
        assert raised["subject"] == "101"
        assert await offer.hold("sendrecv") == 200
        await told.hears("long_hold", "cleared")
        before = len(told.notices)
        old = watched.engine_pid()
        kill(old)
        await watched.engine_is_back(old)
        # On a busy machine an engine takes its time to start, and the parent tells of that too.
        died = await told.hears("engine", "raised", within=90)
        assert died["subject"] == "engine"
        # The new engine knows what was told: nothing is said twice.
        assert {notice["kind"] for notice in told.notices[before:]} <= {"engine", "engine_silent"}
        status = json.loads(await watched.command("status"))
        assert status["alerts"]["channels"]["webhook"]["well"]
        assert status["alerts"]["open"] >= 1
        await call.hang_up()
        await phone.ready()
        await phone.state("ready", within=20)
    await watched.leave()


async def test_a_trial_reaches_every_channel(watched: Centre, supervisor: tuple[Supervisor, str]) -> None:
    told, _ = supervisor
    out = await watched.command("alerts", "test")
    assert [json.loads(line) for line in out.splitlines()] == [
        {"channel": "log", "ok": True, "problem": ""},
        {"channel": "webhook", "ok": True, "problem": ""},
    ]
    assert (await told.hears("test", "test"))["title"] == "【試験】警報の試験です"
