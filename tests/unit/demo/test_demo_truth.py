"""The truth about a call, from what its ends saw."""

from __future__ import annotations

import json

import pytest

from demo.ends.dialog import Side
from demo.ends.listening import HeardPrompt
from demo.truth import CallEvidence, OperatorLeg, Vocabulary, truth_of

pytestmark = pytest.mark.unit

T = 1_700_000_000.0


def heard(name: str, start: float, end: float, *, whole: bool = True) -> HeardPrompt:
    return HeardPrompt(name=f"ja/{name}", start_s=T + start, end_s=T + end, score=0.95, whole=whole)


def evidence(
    *prompts: HeardPrompt, end: float = 60.0, by: Side | None = Side.SELF, shown_user: str = "07000000001"
) -> CallEvidence:
    return CallEvidence(
        sip_call_id="abc",
        caller=shown_user if shown_user.isdigit() else "withheld",
        shown_user=shown_user,
        dialled="0120000101",
        intent="book",
        started_at=T,
        answered_at=T + 0.1,
        ended_at=T + end,
        ended_by=by,
        prompts=prompts,
    )


def leg(
    operator: str,
    offered: float,
    answered: float | None,
    ended: float,
    *,
    bye: float | None = None,
    caller: str = "07000000001",
) -> OperatorLeg:
    return OperatorLeg(
        operator=operator,
        caller=caller,
        offered_at=T + offered,
        answered_at=None if answered is None else T + answered,
        ended_at=T + ended,
        hung_up_at=None if bye is None else T + bye,
    )


GREETING, MENU = heard("greeting", 0.2, 8), heard("menu_main", 12, 14, whole=False)
CONNECTING = heard("connecting", 15, 18)


def test_an_answered_call_waits_from_the_last_connecting_to_the_operators_answer() -> None:
    legs = [leg("102", 18.1, None, 20), leg("101", 21, 23.5, 60), leg("103", 30, 31, 50, caller="0709")]
    told = truth_of(evidence(GREETING, MENU, CONNECTING), legs)
    assert told.disposition == "answered"
    assert told.operators == ("101",)
    assert told.missed == ("102",)
    assert (told.wait_s, told.wait_most_s, told.talk_s) == (5.5, 5.5, 36.5)
    assert told.ended_by == "citizen"


def test_an_entry_that_was_not_heard_lies_between_the_menu_and_the_first_word_for_who_waits() -> None:
    """A packet or two were lost: the announcement before the queue is not found, a digit is found in its noise."""
    prompts = (GREETING, MENU, heard("digit_4", 16, 17), heard("wait_stay", 30, 34))
    told = truth_of(evidence(*prompts), [leg("101", 50, 52, 60)])
    assert (told.wait_s, told.wait_most_s) == (22.0, 38.0)
    early = truth_of(evidence(GREETING, MENU), [leg("101", 19, 20, 60)])
    assert (early.wait_s, early.wait_most_s) == (1.0, 6.0)


def test_a_telephone_that_rang_when_the_caller_left_missed_nothing() -> None:
    told = truth_of(evidence(CONNECTING, end=20), [leg("101", 18.1, None, 20.01)])
    assert (told.disposition, told.missed) == ("abandoned_queue", ())


def test_the_operator_who_hangs_up_first_ends_the_call() -> None:
    legs = [leg("101", 19, 20, 59.9, bye=59.8)]
    assert truth_of(evidence(CONNECTING, by=Side.PEER), legs).ended_by == "operator"


def test_an_earlier_call_of_the_same_number_is_another_call() -> None:
    legs = [leg("101", -100, -98, -50), leg("102", 19, 20, 60)]
    assert truth_of(evidence(CONNECTING), legs).operators == ("102",)


def test_of_two_withheld_callers_each_has_the_talk_that_ended_with_the_call() -> None:
    legs = [
        leg("101", 19, 20, 60.05, caller="anonymous"),
        leg("102", 25, 27, 90, caller="anonymous"),
    ]
    told = truth_of(evidence(CONNECTING, shown_user="anonymous"), legs)
    assert told.operators == ("101",)
    assert told.caller == "withheld"


@pytest.mark.parametrize(
    ("prompts", "by", "disposition", "wait"),
    [
        ([GREETING, MENU, CONNECTING], Side.SELF, "abandoned_queue", 42.0),
        ([GREETING, MENU, heard("connecting", 58, 60, whole=False)], Side.SELF, "abandoned_menu", 0.0),
        ([GREETING, MENU], Side.SELF, "abandoned_menu", 0.0),
        ([], Side.SELF, "abandoned_menu", 0.0),
        ([GREETING, heard("closed_after_hours", 12, 15)], Side.PEER, "after_hours", 0.0),
        ([GREETING, heard("closed_year_end", 12, 14, whole=False)], Side.SELF, "after_hours", 0.0),
        ([GREETING, heard("emergency_closed", 12, 15)], Side.PEER, "after_hours", 0.0),
        ([CONNECTING, heard("overflow_wait", 48, 58)], Side.PEER, "overflow", 30.0),
        ([heard("overflow_full", 20, 28)], Side.PEER, "overflow", 0.0),
        ([GREETING, heard("technical_difficulty", 20, 28)], Side.PEER, "system_failure", 0.0),
        ([GREETING, MENU, heard("info_bring", 15, 30)], Side.PEER, "self_served", 0.0),
        ([GREETING, MENU, heard("info_bring", 15, 30, whole=False)], Side.SELF, "abandoned_menu", 0.0),
        ([GREETING, MENU, heard("refer_national", 15, 30)], Side.SELF, "referred", 0.0),
        ([GREETING, MENU], Side.PEER, "system_failure", 0.0),
        ([GREETING, MENU, CONNECTING], Side.PEER, "system_failure", 42.0),
    ],
)
def test_dispositions(prompts: list[HeardPrompt], by: Side, disposition: str, wait: float) -> None:
    vocabulary = Vocabulary(frozenset({"info_bring"}), frozenset({"refer_national"}))
    told = truth_of(evidence(*prompts, by=by), [], vocabulary)
    assert (told.disposition, told.wait_s) == (disposition, wait)
    assert told.ended_by == ("citizen" if by is Side.SELF else "system")


def test_a_record_is_one_json_object_with_the_agreed_names() -> None:
    record = json.loads(truth_of(evidence(CONNECTING), [leg("101", 19, 20, 60)]).as_json())
    agreed = {"sip_call_id", "caller", "dialled", "started_at", "intent", "disposition"}
    assert agreed | {"operators", "wait_s", "talk_s", "ended_by"} <= set(record)
    assert record["operators"] == ["101"]
    assert record["prompts"][0]["name"] == "ja/connecting"
