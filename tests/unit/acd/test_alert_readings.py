"""Readings: what the supervisor is told about the floor, the answer rate and the machines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.alert_inputs import AlertInputs, AlertNames, AnsweredSoFar, FailedCallback, Restarted, names_of
from acd.alert_profile import AlertsSection
from acd.alert_readings import readings_of, unknown_kinds, wilson_upper
from acd.alert_steps import steps_in_force
from acd.alert_words import words_for
from acd.alerts import AlertBook, AlertKind, Reading
from acd.guard_steps import GuardStep, GuardWhy
from acd.profile import AcdSection, TargetsSection
from acd.view import Caller, FloorView, Load, Seat
from core.clock import ManualClock
from core.ids import CallId, OperatorId, QueueName, demand_of
from services.city import load_city

pytestmark = pytest.mark.unit

K = AlertKind
T0 = 1_764_000_000.0
RULES = AlertsSection()
TARGETS = TargetsSection(answer_rate=0.9, wait_alert_s=300, waiting_alert=4)
NAMES = AlertNames(
    operators={OperatorId("101"): "青木"},
    demands={
        QueueName("booking-ja"): "予約",
        QueueName("card-ja"): "カード",
        QueueName("card-en"): "カード・英語",
    },
    main=frozenset({QueueName("booking-ja"), QueueName("card-ja")}),
)


def seat(
    operator: str,
    state: str = "ready",
    queues: Sequence[str] = ("booking-ja", "card_2-ja"),
    since: float = T0,
) -> Seat:
    return Seat(
        operator=OperatorId(operator),
        state=state,
        since=since,
        queues={QueueName(queue): True for queue in queues},
        load=Load(calls=0, handled_s=0, available_s=0),
        last_ended_at=T0,
    )


def caller(number: int, queue: str = "booking-ja", since: float = T0) -> Caller:
    name = QueueName(queue)
    return Caller(channel=f"PJSIP/trunk-{number}", call=None, queue=name, demand=demand_of(name), since=since)


def floor(*seats: Seat, callers: Sequence[Caller] = (), at: float = T0) -> FloorView:
    return FloorView(at=at, seats=seats, callers=tuple(callers), handling_s={})


def inputs(view: FloorView | None, at: float = T0, **more: Any) -> AlertInputs:
    return replace(AlertInputs(at=at, open=True, view=view), **more)


def read(given: AlertInputs, kind: AlertKind, targets: TargetsSection = TARGETS) -> dict[str, Reading]:
    return {each.subject: each for each in readings_of(given, RULES, targets, NAMES) if each.kind is kind}


def test_the_longest_wait_of_each_demand_counts_from_the_first_entry() -> None:
    view = floor(
        seat("101"),
        callers=[
            caller(1, "booking_2-ja", T0 - 312),
            caller(2, since=T0 - 301),
            caller(3, "card-ja", T0 - 5),
        ],
    )
    found = read(inputs(view), K.WAIT_LIMIT)
    assert {demand: reading.value for demand, reading in found.items()} == {"booking-ja": 312, "card-ja": 5}
    worst = found["booking-ja"]
    assert worst.text == "「予約」で市民の方が5分12秒お待ちです（上限5分）。5分以上の方は2人です。"
    assert worst.since == T0 - 12


def test_predictions_are_read_where_there_are_some() -> None:
    view = floor(seat("101"), callers=[caller(1), caller(2)])
    assert read(inputs(view), K.WAIT_RISK) == {}
    (risk,) = read(inputs(view, expected_wait_s={"PJSIP/trunk-2": 340.0}), K.WAIT_RISK).values()
    assert risk.value == 340
    assert "2人のうち1人が、このままでは5分以上お待ちになる見込み" in risk.text


def test_the_guards_steps_are_one_alert_for_each_act_on_a_group_or_a_demand() -> None:
    def step(act: str, at: float, **more: Any) -> GuardStep:
        return GuardStep(at=at, act=act, rung=1, why=GuardWhy.PREDICTED, waiting=3, on_duty=2, **more)

    def relaxed(number: int) -> GuardStep:
        return step(
            "relax", T0 - 9 + number, demand=QueueName("booking-ja"), caller=f"c{number}", waited_s=60
        )

    called = step("call_in", T0 - 3, group="office", operators=(OperatorId("101"),))
    back = step("send_back", T0, group="office")
    taken = steps_in_force([called, relaxed(0), relaxed(1), called, back], {"office": "事務所"})
    found = read(inputs(floor(seat("101")), guard=taken), K.GUARD)
    values = {subject: reading.value for subject, reading in found.items()}
    assert values == {"relax:booking-ja": 2, "call_in:office": 1}
    relax = found["relax:booking-ja"]
    assert relax.since == T0 - 9
    assert relax.text.startswith("「予約」：条件をゆるめる。このままでは待ち時間の上限を超えます。")
    assert relax.text.endswith("（2人の方に）")
    assert found["call_in:office"].text.startswith("応援（事務所）: 101を呼び込みました。")
    assert K.GUARD in unknown_kinds(inputs(None))


def test_waiting_callers_are_counted_over_all_queues() -> None:
    callers = [*(caller(n) for n in range(3)), caller(8, "card-ja"), caller(9, "card-en")]
    rules = RULES.rules(answer_rate=0.9, wait_alert_s=300, waiting_alert=4)[K.WAITING]
    (full,) = read(inputs(floor(seat("101"), callers=callers)), K.WAITING).values()
    (four,) = read(inputs(floor(seat("101"), callers=callers[:4])), K.WAITING).values()
    (three,) = read(inputs(floor(seat("101"), callers=callers[:3])), K.WAITING).values()
    assert full.value >= rules.raise_at > four.value > rules.clear_at >= three.value
    assert (
        full.text == "5人がお待ちです（「予約」3人、「カード・英語」1人、「カード」1人）。目安は4人までです。"
    )


def test_a_city_without_targets_has_no_such_alerts() -> None:
    view = floor(seat("101"), callers=[caller(1, since=T0 - 9999)])
    none = TargetsSection()
    given = inputs(
        view,
        answers=[AnsweredSoFar(first_day=date(2026, 11, 24), month=False, answered=0, offered=99, at=T0)],
    )
    assert not {r.kind for r in readings_of(given, RULES, none, NAMES)} & {
        K.WAIT_LIMIT,
        K.WAITING,
        K.ANSWER_RATE,
    }
    kinds = RULES.rules(answer_rate=None, wait_alert_s=None, waiting_alert=None)
    assert not set(kinds) & {K.WAIT_LIMIT, K.WAIT_RISK, K.WAITING, K.ANSWER_RATE}


def test_long_talks_and_holds() -> None:
    view = floor(seat("101", "talking", since=T0 - 1500), seat("102", "wrapup", since=T0 - 9000))
    given = inputs(view, holds={OperatorId("101"): T0 - 200})
    talks, holds = read(given, K.LONG_CALL), read(given, K.LONG_HOLD)
    assert {subject: reading.value for subject, reading in talks.items()} == {"101": 1500}
    assert talks["101"].text == "青木さん（101）の通話が25分続いています。"
    assert holds["101"].text == "青木さん（101）の保留が3分20秒続いています（市民の方には保留音だけ）。"


def test_a_long_relay_call_is_no_alert_and_its_hold_still_is() -> None:
    view = floor(seat("101", "talking", since=T0 - 3600))
    given = inputs(view, holds={OperatorId("101"): T0 - 400}, relay=frozenset({OperatorId("101")}))
    assert not read(given, K.LONG_CALL)
    assert read(given, K.LONG_HOLD)


def test_missed_offers_count_within_the_time_and_being_held_back_is_enough() -> None:
    view = floor(seat("101"), seat("102", "paused:missed", since=T0 - 7))
    given = inputs(view, missed={OperatorId("101"): [T0 - 4000, T0 - 60, T0 - 30]})
    found = read(given, K.MISSED_OFFERS)
    assert found["101"].value == 2
    assert found["102"].value == RULES.missed_offers.offers
    assert found["102"].text == "オペレーター102が呼び出しに出ていません。いまは呼び出しを止めています。"
    assert found["102"].since == T0 - 7


def test_nobody_is_told_by_line_and_only_in_opening_hours() -> None:
    assert read(inputs(floor(), open=False), K.NOBODY) == {}
    assert read(inputs(floor()), K.NOBODY)[""].text == "受付時間中ですが、サインインしている人がいません。"
    away = floor(seat("101", "paused:break1"), callers=[caller(1)])
    text = "受付時間中ですが、サインインしている1人が全員離席中です。1人がお待ちです。"
    assert read(inputs(away), K.NOBODY)[""].text == text
    # A stage of relaxation covers its demand; English alone without anybody is no alarm.
    assert read(inputs(floor(seat("101"))), K.NOBODY) == {}
    one = read(inputs(floor(seat("101", "wrapup", ["card-ja"]))), K.NOBODY)
    assert [reading.text for reading in one.values()] == [
        "「予約」を受けられる人がいません（ほかの業務は1人で受けています）。"
    ]
    quiet = AlertsSection.model_validate({"nobody": {"each_line": False}})
    given = inputs(floor(seat("101", "wrapup", ["card-ja"])))
    assert not [r for r in readings_of(given, quiet, TARGETS, NAMES) if r.kind is K.NOBODY]


def so_far(answered: int, offered: int, month: bool = False) -> AnsweredSoFar:
    return AnsweredSoFar(
        first_day=date(2026, 11, 1 if month else 24), month=month, answered=answered, offered=offered, at=T0
    )


def rated(answered: int, offered: int, month: bool = False) -> float | None:
    found = read(inputs(floor(), answers=[so_far(answered, offered, month)]), K.ANSWER_RATE)
    return next((reading.value for reading in found.values()), None)


def test_at_five_past_nine_on_a_monday_three_calls_prove_nothing() -> None:
    assert rated(0, 3) is None
    assert rated(2, 3) is None
    # Ten calls, two lost: chance. Three lost: with a true rate of 95 % that happens once in 87 mornings.
    assert rated(8, 10) == 0
    assert rated(7, 10) == 1
    assert rated(10, 10) == -1
    assert rated(182, 200) == -1
    assert rated(181, 200) == 0


def test_a_month_is_judged_as_the_contract_does() -> None:
    assert rated(60, 99, month=True) is None
    assert rated(629, 700, month=True) == 1
    assert rated(630, 700, month=True) == 0
    assert rated(637, 700, month=True) == -1


def test_the_supervisor_reads_what_it_would_take() -> None:
    (reading,) = read(inputs(floor(), answers=[so_far(14, 20)]), K.ANSWER_RATE).values()
    assert reading.subject == "day:2026-11-24"
    assert reading.text == (
        "11月24日の応答率は70.0%です（目標90.0%以上。対象20件のうち6件に応答できていません）。"
        "目標に戻るには、このあと40件続けて応答する必要があります。"
    )


@given(st.integers(1, 500), st.data())
def test_the_upper_bound_is_above_the_rate_and_nears_it(offered: int, data: st.DataObject) -> None:
    answered = data.draw(st.integers(0, offered))
    upper = wilson_upper(answered, offered)
    assert answered / offered <= upper + 1e-12 <= 1 + 1e-9
    assert wilson_upper(answered * 100, offered * 100) <= upper + 1e-12


def test_wilsons_bound_as_published() -> None:
    # Newcombe, Statistics in Medicine 17 (1998), table I: 15 of 148, two-sided 95 %: 0.0624 to 0.1605.
    assert wilson_upper(15, 148, z=1.959964) == pytest.approx(0.1605, abs=5e-5)
    assert wilson_upper(0, 0) == 1.0


def test_the_machines() -> None:
    given = inputs(
        None,
        restarts=[
            Restarted(process="engine", at=T0 - 30, count=2),
            Restarted(process="transcriber", at=T0 - 4000, count=1),
        ],
        switch_lost_since=T0 - 12,
        engine_silent_s=20.0,
        unreachable_trunks={"carrier": T0 - 60},
        refused=[T0 - 700, T0 - 500, T0 - 3],
    )
    engine = read(given, K.ENGINE)
    assert {subject: reading.value for subject, reading in engine.items()} == {
        "engine": 1,
        "transcriber": 0,
        "ami": 1,
    }
    assert engine["engine"].text == "中枢（engine）が止まり、自動で始め直しました（開始から2回目）。"
    assert read(given, K.ENGINE_SILENT)[""].value == 20
    trunk = read(given, K.TRUNK)
    assert (trunk["carrier"].value, trunk["refused"].value) == (RULES.trunk.refused, 2)


def test_a_failed_callback_names_its_call() -> None:
    failed = FailedCallback(call=CallId("c-n1-1.2"), at=T0 - 9, line="予約", tries=2)
    (reading,) = read(inputs(floor(), failed_callbacks=[failed]), K.CALLBACK).values()
    assert (reading.subject, reading.value, reading.since) == ("c-n1-1.2", 1, T0 - 9)
    assert reading.text == "「予約」の折り返しを2回かけましたが、つながりませんでした。"
    never = replace(failed, tries=0)
    (reading,) = read(inputs(floor(), failed_callbacks=[never]), K.CALLBACK).values()
    assert reading.text == "「予約」の折り返しを、約束の時間までにかけられませんでした。"


def test_what_is_not_known_is_not_judged() -> None:
    assert unknown_kinds(inputs(floor())) == frozenset()
    assert K.NOBODY in unknown_kinds(inputs(None))
    assert K.ENGINE not in unknown_kinds(inputs(None))
    assert unknown_kinds(inputs(floor(), answers=None, refused=None)) == {K.ANSWER_RATE, K.TRUNK}


def test_names_come_from_the_profile() -> None:
    acd: AcdSection = load_city("ageo").acd
    names = names_of(acd, {})
    assert names.demand(QueueName("booking-ja")) == "「交付などの予約・日本語」"
    assert names.main == {line.demand(line.languages[0]).name for line in acd.lines}


def test_every_kind_has_a_rule_and_can_be_switched_off() -> None:
    assert set(RULES.rules(answer_rate=0.9, wait_alert_s=300, waiting_alert=4)) == set(AlertKind)
    for kind in AlertKind:
        off = AlertsSection.model_validate({kind.value: {"on": False}})
        assert kind not in off.rules(answer_rate=0.9, wait_alert_s=300, waiting_alert=4)


@pytest.mark.parametrize("kind", list(AlertKind))
def test_every_alert_says_what_since_when_and_what_to_do(kind: AlertKind) -> None:
    clock = ManualClock(T0)
    rules = RULES.rules(answer_rate=0.9, wait_alert_s=300, waiting_alert=4)
    quick = replace(rules[kind], raise_after_s=0, clear_after_s=0, most_per_day=1)
    book = AlertBook({kind: quick}, day_of=lambda at: clock.city_time_of(at).date())
    bad = Reading(kind=kind, subject="x", value=9999, label="名前", text="状態です。", since=T0 - 60)
    (raised,) = book.observe(T0, [bad])
    words = words_for(raised, clock.city_time_of)
    assert words.title.startswith("【警報】")
    assert words.title.endswith("：名前")
    assert [line.partition("：")[0] for line in words.lines[:3]] == ["状況", "いつから", "すること"]
    assert f"alerts ack {raised.alert.id}" in words.lines[3]
    assert "本日はこれで最後" in words.lines[4]
    (cleared,) = book.observe(T0 + 90, [])
    over = words_for(cleared, clock.city_time_of)
    assert over.title.startswith("【解消】")
    assert over.lines[1].endswith("から2分")
