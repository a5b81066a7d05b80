"""Digits as people say and recognisers write them: 12, １２, 一二, 千二百, いちに, one two, double five."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_KANJI = {**{ch: str(n) for n, ch in enumerate("零一二三四五六七八九")}, "〇": "0", "○": "0", "◯": "0"}
_POWERS = {"十": 10, "百": 100, "千": 1000}
_KANA = {
    word: digit
    for digit, words in {
        "0": "ゼロ ぜろ れい レイ れー レー まる マル",
        "1": "いち イチ いっち イッチ",
        "2": "にい にー ニイ ニー に ニ",
        "3": "さん サン",
        "4": "よん ヨン よー ヨー し シ",
        "5": "ごお ごう ごー ゴオ ゴウ ゴー ご ゴ",
        "6": "ろく ロク",
        "7": "なな ナナ しち シチ",
        "8": "はち ハチ",
        "9": "きゅう きゅー キュウ キュー く ク",
    }.items()
    for word in words.split()
}
_UNITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_TEENS = [
    "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]  # fmt: skip
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_ENGLISH = {
    **{word: str(n) for n, word in enumerate(_UNITS)},
    "oh": "0", "o": "0", "nought": "0", "niner": "9",
    **{word: str(n) for n, word in enumerate(_TEENS, start=10)},
}  # fmt: skip
_UNIT = "|".join([*_UNITS[1:], "oh", "o"])
_START, _END = "(?<![A-Za-z])", "(?![A-Za-z])"  # \b sees no end of a word in oneの
_TOKEN = re.compile(
    r"(?P<ascii>\d)"
    r"|(?P<power>[一二三四五六七八九]?[千百十][一二三四五六七八九千百十]*)"
    rf"|(?P<kanji>[{''.join(_KANJI)}])"
    rf"|(?P<kana>[にニ](?=[いイ][ちチ])|{'|'.join(sorted(_KANA, key=len, reverse=True))})"
    rf"|{_START}(?P<times>double|triple)\s+(?P<many>{_UNIT}|zero|\d){_END}"
    rf"|{_START}(?P<tens>{'|'.join(_TENS)})(?:[\s-]+(?P<unit>{'|'.join(_UNITS[1:])}))?{_END}"
    rf"|{_START}(?P<english>{'|'.join(sorted(_ENGLISH, key=len, reverse=True))}){_END}",
    re.IGNORECASE,
)
_BETWEEN = re.compile(
    r"(?:[\s、。,，.．・…\-‐‑‒–—―−ーｰ_/()（）「」]"
    r"|の|ノ|ハイフン|はいふん|ですね|です|でして|で|ね|はい|ええと|えーと|えっと|えー|あの|あのー|ええ|うん|んー"
    r"|それから|そして|続いて|つづいて|(?:その)?次[がはにで]|最後[がはにで]"
    rf"|{_START}(?:and|then|dash|hyphen|um|uh|er|yes|yeah|okay|ok){_END})*",
    re.IGNORECASE,
)


_TOO_MANY_PARTICLES = 3
_MISHEARD = {
    **dict.fromkeys(("例", "礼", "霊", "丸"), "0"), **dict.fromkeys(("位置", "市"), "1"),
    **dict.fromkeys(("荷", "煮"), "2"), **dict.fromkeys(("山", "産", "酸", "参"), "3"),
    **dict.fromkeys(("呼ん", "読ん", "死"), "4"), **dict.fromkeys(("後", "語", "碁", "号"), "5"),
    **dict.fromkeys(("録", "六つ"), "6"), **dict.fromkeys(("質", "菜々"), "7"),
    **dict.fromkeys(("鉢", "蜂"), "8"), **dict.fromkeys(("急", "級", "区", "球"), "9"),
}  # fmt: skip
_HOMOPHONE = re.compile("|".join(sorted(_MISHEARD, key=len, reverse=True)))
_HOMOPHONE_BEFORE = re.compile(f"(?:{_HOMOPHONE.pattern})$")
_ENOUGH, _WORDS_TOGETHER = 8, 2
"""A word stands for a digit only in a run of so many, two thirds of them real."""
_WHOLE = 12
_LACKS_ONE = (9, 10, 11)


@dataclass(frozen=True, slots=True)
class Run:
    """Digits said one after the other. `start` and `end` are places in the text."""

    start: int
    end: int
    digits: str
    without_last: tuple[int, str] | None
    """End and digits of the run without its last unbroken group; None when there is only one."""


def fold(text: str) -> str:
    """`text` with full-width signs made ASCII, every character in its place."""
    return "".join(
        folded if len(folded := unicodedata.normalize("NFKC", ch)) == 1 and ch not in "ｰ" else ch
        for ch in text
    )


def digit_runs(text: str) -> Iterator[Run]:
    """Every longest run of spoken or written digits in `text`, fillers and separators inside allowed."""
    folded = fold(text)
    at = 0
    while found := _TOKEN.search(folded, at):
        said = _with_misheard(folded, _said_from(folded, found))
        at = said[-1].end()
        yield _run(_completed(folded, _without_particles(said)))


def _said_from(text: str, first: re.Match[str]) -> list[re.Match[str]]:
    said = [first]
    while following := _TOKEN.match(text, _gap_end(text, said[-1].end())):
        said.append(following)
    return said


def _gap_end(text: str, at: int) -> int:
    gap = _BETWEEN.match(text, at)
    return gap.end() if gap else at


def _with_misheard(text: str, said: list[re.Match[str]]) -> list[re.Match[str]]:
    """`said`, and what follows behind digits that a recogniser took for words (後 for 五)."""
    longer, words = list(said), 0
    while True:
        ahead: list[re.Match[str]] = []
        at = longer[-1].end()
        while len(ahead) < _WORDS_TOGETHER and (word := _HOMOPHONE.match(text, _gap_end(text, at))):
            ahead.append(word)
            at = word.end()
            if first := _TOKEN.match(text, _gap_end(text, at)):
                longer += [*ahead, *_said_from(text, first)]
                words += len(ahead)
                break
        else:
            break
    digits = _count(longer)
    return longer if words and digits >= max(_ENOUGH, 3 * words) else said


def _completed(text: str, said: Sequence[re.Match[str]]) -> Sequence[re.Match[str]]:
    """A number that lacks one digit, with a word beside it that sounds like one."""
    digits = _count(said)
    if digits not in _LACKS_ONE:
        return said
    before = _HOMOPHONE_BEFORE.search(text, 0, said[0].start())
    if before and (digits == _WHOLE - 1 or _MISHEARD[before.group()] == "0"):
        return [before, *said]
    after = _HOMOPHONE.match(text, said[-1].end())
    return [*said, after] if after else said


def _count(said: Sequence[re.Match[str]]) -> int:
    return sum(len(_value(each)) for each in said)


def _run(said: Sequence[re.Match[str]]) -> Run:
    values = [_value(found) for found in said]
    breaks = [n for n in range(1, len(said)) if said[n].start() > said[n - 1].end()]
    last = breaks[-1] if breaks else 0
    return Run(
        said[0].start(),
        said[-1].end(),
        "".join(values),
        (said[last - 1].end(), "".join(values[:last])) if last else None,
    )


def _without_particles(said: Sequence[re.Match[str]]) -> Sequence[re.Match[str]]:
    """`said` without the に, ご, し, く at either end that belong to the sentence: 4071にご連絡ください."""
    particles = [found.lastgroup == "kana" and len(found.group()) == 1 for found in said]
    if all(particles):
        return said
    first, last = 0, len(said)
    while particles[first]:
        first += 1
    if _count(said) == _WHOLE and first == 1 and _value(said[1])[0] != "0":
        first = 0
    while particles[last - 1]:
        last -= 1
    before_is_kana = said[first].lastgroup == "kana"
    after_is_kana = said[last - 1].lastgroup == "kana"
    if before_is_kana or first >= _TOO_MANY_PARTICLES:
        first = 0
    if after_is_kana or len(said) - last >= _TOO_MANY_PARTICLES:
        last = len(said)
    return said[first:last]


def _value(found: re.Match[str]) -> str:
    kind, said = found.lastgroup or "", found.group()
    if said in _MISHEARD:
        return _MISHEARD[said]
    if found["power"]:
        return str(_positional(said))
    if found["times"]:
        count = 2 if found["times"].lower() == "double" else 3
        return _ENGLISH.get(found["many"].lower(), found["many"]) * count
    if found["tens"]:
        tens = _TENS.index(found["tens"].lower()) + 2
        return str(tens * 10 + (_UNITS.index(found["unit"].lower()) if found["unit"] else 0))
    if kind == "ascii":
        return said
    if kind == "kanji":
        return _KANJI[said]
    return _KANA[said] if kind == "kana" else _ENGLISH[said.lower()]


def _positional(kanji: str) -> int:
    total, digit = 0, 0
    for ch in kanji:
        if ch in _POWERS:
            total += (digit or 1) * _POWERS[ch]
            digit = 0
        else:
            digit = digit * 10 + int(_KANJI[ch])
    return total + digit


def my_number_is_valid(digits: str) -> bool:
    """Whether twelve digits carry the right check digit of a My Number (総務省令第八十五号 第五条)."""
    if len(digits) != 12 or not digits.isdecimal():
        return False
    body = [int(digit) for digit in reversed(digits[:11])]
    weights = [n + 1 if n <= 6 else n - 5 for n in range(1, 12)]
    rest = sum(p * q for p, q in zip(body, weights, strict=True)) % 11
    return int(digits[11]) == (0 if rest <= 1 else 11 - rest)
