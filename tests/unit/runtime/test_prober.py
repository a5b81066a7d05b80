"""Looks at real servers on loopback, the record of a month, and the paper made of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from core.clock import TOKYO
from core.settings import Settings, settings_from
from desk.settings import DeskSettings
from reports.availability import Measured
from runtime import availability as a
from runtime import prober as p
from runtime.instance import Instance
from runtime.period_papers import period_paper
from runtime.process import free_port, run_folder, write_json

pytestmark = pytest.mark.unit
BEGIN = datetime(2026, 7, 1, tzinfo=TOKYO).timestamp()


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("TORITSUGI_HOME", str(tmp_path))
    monkeypatch.delenv("TORITSUGI_DATABASE_URL", raising=False)
    return settings_from()


@asynccontextmanager
async def peer(answer: bytes, lose: int = 0) -> AsyncIterator[int]:
    """Somebody on a UDP port who answers every request but the first ones."""
    left = [lose]

    class Peer(asyncio.DatagramProtocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, address: Any) -> None:
            if left[0] > 0:
                left[0] -= 1
                return
            call_id = next(line for line in data.split(b"\r\n") if line.startswith(b"Call-ID:"))
            self.transport.sendto(answer + call_id + b"\r\n\r\n", address)

    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        Peer, local_addr=("127.0.0.1", 0)
    )
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()


async def test_a_switch_that_says_anything_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(p, "RESENT_AFTER_S", (0.1, 0.1))
    for said in (b"SIP/2.0 200 OK\r\n", b"SIP/2.0 401 Unauthorized\r\n"):
        async with peer(said, lose=1) as port:
            assert await p.switch_answers("127.0.0.1", port) == ""
    async with peer(b"HTTP/1.1 200 OK\r\n") as port:
        assert await p.switch_answers("127.0.0.1", port) == "電話交換機が応答しなかった"
    assert await p.switch_answers("127.0.0.1", free_port()) == "電話交換機が動いていない"


async def test_a_page_answers_when_it_comes_whole() -> None:
    pages = {"status": 200, "text": "<html></html>"}

    async def page(_request: web.Request) -> web.Response:
        return web.Response(text=str(pages["text"]), status=int(pages["status"]), content_type="text/html")

    app = web.Application()
    app.router.add_get("/sign-in", page)
    server = TestServer(app)
    await server.start_server()
    desk = DeskSettings(origin=str(server.make_url("")).rstrip("/"))
    try:
        assert await p.page_answers(desk) == ""
        pages["text"] = "<html>"
        assert await p.page_answers(desk) == "画面が途中で切れた"
        pages["status"] = 503
        assert await p.page_answers(desk) == "画面が 503 を返した"
    finally:
        await server.close()
    assert "届かない" in await p.page_answers(desk)


async def test_an_engine_answers_with_a_fresh_word(settings: Settings) -> None:
    path = run_folder(settings) / "live.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    assert await p.engine_answers(settings) == "中枢が動いていない"
    now = datetime.now(TOKYO).timestamp()
    write_json(path, {"at": now, "ami_connected": True})
    assert await p.engine_answers(settings) == ""
    write_json(path, {"at": now, "ami_connected": False})
    assert "つながっていない" in await p.engine_answers(settings)
    measured = await p.look(p.looks_of(replace(settings, http_port=0, sip_port=free_port())))
    assert set(measured.services) == {"switch", "engine"}
    assert all(measured.services.values())


async def test_a_month_is_read_back_told_in_a_paper_and_forgotten(settings: Settings) -> None:
    for minute in range(2000):
        why = "画面に届かない" if minute in (100, 101) else ""
        a.write_minute(
            settings, Measured(at=BEGIN + 60.0 * minute + 30.0, services={"desk": why, "switch": ""})
        )
    with a.file_of(settings, BEGIN).open("a", encoding="utf-8") as file:
        file.write('{"at": 17')
    assert len(list(a.read_minutes(settings, BEGIN, BEGIN + 31 * 86_400.0))) == 2000
    instance = Instance.open(city="inzai")
    await instance.database.migrate()
    paper = await period_paper(instance, "availability", datetime.fromtimestamp(BEGIN, TOKYO).date())
    await instance.database.close()
    rows = {row[0]: row[1:] for row in paper.table("uptime").rows}
    assert rows["画面の表示"][:4] == (1998, 2000, 0.999, 2)
    assert [row[2:] for row in paper.table("outages").rows] == [(2, "画面に届かない")]
    assert "99.900%で、目標の99.900%に届きました" in json.dumps(
        [getattr(block, "lines", ()) for block in paper.blocks], ensure_ascii=False
    )
    august = datetime(2026, 8, 1, tzinfo=TOKYO).timestamp()
    assert a.forget_months(settings, august - 1.0) == 0
    assert a.forget_months(settings, august, dry_run=True) == a.forget_months(settings, august) == 1
    assert list(a.read_minutes(settings, BEGIN, august)) == []
