"""A caller's way over a fake channel, with the menu of a real city."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from fake_voice import SILENCE, FakeVoiceChannel, NamedPrompts

from core.clock import TOKYO, ManualClock
from core.facts.dialplan import Next, UserEvent, Variable
from core.hours import Emergency
from core.ids import LineId, QueueName
from ivr.compiled import dump_plan, load_plan
from ivr.ports import CallerGone
from ivr.session import CallPlan, Session, SessionResult, apply_result
from services.city import load_city

pytestmark = pytest.mark.unit

WEDNESDAY_NOON = datetime(2025, 11, 19, 12, 0, tzinfo=TOKYO)
SUNDAY_NOON = datetime(2025, 11, 16, 12, 0, tzinfo=TOKYO)
TUESDAY_NOON = datetime(2024, 11, 26, 12, 0, tzinfo=TOKYO)


@pytest.fixture(scope="module")
def plan() -> CallPlan:
    return load_city("matsusaka").plan


@pytest.fixture(scope="module")
def ube() -> CallPlan:
    return load_city("ube").plan


def load_plan_of(plan: CallPlan) -> CallPlan:
    """As the fallback script has it."""
    return load_plan(dump_plan(plan, {}))


async def call(
    plan: CallPlan,
    channel: FakeVoiceChannel,
    at: datetime = TUESDAY_NOON,
    *,
    emergency: Callable[[], Emergency | None] = lambda: None,
    notice: Callable[[], Emergency | None] = lambda: None,
    prompts: NamedPrompts | None = None,
) -> SessionResult:
    clock = ManualClock(at.timestamp())
    return await Session(channel, plan, prompts or NamedPrompts(), clock, emergency, notice).run()


async def test_a_choice_leads_to_its_queue(plan: CallPlan) -> None:
    channel = FakeVoiceChannel([SILENCE, "1"])
    result = await call(plan, channel)
    assert result == SessionResult(
        next=Next.QUEUE, language="ja", line=LineId("booking"), queue=QueueName("booking-ja")
    )
    assert channel.heard == ["ja/greeting", "en/language", "ja/menu_main", "ja/connecting"]
    assert channel.of(UserEvent.LANGUAGE) == [{"lang": "ja"}]
    assert channel.steps() == [("main", "1", "choice")]


async def test_a_choice_rings_somebody_of_the_directory(ube: CallPlan) -> None:
    channel = FakeVoiceChannel([SILENCE, "6"])
    result = await call(ube, channel, WEDNESDAY_NOON)
    assert result == SessionResult(
        next=Next.STAFF, language="ja", line=LineId("moving"), queue=QueueName("moving-ja"), staff="702"
    )
    assert channel.heard[-1] == "ja/connecting"
    await apply_result(channel, result)
    assert dict(channel.variables)[Variable.STAFF] == "702"
    assert channel.variables[-1] == (Variable.DONE, "ivr")


@pytest.mark.parametrize(
    ("at", "emergency", "queue", "said"),
    [
        (WEDNESDAY_NOON, None, "certificate-ja", None),
        (SUNDAY_NOON, None, None, ("closed_day", "ja/closed_static")),
        (WEDNESDAY_NOON, Emergency(message="emergency_closed", until=None, reason="停電"), None,
         ("emergency", "ja/emergency_closed")),
    ],
)  # fmt: skip
async def test_a_number_that_leads_straight_there(
    ube: CallPlan, at: datetime, emergency: Emergency | None, queue: str | None, said: tuple[str, str] | None
) -> None:
    """No menu and no language; the centre's hours say who takes the call when nobody there does."""
    channel = FakeVoiceChannel()
    channel.variables.append((Variable.STRAIGHT, "701"))
    result = await call(load_plan_of(ube), channel, at, emergency=lambda: emergency)
    assert (result.next, result.staff, result.line, result.queue) == (Next.STAFF, "701", "certificate", queue)
    assert channel.heard == ["ja/greeting"]
    await apply_result(channel, result)
    set_ = dict(channel.variables)
    assert ((set_[Variable.CLOSED], set_[Variable.SAY]) if Variable.CLOSED in set_ else None) == said
    assert (Variable.QUEUE in set_) is (queue is not None)


async def test_an_extension_that_no_number_leads_to_is_no_way_past_the_menu(ube: CallPlan) -> None:
    channel = FakeVoiceChannel([SILENCE, "1"])
    channel.variables.append((Variable.STRAIGHT, "703"))
    assert (await call(ube, channel, WEDNESDAY_NOON)).next is Next.QUEUE


@pytest.mark.parametrize(("hour", "told"), [(None, True), (13, True), (12, False)])
async def test_a_notice_comes_before_the_menu_while_it_is_in_force(
    plan: CallPlan, hour: int | None, told: bool
) -> None:
    until = TUESDAY_NOON.replace(hour=hour) if hour else None
    notice = Emergency(message="notice_emergency", until=until, reason="大雨")
    channel = FakeVoiceChannel([SILENCE, "1"])
    result = await call(plan, channel, notice=lambda: notice)
    assert result.queue == "booking-ja"
    before = ["ja/greeting", "en/language", *(["ja/notice_emergency"] if told else [])]
    assert channel.heard == [*before, "ja/menu_main", "ja/connecting"]


async def test_a_notice_is_in_the_callers_language_and_not_told_to_a_closed_door(plan: CallPlan) -> None:
    notice = Emergency(message="notice_emergency", until=None, reason="大雨")
    channel = FakeVoiceChannel(["9", "4"])
    await call(plan, channel, notice=lambda: notice)
    assert "en/notice_emergency" in channel.heard
    closed = Emergency(message="emergency_closed", until=None, reason="停電")
    channel = FakeVoiceChannel([SILENCE])
    await call(plan, channel, emergency=lambda: closed, notice=lambda: notice)
    assert not [name for name in channel.heard if "notice" in name]


async def test_keys_stop_the_menu_but_not_the_recording_notice(plan: CallPlan) -> None:
    channel = FakeVoiceChannel(["9", "4"], barge_in=True)
    result = await call(plan, channel)
    assert result.queue == "card-en"
    assert channel.cut_short == ["en/language", "en/menu_main"]
    assert channel.heard[0] == "ja/greeting"
    assert "en/greeting" in channel.heard


async def test_a_wrong_key_is_forgiven(plan: CallPlan) -> None:
    channel = FakeVoiceChannel([SILENCE, "#", "5"])
    result = await call(plan, channel)
    assert result.queue == "portal-ja"
    assert channel.heard[3:5] == ["ja/invalid", "ja/menu_main"]
    assert channel.steps() == [("main", "#", "invalid"), ("main", "5", "choice")]


async def test_wrong_keys_and_silence_lead_to_a_person(plan: CallPlan) -> None:
    channel = FakeVoiceChannel([SILENCE, "#", SILENCE])
    result = await call(plan, channel)
    assert (result.next, result.queue) == (Next.QUEUE, "card-ja")
    assert channel.steps() == [("main", "#", "invalid"), ("main", "", "silence")]


async def test_the_repeat_key_repeats(plan: CallPlan) -> None:
    channel = FakeVoiceChannel([SILENCE, "0", "2"])
    assert (await call(plan, channel)).queue == "booking-ja"
    assert channel.heard.count("ja/menu_main") == 2
    assert channel.steps()[0] == ("main", "0", "repeat")


async def test_an_announcement_serves_by_itself(plan: CallPlan) -> None:
    channel = FakeVoiceChannel([SILENCE, "6", SILENCE])
    assert (await call(plan, channel)).next is Next.HANGUP
    assert channel.of(UserEvent.SELF_SERVED) == [{"node": "info_bring"}]
    assert channel.heard[-3:] == ["ja/info_bring", "ja/after_tell", "ja/goodbye"]


async def test_a_referral_names_the_other_number(plan: CallPlan) -> None:
    channel = FakeVoiceChannel([SILENCE, "7", SILENCE])
    await call(plan, channel)
    assert channel.of(UserEvent.REFERRED) == [{"node": "refer_national", "to": "0120-95-0178"}]
    assert channel.of(UserEvent.SELF_SERVED) == []


async def test_a_caller_who_hangs_up_unwinds_the_session(plan: CallPlan) -> None:
    channel = FakeVoiceChannel([SILENCE])
    with pytest.raises(CallerGone):
        await call(plan, channel)
    assert channel.steps() == []


@pytest.mark.parametrize(
    ("at", "reason", "opening", "spoken"),
    [
        ("2024-11-26T17:15", "after_hours", "2024-11-27T09:00", "明日、午前9時から"),
        ("2024-11-26T08:59", "after_hours", "2024-11-26T09:00", "本日、午前9時から"),
        ("2024-11-23T10:00", "holiday", "2024-11-25T09:00", "11月25日、月曜日、午前9時から"),
        ("2024-11-24T10:00", "closed_day", "2024-11-25T09:00", "明日、午前9時から"),
        ("2024-12-30T10:00", "year_end", "2025-01-06T09:00", "1月6日、月曜日、午前9時から"),
    ],
)
async def test_closed(plan: CallPlan, at: str, reason: str, opening: str, spoken: str) -> None:
    channel = FakeVoiceChannel([SILENCE])
    result = await call(plan, channel, datetime.fromisoformat(f"{at}:00+09:00"))
    assert result == SessionResult(next=Next.HANGUP, language="ja")
    assert channel.of(UserEvent.CLOSED) == [{"reason": reason, "next": f"{opening}:00+09:00"}]
    assert channel.heard[2:] == [f"ja/closed_{reason}", f"ja:次の受付は、{spoken}です。", "ja/goodbye"]


async def test_closed_in_english(plan: CallPlan) -> None:
    channel = FakeVoiceChannel(["9"])
    await call(plan, channel, datetime(2024, 11, 23, 20, tzinfo=TOKYO))
    assert channel.heard[-2] == "en:We open on Monday, November 25, at 9 a.m."


async def test_closed_without_a_synthesiser_tells_the_usual_hours(plan: CallPlan) -> None:
    channel = FakeVoiceChannel([SILENCE])
    await call(plan, channel, datetime(2024, 11, 26, 20, tzinfo=TOKYO), prompts=NamedPrompts(can_speak=False))
    assert channel.heard[2:] == ["ja/closed_after_hours", "ja/closed_static", "ja/goodbye"]


async def test_a_failing_synthesiser_is_not_heard(plan: CallPlan) -> None:
    class Broken(NamedPrompts):
        async def dynamic(self, text: str, language: str) -> str | None:
            raise RuntimeError("no voice")

    channel = FakeVoiceChannel([SILENCE])
    await call(plan, channel, datetime(2024, 11, 26, 20, tzinfo=TOKYO), prompts=Broken())
    assert channel.heard[-2:] == ["ja/closed_static", "ja/goodbye"]


@pytest.mark.parametrize("until", [None, datetime(2024, 11, 26, 15, tzinfo=TOKYO)])
async def test_emergency(plan: CallPlan, until: datetime | None) -> None:
    closed = Emergency(message="emergency_closed", until=until, reason="台風")
    channel = FakeVoiceChannel([SILENCE])
    await call(plan, channel, emergency=lambda: closed)
    again = ["ja:次の受付は、本日、午後3時からです。"] if until else []
    assert channel.heard[2:] == ["ja/emergency_closed", *again, "ja/goodbye"]
    assert channel.of(UserEvent.CLOSED) == [
        {"reason": "emergency", "next": until.isoformat() if until else ""}
    ]


async def test_the_done_mark_is_set_last() -> None:
    channel = FakeVoiceChannel()
    result = SessionResult(
        next=Next.QUEUE, language="en", line=LineId("card"), queue=QueueName("card-en"), priority=3
    )
    await apply_result(channel, result)
    assert dict(channel.variables) == {
        Variable.LANGUAGE: "en",
        Variable.LINE: "card",
        Variable.QUEUE: "card-en",
        Variable.PRIORITY: "3",
        Variable.NEXT: "queue",
        Variable.DONE: "ivr",
    }
    assert channel.variables[-1] == (Variable.DONE, "ivr")


async def test_a_call_that_ends_here_names_no_queue() -> None:
    channel = FakeVoiceChannel()
    await apply_result(channel, SessionResult(next=Next.HANGUP, language="ja"))
    assert Variable.QUEUE not in dict(channel.variables)


async def test_the_compiled_plan_leads_the_same_way(plan: CallPlan) -> None:
    holidays = {datetime(2024, 11, 23, tzinfo=TOKYO).date(): "勤労感謝の日"}
    copy = load_plan(dump_plan(plan, holidays))
    assert copy.flow == plan.flow
    assert copy.hours.periods == plan.hours.periods
    assert copy.hours.year_end == plan.hours.year_end
    channel = FakeVoiceChannel([SILENCE])
    await call(copy, channel, datetime(2024, 11, 23, 10, tzinfo=TOKYO))
    assert channel.of(UserEvent.CLOSED)[0]["reason"] == "holiday"


async def test_a_key_pressed_during_the_recording_notice_is_kept_and_the_notice_is_heard(
    plan: CallPlan,
) -> None:
    channel = FakeVoiceChannel()
    channel.early.append(("greeting", "1"))
    result = await call(plan, channel)
    assert result.line == LineId("booking")
    assert channel.cut_short == []
    assert not any("menu_main" in file for file in channel.heard)
