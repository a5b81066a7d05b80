"""Whether an entry is suggested for a question that was misheard: by words alone against words and reading.

Questions: one form of each first entry that has several, left out of the index. Misheard: words get a reading with
some kana confused or lost, and are written as another word that is read nearly so, or in kana, as recognisers do. The
weights of what is heard are chosen on the entries of one half and measured on the other.
"""

from __future__ import annotations

import random
import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.settings import settings_from
from faq_kb.article import Version, document_of
from faq_kb.csv_file import read_rows
from faq_kb.index import made_anew
from faq_kb.search import HEARD, WEIGHTS, Searcher
from faq_kb.segment import Document
from faq_kb.suggestion import ANSWERED, Suggestion, suggest
from faq_kb.synonyms import Synonyms
from faq_kb.vectors import load_vectors
from faq_kb.words import Analyser
from runtime.faq_words import SEED, seed_synonyms
from speech.kana import hiragana

CITY = "ageo"
WORD, CONFUSED, LOST = 0.4, 0.12, 0.05
"""Share of the words that are misheard; of their kana, those that are confused and those that are lost."""
SEEDS = (1, 2)
KANA = (0.2, 0.6, 1.0, 2.0)
_OPENINGS = ("マイナンバーの件でお電話しました。", "カードのことでお聞きしたいのですが。", "もしもし。")
_CLOSINGS = ("はい、わかりました。", "ありがとうございます。失礼いたします。")
_ALIKE = (
    "カガ", "キギ", "クグ", "ケゲ", "コゴ", "サザ", "シジヒ", "スズツ", "セゼ", "ソゾ", "タダ", "チジシ", "テデ",
    "トド", "ハバパ", "ヒビキ", "フブ", "ヘベ", "ホボオ", "ナマ", "ニミ", "ヌムウ", "ネメ", "ノモオ", "ラダ", "リイ",
    "ルウ", "レエ", "ロオド", "ヨユ", "ョュ", "アワ", "イエ", "ンウ",
)  # fmt: skip
_GREETINGS = (
    "もしもし。", "はい。", "ありがとうございました。", "わかりました。失礼します。", "お願いします。",
    "すみません、ちょっと教えてください。", "はい、よろしくお願いします。", "助かりました。", "お世話になります。",
    "少々お待ちください。",
)  # fmt: skip


class Mishearing:
    """Writes questions as a weak recogniser would."""

    def __init__(self, texts: Sequence[str]) -> None:
        import sudachipy

        self._tokeniser = sudachipy.Dictionary().tokenizer(sudachipy.SplitMode.A)
        self._written: dict[str, set[str]] = defaultdict(set)
        for text in texts:
            for token in self._tokeniser.tokenize(text):
                if len(token.reading_form()) > 1 and token.part_of_speech()[0] == "名詞":
                    self._written[token.reading_form()].add(token.surface())
        self._sounds: dict[str, str] = {}
        for group in _ALIKE:
            for kana in group:
                self._sounds[kana] = self._sounds.get(kana, "") + group.replace(kana, "")

    def __call__(self, text: str, dice: random.Random) -> str:
        return "".join(self._word(token, dice) for token in self._tokeniser.tokenize(text))

    def _word(self, token: Any, dice: random.Random) -> str:
        if token.part_of_speech()[0] not in ("名詞", "動詞", "形状詞") or dice.random() >= WORD:
            return str(token.surface())
        read = []
        for kana in token.reading_form():
            chance = dice.random()
            if chance >= CONFUSED + LOST:
                read.append(kana)
            elif chance < CONFUSED:
                read.append(dice.choice(self._sounds.get(kana, kana)))
        heard = "".join(read)
        others = sorted(
            word
            for reading, words in self._written.items()
            if len(reading) == len(heard) and sum(a != b for a, b in zip(reading, heard, strict=True)) <= 1
            for word in words
            if word != token.surface()
        )
        return dice.choice(others) if others and dice.random() < 0.7 else hiragana(heard)


def run(out: Path, quick: bool) -> dict[str, Any]:
    """Choose on one half, measure on the other. Quick: one seed."""
    del out
    analyser = Analyser()
    documents, asked = _data()
    index = made_anew(documents, analyser, vectors := load_vectors(settings_from().tools / "faq-vectors"))
    searcher = Searcher(analyser, vectors, Synonyms(seed_synonyms(), analyser))
    mishearing = Mishearing([text for each in documents for text in (*each.questions, each.answer)])
    said: dict[str, list[tuple[str, str]]] = {"chosen_on": [], "measured_on": []}
    typed: dict[str, list[tuple[str, str]]] = {"chosen_on": [], "measured_on": []}
    for name, form in asked.items():
        half = "chosen_on" if zlib.crc32(name.encode()) % 2 else "measured_on"
        typed[half].append((name, form))
        said[half] += [
            (name, mishearing(form, random.Random(f"{seed}{name}"))) for seed in SEEDS[: 1 if quick else None]
        ]

    def found(pairs: Sequence[tuple[str, str]], hears: Searcher) -> dict[str, Any]:
        answers = [(name, suggest(hears, index, _call(name, text))) for name, text in pairs]
        return {
            "questions": len(pairs),
            "top_3": round(sum(name in _ids(each) for name, each in answers) / len(pairs), 4),
            "top_1": round(sum(name in _ids(each[:1]) for name, each in answers) / len(pairs), 4),
        }

    table = [
        {"kana": kana, **found(said["chosen_on"], searcher.hearing({**WEIGHTS, "kana": kana}))}
        for kana in KANA
    ]
    best = max(table, key=lambda row: (row["top_3"], row["top_1"]))
    figures: dict[str, Any] = {"chosen_on": table, "best": best["kana"], "shipped": HEARD["kana"]}
    for name, pairs in (("misheard", said), ("as_written", typed)):
        figures[name] = {
            "as_typed": found(pairs["measured_on"], searcher),
            "heard": found(pairs["measured_on"], searcher.hearing()),
        }
    figures["greetings_answered"] = sum(
        any(each.confidence >= ANSWERED for each in suggest(searcher.hearing(), index, [text]))
        for text in _GREETINGS
    )
    return figures


def _ids(found: Sequence[Suggestion]) -> set[str]:
    return {each.article_id for each in found}


def _call(name: str, text: str) -> list[str]:
    dice = random.Random(name)
    return [dice.choice(_OPENINGS), text, dice.choice(_CLOSINGS)]


def _data() -> tuple[list[Document], Mapping[str, str]]:
    """The entries without one form each, and those forms."""
    documents, asked = [], {}
    for name in ("common", CITY):
        for row in read_rows((SEED / f"{name}.csv").read_bytes(), name):
            document = document_of(
                row.article_id, Version(number=1, content=row.content, made_at=0.0, made_by="x")
            )
            if len(document.questions) > 1:
                asked[document.article_id] = document.questions[0]
                document = replace(document, questions=document.questions[1:])
            documents.append(document)
    return documents, asked
