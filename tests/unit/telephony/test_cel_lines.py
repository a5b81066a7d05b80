"""CEL lines that the recorded story does not hold, and lines that cannot be used."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.facts.dialplan import UserEvent, encode_payload
from core.phone import CallerKind
from ledger.facts import (
    Answered,
    Arrived,
    CallbackBooked,
    CallbackEnded,
    CallbackTalked,
    CallbackTried,
    CallRefused,
    Connected,
    Fact,
    FellBack,
    FoundClosed,
    LanguageChosen,
    LeftQueue,
    LegQuality,
    MenuStep,
    Overflowed,
    QueueExit,
    Referred,
    SelfServed,
    Source,
    Transferred,
    WaitTold,
)
from telephony.disk.cel import translate_cel
from telephony.disk.errors import DamagedLine

pytestmark = pytest.mark.unit

SOURCE = Source(node="n1", file="cel:1-00000000", offset=0)
CALL = "c-n1-100.1"


def line(name: str, extra: str = "", **fields: str) -> str:
    return json.dumps(
        {
            "eventtype": name, "eventtime": "1795227072.704386", "userdeftype": "", "num": "", "exten": "s",
            "context": "c", "channame": "PJSIP/trunk-1", "appname": "", "uniqueid": "n1-100.1",
            "linkedid": "n1-100.1", "peer": "", "accountcode": CALL, "eventextra": extra,
        } | fields
    )  # fmt: skip


def user(event: UserEvent, values: dict[str, str], **fields: str) -> Fact | None:
    extra = json.dumps({"extra": encode_payload(**values)})
    return translate_cel(line(event.value, extra, userdeftype=event.value, **fields), SOURCE)


ARRIVAL = {"call": CALL, "sip": "a@b", "to": "0598000000", "user": "09012345678", "display": "",
           "privacy": "", "diversion": "", "test": ""}  # fmt: skip


def test_every_user_event_of_the_contract_is_known() -> None:
    for event in UserEvent:
        if event in (UserEvent.OPERATOR, UserEvent.CENTRE):  # told by queue_log, and by the audit
            assert user(event, {}) is None
            continue
        with pytest.raises(DamagedLine, match="lacks"):
            user(event, {})


def test_arrival() -> None:
    found = user(UserEvent.ARRIVED, ARRIVAL | {"to": "+81598000000", "test": "1"})
    assert isinstance(found, Arrived)
    assert (found.at, found.call, found.dialled, found.test) == (1795227072.704386, CALL, "0598000000", True)
    assert found.caller.number == "09012345678"
    assert found.diverted_from is None


@pytest.mark.parametrize(
    "diversion",
    [
        "<sip:0598530000@127.0.0.1>;reason=unconditional",
        '"市役所" <sip:+81598530000@gw;user=phone>;privacy=off',
        "<tel:0598530000>",
        "<sip:0598530000@10.0.0.1>;index=1,<sip:0598000000@10.0.0.1>;index=1.1",
    ],
)
def test_the_number_that_forwarded(diversion: str) -> None:
    found = user(UserEvent.ARRIVED, ARRIVAL | {"diversion": diversion})
    assert isinstance(found, Arrived)
    assert found.diverted_from == "0598530000"


def test_withheld_and_payphone() -> None:
    for values, kind in (
        ({"user": "anonymous", "display": "Anonymous"}, CallerKind.WITHHELD),
        ({"user": "anonymous", "display": "Coin line/payphone"}, CallerKind.PAYPHONE),
        ({"privacy": "id"}, CallerKind.WITHHELD),
        ({"user": "", "display": "Unavailable"}, CallerKind.UNAVAILABLE),
    ):
        found = user(UserEvent.ARRIVED, ARRIVAL | values)
        assert isinstance(found, Arrived)
        assert found.caller.kind is kind


@pytest.mark.parametrize(("least", "most"), [(0, 2), (None, None)])
def test_a_word_about_the_wait_belongs_to_the_call_it_names(least: int | None, most: int | None) -> None:
    told = {"call": CALL, "position": "3", "least": "" if least is None else str(least)}
    told["most"] = "" if most is None else str(most)
    found = user(UserEvent.WAIT_WORD, told, accountcode="", linkedid="n1-200.9", uniqueid="n1-200.9")
    assert isinstance(found, WaitTold)
    assert (found.call, found.position, found.least_min, found.most_min) == (CALL, 3, least, most)


@pytest.mark.parametrize(
    ("event", "values", "kind"),
    [
        (UserEvent.LANGUAGE, {"lang": "en"}, LanguageChosen),
        (UserEvent.STEP, {"node": "main", "key": "", "result": "silence"}, MenuStep),
        (UserEvent.CLOSED, {"reason": "holiday", "next": ""}, FoundClosed),
        (UserEvent.OVERFLOW, {"reason": "full"}, Overflowed),
        (UserEvent.SELF_SERVED, {"node": "n"}, SelfServed),
        (UserEvent.REFERRED, {"node": "n", "to": "0570"}, Referred),
        (UserEvent.CALLBACK, {"to": "090"}, CallbackBooked),
        (
            UserEvent.CALLBACK,
            {"to": "090", "queue": "card-ja", "lang": "ja", "entered": "1764000000"},
            CallbackBooked,
        ),
        (UserEvent.CALLBACK_TRY, {"call": CALL, "try": "1", "op": "101"}, CallbackTried),
        (UserEvent.CALLBACK_TALK, {"call": CALL, "try": "1", "op": "101"}, CallbackTalked),
        (UserEvent.CALLBACK_END, {"call": CALL, "try": "1", "op": "101", "result": ""}, CallbackEnded),
        (UserEvent.FALLBACK, {"step": "ivr", "why": "unfinished", "by": "script"}, FellBack),
        (UserEvent.TRANSFER, {"to": "200", "label": "戸籍", "result": ""}, Transferred),
    ],
)
def test_payloads(event: UserEvent, values: dict[str, str], kind: type[Fact]) -> None:
    found = user(event, values)
    assert type(found) is kind
    assert found.call == CALL


def test_a_connection_belongs_to_the_call_it_names() -> None:
    found = user(
        UserEvent.CONNECT, {"call": CALL, "member": "op101"}, accountcode="", uniqueid="n1-100.2",
        linkedid="n1-99.9",
    )  # fmt: skip
    assert isinstance(found, Connected)
    assert (found.call, found.operator, found.member_channel, found.exact) == (CALL, "101", "n1-100.2", True)


@pytest.mark.parametrize(("status", "how"), [("TIMEOUT", QueueExit.TIMEOUT), ("FULL", QueueExit.FULL),
                                             ("NEWSTATUS", QueueExit.UNKNOWN)])  # fmt: skip
def test_queue_exits(status: str, how: QueueExit) -> None:
    found = user(UserEvent.QUEUE_EXIT, {"queue": "booking-ja", "status": status})
    assert isinstance(found, LeftQueue)
    assert found.how is how


def test_an_exit_of_a_served_caller_is_no_exit() -> None:
    assert user(UserEvent.QUEUE_EXIT, {"queue": "booking-ja", "status": ""}) is None


def test_quality_may_lack_figures() -> None:
    found = user(UserEvent.QUALITY, {"leg": "PJSIP/trunk-1", "rx_lost": "3", "rx_jitter": "0.002", "rtt": ""})
    assert isinstance(found, LegQuality)
    assert (found.rx_lost, found.rx_jitter_s, found.rtt_s, found.tx_lost) == (3, 0.002, None, None)


def test_a_call_refused_at_the_door_belongs_to_no_call() -> None:
    found = user(UserEvent.REFUSED, {"to": "0599", "why": "unknown_number", "sip": "x@y"}, accountcode="")
    assert isinstance(found, CallRefused)
    assert (found.call, found.sip_call_id) == (None, "x@y")
    found = user(UserEvent.REFUSED, {"to": "110", "why": "not_allowed"})
    assert isinstance(found, CallRefused)
    assert found.call == CALL


def test_only_the_trunks_own_leg_is_answered_by_the_menu() -> None:
    assert isinstance(translate_cel(line("ANSWER"), SOURCE), Answered)
    assert translate_cel(line("ANSWER", uniqueid="n1-100.2", accountcode=""), SOURCE) is None


def test_user_defined_is_named_by_its_second_field() -> None:
    text = line("USER_DEFINED", '{"extra":"lang=ja"}', userdeftype="TS_LANGUAGE")
    assert isinstance(translate_cel(text, SOURCE), LanguageChosen)


WHOLE = line("HANGUP", '{"hangupcause":16,"hangupsource":"x","dialstatus":""}')


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        line("NEW_EVENT"),
        line("TS_UNHEARD", '{"extra":""}'),
        line("TS_STEP", '{"extra":"node=main&key=1&result=maybe"}'),
        line("TS_STEP", '{"extra":"node=main"}'),
        line("TS_CONNECT", '{"extra":"call=c-1&member=nobody"}'),
        line("HANGUP", ""),
        line("HANGUP", "{"),
        line("ANSWER", eventtime="soon"),
    ],
)
def test_damaged_lines_say_so(text: str) -> None:
    with pytest.raises(DamagedLine):
        translate_cel(text, SOURCE)


@pytest.mark.parametrize("at", ["nan", "inf", "-1", "1e300", "9" * 400])
def test_a_moment_that_is_none_is_damaged(at: str) -> None:
    with pytest.raises(DamagedLine):
        translate_cel(line("ANSWER", eventtime=at), SOURCE)


def test_a_line_nested_without_end_is_damaged() -> None:
    with pytest.raises(DamagedLine):
        translate_cel("[" * 100_000, SOURCE)


def test_a_line_cut_anywhere_is_damaged() -> None:
    for cut in range(len(WHOLE)):
        with pytest.raises(DamagedLine):
            translate_cel(WHOLE[:cut], SOURCE)


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner)
                    | st.dictionaries(st.text(), inner), max_leaves=5)  # fmt: skip


@given(st.dictionaries(st.sampled_from(list(json.loads(WHOLE))), JSON))
def test_no_json_does_anything_else(values: dict[str, object]) -> None:
    with suppress(DamagedLine):
        translate_cel(json.dumps(json.loads(WHOLE) | values), SOURCE)
