"""The telephone in a browser: who gets its password, whose wire is open, when it is closed; what its window says when
it cannot be a telephone. That it is one is tried with a real switch (tests/pbx/softphone)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from functools import partial

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType, WSServerHandshakeError, web
from aiohttp.test_utils import TestServer
from browsing import Visit, require_accessible
from desk_world import World, seat
from playwright.async_api import expect
from signing_in import SignedIn

from core.ids import OperatorId
from desk import wire
from desk.pages import telephone
from desk.sip_seen import Calls, may_pass
from desk.wire import Close

pytestmark = pytest.mark.desk
MINE, OTHERS = "a" * 16, "b" * 16
WIRE = "/desk/phone/wire"


OWN = "<sip:op101@desk.invalid>;tag=a"


def sip(first: str, call: str = "c1", method: str = "", to: str = "<sip:op101@x>", by: str = OWN) -> str:
    method = method or first.partition(" ")[0]
    lines = (first, f"To: {to}", f"From: {by}", f"Call-ID: {call}", f"CSeq: 4 {method}", "Content-Length: 0")
    return "\r\n".join(lines) + "\r\n\r\n"


INVITE, BYE = "INVITE sip:op101@x SIP/2.0", "BYE sip:op101@x SIP/2.0"


@pytest.mark.parametrize(
    ("messages", "any_call"),
    [
        ([sip("REGISTER sip:x SIP/2.0")], False),
        ([sip(INVITE)], True),
        ([sip(INVITE), sip("SIP/2.0 401 Unauthorized", method="INVITE")], False),
        ([sip(INVITE), sip("SIP/2.0 180 Ringing", method="INVITE")], True),
        ([sip(INVITE), sip("SIP/2.0 487 Request Terminated", method="INVITE")], False),
        ([sip(INVITE), sip("SIP/2.0 200 OK", method="INVITE")], True),
        ([sip(INVITE), sip("SIP/2.0 200 OK", method="INVITE"), sip(BYE)], False),
        ([sip(INVITE), sip("SIP/2.0 200 OK", method="INVITE"), sip(BYE, call="another")], True),
        # Another offer within a talk that is refused ends no talk, also where the wire is newer than the talk.
        ([sip(INVITE, to="<sip:x>;tag=1"), sip("SIP/2.0 491 Request Pending", method="INVITE")], True),
        (["", "\r\n\r\n", "rubbish", "INVITE sip:x SIP/2.0\r\n\r\n"], False),
    ],
)
def test_which_calls_go_on(messages: list[str], any_call: bool) -> None:
    calls = Calls()
    for message in messages:
        calls.hear(message)
    assert calls.any is any_call


REGISTER = sip("REGISTER sip:x SIP/2.0")


@pytest.mark.parametrize(
    ("said", "passed"),
    [
        (REGISTER, True),
        ("\r\n\r\n", True),
        (sip("SIP/2.0 200 OK", method="INVITE", by="<sip:09012345678@x>;tag=b"), True),
        (sip(BYE, to="<sip:x@y>;tag=b", by="<sip:k2j3@h7.invalid>;tag=a"), True),
        # Somebody else's name, plainly or in a way that one of two readers might take for it.
        (sip("INVITE sip:0120000901@x SIP/2.0", by="<sip:09012345678@x>;tag=a"), False),
        (sip("REGISTER sip:x SIP/2.0", by="<sip:op102@desk.invalid>;tag=a"), False),
        (sip("REGISTER sip:x SIP/2.0", by='"<sip:op101@desk.invalid>;tag=a" <sip:op102@x>;tag=a'), False),
        (REGISTER.replace("From:", "f: <sip:op102@x>;tag=a\r\nFrom:"), False),
        (REGISTER.replace("To:", "X: 1\n\nINVITE sip:1@x SIP/2.0\r\nTo:"), False),
        (REGISTER.replace("\r\nCall-ID", "\r\n and more\r\nCall-ID"), False),
        (REGISTER + sip("INVITE sip:0120000901@x SIP/2.0", by="<sip:09012345678@x>;tag=a"), False),
        (REGISTER.replace("Content-Length: 0\r\n", ""), False),
        ("\r\n" + REGISTER, False),
        ("rubbish", False),
    ],
)  # fmt: skip
def test_a_browser_speaks_as_its_operator_only(said: str, passed: bool) -> None:
    assert may_pass(said, "op101") is passed


@dataclass
class Switch:
    """The switch's end of the wire: keeps what it hears, and says what a test wants."""

    heard: list[str] = field(default_factory=list)
    ends: list[web.WebSocketResponse] = field(default_factory=list)

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        end = web.WebSocketResponse(protocols=("sip",))
        await end.prepare(request)
        self.ends.append(end)
        async for message in end:
            self.heard.append(message.data)
        return end


@pytest.fixture
async def switch(world: World) -> AsyncIterator[Switch]:
    """101's telephone is a browser, and the switch is there."""
    async with world.database.uow() as unit:
        account = await unit.operators.get(OperatorId("101"))
        assert account is not None
        await unit.operators.put(replace(account, browser=True, sip_secret="the-secret-of-101"))
    made, app = Switch(), web.Application()
    app.router.add_get("/ws", made.serve)
    server = TestServer(app)
    await server.start_server()
    world.desk.wire = str(server.make_url("/ws"))
    yield made
    await server.close()


@pytest.fixture
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the session goes on is asked all the time."""
    monkeypatch.setattr(telephone, "pass_on", partial(wire.pass_on, look_every_s=0.05))


def granted(register: str) -> str:
    """The registrar's yes."""
    kept = [
        line
        for line in register.split("\r\n")
        if line.partition(":")[0] in ("Via", "From", "Call-ID", "CSeq")
    ]
    to = next(line for line in register.split("\r\n") if line.startswith("To:"))
    contact = next(line for line in register.split("\r\n") if line.startswith("Contact:"))
    lines = ["SIP/2.0 200 OK", *kept, f"{to};tag=z", contact, "Content-Length: 0"]
    return "\r\n".join(lines) + "\r\n\r\n"


async def opened(session: ClientSession, window: str, **more: bool) -> dict[str, object]:
    answer = await session.post("/desk/phone/open", json={"window": window, **more})
    assert answer.status == 200, await answer.text()
    told: dict[str, object] = await answer.json()
    return told


async def line(session: ClientSession, window: str = MINE) -> ClientWebSocketResponse:
    return await session.ws_connect(f"{WIRE}?window={window}", protocols=("sip",))


async def closed(end: ClientWebSocketResponse) -> int | None:
    """The code it is closed with."""
    async with asyncio.timeout(10):
        while (await end.receive()).type is not WSMsgType.CLOSE:
            pass
    return end.close_code


async def until(check: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while True:
            if check():
                return
            await asyncio.sleep(0.01)


async def test_what_is_said_is_passed_on(world: World, switch: Switch, signed_in: SignedIn) -> None:
    session = await signed_in("aoki")
    page = await session.get("/desk/phone")
    assert page.status == 200
    assert "the-secret-of-101" not in await page.text()
    assert page.headers["Cache-Control"] == "no-store"
    assert await opened(session, MINE) == {
        "user": "op101", "secret": "the-secret-of-101", "elsewhere": False, "talks": False,
    }  # fmt: skip
    async with await line(session) as end:
        assert end.protocol == "sip"
        await end.send_str(sip(INVITE, by="<sip:09012345678@x>;tag=a"))
        await end.send_str(REGISTER)
        await until(lambda: switch.heard)
        assert switch.heard == [REGISTER]
        await switch.ends[0].send_str("SIP/2.0 200 OK\r\n\r\n")
        assert await end.receive_str() == "SIP/2.0 200 OK\r\n\r\n"
    async with world.database.reading() as unit:
        entries = await unit.audit.between(0.0, 4e9)
    assert ("aoki", "phone.open", "101") in [(each.actor, each.action, each.subject) for each in entries]


async def test_one_window_has_it_and_another_may_take_it(switch: Switch, signed_in: SignedIn) -> None:
    session, elsewhere = await signed_in("aoki"), await signed_in("aoki")
    await opened(session, MINE)
    first = await line(session)
    await until(lambda: switch.ends)
    await switch.ends[0].send_str(sip(INVITE))
    await first.receive()
    told = await opened(elsewhere, OTHERS)
    assert told == {"user": "op101", "secret": "", "elsewhere": True, "talks": True}
    assert await closed(await line(elsewhere, OTHERS)) == Close.ELSEWHERE, "unasked it takes nothing away"
    assert not first.closed
    assert (await opened(elsewhere, OTHERS, take=True))["secret"]
    assert await closed(first) == Close.ELSEWHERE
    second = await line(elsewhere, OTHERS)
    assert await closed(await line(session)) == Close.ELSEWHERE, "who lost it does not come back by itself"
    again = await line(elsewhere, OTHERS)
    assert await closed(second) == Close.ELSEWHERE, "a window that comes again is one window"
    assert not again.closed


async def test_a_session_that_is_over_ends_no_talk(
    world: World, switch: Switch, signed_in: SignedIn, looks_often: None
) -> None:
    session = await signed_in("aoki")
    await opened(session, MINE)
    end = await line(session)
    await until(lambda: switch.ends)
    await switch.ends[0].send_str(sip(INVITE))
    await end.receive()
    await end.send_str(sip("SIP/2.0 200 OK", method="INVITE"))
    async with world.database.uow() as unit:
        await unit.sessions.drop_of_user("aoki")
    await asyncio.sleep(0.5)
    assert not end.closed, "who talks goes on talking"
    await switch.ends[0].send_str(sip(BYE))
    assert await closed(end) == Close.OVER


async def test_who_is_at_work_stays_signed_in(
    world: World, switch: Switch, signed_in: SignedIn, looks_often: None
) -> None:
    """An hour without a call is no hour of idleness for who is ready; for who is away it is."""
    session = await signed_in("aoki")
    await opened(session, MINE)
    end = await line(session)
    await until(lambda: switch.ends)
    for _ in range(3):
        world.clock.ahead += 2400.0
        await asyncio.sleep(0.3)
    assert not end.closed
    world.tell(seats=[seat("101", "paused:break1", world.clock.epoch())])
    await until(lambda: (now := world.desk.hub.seat(OperatorId("101"))) and now.kind == "paused")
    world.clock.ahead += 3700.0
    assert await closed(end) == Close.OVER


async def test_nobody_else_gets_a_wire(world: World, switch: Switch, signed_in: SignedIn) -> None:
    session = await signed_in("aoki")
    await opened(session, MINE)
    for origin in ("https://evil.example", "null"):
        with pytest.raises(WSServerHandshakeError) as refused:
            await session.ws_connect(f"{WIRE}?window={MINE}", protocols=("sip",), headers={"Origin": origin})
        assert refused.value.status == 403
    sawa = await signed_in("kantoku")
    for answer in (await sawa.post("/desk/phone/open", json={"window": MINE}), await sawa.get("/desk/phone")):
        assert answer.status in (403, 422)
        assert "the-secret-of-101" not in await answer.text()
    assert switch.ends == []


async def test_a_switch_that_is_away_is_told(world: World, switch: Switch, signed_in: SignedIn) -> None:
    world.desk.wire = "http://127.0.0.1:9/ws"
    session = await signed_in("aoki")
    await opened(session, MINE)
    assert await closed(await line(session)) == Close.NO_SWITCH


async def test_whose_telephone_is_no_browser_gets_none(world: World, signed_in: SignedIn) -> None:
    session = await signed_in("aoki")
    answer = await session.get("/desk/phone")
    assert answer.status == 422
    assert "電話機を使う" in await answer.text()
    assert 'id="strip"' not in await (await session.get("/desk")).text()


async def test_a_microphone_that_is_refused_is_told(world: World, switch: Switch, visit: Visit) -> None:
    words = "マイクが許可されていません"
    page = await visit("aoki", "/desk")
    await page.context.add_init_script(
        "let tries = 0; navigator.mediaDevices.getUserMedia = async () => {"
        " if (tries++ === 0) throw new DOMException('', 'NotAllowedError');"
        " return new AudioContext().createMediaStreamDestination().stream; };"
    )
    async with page.context.expect_page() as opened_window:
        await page.get_by_role("link", name="電話を開く").click()
    phone = await opened_window.value
    await expect(phone.locator("#phone-now")).to_have_text(words)
    await expect(phone.get_by_role("button", name="もう一度")).to_be_visible()
    await expect(page.locator("#strip-now")).to_have_text(words)
    assert switch.ends == [], "a telephone that cannot speak does not ring"
    for shown, where in ((phone, "the telephone"), (page, "the desk with a telephone")):
        for width in (1280, 390):
            await shown.set_viewport_size({"width": width, "height": 700})
            await require_accessible(shown, f"{where} at {width}")
            wide = await shown.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{where} is {wide} wide"
        if shown is page:
            await page.locator("#r-call").evaluate("(element) => element.scrollIntoView()")
            covered = await page.evaluate(
                "document.getElementById('strip').getBoundingClientRect().bottom"
                " - document.getElementById('r-call').getBoundingClientRect().top"
            )
            assert covered <= 0, "the strip covers what was scrolled to"
    await phone.get_by_role("button", name="もう一度").click()
    await until(lambda: switch.heard)
    await switch.ends[0].send_str(granted(switch.heard[0]))
    await expect(phone.locator("#phone-now")).to_have_text("電話を受けられます")
    await phone.get_by_role("button", name="受付を始める").click()
    await until(lambda: len(switch.heard) > 1)
    assert switch.heard[1].startswith("INVITE sip:*11@desk.invalid SIP/2.0\r\n")
    again = await page.context.new_page()
    await again.goto("/desk/phone")
    await expect(again.locator("#phone-now")).to_have_text("電話はもう開いています")
    await phone.close()
    await expect(page.locator("#strip-now")).to_contain_text("開いていません")
