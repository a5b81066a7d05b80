"""What people do, in a real browser: sign in, watch, write, lose the network, answer for the city."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import pyotp
import pytest
from browsing import Visit, launched, require_accessible, sign_in
from cut_road import Road
from desk_world import BASE, FIRST, PASSWORD, World, an_alert, present_calls, seat
from playwright.async_api import expect

from acd.commands import Act
from core.settings import PROJECT_ROOT
from desk.accounts import Accounts, Wanted
from interactions.access import Role
from interactions.case import CallSummary, Case, case_id_of, open_case
from interactions.ticket import TicketState
from runtime.process import free_port

pytestmark = pytest.mark.desk
PICTURES = PROJECT_ROOT / "docs" / "desk"
CASE = f"/cases/{case_id_of(FIRST.call_id)}"


async def test_first_sign_in_with_an_authenticator_app(world: World, visit: Visit) -> None:
    token = await Accounts(world.database.uow, world.clock, ()).add(
        "hajime", Wanted(display="始 はじめ", role=Role.SYSTEM_ADMIN), "test"
    )
    page = await visit(None, f"/set-up/{token}")
    await require_accessible(page, "set-up")
    await page.get_by_label("新しいパスワード").fill(PASSWORD)
    await page.get_by_label("もう一度").fill(PASSWORD)
    await page.get_by_role("button", name="決める").click()
    await require_accessible(page, "sign-in")
    await page.get_by_label("利用者名").fill("hajime")
    await page.get_by_label("パスワード").fill(PASSWORD)
    await page.get_by_role("button", name="サインイン").click()
    await page.get_by_role("heading", name="二つ目の確認を登録する").wait_for()
    await require_accessible(page, "second factor")
    seed = (await page.locator("code.seed").inner_text()).replace(" ", "")
    await page.get_by_label("確認コード").fill(pyotp.TOTP(seed).at(int(world.clock.epoch())))
    await page.get_by_role("button", name="登録する", exact=True).click()
    await expect(page.get_by_text("確認コードを登録しました。")).to_be_visible()


async def test_a_security_key_is_registered_and_used(world: World, visit: Visit) -> None:
    page = await visit("kantoku", "/account/second-factor")
    session = await page.context.new_cdp_session(page)
    await session.send("WebAuthn.enable")
    await session.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "usb",
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    await page.get_by_label("名前").fill("試験の鍵")
    await page.get_by_role("button", name="セキュリティキーを登録する").click()
    await expect(page.get_by_text("セキュリティキーを登録しました。")).to_be_visible()
    await page.get_by_role("button", name="サインアウト").click()
    await page.get_by_label("利用者名").fill("kantoku")
    await page.get_by_label("パスワード").fill(PASSWORD)
    await page.get_by_role("button", name="サインイン").click()
    await page.get_by_role("button", name="セキュリティキーで確認する").click()
    await expect(page.get_by_role("heading", name="状況")).to_be_visible()
    async with world.database.reading() as unit:
        (key,) = await unit.users.keys("kantoku")
    assert (key.label, key.sign_count > 0) == ("試験の鍵", True)


async def test_a_supervisor_watches_and_takes_an_alert(world: World, visit: Visit) -> None:
    page = await visit("kantoku", "/board")
    await expect(page.locator("#r-waiting tbody tr").first).to_contain_text("上限超え")
    world.tell(callers=[], seats=[seat("103", "talking", world.clock.epoch(), queue="card-ja")])
    await expect(page.locator("#r-waiting")).to_contain_text("お待ちの方はいません")
    await expect(page.locator("#r-seats tbody tr").first).to_contain_text("上田 桃子")
    async with world.database.uow() as unit:
        await unit.alerts.put([an_alert(BASE, "bbbb2222")])
    await page.locator("a[href='/board/alerts/bbbb2222']").click()
    await page.get_by_label("書き添えること").fill("いま見ています")
    await page.keyboard.press("Enter")
    await expect(page.locator("#r-alerts")).to_contain_text("対応：監督 花子（いま見ています）")
    await page.get_by_role("link", name="上田 桃子").click()
    await page.get_by_role("button", name="離席にする").click()
    await expect(page.get_by_role("status")).to_contain_text("離席にしました")
    assert world.control.asked == [(Act.PAUSE, "kantoku", {"operator": "103", "to": "break1"})]


async def test_a_network_that_goes_in_mid_call(world: World) -> None:
    """Nothing passes and nobody is told; the page says so, and comes back with the truth and all that was typed.

    `accept desk` cuts for a minute; here the browser's clock is moved on instead.
    """
    road = Road(free_port(), world.desk.settings.port)
    await road.start()
    async with launched(*road.browser_args) as browser:
        page = await browser.new_page(base_url=world.origin)
        await sign_in(world, page, "aoki")
        await page.goto("/desk")
        question, saved, lost = (
            page.get_by_label("問い合わせの内容"),
            page.locator("[data-saved]"),
            page.locator("#lost"),
        )
        await question.fill("予約を")
        await expect(saved).to_have_text("下書きを保存しました")
        await page.clock.install()
        road.cut()
        await page.clock.fast_forward(10_000)
        await expect(lost).to_contain_text("つながっていません")
        await require_accessible(page, "desk, cut off")
        await question.press_sequentially("変えたい")
        world.tell(seats=[seat("101", "wrapup", world.clock.epoch(), queue="booking-ja")])
        await expect(page.locator("#r-state .state")).to_have_text("応対中")
        road.mend(close=True)
        await page.clock.fast_forward(10_000)
        await expect(lost).to_be_empty()
        await expect(page.locator("#r-state .state")).to_have_text("後処理")
        await expect(saved).to_have_text("下書きを保存しました")
        assert await question.input_value() == "予約を変えたい"
    road.stop()
    async with world.database.reading() as unit:
        (draft,) = await unit.cases.drafts_of("aoki")
    assert draft.content["question"] == "予約を変えたい"


async def test_nothing_that_is_typed_is_lost(world: World, visit: Visit) -> None:
    """Reload, a cut network, a closed window; then the case has it."""
    page = await visit("aoki", "/desk")
    talking = present_calls()[0].call_id
    question = page.get_by_label("問い合わせの内容")
    await question.fill("予約を変えたい")
    await expect(page.locator("[data-saved]")).to_have_text("下書きを保存しました")
    await page.reload()
    await expect(question).to_have_value("予約を変えたい")
    await page.context.set_offline(True)
    await question.fill("予約を来週に変えたい")
    await expect(page.locator("[data-saved]")).to_contain_text("この端末にあり")
    await page.close()
    await page.context.set_offline(False)
    again = await page.context.new_page()
    await again.goto("/desk")
    await expect(again.get_by_label("問い合わせの内容")).to_have_value("予約を来週に変えたい")
    async with asyncio.timeout(10):
        while True:
            async with world.database.reading() as unit:
                drafts = await unit.cases.drafts_of("aoki")
            if drafts and drafts[0].content["question"] == "予約を来週に変えたい":
                break
            await asyncio.sleep(0.05)
    assert drafts[0].case_id == case_id_of(talking)
    await again.get_by_label("問い合わせの内容").press("Control+Enter")
    await expect(again.locator("[data-problem]")).to_contain_text("案内した内容")
    await expect(again.locator("[data-saved]")).to_have_text("下書きを保存しました")
    await expect(again.locator("[data-problem]")).to_be_visible()
    await again.get_by_label("案内した内容").fill("空いている日に変えた")
    await again.get_by_label("案内した内容").press("Control+Enter")
    await expect(again.locator("[data-saved]")).to_have_text("通話が終わりしだい、応対履歴に記録します")
    assert await again.evaluate("localStorage.length") == 0, "only what the server does not have stays here"


async def test_a_record_that_waited_for_the_end_of_its_call_is_told(world: World, visit: Visit) -> None:
    page = await visit("aoki", "/desk")
    saved = page.locator("[data-saved]")
    await page.get_by_label("問い合わせの内容").fill("予約を変えたい")
    await page.get_by_label("案内した内容").fill("空いている日に変えた")
    await page.get_by_role("button", name="記録する").click()
    await expect(saved).to_have_text("通話が終わりしだい、応対履歴に記録します")
    await page.reload()
    await expect(saved).to_have_text("通話が終わりしだい、応対履歴に記録します")
    case = await _opened_case(world)
    await expect(saved).to_have_text("応対履歴に記録しました")
    async with world.database.reading() as unit:
        assert (await unit.cases.many([case.case_id]))[0].question == "予約を変えたい"
    # The form goes on from the record: what is added is no conflict.
    await page.get_by_label("案内した内容").press_sequentially("。控えを送る")
    await expect(saved).to_have_text("下書きを保存しました")
    await page.get_by_label("案内した内容").press("Control+Enter")
    await expect(saved).to_have_text("応対履歴に記録しました")
    await page.reload()
    await expect(saved).to_have_text("記録済みです")


async def test_a_record_that_waited_in_vain_is_told_too(world: World, visit: Visit) -> None:
    """Somebody else has written the case before the waiting record came to it."""
    page = await visit("aoki", "/desk")
    await page.get_by_label("問い合わせの内容").fill("予約を変えたい")
    await page.get_by_label("案内した内容").fill("空いている日に変えた")
    await page.get_by_role("button", name="記録する").click()
    await expect(page.locator("[data-saved]")).to_have_text("通話が終わりしだい、応対履歴に記録します")
    await _opened_case(world, version=2)
    await expect(page.locator("[data-problem]")).to_contain_text("記録できませんでした")
    await expect(page.locator("[data-saved]")).to_have_text("下書きを保存しました")
    await page.get_by_role("button", name="記録する").click()
    await expect(page.locator("[data-problem]")).not_to_contain_text("記録できませんでした")
    await expect(page.locator("[data-problem]")).to_contain_text("先に保存しています")


async def _opened_case(world: World, version: int = 1) -> Case:
    """The call of 101 is over, and the engine has opened its case."""
    call = present_calls()[0]
    case = open_case(
        CallSummary(
            call_id=call.call_id, caller="09012340004", line=call.line, language="ja", menu_path=call.menu_path,
            operators=call.operators, started_at=call.segments[0].started_at, ended_at=BASE, recordings=(),
        )
    )  # fmt: skip
    async with world.database.uow() as unit:
        await unit.cases.add(replace(case, version=version))
    return case


async def test_the_form_follows_the_call(world: World, visit: Visit) -> None:
    page = await visit("aoki", "/desk")
    assert await page.locator("form[data-case]").get_attribute("data-case") == present_calls()[0].call_id
    fetched = (
        "performance.getEntriesByType('resource').filter((each) => each.name.includes('/live.js')).length"
    )
    assert await page.evaluate(fetched) == 1, "a module that is imported twice holds two streams"
    await page.get_by_label("問い合わせの内容").fill("書きかけ")
    old, number = present_calls()[0], 950
    newer = replace(
        old, call_id=type(old.call_id)(f"c-n1-{int(BASE)}.{number}"), arrived_at=BASE,
        segments=(replace(old.segments[0], started_at=BASE + 1),),
    )  # fmt: skip
    async with world.database.uow() as unit:
        await unit.calls.put([newer])
    await expect(page.locator(f"form[data-case='{newer.call_id}']")).to_be_visible()
    await expect(page.get_by_label("問い合わせの内容")).to_have_value("")
    await page.get_by_role("link", name="続きを書く").click()
    await expect(page.get_by_label("問い合わせの内容")).to_have_value("書きかけ")


async def test_staff_answer_a_request_by_keyboard(world: World, visit: Visit) -> None:
    page = await visit("shokuin", "/tickets")
    await page.get_by_role("link", name="折り返し依頼").focus()
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="対応を始める").press("Enter")
    await page.get_by_label("結果").fill("電話して再送した")
    await page.get_by_role("button", name="完了にする").press("Enter")
    await expect(page.get_by_role("status")).to_contain_text("完了にしました")
    async with world.database.reading() as unit:
        ticket = await unit.tickets.get("t-mine")
    assert ticket is not None
    assert ticket.state is TicketState.DONE


async def test_a_transcript_plays_where_it_is_clicked(world: World, visit: Visit) -> None:
    page = await visit("kantoku", CASE)
    await page.get_by_role("button", name="ここから聞く").nth(3).click()
    where = "Math.max(...[...document.querySelectorAll('audio')].map((each) => each.currentTime))"
    async with asyncio.timeout(15):
        while True:
            if await page.evaluate(where) >= 1.9:
                break
            await asyncio.sleep(0.05)


PAGES = {
    "kantoku": (
        "/board", "/board/wall", "/board/operators/101", "/board/centre", "/board/hours",
        "/reports/calls?metric=now:waiting&first=2026-11-27",
        "/board/alerts/k3f9ab2q", "/tickets", "/tickets/t-mine", "/tickets/new", "/cases", CASE, f"{CASE}/history",
        "/reports", "/reports/calls?metric=callers&first=2026-11-27",
        "/reports/searches?metric=search:searches&first=2026-11-27", "/account", "/nowhere",
    ),
    "aoki": ("/desk",),
    "kanri": ("/users", "/users/aoki", "/audit"),
}  # fmt: skip
IN_THE_DOCS = {"/board": "board", "/tickets": "tickets"}


@pytest.mark.parametrize("width", [1280, 390])
async def test_every_page_is_accessible_and_fits(world: World, visit: Visit, width: int) -> None:
    for name, paths in PAGES.items():
        page = await visit(name, width=width)
        for path in paths:
            await page.goto(path)
            await page.evaluate("document.fonts.ready")
            await require_accessible(page, f"{path} at {width}")
            wide = await page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{path} is {wide} wide"
            if width == 1280 and path in IN_THE_DOCS and os.environ.get("TORITSUGI_UPDATE_GOLDEN"):
                world.tell()
                if path == "/board":
                    await expect(page.locator("[data-age=live]")).to_have_text("現場 いま")
                await page.screenshot(path=Path(PICTURES) / f"{IN_THE_DOCS[path]}.png")
        await page.context.close()
