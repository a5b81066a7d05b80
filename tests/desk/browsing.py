"""A real browser of somebody who is signed in, and what every page must bear."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from axe_playwright_python.async_playwright import Axe
from desk_world import PASSWORD, World
from playwright.async_api import Browser, Page, async_playwright

from core.settings import settings_from
from runtime.install.chromium import find_chromium

Visit = Callable[..., Awaitable[Page]]


@contextlib.asynccontextmanager
async def launched(*args: str) -> AsyncIterator[Browser]:
    program = find_chromium(settings_from().tools)
    if program is None:
        pytest.skip("no Chromium: what people do in a browser was not tried")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox", *args])
        yield browser
        await browser.close()


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    async with launched() as browser:
        yield browser


@pytest.fixture
async def visit(world: World, chromium: Browser) -> AsyncIterator[Visit]:
    """A page of somebody's own browser, signed in; what the browser complains of fails the test."""
    complaints: list[str] = []

    async def go(name: str | None, path: str = "/", *, width: int = 1280) -> Page:
        context = await chromium.new_context(
            locale="ja-JP", viewport={"width": width, "height": 900}, base_url=world.origin
        )
        context.set_default_timeout(15_000)
        page = await context.new_page()
        page.on("pageerror", lambda problem: complaints.append(str(problem)))
        page.on(
            "console",
            lambda said: complaints.append(said.text) if "Content Security Policy" in said.text else None,
        )
        if name is not None:
            await sign_in(world, page, name)
        await page.goto(path)
        return page

    yield go
    assert complaints == []


async def sign_in(world: World, page: Page, name: str) -> None:
    await page.goto("/sign-in")
    await page.get_by_label("利用者名").fill(name)
    await page.get_by_label("パスワード").fill(PASSWORD)
    await page.get_by_role("button", name="サインイン").click()
    await page.get_by_label("確認コード").fill(world.code())
    await page.get_by_role("button", name="確認する").click()
    await page.get_by_role("button", name="サインアウト").wait_for()


async def require_accessible(page: Page, where: str) -> None:
    """axe-core finds nothing serious."""
    found = await Axe().run(page, options={"resultTypes": ["violations"]})
    serious = [
        f"{each['id']}: {each['nodes'][0]['html']}"
        for each in found.response["violations"]
        if each["impact"] in ("serious", "critical")
    ]
    assert serious == [], where
