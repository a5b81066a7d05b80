"""Requests, cases, recordings, reports, users, audit and the API over HTTP."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from aiohttp import ClientSession
from desk_world import BASE, FIRST, World, past_calls, present_calls
from signing_in import SignedIn

from core.errors import ToritsugiError
from core.ids import OperatorId
from desk.accounts import Accounts, Wanted
from interactions.access import Person, Role
from interactions.case import case_id_of
from interactions.ticket import TicketState
from services.access import Permission
from services.faq_ports import SearchEntry
from services.ports import AuditEntry

pytestmark = pytest.mark.desk
Browser = Callable[[], ClientSession]
CASE = case_id_of(FIRST.call_id)
WAV = f"/recordings/{FIRST.call_id}/citizen.wav"


async def audited(world: World, action: str) -> list[AuditEntry]:
    async with world.database.reading() as unit:
        return [entry for entry in await unit.audit.between(0, 4e9) if entry.action == action]


# ---- requests ---------------------------------------------------------------------------------------


async def test_staff_see_their_department_and_what_nobody_has(world: World, signed_in: SignedIn) -> None:
    session = await signed_in("shokuin")
    page = await (await session.get("/tickets")).text()
    assert "/tickets/t-mine" in page
    assert "/tickets/t-late" in page
    assert "/tickets/t-other" not in page
    assert page.index("t-late") < page.index("t-mine"), "by deadline"
    assert (await session.get("/tickets/t-other")).status == 404
    assert (await session.post("/tickets/t-other/take")).status == 404


async def test_who_looked_at_requests_and_at_the_record_is_written_down(
    world: World, signed_in: SignedIn
) -> None:
    """A request holds a name and a number as a case does."""
    staff, auditor = await signed_in("shokuin"), await signed_in("kansa")
    for path in ("/tickets", "/api/v1/tickets", "/tickets/t-mine"):
        assert (await staff.get(path)).status == 200
    assert [entry.subject for entry in await audited(world, "ticket.view")] == ["t-mine"]
    assert [entry.detail["requests"] for entry in await audited(world, "ticket.list")] == [2, 2]
    for path in ("/audit", "/api/v1/audit"):
        assert (await auditor.get(path)).status == 200
    assert [entry.actor for entry in await audited(world, "audit.search")] == ["kansa", "kansa"]


async def test_a_request_is_taken_and_done_with_a_result(world: World, signed_in: SignedIn) -> None:
    session = await signed_in("shokuin")
    assert (await session.post("/tickets/t-mine/take", data={"note": ""})).status == 200
    assert (await session.post("/tickets/t-mine/done", data={"note": " "})).status == 422, (
        "a result is missing"
    )
    page = await (await session.post("/tickets/t-mine/done", data={"note": "電話して再送した"})).text()
    assert "完了" in page
    assert (await session.post("/tickets/t-mine/take", data={})).status == 422, "it is at its end"
    async with world.database.reading() as unit:
        ticket = await unit.tickets.get("t-mine")
    assert ticket is not None
    assert (ticket.state, ticket.owner, ticket.result) == (TicketState.DONE, "市 職員子", "電話して再送した")
    assert [entry.actor for entry in await audited(world, "ticket.done")] == ["shokuin"]


async def test_an_operator_asks_the_city(world: World, signed_in: SignedIn) -> None:
    session = await signed_in("aoki")
    page = await (await session.get(f"/tickets/new?call={FIRST.call_id}")).text()
    assert "09012340000" in page, "the caller's number is filled in"
    sent = {"kind": "call_back", "content": "折り返してほしい", "department": "", "number": "090-1234-0000",
            "person": "", "call": FIRST.call_id}  # fmt: skip
    assert (await session.post("/tickets/new", data=sent)).url.query["done"] == "new"
    for wrong in (
        {"number": "110"},
        {"department": "999"},
        {"call": "c-n1-9.9"},
        {"content": ""},
        {"kind": "x"},
    ):
        assert (await session.post("/tickets/new", data=sent | wrong)).status == 422, wrong
    async with world.database.reading() as unit:
        ours = [ticket for ticket in await unit.tickets.open() if ticket.call == FIRST.call_id]
    assert len(ours) == 1
    assert ours[0].due_at > BASE


async def test_a_request_tells_nobody_a_number_that_is_not_theirs_to_see(
    world: World, signed_in: SignedIn
) -> None:
    session = await signed_in("aoki")
    async with world.database.uow() as unit:
        user = await unit.users.get("aoki")
        assert user
        await unit.users.put(replace(user, operator=OperatorId("105")))
    page = await session.get(f"/tickets/new?call={FIRST.call_id}")
    assert (page.status, "09012340000" in await page.text()) == (200, False)
    # Another's call of this moment has no case yet.
    talking = present_calls()[0].call_id
    assert "09012340004" not in await (await session.get(f"/tickets/new?call={talking}")).text()
    async with world.database.uow() as unit:
        case = await unit.cases.get(CASE)
        assert case
        await unit.cases.put(replace(case, confidential=True))
    assert (await session.get(f"/tickets/new?call={FIRST.call_id}")).status == 404
    sent = {"kind": "call_back", "content": "折り返し", "call": FIRST.call_id}
    assert (await session.post("/tickets/new", data=sent)).status == 422
    leader = await signed_in("kantoku")
    assert "09012340000" in await (await leader.get(f"/tickets/new?call={FIRST.call_id}")).text()


# ---- cases and recordings -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "hits"),
    [("", True), ("words=空いている日", True), ("words=宇宙人", False), ("number=090-1234-0000", True),
     ("number=0598211234", False), ("operator=101", True), ("status=in_progress", False), ("first=2026-11-28", None)],
)  # fmt: skip
async def test_cases_are_found(world: World, signed_in: SignedIn, query: str, hits: bool | None) -> None:
    answer = await (await signed_in("kantoku")).get(f"/cases?{query}")
    if hits is None:
        assert answer.status == 422
        return
    page = await answer.text()
    assert (f"/cases/{CASE}" in page or (query in ("", "operator=101") and "続きを見る" in page)) is hits
    assert await audited(world, "case.search")


async def test_a_case_shows_what_was_said_by_whom(world: World, signed_in: SignedIn) -> None:
    page = await (await (await signed_in("kantoku")).get(f"/cases/{CASE}")).text()
    said = re.findall(
        r"(お電話ありがとうございます|予約を変えたいのですが|ご希望の日|来週の水曜日)",
        page.partition("<h3>文字起こし")[2],
    )
    assert said == ["お電話ありがとうございます", "予約を変えたいのですが", "ご希望の日", "来週の水曜日"]
    assert page.count("聞き取りに自信がありません") == 1
    assert WAV in page
    assert await audited(world, "case.view")


async def test_what_was_understood_stands_with_its_evidence(world: World, signed_in: SignedIn) -> None:
    page = await (await (await signed_in("kantoku")).get(f"/cases/{CASE}")).text()
    assert page.count("「マイナンバーカードの受け取りの予約を変えたいのですが」") == 3
    assert page.count('data-jump="0.4" data-of="citizen"') == 4, (
        "each leads to where it was said, as the text does"
    )


async def test_tags_are_changed_and_the_draft_stays(world: World, signed_in: SignedIn) -> None:
    session = await signed_in("aoki")
    page = await (await session.get(f"/cases/{CASE}")).text()
    found = re.search(r'name="base" value="(\d+)"', page)
    assert found is not None
    base = int(found[1])
    await world.desk.cases.save_draft(
        Person(name="aoki", role=Role.OPERATOR, operator=OperatorId("101")),
        CASE,
        base,
        {"question": "書きかけ"},
    )
    sent = {"tags": "予約、 再訪 、予約", "base": base}
    assert (await session.post(f"/cases/{CASE}/tags", data=sent, allow_redirects=False)).status == 303
    async with world.database.reading() as unit:
        case = await unit.cases.get(CASE)
        (draft,) = await unit.cases.drafts(CASE)
    assert case is not None
    assert (case.tags, draft.base_version, draft.content) == (
        ("予約", "再訪"),
        case.version,
        {"question": "書きかけ"},
    )
    assert (await session.post(f"/cases/{CASE}/tags", data=sent)).status == 409, "made on an older version"
    history = await (await session.get(f"/cases/{CASE}/history")).text()
    assert "<ins>予約、再訪</ins>" in history
    assert "aoki" in history
    other = case_id_of(past_calls()[1].call_id)  # of another operator
    assert (await session.post(f"/cases/{other}/tags", data={"tags": "x", "base": 1})).status == 403


async def test_cases_are_joined_and_split_again(world: World, signed_in: SignedIn) -> None:
    session, second = await signed_in("kantoku"), past_calls()[1].call_id
    answer = await session.post(
        f"/cases/{CASE}/join", data={"source": f"{world.origin}/cases/{case_id_of(second)}"}
    )
    page = await answer.text()
    assert "まとめました" in page
    assert page.count("<h2>通話 ") == 2
    assert "まとめられています" in await (await session.get(f"/cases/{case_id_of(second)}")).text()
    refused = await session.post(f"/cases/{CASE}/split", data={"call": FIRST.call_id})
    assert (refused.status, "始まった通話は分けられません" in await refused.text()) == (422, True)
    answer = await session.post(f"/cases/{CASE}/split", data={"call": second})
    assert (answer.url.path, "分けました" in await answer.text()) == (f"/cases/{case_id_of(second)}", True)
    assert (await (await session.get(f"/cases/{CASE}")).text()).count("<h2>通話 ") == 1
    assert (await session.post(f"/cases/{CASE}/join", data={"source": "x"})).status == 422
    assert (
        await (await signed_in("kansa")).post(f"/cases/{CASE}/split", data={"call": second})
    ).status == 403


async def test_numbers_are_masked_for_who_may_not_see_them(world: World, signed_in: SignedIn) -> None:
    """An auditor views cases and sees no numbers; an operator sees those of own calls."""
    assert "090-1234-0000" not in await (await (await signed_in("kansa")).get(f"/cases/{CASE}")).text()
    assert "090-1234-0000" in await (await (await signed_in("aoki")).get(f"/cases/{CASE}")).text()


async def test_centre_and_city_write_to_each_other(world: World, signed_in: SignedIn) -> None:
    await (await signed_in("aoki")).post(f"/cases/{CASE}/notes", data={"text": "市に確認をお願いします"})
    page = await (await (await signed_in("shi-kanri")).get(f"/cases/{CASE}")).text()
    assert "市に確認をお願いします" in page
    assert (await (await signed_in("kansa")).post(f"/cases/{CASE}/notes", data={"text": "x"})).status == 403


async def test_a_recording_is_sent_in_pieces_and_written_down_once(world: World, signed_in: SignedIn) -> None:
    session = await signed_in("kantoku")
    whole = await session.get(WAV)
    body = await whole.read()
    assert (whole.status, whole.headers["Accept-Ranges"]) == (200, "bytes")
    assert body.startswith(b"RIFF")
    for asked, part, status in (
        ("bytes=0-99", body[:100], 206), ("bytes=100-", body[100:], 206), ("bytes=-50", body[-50:], 206),
        ("bytes=10-20", body[10:21], 206), ("nonsense", body, 200), ("bytes=0-9,20-29", body, 200),
    ):  # fmt: skip
        answer = await session.get(WAV, headers={"Range": asked})
        assert (answer.status, await answer.read()) == (status, part), asked
    assert (await session.get(WAV, headers={"Range": f"bytes={len(body)}-"})).status == 416
    heard = await audited(world, "case.hear")
    assert {entry.detail["side"] for entry in heard} == {"citizen"}
    assert len(heard) == 4, "the whole, twice unreadable ranges, and the range from the beginning"


async def test_recordings_are_heard_after_a_restore_in_another_place(
    world: World, signed_in: SignedIn
) -> None:
    async with world.database.uow() as unit:
        (recording, *_) = await unit.recordings.of_call(FIRST.call_id)
        elsewhere = f"/srv/former/recordings/{recording.base}-{recording.side}.wav"
        await unit.recordings.put(replace(recording, path=elsewhere))
    answer = await (await signed_in("kantoku")).get(f"/recordings/{recording.base}/{recording.side}.wav")
    assert (answer.status, (await answer.read())[:4]) == (200, b"RIFF")


@pytest.mark.parametrize("asked", ["bytes=1-", "bytes=44-", "bytes=-40000"])
async def test_a_hearing_that_begins_behind_the_first_byte_is_written_down(
    world: World, signed_in: SignedIn, asked: str
) -> None:
    session = await signed_in("kantoku")
    for _ in range(2):
        assert (await session.get(WAV, headers={"Range": asked})).status == 206
    assert len(await audited(world, "case.hear")) == 1
    world.clock.ahead += 2 * 3600
    again = await signed_in("kantoku")
    await again.get(WAV, headers={"Range": asked})
    assert len(await audited(world, "case.hear")) == 2


async def test_a_range_that_cannot_be_is_no_fault_of_ours(world: World, signed_in: SignedIn) -> None:
    session = await signed_in("kantoku")
    for asked, status in (("bytes=0-" + "9" * 5000, 200), ("bytes=-0", 416), ("bytes=٣-٤", 200)):
        assert (await session.get(WAV, headers={"Range": asked})).status == status, asked[:20]


async def test_an_operator_hears_own_recordings_only(world: World, signed_in: SignedIn) -> None:
    assert (await (await signed_in("aoki")).get(WAV)).status == 200
    other = await signed_in("aoki")
    async with world.database.uow() as unit:
        user = await unit.users.get("aoki")
        assert user
        await unit.users.put(replace(user, operator="105"))
    assert (await other.get(WAV)).status == 403
    assert await audited(world, "case.hear_refused")


# ---- reports, users, audit ----------------------------------------------------------------------------


async def test_a_report_is_downloaded_and_written_down(world: World, signed_in: SignedIn) -> None:
    session = await signed_in("shokuin")
    answer = await session.get("/reports/daily?day=2026-11-26&format=csv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="daily-2026-11-26.csv"'
    assert await answer.read() == b"daily 2026-11-26"
    for wrong in ("daily?day=x", "daily?day=2026-11-26&format=pdf", "secret?day=2026-11-26", "daily"):
        assert (await session.get(f"/reports/{wrong}")).status == 422, wrong
    assert len(await audited(world, "report.download")) == 1


async def test_a_figure_opens_to_its_calls(world: World, signed_in: SignedIn) -> None:
    """As many as the board and the papers count, with the way to the case for those who may go it."""
    supervisor, staff = await signed_in("kantoku"), await signed_in("shokuin")
    today = "first=2026-11-27"
    page = await (await supervisor.get(f"/reports/calls?metric=answered&{today}")).text()
    assert "35 件" in page
    assert f'href="/cases/{CASE}"' in page
    assert "開く（録音あり）" in page
    assert "0901234" not in page, "numbers are masked"
    theirs = await (await staff.get(f"/reports/calls?metric=answered&{today}")).text()
    assert "/cases/" not in theirs.partition("<main")[2], "no case of their department"
    hour = await (await supervisor.get(f"/reports/calls?metric=incoming&{today}&hour=9&line=card")).text()
    mine = [call for call in past_calls() if call.line == "card" and call.arrived_at < BASE - 1800.0]
    assert f"{len(mine)} 件" in hour
    file = await supervisor.get(f"/reports/calls?metric=abandoned_queue&{today}&format=csv")
    assert len((await file.text()).splitlines()) == 2 + 5
    told = await (await supervisor.get(f"/api/v1/reports/calls?metric=offered&{today}")).json()
    assert told["number"] == 40
    assert {each["case"] for each in told["calls"]} >= {CASE}
    for wrong in (
        "metric=secret&first=2026-11-27",
        "metric=answered",
        f"metric=answered&{today}&page=9",
        f"metric=offered:nothing&{today}",
        f"metric=answered&{today}&last=2020-01-01",
        f"metric=carried:secret:all:&{today}",
        f"metric=carried:calls:nowhere:&{today}",
        f"metric=legs:over&{today}",
        f"metric=theme:secret:close&{today}",
    ):
        assert (await supervisor.get(f"/reports/calls?{wrong}")).status == 422, wrong
    assert len(await audited(world, "report.calls")) == 6
    number = (await (await supervisor.get(f"/api/v1/reports/calls?metric=callers&{today}")).json())["figure"]
    every = await (await supervisor.get(f"/reports/calls?metric=callers&{today}")).text()
    assert f"報告の数字は {number} です" in every
    assert "番号ごとの通話をすべて" in every


async def test_a_figure_of_the_knowledge_base_opens_to_its_searches(
    world: World, signed_in: SignedIn
) -> None:
    supervisor, today = await signed_in("kantoku"), "first=2026-11-27"
    async with world.database.uow() as unit:
        for words, found in (("旧姓", ()), ("手数料", ("card-fee",))):
            await unit.faq.log_search(
                SearchEntry(at=BASE, actor="aoki", words=words, found=found, strict=bool(found))
            )
    every = await (await supervisor.get(f"/reports/searches?metric=search:searches&{today}")).text()
    assert "2 件" in every
    assert "手数料" in every
    assert "<td>aoki</td>" not in every, "people have their names"
    vain = await (await supervisor.get(f"/reports/searches?metric=search:in_vain:旧姓&{today}")).text()
    assert "1 件" in vain
    assert "手数料" not in vain
    for wrong in ("search:secret", "search:searches&page=9", "answered"):
        assert (await supervisor.get(f"/reports/searches?metric={wrong}&{today}")).status == 422, wrong
    assert len(await audited(world, "report.searches")) == 3


async def test_an_administrator_gives_no_other_role_to_oneself(world: World, signed_in: SignedIn) -> None:
    session = await signed_in("kanri")
    async with world.database.uow() as unit:
        user = await unit.users.get("kanri")
        assert user
        await unit.users.put(replace(user, name="second", display="二人目"))
    changed = {"display": "管理 次郎", "role": "city_admin", "operator": "", "department": ""}
    assert (await session.post("/users/kanri", data=changed)).status == 403
    assert (await session.post("/users/kanri", data=changed | {"role": "system_admin"})).status == 200
    assert (await session.post("/users/second", data=changed)).status == 200


async def test_an_administrator_adds_changes_and_shuts_out(world: World, signed_in: SignedIn) -> None:
    session = await signed_in("kanri")
    new = {"name": "ueda", "display": "上田 桃子", "role": "operator", "operator": "103", "department": ""}
    page = await (await session.post("/users", data=new)).text()
    link = re.search(rf"{world.origin}/set-up/[\w-]+", page)
    assert link
    assert link[0] not in await (await session.get("/users")).text(), "shown once"
    for wrong in (
        {"name": "ueda"},
        {"name": "Ueda!"},
        {"role": "boss"},
        {"operator": "999"},
        {"operator": ""},
    ):
        assert (await session.post("/users", data=new | {"name": "other"} | wrong)).status == 422, wrong
    changed = {"display": "上田 桃子", "role": "leader", "operator": "103", "department": ""}
    assert (await session.post("/users/ueda", data=changed)).status == 200
    assert (await session.post("/users/ueda/off")).status == 200
    async with world.database.reading() as unit:
        user = await unit.users.get("ueda")
    assert user is not None
    assert (user.role.value, user.active) == ("leader", False)
    assert (await session.post("/users/kanri/off")).status == 403, "nobody shuts themselves out"
    last = {"display": "管理", "role": "auditor", "operator": "", "department": ""}
    assert (await session.post("/users/kanri", data=last)).status == 403, "nor gives themselves a role"
    with pytest.raises(ToritsugiError, match="最後のシステム管理者"):
        await Accounts(world.database.uow, world.clock, ()).change(
            "kanri", Wanted(display="管理 太郎", role=Role.AUDITOR), "command"
        )
    actions = {entry.action for entry in await audited(world, "user.add") + await audited(world, "user.off")}
    assert actions == {"user.add", "user.off"}


async def test_the_audit_is_searched(world: World, signed_in: SignedIn) -> None:
    await (await signed_in("kantoku")).get(f"/cases/{CASE}")
    session = await signed_in("kansa")
    page = await (await session.get("/audit?first=2026-11-27&last=2026-11-27&action=case.view")).text()
    assert "kantoku" in page
    assert CASE in page
    assert "desk.sign_in" not in page
    assert (await session.get("/audit?first=2026-01-01&last=2026-11-27")).status == 422


# ---- for programs -------------------------------------------------------------------------------------


async def token_of(world: World, signed_in: SignedIn, name: str, *scopes: str) -> dict[str, str]:
    session = await signed_in(name)
    form = [("label", "試験"), ("days", "1"), *(("scope", scope) for scope in scopes)]
    page = await (await session.post("/account/tokens", data=form)).text()
    found = re.search(r"trt_[\w-]+", page)
    assert found
    return {"Authorization": f"Bearer {found[0]}"}


async def test_a_token_does_what_its_scope_and_its_owner_may(
    world: World, signed_in: SignedIn, browser: Browser
) -> None:
    bearer = await token_of(world, signed_in, "kantoku", Permission.FLOOR_WATCH)
    plain = browser()
    async with asyncio.timeout(20):
        while True:
            floor = await plain.get("/api/v1/floor", headers=bearer)
            assert floor.status == 200
            told = await floor.json()
            if len(told["rates"]) == 2:  # the month is counted beside us, after the first look
                break
            world.clock.ahead += 60.0
            await world.desk.hub.look()
    assert [each["operator"] for each in told["seats"]][:1] == ["101"]
    today, month = told["rates"]
    assert (today["first"], month["first"]) == ("2026-11-27", "2026-11-01")
    assert today["at"] <= told["at"]
    assert today["reconciled"] == month["reconciled"] == "速報（照合前）"
    assert (await plain.get("/api/v1/cases", headers=bearer)).status == 403
    assert (await plain.get("/board", headers=bearer, allow_redirects=False)).status == 303, (
        "pages take no tokens"
    )
    world.clock.ahead += 86_401
    assert (await plain.get("/api/v1/floor", headers=bearer)).status == 401


async def test_nobody_gives_a_token_more_than_they_may(
    world: World, signed_in: SignedIn, browser: Browser
) -> None:
    session = await signed_in("kansa")
    form = [("label", "試験"), ("days", "1"), ("scope", Permission.FLOOR_WATCH.value)]
    assert (await session.post("/account/tokens", data=form)).status == 422


async def test_programs_work_with_requests(world: World, signed_in: SignedIn, browser: Browser) -> None:
    bearer = await token_of(world, signed_in, "shokuin", Permission.TICKET_WORK)
    plain = browser()
    listed = await (await plain.get("/api/v1/tickets", headers=bearer)).json()
    assert {each["ticket"] for each in listed} == {"t-mine", "t-late"}
    body = {"state": "taken"}
    assert (await (await plain.post("/api/v1/tickets/t-mine", headers=bearer, json=body)).json())[
        "owner"
    ] == "市 職員子"
    for wrong in (b"", b"[]", b'{"state": "lost"}', b'{"state": "done", "x": 1}'):
        answer = await plain.post("/api/v1/tickets/t-mine", headers=bearer, data=wrong)
        assert answer.status == 422, wrong
        assert set((await answer.json())["error"]) == {"code", "message", "where", "cure"}


async def test_the_document_names_every_address_with_its_scope(world: World, browser: Browser) -> None:
    document = await (await browser().get("/api/v1/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            assert told["summary"], path
            assert path.endswith(("openapi.json", "/me")) or told["x-permissions"], (method, path)
    references = set(re.findall(r"#/components/schemas/(\w+)", str(document)))
    assert references <= set(document["components"]["schemas"])
    assert {"FloorOut", "TicketMove", "CasesOut", "Problem"} <= set(document["components"]["schemas"])
