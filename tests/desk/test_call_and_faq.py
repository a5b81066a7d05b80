"""Beside a call: what may be done with it now, and the knowledge base with what was told."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from desk_world import BASE, FAQ, World, present_calls, seat
from engine_at_hand import CALL, HAND, Engine
from signing_in import SignedIn

from acd.command_rules import possible_now
from acd.commands import Act, Asked, Hand
from core.clock import TOKYO
from core.ids import OperatorId
from desk.places import places_of
from interactions.case import case_id_of
from runtime.control_port import hand_of_record, record_of

pytestmark = pytest.mark.desk


@pytest.mark.parametrize("asked", list(Asked))
def test_what_can_be_done_follows_the_question(asked: Asked) -> None:
    may = possible_now(replace(HAND, asked=asked))
    answered = asked in (Asked.TALKING, Asked.HELD)
    assert (Act.TRANSFER in may, Act.CONSULT in may) == (asked is Asked.NO, asked is Asked.NO)
    assert {act for act in (Act.COMPLETE, Act.JOIN, Act.SWAP) if act in may} == (
        {Act.COMPLETE, Act.JOIN, Act.SWAP} if answered else set()
    )
    assert (Act.RETURN in may) == (answered or asked is Asked.RINGING)
    assert (Act.HANG_UP in may) == (asked in (Asked.NO, Asked.TOGETHER))
    assert Act.PAUSE_RECORDING in may
    assert not possible_now(replace(HAND, state="wrapup"))
    assert not possible_now(replace(HAND, by_telephone=True))


@pytest.mark.parametrize(
    "hand",
    [
        replace(HAND, muted=True, relay=True, warned=2, after="out", watchers=frozenset({OperatorId("900")})),
        Hand(operator=OperatorId("101"), state="ready"),
    ],
)
def test_a_hand_comes_back_from_the_wire(hand: Hand) -> None:
    from acd.commands import Answer, Outcome

    told = record_of(Answer(outcome=Outcome.DONE, text="", hand=hand))["hand"]
    assert hand_of_record(told) == hand


def test_the_directory_says_who_is_there(world: World) -> None:
    profile, call = world.profile, present_calls()[0]
    morning = {
        place.extension: place for place in places_of(profile, call, datetime.fromtimestamp(BASE, TOKYO))
    }
    assert morning["701"].here == "受付中（17:15 まで）"
    assert morning["701"].there
    night = datetime(2026, 11, 27, 19, 0, tzinfo=TOKYO)
    evening = {place.extension: place for place in places_of(profile, call, night)}
    assert evening["702"].here == "受付時間外（次は 11月30日 09:00 から）"
    assert not evening["702"].there
    other = replace(call, line="portal")
    others = {
        place.extension: place for place in places_of(profile, other, datetime.fromtimestamp(BASE, TOKYO))
    }
    assert (others["701"].here, others["701"].there) == ("この回線の電話は受けません", False)
    assert others["702"].there


async def test_a_call_is_done_with_over_the_engines_socket(
    world: World, signed_in: SignedIn, engine: Engine
) -> None:
    session = await signed_in("aoki")
    done = await session.post("/desk/call/act", json={"do": "consult:701"})
    assert (done.status, (await done.json())["text"]) == (200, "相談先を呼び出しています。")
    early = await session.post("/desk/call/act", json={"do": "complete"})
    assert early.status == 422
    assert (await early.json())["error"]["message"] == "相手がまだ出ていません"
    engine.hand = replace(engine.hand, asked=Asked.TALKING)
    plain = await session.post("/desk/call", data={"do": "complete"}, allow_redirects=False)
    assert (plain.status, plain.headers["Location"]) == (303, "/desk?done=call")
    assert engine.asked == [(Act.CONSULT, "701"), (Act.COMPLETE, "")]
    for wrong in ("take_over", "transfer", "transfer:../1", "end", "listen"):
        assert (await session.post("/desk/call/act", json={"do": wrong})).status == 422
    assert len(engine.asked) == 2


async def test_the_page_offers_what_can_be_done_and_nothing_else(
    world: World, signed_in: SignedIn, engine: Engine
) -> None:
    session = await signed_in("aoki")

    async def offered() -> set[str]:
        text = await (await session.get("/desk")).text()
        return {part.split('"')[0] for part in text.split('name="do" value="')[1:]}

    assert await offered() == set(), "nothing is known yet"
    user = (await world.desk.sign_in.session_of(_cookie(session, world)))[1]  # type: ignore[index]
    await world.desk.hands.renew(user, OperatorId("101"))
    found = await offered()
    assert {"consult:701", "transfer:701", "pause_recording", "warn", "mark_relay", "hang_up"} <= found
    assert not found & {"complete", "join", "swap", "return", "resume_recording"}
    engine.hand = replace(engine.hand, asked=Asked.TALKING, muted=True, warned=2, relay=True)
    await world.desk.hands.renew(user, OperatorId("101"))
    assert await offered() == {"complete", "join", "swap", "return", "resume_recording"}
    world.tell(seats=[seat("101", "wrapup", world.clock.epoch())])
    await world.desk.hub.look()
    assert await offered() == set()


def _cookie(session, world: World) -> str:  # type: ignore[no-untyped-def]
    from yarl import URL

    return str(session.cookie_jar.filter_cookies(URL(world.origin))["toritsugi"].value)


async def test_nobody_elses_call_is_touched(world: World, signed_in: SignedIn) -> None:
    session = await signed_in("kantoku")
    answer = await session.post("/desk/call/act", json={"do": "hang_up"})
    assert answer.status == 403, "no telephone of one's own"


# ---- the knowledge base ---------------------------------------------------------------------------


async def test_a_search_is_logged_when_it_has_settled_with_what_came_of_it(
    world: World, signed_in: SignedIn
) -> None:
    session = await signed_in("aoki")
    live = await session.post("/desk/faq/search", json={"words": "申請", "call": CALL})
    assert f'data-open="{FAQ}"' in await live.text()
    assert await _searches(world) == []
    words = {"words": "カードの申請 090-1234-5678", "call": CALL, "settled": True}
    settled = await (await session.post("/desk/faq/search", json=words)).text()
    number = int(settled.split('data-search="')[1].split('"')[0])
    read = await session.post(f"/desk/faq/entries/{FAQ}/open", json={"call": CALL, "search": number})
    text = await read.text()
    assert "四つの方法で申請できます" in text
    assert "案内した" in text
    told = await session.post(
        f"/desk/faq/entries/{FAQ}/told", json={"call": CALL, "version": 1, "search": number}
    )
    assert told.status == 200
    (entry,) = await _searches(world)
    assert (entry.actor, entry.call, entry.clicked, entry.used) == ("aoki", CALL, (FAQ,), (FAQ,))
    assert "5678" not in entry.words
    async with world.database.reading() as unit:
        (use,) = (await unit.cases.faqs([case_id_of(CALL)]))[case_id_of(CALL)]
    assert (use.article, use.version, use.by, use.used_at is not None) == (FAQ, 1, "aoki", True)
    again = await session.post(f"/desk/faq/entries/{FAQ}/open", json={"call": CALL})
    assert "案内済み" in await again.text()


async def test_a_search_in_vain_is_logged_too(world: World, signed_in: SignedIn) -> None:
    session = await signed_in("aoki")
    answer = await session.post("/desk/faq/search", json={"words": "ξψω", "settled": True})
    assert "見つかりませんでした" in await answer.text()
    (entry,) = await _searches(world)
    assert entry.found == ()


async def test_what_is_typed_and_what_was_said_bring_suggestions(world: World, signed_in: SignedIn) -> None:
    session = await signed_in("aoki")
    words = "マイナンバーカードを申請したい。申請書をなくしました。"
    typed = await (await session.post("/desk/faq/suggest", json={"words": words, "call": CALL})).text()
    assert "data-open=" in typed
    assert "<small>「" in typed
    nothing = await (await session.post("/desk/faq/suggest", json={"words": "はい。", "call": CALL})).text()
    assert "data-open=" not in nothing


async def test_only_ones_own_call_and_a_version_that_was_in_force(world: World, signed_in: SignedIn) -> None:
    session, other = await signed_in("aoki"), await signed_in("ishikawa")
    wrong = await session.post(f"/desk/faq/entries/{FAQ}/told", json={"call": CALL, "version": 2})
    assert wrong.status == 422
    assert (await session.post("/desk/faq/entries/none/open", json={})).status == 404
    for address, body in (
        (f"/desk/faq/entries/{FAQ}/told", {"call": CALL, "version": 1}),
        (f"/desk/faq/entries/{FAQ}/open", {"call": CALL}),
        ("/desk/faq/suggest", {"words": "申請", "call": CALL}),
        ("/desk/faq/search", {"words": "申請", "call": CALL}),
    ):
        assert (await other.post(address, json=body)).status == 404, address
    number = int(
        (await (await session.post("/desk/faq/search", json={"words": "申請", "settled": True})).text())
        .split('data-search="')[1].split('"')[0]
    )  # fmt: skip
    await other.post(f"/desk/faq/entries/{FAQ}/open", json={"search": number})
    (entry,) = await _searches(world)
    assert entry.clicked == (), "a search is marked by whoever made it"


async def _searches(world: World):  # type: ignore[no-untyped-def]
    async with world.database.reading() as unit:
        return await unit.faq.searches(0.0, world.clock.epoch() + 60.0)
