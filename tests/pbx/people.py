"""People at a running centre's desk, each in a browser of their own, signed in with password and one-time code."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pyotp
from argon2 import PasswordHasher
from centre import Centre, eventually
from playwright.async_api import Browser, BrowserContext, Page, StorageState, expect

from core.ids import OperatorId
from desk.secrets_kept import Passwords, Sealer
from faq_kb.article import Article, State, Version
from faq_kb.csv_file import read_rows
from faq_kb.workflow import taken_in
from interactions.access import Role
from runtime.faq_words import SEED as ENTRIES
from services.desk_ports import User
from services.faq_ports import FaqSet

SAYS_HZ = 1000.0
"""What every browser's microphone takes up, for ever."""
PASSWORD = "hana-no-iro-wa-utsuri"
SEED = pyotp.random_base32()
PEOPLE = {
    "aoki": ("青木 真", Role.OPERATOR, "101", ""),
    "kantoku": ("監督 花子", Role.SUPERVISOR, "301", ""),
    "shokuin": ("職員 太郎", Role.CITY_STAFF, "", "701"),
}
_EARS = """
window.ears = [];
const Own = RTCPeerConnection;
window.RTCPeerConnection = class extends Own {
  constructor(...more) { super(...more); window.ears.push(this); }
};
window.heard = async (hz) => {
  const tracks = window.ears.filter((each) => each.connectionState === "connected")
    .flatMap((each) => each.getReceivers()).map((each) => each.track);
  const context = new AudioContext();
  const ear = new AnalyserNode(context, { fftSize: 4096, smoothingTimeConstant: 0 });
  for (const track of tracks) context.createMediaStreamSource(new MediaStream([track])).connect(ear);
  const bins = new Float32Array(ear.frequencyBinCount);
  let found = false;
  for (let tries = 0; tries < 20 && !found; tries += 1) {
    await new Promise((done) => setTimeout(done, 100));
    ear.getFloatFrequencyData(bins);
    const loudest = bins.indexOf(Math.max(...bins));
    found = bins[loudest] > -60 && Math.abs(loudest * context.sampleRate / 4096 - hz) < 40;
  }
  await context.close();
  return found;
};
"""
"""In the telephone's window: which tone the browser gets to hear."""


async def put_people(centre: Centre) -> None:
    """Everybody of `PEOPLE`, with one password and one seed of codes."""
    key = centre.home / "secrets" / "desk"
    await eventually(key.exists, what="the desk's key")
    sealer = Sealer(key.read_text("ascii"))
    hashed = await Passwords(PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)).hash(PASSWORD)
    async with centre.database.uow() as unit:
        for name, (display, role, operator, department) in PEOPLE.items():
            await unit.users.put(
                User(
                    name=name, display=display, role=role, operator=OperatorId(operator) if operator else None,
                    department=department, password_hash=hashed, totp_secret=sealer.seal(SEED),
                )
            )  # fmt: skip


async def put_faq(centre: Centre) -> None:
    """Twelve of the entries that come with the program, in force; one more waits for the city."""
    rows = read_rows((ENTRIES / "common.csv").read_bytes(), "common.csv")[:13]
    known = {row.article_id for row in rows}
    articles, versions = list[Article](), dict[str, list[Version]]()
    for row in rows:
        kept = replace(row.content, related=tuple(each for each in row.content.related if each in known))
        state = State.APPROVAL if row is rows[-1] else State.PUBLISHED
        articles.append(taken_in(None, row.article_id, state, at=0.0, by="hensyu", note="common.csv"))
        versions[row.article_id] = [Version(number=1, content=kept, made_at=0.0, made_by="hensyu")]
    async with centre.database.uow() as unit:
        await unit.faq.put(FaqSet(articles=articles, versions=versions))


@dataclass
class People:
    """Whoever has come to the desk of a centre."""

    centre: Centre
    chromium: Browser
    complaints: list[str] = field(default_factory=list)
    _contexts: list[BrowserContext] = field(default_factory=list)
    _sessions: dict[str, StorageState] = field(default_factory=dict)

    async def come(self, name: str, path: str = "/", *, microphone: bool = True) -> Page:
        """Sign in and open a page; a code counts once, so whoever was in before brings their session."""
        known = self._sessions.get(name)
        context = await self.chromium.new_context(
            locale="ja-JP", viewport={"width": 1280, "height": 900}, storage_state=known,
            base_url=f"http://localhost:{self.centre.web[0]}", permissions=["microphone"] if microphone else [],
        )  # fmt: skip
        self._contexts.append(context)
        context.set_default_timeout(15_000)
        await context.add_init_script(_EARS)
        context.on("page", self._listen)
        page = await context.new_page()
        if known is not None:
            await page.goto(path)
            return page
        await page.goto("/sign-in")
        await page.get_by_label("利用者名").fill(name)
        await page.get_by_label("パスワード").fill(PASSWORD)
        await page.get_by_role("button", name="サインイン").click()
        await page.get_by_label("確認コード").fill(pyotp.TOTP(SEED).now())
        await page.get_by_role("button", name="確認する").click()
        await page.get_by_role("button", name="サインアウト").wait_for()
        self._sessions[name] = await context.storage_state()
        await page.goto(path)
        return page

    def _listen(self, page: Page) -> None:
        page.on("pageerror", lambda problem: self.complaints.append(str(problem)))
        page.on(
            "console",
            lambda said: (
                self.complaints.append(said.text) if "Content Security Policy" in said.text else None
            ),
        )

    async def go(self) -> None:
        """Everybody closes their browser; nothing was blocked or went wrong in a script."""
        for context in self._contexts:
            await context.close()
        self._contexts.clear()
        assert self.complaints == []


async def open_phone(desk: Page) -> Page:
    """The telephone's window, opened from the desk, registered at the switch."""
    async with desk.context.expect_page() as opened:
        await desk.get_by_role("link", name="電話を開く").click()
    phone = await opened.value
    await expect(phone.locator("#phone-now")).to_have_text("電話を受けられます")
    await expect(desk.locator("#strip-now")).to_have_text("電話を受けられます")
    return phone


async def hears(phone: Page, hz: float) -> None:
    """Wait until the browser gets this tone to hear."""

    async def found() -> bool:
        return bool(await phone.evaluate("(hz) => window.heard(hz)", hz))

    await eventually(found, within=20, what=f"{hz} Hz in the operator's ear")
