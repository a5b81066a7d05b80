"""What calls teach: suggestions with their sentences, gaps with a draft, and whether an entry helped."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faq_kb.gaps import Unanswered, gaps, plain
from faq_kb.index import Index, made_anew
from faq_kb.search import Searcher
from faq_kb.segment import Document
from faq_kb.suggestion import ANSWERED, suggest
from faq_kb.text import asked_in
from faq_kb.usage import Access, Searched, Verdict, effect, ranking, success
from faq_kb.words import Analyser

pytestmark = pytest.mark.unit

ANALYSER = Analyser()
SEARCHER = Searcher(ANALYSER)


@pytest.fixture(scope="module")
def index() -> Index:
    texts = {
        "lost": ("マイナンバーカードを紛失しました。", "一時停止の電話をしてください。"),
        "pin": ("暗証番号を忘れました。", "窓口で再設定してください。"),
        "book": ("受け取りの予約をしたいです。", "予約サイトか電話でお取りします。"),
        "move": ("引っ越しの届け出はどうしますか。", "転入届を出してください。"),
    }
    return made_anew(
        [Document(article_id=name, version=3, questions=(q,), answer=a) for name, (q, a) in texts.items()],
        ANALYSER,
        None,
    )


def test_a_call_gets_the_entries_that_it_is_about_with_the_sentences(index: Index) -> None:
    said = [
        "もしもし。",
        "カードを紛失してしまって。",
        "はい。",
        "あと、暗証番号も忘れました。",
        "お願いします。",
    ]
    found = suggest(SEARCHER, index, said)
    assert {each.article_id for each in found[:2]} == {"lost", "pin"}
    by_id = {each.article_id: each for each in found}
    assert by_id["lost"].sentences[0] == "カードを紛失してしまって。"
    assert by_id["pin"].sentences[0] == "あと、暗証番号も忘れました。"
    assert by_id["lost"].version == 3
    assert len(suggest(SEARCHER, index, said, 1)) == 1


def test_greetings_lead_to_nothing(index: Index) -> None:
    for said in ([], ["もしもし。"], ["はい。", "そうです。", "ありがとうございます。"]):
        assert all(each.confidence < ANSWERED for each in suggest(SEARCHER, index, said))


@given(
    st.lists(
        st.sampled_from(["カードを紛失しました。", "暗証番号を忘れました。", "はい。", "転入届のことです。"]),
        max_size=5,
    )
)
def test_another_sentence_never_takes_confidence_away(index: Index, said: list[str]) -> None:
    before = {each.article_id: each.confidence for each in suggest(SEARCHER, index, said, 50)}
    after = {
        each.article_id: each.confidence for each in suggest(SEARCHER, index, [*said, "予約したいです。"], 50)
    }
    assert all(after[name] >= confidence for name, confidence in before.items())
    assert all(0.0 <= confidence <= 1.0 for confidence in after.values())


def test_who_tells_a_number_asks_nothing_with_it(index: Index) -> None:
    assert asked_in("電話番号は、［電話番号］です。") == "です。"
    assert (
        asked_in("すみません。暗証番号は［暗証番号］ですが、使えますか。")
        == "すみません。ですが、使えますか。"
    )
    assert asked_in("［氏名］です。予約をしたいです。") == "です。予約をしたいです。"
    assert asked_in("予約をしたいです。") == "予約をしたいです。"
    said = ["受け取りの予約をしたいです。", "暗証番号は［暗証番号］です。"]
    assert [each.article_id for each in suggest(SEARCHER, index, said)][:1] == ["book"]
    assert suggest(SEARCHER, index, said[1:]) == []


def call(number: int, *asked: str, told: tuple[str, ...] = ()) -> Unanswered:
    return Unanswered(call=f"c-{number}", at=float(number), asked=asked, told=told)


def test_calls_about_the_same_thing_become_one_gap_with_a_draft() -> None:
    calls = [
        call(
            1,
            "もしもし。",
            "粗大ごみの回収を申し込みたいんですが。",
            told=("ごみ受付センターにおつなぎします。",),
        ),
        call(2, "すみません、犬の登録はどこでできますか。"),
        call(3, "粗大ごみの回収はいつですか。"),
        call(4, "はい。"),
        call(5, "えっと、犬の登録をしたいです。"),
        call(6, "粗大ごみの回収の料金を知りたいです。"),
        call(7, "桜まつりの駐車場はありますか。"),
    ]
    found = gaps(calls, ANALYSER)
    assert [gap.calls for gap in found] == [("c-1", "c-3", "c-6"), ("c-2", "c-5")]
    waste, dogs = found
    assert {"ごみ", "回収"} & set(waste.words)
    assert (waste.first_at, waste.last_at) == (1.0, 6.0)
    assert waste.draft.told == ("ごみ受付センターにおつなぎします。",)
    assert waste.draft.question in {
        "粗大ごみの回収を申し込みたいんですが",
        "粗大ごみの回収はいつですか",
        "粗大ごみの回収の料金を知りたいです",
    }
    assert len({waste.draft.question, *waste.draft.forms}) == 3
    assert set(dogs.examples) == {"犬の登録はどこでできますか", "犬の登録をしたいです"}
    assert len(gaps(calls, ANALYSER, least=1)) == 3
    assert gaps([call(1, "はい。")], ANALYSER, least=1) == []
    assert gaps([], ANALYSER) == []


def test_few_calls_are_told_apart_by_the_words_that_the_entries_lack(index: Index) -> None:
    calls = [
        call(1, "粗大ごみの収集を、申し込みたいのですが。", "古いソファーを粗大ごみに出したいです。"),
        call(
            2, "たんすを捨てたいのですが、粗大ごみの出し方を教えてください。", "家まで収集に来てくれますか。"
        ),
        call(3, "飼い犬の登録をしたいのですが。", "犬の予防注射もそこで聞けますか。"),
        call(4, "犬の予防注射のお知らせが来ないのですが。", "犬の登録はしてあります。"),
    ]
    found = gaps(calls, ANALYSER, weigh=index.weigh, weigh_sound=index.weigh_sound)
    assert [gap.calls for gap in found] == [("c-1", "c-2"), ("c-3", "c-4")]


@given(st.permutations(range(6)))
def test_gaps_do_not_depend_on_the_order_in_which_calls_come(order: list[int]) -> None:
    calls = [
        call(0, "粗大ごみの回収はいつですか。"), call(1, "犬の登録をしたい。"), call(2, "粗大ごみの回収の料金は。"),
        call(3, "犬の登録はどこですか。"), call(4, "粗大ごみの回収。"), call(5, "図書館の開館時間は。"),
    ]  # fmt: skip
    assert gaps([calls[number] for number in order], ANALYSER) == gaps(calls, ANALYSER)


def test_a_topic_that_is_misheard_another_way_each_time_is_one_gap() -> None:
    calls = [
        call(1, "そだいごみの収集をお願いしたいのですが。", "わかりました。失礼します。"),
        call(2, "粗大ゴミの終週はいつですか。", "助かりました。失礼します。"),
        call(3, "図書館の開館時間を知りたい。", "わかりました。失礼します。"),
        call(4, "保育園の申し込みはどこですか。", "助かりました。失礼します。"),
    ]
    assert [gap.calls for gap in gaps(calls, ANALYSER)] == [("c-1", "c-2")]


def test_courtesies_make_no_gap() -> None:
    said = (
        "わかりました。失礼します。",
        "ありがとうございました。",
        "少々お待ちください。",
        "すみません、ちょっと。",
    )
    assert gaps([call(number, *said) for number in range(4)], ANALYSER) == []


def test_what_is_heard_is_found_by_its_reading_and_what_is_typed_as_before(index: Index) -> None:
    heard = "引く濃しのトドケデはどうですか。"
    told = {hit.article_id: hit.parts for hit in SEARCHER.hearing().search(index, heard)}
    assert told["move"]["kana"] == max(parts["kana"] for parts in told.values()) > 0.1
    assert SEARCHER.hearing().search(index, heard, 1)[0].article_id == "move"
    typed = SEARCHER.search(index, "引っ越しの届け出はどうしますか。")
    assert all(hit.parts.get("kana", 0.0) == 0.0 for hit in typed)


def test_a_draft_begins_without_the_words_that_people_begin_with() -> None:
    assert plain("すみません、えーと、犬の登録は？") == "犬の登録は？"
    assert plain("はいけいの書き方") == "はいけいの書き方"
    assert len(plain("あ" * 500)) == 120


def test_entries_rank_by_how_often_they_are_asked_for() -> None:
    assert ranking(["a", "b", "a"], ["b", "c"]) == [
        Access(article_id="a", count=2, before=0),
        Access(article_id="b", count=1, before=1),
        Access(article_id="c", count=0, before=1),
    ]


def test_searches_in_vain_are_taken_together_whatever_their_spelling() -> None:
    found = success(
        [
            Searched(words="粗大 ゴミ", found=3, strict=False, used=False),
            Searched(words="粗大ゴミ", found=0, strict=False, used=False),
            Searched(words="犬", found=2, strict=False, used=True),
            Searched(words="紛失", found=5, strict=True, used=True),
        ]
    )
    assert (found.searches, found.zero_hit, found.no_strict_hit, found.used) == (4, 1, 3, 2)
    assert found.in_vain == (("粗大 ゴミ", 2),)


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [(40, 10, Verdict.FELL), (10, 40, Verdict.ROSE), (20, 18, Verdict.SAME), (2, 1, Verdict.TOO_FEW),
     (0, 9, Verdict.TOO_FEW), (30, 0, Verdict.FELL)],
)  # fmt: skip
def test_whether_calls_fell_is_told_from_chance(before: int, after: int, verdict: Verdict) -> None:
    assert effect(before, 1000, after, 1000).verdict is verdict


def test_an_effect_is_measured_against_all_calls() -> None:
    found = effect(50, 1000, 50, 2000)
    assert found.ratio == 0.5
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.5 < found.high < 1.0
    assert effect(5, 0, 5, 10).ratio is None
