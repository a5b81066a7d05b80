"""The board and the operator's desk over HTTP: what they show, what they ask for, and how screens stay true."""

from __future__ import annotations

import asyncio
import html
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from aiohttp import ClientSession
from desk_world import BASE, FIRST, World, an_alert, answered_call, present_calls, seat
from signing_in import SignedIn

from acd.commands import Act
from core.hours import Emergency
from core.ids import OperatorId
from desk.floor_now import FloorNow, calls_in_hand, rate_now
from desk.hub import LEDGER_EVERY_S, MOST_WAITING
from desk.own_screen import drawn as own_screen
from desk.pages.board import drawn
from interactions.case import CaseStatus, case_id_of
from interactions.ticket import TicketKind
from ledger.calls import Disposition, EndedBy
from services.cases import CaseKeeper

pytestmark = pytest.mark.desk


class Events:
    """Reads server-sent events of one stream."""

    def __init__(self, session: ClientSession, path: str) -> None:
        self._session, self._path = session, path
        self.regions: dict[str, str] = {}

    async def __aenter__(self) -> Events:
        self._answer = await self._session.get(self._path)
        assert self._answer.status == 200
        assert self._answer.content_type == "text/event-stream"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._answer.close()

    async def next(self, wanted: str = "regions") -> dict[str, Any]:
        """The next event of a kind; regions are kept as a browser would."""
        async with asyncio.timeout(10):
            event = ""
            while True:
                line = (await self._answer.content.readline()).decode().rstrip("\n")
                if line.startswith("event: "):
                    event = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    data: dict[str, Any] = json.loads(line.removeprefix("data: "))
                    if event == "regions":
                        self.regions |= data["regions"]
                    if event == wanted:
                        return data

    async def until(self, region: str, text: str) -> None:
        """Wait until a region shows a text."""
        while text not in self.regions.get(region, ""):
            await self.next()


# ---- figures ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answered", "offered", "target", "needed"),
    [
        (35, 40, 0.9, 10),
        (36, 40, 0.9, None),
        (0, 0, 0.9, None),
        (1, 2, None, None),
        (0, 1, 0.5, 1),
        (89, 100, 0.9, 10),
    ],
)
def test_answers_still_needed_reach_the_target_and_not_one_less(
    answered: int, offered: int, target: float | None, needed: int | None
) -> None:
    rate = rate_now("今日", answered, offered, target, first=date(2026, 11, 27), at=BASE)
    assert rate.needed == needed
    if needed is not None and target is not None:
        assert (answered + needed) / (offered + needed) >= target
        assert (answered + needed - 1) / (offered + needed - 1) < target


def test_the_call_in_hand_is_the_last_one_talked_in() -> None:
    first, second = answered_call(1, BASE, "101"), answered_call(2, BASE + 500, "101")
    assert calls_in_hand([second, first])[OperatorId("101")] == second


async def test_the_board_tells_who_waits_longest_first_and_past_the_limit(
    world: World, signed_in: SignedIn
) -> None:
    page = await (await (await signed_in("kantoku")).get("/board")).text()
    assert page.index("非通知") < page.index("090-1234-0902")
    limit = world.profile.acd.targets.wait_alert_s
    assert limit is not None
    assert f'data-limit="{BASE - 320 + limit}"' in page
    assert "87.5%" in page
    assert "あと 10 件の応答" in page
    assert "石川 健 さん" in page


async def test_who_is_expected_to_wait_too_long_is_marked_calmly(world: World, signed_in: SignedIn) -> None:
    limit = world.profile.acd.targets.wait_alert_s
    assert limit is not None
    call = present_calls()[1].call_id
    marked = []
    for expected in (limit - 1, limit, 0.95 * limit, 0.5 * limit, 0.95 * limit, None):
        world.tell(callers=[{"call": call, "demand": "card-ja", "since": world.clock.epoch() - 40,
                             "ringing_at": None, "expected_s": expected}])  # fmt: skip
        await world.desk.hub.look()
        marked.append(world.desk.hub.now.waiting[0].predicted)
        if expected == limit:
            page = await (await (await signed_in("kantoku")).get("/board")).text()
            assert "上限を超える見込み" in page
    assert marked == [False, True, True, False, False, False]


async def test_the_call_in_hand_is_the_one_that_the_engine_names(world: World, signed_in: SignedIn) -> None:
    """The ledger hears of a talk a moment later; the call before must not be shown meanwhile."""
    before, named = present_calls()[0], present_calls()[1]
    hub = world.desk.hub
    for call, shown in ((None, before.call_id), (named.call_id, named.call_id), ("c-n1-1.unknown", None)):
        world.tell(seats=[{**seat("101", "talking", BASE, queue="card-ja"), "call": call}])
        await hub.look()
        found = hub.seat(OperatorId("101"))
        assert found is not None
        assert (found.call.call if found.call else None) == shown
    world.tell(seats=[{**seat("101", "talking", BASE, queue="card-ja"), "call": named.call_id}])
    await hub.look()
    paper = await (await signed_in("aoki")).get(f"/desk/calls/{named.call_id}/form")
    assert paper.status == 200, "what they talk about can be written down at once"
    assert (await (await signed_in("ishikawa")).get(f"/desk/calls/{named.call_id}/form")).status == 404


async def test_the_wall_shows_nobodys_number(world: World, signed_in: SignedIn) -> None:
    session = await signed_in("kantoku")
    async with Events(session, "/board/live?wall=1") as events:
        await events.next()
        shown = "".join(events.regions.values()) + await (await session.get("/board/wall")).text()
    for call in present_calls():
        if call.caller and call.caller.number:
            assert call.caller.number[-4:] not in shown


# ---- staying true ----------------------------------------------------------------------------------


async def test_a_screen_is_told_everything_then_what_changed(world: World, signed_in: SignedIn) -> None:
    async with Events(await signed_in("kantoku"), "/board/live") as events:
        first = await events.next()
        assert first["all"] is True
        assert set(first["regions"]) == {"figures", "waiting", "seats", "lines", "hours", "alerts"}
        seats = [seat("102", "paused:break1", BASE)]
        world.tell(seats=seats)
        while True:
            told = await events.next()
            if "seats" in told["rows"]:
                break
        assert told["all"] is False
        assert "hours" not in told["regions"], "only what differs is sent"


async def test_a_new_screen_after_a_cut_sees_the_true_state(world: World, signed_in: SignedIn) -> None:
    session = await signed_in("kantoku")
    async with Events(session, "/board/live") as events:
        await events.next()
    world.tell(callers=[])
    async with Events(session, "/board/live") as events:
        await events.until("waiting", "お待ちの方はいません")


async def test_a_screen_that_falls_behind_gets_everything_again(world: World) -> None:
    hub = world.desk.hub
    async with hub.listen("board", drawn(world.desk, wall=False)) as queue:
        for number in range(3 * MOST_WAITING):
            world.tell(callers=[], seats=[seat("101", "ready", BASE + number)])
            await hub.look()
        assert queue.qsize() <= MOST_WAITING + 1
        last = [queue.get_nowait() for _ in range(queue.qsize())][-1].decode()
        assert f'data-since="{BASE + 3 * MOST_WAITING - 1}"' in last.replace("\\", "")


async def test_screens_of_one_kind_are_drawn_once(world: World) -> None:
    hub = world.desk.hub
    drawings = 0

    async def draw(_now: Any) -> Any:
        nonlocal drawings
        drawings += 1
        return {}

    async with hub.listen("one", draw), hub.listen("one", draw), hub.listen("one", draw):
        before = drawings
        world.tell()
        await hub.look()
        assert drawings - before == 1
        assert hub.readers == 3
    assert hub.readers == 0


async def test_of_a_long_table_only_the_rows_that_differ_are_sent(world: World) -> None:
    hub, now = world.desk.hub, world.clock.epoch()
    world.tell(seats=[seat("101", "ready", now), seat("102", "ready", now + 1)])
    await hub.look()
    async with hub.listen("board", drawn(world.desk, wall=False)) as queue:
        while not queue.empty():
            queue.get_nowait()
        world.tell(seats=[seat("101", "paused:break1", now + 2), seat("102", "ready", now + 1)])
        await hub.look()
        told = json.loads(queue.get_nowait().decode().partition("data: ")[2])
    assert "seats" not in told["regions"]
    changed = told["rows"]["seats"]
    assert (list(changed["rows"]), changed["order"][:2]) == (["101"], ["102", "101"])
    assert "休憩" in changed["rows"]["101"]


async def test_a_ledger_that_hangs_holds_up_no_screen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    @asynccontextmanager
    async def hanging() -> AsyncIterator[None]:
        await asyncio.sleep(60)
        yield

    hub = world.desk.hub
    async with world.database.reading() as unit:
        aoki = await unit.users.get("aoki")
    assert aoki is not None
    monkeypatch.setattr(hub, "_reading", hanging)
    monkeypatch.setattr(world.desk, "reading", hanging)
    await asyncio.sleep(LEDGER_EVERY_S)
    board, own = drawn(world.desk, wall=False), own_screen(world.desk, aoki, OperatorId("101"))
    async with hub.listen("board", board) as all_of_it, hub.listen("seat:101", own) as mine:
        world.tell(seats=[seat("101", "paused:break1", BASE)])
        async with asyncio.timeout(5):
            for queue in (all_of_it, mine):
                while "休憩" not in (await queue.get()).decode():
                    pass


async def test_age_is_told_and_a_silent_engine_seen(world: World, signed_in: SignedIn) -> None:
    async with Events(await signed_in("kantoku"), "/board/live") as events:
        world.tell(ami_connected=False)
        pulse = await events.next("pulse")
        while pulse["heard"]:
            pulse = await events.next("pulse")
        assert pulse["now"] - pulse["live_at"] < 60
        assert pulse["ledger_at"] is not None


async def test_a_stream_ends_with_its_session(
    world: World, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desk.pages.stream.STILL_IN_EVERY_S", 0.2)
    async with Events(await signed_in("kantoku"), "/board/live") as events:
        async with world.database.uow() as unit:
            await unit.sessions.drop_of_user("kantoku")
        await events.next("over")


async def test_a_stream_ends_when_its_person_gets_another_telephone(
    world: World, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desk.pages.stream.STILL_IN_EVERY_S", 0.2)
    async with Events(await signed_in("aoki"), "/desk/live") as events:
        await events.next()
        async with world.database.uow() as unit:
            user = await unit.users.get("aoki")
            assert user
            await unit.users.put(replace(user, operator=OperatorId("105")))
        await events.next("over")


async def test_a_screen_that_cannot_be_drawn_stops_no_other(
    world: World, signed_in: SignedIn, caplog: pytest.LogCaptureFixture
) -> None:
    broken = False

    async def draw(now: FloorNow) -> Mapping[str, tuple[Any, Callable[[], str]]]:
        if broken:
            raise RuntimeError("a fault in one screen")
        return {"one": (now.live_at, lambda: "x")}

    async with world.desk.hub.listen("0", draw), Events(await signed_in("kantoku"), "/board/live") as events:
        await events.next()
        broken = True
        world.tell(callers=[])
        await events.until("waiting", "お待ちの方はいません")
        world.tell(callers=[], called_in=["x"])
        await events.until("alerts", "x")
    assert caplog.text.count("could not be drawn") == 1


async def test_an_alert_comes_and_is_taken_by_one_person(world: World, signed_in: SignedIn) -> None:
    session = await signed_in("kantoku")
    async with Events(session, "/board/live") as events:
        async with world.database.uow() as unit:
            await unit.alerts.put([an_alert(BASE, "zzzz2222")])
        await events.until("alerts", "/board/alerts/zzzz2222")
        answer = await session.post("/board/alerts/zzzz2222", data={"note": "見ています"})
        assert answer.url.query["done"] == "alert"
        await events.until("alerts", "見ています")
    other = await signed_in("ishikawa")
    answer = await other.post("/board/alerts/zzzz2222", data={})
    assert answer.url.query["done"] == "alert_before"


async def test_what_telephones_and_people_send_is_shown_as_text(world: World, signed_in: SignedIn) -> None:
    """Alerts, names and cases come from outside: none of it becomes markup."""
    evil = "<img src=x onerror=alert(1)>"
    async with world.database.uow() as unit:
        account = await unit.operators.get(OperatorId("105"))
        assert account
        await unit.operators.put(replace(account, name=evil))
        await unit.alerts.put([replace(an_alert(BASE, "evil1111"), text=evil, label=evil)])
        case = await unit.cases.of_call(FIRST.call_id)
        assert case
        await unit.cases.put(replace(case, question=evil, answer=evil, tags=(evil,)))
    await asyncio.sleep(0)
    world.clock.ahead += 1
    await world.desk.hub.look()
    session = await signed_in("kantoku")
    for path in ("/board", "/board/wall", "/cases", f"/cases/{case.case_id}", "/board/alerts/evil1111"):
        page = await (await session.get(path)).text()
        assert "<img" not in page, path
        assert "&lt;img" in page, path
    async with Events(session, "/board/live") as events:
        await events.next()
        assert "<img" not in "".join(events.regions.values())


# ---- acting ----------------------------------------------------------------------------------------


async def test_a_supervisor_acts_on_an_operator(world: World, signed_in: SignedIn) -> None:
    session = await signed_in("kantoku")
    for path, data in (
        ("pause", {"reason": "break1"}), ("sign-out", {}), ("ready", {}), ("listen", {}),
        ("skills", {"skill.booking": "5", "skill.card": "", "skill.ja": "5"}),
    ):  # fmt: skip
        answer = await session.post(f"/board/operators/101/{path}", data=data, allow_redirects=False)
        assert answer.status == 303, path
    assert world.control.asked == [
        (Act.PAUSE, "kantoku", {"operator": "101", "to": "break1"}),
        (Act.SIGN_OUT, "kantoku", {"operator": "101"}),
        (Act.READY, "kantoku", {"operator": "101"}),
        (Act.LISTEN, "kantoku", {"operator": "101"}),
        (Act.SKILLS, "kantoku", {"operator": "101", "skills": {"booking": 5, "ja": 5}}),
    ]


async def test_a_refusal_is_told_in_its_own_words(world: World, signed_in: SignedIn) -> None:
    world.control.refusal = "通話中です"
    answer = await (await signed_in("kantoku")).post("/board/operators/101/ready")
    assert answer.status == 422
    assert "通話中です" in await answer.text()


async def test_what_a_caller_hears_at_a_moment(world: World, signed_in: SignedIn) -> None:
    session = await signed_in("kantoku")
    page = await (await session.get("/board/hours?month=2026-11")).text()
    assert "勤労感謝の日" in page
    assert "（今日）" in page
    texts = world.profile.prompts.texts["ja"]
    for at, word in (("2026-11-25T10:00", "受付中"), ("2026-11-25T03:00", "受付をしていない")):
        page = await (await session.get(f"/board/hours?at={at}")).text()
        assert word in page
        assert texts["greeting"] in html.unescape(page)
    world.control.said = Emergency(message=world.profile.notices[0], until=None, reason="試験")
    world.control.closed = Emergency(message=world.profile.emergency_messages[0], until=None, reason="停電")
    page = await (await session.get("/board/hours?at=2026-11-25T10:00")).text()
    assert ("停電" in page, "先に流れます" in page) == (True, False)
    world.control.closed = None
    assert "先に流れます" in await (await session.get("/board/hours?at=2026-11-25T10:00")).text()
    for wrong in ("at=x", "month=2026-13", "language=fr", "at=1900-01-01T00:00"):
        assert (await session.get(f"/board/hours?{wrong}")).status == 422
    assert (await (await signed_in("aoki")).get("/board/hours")).status == 403


async def test_closing_and_messages(world: World, signed_in: SignedIn) -> None:
    session = await signed_in("shi-kanri")
    message = world.profile.emergency_messages[0]
    page = await (
        await session.post(
            "/board/close", data={"message": message, "reason": "停電", "until": "2026-11-27T15:00"}
        )
    ).text()
    assert "受付を休止しています" in page
    assert world.control.asked[-1][2] == {"to": message, "reason": "停電", "until": "2026-11-27T15:00+09:00"}
    assert "受付を休止しています" not in await (await session.post("/board/reopen")).text()
    wrong = await session.post("/board/close", data={"message": message, "reason": "停電", "until": "明日"})
    assert wrong.status == 422
    assert len(world.control.asked) == 2


# ---- the operator's desk -----------------------------------------------------------------------------


async def test_the_operator_sees_the_call_its_caller_and_earlier_cases(
    world: World, signed_in: SignedIn
) -> None:
    page = await (await (await signed_in("aoki")).get("/desk")).text()
    assert "090-1234-0004" in page
    assert "予約の変更・取消" in page, "what was chosen in the menu, in words"
    assert "交付予約の日を変えたい。" in page, "the case of an earlier call of this number"
    talking = present_calls()[0]
    assert f'data-case="{talking.call_id}"' in page


async def test_a_ringing_call_is_shown_before_it_is_taken(world: World, signed_in: SignedIn) -> None:
    session = await signed_in("ishikawa")
    world.tell(seats=[seat("102", "ringing", BASE)])
    async with Events(session, "/desk/live") as events:
        await events.until("call", "呼び出し中")
        await events.until("call", "非通知")


async def test_own_state_can_be_changed_and_only_ones_own(world: World, signed_in: SignedIn) -> None:
    session = await signed_in("aoki")
    await session.post("/desk/pause", data={"reason": "break1"})
    await session.post("/desk/ready")
    await session.post("/desk/help")
    await session.post("/desk/leave")
    assert [(act, more["operator"]) for act, _by, more in world.control.asked] == [
        (Act.PAUSE, "101"), (Act.READY, "101"), (Act.HELP, "101"), (Act.SIGN_OUT, "101"),
    ]  # fmt: skip
    assert (await session.post("/board/operators/102/pause", data={"reason": "break1"})).status == 403


FIELDS = {"category": "booking", "question": "予約を変えたい", "answer": "変えた", "status": "done"}


async def put(session: ClientSession, call: str, revision: int, **more: Any) -> tuple[int, dict[str, Any]]:
    fields = FIELDS | more.pop("fields", {})
    body = {"fields": fields, "revision": revision} | more
    answer = await session.put(f"/desk/calls/{call}/draft", json=body)
    return answer.status, await answer.json()


async def test_an_older_draft_never_replaces_a_newer_one(world: World, signed_in: SignedIn) -> None:
    session, call = await signed_in("aoki"), present_calls()[0].call_id
    assert (await put(session, call, 10, fields={"question": "新しい"}))[1]["stored"] is True
    status, told = await put(session, call, 9, fields={"question": "古い"})
    assert (status, told) == (200, {"stored": False, "revision": 10, "written": False})
    page = await (await session.get("/desk")).text()
    assert "新しい" in page
    assert "古い" not in page


async def test_a_finished_draft_waits_for_the_end_of_the_call(world: World, signed_in: SignedIn) -> None:
    session, talking = await signed_in("aoki"), present_calls()[0]
    assert (await put(session, talking.call_id, 10, final=True))[1]["written"] is False
    ended = replace(
        talking, ended_at=BASE, disposition=Disposition.ANSWERED, ended_by=EndedBy.CITIZEN,
        segments=(replace(talking.segments[0], ended_at=BASE),),
    )  # fmt: skip
    async with world.database.uow() as unit:
        await unit.calls.put([ended])
        await CaseKeeper(world.clock).after_fold(unit, [ended])
    async with asyncio.timeout(10):
        while True:
            async with world.database.reading() as unit:
                case = await unit.cases.get(case_id_of(talking.call_id))
                drafts = await unit.cases.drafts_of("aoki")
            if case is not None and not case.unwritten:
                break
            await asyncio.sleep(0.05)
    assert (case.question, case.status, drafts) == ("予約を変えたい", CaseStatus.DONE, [])


async def test_a_case_needs_its_fields(world: World, signed_in: SignedIn) -> None:
    session = await signed_in("aoki")
    status, told = await put(
        session, FIRST.call_id, 1, base=1, final=True, fields={"question": " ", "answer": ""}
    )
    assert status == 422
    assert told["error"]["where"] == "問い合わせの内容、案内した内容"


async def test_nobodys_words_are_overwritten_unseen(world: World, signed_in: SignedIn) -> None:
    """Somebody else saved the case after this page was opened."""
    session = await signed_in("aoki")
    status, told = await put(session, FIRST.call_id, 1, base=1, final=True)
    assert (status, told["written"]) == (200, True)
    status, told = await put(session, FIRST.call_id, 2, base=1, final=True, fields={"answer": "ほかのこと"})
    assert status == 409
    async with world.database.reading() as unit:
        (draft,) = await unit.cases.drafts_of("aoki")
    assert draft.content["answer"] == "ほかのこと", "what was typed stays"
    assert draft.content["final"] is False


async def test_an_operator_writes_into_own_calls_only(world: World, signed_in: SignedIn) -> None:
    session = await signed_in("ishikawa")
    assert (await put(session, FIRST.call_id, 1))[0] == 404
    assert (await session.get(f"/desk/calls/{FIRST.call_id}/form")).status == 404


async def test_the_form_works_without_scripts(world: World, signed_in: SignedIn) -> None:
    session = await signed_in("aoki")
    answer = await session.post(
        f"/desk/calls/{FIRST.call_id}/case",
        data=FIELDS
        | {"base": "1", "complaint": "true", "mistaken_guidance": "true", "status": "awaiting_call_back"},
    )
    assert answer.url.query["done"] == "case"
    async with world.database.reading() as unit:
        case = await unit.cases.of_call(FIRST.call_id)
        tickets = await unit.tickets.open()
    assert case is not None
    assert case.complaint
    asked = {ticket.kind: ticket for ticket in tickets if ticket.call == FIRST.call_id}
    wanted = {TicketKind.CALL_BACK, TicketKind.COMPLAINT, TicketKind.WRONG_GUIDANCE}
    assert asked.keys() == wanted, "each goes to the city too"
    clerk = await signed_in("shokuin")
    for ticket in asked.values():
        assert (await clerk.get(f"/tickets/{ticket.ticket_id}")).status == 200, ticket.ticket_id


async def test_a_form_comes_with_the_call_before_the_ledger_tells_who_has_it(
    world: World, signed_in: SignedIn
) -> None:
    session, waiting = await signed_in("aoki"), present_calls()[1]
    address = f"/desk/calls/{waiting.call_id}/form"
    assert (await session.get(address)).status == 404
    world.tell(seats=[{**seat("101", "talking", world.clock.epoch()), "call": waiting.call_id}])
    await world.desk.hub.look()
    assert (await session.get(address)).status == 200
