"""One centre with a desk, and browsers with a microphone that says a tone for ever."""

from __future__ import annotations

from collections.abc import AsyncIterator

import numpy as np
import pytest
import pytest_asyncio
import soundfile
from at_the_seat import Seat
from centre import tone
from handover import SKILLS, Handover
from people import SAYS_HZ, People, open_phone, put_faq, put_people
from playwright.async_api import Browser, async_playwright, expect

from core.settings import settings_from
from demo.ends.hearing import RATE
from runtime.install.chromium import find_chromium


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def city(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Handover]:
    both = {"card": 4, "consult": 4}
    skills = SKILLS | {"101": both, "102": both}
    made = await Handover.open(
        tmp_path_factory.mktemp("softphone"), browsers=frozenset({"101"}), skills=skills
    )
    await put_people(made.centre)
    await put_faq(made.centre)
    yield made
    await made.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def chromium(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    program = find_chromium(settings_from().tools)
    if program is None:
        pytest.skip("no Chromium: the telephone in a browser was not tried")
    voice = tmp_path_factory.mktemp("voice") / "operator.wav"
    soundfile.write(voice, np.repeat(tone(SAYS_HZ, 2.0), 6), 6 * RATE, subtype="PCM_16")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=program,
            args=[
                "--no-sandbox",
                "--use-fake-device-for-media-stream",
                "--use-fake-ui-for-media-stream",
                f"--use-file-for-fake-audio-capture={voice}",
                # The switch of the test may have no address but this machine's own.
                "--allow-loopback-in-peer-connection",
            ],
        )
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def people(city: Handover, chromium: Browser) -> AsyncIterator[People]:
    expect.set_options(timeout=15_000)  # a switch, a browser and three people share a machine
    made = People(city.centre, chromium)
    yield made
    await made.go()
    expect.set_options(timeout=5_000)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def seat(people: People) -> AsyncIterator[Seat]:
    """The operator has come, opened the telephone, and begun to take calls."""
    desk = await people.come("aoki", "/desk")
    await expect(desk.locator("#strip-now")).to_contain_text("開いていません")
    made = Seat(desk, await open_phone(desk))
    await made.does("受付を始める")
    await expect(desk.locator("#r-state")).to_contain_text("受付可")
    await made.says("電話を受けられます")
    yield made
