"""An operator with nothing but a browser, and what is heard at the two ends."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass

from centre import eventually, tone, tone_s
from people import SAYS_HZ, hears
from playwright.async_api import Page, expect

from core.settings import PROJECT_ROOT
from demo.ends.dialog import Dialog

PICTURES = PROJECT_ROOT / "docs" / "desk"
PHONE = {"width": 390, "height": 640}
SCREENS = {
    "call-narrow": ({"width": 390, "height": 900}, "#r-call"),
    "call": ({"width": 1280, "height": 900}, "body"),
}
"""Size, and what stands at the top."""


@dataclass
class Seat:
    """The operator's desk and the window that is the telephone."""

    desk: Page
    phone: Page

    async def says(self, text: str) -> None:
        """The telephone's state, in its own window and on the desk."""
        await expect(self.phone.locator("#phone-now")).to_have_text(text)
        await expect(self.desk.locator("#strip-now")).to_have_text(text)

    async def does(self, button: str) -> None:
        await self.desk.locator("#strip").get_by_role("button", name=button).click()

    async def pictures(self) -> None:
        """Of this moment, for the documents; taken when golden files are renewed."""
        if not os.environ.get("TORITSUGI_UPDATE_GOLDEN"):
            return
        await self.phone.set_viewport_size(PHONE)
        await self.phone.screenshot(path=PICTURES / "phone.png")
        for name, (size, top) in SCREENS.items():
            await self.desk.set_viewport_size(size)
            await self.desk.locator(top).evaluate("(element) => element.scrollIntoView()")
            await self.desk.screenshot(path=PICTURES / f"{name}.png")


async def said(end: Dialog, hz: float, ear: Page) -> None:
    """Somebody on a telephone says a tone, and the operator's browser gets it to hear."""
    saying = asyncio.create_task(end.media.say(tone(hz, 2.5)))
    await hears(ear, hz)
    await saying


async def gets_to_hear(end: Dialog, hz: float = SAYS_HZ) -> None:
    """Wait until this telephone has heard the tone for another second."""
    before = tone_s(end.media.heard.recording().samples, hz)
    await eventually(
        lambda: tone_s(end.media.heard.recording().samples, hz) - before > 1.0, what=f"{hz} Hz at {end}"
    )
