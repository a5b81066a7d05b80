"""The pages of the knowledge base: an entry's way to its readers, requests, synonyms, gaps, files; and the API."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from aiohttp import ClientSession, FormData
from desk_world import BASE, FAQ, FIRST, World
from signing_in import SignedIn

from faq_kb.article import State
from interactions.case_edit import FaqUse
from ledger.calls import Call
from services.ports import Transcript

pytestmark = pytest.mark.desk
WAITS = "card-receive"


async def _article(world: World, article_id: str):  # type: ignore[no-untyped-def]
    async with world.database.reading() as unit:
        return await unit.faq.get(article_id)


async def _post(session: ClientSession, address: str, data: Mapping[str, str]) -> tuple[int, str]:
    answer = await session.post(address, data=data, allow_redirects=False)
    return answer.status, answer.headers.get("Location", "") or await answer.text()


async def test_an_entry_comes_into_force_only_by_the_city(world: World, signed_in: SignedIn) -> None:
    leader, supervisor, staff = (
        await signed_in("ishikawa"),
        await signed_in("kantoku"),
        await signed_in("shokuin"),
    )
    text = {
        "question": "駐車場はありますか。",
        "answer": "あります。",
        "forms": "車で行きたい\r\n車で行けるか",
    }
    status, where = await _post(leader, "/faq/entries", {**text, "article": "parking"})
    assert (status, where) == (303, "/faq/entries/parking?done=write")
    address = "/faq/entries/parking"
    for session, move, expected in (
        (leader, "approve", 403), (leader, "publish", 422), (leader, "submit", 303), (leader, "review", 403),
        (supervisor, "review", 303), (supervisor, "approve", 403), (staff, "approve", 303), (leader, "publish", 303),
        (leader, "retire", 403),
    ):  # fmt: skip
        status, told = await _post(session, f"{address}/move", {"move": move})
        assert status == expected, (move, told)
    article = await _article(world, "parking")
    assert (article.state, article.published) == (State.PUBLISHED, 1)
    assert [step.by for step in article.steps] == ["ishikawa", "ishikawa", "kantoku", "shokuin", "ishikawa"]
    found = await leader.get("/faq", params={"words": "駐車場"})
    assert "駐車場はありますか" in await found.text()
    async with world.database.reading() as unit:
        entries = [each for each in await unit.audit.between(0.0, BASE + 9999.0) if each.subject == "parking"]
    assert {each.action for each in entries} == {
        "faq.write", "faq.submit", "faq.review", "faq.approve", "faq.publish",
    }  # fmt: skip


async def test_nobody_reads_their_own_text_and_a_reason_is_owed(world: World, signed_in: SignedIn) -> None:
    session, staff = await signed_in("kantoku"), await signed_in("shokuin")
    await _post(session, "/faq/entries", {"article": "own", "question": "問", "answer": "答"})
    await _post(session, "/faq/entries/own/move", {"move": "submit"})
    assert 'value="review"' not in await (await session.get("/faq/entries/own")).text()
    assert (await _post(session, "/faq/entries/own/move", {"move": "review"}))[0] == 422
    assert (await _post(staff, "/faq/entries/own/move", {"move": "send_back"}))[0] == 422
    assert (await _post(staff, "/faq/entries/own/move", {"move": "send_back", "note": "短く"}))[0] == 303
    assert (await _article(world, "own")).state is State.DRAFT


async def test_a_version_shows_what_it_changed_and_a_late_one_is_refused(
    world: World, signed_in: SignedIn
) -> None:
    session = await signed_in("ishikawa")
    edit = f"/faq/entries/{FAQ}/edit"
    async with world.database.reading() as unit:
        old = (await unit.faq.latest([FAQ]))[FAQ].content
    text = {
        "question": old.question,
        "answer": old.answer + "<b>太字</b>",
        "spoken": "四つの方法があります。",
        "base": "1",
    }
    assert (await _post(session, edit, text))[0] == 303
    page = await (await session.get(f"/faq/entries/{FAQ}")).text()
    assert '<ins><span class="unseen">加えた：</span>四つの方法があります。</ins>' in page
    assert "&lt;b&gt;太字&lt;/b&gt;" in page
    assert "版1を公開中" in page
    status, told = await _post(session, edit, {**text, "answer": "別の答え"})
    assert status == 422
    assert "ほかの人が新しい版を書いています" in told
    assert (await _post(session, f"/faq/entries/{FAQ}/move", {"move": "submit", "base": "1"}))[0] == 422
    assert (await _article(world, FAQ)).latest == 2


async def test_a_correction_calls_back_whoever_was_told_wrong(world: World, signed_in: SignedIn) -> None:
    staff = await signed_in("shi-kanri")
    case = f"i-{FIRST.call_id.removeprefix('c-')}"
    async with world.database.uow() as unit:
        await unit.cases.add_faq(
            FaqUse(case_id=case, article=FAQ, version=1, shown_at=BASE - 90, used_at=BASE - 60, by="aoki")
        )
    text = {
        "question": "正しい問い",
        "answer": "正しい答え",
        "note": "手数料の誤り",
        "correcting": "true",
        "base": "1",
    }
    assert (await _post(staff, f"/faq/entries/{FAQ}/edit", text))[0] == 303
    assert (await _post(staff, f"/faq/entries/{FAQ}/move", {"move": "submit"}))[0] == 303
    reader = await signed_in("shokuin")
    assert (await _post(reader, f"/faq/entries/{FAQ}/move", {"move": "review"}))[0] == 303
    assert (await _post(reader, f"/faq/entries/{FAQ}/move", {"move": "approve"}))[0] == 303
    status, where = await _post(reader, f"/faq/entries/{FAQ}/move", {"move": "publish"})
    assert (status, where) == (303, f"/faq/entries/{FAQ}?done=recalled")
    async with world.database.reading() as unit:
        opened = [each for each in await unit.tickets.open() if each.ticket_id.startswith(f"r-{FAQ}")]
    assert [(each.call, "手数料の誤り" in each.content) for each in opened] == [(FIRST.call_id, True)]


async def test_the_citys_desk_shows_what_waits_for_it(world: World, signed_in: SignedIn) -> None:
    staff, supervisor = await signed_in("shokuin"), await signed_in("kantoku")
    assert "FAQ の承認待ち：1 件" in await (await staff.get("/tickets")).text()
    assert "承認待ち" not in await (await supervisor.get("/tickets")).text()
    page = await (await staff.get("/faq", params={"state": "approval"})).text()
    assert page.count('<th scope="row"') == 1


async def test_a_request_for_a_change_has_a_date_and_an_end(world: World, signed_in: SignedIn) -> None:
    operator, leader = await signed_in("aoki"), await signed_in("ishikawa")
    asked = {"article": FAQ, "content": "郵送の宛先も書いてほしい", "due": "2026-12-04"}
    assert (await _post(operator, "/faq/requests", asked))[0] == 303
    assert (await _post(operator, "/faq/requests", {**asked, "article": "none"}))[0] == 422
    page = await (await leader.get("/faq/requests")).text()
    assert "12月4日 23:59 まで" in page
    async with world.database.reading() as unit:
        (request,) = await unit.faq.requests()
    end = f"/faq/requests/{request.request_id}/end"
    assert (await _post(operator, end, {"state": "done", "result": "書いた"}))[0] == 403
    assert (await _post(leader, end, {"state": "done", "result": "書いた"}))[0] == 303
    assert (await _post(leader, end, {"state": "declined", "result": "やめた"}))[0] == 422


async def test_synonyms_count_at_once(world: World, signed_in: SignedIn) -> None:
    leader = await signed_in("ishikawa")
    assert (await _post(leader, "/faq/words", {"words": "ひとつ"}))[0] == 422
    assert (await _post(leader, "/faq/words", {"words": "ぴかぴか、申請"}))[0] == 303
    assert "/faq/entries/card-apply" in await (await leader.get("/faq", params={"words": "ぴかぴか"})).text()
    async with world.database.reading() as unit:
        (words,) = await unit.faq.synonyms()
    assert (await _post(leader, f"/faq/words/{words.set_id}/remove", {}))[0] == 303
    assert (await _post(leader, f"/faq/words/{words.set_id}/remove", {}))[0] == 422


async def test_a_gap_becomes_a_draft(world: World, signed_in: SignedIn) -> None:
    calls = await _calls(world)
    async with world.database.uow() as unit:
        for call in calls[1:3]:
            await unit.transcripts.put(
                Transcript(
                    call_id=call.call_id, side="citizen", text="", engine="vosk", made_at=BASE,
                    segments=[{"start_s": 0.1, "end_s": 1.0, "text": "粗大ごみの回収を頼みたい", "confidence": 0.9}],
                )
            )  # fmt: skip
    session = await signed_in("ishikawa")
    page = await (await session.get("/faq/gaps")).text()
    assert "粗大ごみの回収" in page
    status, where = await _post(
        session,
        "/faq/gaps",
        {"question": "粗大ごみの回収", "answer": "（回答を書く）", "forms": "ごみを出したい"},
    )
    assert status == 303
    article = await _article(world, where.split("/")[-1].split("?")[0])
    assert article.state is State.DRAFT


async def _calls(world: World) -> list[Call]:
    from desk_world import past_calls

    return [call for call in past_calls() if call.segments]


def _file(text: str, **more: str) -> FormData:
    form = FormData()
    form.add_field("file", text.encode(), filename="新しい FAQ.csv", content_type="text/csv")
    for name, value in more.items():
        form.add_field(name, value)
    return form


async def test_a_file_is_shown_before_it_is_taken_in(world: World, signed_in: SignedIn) -> None:
    leader, staff = await signed_in("ishikawa"), await signed_in("shokuin")
    exported = await (await leader.get("/faq/export.csv")).text()
    assert exported.startswith("\ufeffid,question")
    changed = f"{exported}new-one,新しい問い,新しい答え,,,,,operator,,,,,published\r\n"
    preview = await (await leader.post("/faq/import/plan", data=_file(changed, publish="true"))).text()
    assert "新規 1" in preview
    assert "下書きになります" in preview, "the centre brings nothing into force"
    assert await _article(world, "new-one") is None
    data = preview.split('name="data" value="')[1].split('"')[0]
    fields = FormData({"data": data, "name": "新しい FAQ.csv", "publish": "true"})
    fields._is_multipart = True
    assert (await leader.post("/faq/import", data=fields, allow_redirects=False)).status == 303
    article = await _article(world, "new-one")
    assert (article.state, article.published) == (State.DRAFT, 0)
    assert (await _article(world, FAQ)).published == 1, "what is in force stays so"
    assert (
        await staff.post("/faq/import", data=_file(changed, publish="true"), allow_redirects=False)
    ).status == 303
    assert (await _article(world, "new-one")).state is State.PUBLISHED
    broken = await leader.post("/faq/import/plan", data=_file("id,question,answer\r\nx,,\r\n"))
    assert broken.status == 422
    assert "2行目" in await broken.text()


async def test_programs_read_the_knowledge_base(world: World, signed_in: SignedIn) -> None:
    session = await signed_in("aoki")
    found = await (
        await session.get("/api/v1/faq/search", params={"words": "カードの申請", "limit": "2"})
    ).json()
    assert len(found["hits"]) == 2
    assert found["hits"][0]["text"]["question"]
    page = await (await session.get("/api/v1/faq/articles", params={"state": "published"})).json()
    assert {each["state"] for each in page["articles"]} == {"published"}
    one = await (await session.get(f"/api/v1/faq/articles/{FAQ}")).json()
    assert (one["article"], one["published"]) == (FAQ, 1)
    assert (await session.get("/api/v1/faq/articles/none")).status == 404
    assert (await session.get("/api/v1/faq/search", params={"words": ""})).status == 422
    document = await (await session.get("/api/v1/openapi.json")).json()
    assert document["paths"]["/api/v1/faq/articles/{article}"]["get"]["x-permissions"] == ["faq.read"]
    assert "FoundOut" in document["components"]["schemas"]


async def test_what_nobody_can_mean_is_refused_and_breaks_no_search(
    world: World, signed_in: SignedIn
) -> None:
    leader, staff = await signed_in("ishikawa"), await signed_in("shokuin")
    text = {"question": "問い", "answer": "答え"}
    for more in ({"valid_until": "9999-12-31"}, {"valid_from": "0001-01-01"}, {"valid_from": "きのう"}):
        assert (await _post(leader, "/faq/entries", {**text, **more}))[0] == 422
    assert (await _post(leader, "/faq/requests", {"content": "x", "due": "0001-01-01"}))[0] == 422
    for address in ("/faq/entries/%00", "/api/v1/faq/articles/a%00b"):
        assert (await leader.get(address)).status == 404
    last = "id,question,answer,valid_until\r\nlast,いつまでも,答え,9999-12-31\r\n"
    taken = await staff.post("/faq/import", data=_file(last, publish="true"), allow_redirects=False)
    assert taken.status == 303
    assert "いつまでも" in await (await leader.get("/faq", params={"words": "いつまでも"})).text()
