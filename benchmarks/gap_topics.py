"""Whether calls about the same thing come together as one gap: groups at several thresholds, on two halves of topics.

Calls: questions that citizens really asked a city (localgovFAQ, development half, read where it lies), each with a
farewell; two are about the same thing when the judges found that the same entry answers both. Days of chance hold some
topics with two calls each and as many single calls. As asked, and with words misheard as recognisers do
(`benchmarks.heard_suggestions.Mishearing`). Each half of the topics names the threshold that it would choose.

A pair of calls counts: precision is the share of the pairs in one gap that belong together, recall the share of those
that belong together which are in one gap.
"""

from __future__ import annotations

import itertools
import random
import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks._faq_data import Judged, judged
from benchmarks.demo_talks import Judge
from benchmarks.heard_suggestions import Mishearing
from faq_kb.gaps import TOGETHER, Unanswered, gaps

FAREWELLS = ("お願いします。", "わかりました。失礼します。", "ありがとうございました。")
TRIED = (0.12, 0.15, 0.18, 0.21, 0.25)
SIZES = {"few": (3, 3, 40), "many": (10, 10, 8)}
"""Topics with two calls, single calls, days."""
_LONGEST = 60
_ANSWERS = 2

Topics = Mapping[str, Sequence[str]]


def topics_of(data: Judged) -> dict[str, list[str]]:
    """Entry to the questions that it answers, two or three; no question stands twice."""
    asking: dict[str, list[str]] = defaultdict(list)
    for query, grades in data.grades.items():
        for entry, grade in grades.items():
            if grade == _ANSWERS and len(data.queries[query]) <= _LONGEST:
                asking[entry].append(query)
    taken: set[str] = set()
    found = {}
    for entry, queries in sorted(asking.items(), key=lambda each: (-len(each[1]), each[0])):
        free = [query for query in queries if query not in taken][:3]
        if len(free) > 1:
            found[entry] = free
            taken.update(free)
    return found


def measured(
    judge: Judge,
    topics: Topics,
    said: Mapping[str, Sequence[str]],
    size: tuple[int, int, int],
    together: float,
) -> dict[str, float]:
    """Pairs of calls over all days."""
    several, single, days = size
    joined = right = belong = 0
    for day in range(days):
        dice = random.Random(day)
        chosen = dice.sample(sorted(topics), several + single)
        calls = [(topic, query) for topic in chosen[:several] for query in dice.sample(topics[topic], 2)]
        calls += [(topic, dice.choice(topics[topic])) for topic in chosen[several:]]
        dice.shuffle(calls)
        asked = [
            Unanswered(call=str(number), at=float(number), asked=tuple(said[query]))
            for number, (_, query) in enumerate(calls)
        ]
        found = gaps(
            asked,
            judge.analyser,
            judge.searcher.vectors,
            weigh=judge.index.weigh,
            weigh_sound=judge.index.weigh_sound,
            together=together,
        )
        pairs = [pair for gap in found for pair in itertools.combinations(gap.calls, 2)]
        joined += len(pairs)
        right += sum(calls[int(one)][0] == calls[int(other)][0] for one, other in pairs)
        belong += several
    precision, recall = right / joined if joined else 0.0, right / belong
    both = 2 * precision * recall / (precision + recall) if right else 0.0
    return {"precision": round(precision, 3), "recall": round(recall, 3), "f1": round(both, 3)}


def run(out: Path, quick: bool) -> dict[str, Any]:
    """Every threshold on both halves. Quick: few days."""
    del out
    data = judged()
    if data is None:
        return {"skipped": "localgovFAQ is not there"}
    judge, topics = Judge(), topics_of(data)
    mishearing = Mishearing(list(data.queries.values()))
    asked = {
        query: (data.queries[query], FAREWELLS[number % 3])
        for number, query in enumerate(query for queries in topics.values() for query in queries)
    }
    said = {
        "as_asked": asked,
        "misheard": {
            query: (mishearing(text, random.Random(query)), farewell)
            for query, (text, farewell) in asked.items()
        },
    }
    sizes = {name: (*size[:2], 4 if quick else size[2]) for name, size in SIZES.items()}

    def of(half: int, together: float) -> dict[str, Any]:
        kept = {topic: queries for topic, queries in topics.items() if zlib.crc32(topic.encode()) % 2 == half}
        return {
            f"{name}_{how}": measured(judge, kept, texts, size, together)
            for name, size in sizes.items()
            for how, texts in said.items()
        }

    halves = [[{"together": each, **of(half, each)} for each in TRIED] for half in (0, 1)]
    return {
        "topics": len(topics),
        "shipped": TOGETHER,
        "halves": [
            {"best": max(rows, key=_sum)["together"], "sums": {row["together"]: _sum(row) for row in rows}}
            for rows in halves
        ],
        "figures": halves,
    }


def _sum(row: Mapping[str, Any]) -> float:
    return round(sum(figures["f1"] for name, figures in row.items() if name != "together"), 3)
