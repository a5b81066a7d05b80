"""The script against the first entries, without a switch: the right entry among three, a gap where there is none."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from benchmarks._faq_data import letters_of, noisy
from core.ids import CallId
from demo.script import Role, dialogue, greeting_name, script_lines
from demo.talks import TALKS
from demo.truth import TruthRecord
from faq_kb.article import Version, document_of
from faq_kb.csv_file import read_rows
from faq_kb.gaps import Unanswered, gaps
from faq_kb.index import Index, made_anew
from faq_kb.search import Searcher
from faq_kb.suggestion import ANSWERED, Suggestion, suggest
from faq_kb.synonyms import Synonyms
from faq_kb.words import Analyser
from runtime.acceptance import misunderstood
from runtime.demo_learning import Learned, compared, key_words, learned_rows, said_numbers
from runtime.faq_words import SEED, seed_synonyms
from services.city import list_cities, load_city
from services.faq_loop import Talked
from services.speech_ports import MuteState, RecordingMute
from speech.redact import redact_text

pytestmark = pytest.mark.unit

ANALYSER = Analyser()
NOISE = 0.1
"""Share of characters that are wrong, as simulated."""
LEAST = 0.8


@pytest.fixture(scope="module", params=list_cities())
def city(request: pytest.FixtureRequest) -> tuple[str, Searcher, Index, list[str]]:
    """A city's first entries, without word vectors: those are optional."""
    documents = [
        document_of(row.article_id, Version(number=1, content=row.content, made_at=0.0, made_by="x"))
        for name in ("common", request.param)
        for row in read_rows((SEED / f"{name}.csv").read_bytes(), name)
    ]
    searcher = Searcher(ANALYSER, synonyms=Synonyms(seed_synonyms(), ANALYSER))
    return request.param, searcher, made_anew(documents, ANALYSER, None), letters_of(documents)


def heard(
    name: str, language: str, rate: float, letters: Sequence[str], dice: random.Random
) -> tuple[str, ...]:
    """What a transcript may hold of a citizen's lines: masked, and with errors."""
    return tuple(
        noisy(redact_text(line.text), rate, letters, dice)
        for line in dialogue(name, language)
        if line.role is Role.CITIZEN
    )


@pytest.mark.parametrize("rate", [0.0, NOISE])
def test_most_talks_lead_to_the_right_entry_among_three(
    city: tuple[str, Searcher, Index, list[str]], rate: float
) -> None:
    name, searcher, index, letters = city
    topics = {errand.id for errand in load_city(name).demo.intents} | {"ask"}
    asked = [key for key, talk in TALKS.items() if talk.topic in topics and talk.entries]
    dice, missed, every = random.Random(1), [], 0
    for key in asked * (3 if rate else 1):
        every += 1
        found = {
            each.article_id for each in suggest(searcher.hearing(), index, heard(*key, rate, letters, dice))
        }
        if not found & TALKS[key].entries:
            missed.append((key, found))
    assert every >= len(asked) >= 10
    assert len(missed) <= (1 - LEAST) * every, missed


def test_what_nothing_answers_becomes_a_gap_for_each_topic(
    city: tuple[str, Searcher, Index, list[str]],
) -> None:
    _, searcher, index, letters = city
    unanswered = []
    for (name, language), talk in TALKS.items():
        if talk.entries:
            continue
        asked = heard(name, language, 0.0, letters, random.Random(1))
        found = suggest(searcher.hearing(), index, asked)
        assert not found or found[0].confidence < ANSWERED, (name, found)
        unanswered.append(Unanswered(call=name, at=0.0, asked=asked))
    found_gaps = gaps(unanswered, ANALYSER, weigh=index.weigh, weigh_sound=index.weigh_sound)
    assert {frozenset(TALKS[call, "ja"].topic for call in gap.calls) for gap in found_gaps} == {
        frozenset({"bulky"}),
        frozenset({"dog"}),
    }
    assert sum(len(gap.calls) for gap in found_gaps) == len(unanswered)


# ---- the comparison -------------------------------------------------------------------------------


def record(number: int, topic: str) -> TruthRecord:
    lines = dialogue(topic, "ja")
    return TruthRecord(
        sip_call_id=f"s{number}", caller="07000010001", dialled="0000", started_at=float(number), intent="book",
        disposition="answered", operators=("201",), wait_s=0.0, talk_s=9.0, ended_by="citizen",
        said=tuple(line.name for line in lines if line.role is Role.CITIZEN),
        answered_with=tuple(line.name for line in lines if line.role is Role.OPERATOR),
    )  # fmt: skip


def talked(number: int, topic: str, **changes: str) -> Talked:
    lines = dialogue(topic, "ja")
    text = {line.name: redact_text(line.text) for line in lines} | changes
    return Talked(
        call=CallId(f"c-n-{number}.0"),
        at=float(number),
        citizen=tuple(text[line.name] for line in lines if line.role is Role.CITIZEN),
        operator=tuple(text[line.name] for line in lines if line.role is Role.OPERATOR),
    )


LINES = script_lines("上尾市のセンター", "the Ageo centre")
HELD = ("book_2", "certificate_2", "bulky", "bulky_2")
TRUTH = [record(number, name) for number, name in enumerate(HELD, start=1)]
CALLS = {f"s{number}": CallId(f"c-n-{number}.0") for number in range(1, 5)}


def suggestion(name: str) -> Suggestion:
    return Suggestion(article_id=name, version=1, confidence=0.9, sentences=("…",))


def mute(number: int, state: MuteState = MuteState.PROVEN) -> RecordingMute:
    call = CallId(f"c-n-{number}.0")
    return RecordingMute(
        base=f"{call}-1", side="citizen", call_id=call, spans=((1.0, 3.0, "pin"),), due_at=0.0, state=state
    )


def learned(**changes: Any) -> Learned:
    calls = {each.call: each for each in map(talked, range(1, 5), HELD)}
    waste = [calls[CALLS[name]] for name in ("s3", "s4")]
    whole: dict[str, Any] = {
        "talked": calls,
        "entries": {
            CALLS["s1"]: [suggestion("card-fee"), suggestion("pickup-book")],
            CALLS["s2"]: [suggestion("pin-lock")],
        },
        "gaps": gaps(
            [Unanswered(call=each.call, at=0.0, asked=each.citizen) for each in waste],
            ANALYSER,
            weigh=lambda _: 1.0,
        ),
        "unanswered": 2,
        "mutes": {CALLS["s1"]: [mute(1)], CALLS["s2"]: [mute(2)]},
    }
    return Learned(**whole | changes)


def understood(found: Learned, *traces: str) -> list[str]:
    return misunderstood({"understood": compared(TRUTH, CALLS, found, LINES) | {"left": {"traces": traces}}})


def test_a_day_that_was_understood_has_no_fault() -> None:
    assert understood(learned()) == []
    figures = compared(TRUTH, CALLS, learned(), LINES)
    assert figures["words"]["share"] == 1.0
    assert (figures["suggestions"]["top_3"], figures["suggestions"]["top_1"]) == (2, 1)
    assert figures["gaps"]["found"] == ["bulky"]
    assert figures["planted"] == {
        "calls": 2, "kinds": {"pin": 1, "telephone": 1}, "unmasked_transcripts": [], "recordings": {"proven": 2},
    }  # fmt: skip
    assert len(learned_rows(learned())) == 3
    assert {each.digits for each in said_numbers(TRUTH)} == {"09003724815", "7294"}


def test_an_operator_names_the_centre_of_their_own_city() -> None:
    greeted = [replace(each, answered_with=(greeting_name("ja"), *each.answered_with)) for each in TRUTH]
    said = f"お電話ありがとうございます。{LINES[greeting_name('ja')][0]}"
    whole = learned()
    calls = {call: replace(each, operator=(said, *each.operator)) for call, each in whole.talked.items()}
    assert compared(greeted, CALLS, replace(whole, talked=calls), LINES)["words"]["share"] == 1.0
    other = script_lines("松阪市のセンター", "the Matsusaka centre")
    assert compared(greeted, CALLS, replace(whole, talked=calls), other)["words"]["share"] < 1.0


def test_each_thing_that_went_wrong_is_named() -> None:
    whole = learned()
    wrong = {call: [suggestion("card-fee")] for call in whole.entries}
    assert any("right entry" in fault for fault in understood(learned(entries=wrong)))
    assert any("gaps" in fault for fault in understood(learned(gaps=[])))
    assert any("proved silent" in fault for fault in understood(learned(mutes={})))
    left = {CALLS["s1"]: [mute(1)], CALLS["s2"]: [mute(2, MuteState.LEFT)]}
    assert any("left" in fault for fault in understood(learned(mutes=left)))
    assert any("were found" in fault for fault in understood(whole, "call.note: number"))
    deaf = {call: talked(number, "dog") for number, call in enumerate(whole.talked, start=1)}
    assert any("key words" in fault for fault in understood(learned(talked=deaf)))
    line = "certificate_2_ja_citizen_2"
    spoken = {
        **whole.talked,
        CALLS["s2"]: talked(2, "certificate_2", **{line: "暗証番号はななにいきゅうよんです"}),
    }
    assert any("transcripts of" in fault for fault in understood(learned(talked=spoken)))
    assert misunderstood({}) == ["nothing is said of what was understood"]


def test_key_words_are_what_a_sentence_is_about() -> None:
    assert {"暗証", "番号", "忘れる"} <= key_words("カードの暗証番号を、忘れてしまいました。")
    assert key_words("わかりました。") <= {"分かる"}
