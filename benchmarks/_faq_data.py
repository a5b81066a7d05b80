"""What `benchmarks.faq_search` measures on: localgovFAQ where it lies, and what is made of it.

The data (Sakata et al., SIGIR 2019, in the JSON form of mahiya/japanese-text-embedding-benchmark) states no licence:
it is read from outside this repository and nothing of it is kept.
"""

from __future__ import annotations

import json
import math
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.settings import PROJECT_ROOT
from faq_kb.segment import Document
from faq_kb.words import Analysed, Analyser

FOLDER = PROJECT_ROOT.parent / "shared" / "data" / "localgovfaq"
_ENTRY = re.compile(r"Question: (.*?)\nAnswer: (.*)", re.DOTALL)
_SENTENCE = re.compile(r"[^。■]*[。■]?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Entries, questions, and how well entries answer them (2 answers, 1 is related)."""

    documents: Sequence[Document]
    queries: Mapping[str, str]
    grades: Mapping[str, Mapping[str, int]]


def judged() -> Judged | None:
    """The development half; None where it does not lie."""
    if not FOLDER.is_dir():
        return None
    corpus, queries, grades = (
        json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("corpus", "queries", "qrels")
    )
    documents = []
    for name, text in corpus.items():
        found = _ENTRY.fullmatch(text)
        assert found, name
        documents.append(Document(article_id=name, version=1, questions=(found[1],), answer=found[2]))
    return Judged(
        documents=documents,
        queries={name: text for name, text in queries.items() if name in grades},
        grades=grades,
    )


def measures(found: Mapping[str, Sequence[str]], data: Judged) -> dict[str, float]:
    """Recall, precision and nDCG (gains 2^grade − 1) of the first ten, and how often the first (five) had one."""
    sums = dict.fromkeys(("recall_10", "precision_10", "ndcg_10", "success_1", "success_5"), 0.0)
    for name, ids in found.items():
        grades = data.grades[name]
        got = [grades.get(article, 0) for article in ids[:10]]
        best = sorted(grades.values(), reverse=True)[:10]
        sums["recall_10"] += sum(grade > 0 for grade in got) / len(grades)
        sums["precision_10"] += sum(grade > 0 for grade in got) / 10
        sums["ndcg_10"] += _gain(got) / _gain(best)
        sums["success_1"] += any(got[:1])
        sums["success_5"] += any(got[:5])
    return {name: round(value / len(found), 4) for name, value in sums.items()}


def _gain(grades: Sequence[int]) -> float:
    return sum((2**grade - 1) / math.log2(place + 2) for place, grade in enumerate(grades))


def noisy(text: str, rate: float, letters: Sequence[str], dice: random.Random) -> str:
    """`text` with errors at `rate` of its characters: 60 % replaced, 25 % lost, 15 % added."""
    out = []
    for letter in text:
        if dice.random() >= rate:
            out.append(letter)
            continue
        kind = dice.random()
        if kind < 0.6:
            out.append(dice.choice(letters))
        elif kind >= 0.85:
            out += [letter, dice.choice(letters)]
    return "".join(out)


def letters_of(documents: Sequence[Document]) -> list[str]:
    """Every letter of the questions and answers, as often as it stands there."""
    return [letter for each in documents for letter in each.questions[0] + each.answer if letter.isalnum()]


def recombined(documents: Sequence[Document], count: int, seed: int = 1) -> list[Document]:
    """`count` entries: those that there are, then halves of two questions with sentences of two answers."""
    dice = random.Random(seed)
    parts = [[part for part in _SENTENCE.findall(each.answer) if part] for each in documents]
    made = list(documents[:count])
    while len(made) < count:
        one, two = dice.randrange(len(documents)), dice.randrange(len(documents))
        first, second = documents[one].questions[0], documents[two].questions[0]
        answer = parts[dice.randrange(len(parts))] + parts[dice.randrange(len(parts))]
        dice.shuffle(answer)
        made.append(
            Document(
                article_id=f"r{len(made)}",
                version=1,
                questions=(first[: len(first) // 2] + second[len(second) // 2 :],),
                answer="".join(answer[: max(2, len(answer) // 2)]),
            )
        )
    return made


class RememberingAnalyser(Analyser):
    """Cuts each sentence once: recombined entries are made of the same ones."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[str, Analysed] = {}

    def sentence(self, text: str) -> Analysed:
        found = self._seen.get(text)
        if found is None:
            found = self._seen[text] = super().sentence(text)
        return found
