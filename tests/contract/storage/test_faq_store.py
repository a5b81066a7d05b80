"""The knowledge base on every database: what is stored comes back, changes are numbered, and the search follows."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from core.errors import ToritsugiError
from core.ids import CallId
from faq_kb.article import Audience, Content, State, Version
from faq_kb.csv_file import Row, read_rows
from faq_kb.synonyms import SynonymSet
from faq_kb.workflow import ChangeRequest, Move, RequestState, Role, answered
from interactions.case_edit import FaqUse
from services.faq import Who, carry_out, export_lines, move_entry, plan_import, write_entry
from services.faq_ports import SearchEntry, UseEntry, UseKind
from services.faq_search import FaqSearch, search_entry
from storage.database import Database
from storage.faq_index_files import FaqIndexFiles

pytestmark = pytest.mark.contract

FULL = Content(
    question="カードを紛失しました。",
    answer="一時停止の電話をしてください。",
    spoken="一時停止をお願いします。",
    category="紛失",
    forms=("カードを無くした", "落とした"),
    related=("pin",),
    audience=Audience.PUBLIC,
    department="701",
    valid_from=date(2026, 4, 1),
    valid_until=date(2027, 3, 31),
    source="市のページ",
)


def who(role: Role = Role.EDITOR, by: str = "編集", at: float = 100.0) -> Who:
    return Who(by=by, role=role, at=at)


def row(article_id: str, question: str, answer: str = "答えです。", state: State | None = None) -> Row:
    return Row(line=2, article_id=article_id, content=Content(question=question, answer=answer), state=state)


async def take_in(database: Database, *rows: Row, default: State = State.PUBLISHED) -> None:
    async with database.uow() as unit:
        await carry_out(unit, await plan_import(unit, rows, default), who(), "faq.csv")


async def test_an_entry_with_its_versions_comes_back(database: Database) -> None:
    async with database.uow() as unit:
        await write_entry(unit, "lost", FULL, who(), note="初版")
        article = await move_entry(unit, "lost", Move.SUBMIT, who(at=101.0), due_at=500.0)
    async with database.reading() as unit:
        assert await unit.faq.get("lost") == article
        assert article.due_at == 500.0
        version = Version(number=1, content=FULL, made_at=100.0, made_by="編集", note="初版")
        assert await unit.faq.history("lost") == [version]
        assert await unit.faq.version("lost", 1) == version
        assert await unit.faq.version("lost", 2) is None
        assert await unit.faq.latest() == {"lost": version}
        assert await unit.faq.in_force() == {}
        entries = await unit.audit.between(0.0, 1000.0)
    assert [(each.action, each.subject, each.actor) for each in entries] == [
        ("faq.write", "lost", "編集"), ("faq.submit", "lost", "編集"),
    ]  # fmt: skip


async def test_a_refused_move_changes_nothing(database: Database) -> None:
    await take_in(database, row("q1", "質問です"), default=State.DRAFT)
    with pytest.raises(ToritsugiError, match="承認"):
        async with database.uow() as unit:
            await move_entry(unit, "q1", Move.APPROVE, who(Role.CITY, "市"))
    with pytest.raises(ToritsugiError, match="変わった"):
        async with database.uow() as unit:
            await write_entry(unit, "q1", Content(question="質問です", answer="答えです。"), who())
    async with database.reading() as unit:
        assert len(await unit.faq.history("q1")) == 1
        with pytest.raises(ToritsugiError, match="ない項目"):
            await move_entry(unit, "q9", Move.SUBMIT, who())


async def test_a_word_that_citizens_do_not_hear_is_not_submitted(database: Database) -> None:
    await take_in(database, row("q1", "カード", "個人番号カードを持って来てください。"), default=State.DRAFT)
    with pytest.raises(ToritsugiError, match=r"個人番号カード.*マイナンバーカード"):
        async with database.uow() as unit:
            await move_entry(unit, "q1", Move.SUBMIT, who())
    asked = Content(question="カード", answer="マイナンバーカードです。", forms=("個人番号カードのこと",))
    async with database.uow() as unit:
        await write_entry(unit, "q1", asked, who())
        assert (await move_entry(unit, "q1", Move.SUBMIT, who())).state is State.REVIEW


async def test_a_file_goes_out_and_comes_in_exactly(database: Database) -> None:
    async with database.uow() as unit:
        await write_entry(unit, "lost", FULL, who())
    await take_in(database, row("a1", "=1+1", "'=x"), row("a2", "古い", state=State.RETIRED))
    async with database.reading() as unit:
        data = "".join(await export_lines(unit)).encode()
        plan = await plan_import(unit, read_rows(data, "x"), State.PUBLISHED)
        only = "".join(await export_lines(unit, [State.RETIRED]))
    assert (plan.new, plan.changed, plan.same) == ((), (), 3)
    assert "a2" in only
    assert "lost" not in only


async def test_taking_a_file_in_again_changes_only_what_differs(database: Database) -> None:
    await take_in(database, row("q1", "一つ目"), row("q2", "二つ目"))
    async with database.reading() as unit:
        plan = await plan_import(
            unit, [row("q1", "一つ目"), row("q2", "変えた"), row("q3", "新しい")], State.PUBLISHED
        )
    assert [each.row.article_id for each in plan.new] == ["q3"]
    assert [(each.row.article_id, [c.field for c in each.changes]) for each in plan.changed] == [
        ("q2", ["question"])
    ]
    assert plan.same == 1
    await take_in(database, row("q1", "一つ目"), row("q2", "変えた"), row("q3", "新しい"))
    async with database.reading() as unit:
        assert [(a.article_id, a.latest) for a in await unit.faq.articles()] == [
            ("q1", 1),
            ("q2", 2),
            ("q3", 1),
        ]


async def test_changes_are_numbered_in_the_order_in_which_they_become_visible(database: Database) -> None:
    async with database.reading() as unit:
        assert (await unit.faq.moment()).change == 0
    await asyncio.gather(*(take_in(database, row(f"q{number}", "質問")) for number in range(8)))
    async with database.reading() as unit:
        moment = await unit.faq.moment()
        assert moment.change == 8
        assert moment.base
        assert [len(await unit.faq.changed_since(change)) for change in (0, 3, 7, 8)] == [8, 5, 1, 0]


async def test_what_changed_has_its_version_in_force_or_none(database: Database) -> None:
    await take_in(database, row("q1", "一つ目"), row("q2", "二つ目"))
    async with database.uow() as unit:
        await move_entry(unit, "q1", Move.RETIRE, who(Role.CITY, "市"), note="廃止")
        await write_entry(unit, "q2", Content(question="二つ目", answer="直した"), who())
    async with database.reading() as unit:
        news = {each.article_id: each.version for each in await unit.faq.changed_since(1)}
    assert news["q1"] is None
    assert news["q2"] is not None
    assert news["q2"].number == 1


async def test_requests_and_synonyms_come_back(database: Database) -> None:
    request = ChangeRequest(
        request_id="r1", article_id="", content="新しい質問", by="受付", opened_at=1.0, due_at=9.0
    )
    async with database.uow() as unit:
        await unit.faq.put_request(request)
        await unit.faq.put_synonyms([SynonymSet(set_id="s1", words=("紛失", "なくした"))])
    done = answered(request, RequestState.DONE, at=5.0, by="編集", result="足した")
    async with database.uow() as unit:
        assert await unit.faq.requests() == [request]
        await unit.faq.put_request(done)
        assert await unit.faq.requests() == []
        assert await unit.faq.requests(every=True) == [done]
        assert await unit.faq.request("r1") == done
        assert await unit.faq.synonyms() == [SynonymSet(set_id="s1", words=("紛失", "なくした"))]
        assert await unit.faq.drop_synonyms("s1")
        assert not await unit.faq.drop_synonyms("s1")


async def test_searches_and_uses_are_kept_with_what_came_of_them(database: Database) -> None:
    entry = SearchEntry(
        at=5.0, actor="受付", words="紛失", found=("lost", "pin"), strict=True, call=CallId("c-1")
    )
    shown = FaqUse(case_id="i-1", article="lost", version=2, shown_at=4.0, by="受付")
    use = UseEntry(at=6.0, article_id="lost", version=2, kind=UseKind.USED, actor="受付", case_id="i-1")
    async with database.uow() as unit:
        first = await unit.faq.log_search(entry)
        assert await unit.faq.mark_search(first, clicked="lost")
        assert await unit.faq.mark_search(first, clicked="lost", used="pin")
        assert not await unit.faq.mark_search(first + 99, clicked="lost")
        assert not await unit.faq.mark_search(first, clicked="other", actor="だれか"), "another's search"
        assert await unit.faq.mark_search(first, clicked="lost", actor="受付")
        await unit.cases.add_faq(shown)
        await unit.cases.add_faq(replace(shown, used_at=6.0))
        await unit.cases.add_faq(replace(shown, version=1))
    async with database.reading() as unit:
        kept = (await unit.faq.searches(0.0, 10.0))[0]
        assert (kept.words, kept.found, kept.strict, kept.call) == ("紛失", ("lost", "pin"), True, "c-1")
        assert (kept.clicked, kept.used, kept.search_id) == (("lost",), ("pin",), first)
        assert await unit.faq.searches(6.0, 10.0) == []
        assert await unit.faq.uses(0.0, 10.0, "lost", 2) == [use]
        assert [each.kind for each in await unit.faq.uses(0.0, 10.0, "lost", 1)] == [UseKind.SHOWN]
        assert [each.version for each in await unit.faq.uses(0.0, 10.0)] == [1, 2]
        assert await unit.faq.uses(5.0, 6.0) == []


async def test_searches_go_with_their_time_and_with_their_call(database: Database) -> None:
    async with database.uow() as unit:
        for at, call in ((1.0, "c-1"), (2.0, "c-2"), (9.0, "c-1")):
            entry = SearchEntry(at=at, actor="受付", words="x", found=(), strict=False, call=CallId(call))
            await unit.faq.log_search(entry)
        assert await unit.retention.floor_records(5.0) == 2
        assert await unit.retention.drop_floor_records(1.5, 100) == 1
        await unit.retention.drop_calls([CallId("c-1")])
        assert [each.call for each in await unit.faq.searches(0.0, 10.0)] == ["c-2"]


# ---- the search follows ---------------------------------------------------------------------------


class Finding:
    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.made = 0
        self.search = FaqSearch(FaqIndexFiles(folder), self.no_vectors)

    def no_vectors(self) -> None:
        self.made += 1

    async def find(self, text: str) -> list[tuple[str, int]]:
        async with self.database.reading() as unit:
            hits = await self.search.search(unit, text, 10, now=None)
        return [(hit.article_id, hit.version) for hit in hits]


async def test_a_change_is_found_at_once_by_every_process(database: Database, tmp_path: Path) -> None:
    one, other = Finding(database, tmp_path / "index"), Finding(database, tmp_path / "index")
    assert await one.find("紛失") == []
    await take_in(database, row("lost", "カードの紛失"), row("pin", "暗証番号"))
    assert await one.find("紛失") == [("lost", 1)]
    assert await other.find("紛失") == [("lost", 1)]
    async with database.uow() as unit:
        await write_entry(unit, "lost", Content(question="盗難の届け", answer="警察へ"), who())
    assert await one.find("盗難") == []
    await take_in(database, row("lost", "盗難の届け", "警察へ"))
    for each in (one, other, Finding(database, tmp_path / "index")):
        assert (await each.find("盗難"))[0] == ("lost", 3)
        assert await each.find("紛失") == []
    async with database.uow() as unit:
        await move_entry(unit, "lost", Move.RETIRE, who(Role.CITY, "市"), note="廃止")
    assert await one.find("盗難") == []
    async with database.uow() as unit:
        await unit.faq.put_synonyms([SynonymSet(set_id="s1", words=("パスワード", "暗証番号"))])
    assert (await other.find("パスワード"))[0] == ("pin", 1)


async def test_an_index_of_another_database_or_damaged_is_made_anew(
    database: Database, tmp_path: Path
) -> None:
    folder = tmp_path / "index"
    await take_in(database, row("lost", "カードの紛失"))
    assert await Finding(database, folder).find("紛失") == [("lost", 1)]
    async with database.uow() as unit:
        await unit.settings.put("faq.base", "another")
    assert await Finding(database, folder).find("紛失") == [("lost", 1)]
    (folder / "index.json").write_text("{", encoding="utf-8")
    assert await Finding(database, folder).find("紛失") == [("lost", 1)]
    for part in folder.glob("part-*/arrays"):
        part.write_bytes(b"")
    assert await Finding(database, folder).find("紛失") == [("lost", 1)]


async def test_what_changed_much_is_made_anew_when_asked(database: Database, tmp_path: Path) -> None:
    finding = Finding(database, tmp_path / "index")
    await take_in(database, row("lost", "カードの紛失"))
    assert await finding.find("紛失") == [("lost", 1)]
    await take_in(database, *(row(f"n{number}", f"{number}番の質問") for number in range(150)))
    async with database.reading() as unit:
        await finding.search.renew_if_worn(unit)
        index = (await finding.search.ready(unit))[1]
    assert index.made_of == 151
    assert len(index.segments) == 1


def test_the_log_keeps_no_number_of_a_citizen() -> None:
    entry = search_entry([], "電話番号は09012345678です、紛失しました", at=1.0, actor="受付")
    assert "0901234" not in entry.words
    assert "紛失" in entry.words
    assert not entry.strict


async def test_entries_are_counted_and_listed_by_state(database: Database) -> None:
    rows = [
        Row(line=1, article_id=name, content=replace(FULL, related=()), state=state)
        for name, state in (
            ("a", State.DRAFT),
            ("b", State.PUBLISHED),
            ("c", State.DRAFT),
            ("d", State.APPROVAL),
        )
    ]
    async with database.uow() as unit:
        assert await unit.faq.states() == {}
        await carry_out(unit, await plan_import(unit, rows, State.DRAFT), who(), "faq.csv")
    async with database.reading() as unit:
        assert await unit.faq.states() == {State.DRAFT: 2, State.PUBLISHED: 1, State.APPROVAL: 1}
        ids = [each.article_id for each in await unit.faq.in_state(State.DRAFT, "", 10)]
        assert ids == ["a", "c"]
        assert [each.article_id for each in await unit.faq.in_state(None, "a", 2)] == ["b", "c"]
