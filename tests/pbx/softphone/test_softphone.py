"""A morning at a centre whose operator has nothing but a browser and a headset."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from at_the_seat import Seat, gets_to_hear, said
from centre import eventually, kill, tone, tone_s
from handover import OUTSIDE, Handover
from people import SAYS_HZ, People
from playwright.async_api import expect

from demo.ends.calls import OutgoingCall
from demo.ends.dialog import Dialog
from demo.ends.identity import known
from demo.ends.registration import RegistrationRefused
from demo.ends.user_agent import SipEnd

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]
CITIZEN_HZ, SUPERVISOR_HZ, STAFF_HZ = 600.0, 1500.0, 2000.0
DAY = "2026-11-24"
IN_THE_PICTURES = "09012340004"


async def hears_nothing_of_it(end: Dialog) -> None:
    """Wait until this telephone has not heard the operator for a second."""
    await eventually(
        lambda: tone_s(end.media.heard.recording(last_s=1.0).samples, SAYS_HZ) == 0.0, what="silence"
    )


async def taken(city: Handover, seat: Seat, **more: Any) -> OutgoingCall:
    """A citizen whom the operator has taken by keyboard."""
    call = await city.centre.queued("1", **more)
    await seat.says("電話が鳴っています")
    await expect(seat.desk.get_by_text("電話機で取ってください")).to_be_hidden()
    await seat.desk.keyboard.press("Alt+KeyA")
    await seat.says("通話中")
    return call


async def _asked_of_the_city(city: Handover) -> bool:
    async with city.centre.database.reading() as unit:
        return bool(await unit.tickets.open())


async def test_a_morning(city: Handover, people: People, seat: Seat) -> None:
    centre, desk, phone = city.centre, seat.desk, seat.phone
    boss = await centre.phone("301", sign_in=False)
    board = await people.come("kantoku", "/board")
    await expect(board.locator("#r-seats")).to_contain_text("受付可")

    call = await taken(city, seat, identity=known(IN_THE_PICTURES))
    await expect(board.locator("#r-seats")).to_contain_text("応対中")
    await said(call, CITIZEN_HZ, phone)
    await gets_to_hear(call)

    # What the citizen says leads to an entry, which is read out and noted.
    await desk.get_by_label("問い合わせの内容").fill(
        "マイナンバーカードの申請書をなくした。どう申請しますか。"
    )
    await desk.locator("#faq-hints [data-open]").first.click()
    await desk.get_by_role("button", name="案内した").click()
    await desk.get_by_label("案内した内容").fill("申請の方法を案内した。")
    await seat.pictures()

    # A hand is raised; the supervisor sees it, takes it, and whispers.
    await desk.get_by_role("button", name="応援を呼ぶ").click()
    await board.locator("#r-alerts a").first.click()
    await board.get_by_role("button", name="自分が対応する").click()
    await board.goto("/board/operators/101")
    ringing = asyncio.create_task(boss.answer())
    await board.get_by_role("button", name="助言する").click()
    whisper = await ringing
    await said(whisper, SUPERVISOR_HZ, phone)
    assert tone_s(call.media.heard.recording().samples, SUPERVISOR_HZ) == 0.0
    await whisper.hang_up()

    # City staff are asked first, and the citizen is put through to them.
    await desk.goto("/desk")
    await desk.locator(f"#act-consult-{OUTSIDE}").click()
    staff = await city.department(OUTSIDE)
    staff.answer()
    await said(staff, STAFF_HZ, phone)
    await desk.locator("#act-complete").click()
    await seat.says("電話を受けられます")
    saying = asyncio.create_task(call.media.say(tone(CITIZEN_HZ, 3.0)))
    await gets_to_hear(staff, CITIZEN_HZ)
    await saying
    await call.hang_up()

    # The case becomes a request; the operator is ready again.
    await desk.get_by_label("用件の分類").select_option(label="カード")
    await desk.get_by_label("結果").select_option(label="折り返し待ち")
    await desk.get_by_label("市の担当").select_option(label="市民課")
    await desk.get_by_label("案内した内容").press("Control+Enter")
    await expect(desk.locator("[data-saved]")).to_have_text("応対履歴に記録しました")
    assert await desk.locator("[data-problem]").inner_text() == ""
    await desk.get_by_role("button", name="受付可にする").click()
    await expect(desk.locator("#r-state")).to_contain_text("受付可")

    # The city answers the request, lets an entry into force, and gets the day's report.
    await eventually(lambda: _asked_of_the_city(city), what="the request to the city")
    clerk = await people.come("shokuin", "/tickets")
    await clerk.get_by_role("link", name="折り返し依頼").click()
    await clerk.get_by_role("button", name="対応を始める").click()
    await clerk.get_by_label("結果").fill("電話して説明した")
    await clerk.get_by_role("button", name="完了にする").click()
    await expect(clerk.get_by_role("status")).to_contain_text("完了にしました")
    await clerk.goto("/tickets")
    await clerk.get_by_role("link", name="FAQ の承認待ち").click()
    await clerk.locator("tbody th a").click()
    await clerk.get_by_role("button", name="承認する").click()
    await expect(clerk.get_by_role("status")).to_have_text("承認しました。")
    await clerk.goto("/reports")
    paper = clerk.locator("form[action='/reports/daily']")
    await paper.get_by_label("日（").fill(DAY)
    async with clerk.expect_download() as downloaded:
        await paper.get_by_role("button", name="CSV").click()
    assert DAY in (await downloaded.value).suggested_filename

    record = await centre.ledger(call)
    assert record["operators"] == ["101"]
    sides = await centre.sides(record)
    assert tone_s(sides["citizen"], CITIZEN_HZ) > 1.5
    assert tone_s(sides["line"], SAYS_HZ) > 1.0
    await city.agrees()
    await boss.end.close()
    centre.ends.remove(boss.end)


async def test_a_call_goes_on_whatever_happens_at_the_screen(
    city: Handover, people: People, seat: Seat
) -> None:
    """Pages change, the citizen waits on hold, the desk dies and comes back: one call."""
    centre, desk, phone = city.centre, seat.desk, seat.phone
    call = await taken(city, seat)
    for path in ("/faq", "/cases", "/desk"):
        await desk.goto(path)
        await seat.says("通話中")
    await seat.does("保留 Alt")
    await seat.says("保留中")
    await hears_nothing_of_it(call)
    await desk.keyboard.press("Alt+KeyH")
    await seat.says("通話中")
    await gets_to_hear(call)
    await desk.keyboard.press("Alt+KeyM")
    await seat.says("通話中（消音：こちらの声は届きません）")
    await hears_nothing_of_it(call)
    await desk.keyboard.press("Alt+KeyM")
    await seat.says("通話中")
    kill(centre.warden()["desk"]["pid"])
    await expect(phone.locator("#phone-more")).to_contain_text("交換機とつながっていません")
    await expect(phone.locator("#phone-more")).to_be_empty(timeout=30_000)
    await said(call, CITIZEN_HZ, phone)
    await gets_to_hear(call)
    await call.hang_up()
    await seat.says("電話を受けられます")


async def test_another_window_has_it(city: Handover, people: People, seat: Seat) -> None:
    """At another machine: it is told, takes the telephone over, and is the one that rings."""
    elsewhere = await people.come("aoki", "/desk/phone")
    await expect(elsewhere.locator("#phone-now")).to_have_text("ほかの窓で使われています")
    await elsewhere.get_by_role("button", name="この窓で使う").click()
    await expect(elsewhere.locator("#phone-now")).to_have_text("電話を受けられます")
    await seat.says("ほかの窓で使われています")
    await seat.desk.get_by_role("button", name="受付可にする").click()
    call = await city.centre.queued("1")
    await elsewhere.get_by_role("button", name="取る").click()
    await gets_to_hear(call)
    await elsewhere.get_by_role("button", name="切る").click()
    assert await call.ended(timeout=5)
    assert (await city.centre.ledger(call))["ended_by"] == "operator"


async def test_a_password_is_of_no_use_but_through_the_desk(city: Handover) -> None:
    """From another address it is refused like a wrong one; from the switch's own it is the right one."""
    secret, place = city.centre.secrets["101"], city.centre.place
    end = await SipEnd.open("op101", host="127.0.0.2")
    with pytest.raises(RegistrationRefused):
        await end.register("op101", secret, place)
    end.registration = None
    await end.close()
    inside = await SipEnd.open("op101")
    assert await inside.register("op101", secret, place) > 0
    await inside.close()
