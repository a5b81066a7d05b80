"""The board: each figure opens to exactly the calls that it counts, and says of when it is and if it is reconciled."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from aiohttp import ClientSession
from browsing import Visit, require_accessible
from desk_world import BASE, World, a_call, answered_call
from hypothesis import given
from hypothesis import strategies as st
from playwright.async_api import expect
from signing_in import SignedIn

from acd.callback import Callback
from core.clock import TOKYO
from core.ids import QueueName
from core.phone import Caller, CallerKind
from desk.floor_now import Words, today_now
from ledger.calls import Call, Disposition, EndedBy
from ledger.reconcile import Reconciliation
from reports.answer_rates import ANSWER_RATE_RULES, offered
from reports.behind import count_of, lost_by, offered_by, stands, waited_longest
from reports.tally import milliseconds, tally_of
from services.city import load_city
from services.city_facts import city_facts
from services.proofs import keep_proof

pytestmark = pytest.mark.desk

TODAY = date(2026, 11, 27)
CITY = load_city("matsusaka")
LINES = tuple(str(line.id) for line in CITY.acd.lines)


def lost(number: int, at: float, disposition: Disposition = Disposition.ABANDONED_QUEUE, **more: Any) -> Call:
    values: dict[str, Any] = {"ended_at": at + 60, "disposition": disposition, "ended_by": EndedBy.CITIZEN}
    if disposition in (Disposition.ABANDONED_QUEUE, Disposition.OVERFLOW, Disposition.CALLBACK):
        values |= {"wait_s": 40.0, "queue": QueueName("booking-ja")}
    return a_call(number, at, **(values | more))


async def filled(world: World) -> None:
    """Days of the month before today, with every way to end, and the moment at which all of it is counted."""
    begin = datetime(2026, 11, 24, 9, 0, tzinfo=TOKYO).timestamp()
    calls = [
        *(answered_call(2000 + n, begin + n * 400.0, wait=4.0 + n) for n in range(12)),
        *(lost(2100 + n, begin + 90_000 + n * 300.0, way) for n, way in enumerate(Disposition)),
        lost(2200, BASE - 7000, Disposition.CALLBACK),
        lost(2201, BASE - 6900, Disposition.TEST),
        answered_call(2202, BASE - 32 * 86_400.0),
    ]
    async with world.database.uow() as unit:
        await unit.calls.put(calls)
    await counted(world)


async def counted(world: World) -> None:
    """Wait until the board's figures are those of the ledger: it counts beside us, now and then."""
    hub, begin = world.desk.hub, datetime(2026, 11, 1, tzinfo=TOKYO).timestamp()
    async with world.database.reading() as unit:
        wanted = offered(tally_of(await unit.calls.between(begin, BASE + 3600.0)), hub.rule)
    async with asyncio.timeout(20):
        while True:
            world.clock.ahead += 60.0
            world.tell()
            await hub.look()
            if [each.offered for each in hub.now.today.rates if each.month] == [wanted]:
                return
            await asyncio.sleep(0.05)


def links(page: str) -> Iterator[tuple[int | None, str]]:
    """Every figure that opens: the number that its words end or begin with, and where it leads."""
    found = re.findall(r'<a href="(/reports/calls\?[^"]+)">(.*?)</a>', page, re.DOTALL)
    for address, text in found:
        number = re.match(r"\s*(\d+)\s*(?:<span|$)|\D*?(\d+)\s*$", text)
        plain = re.sub(r"<span class=\"unseen\">.*?</span>", "", text).strip()
        seconds = "秒" in plain or "分" in plain
        yield (None if seconds or number is None else int(number[1] or number[2])), html.unescape(address)


async def number_of(session: ClientSession, address: str) -> int:
    answer = await session.get(address)
    page = await answer.text()
    assert answer.status == 200, address
    told = re.search(r"<h2>([\d,]+) 件</h2>", page)
    assert told is not None, address
    rows = re.findall(r'<th scope="row"><span title="([^"]+)">', page)
    total = int(told[1].replace(",", ""))
    assert len(rows) == len(set(rows)) == min(total, 100), address
    assert not re.search(r"0901234\d{4}|090-1234-\d{4}", page), "a list shows no whole number"
    return total


async def test_every_figure_of_the_board_opens_to_as_many_calls(world: World, signed_in: SignedIn) -> None:
    await filled(world)
    session = await signed_in("kantoku")
    page = await (await session.get("/board")).text()
    checked = [(number, address, await number_of(session, address)) for number, address in links(page)]
    for number, address, behind in checked:
        assert behind >= 1 if number is None else behind == number, address
    opened = {
        address.partition("metric=")[2].partition("&")[0].partition(":")[0] for _, address, _ in checked
    }
    assert opened == {"answered", "offered", "lost", "open", "incoming", "longest_wait", "now"}
    month = [address for _, address, _ in checked if "first=2026-11-01&last=2026-11-27" in address]
    assert len(month) == 3, "answered, offered and lost of the month"
    assert {address.partition("&hour=")[2] for _, address, _ in checked if "&hour=" in address} == {
        "8",
        "9",
        "10",
    }
    assert sum("now:" in address for _, address, _ in checked) >= 5
    wall = await (await session.get("/board/wall")).text()
    assert "/reports/calls" not in wall, "nobody clicks on a wall"
    assert wall.count("速報（照合前）") >= 5


async def test_the_month_holds_today_and_what_came_late(world: World, signed_in: SignedIn) -> None:
    await filled(world)
    session, now = await signed_in("kantoku"), world.desk.hub.now
    (month,) = [each for each in now.today.rates if each.first != TODAY]
    whole = f"metric={offered_by(world.desk.hub.rule)}&first=2026-11-01&last=2026-11-27"
    assert await number_of(session, f"/reports/calls?{whole}") == month.offered > now.today.rates[0].offered
    async with world.database.uow() as unit:
        await unit.calls.put([lost(2300, BASE - 86_400.0 * 2)])
    await counted(world)
    later = next(each for each in world.desk.hub.now.today.rates if each.first != TODAY)
    assert later.offered == month.offered + 1
    assert await number_of(session, f"/reports/calls?{whole}") == later.offered


WAYS = st.sampled_from([*Disposition, None])


@st.composite
def day_of_calls(draw: st.DrawFn) -> list[Call]:
    made = []
    for number in range(draw(st.integers(0, 25))):
        way, at = draw(WAYS), BASE - draw(st.integers(0, 9 * 3600))
        wait = draw(st.one_of(st.none(), st.integers(0, 900).map(lambda tenths: tenths / 10)))
        made.append(
            a_call(
                number, at, line=draw(st.sampled_from([*LINES, None])), disposition=way, wait_s=wait,
                ended_at=None if way is None else at + 100.0, caller=Caller(CallerKind.WITHHELD),
            )
        )  # fmt: skip
    return made


def hour_of(at: float) -> int:
    return datetime.fromtimestamp(at, TOKYO).hour


@given(
    calls=day_of_calls(), rule=st.sampled_from(sorted(ANSWER_RATE_RULES)), short=st.sampled_from([0, 10, 30])
)
def test_each_count_of_the_board_is_the_number_of_calls_that_stand_in_it(
    calls: list[Call], rule: str, short: int
) -> None:
    """The lists ask the same counts call by call, so their sums must be the figures, whatever the ledger holds."""
    chosen, facts = replace(ANSWER_RATE_RULES[rule], short_abandon_s=short), city_facts(CITY, TODAY)
    board = today_now(
        calls, words=Words(CITY), rule=chosen, target=0.9, so_far=(), hour_of=hour_of, day=TODAY, at=BASE
    )

    def behind(metric: str, part: list[Call]) -> int:
        return sum(stands(count_of(metric, facts), call) for call in part)

    today = board.rates[0]
    assert behind("incoming", calls) == board.incoming
    assert behind("open", calls) == board.open
    assert behind("answered", calls) == today.answered
    assert behind(offered_by(chosen), calls) == today.offered
    assert behind(lost_by(chosen), calls) == today.offered - today.answered
    for line in board.lines:
        mine = [call for call in calls if call.line == line.id]
        assert (behind("answered", mine), behind(offered_by(chosen), mine)) == (line.answered, line.offered)
    for hour in board.hours:
        mine = [call for call in calls if hour_of(call.arrived_at) == hour.hour]
        assert (behind("incoming", mine), behind("answered", mine)) == (hour.incoming, hour.answered)
    if board.longest_s is not None:
        assert any(waited_longest(call, milliseconds(board.longest_s)) for call in calls)


async def test_booked_callbacks_and_callers_whom_the_ledger_does_not_know_yet(
    world: World, signed_in: SignedIn
) -> None:
    session, booked = await signed_in("kantoku"), lost(2400, BASE - 900, Disposition.CALLBACK)
    async with world.database.uow() as unit:
        await unit.calls.put([booked])
        await unit.callbacks.put(
            Callback(
                call=booked.call_id, number="09012340000", caller=None, demand=QueueName("booking-ja"),
                entered_at=BASE - 890, booked_at=BASE - 860, expires_at=BASE + 9000,
            )
        )  # fmt: skip
    assert await number_of(session, "/reports/calls?metric=now:callbacks&first=2026-11-27") == 1
    caller = {"call": None, "demand": "card-ja", "since": world.clock.epoch(), "ringing_at": None}
    world.tell(callers=[*world.told.word["callers"], caller])
    await world.desk.hub.look()
    address = "/reports/calls?metric=now:waiting&first=2026-11-27"
    assert await number_of(session, address) == 2
    assert "ほかに 1 件が、まだ通話台帳にありません" in await (await session.get(address)).text()


async def test_who_may_not_read_reports_opens_what_the_board_shows_and_nothing_else(
    world: World, signed_in: SignedIn
) -> None:
    leader, staff = await signed_in("ishikawa"), await signed_in("shokuin")
    page = await (await leader.get("/board")).text()
    for _, address in links(page):
        assert (await leader.get(address)).status == 200, address
    for beyond in (
        "metric=callers&first=2026-11-27",
        "metric=named:c-n1-1.1&first=2026-11-27",
        "metric=answered&first=2026-10-31",
        "metric=answered&first=2026-11-27&last=2026-11-28",
        "metric=answered&first=2026-11-27&format=csv",
        "metric=now:waiting&first=2026-11-27&format=csv",
    ):
        assert (await leader.get(f"/reports/calls?{beyond}")).status == 403, beyond
    assert (await staff.get("/reports/calls?metric=now:waiting&first=2026-11-27")).status == 403
    assert (await staff.get("/reports/calls?metric=answered&first=2026-10-31")).status == 200


# ---- of when, and whether reconciled ----------------------------------------------------------------


async def proved(world: World, day: date, calls: int) -> None:
    result = Reconciliation(invites=calls, refused=0, given_up=0, calls=calls, differences=[])
    async with world.database.uow() as unit:
        await keep_proof(unit, "n1", day, result, made_at=BASE, over=True)


async def test_each_block_says_of_when_it_is_and_whether_it_is_reconciled(
    world: World, signed_in: SignedIn
) -> None:
    await filled(world)
    session = await signed_in("kantoku")

    async def stamps() -> list[str]:
        page = await (await session.get("/board")).text()
        return [
            re.sub(r"\s+|<br>", " ", each).strip()
            for each in re.findall(r'class="stamp">(.*?)</', page, re.DOTALL)
        ]

    seen = await stamps()
    assert len(seen) == 8, "six figures, the lines and the hours"
    at = datetime.fromtimestamp(world.desk.hub.now.today.at or 0.0, TOKYO)
    assert seen[0] == f"{at:%H:%M:%S} 現在 速報（照合前）"
    assert seen[1].endswith("現在 速報（照合前の日 11/1〜11/26、今日は照合前）")
    async with world.database.reading() as unit:
        begin = datetime(2026, 11, 24, tzinfo=TOKYO).timestamp()
        held = [
            await unit.calls.number(begin + each * 86_400.0, begin + (each + 1) * 86_400.0)
            for each in range(3)
        ]
    for each, number in enumerate(held):
        await proved(world, date(2026, 11, 24) + timedelta(days=each), number)
    for day in range(1, 24):
        await proved(world, date(2026, 11, day), 0)
    async with asyncio.timeout(20):
        while not (await stamps())[1].endswith("現在 速報（11/26 まで照合済み、今日は照合前）"):
            world.clock.ahead += 60.0
            await world.desk.hub.look()
    page = await (await session.get("/reports/calls?metric=answered&first=2026-11-24&last=2026-11-26")).text()
    assert "<strong>照合済み</strong>" in page
    today = await (await session.get("/reports/calls?metric=incoming&first=2026-11-27")).text()
    assert "<strong>速報（照合前）</strong>" in today
    assert re.search(r"うち \d+ 件は続いていて", today)


@pytest.mark.parametrize("width", [1280, 390])
async def test_a_supervisor_goes_from_the_month_to_its_calls_and_back(
    world: World, visit: Visit, width: int
) -> None:
    await filled(world)
    page = await visit("kantoku", "/board", width=width)
    month = page.locator(".figures > li").nth(1)
    await expect(month).to_contain_text("応答率（今月）")
    await expect(month).to_contain_text("現在")
    link = month.get_by_role("link", name=re.compile("応答できず"))
    number = re.sub(r"\D", "", await link.inner_text())
    await link.click()
    await expect(page.get_by_role("heading", level=2)).to_have_text(f"{number} 件")
    await require_accessible(page, f"the calls at {width}")
    await page.get_by_role("link", name="状況へ").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("状況")
