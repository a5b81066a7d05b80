"""Who may ask for what, when it can be, and when it counts as done."""

from __future__ import annotations

from dataclasses import replace

import pytest

from acd.command_rules import HANDS, CentreFacts, come_true, not_allowed, not_now
from acd.commands import Act, Asked, Asker, Command, Hand, Role
from core.ids import CallId, OperatorId

pytestmark = pytest.mark.unit

FACTS = CentreFacts(
    departments=frozenset({"701"}),
    lines=frozenset({"803"}),
    pauses={"break1": "休憩"},
    operators=frozenset({OperatorId("101"), OperatorId("301")}),
    supervisors=frozenset({OperatorId("301")}),
)
AOKI = Asker(name="青木", role=Role.OPERATOR, operator=OperatorId("101"))
SATO = Asker(name="佐藤", role=Role.SUPERVISOR, operator=OperatorId("301"))
CITY = Asker(name="市民課", role=Role.CITY)
TALK = Hand(
    operator=OperatorId("101"), state="talking", call=CallId("c-1"), leg="PJSIP/op101-1", citizen="PJSIP/t-1",
    joined=True,
)  # fmt: skip


def command(act: Act, asker: Asker = AOKI, operator: str = "101", to: str = "") -> Command:
    return Command(act=act, asker=asker, operator=OperatorId(operator), to=to)


@pytest.mark.parametrize("act", list(Act))
def test_an_operator_has_nothing_but_their_own_seat_and_the_call_in_their_own_hand(act: Act) -> None:
    seat = {Act.HELP, Act.STATE, Act.PAUSE, Act.READY, Act.SIGN_OUT}
    own = seat | (HANDS - {Act.END, Act.LISTEN, Act.WHISPER, Act.BARGE, Act.TAKE_OVER})
    assert (not_allowed(command(act), FACTS) is None) is (act in own)
    assert not_allowed(command(act, operator="301"), FACTS) is not None


@pytest.mark.parametrize("act", list(Act))
def test_the_city_switches_the_centre_and_touches_no_call(act: Act) -> None:
    allowed = act in {Act.CLOSE, Act.REOPEN, Act.NOTICE, Act.NOTICE_OVER}
    assert (not_allowed(command(act, CITY), FACTS) is None) is allowed


@pytest.mark.parametrize("act", list(Act))
def test_a_supervisor_may_do_everything(act: Act) -> None:
    assert not_allowed(command(act, SATO), FACTS) is None


@pytest.mark.parametrize(
    ("asker", "operator", "words"),
    [
        (replace(SATO, operator=OperatorId("101")), "301", "監督者ではありません"),
        (replace(SATO, operator=OperatorId("")), "101", "監督者の電話"),
        (SATO, "301", "自分の通話"),
        (SATO, "999", "いない番号"),
        (replace(SATO, name=" "), "101", "だれの操作"),
    ],
)
def test_who_may_not_listen(asker: Asker, operator: str, words: str) -> None:
    assert words in (not_allowed(command(Act.LISTEN, asker, operator), FACTS) or "")


@pytest.mark.parametrize("act", sorted(HANDS))
def test_without_a_citizen_nothing_is_done_with_a_hand(act: Act) -> None:
    to = "701" if act in (Act.TRANSFER, Act.CONSULT) else ""
    for hand in (
        Hand(operator=OperatorId("101"), state="ready"),
        replace(TALK, citizen=""),
        replace(TALK, leg=""),
    ):
        assert not_now(command(act, SATO, to=to), hand, FACTS) is not None


@pytest.mark.parametrize(
    ("act", "asked", "to", "words"),
    [
        (Act.TRANSFER, Asked.NO, "701", None),
        (Act.TRANSFER, Asked.NO, "803", None),
        (Act.TRANSFER, Asked.NO, "09012345678", "転送先一覧にない"),
        (Act.TRANSFER, Asked.TALKING, "701", "相談中"),
        (Act.CONSULT, Asked.NO, "701", None),
        (Act.CONSULT, Asked.NO, "803", "相談せずに"),
        (Act.CONSULT, Asked.RINGING, "701", "もう相談中"),
        (Act.COMPLETE, Asked.RINGING, "", "まだ出ていません"),
        (Act.COMPLETE, Asked.TALKING, "", None),
        (Act.COMPLETE, Asked.NO, "", "相談中ではありません"),
        (Act.JOIN, Asked.HELD, "", None),
        (Act.RETURN, Asked.RINGING, "", None),
        (Act.RETURN, Asked.TOGETHER, "", "三者"),
        (Act.HANG_UP, Asked.TOGETHER, "", None),
        (Act.HANG_UP, Asked.TALKING, "", "相談をやめてから"),
        (Act.WARN, Asked.TALKING, "", "相談中はできません"),
        (Act.PAUSE, Asked.NO, "break9", "ない離席の理由"),
        (Act.PAUSE, Asked.NO, "break1", None),
        (Act.READY, Asked.NO, "", "通話中です"),
    ],
)
def test_what_can_be_done_now(act: Act, asked: Asked, to: str, words: str | None) -> None:
    why = not_now(command(act, SATO, to=to), replace(TALK, asked=asked), FACTS)
    assert (why is None) if words is None else words in (why or "")


def test_a_question_of_the_telephones_own_is_left_to_the_telephone() -> None:
    hand = replace(TALK, by_telephone=True)
    assert "電話機のボタン" in (not_now(command(Act.COMPLETE), hand, FACTS) or "")
    assert not_now(command(Act.LISTEN, SATO), hand, FACTS) is None


WRAP_UP = Hand(operator=OperatorId("101"), state="wrapup")


@pytest.mark.parametrize(
    ("act", "before", "now", "done"),
    [
        (Act.TRANSFER, TALK, TALK, False),
        (Act.TRANSFER, TALK, WRAP_UP, True),
        (Act.TRANSFER, TALK, replace(TALK, call=CallId("c-2")), True),
        (Act.CONSULT, TALK, replace(TALK, asked=Asked.RINGING), True),
        (Act.SWAP, replace(TALK, asked=Asked.TALKING), replace(TALK, asked=Asked.HELD), True),
        (Act.SWAP, replace(TALK, asked=Asked.HELD), replace(TALK, asked=Asked.HELD), False),
        (Act.RETURN, replace(TALK, asked=Asked.TALKING), replace(TALK, joined=False), False),
        (Act.RETURN, replace(TALK, asked=Asked.TALKING), TALK, True),
        (Act.PAUSE_RECORDING, TALK, replace(TALK, muted=True), True),
        (Act.WARN, replace(TALK, warned=1), replace(TALK, warned=1), False),
        (Act.WARN, replace(TALK, warned=1), replace(TALK, warned=2), True),
        (Act.LISTEN, TALK, replace(TALK, watchers=frozenset({OperatorId("302")})), False),
        (Act.LISTEN, TALK, replace(TALK, watchers=frozenset({OperatorId("301")})), True),
        (Act.PAUSE, TALK, replace(TALK, after="break1"), True),
        (Act.PAUSE, TALK, TALK, False),
        (Act.SIGN_OUT, TALK, replace(TALK, after="out"), True),
    ],
)
def test_when_it_has_come_true(act: Act, before: Hand, now: Hand, done: bool) -> None:
    assert come_true(command(act, SATO, to="break1"), before, now) is done
