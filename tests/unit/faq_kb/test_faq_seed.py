"""The first entries: whole, in the city's words, and found by what people say."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from faq_kb.article import Version, document_of
from faq_kb.csv_file import Row, read_rows, unknown_columns
from faq_kb.index import made_anew
from faq_kb.search import Searcher
from faq_kb.suggestion import suggest
from faq_kb.synonyms import Synonyms, SynonymSet
from faq_kb.words import Analyser
from runtime.faq_words import SEED, seed_cities
from services.city import list_cities

pytestmark = pytest.mark.unit

COMMON = SEED / "common.csv"


def rows_of(path: Path) -> list[Row]:
    data = path.read_bytes()
    assert unknown_columns(data) == []
    return read_rows(data, path.name)


def rows_for(city: str) -> list[Row]:
    return rows_of(COMMON) + rows_of(SEED / f"{city}.csv")


def sets() -> list[SynonymSet]:
    with (SEED / "synonyms.csv").open(encoding="utf-8-sig", newline="") as file:
        return [
            SynonymSet(set_id=row["id"], words=tuple(row["words"].split("\n")))
            for row in csv.DictReader(file)
        ]


def test_every_city_has_entries_and_there_are_enough() -> None:
    assert seed_cities() == sorted(list_cities())
    assert len(rows_of(COMMON)) >= 60


@pytest.mark.parametrize("city", seed_cities())
def test_ids_stand_once_and_relations_lead_somewhere(city: str) -> None:
    ids = [row.article_id for row in rows_for(city)]
    assert len(ids) == len(set(ids))
    every = {row.article_id for each in seed_cities() for row in rows_for(each)}
    for row in rows_for(city):
        assert set(row.content.related) <= every - {row.article_id}


@pytest.mark.parametrize("path", [*sorted(SEED.glob("[!s]*.csv"))], ids=lambda path: path.stem)
def test_entries_are_whole_and_use_the_citys_words(path: Path) -> None:
    for row in rows_of(path):
        content = row.content
        assert content.spoken, row.article_id
        assert content.category, row.article_id
        assert content.forms or content.category == "その他", row.article_id
        assert content.source, row.article_id
        assert len(content.spoken) <= 110, row.article_id
        for text in (content.question, content.answer, content.spoken):
            assert "個人番号カード" not in text


def test_synonyms_are_sets_of_their_own() -> None:
    found = sets()
    assert len(found) >= 25
    assert all(len(each.words) >= 2 and len(set(each.words)) == len(each.words) for each in found)
    assert len({each.set_id for each in found}) == len(found)


SAID = {
    "card-lost": "昨日お財布を落としまして、カードも一緒に入ってたんです",
    "pin-forgot": "パスワードがどうしても思い出せなくて",
    "pin-lock": "三回ぐらい違う番号を入れたら使えないって出たんですけど",
    "pickup-book": "カードができたって葉書が来たので取りに行く日を決めたい",
    "pickup-docs": "取りに行くとき何を持って行ったらいいですか",
    "pickup-change": "来週の予約、都合が悪くなったので別の日にしてほしい",
    "proxy-pickup": "母が入院しているので私が代わりに取りに行けますか",
    "infant-apply": "生まれたばかりの赤ん坊のカードも申請できますか",
    "card-renew": "カードの期限がもうすぐ切れるんですがどうすれば",
    "cert-renew": "電子証明書の更新のお知らせが届いたんです",
    "move-in-card": "先月そちらに引っ越してきたんですけどカードの住所は直さないといけませんか",
    "insurance-register": "病院で保険証として使えるようにするには",
    "insurance-without": "カードを持っていないと病院で見てもらえなくなるんでしょうか",
    "account-register": "給付金を振り込んでもらう口座を登録したい",
    "portal-login": "マイナポータルに入ろうとするとエラーになります",
    "conveni-cert": "コンビニで住民票って取れますか",
    "card-photo": "写真は眼鏡をかけたままでもいいですか",
    "card-how-long": "先週申し込んだんですがいつごろできますか",
    "card-apply": "まだ持っていないので作りたいんですけど",
    "portal-phone": "スマホの中にカードを入れられるって聞いたんですが",
}
"""What people say, in other words than the entries'."""


def test_what_people_say_leads_to_the_right_entry_among_three() -> None:
    analyser = Analyser()
    documents = [
        document_of(row.article_id, Version(number=1, content=row.content, made_at=0.0, made_by="x"))
        for row in rows_for("matsusaka")
    ]
    index = made_anew(documents, analyser, None)
    searcher = Searcher(analyser, synonyms=Synonyms(sets(), analyser))
    missed = [
        name
        for name, said in SAID.items()
        if name not in {each.article_id for each in suggest(searcher, index, [said])}
    ]
    assert len(missed) <= len(SAID) // 5, missed
