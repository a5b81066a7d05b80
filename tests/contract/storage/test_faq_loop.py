"""From calls to a better knowledge base, on every database: gaps, what an entry changed, and wrong guidance."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.ids import CallId, OperatorId
from faq_kb.article import Content, State
from faq_kb.csv_file import Row
from faq_kb.index import Index
from faq_kb.search import Searcher
from faq_kb.usage import Verdict
from faq_kb.workflow import Role
from interactions.case import CallSummary, open_case
from interactions.case_edit import FaqUse
from interactions.ticket import TicketKind, TicketState
from services.faq import Who, carry_out, plan_import
from services.faq_loop import effect_of, found_gaps, recall, said_in
from services.faq_search import FaqSearch
from services.ports import Transcript, UnitOfWork
from storage.database import Database
from storage.faq_index_files import FaqIndexFiles

pytestmark = pytest.mark.contract

DAY = 86_400.0


async def take_in(database: Database, at: float = 0.0, **entries: str) -> None:
    rows = [
        Row(
            line=1,
            article_id=name,
            content=Content(question=text, answer="案内します。"),
            state=State.PUBLISHED,
        )
        for name, text in entries.items()
    ]
    async with database.uow() as unit:
        plan = await plan_import(unit, rows, State.PUBLISHED)
        await carry_out(unit, plan, Who(by="編集", role=Role.EDITOR, at=at), "faq.csv")


async def said(
    database: Database, call: str, at: float, *citizen: str, operator: tuple[str, ...] = ()
) -> None:
    """A case with a transcript."""
    call_id = CallId(call)
    summary = CallSummary(
        call_id=call_id, caller=None, line="card", language="ja", menu_path=(), operators=(OperatorId("101"),),
        started_at=at, ended_at=at + 60.0,
    )  # fmt: skip
    async with database.uow() as unit:
        await unit.cases.add(open_case(summary))
        for side, texts in (("citizen", citizen), ("line", operator)):
            segments = [
                {"start_s": float(n), "end_s": n + 0.9, "text": text, "confidence": 1.0}
                for n, text in enumerate(texts)
            ]
            await unit.transcripts.put(
                Transcript(
                    call_id=call_id, side=side, text="".join(texts), segments=segments, engine="x", made_at=at
                )
            )


async def ready(unit: UnitOfWork, tmp_path: Path) -> tuple[Searcher, Index]:
    return await FaqSearch(FaqIndexFiles(tmp_path / "index"), lambda: None).ready(unit)


async def test_calls_that_nothing_answers_become_gaps(database: Database, tmp_path: Path) -> None:
    await take_in(database, lost="カードの紛失の手続き", pin="暗証番号を忘れました")
    await said(
        database, "c-1", 100.0, "粗大ごみの回収を頼みたいんですが", operator=("ごみセンターにおつなぎします",)
    )
    await said(database, "c-2", 200.0, "もしもし", "粗大ごみの回収はいつですか")
    await said(database, "c-3", 300.0, "カードの紛失の手続きをしたいです")
    await said(database, "c-4", 400.0, "粗大ごみの回収の料金を教えてください")
    await said(database, "c-5", 900.0, "粗大ごみの回収です")
    async with database.uow() as unit:
        # An operator told an entry: answered, whatever the words say.
        await unit.cases.add_faq(
            FaqUse(case_id="i-4", article="lost", version=1, shown_at=410.0, used_at=410.0, by="受付")
        )
    async with database.reading() as unit:
        search = FaqSearch(FaqIndexFiles(tmp_path / "index"), lambda: None)
        found, looked, unanswered = await found_gaps(unit, search, 0.0, 500.0)
    assert (looked, unanswered) == (4, 2)
    assert [gap.calls for gap in found] == [("c-1", "c-2")]
    assert found[0].draft.told == ("ごみセンターにおつなぎします",)


async def test_the_words_of_a_call_come_in_order_and_by_side(database: Database) -> None:
    await said(database, "c-1", 1.0, "一つ目", "二つ目", operator=("はい",))
    async with database.reading() as unit:
        talked = said_in(CallId("c-1"), 1.0, await unit.transcripts.of_call(CallId("c-1")))
    assert (talked.citizen, talked.operator) == (("一つ目", "二つ目"), ("はい",))


async def test_whether_calls_fell_after_an_entry_was_published(database: Database, tmp_path: Path) -> None:
    at = 100 * DAY
    await take_in(database, at=at, waste="粗大ごみの回収の申し込み", lost="カードの紛失")
    for number in range(40):
        early, late = at - DAY * (number % 10) - 3600, at + DAY * (number % 9) + 3600
        await said(
            database, f"c-a{number}", early, "粗大ごみの回収の申し込み" if number < 24 else "カードの紛失"
        )
        await said(
            database, f"c-b{number}", late, "粗大ごみの回収の申し込み" if number < 4 else "カードの紛失"
        )
    async with database.reading() as unit:
        searcher, index = await ready(unit, tmp_path)
        found = await effect_of(unit, searcher, index, "waste", at, 28, at + 10 * DAY)
        soon = await effect_of(unit, searcher, index, "waste", at, 28, at)
    assert (found.before, found.before_all, found.after, found.after_all) == (24, 40, 4, 40)
    assert found.verdict is Verdict.FELL
    assert soon.verdict is Verdict.TOO_FEW


# ---- wrong guidance -------------------------------------------------------------------------------


async def opened_case(database: Database, number: int) -> None:
    summary = CallSummary(
        call_id=CallId(f"c-{number}"), caller=f"0901234567{number}", line="card", language="ja", menu_path=(),
        operators=(OperatorId("101"),), started_at=1.0, ended_at=60.0,
    )  # fmt: skip
    async with database.uow() as unit:
        await unit.cases.add(open_case(summary))


async def test_everyone_who_was_told_a_wrong_version_is_called_back_once(database: Database) -> None:
    for number in range(1, 5):
        await opened_case(database, number)
    async with database.uow() as unit:
        for case_id, article, version, used_at in (
            ("i-1", "fee", 1, None), ("i-1", "fee", 1, 5.0), ("i-2", "fee", 1, None), ("i-3", "fee", 2, 5.0),
            ("i-4", "other", 1, 5.0), ("i-9", "fee", 1, 5.0),
        ):  # fmt: skip
            await unit.cases.add_faq(
                FaqUse(
                    case_id=case_id,
                    article=article,
                    version=version,
                    shown_at=4.0,
                    used_at=used_at,
                    by="受付",
                )
            )
    opened = []
    for _ in range(2):
        async with database.uow() as unit:
            opened.append(
                await recall(
                    unit, "fee", 1, question="手数料は", note="無料ではない", now=10.0, due_at=99.0, by="編集",
                    department="701",
                )
            )  # fmt: skip
    assert [(ticket.call, ticket.number, ticket.state) for ticket in opened[0]] == [
        ("c-2", "09012345672", TicketState.PROPOSED),
        ("c-1", "09012345671", TicketState.OPEN),
        (None, "", TicketState.OPEN),
    ]
    assert opened[1] == []
    first = opened[0][1]
    assert (first.kind, first.due_at, first.department) == (TicketKind.CALL_BACK, 99.0, "701")
    assert "無料ではない" in first.content
    async with database.reading() as unit:
        assert len(await unit.tickets.open()) == 3
