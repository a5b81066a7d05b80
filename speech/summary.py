"""Three sentences of a conversation that say what the citizen wanted and what came of it, in their own words.

A sentence's score is a weighted sum of what it shows; the weights come from a logistic regression on the labelled
conversations' part `development` (`benchmarks/conversations.py`), rounded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from speech.conversation import CITIZEN, LINE, Sentence
from speech.questions import is_question

LENGTH = 3
"""Sentences in a summary."""

_REQUEST = re.compile(
    r"たい(?:ん|の|と|です|から|な|$)|(?:して|教えて|取って)(?:ほしい|もらえ|いただけ|ください)"
    r"|お願い(?:し|でき)|聞きたい|知りたい|取り消|変更"
)
_PROBLEM = re.compile(
    r"ない(?:ん|の|です|って)|なくな|しまっ(?:て|た)|なくし|届か|来ない|切れ|ロック|使えな|できな"
    r"|分からなく|間違|失効|落と|不備|違う|待たされ|返され|になって"
)
_TELLS = re.compile(r"(?:んです|んですけど|んですが|のです(?:が|けど)|ましたよ?|です(?:けど|が))$")
_ANSWER = re.compile(
    r"(?:でき|いただけ|取れ|受け取れ|届き|なり|ござい|おり)ます|必要です"
    r"|(?:お持ち|お越し|お手続き|ご確認|お願い)(?:ください|いたします)|不要です|無料|できません|必要が"
    r"|ください$"
)
_OUTCOME = re.compile(
    r"承りました|お取り(?:し|でき|いた)|いたしました|ご連絡(?:いた|し)|お電話(?:いた|し)|折り返し|報告"
    r"|申し伝え|お送り(?:いた|し)|発送|空いて(?:おり|い)ます"
)
_FORMULA = re.compile(
    r"お電話ありがとう|コールセンター|(?:担当|予約受付)(?:の|で|、)|ご用件|ご不明な点|かしこまり|少々お待ち"
    r"|お待たせ|ありがとうございます|ご心配|おめでとう|お大事に"
    r"|^(?:はい|いえ)|お名前|お分かり(?:です|でしょう)|お手元|よろしいですか|いかがでしょうか"
    r"|ご希望(?:の|は|です)"
)
_NUMBER = re.compile(r"[0-9０-９一二三四五六七八九十]")

WEIGHTS: Mapping[str, float] = {
    "citizen": -0.98,
    "citizen_wants": 0.95,
    "citizen_trouble": 0.85,
    "citizen_asks": -0.3,
    "first_matter": 1.11,
    "second_matter": 0.04,
    "line_answer": -0.08,
    "line_outcome": 0.45,
    "line_formula": -0.99,
    "line_asks": -0.24,
    "first_answer": 0.92,
    "second_answer": 0.82,
    "after_question": 0.34,
    "length": 2.51,
    "late": -0.49,
    "early": -0.74,
    "number": 0.85,
    "shared": -0.01,
}


def summary(conversation: Sequence[Sentence], length: int = LENGTH) -> list[int]:
    """Places of the summary's sentences, in order of time; fewer when fewer say something."""
    shown = features(conversation)
    scores = {
        place: sum(WEIGHTS[name] * value for name, value in each.items())
        for place, each in enumerate(shown)
        if conversation[place].says_something
    }
    return sorted(sorted(scores, key=lambda place: (-scores[place], place))[:length])


def features(conversation: Sequence[Sentence]) -> list[dict[str, float]]:
    """What each sentence shows, by the names of `WEIGHTS`."""
    grams = [_grams(sentence.bare) for sentence in conversation]
    result: list[dict[str, float]] = []
    matters = answers = 0
    asked_before = False
    count = max(1, len(conversation) - 1)
    for place, sentence in enumerate(conversation):
        text, says = sentence.bare, sentence.says_something
        citizen = sentence.side == CITIZEN
        formula = bool(_FORMULA.search(text)) and not citizen
        wants, trouble = bool(_REQUEST.search(text)), bool(_PROBLEM.search(text))
        asks = citizen and is_question(text)
        matter = (
            citizen and says and len(text) >= 12 and (wants or trouble or asks or bool(_TELLS.search(text)))
        )
        matters += matter
        answer = (
            not citizen
            and says
            and not formula
            and matters > 0
            and bool(_ANSWER.search(text) or _OUTCOME.search(text))
        )
        answers += answer
        rest = [gram for other, each in enumerate(grams) if other != place for gram in each]
        shared = len(grams[place] & set(rest)) / len(grams[place]) if grams[place] else 0.0
        result.append(
            {
                "citizen": float(citizen),
                "citizen_wants": float(citizen and wants),
                "citizen_trouble": float(citizen and trouble),
                "citizen_asks": float(asks),
                "first_matter": float(matter and matters == 1),
                "second_matter": float(matter and matters == 2),
                "line_answer": float(not citizen and bool(_ANSWER.search(text))),
                "line_outcome": float(not citizen and bool(_OUTCOME.search(text))),
                "line_formula": float(formula),
                "line_asks": float(sentence.side == LINE and text.endswith(("か", "?", "？"))),
                "first_answer": float(answer and answers == 1),
                "second_answer": float(answer and answers == 2),
                "after_question": float(not citizen and asked_before),
                "length": min(len(text), 50) / 25.0,
                "late": place / count,
                "early": float(place < 2),
                "number": float(bool(_NUMBER.search(text))),
                "shared": shared,
            }
        )
        asked_before = asks
    return result


def _grams(text: str) -> set[str]:
    return {text[at : at + 2] for at in range(len(text) - 1)}
