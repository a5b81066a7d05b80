"""A run of retention on every database: what is deleted, what stays, and that no number is left anywhere."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from ledger_stories import CALL, T0, Teller, answered_call
from sqlalchemy import select

from acd.events import ExplainOffer
from core.clock import ManualClock
from core.ids import CallId, OperatorId, QueueName
from core.phone import Caller, CallerKind
from core.traces import ERASED
from interactions.case import TranscriptState
from interactions.profile import RetentionSection
from ledger import facts as f
from ledger.calls import Disposition
from ledger.fold import fold_call
from services.cases import CaseKeeper, attach_transcript
from services.ports import AuditEntry, JobState, RecordingFile, Transcript
from services.retention import DAY_S, CutOffs, Retention, cut_offs
from services.speech_ports import CallInsight, QualityCheck
from storage.database import Database
from storage.rows import metadata

pytestmark = pytest.mark.contract

NUMBER = "09012345678"
OTHER = "08055556666"
DAYS = RetentionSection(recordings=90, transcripts=120, calls=1000, caller_numbers=365)
OFFER = ExplainOffer(
    at=T0, operator=OperatorId("101"), queue=QueueName("card-ja"), caller="PJSIP/trunk-00000001", call=CALL,
    waited_s=1.0, version=1, wanted=1, ranking=(), deviation="",
)  # fmt: skip
LATER = "n1-1764432000.9"


class Files:
    """The recordings' folder."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = set(names)

    def remove(self, path: str) -> bool:
        name = path.rpartition("/")[2]
        there = name in self.names
        self.names.discard(name)
        return there


def later_call() -> Teller:
    """Five days after the other, from another number, about the same matter."""
    teller = Teller(LATER, "PJSIP/trunk-00000009", start=5 * DAY_S)
    teller.arrived(caller=Caller(CallerKind.NUMBER, OTHER)).joined(10).connected(20).parted(60)
    return teller.hung_up(61)


def refused() -> Teller:
    teller = Teller(start=100)
    return teller.cel(f.CallRefused, 0, call=None, to="09077778888", why="not_allowed", sip_call_id="r@h")


async def fill(database: Database) -> Files:
    """Two answered calls in one case, with recordings, texts and notes; a refused one; a callback."""
    booked = Teller("n1-1764000300.5", start=300).arrived(diverted_from="0598999999")
    booked.cel(f.CallbackBooked, 20, to="09033334444").hung_up(25)
    tellers = [answered_call(), later_call(), booked, refused()]
    keeper = CaseKeeper(ManualClock(T0))
    async with database.uow() as unit:
        for teller in tellers:
            await unit.facts.add(teller.facts)
            call = fold_call([fact for fact in teller.facts if fact.call is not None])
            if call is not None:
                await unit.calls.put([call])
                await keeper.after_fold(unit, [call])
        for base, at in ((str(CALL), T0), (f"c-{LATER}", T0 + 5 * DAY_S)):
            for side in ("citizen", "line"):
                await unit.recordings.put(
                    RecordingFile(
                        base=base, side=side, call_id=CallId(base), path=f"/r/{base}-{side}.wav",
                        state="closed", bytes=100, duration_s=60.0, started_at=at,
                    )
                )  # fmt: skip
    for call_id, said in ((CALL, "090-1234-5678 です"), (CallId(f"c-{LATER}"), "はい")):
        words = [{"start_s": 0.0, "end_s": 2.0, "text": said, "confidence": 0.9}]
        segments = [{"start_s": 0.0, "end_s": 2.0, "text": said, "confidence": 0.9, "words": words}]
        text = Transcript(
            call_id=call_id, side="citizen", text=said, segments=segments, engine="v",
            made_at=T0 + 10 * DAY_S,
        )  # fmt: skip
        await attach_transcript(database.uow, call_id, [text], JobState.DONE, now=T0 + 100)
    async with database.uow() as unit:
        for at, of in ((T0, CALL), (T0 + 1.0, CALL), (T0 + 5 * DAY_S, CallId(f"c-{LATER}"))):
            await unit.offers.add([replace(OFFER, at=at, call=of)])
            await unit.audit.add(
                AuditEntry(at=at, actor="a", action="operator.skills", subject="101", detail={"after": {}})
            )
        told = {"summary": [{"side": "citizen", "text": "090-1234-5678 です"}]}
        await unit.insights.put(CallInsight(call_id=CALL, made_at=T0, method="m", record=told))
        await unit.quality.put(
            QualityCheck(call_id=CALL, at=T0, operator="101", line="card", score=None, record=told)
        )
        case = await unit.cases.of_call(CALL)
        assert case is not None
        await unit.cases.put(replace(case, question="０９０ー１２３４ー５６７８ に折り返す"))
    return Files(f"c-{base}-{side}.wav" for base in (CALL[2:], LATER) for side in ("citizen", "line"))


def retention(database: Database, files: Files, batch: int = 1) -> Retention:
    return Retention(
        database.reading, database.uow, node="n1", city_numbers=["0598000000"],
        remove_recording=files.remove, batch=batch,
    )  # fmt: skip


def after(days: float) -> CutOffs:
    return cut_offs(DAYS, T0 + days * DAY_S)


async def everything(database: Database) -> str:
    """Every column of every table as text."""
    found = []
    async with database.engine.connect() as connection:
        for table in metadata.tables.values():
            for row in await connection.execute(select(table)):
                found.append(f"{table.name}: {tuple(row)!r}")
    return "\n".join(found)


async def rows_of(database: Database) -> dict[str, int]:
    async with database.engine.connect() as connection:
        return {
            table.name: len((await connection.execute(select(table))).all())
            for table in metadata.tables.values()
        }


async def test_before_its_time_nothing_goes(database: Database) -> None:
    files = await fill(database)
    before = await everything(database)
    counts = await retention(database, files).run(after(89))
    assert set(counts.values()) == {0}
    assert await everything(database) == before
    assert len(files.names) == 4


async def test_recordings_go_with_their_rows_first(database: Database) -> None:
    files = await fill(database)
    counts = await retention(database, files).run(after(91))
    assert counts["recordings"] == 2
    assert files.names == {f"c-{LATER}-citizen.wav", f"c-{LATER}-line.wav"}
    assert (await rows_of(database))["recording"] == 2
    assert (await rows_of(database))["transcript"] == 2


async def test_recordings_of_another_machine_are_left_to_it(database: Database) -> None:
    files = Files(["c-n10-1764000000.1-line.wav"])
    async with database.uow() as unit:
        await unit.recordings.put(
            RecordingFile(
                base="c-n10-1764000000.1", side="line", call_id=CallId("c-n10-1764000000.1"),
                path="/r/c-n10-1764000000.1-line.wav", state="closed", started_at=T0,
            )
        )  # fmt: skip
    counts = await retention(database, files).run(after(91))
    assert counts["recordings"] == 0
    assert files.names == {"c-n10-1764000000.1-line.wav"}


async def test_a_case_no_longer_promises_a_text_that_is_gone(database: Database) -> None:
    files = await fill(database)
    await retention(database, files).run(after(121))
    async with database.reading() as unit:
        assert await unit.transcripts.of_call(CALL) == []
        assert await unit.jobs.get(CALL) is None
        first, second = await unit.cases.of_call(CALL), await unit.cases.of_call(CallId(f"c-{LATER}"))
    assert first is not None
    assert second is not None
    assert (first.transcript, second.transcript) == (TranscriptState.NONE, TranscriptState.READY)


async def test_numbers_are_erased_and_the_call_stays(database: Database) -> None:
    files = await fill(database)
    # Texts that live longer than numbers lose them too.
    cut = replace(after(366), transcripts=0.0)
    counts = await retention(database, files).run(cut)
    assert counts["caller_numbers"] == 2
    left = await everything(database)
    for number in (NUMBER, "1234-5678", "５６７８", "09077778888", "09033334444", "0598999999"):
        assert number not in left, number
    assert OTHER in left
    async with database.reading() as unit:
        call = (await unit.calls.get([CALL]))[CALL]
        case = await unit.cases.of_call(CALL)
        text = await unit.transcripts.of_call(CALL)
        later = (await unit.calls.get([CallId(f"c-{LATER}")]))[CallId(f"c-{LATER}")]
    assert call.caller == Caller(CallerKind.NUMBER)
    assert call.talk_s == pytest.approx(60)
    assert (call.disposition, call.operators) == (Disposition.ANSWERED, (OperatorId("101"),))
    assert case is not None
    assert case.question == f"{ERASED} に折り返す"
    assert case.first.caller is None
    assert text[0].text == f"{ERASED} です"
    assert later.caller == Caller(CallerKind.NUMBER, OTHER)


async def test_an_erased_number_does_not_come_back(database: Database) -> None:
    """The same lines read again, and the call folded again from its facts."""
    files = await fill(database)
    await retention(database, files, batch=50).run(after(366))
    async with database.uow() as unit:
        await unit.facts.add(answered_call().facts)
        call = fold_call(await unit.facts.of_calls([CALL]))
        assert call is not None
        await unit.calls.put([call])
    assert NUMBER not in await everything(database)
    assert await retention(database, files).due(after(366)) == await retention(database, files).run(
        after(366)
    )


async def test_calls_go_with_everything_that_hangs_on_them(database: Database) -> None:
    files = await fill(database)
    await retention(database, files).run(after(1001))
    rows = await rows_of(database)
    async with database.reading() as unit:
        assert await unit.cases.of_call(CALL) is None
        assert await unit.cases.of_call(CallId(f"c-{LATER}")) is not None
        assert [call.call_id for call in await unit.calls.between(0, 2 * T0)] == [f"c-{LATER}"]
    assert rows["interaction"] == rows["interaction_call"] == rows["call"] == 1
    facts = await everything(database)
    assert "1764000000.1" not in facts
    await retention(database, files).run(after(1006))
    left = {name: count for name, count in (await rows_of(database)).items() if count}
    assert set(left) == {"audit_chain", "search_term", "setting"}


async def test_reasons_of_offers_and_changes_live_as_long_as_calls(database: Database) -> None:
    files = await fill(database)
    assert (await retention(database, files).run(after(999)))["floor_records"] == 0
    assert (await retention(database, files, batch=3).run(after(1001)))["floor_records"] == 4
    rows = await rows_of(database)
    assert (rows["offer"], rows["audit"]) == (1, 1)


async def test_a_case_that_spans_calls_goes_with_its_last(database: Database) -> None:
    files = await fill(database)
    async with database.uow() as unit:
        first, second = await unit.cases.of_call(CALL), await unit.cases.of_call(CallId(f"c-{LATER}"))
        assert first is not None
        assert second is not None
        await unit.cases.put(replace(first, calls=first.calls + second.calls))
    await retention(database, files).run(after(1001))
    async with database.reading() as unit:
        left = await unit.cases.of_call(CallId(f"c-{LATER}"))
    assert left is not None
    assert [each.call_id for each in left.calls] == [f"c-{LATER}"]


@pytest.mark.parametrize("days", [50, 91, 121, 366, 1001, 1006])
async def test_the_dry_run_counts_what_the_run_does(database: Database, days: int) -> None:
    files = await fill(database)
    before, names = await everything(database), set(files.names)
    due = await retention(database, files).due(after(days))
    assert (await everything(database), files.names) == (before, names)
    assert await retention(database, files, batch=3).run(after(days)) == due


async def test_a_run_cut_short_is_finished_by_the_next(database: Database) -> None:
    class Unplugged(Exception):
        pass

    files = await fill(database)

    def remove(path: str) -> bool:
        files.remove(path)
        raise Unplugged

    broken = Retention(
        database.reading, database.uow, node="n1", city_numbers=(), remove_recording=remove, batch=1
    )
    with pytest.raises(Unplugged):
        await broken.run(after(366))
    await retention(database, files).run(after(366))
    assert not files.names
    assert (await rows_of(database))["recording"] == 0
    assert NUMBER not in await everything(database)
