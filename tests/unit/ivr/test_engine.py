"""The menu's step function: every sequence of answers reaches an end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.facts.dialplan import StepResult
from core.ids import LineId, QueueName
from ivr.engine import (
    AfterTell,
    Announce,
    Ask,
    AtLanguage,
    AtMenu,
    Checked,
    CheckHours,
    Digit,
    Ended,
    Enqueue,
    HangUp,
    Input,
    Play,
    Prompt,
    RecordStep,
    SayClosed,
    SetLanguage,
    Silence,
    Started,
    State,
    at_start,
    step,
)
from ivr.flow import Flow, LineQueues, Menu, Repeat, Tell, ToLine, ToMenu

pytestmark = pytest.mark.unit

BOOKING, CARD = LineId("booking"), LineId("card")


def make_flow(*, language_keys: dict[str, str] | None = None, tries: int = 2, max_steps: int = 6) -> Flow:
    keys = {"9": "en"} if language_keys is None else language_keys
    return Flow(
        languages=("ja", *keys.values()),
        language_keys=keys,
        language_timeout_s=1.5,
        start="main",
        menus={
            "main": Menu(
                id="main",
                prompt="menu_main",
                choices={
                    "1": ToLine(BOOKING),
                    "2": ToMenu("more"),
                    "3": Tell("info"),
                    "4": Tell("refer", "0120"),
                    "0": Repeat(),
                },
            ),
            "more": Menu(id="more", prompt="menu_more", choices={"1": ToLine(CARD), "2": ToMenu("main")}),
        },
        tries=tries,
        max_steps=max_steps,
        digit_timeout_s=5,
        fallback_line=CARD,
        lines={BOOKING: LineQueues(("ja", "en")), CARD: LineQueues(("ja",))},
    )


def walk(flow: Flow, *answers: Input, is_open: bool = True) -> tuple[State, list[object]]:
    """Answers each `Ask` in turn; returns the last state and all actions."""
    state, actions = step(flow, at_start(flow), Started())
    seen: list[object] = list(actions)
    left = list(answers)
    while not isinstance(state.place, Ended):
        if isinstance(actions[-1], CheckHours):
            state, actions = step(flow, state, Checked(is_open))
        elif left:
            state, actions = step(flow, state, left.pop(0))
        else:
            break
        seen += actions
    assert not left, "the caller had more to say"
    return state, seen


def test_greets_then_offers_other_languages_in_their_own_words() -> None:
    state, actions = step(make_flow(), at_start(make_flow()), Started())
    assert state.place == AtLanguage()
    assert actions == (Play(Prompt("ja", "greeting")), Ask((Prompt("en", "language"),), 1.5))


def test_one_language_asks_for_none() -> None:
    _, actions = walk(make_flow(language_keys={}))
    assert actions[:3] == [Play(Prompt("ja", "greeting")), SetLanguage("ja"), CheckHours()]


def test_silence_in_the_language_step_is_no_mistake() -> None:
    state, actions = walk(make_flow(), Silence())
    assert state == State(place=AtMenu("main"), language="ja")
    assert not [action for action in actions if isinstance(action, RecordStep)]


def test_choosing_english_repeats_the_recording_notice_in_english() -> None:
    state, actions = walk(make_flow(), Digit("9"), Digit("1"))
    assert actions[2:6] == [
        RecordStep("language", "9", StepResult.CHOICE),
        SetLanguage("en"),
        Play(Prompt("en", "greeting")),
        CheckHours(),
    ]
    assert Ask((Prompt("en", "menu_main"),), 5) in actions
    assert actions[-2:] == [Play(Prompt("en", "connecting")), Enqueue(BOOKING)]
    assert state.language == "en"


def test_a_menu_key_pressed_in_the_language_step_counts_for_the_menu() -> None:
    _, actions = walk(make_flow(), Digit("1"))
    assert actions[-1] == Enqueue(BOOKING)
    assert RecordStep("main", "1", StepResult.CHOICE) in actions
    assert not [action for action in actions if action == Ask((Prompt("ja", "menu_main"),), 5)]


def test_closed_says_so_and_ends_without_a_menu() -> None:
    state, actions = walk(make_flow(), Silence(), is_open=False)
    assert state.place == Ended()
    assert actions[-2:] == [SayClosed(), HangUp()]


def test_wrong_keys_lead_to_a_person() -> None:
    _, actions = walk(make_flow(), Silence(), Digit("7"), Digit("8"))
    assert Ask((Prompt("ja", "invalid"), Prompt("ja", "menu_main")), 5) in actions
    assert actions[-3:] == [
        RecordStep("main", "8", StepResult.INVALID),
        Play(Prompt("ja", "connecting")),
        Enqueue(CARD),
    ]


def test_silence_leads_to_a_person() -> None:
    _, actions = walk(make_flow(), Silence(), Silence(), Silence())
    assert Ask((Prompt("ja", "silence_retry"), Prompt("ja", "menu_main")), 5) in actions
    assert actions[-1] == Enqueue(CARD)


def test_a_right_key_after_a_wrong_one_is_taken_and_clears_the_count() -> None:
    _, actions = walk(make_flow(), Silence(), Digit("7"), Digit("2"), Digit("7"), Digit("1"))
    assert actions[-1] == Enqueue(CARD)
    assert RecordStep("more", "1", StepResult.CHOICE) in actions


def test_repeat_says_the_menu_again_and_is_bounded() -> None:
    state, actions = walk(make_flow(max_steps=3), Silence(), Digit("0"), Digit("0"), Digit("0"))
    assert actions.count(Ask((Prompt("ja", "menu_main"),), 5)) == 3
    assert actions.count(RecordStep("main", "0", StepResult.REPEAT)) == 3
    assert (state.place, actions[-1]) == (Ended(), Enqueue(CARD))


@pytest.mark.parametrize(("key", "prompt", "refer_to"), [("3", "info", None), ("4", "refer", "0120")])
def test_an_announcement_is_heard_out_and_offers_more(key: str, prompt: str, refer_to: str | None) -> None:
    state, actions = walk(make_flow(), Silence(), Digit(key))
    assert actions[-2:] == [
        Announce(prompt, Prompt("ja", prompt), refer_to),
        Ask((Prompt("ja", "after_tell"),), 5),
    ]
    assert isinstance(state.place, AfterTell)


def test_silence_after_an_announcement_ends_kindly() -> None:
    _, actions = walk(make_flow(), Silence(), Digit("3"), Silence())
    assert actions[-2:] == [Play(Prompt("ja", "goodbye")), HangUp()]


def test_an_announcement_can_be_heard_again_and_left_for_a_person() -> None:
    _, actions = walk(make_flow(), Silence(), Digit("3"), Digit("1"), Digit("2"))
    assert actions.count(Announce("info", Prompt("ja", "info"), None)) == 2
    assert actions[-1] == Enqueue(CARD)


def test_a_line_without_the_callers_language_queues_in_its_own() -> None:
    flow = make_flow()
    assert flow.queue(BOOKING, "en") == QueueName("booking-en")
    assert flow.queue(CARD, "en") == QueueName("card-ja")


def test_an_input_that_does_not_belong_is_refused() -> None:
    flow = make_flow()
    with pytest.raises(ValueError, match="does not belong"):
        step(flow, at_start(flow), Digit("1"))


ANSWERS = st.one_of(st.just(Silence()), st.sampled_from("0123456789*#").map(Digit))


@given(answers=st.lists(ANSWERS, min_size=40, max_size=40), is_open=st.booleans(), tries=st.integers(1, 5))
def test_any_answers_reach_an_end_within_bounds(answers: list[Input], is_open: bool, tries: int) -> None:
    flow = make_flow(tries=tries, max_steps=12)
    state, actions = step(flow, at_start(flow), Started())
    asked = 0
    given_answers = iter(answers)
    while not isinstance(state.place, Ended):
        if isinstance(actions[-1], CheckHours):
            state, actions = step(flow, state, Checked(is_open))
        else:
            assert isinstance(actions[-1], Ask)
            asked += 1
            state, actions = step(flow, state, next(given_answers))
        assert all(not isinstance(action, Ask | CheckHours | Enqueue | HangUp) for action in actions[:-1])
    assert isinstance(actions[-1], Enqueue | HangUp)
    assert asked <= 1 + flow.max_steps
    assert is_open or isinstance(actions[-1], HangUp)
