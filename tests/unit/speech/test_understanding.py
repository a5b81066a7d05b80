"""What a conversation says and how it was handled, each with the sentences it rests on."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from core.profile_file import ProfileInvalid, RawProfile, section
from core.settings import PROJECT_ROOT
from speech.complaint import complaint_signs
from speech.conversation import CITIZEN, LINE, Sentence, sentences
from speech.insight import understood
from speech.profile import SpeechSection
from speech.quality import Measures, checked, measures, score, themes
from speech.quality_profile import QualitySection
from speech.questions import is_question
from speech.summary import summary
from speech.topics import TAG_NAMES, tags
from speech.transcript import wordless

pytestmark = pytest.mark.unit


def talk(*said: str) -> list[Sentence]:
    """`C …` or `O …`, three seconds each, one second apart."""
    return [
        Sentence(
            side=CITIZEN if line[0] == "C" else LINE, text=line[2:], start_s=4.0 * n, end_s=4.0 * n + 3.0
        )
        for n, line in enumerate(said)
    ]


BOOKING = talk(
    "O お電話ありがとうございます、コールセンターの佐藤でございます",
    "C もしもし",
    "C マイナンバーカードを受け取りたいので、予約をお願いしたいんですけど",
    "O 受け取りのご予約ですね",
    "C 土曜日は空いていますか",
    "O 第二土曜日の14日、10時半が空いております",
    "C じゃあそれでお願いします",
    "O 14日の10時半で承りました",
    "C わかりました",
)


def test_the_summary_says_what_was_wanted_and_what_came_of_it() -> None:
    chosen = [BOOKING[place].text for place in summary(BOOKING)]
    assert chosen[0].startswith("マイナンバーカードを受け取りたい")
    assert chosen[-1] == "14日の10時半で承りました"
    assert len(chosen) == 3


def test_a_summary_of_nods_is_empty() -> None:
    assert summary(talk("C はい", "O はい、ありがとうございます", "C どうも")) == []
    assert summary([]) == []


def test_tags_carry_the_sentences_they_rest_on() -> None:
    found = {tag.tag: tag.sentences for tag in tags(BOOKING)}
    assert set(found) == {"booking", "pickup"}
    assert 2 in found["booking"]
    assert [tag.tag for tag in tags(talk("C 水道の件です"))] == ["other"]
    assert {tag.tag for tag in tags(BOOKING)} <= set(TAG_NAMES)


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("土曜日は空いていますか", True),
        ("何が必要か教えてほしいんです", True),
        ("手数料っていくらでしたっけ", True),
        ("予約を取り消したいんですが", False),
        ("そうなんですか", False),
        ("どうしてくれるんですか", False),
        ("わかりました", False),
    ],
)
def test_questions(text: str, asks: bool) -> None:
    assert is_question(text) is asks


def test_a_complaint_is_told_from_politeness_and_from_its_denial() -> None:
    angry = talk(
        "C もう一時間も待たされたんですよ、どうなってるんですか",
        "O 大変申し訳ございません、責任者に報告いたします",
    )
    signs = complaint_signs(angry)
    assert signs.complaint
    assert signs.sentences == (0, 1)
    polite = talk(
        "C カードが届かないんですけど", "O 申し訳ございません、ご迷惑をおかけして、担当課に申し伝えます"
    )
    assert not complaint_signs(polite).complaint
    denied = talk("C 苦情というほどではないんですが、毎回同じことを聞かれます", "O 申し訳ございません")
    assert not complaint_signs(denied).complaint


def test_the_record_is_json_with_texts_and_times() -> None:
    record = understood(BOOKING)
    assert record["questions"] == [{"side": "citizen", "start_s": 16.0, "text": "土曜日は空いていますか"}]
    assert record["tags"][0]["name"] in ("予約", "受け取り")
    assert record["complaint"]["complaint"] is False


def test_a_segment_of_two_sentences_is_cut_and_its_time_shared() -> None:
    cut = list(sentences([("citizen", "予約です。土曜日は空いていますか？", 10.0, 20.0)]))
    assert [(s.text, s.start_s) for s in cut] == [("予約です。", 10.0), ("土曜日は空いていますか？", 12.94)]
    assert cut[1].end_s == 20.0


def quality(conversation: list[Sentence], *known: str) -> dict[str, bool | None]:
    record = checked(conversation, known, measures(conversation), QualitySection())
    return {item["id"]: item["passed"] for item in record["items"]}


def test_the_checklist_and_its_evidence() -> None:
    found = quality(BOOKING, "booking")
    assert found["greeting"] is True
    assert found["confirmation"] is True
    assert found["read_back"] is True
    assert found["term"] is True
    record = checked(BOOKING, ["booking"], measures(BOOKING), QualitySection())
    evidence = {item["id"]: [e["text"] for e in item["evidence"]] for item in record["items"]}
    assert evidence["read_back"] == ["14日の10時半で承りました"]
    assert "read_back" not in {name for name, passed in quality(BOOKING).items() if passed is not None}


def test_what_must_not_be_said_fails_with_the_sentence_that_says_it() -> None:
    bad = talk("O 個人番号カードの件ですね", "C はい", "O ではマイナンバーを教えてください")
    found = quality(bad)
    assert found["term"] is False
    assert found["no_number"] is False
    assert found["greeting"] is False


def test_measures_of_the_talk() -> None:
    said = [
        Sentence(side=LINE, text="お待ちください", start_s=0.0, end_s=4.0),
        Sentence(side=CITIZEN, text="はい", start_s=3.0, end_s=5.0),
        Sentence(side=LINE, text="お待たせしました", start_s=65.0, end_s=69.0),
        Sentence(side=CITIZEN, text="どうも", start_s=80.0, end_s=82.0),
    ]
    assert measures(said, holds=[(5.0, 64.0)]) == Measures(
        citizen_s=4.0, operator_s=8.0, silence_s=11.0, silences_s=11.0, overlap_s=1.0, hold_s=59.0
    )
    assert measures([]).operator_share == 0.5


def test_music_without_words_is_a_hold() -> None:
    sounds = [(0.0, 5.0), (10.0, 30.0), (31.0, 50.0), (60.0, 64.0)]
    assert wordless(sounds, [(0.5, 4.5), (41.0, 49.5), (60.0, 63.0)]) == ((10.0, 41.0),)
    assert wordless(sounds, []) == ((10.0, 50.0),)


RECORD = {
    "items": [
        {"id": "greeting", "theme": "名乗り", "weight": 10, "passed": True},
        {"id": "closing", "theme": "結び", "weight": 30, "passed": False},
        {"id": "read_back", "theme": "復唱", "weight": 20, "passed": None},
    ]
}


def test_the_score_and_a_supervisor_s_word() -> None:
    assert score(RECORD, {}) == 25.0
    assert score(RECORD, {"closing": {"passed": True}}) == 100.0
    assert score(RECORD, {"read_back": {"passed": True}}) == 50.0
    assert score({"items": []}, {}) is None


def test_themes_of_a_month() -> None:
    found = themes(
        [
            ("c-1", "101", RECORD, {}),
            ("c-2", "102", RECORD, {"closing": {"passed": True}}),
            ("c-3", "101", RECORD, {"greeting": {"passed": False}}),
        ]
    )
    assert [(theme.item, theme.missed, theme.applied) for theme in found] == [
        ("closing", 2, 3),
        ("greeting", 1, 3),
    ]
    assert found[0].operators == {"101": (2, 2), "102": (0, 1)}
    assert found[0].calls == ("c-1", "c-3")


def test_a_city_s_own_checklist_and_its_mistakes() -> None:
    def read(values: Mapping[str, object]) -> SpeechSection:
        raw = RawProfile(PROJECT_ROOT / "profiles" / "test.toml", {"speech": values}, {})
        return section(raw, "speech", SpeechSection)

    own = {"items": [{"id": "name", "name_ja": "名前", "words": ["お名前"]}], "limits": {"silence_s": 5.0}}
    rules = read({"quality": own}).quality
    assert [item.id for item in rules.items] == ["name"]
    assert rules.limits.silence_s == 5.0
    for bad in (
        {"quality": {"items": [{"id": "x", "name_ja": "x", "words": ["("]}]}},
        {"mute": {"within_hours": 0}},
    ):
        with pytest.raises(ProfileInvalid):
            read(bad)
