"""Summary, tags, questions and complaints of labelled conversations, each against a simple baseline in the same run.

The rules were made with `development`. Their author had written the other parts too: `held_out` before them (and may
have remembered), `acceptance` after they were frozen.
Baselines: the first three sentences; a list of one to three words a tag; sentences that end in か or a question mark; a
list of words of complaint. What does not beat its baseline on both has no business in the product.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from core.settings import PROJECT_ROOT
from speech import complaint, topics
from speech.conversation import CITIZEN, Sentence
from speech.questions import questions
from speech.summary import LENGTH, summary

DATA = PROJECT_ROOT / "benchmarks" / "data" / "conversations.jsonl"
_WORDS = {
    "booking": "予約",
    "pickup": "受け取り|交付通知書",
    "application": "申請",
    "renewal": "更新",
    "lost": "紛失|なくし|再発行",
    "pin": "暗証番号|パスワード",
    "certificate": "電子証明書",
    "insurance": "保険証",
    "account": "口座",
    "portal": "マイナポータル",
    "address": "引っ越し|住所",
    "name": "苗字|氏名|名前",
    "proxy": "代理|委任状",
    "fee": "手数料",
    "hours": "何時|時間",
    "documents": "持ち物|書類",
    "child": "子ども|息子",
    "foreign": "外国|在留",
    "convenience": "コンビニ",
    "visit": "出張",
    "photo": "写真",
    "status": "まだ|いつ",
}
_COMPLAINT = re.compile(
    "苦情|クレーム|ひどい|態度|文句|おかしい|不満|怒|謝|待たされ|何回|何度|責任者|いい加減"
)
PARTS = ("development", "held_out", "acceptance")
_RESAMPLES = 2000

Conversation = Sequence[Sentence]


def run(out: Path, quick: bool) -> dict[str, Any]:
    """Measure both parts, write `out/conversations.json` and `.md`, return the figures."""
    rows = [json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines()]
    result: dict[str, Any] = {"name": "conversations", "parts": {}}
    for part in PARTS:
        own = [row for row in rows if row["part"] == part]
        result["parts"][part] = _score(own, 100 if quick else _RESAMPLES)
    result["gates"] = {
        f"{task} ({part})": {
            "ours": figures["ours"]["f1"],
            "baseline": figures["baseline"]["f1"],
            "met": figures["ours"]["f1"] > figures["baseline"]["f1"],
        }
        for part in PARTS[1:]
        for task, figures in result["parts"][part]["tasks"].items()
    }
    out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(result, indent=2, ensure_ascii=False) + "\n"
    (out / "conversations.json").write_text(text, encoding="utf-8")
    (out / "conversations.md").write_text(_table(result), encoding="utf-8")
    return result


def _score(rows: Sequence[dict[str, Any]], resamples: int) -> dict[str, Any]:
    said = [[Sentence(side=s["side"], text=s["text"]) for s in row["sentences"]] for row in rows]

    def marked(name: str) -> list[set[Any]]:
        return [{n for n, s in enumerate(row["sentences"]) if s.get(name)} for row in rows]

    tasks: dict[
        str, tuple[list[set[Any]], Callable[[Conversation], set[Any]], Callable[[Conversation], set[Any]]]
    ] = {
        "summary": (marked("summary"), lambda c: set(summary(c)), lambda c: set(range(min(LENGTH, len(c))))),
        "tags": (
            [set(row["tags"]) for row in rows],
            lambda c: {t.tag for t in topics.tags(c)},
            _listed_tags,
        ),
        "questions": (marked("question"), lambda c: set(questions(c)), _ends_in_ka),
        "complaint": (
            [{"complaint"} if row["complaint"] else set() for row in rows],
            lambda c: {"complaint"} if complaint.complaint_signs(c).complaint else set(),
            lambda c: (
                {"complaint"} if any(_COMPLAINT.search(s.text) for s in c if s.side == CITIZEN) else set()
            ),
        ),
    }
    figures = {}
    for name, (wanted, ours, baseline) in tasks.items():
        mine, theirs = [ours(c) for c in said], [baseline(c) for c in said]
        low = _gain_low(wanted, mine, theirs, resamples)
        figures[name] = {
            "ours": _f1(wanted, mine), "baseline": _f1(wanted, theirs), "gain_low": low,
        }  # fmt: skip
    return {"conversations": len(rows), "complaints": sum(row["complaint"] for row in rows), "tasks": figures}


def _listed_tags(conversation: Conversation) -> set[str]:
    text = "\n".join(sentence.text for sentence in conversation)
    found = {tag for tag, words in _WORDS.items() if re.search(words, text)}
    return found or {"other"}


def _ends_in_ka(conversation: Conversation) -> set[int]:
    return {
        n
        for n, s in enumerate(conversation)
        if s.side == CITIZEN and s.text.rstrip("。").endswith(("か", "?", "？"))
    }


def _f1(wanted: Sequence[set[Any]], given: Sequence[set[Any]]) -> dict[str, float]:
    right = sum(len(w & g) for w, g in zip(wanted, given, strict=True))
    asked, told = sum(map(len, wanted)), sum(map(len, given))
    return {
        "precision": round(right / told, 3) if told else 1.0,
        "recall": round(right / asked, 3) if asked else 1.0,
        "f1": round(2 * right / (asked + told), 3) if asked + told else 1.0,
    }


def _gain_low(wanted: list[set[Any]], mine: list[set[Any]], theirs: list[set[Any]], resamples: int) -> float:
    """Lower end of the 95 % interval of our F1 less the baseline's, conversations drawn again and again (paired)."""
    chance = random.Random(1)
    gains = []
    for _ in range(resamples):
        drawn = chance.choices(range(len(wanted)), k=len(wanted))
        some = [wanted[n] for n in drawn]
        gains.append(_f1(some, [mine[n] for n in drawn])["f1"] - _f1(some, [theirs[n] for n in drawn])["f1"])
    return round(sorted(gains)[round(0.025 * resamples)], 3)


def _table(result: dict[str, Any]) -> str:
    lines = ["# Conversations", ""]
    for part, figures in result["parts"].items():
        lines += [
            f"## {part}: {figures['conversations']} conversations, {figures['complaints']} complaints",
            "",
            "| task | precision | recall | F1 | baseline's F1 | gain, 95 % from |",
            "|---|---|---|---|---|---|",
            *(
                f"| {name} | {row['ours']['precision']:.3f} | {row['ours']['recall']:.3f} | {row['ours']['f1']:.3f} "
                f"| {row['baseline']['f1']:.3f} | {row['gain_low']:+.3f} |"
                for name, row in figures["tasks"].items()
            ),
            "",
        ]
    return "\n".join([*lines, f"Tags: {len(topics.TAG_NAMES)} kinds."]) + "\n"
