"""What was understood of a call is stored with its transcript, a supervisor's word outlives a new transcript."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from ledger_stories import CALL, T0, answered_call

from core.errors import ToritsugiError
from interactions.case import case_id_of, open_case
from interactions.search import CaseQuery, Facet, sought_of
from interactions.search_words import PLAIN
from ledger.fold import fold_call
from services.cases import attach_transcript, summary_of
from services.ports import JobState, UnitOfWork
from services.understanding import check_row, keep_understanding, overrule
from speech.insight import METHOD
from speech.jobs import JobState as Heard
from speech.quality_profile import QualitySection
from speech.transcript import Transcript, TranscriptSegment
from storage.database import Database

pytestmark = pytest.mark.contract

SAID = [
    ("line", "お電話ありがとうございます、コールセンターの佐藤でございます"),
    ("citizen", "カードの受け取りの予約をお願いしたいんですけど"),
    ("line", "受け取りのご予約ですね"),
    ("citizen", "土曜日は空いていますか"),
]
HEARD = Transcript(
    base=str(CALL), language="ja", state=Heard.DONE, holds=((30.0, 300.0),),
    segments=tuple(
        TranscriptSegment(side=side, start_s=5.0 * n, end_s=5.0 * n + 4.0, text=text, kana="", confidence=0.9)
        for n, (side, text) in enumerate(SAID)
    ),
)  # fmt: skip


async def keep(database: Database, heard: Transcript = HEARD) -> None:
    async def also(unit: UnitOfWork) -> None:
        await keep_understanding(unit, CALL, heard, QualitySection(), T0 + 100)

    await attach_transcript(database.uow, CALL, [], JobState.DONE, now=T0 + 100, also=also)


async def test_summary_tags_questions_and_quality_are_kept(database: Database) -> None:
    call = fold_call(answered_call().facts)
    assert call is not None
    async with database.uow() as unit:
        await unit.calls.put([call])
    await keep(database)
    async with database.reading() as unit:
        insight = (await unit.insights.of_calls([CALL]))[CALL]
        checks = await unit.quality.between(call.arrived_at, call.arrived_at + 1)
    assert insight.method == METHOD
    assert [each["text"] for each in insight.record["questions"]] == ["土曜日は空いていますか"]
    assert {tag["tag"] for tag in insight.record["tags"]} == {"booking", "pickup"}
    (check,) = checks
    assert (check.operator, check.line) == (str(call.operators[0]), str(call.line))
    assert check_row(check, items=False)["missed"] == ["closing", "hold"]
    assert check.score is not None
    assert 0 < check.score < 100


async def test_a_case_is_found_by_what_its_transcript_is_about(database: Database) -> None:
    call = fold_call(answered_call().facts)
    assert call is not None
    async with database.uow() as unit:
        await unit.cases.add(open_case(summary_of(call)))
    await keep(database)

    async def found(tag: str) -> tuple[tuple[str, ...], Mapping[str, int]]:
        query = CaseQuery(values={Facet.AUTO_TAG: [tag]})
        async with database.reading() as unit:
            hits = await unit.cases.index.search(query, sought_of(query, None, PLAIN), counts=True)
        assert hits.counts is not None
        return hits.case_ids, hits.counts.values[Facet.AUTO_TAG]

    assert await found("pickup") == ((case_id_of(CALL),), {"booking": 1, "pickup": 1})
    assert await found("lost") == ((), {})
    async with database.uow() as unit:
        await unit.retention.drop_transcripts([CALL])
        await unit.cases.reindex([case_id_of(CALL)])  # as `services.retention` does
    assert await found("pickup") == ((), {})


async def test_a_supervisor_s_word_is_audited_and_stays(database: Database) -> None:
    await keep(database)
    async with database.uow() as unit:
        before = await unit.quality.get(CALL)
        after = await overrule(unit, CALL, "hold", True, by="佐藤", reason="資料を探していた", now=T0 + 200)
    assert before is not None
    assert before.score is not None
    assert after.score is not None
    assert after.score > before.score
    await keep(database, replace(HEARD, holds=((30.0, 400.0),)))
    async with database.reading() as unit:
        again = await unit.quality.get(CALL)
        audit = await unit.audit.between(T0, T0 + 300)
    assert again is not None
    assert again.score == after.score
    (entry,) = audit
    assert (entry.actor, entry.action, entry.subject) == ("佐藤", "quality.overrule", CALL)
    assert entry.detail["before"] is False
    for item, reason in (("nothing", "x"), ("hold", " ")):
        with pytest.raises(ToritsugiError):
            async with database.uow() as unit:
                await overrule(unit, CALL, item, True, by="x", reason=reason, now=T0)


@pytest.mark.parametrize(
    "heard", [replace(HEARD, language="en"), replace(HEARD, state=Heard.EMPTY, segments=())]
)
async def test_what_cannot_be_understood_leaves_no_record(database: Database, heard: Transcript) -> None:
    await keep(database, heard)
    async with database.reading() as unit:
        assert await unit.insights.of_calls([CALL]) == {}
        assert await unit.quality.get(CALL) is None


async def test_they_go_with_the_transcript(database: Database) -> None:
    await keep(database)
    async with database.uow() as unit:
        await unit.retention.drop_transcripts([CALL])
        assert await unit.insights.of_calls([CALL]) == {}
        assert await unit.quality.get(CALL) is None
