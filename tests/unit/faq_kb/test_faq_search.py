"""The search: what it finds however it is written, and that a changed index finds what a new one would."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faq_kb.index import Index, changed, made_anew
from faq_kb.query import Link
from faq_kb.search import Searcher
from faq_kb.segment import Document
from faq_kb.synonyms import Synonyms, SynonymSet
from faq_kb.text import normalise, pair_keys, sentences, solid
from faq_kb.vectors import WordVectors, murmur_hash
from faq_kb.words import Analyser, telling

pytestmark = pytest.mark.unit

ANALYSER = Analyser()
TEXTS = {
    "lost": (
        "マイナンバーカードを紛失したときはどうすればよいですか。",
        "コールセンターで利用を一時停止してください。",
    ),
    "pin": ("暗証番号を忘れました。", "窓口で再設定の手続きをしてください。"),
    "pick": ("カードの受け取りに予約は必要ですか。", "予約が必要です。電話か予約サイトでお取りください。"),
    "move": ("引っ越したときの手続きを教えてください。", "転入届と一緒に住所の変更をします。"),
    "baby": ("乳児のカードは申請できますか。", "保護者が代わりに申請できます。写真は要りません。"),
    "cert": ("コンビニで住民票の写しを取れますか。", "利用者証明用電子証明書を使って取れます。"),
}


def document(name: str, version: int = 1, **more: object) -> Document:
    question, answer = TEXTS[name]
    return Document(article_id=name, version=version, questions=(question,), answer=answer, **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def index() -> Index:
    return made_anew([document(name) for name in TEXTS], ANALYSER, None)


def found(index: Index, text: str, searcher: Searcher | None = None, **more: object) -> list[str]:
    hits = (searcher or Searcher(ANALYSER)).search(index, text, **more)  # type: ignore[arg-type]
    return [hit.article_id for hit in hits]


@pytest.mark.parametrize(
    ("text", "best"),
    [
        ("マイナンバーカードを紛失", "lost"),
        ("受取りの予約", "pick"),
        ("うけとり よやく", "pick"),
        ("ﾏｲﾅﾝﾊﾞｰｶｰﾄﾞの紛失", "lost"),
        ("暗唱番号を忘れた", "pin"),
        ("マイナンバカド紛出した", "lost"),
        ("えっと、コンビニで住民票とか取れるんでしたっけ", "cert"),
        ("あんしょうばんごう", "pin"),
    ],
)
def test_an_article_is_found_however_it_is_asked_for(index: Index, text: str, best: str) -> None:
    assert found(index, text)[0] == best


def test_nothing_is_found_where_nothing_fits(index: Index) -> None:
    assert found(index, "") == []
    assert found(index, " 。") == []
    assert found(index, "xyz") == []
    assert found(Index(), "カード") == []


def test_a_synonym_leads_to_the_article_and_is_a_strict_hit(index: Index) -> None:
    words = Synonyms([SynonymSet(set_id="s1", words=("赤ちゃん", "乳児"))], ANALYSER)
    plain, helped = Searcher(ANALYSER), Searcher(ANALYSER, synonyms=words)
    assert not any(hit.strict for hit in plain.search(index, "赤ちゃん"))
    best = helped.search(index, "赤ちゃん")[0]
    assert (best.article_id, best.strict) == ("baby", True)
    assert [(m.found, m.link) for m in best.matches] == [("乳児", Link.SYNONYM)]


def test_a_synonym_of_several_words_counts_as_a_whole(index: Index) -> None:
    words = Synonyms([SynonymSet(set_id="s1", words=("異動の届け出", "引っ越し"))], ANALYSER)
    assert found(index, "異動の届け出のこと", Searcher(ANALYSER, synonyms=words))[0] == "move"
    assert words.of("異動と届け出", ANALYSER.analyse("異動と届け出").words) == {}


def test_what_added_to_a_score_is_told(index: Index) -> None:
    hits = Searcher(ANALYSER).search(index, "紛失したカード")
    assert hits[0].score == pytest.approx(sum(hits[0].parts.values()), abs=1e-3)
    assert hits[0].covered == 1.0
    assert {match.asked for match in hits[0].matches} >= {"紛失", "カード"}
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_only_what_is_valid_and_meant_for_the_reader_is_shown() -> None:
    index = made_anew(
        [document("lost", public=True), document("pick", valid_from=10.0), document("pin", valid_until=10.0)],
        ANALYSER,
        None,
    )
    everything = "カード 予約 暗証番号"
    assert set(found(index, everything)) == {"lost", "pick", "pin"}
    assert set(found(index, everything, now=9.0)) == {"lost", "pin"}
    assert set(found(index, everything, now=10.0)) == {"lost", "pick"}
    assert found(index, everything, public=True) == ["lost"]


NAMES = st.sampled_from(sorted(TEXTS))


@settings(max_examples=30)
@given(
    st.lists(NAMES, unique=True),
    st.lists(st.tuples(st.booleans(), st.lists(NAMES, min_size=1, unique=True)), max_size=14),
)
def test_a_changed_index_knows_what_a_new_one_would(
    start: list[str], steps: list[tuple[bool, list[str]]]
) -> None:
    index = made_anew([document(name) for name in start], ANALYSER, None)
    there = dict.fromkeys(start, 1)
    for number, (goes, names) in enumerate(steps, start=2):
        if goes:
            index = changed(index, [], names, ANALYSER, None)
            for name in names:
                there.pop(name, None)
        else:
            index = changed(index, [document(name, number) for name in names], [], ANALYSER, None)
            there |= dict.fromkeys(names, number)
        assert len(index.segments) <= 8
    assert dict(index.versions()) == there
    assert len(index) == len(there)
    for name, (question, _) in TEXTS.items():
        hits = Searcher(ANALYSER).search(index, question)
        assert {hit.article_id for hit in hits} <= set(there)
        if name in there:
            assert (hits[0].article_id, hits[0].version) == (name, there[name])


def test_an_index_that_changed_much_is_worn() -> None:
    few = [document(name) for name in TEXTS]
    index = made_anew(few, ANALYSER, None)
    assert not index.worn
    more = [Document(article_id=f"n{n}", version=1, questions=("質問",), answer="答え") for n in range(120)]
    assert changed(index, more, [], ANALYSER, None).worn


# ---- vectors --------------------------------------------------------------------------------------


def small_vectors() -> WordVectors:
    """紛失 and 亡失 lie near each other, all else far."""
    words = ["紛失", "亡失", "予約", "カード"]
    unit = np.zeros((4, 300), np.float32)
    unit[0, 0] = 1.0
    unit[1, :2] = (0.8, 0.6)
    unit[2, 2] = 1.0
    unit[3, 3] = 1.0
    keys = np.array([murmur_hash(word.encode()) for word in words], np.uint64)
    order = np.argsort(keys)
    return WordVectors(unit, keys[order], order.astype(np.int32))


def test_a_word_that_means_nearly_the_same_finds_the_article() -> None:
    vectors = small_vectors()
    assert vectors.row("紛失") == 0
    assert vectors.row("無い語") == -1
    index = made_anew([document(name) for name in TEXTS], ANALYSER, vectors)
    hit = Searcher(ANALYSER, vectors).search(index, "亡失")[0]
    assert hit.article_id == "lost"
    assert not hit.strict
    assert [(m.found, m.link, m.nearness) for m in hit.matches] == [("紛失", Link.NEAR, 0.64)]
    assert Searcher(ANALYSER).search(index, "亡失")[0].covered == 0.0


# ---- texts ----------------------------------------------------------------------------------------


def test_one_notation() -> None:
    assert normalise("ﾏｲﾅﾝﾊﾞｰＣＡＲＤ") == "マイナンバーcard"
    assert normalise("マイナンバ‐カード") == "マイナンバーカード"
    assert solid("カード、 紛失!") == "カード紛失"
    assert list(sentences("一つ。二つ？\n三つ")) == ["一つ。", "二つ？", "三つ"]
    assert len(pair_keys("あ")) == 0
    assert len(set(pair_keys("あいあい").tolist())) == 2


def test_a_text_longer_than_the_tokeniser_takes() -> None:
    assert len(ANALYSER.analyse("予約" * 30_000).words) == 60_000 // 2


def test_words_of_asking_say_nothing_of_the_matter() -> None:
    assert telling(ANALYSER.analyse("予約について教えてください、予約").words) == ("予約",)
