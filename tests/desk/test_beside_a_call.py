"""What an operator does beside a call, in a real browser: transfers, and the knowledge base."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from browsing import Visit, require_accessible
from desk_world import BASE, FAQ, World
from engine_at_hand import CALL, Engine
from playwright.async_api import Page, expect

from acd.commands import Act, Asked
from core.settings import PROJECT_ROOT
from faq_kb.workflow import Role
from interactions.case import case_id_of
from services.faq import Who, write_entry
from services.faq_office import add_synonyms, ask_change

pytestmark = pytest.mark.desk
PICTURES = Path(PROJECT_ROOT) / "docs" / "desk"
WIDTHS = (1280, 390)


async def test_a_question_to_the_city_and_a_transfer_by_keyboard(
    world: World, visit: Visit, engine: Engine
) -> None:
    page = await visit("aoki", "/desk")
    await expect(page.locator("#act-consult-701")).to_be_visible()
    await page.keyboard.press("Alt+KeyT")
    await expect(page.locator("#act-consult-701")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#call-said")).to_have_text("相談先を呼び出しています。")
    await expect(page.locator("#r-hand")).to_contain_text("市民の方には音楽が流れています")
    await expect(page.locator("#act-complete")).to_have_count(0)
    engine.hand = replace(engine.hand, asked=Asked.TALKING)
    await page.locator("#act-swap").press("Enter")
    await expect(page.locator("#r-hand")).to_contain_text("市民の方と話しています")
    engine.hand = replace(engine.hand, asked=Asked.RINGING)
    await page.locator("#act-join").press("Enter")
    await expect(page.locator("#call-said")).to_contain_text("できませんでした：相手がまだ出ていません")
    engine.hand = replace(engine.hand, asked=Asked.TALKING)
    await page.locator("#act-pause_recording").press("Enter")
    await expect(page.locator("#r-hand")).to_contain_text("録音：止めています")
    await require_accessible(page, "a question to the city")
    await page.locator("#act-complete").press("Enter")
    await expect(page.locator("#call-said")).to_have_text("市民の方と相談先をつなぎました。")
    assert [act for act, _ in engine.asked] == [
        Act.CONSULT, Act.SWAP, Act.PAUSE_RECORDING, Act.COMPLETE,
    ]  # fmt: skip


async def test_an_entry_is_found_read_out_and_noted(world: World, visit: Visit, engine: Engine) -> None:
    page = await visit("aoki", "/desk")
    await expect(page.locator("#act-consult-701")).to_be_visible()
    await page.get_by_label("問い合わせの内容").fill(
        "マイナンバーカードの申請書をなくした。どう申請しますか。"
    )
    await expect(page.locator("#faq-hints")).to_contain_text("この電話に合いそうなもの")
    await page.keyboard.press("Alt+KeyQ")
    await page.keyboard.type("カードの申請")
    await page.keyboard.press("Enter")
    await expect(page.locator(f"#faq-found [data-open={FAQ}]")).to_be_visible()
    await page.locator(f"#faq-found [data-open={FAQ}]").press("Enter")
    await expect(page.locator("#faq-entry .spoken")).to_contain_text("四つの方法で申請できます")
    await page.get_by_role("button", name="案内した").press("Enter")
    await expect(page.get_by_role("button", name="案内済み")).to_be_disabled()
    async with world.database.reading() as unit:
        used = (await unit.cases.faqs([case_id_of(CALL)]))[case_id_of(CALL)]
        (search, *_) = await unit.faq.searches(0.0, world.clock.epoch() + 60.0)
    assert [(use.article, use.used_at is not None) for use in used] == [(FAQ, True)]
    assert search.used == (FAQ,)
    if os.environ.get("TORITSUGI_UPDATE_GOLDEN"):
        await page.evaluate("document.activeElement.blur()")
        await page.screenshot(path=PICTURES / "seat.png")
    for width in WIDTHS:
        await require_fits(page, "FAQ beside a call", width)


async def test_who_calls_stands_before_what_can_wait(world: World, visit: Visit) -> None:
    """On a narrow screen one need not scroll past the breaks to see who calls; the order is the keyboard's too."""
    page = await visit("aoki", "/desk")

    async def top(selector: str) -> float:
        box = await page.locator(selector).bounding_box()
        assert box is not None
        return box["y"]

    await page.set_viewport_size({"width": 390, "height": 844})
    assert await top("#r-state") < await top("#r-call") < 600
    assert await top("#case") < await top(".switch") < await top("#faq")
    await page.set_viewport_size({"width": 1280, "height": 900})
    assert await top("#r-call") == await top("#r-state") == await top("#faq") < await top(".switch") < 600


async def require_fits(page: Page, where: str, width: int) -> None:
    """Readable for everybody, and no wider than the screen."""
    await page.set_viewport_size({"width": width, "height": 900})
    await require_accessible(page, f"{where} at {width}")
    wide = await page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width, f"{where} is {wide} wide"


async def test_the_city_approves_what_it_reads(world: World, visit: Visit) -> None:
    page = await visit("shokuin", "/tickets")
    await page.get_by_role("link", name="FAQ の承認待ち").press("Enter")
    await page.locator("tbody th a").press("Enter")
    await page.get_by_role("button", name="承認する").press("Enter")
    await expect(page.get_by_role("status")).to_have_text("承認しました。")
    await page.get_by_role("button", name="公開する").press("Enter")
    await expect(page.get_by_role("heading", level=2).first).to_contain_text("公開中")


async def test_the_pages_of_the_knowledge_base_are_accessible(world: World, visit: Visit) -> None:
    async with world.database.uow() as unit:
        old = (await unit.faq.latest([FAQ]))[FAQ].content
        who = Who(by="ishikawa", role=Role.CITY, at=BASE)
        text = replace(old, spoken="スマートフォン、パソコン、写真機、郵送のどれでも申請できます。")
        await write_entry(unit, FAQ, text, who, note="読みやすく", due_at=BASE - 60)
        await ask_change(unit, FAQ, "郵送の宛先も書いてほしい", due_at=BASE + 90_000, by="aoki", at=BASE)
        await add_synonyms(unit, ["紛失", "なくした"], by="ishikawa", at=BASE)
    page = await visit("shokuin")
    for path in ("/faq", "/faq?words=申請", f"/faq/entries/{FAQ}", f"/faq/entries/{FAQ}/edit", "/faq/requests",
                 "/faq/words", "/faq/gaps", "/faq/import"):  # fmt: skip
        await page.set_viewport_size({"width": WIDTHS[0], "height": 900})
        await page.goto(path)
        await page.evaluate("document.fonts.ready")
        if path == f"/faq/entries/{FAQ}" and os.environ.get("TORITSUGI_UPDATE_GOLDEN"):
            await page.screenshot(path=PICTURES / "faq.png")
        for width in WIDTHS:
            await require_fits(page, path, width)
