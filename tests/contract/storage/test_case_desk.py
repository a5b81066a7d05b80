"""What people do with cases, on every database: rights, the audit, requests, events, drafts, files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from core.clock import ManualClock
from core.errors import ToritsugiError
from core.ids import CallId, OperatorId
from interactions.access import Action, NotAllowed, Person, Role
from interactions.case import CallSummary, Case, CaseStatus, open_case
from interactions.case_csv import CsvInvalid
from interactions.case_edit import CaseConflict, Change
from interactions.profile import EventKind, WebhookSection
from interactions.search import CaseQuery, Facet
from services.alerting import NotTold
from services.case_desk import CaseDesk
from services.case_events import CaseEvents
from services.case_exchange import CaseExchange, Imported
from services.case_ports import EventState
from services.event_sender import BACK_OFF_S, EventSender, revived
from storage.database import Database

pytestmark = pytest.mark.contract

T0 = 1764000000.0
OWN = Person(name="青木", role=Role.OPERATOR, operator=OperatorId("101"))
OTHER = Person(name="石田", role=Role.OPERATOR, operator=OperatorId("102"))
CHIEF = Person(name="上田", role=Role.SUPERVISOR)
CITY = Person(name="佐藤", role=Role.CITY_STAFF, department="702")
BARE = WebhookSection(id="bare", url="https://example.jp/a")
FULL = WebhookSection(
    id="full", url="https://example.jp/b", events=(EventKind.CASE_CLOSED,), personal_data=True
)
EVENTS = CaseEvents([BARE, FULL], "matsusaka")


def case(number: int) -> Case:
    return open_case(
        CallSummary(
            call_id=CallId(f"c-{number}"), caller="09012345678", line="card", language="ja", menu_path=(),
            operators=(OperatorId("101"),), started_at=T0 + number, ended_at=T0 + number + 60,
        )
    )  # fmt: skip


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(T0 + 500)


@pytest.fixture
async def desk(database: Database, clock: ManualClock) -> CaseDesk:
    async with database.uow() as unit:
        for number in (1, 2, 3):
            await unit.cases.add(case(number))
    return CaseDesk(
        database.uow,
        clock,
        due_of=lambda at: at + 3600,
        categories=["card"],
        departments=["701", "702"],
        events=EVENTS,
    )


async def audited(database: Database) -> list[tuple[str, str, str, Mapping[str, object]]]:
    async with database.reading() as unit:
        return [(e.actor, e.action, e.subject, e.detail) for e in await unit.audit.between(0, 4e9)]


async def test_each_access_is_in_the_audit_and_a_refusal_too(database: Database, desk: CaseDesk) -> None:
    view = await desk.view(OWN, "i-1")
    assert view.case == case(1)
    assert view.may == {Action.VIEW, Action.EDIT, Action.NOTE, Action.HEAR, Action.SEE_NUMBER}
    assert await desk.numbers(OWN, "i-1") == {"c-1": "09012345678"}
    with pytest.raises(NotAllowed):
        await desk.numbers(OTHER, "i-1")
    with pytest.raises(NotAllowed):
        await desk.edit(OTHER, "i-1", Change(answer="x"), expected=1)
    with pytest.raises(NotAllowed):
        await desk.view(CITY, "i-1")
    await desk.recordings(CHIEF, "i-1")
    await desk.search(CHIEF, CaseQuery(words="再発行 09012345678"))
    lines = await audited(database)
    assert [(actor, action, bool(detail.get("refused"))) for actor, action, _, detail in lines] == [
        ("青木", "case.view", False),
        ("青木", "case.see_number", False),
        ("石田", "case.see_number", True),
        ("石田", "case.edit", True),
        ("佐藤", "case.view", True),
        ("上田", "case.hear", False),
        ("上田", "case.search", False),
    ]
    assert "09012345678" not in str(lines)
    with pytest.raises(ToritsugiError, match="ない応対"):
        await desk.view(OWN, "i-9")


async def test_a_saved_change_is_a_version_and_a_lost_one_is_refused(
    database: Database, desk: CaseDesk
) -> None:
    await desk.save_draft(OWN, "i-1", 1, {"answer": "窓口"})
    view = await desk.view(OWN, "i-1")
    assert view.draft is not None
    assert (view.draft.content, view.draft.base_version) == ({"answer": "窓口"}, 1)
    assert (await desk.view(CHIEF, "i-1")).draft is None
    first = await desk.edit(CHIEF, "i-1", Change(answer="郵送で", category="card"), expected=1)
    with pytest.raises(CaseConflict, match="上田が先に保存"):
        await desk.edit(OWN, "i-1", Change(answer="窓口へ"), expected=1)
    # What was being written is still there.
    assert await desk.draft(OWN, "i-1") is not None
    second = await desk.edit(OWN, "i-1", Change(answer="郵送か窓口で"), expected=first.version)
    assert await desk.draft(OWN, "i-1") is None
    versions = await desk.history(CHIEF, "i-1")
    assert [(each.version, each.by, each.record["answer"]) for each in versions] == [
        (1, "", ""),
        (2, "上田", "郵送で"),
        (3, "青木", "郵送か窓口で"),
    ]
    assert second.version == 3
    with pytest.raises(ToritsugiError, match="ない分類"):
        await desk.edit(OWN, "i-1", Change(category="x"), expected=3)
    edits = [detail for _, action, _, detail in await audited(database) if action == "case.edit"]
    assert edits[-1] == {"role": "operator", "version": 3, "fields": ["answer"]}
    assert "郵送" not in str(edits)


async def test_a_draft_and_a_faq_may_come_before_the_case(database: Database, desk: CaseDesk) -> None:
    await desk.save_draft(OWN, "i-7", 1, {"question": "書きながら"})
    await desk.faq(OWN, "i-7", "faq-3", 2)
    await desk.faq(OWN, "i-7", "faq-3", 2, used=True)
    async with database.uow() as unit:
        await unit.cases.add(case(7))
    view = await desk.view(OWN, "i-7")
    assert view.draft is not None
    assert [(use.article, use.version, use.used_at) for use in view.faqs] == [("faq-3", 2, T0 + 500)]
    with pytest.raises(NotAllowed):
        await desk.faq(Person(name="x", role=Role.AUDITOR), "i-7", "faq-3", 2)


async def test_flags_open_requests_to_the_city_once(database: Database, desk: CaseDesk) -> None:
    change = Change(
        question="待たされた",
        complaint=True,
        mistaken_guidance=True,
        status=CaseStatus.CALL_BACK,
        department="702",
    )
    after = await desk.edit(OWN, "i-1", change, expected=1)
    await desk.edit(OWN, "i-1", Change(complaint=False), expected=after.version)
    await desk.edit(OWN, "i-1", Change(complaint=True), expected=after.version + 1)
    async with database.reading() as unit:
        tickets = await unit.tickets.open()
    assert sorted(ticket.kind.value for ticket in tickets) == ["call_back", "complaint", "wrong_guidance"]
    assert {(t.content, t.department, t.call, t.number, t.due_at) for t in tickets} == {
        ("待たされた", "702", "c-1", "09012345678", T0 + 4100)
    }
    # The department now sees the case, and answers in the thread.
    note = await desk.note(CITY, "i-1", "折り返しました")
    assert (note.side, (await desk.view(OWN, "i-1")).notes) == ("city", (note,))


async def test_calls_of_one_matter_join_and_split_with_their_history(
    database: Database, desk: CaseDesk
) -> None:
    await desk.edit(OWN, "i-2", Change(question="日の変更"), expected=1)
    await desk.note(OWN, "i-2", "急ぎ")
    await desk.faq(OWN, "i-2", "faq-1", 1, used=True)
    await desk.join(CHIEF, "i-1", "i-2")
    target = await desk.join(CHIEF, "i-1", "i-3")
    assert [call.call_id for call in target.calls] == ["c-1", "c-2", "c-3"]
    view = await desk.view(CHIEF, "i-1")
    assert (view.joined, [note.text for note in view.notes]) == (("i-2", "i-3"), ["急ぎ"])
    assert [use.article for use in view.faqs] == ["faq-1"]
    with pytest.raises(ToritsugiError, match="i-1 にまとめられています"):
        await desk.edit(CHIEF, "i-2", Change(answer="x"), expected=3)
    stay, new = await desk.split(CHIEF, "i-1", [CallId("c-2"), CallId("c-3")])
    assert ([c.call_id for c in stay.calls], [c.call_id for c in new.calls]) == (["c-1"], ["c-2", "c-3"])
    assert (new.case_id, new.question, new.joined_into) == ("i-2", "日の変更", None)
    assert (await desk.view(CHIEF, "i-2")).joined == ("i-3",)
    found = await desk.search(CHIEF, CaseQuery())
    assert [each.case_id for each in found.cases] == ["i-2", "i-1"]
    with pytest.raises(NotAllowed):
        await desk.join(OTHER, "i-1", "i-2")
    calls = [version.record["calls"] for version in await desk.history(CHIEF, "i-1")]
    assert calls == [["c-1"], ["c-1", "c-2"], ["c-1", "c-2", "c-3"], ["c-1"]]


async def test_a_search_ends_where_the_rights_end(desk: CaseDesk) -> None:
    await desk.edit(OWN, "i-1", Change(question="秘密の件", confidential=True), expected=1)
    await desk.edit(OWN, "i-2", Change(question="公の件", department="702"), expected=1)
    for person, ids in ((OWN, ["i-2", "i-1"]), (OTHER, ["i-2"]), (CITY, ["i-2"]), (CHIEF, ["i-2", "i-1"])):
        found = await desk.search(person, CaseQuery(words="件"))
        assert [each.case_id for each in found.cases] == ids, person.name
        assert found.counts is not None
        assert found.counts.total == len(ids)
    with pytest.raises(NotAllowed):
        await desk.search(Person(name="x", role=Role.SYSTEM_ADMIN), CaseQuery())
    by_number = await desk.search(OTHER, CaseQuery(number="09012345678"))
    assert [each.case_id for each in by_number.cases] == ["i-3", "i-2"]
    assert (await desk.search(CHIEF, CaseQuery(number="09012345679"))).cases == ()
    with pytest.raises(NotAllowed):
        await desk.search(Person(name="x", role=Role.AUDITOR), CaseQuery(number="09012345678"))
    only = await desk.search(CHIEF, CaseQuery(values={Facet.FLAG: ["confidential"]}))
    assert [each.case_id for each in only.cases] == ["i-1"]


class Post:
    """A receiver that refuses as long as it is told to."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, Mapping[str, object]]] = []
        self.refuses = False

    async def post(self, endpoint: WebhookSection, event: Mapping[str, object]) -> None:
        if self.refuses:
            raise NotTold("answered 500")
        self.taken.append((endpoint.id, event))


async def test_other_systems_are_told_what_their_profile_says(
    database: Database, desk: CaseDesk, clock: ManualClock
) -> None:
    after = await desk.edit(
        OWN, "i-1", Change(question="再発行", answer="窓口へ", tags=("急ぎ",)), expected=1
    )
    await desk.edit(OWN, "i-1", Change(status=CaseStatus.DONE), expected=after.version)
    post = Post()
    sender = EventSender(database.uow, database.reading, clock, post, {"bare": BARE, "full": FULL})
    assert await sender.send_due() == 4
    kinds = [(endpoint, event["kind"]) for endpoint, event in post.taken]
    assert sorted(kinds) == [
        ("bare", "case.closed"), ("bare", "case.updated"), ("bare", "case.updated"), ("full", "case.closed"),
    ]  # fmt: skip
    for endpoint, event in post.taken:
        personal = any(each in str(event) for each in ("09012345678", "窓口へ", "急ぎ", "青木"))
        assert personal is (endpoint == "full")
    assert len({str(event["event_id"]) for _, event in post.taken}) == 4
    assert await sender.send_due() == 0
    async with database.reading() as unit:
        assert [event.body for event in await unit.outbox.listed([EventState.SENT], 9)] == [{}] * 4


async def test_an_event_that_cannot_be_sent_keeps_back_no_other(
    database: Database, desk: CaseDesk, clock: ManualClock
) -> None:
    class Half(Post):
        async def post(self, endpoint: WebhookSection, event: Mapping[str, object]) -> None:
            if endpoint.id == "bare":
                raise PermissionError("the secret cannot be read")
            await super().post(endpoint, event)

    after = await desk.edit(OWN, "i-1", Change(question="再発行", answer="窓口へ"), expected=1)
    await desk.edit(OWN, "i-1", Change(status=CaseStatus.DONE), expected=after.version)
    post = Half()
    sender = EventSender(database.uow, database.reading, clock, post, {"bare": BARE, "full": FULL})
    await sender.send_due()
    assert await sender.send_due() == 0, "what failed waits, what was told is not told again"
    assert [endpoint for endpoint, _ in post.taken] == ["full"]
    async with database.reading() as unit:
        waiting = await unit.outbox.listed([EventState.WAITING], 9)
    assert {event.error for event in waiting} == {"PermissionError"}


async def test_a_change_that_is_undone_tells_nobody(database: Database, desk: CaseDesk) -> None:
    with pytest.raises(ToritsugiError):
        await desk.edit(OWN, "i-1", Change(status=CaseStatus.DONE), expected=1)
    async with database.reading() as unit:
        assert await unit.outbox.due(4e9, 9) == []
        assert await unit.cases.versions("i-1") == []


async def test_an_event_is_tried_later_and_later_then_given_up_and_revived(
    database: Database, desk: CaseDesk, clock: ManualClock
) -> None:
    await desk.edit(OWN, "i-1", Change(question="再発行"), expected=1)
    post = Post()
    post.refuses = True
    sender = EventSender(database.uow, database.reading, clock, post, {"bare": BARE, "full": FULL})
    for number, pause in enumerate(BACK_OFF_S, start=1):
        assert await sender.send_due() == 1
        async with database.reading() as unit:
            (waiting,) = await unit.outbox.due(4e9, 9)
        assert (waiting.tries, waiting.error) == (number, "answered 500")
        clock.advance(pause - 0.5)
        assert await sender.send_due() == 0
        clock.advance(0.5)
    await sender.send_due()
    async with database.reading() as unit:
        (dead,) = await unit.outbox.listed([EventState.DEAD], 9)
    assert (dead.tries, dead.body["kind"]) == (len(BACK_OFF_S) + 1, "case.updated")
    post.refuses = False
    async with database.uow() as unit:
        await unit.outbox.put(revived(dead, clock.epoch()))
    assert await sender.send_due() == 1
    assert len(post.taken) == 1
    gone = EventSender(database.uow, database.reading, clock, post, {})
    await desk.edit(OWN, "i-1", Change(question="再交付"), expected=2)
    await gone.send_due()
    async with database.reading() as unit:
        (lost,) = await unit.outbox.listed([EventState.DEAD], 9)
    assert "プロファイルにない" in lost.error


async def text_of(
    exchange: CaseExchange, person: Person, format_: str = "csv", *, numbers: bool = False
) -> str:
    return "".join([piece async for piece in exchange.export(person, format_, 0.0, 4e9, numbers=numbers)])


async def test_a_file_goes_out_and_comes_back(database: Database, desk: CaseDesk, clock: ManualClock) -> None:
    exchange = CaseExchange(database.uow, database.reading, clock, categories=["card"], events=EVENTS)
    await desk.edit(OWN, "i-1", Change(question="080-1111-2222 へ", confidential=True), expected=1)
    text = await text_of(exchange, CHIEF)
    assert "1111" not in text
    assert "1111" in await text_of(exchange, CHIEF, "jsonl", numbers=True)
    with pytest.raises(NotAllowed):
        await text_of(exchange, OWN)
    with pytest.raises(NotAllowed):
        await text_of(exchange, Person(name="x", role=Role.AUDITOR), numbers=True)
    assert (await text_of(exchange, Person(name="x", role=Role.AUDITOR))).count("\r\n") == 3

    assert await exchange.take_in(CHIEF, text.encode(), "a.csv") == Imported(same=3)
    # What was masked when it went out is not what was written.
    assert (await desk.view(CHIEF, "i-1")).case.question == "080-1111-2222 へ"
    lines = text.split("\r\n")
    changed = lines[2].replace(",対応中,", ",折り返し待ち,")
    new = "i-50" + lines[3].removeprefix("i-3").replace("c-3", "c-50")
    done = await exchange.take_in(CHIEF, "\r\n".join([lines[0], changed, new]).encode(), "b.csv")
    assert done == Imported(created=1, changed=1)
    assert (await desk.view(CHIEF, "i-2")).case.status is CaseStatus.CALL_BACK
    made = (await desk.view(CHIEF, "i-50")).case
    assert (made.version, made.first.call_id, made.started_at) == (1, "c-50", T0 + 3)
    actions = [action for _, action, _, _ in await audited(database)]
    assert actions.count("case.export") == actions.count("case.exported") == 3
    assert actions.count("case.import") == 2


async def test_of_a_file_with_a_bad_row_nothing_is_taken_in(
    database: Database, desk: CaseDesk, clock: ManualClock
) -> None:
    exchange = CaseExchange(database.uow, database.reading, clock, categories=["card"])
    text = await text_of(exchange, CHIEF)
    await desk.edit(OWN, "i-3", Change(answer="済み"), expected=1)
    head, first, second, third, _ = text.split("\r\n")
    edited = [each.replace(",対応中,", ",エスカレーション中,") for each in (first, third)]
    stolen = second.replace("i-2,1,", "i-60,,")
    with pytest.raises(CsvInvalid) as found:
        await exchange.take_in(CHIEF, "\r\n".join([head, *edited, stolen]).encode(), "c.csv")
    assert [problem.partition(":")[0] for problem in found.value.problems] == ["3 行", "4 行"]
    assert "青木が先に保存" in found.value.problems[0]
    assert "c-2 は i-2 のもの" in found.value.problems[1]
    assert (await desk.view(CHIEF, "i-1")).case == case(1)
    with pytest.raises(ToritsugiError, match="ない応対"):
        await desk.view(CHIEF, "i-60")


async def test_retention_takes_a_number_out_of_all_that_hangs_on_a_case(
    database: Database, desk: CaseDesk
) -> None:
    from services.retention import Retention

    number = "090-1234-5678"
    await desk.edit(OWN, "i-1", Change(question=f"{number} へ", tags=("x",)), expected=1)
    await desk.note(OWN, "i-1", f"{number} は留守")
    await desk.save_draft(OWN, "i-1", 2, {"answer": f"{number} に"})
    retention = Retention(
        database.reading, database.uow, node="n1", city_numbers=(), remove_recording=lambda path: False
    )
    async with database.uow() as unit:
        found = await unit.cases.of_call(CallId("c-1"))
        assert found is not None
        await retention._erase_texts(unit, CallId("c-1"), None)
    view = await desk.view(OWN, "i-1")
    left = str((view, await desk.history(OWN, "i-1")))
    assert "1234-5678" not in left
    assert "留守" in left
    assert view.case.first.caller is None
    assert [each.case_id for each in (await desk.search(OWN, CaseQuery(words="1234"))).cases] == []
    assert replace(view.case.first, caller="09012345678") == case(1).first
