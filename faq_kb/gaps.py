"""What citizens asked that no entry answers: calls that belong together, and an entry drafted from them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from faq_kb.segment import idf, meaning
from faq_kb.text import asked_in, pair_keys
from faq_kb.vectors import SIZE, WordVectors
from faq_kb.words import Analyser, telling

Floats = npt.NDArray[np.float32]

TOGETHER = 0.18
"""From this likeness (cosine), the mean over all pairs of their calls, two groups are one: what serves few calls and
many, as asked and as misheard (`benchmarks/gap_topics.py`)."""
EXAMPLES = 5
_MEANING = 0.6
"""How much meanings count beside words."""
_SOUND = 1.0
"""How much the reading of the telling words counts beside them."""
_MAIN = 2
"""Sentences that stand for a call: those with the most telling words."""
_COURTESY = frozenset(
    {
        "失礼", "分かる", "助かる", "有り難い", "御座る", "すむ", "宜しい", "宜しく", "承知", "了解", "安心", "世話",
        "結構", "一寸", "少々", "待つ",
    }
)  # fmt: skip
"""Words of greeting and leave-taking in normalised form: a sentence of these alone asks nothing."""
_LONGEST = 120
_OPENINGS = (
    "すみません",
    "すいません",
    "あの",
    "あのう",
    "えっと",
    "えーと",
    "もしもし",
    "はい",
    "ええ",
    "ちょっと",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """A call for which no entry was found."""

    call: str
    at: float
    """Epoch seconds."""
    asked: tuple[str, ...]
    """What the citizen said, sentence by sentence."""
    told: tuple[str, ...] = ()
    """What the operator said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An entry to begin with; a person writes the answer."""

    question: str
    forms: tuple[str, ...]
    told: tuple[str, ...]
    """What operators said in these calls, as a start for the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Calls about the same thing that nothing answers."""

    words: tuple[str, ...]
    """What it is about: the words that tell it from other gaps."""
    calls: tuple[str, ...]
    first_at: float
    last_at: float
    examples: tuple[str, ...]
    draft: Draft


def gaps(
    calls: Sequence[Unanswered],
    analyser: Analyser,
    vectors: WordVectors | None = None,
    least: int = 2,
    *,
    weigh: Callable[[str], float] | None = None,
    weigh_sound: Callable[[int], float] | None = None,
    together: float = TOGETHER,
) -> list[Gap]:
    """The gaps behind `calls`, the one with most calls first.

    Args:
        least: calls that make a gap; single ones are left out.
        weigh: how telling a word is in the knowledge base (`Index.weigh`): what no entry speaks of tells most. Without
            it rarity among the calls stands in, which few calls do not show.
        weigh_sound: the same for a pair of kana (`Index.weigh_sound`).
    """
    kept = [
        (call, _main(call.asked, analyser)) for call in sorted(calls, key=lambda each: (each.at, each.call))
    ]
    kept = [(call, main) for call, main in kept if main]
    if not kept:
        return []
    places = _places([[word for _, words in main for word in words] for _, main in kept], vectors, weigh)
    places = _with_reading(
        places,
        [[analyser.analyse(word).kana for _, words in main for word in words] for _, main in kept],
        weigh_sound,
    )
    groups = [group for group in _grouped(places, together) if len(group) >= least]
    everywhere = Counter(word for _, main in kept for word in {word for _, words in main for word in words})
    found = [_gap([kept[number] for number in group], places[group], everywhere) for group in groups]
    return sorted(found, key=lambda gap: (-len(gap.calls), gap.first_at))


Main = list[tuple[str, tuple[str, ...]]]


def _main(sentences: Sequence[str], analyser: Analyser) -> Main:
    """The sentences that stand for a call, with their telling words."""
    cut = [
        (sentence, telling(analyser.analyse(asked_in(sentence)).words))
        for sentence in dict.fromkeys(sentences)
    ]
    cut = [each for each in cut if not _COURTESY.issuperset(each[1])]
    ordered = sorted(cut, key=lambda each: -len(each[1]))
    return ordered[:_MAIN]


def _places(
    texts: Sequence[Sequence[str]], vectors: WordVectors | None, weigh: Callable[[str], float] | None
) -> Floats:
    """Where each call lies: its words by how telling they are, and what they mean; rows of unit length."""
    counts = Counter(word for text in texts for word in set(text))
    rarity = {word: weigh(word) if weigh else idf(len(texts), count) + 0.1 for word, count in counts.items()}
    columns = {word: number for number, word in enumerate(counts)}
    words = np.zeros((len(texts), len(columns)), np.float32)
    meanings = np.zeros((len(texts), SIZE if vectors else 1), np.float32)
    for row, text in enumerate(texts):
        for word, times in Counter(text).items():
            words[row, columns[word]] = rarity[word] * (1.0 + math.log(times))
        if vectors:
            meanings[row] = meaning(text, lambda word: rarity[word], vectors)
    if len(texts) > 2 and vectors:
        meanings = meanings - meanings.mean(axis=0)
    return _unit(np.hstack([_unit(words), _MEANING * _unit(meanings)]))


def _with_reading(
    places: Floats, read: Sequence[Sequence[str]], weigh: Callable[[int], float] | None
) -> Floats:
    """The places with what the calls sound like: a word that is written otherwise each time is read nearly alike."""
    keys = [np.unique(np.concatenate([pair_keys(kana) for kana in call])) for call in read]
    terms, having = np.unique(np.concatenate(keys), return_counts=True)
    rarity = np.array(
        [
            weigh(int(term)) if weigh else idf(len(read), int(count))
            for term, count in zip(terms, having, strict=True)
        ],
        np.float32,
    )
    sounds = np.zeros((len(read), len(terms)), np.float32)
    for row, own in enumerate(keys):
        columns = np.searchsorted(terms, own)
        sounds[row, columns] = rarity[columns]
    return _unit(np.hstack([places, _SOUND * _unit(sounds)]))


def _unit(rows: Floats) -> Floats:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    found: Floats = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
    return found


def _grouped(places: Floats, together: float) -> list[list[int]]:
    """Groups of calls: the two that are most alike are joined until none are alike enough (average linkage).

    Time grows with the square of the calls, save for many that are nearly the same.
    """
    groups = [[number] for number in range(len(places))]
    alike = places @ places.T
    np.fill_diagonal(alike, -np.inf)
    best = alike.argmax(axis=1)
    while True:
        one = int(np.argmax(alike[np.arange(len(groups)), best]))
        other = int(best[one])
        if not alike[one, other] >= together:
            return [sorted(group) for group in groups if group]
        one, other = sorted((one, other))
        sizes = len(groups[one]), len(groups[other])
        joined = (sizes[0] * alike[one] + sizes[1] * alike[other]) / sum(sizes)
        joined[one] = -np.inf
        groups[one], groups[other] = groups[one] + groups[other], []
        alike[one], alike[:, one] = joined, joined
        alike[other], alike[:, other] = -np.inf, -np.inf
        # A mean never exceeds what it is made of: only who was nearest to one of the two looks again.
        for row in {one, *np.flatnonzero((best == one) | (best == other)).tolist()}:
            best[row] = alike[row].argmax()


def _gap(calls: Sequence[tuple[Unanswered, Main]], places: Floats, everywhere: Counter[str]) -> Gap:
    middle = places.mean(axis=0)
    order = [int(number) for number in np.argsort(-(places @ middle), kind="stable")]
    counts = Counter(word for _, main in calls for word in {word for _, words in main for word in words})
    words = sorted(counts, key=lambda word: (-counts[word] * counts[word] / everywhere[word], word))
    examples = list(dict.fromkeys(plain(calls[number][1][0][0]) for number in order))
    told = list(dict.fromkeys(sentence for number in order for sentence in calls[number][0].told))
    return Gap(
        words=tuple(word for word in words if counts[word] * 2 >= len(calls))[:EXAMPLES] or tuple(words[:3]),
        calls=tuple(call.call for call, _ in calls),
        first_at=min(call.at for call, _ in calls),
        last_at=max(call.at for call, _ in calls),
        examples=tuple(examples[:EXAMPLES]),
        draft=Draft(
            question=examples[0], forms=tuple(examples[1 : 1 + EXAMPLES]), told=tuple(told[:EXAMPLES])
        ),
    )


def plain(sentence: str) -> str:
    """A spoken sentence without the words that people begin with."""
    text = " ".join(sentence.split()).strip("、。 ")
    while True:
        for opening in _OPENINGS:
            if text.startswith(opening) and text[len(opening) :].lstrip("ー").startswith(("、", " ", "。")):
                text = text[len(opening) :].lstrip("ー、 。")
                break
        else:
            return text[:_LONGEST]
