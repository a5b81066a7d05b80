"""Takes numbers that identify or open something out of transcripts, before they leave this context.

Masked: any run of seven or more digits (My Number, telephone, card, postal codes), and shorter ones where somebody
speaks of a PIN, a password, a telephone or a reception number. Kept: times, dates, prices, counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum, unique

from speech.digits import Run, digit_runs, fold, my_number_is_valid


@unique
class Secret(StrEnum):
    """What a mask stands for."""

    MY_NUMBER = "my_number"
    """Twelve digits whose check digit is right."""
    TWELVE_DIGITS = "twelve_digits"
    """Twelve digits whose check digit is wrong: misheard, or another number."""
    TELEPHONE = "telephone"
    PIN = "pin"
    REFERENCE = "reference"
    NUMBER = "number"

    @property
    def mask(self) -> str:
        """What the transcript shows instead."""
        return {
            Secret.MY_NUMBER: "［マイナンバー］",
            Secret.TWELVE_DIGITS: "［12桁の番号］",
            Secret.TELEPHONE: "［電話番号］",
            Secret.PIN: "［暗証番号］",
            Secret.REFERENCE: "［受付番号］",
            Secret.NUMBER: "［番号］",
        }[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One stretch of speech of one side."""

    side: str
    text: str


_LONG = 7
_REACH = 30
_ECHO = 3
_UNITS_AFTER = re.compile(
    r"\s*(?:時|分|秒|年|月|日|円|人|件|名|個|枚|通|番目|番|回|桁|つ|階|丁目|歳|才|％|%|万|億|度|割|週|ヶ月|か月"
    r"|o'clock|a\.?m\b|p\.?m\b|years?\b|yen\b|people\b|days?\b|minutes?\b|hours?\b|digits?\b)",
    re.IGNORECASE,
)
_MONEY_AFTER = re.compile(r"\s*(?:円|人|件|名|万|億|yen\b|people\b)", re.IGNORECASE)
_DATE = re.compile(r"(?:19|20)\d\d([-/.])(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12]\d|3[01])")
_CONTEXTS: Sequence[tuple[Secret, re.Pattern[str], int]] = (
    (Secret.PIN, re.compile(r"暗証|パスワード|ピンコード|\bPIN\b|password|passcode", re.IGNORECASE), 4),
    (
        Secret.TELEPHONE,
        re.compile(r"電話番号|携帯|連絡先|(?:phone|mobile|cell|contact)(?: number)?", re.IGNORECASE),
        4,
    ),
    (
        Secret.REFERENCE,
        re.compile(
            r"(?:受付|受け付け|予約|照会|整理|申請|登録|管理|問い?合わせ)(?:書)?(?:番号|ID|アイディー)"
            r"|(?:reference|reservation|booking|application|receipt) number",
            re.IGNORECASE,
        ),
        3,
    ),
)
_ALNUM_PIN = re.compile(r"(?<![A-Za-z0-9])(?=[A-Za-z0-9]{0,15}\d)[A-Za-z0-9]{6,16}(?![A-Za-z0-9])")


def redact_text(text: str) -> str:
    """`text` with its secrets masked."""
    return redact_turns([Turn(side="", text=text)])[0]


def redact_turns(turns: Sequence[Turn]) -> list[str]:
    """The texts of `turns` (in order of time) with their secrets masked.

    A number said in pieces is found across turns of one side; a question of one side ("暗証番号をお願いします")
    explains the other side's answer; and who repeats a part of a masked number is masked too.
    """
    if not turns:
        return []
    # The texts are joined by line breaks below, so none may lie inside one (a recogniser does write them).
    texts = [turn.text.replace("\n", " ") for turn in turns]
    known: dict[str, Secret] = {}
    for side in dict.fromkeys(turn.side for turn in turns):
        own = [n for n, turn in enumerate(turns) if turn.side == side]
        for n, text in zip(own, _apply([texts[n] for n in own], _long_secrets, known), strict=True):
            texts[n] = text
    texts = _apply(texts, _told_secrets, known)
    return _apply(texts, lambda text: _echoes(text, known), {})


@dataclass(frozen=True, slots=True)
class _Found:
    start: int
    end: int
    digits: str
    secret: Secret


def _long_secrets(text: str) -> Iterator[_Found]:
    for run in _without_count(text):
        if len(run.digits) >= _LONG and not _harmless(text, run):
            yield _Found(run.start, run.end, run.digits, _kind(run.digits))


def _without_count(text: str) -> Iterator[Run]:
    """The runs, less a last group that counts something: the 10 of "1234 5678 9012、10時"."""
    for run in digit_runs(text):
        if run.without_last and len(run.digits) != 12 and _UNITS_AFTER.match(text, run.end):
            end, digits = run.without_last
            yield Run(run.start, end, digits, None)
        else:
            yield run


def _harmless(text: str, run: Run) -> bool:
    if len(run.digits) == 12:
        return False
    return bool(_DATE.fullmatch(fold(text[run.start : run.end])) or _MONEY_AFTER.match(text, run.end))


def _kind(digits: str) -> Secret:
    if len(digits) == 12:
        return Secret.MY_NUMBER if my_number_is_valid(digits) else Secret.TWELVE_DIGITS
    return Secret.TELEPHONE if digits.startswith("0") and len(digits) in (10, 11) else Secret.NUMBER


def _told_secrets(text: str) -> Iterator[_Found]:
    folded = fold(text)
    runs = [run for run in _without_count(text) if not _UNITS_AFTER.match(text, run.end)]
    for secret, words, least in _CONTEXTS:
        for word in words.finditer(folded):
            first, last = word.end(), word.end() + _REACH
            for run in runs:
                if first <= run.start <= last and len(run.digits) >= least:
                    yield _Found(run.start, run.end, run.digits, secret)
            if secret is Secret.PIN:
                for found in _ALNUM_PIN.finditer(folded, first, min(len(folded), last)):
                    yield _Found(found.start(), found.end(), "", secret)


def _echoes(text: str, known: Mapping[str, Secret]) -> Iterator[_Found]:
    for run in digit_runs(text):
        if len(run.digits) >= _ECHO and not _UNITS_AFTER.match(text, run.end):
            for digits, secret in known.items():
                if run.digits in digits:
                    yield _Found(run.start, run.end, run.digits, secret)
                    break


def _apply(
    texts: Sequence[str], find: Callable[[str], Iterable[_Found]], known: dict[str, Secret]
) -> list[str]:
    """Mask in the joined texts; a secret that lies across texts leaves its mask in the first of them."""
    joined = "\n".join(texts)
    result = list(joined)
    covered = -1
    for found in sorted(find(joined), key=lambda found: (found.start, -found.end)):
        if found.start < covered:
            continue
        if found.digits:
            known[found.digits] = found.secret
        breaks = "\n" * joined.count("\n", found.start, found.end)
        result[found.start : found.end] = [
            found.secret.mask + breaks,
            *[""] * (found.end - found.start - 1),
        ]
        covered = found.end
    return "".join(result).split("\n")
