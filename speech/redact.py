"""Takes out of transcripts what identifies a citizen or opens something, before they leave this context.

Masked: any run of seven or more digits (My Number, telephone, card, postal codes), shorter ones where somebody speaks
of a PIN, a password, a My Number, a telephone or a reception number, and names and addresses as far as
`speech.people` finds them. Kept: times, dates, prices, counts, and the state's public numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum, unique

from speech.digits import Run, digit_runs, fold, my_number_is_valid
from speech.people import addresses, names


@unique
class Secret(StrEnum):
    """What a mask stands for."""

    MY_NUMBER = "my_number"
    """Twelve digits whose check digit is right."""
    TWELVE_DIGITS = "twelve_digits"
    """Twelve digits whose check digit is wrong, or a part of twelve: misheard, or another number."""
    TELEPHONE = "telephone"
    PIN = "pin"
    REFERENCE = "reference"
    NUMBER = "number"
    ADDRESS = "address"
    NAME = "name"

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
            Secret.ADDRESS: "［住所］",
            Secret.NAME: "［氏名］",
        }[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One stretch of speech of one side."""

    side: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A secret's place in the text of one turn. `first` is False where it goes on from an earlier turn."""

    start: int
    end: int
    secret: Secret
    first: bool = True


PUBLIC_NUMBERS = frozenset({"0120950178", "0120601785", "05038181250"})
"""The state's lines for My Number cards (Japanese, English, from abroad), which operators tell everybody."""

_LONG = 7
_REACH, _REACH_BACK = 30, 24
_ECHO = 3
_SYLLABLE = 2
_PIN_NEAR, _PIN_GAP, _PIN_HEARD = 6, 4, 3
"""A PIN of which so many digits were heard begins so near its word, with so much misheard in between."""
_ALIKE, _ALIKE_LEAST = 0.55, 6
"""Who reads a number back gets so much of it right, in order, at least."""
_GONE = "\ufffc"
_UNITS_AFTER = re.compile(
    r"\s*(?:時|分|秒|年|月|日|円|人|件|名|個|枚|通|番目|番|回|桁|つ|階|丁目|歳|才|％|%|万|億|度|割|週|ヶ月|か月"
    r"|o'clock|a\.?m\b|p\.?m\b|years?\b|yen\b|people\b|days?\b|minutes?\b|hours?\b|digits?\b)",
    re.IGNORECASE,
)
_MONEY_AFTER = re.compile(r"\s*(?:円|人|件|名|万|億|yen\b|people\b)", re.IGNORECASE)
_DATE = re.compile(r"(?:19|20)\d\d([-/.])(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12]\d|3[01])")
_ABROAD = re.compile(r"[+＋]\s*$")


@dataclass(frozen=True, slots=True)
class _Context:
    """Words that tell what a short number near them is."""

    secret: Secret
    words: re.Pattern[str]
    least: int
    """Digits that it has at least."""
    back: tuple[int, ...] = ()
    """Numbers of so many digits are told by words behind them too."""


_CONTEXTS: Sequence[_Context] = (
    _Context(
        Secret.PIN,
        re.compile(
            r"暗証|パスワード|ピンコード|数字[4四]桁|(?:証明書?|署名)用(?!電子)|\bPIN\b|password|passcode",
            re.IGNORECASE,
        ),
        4,
        (4, 5),
    ),
    _Context(
        Secret.TWELVE_DIGITS,
        re.compile(r"マイナンバー(?!カード|総合)|個人番号(?!カード)|12桁の番号"),
        4,
        (4, 8),
    ),
    _Context(
        Secret.TELEPHONE,
        re.compile(r"電話番号|電話は|携帯|連絡先|(?:phone|mobile|cell|contact)(?: number)?", re.IGNORECASE),
        4,
        (4, 6),
    ),
    _Context(
        Secret.REFERENCE,
        re.compile(
            r"(?:受付|受け付け|予約|照会|整理|申請|登録|管理|受理|通知書|問い?合わせ)(?:書)?の?(?:番号|ID|アイディー)"
            r"|(?:reference|reservation|booking|application|receipt) number",
            re.IGNORECASE,
        ),
        3,
    ),
)
_ALNUM_PIN = re.compile(r"(?<![A-Za-z0-9])(?=[A-Za-z0-9]{0,15}\d)[A-Za-z0-9]{5,16}(?![A-Za-z0-9])")
_LETTERS_BEFORE = re.compile(r"(?<![A-Za-z])[A-Za-z]{1,4}$")
_LETTERS_AFTER = re.compile(r"[A-Za-z]{1,4}(?![A-Za-z])")


def redact_text(text: str) -> str:
    """`text` with its secrets masked."""
    return redact_turns([Turn(side="", text=text)])[0]


def redact_turns(turns: Sequence[Turn]) -> list[str]:
    """The texts of `turns` (in order of time) with their secrets masked; see `find_secrets`.

    A secret that lies across turns leaves its mask in the first of them.
    """
    return [masked_text(turn.text, spans) for turn, spans in zip(turns, find_secrets(turns), strict=True)]


def masked_text(text: str, spans: Iterable[Span]) -> str:
    """`text` with `spans` of it masked."""
    parts, at = [], 0
    for span in spans:
        parts += [text[at : span.start], span.secret.mask if span.first else ""]
        at = span.end
    return "".join([*parts, text[at:]]).replace("\n", " ")


def find_secrets(turns: Sequence[Turn]) -> list[list[Span]]:
    """Where the secrets of `turns` (in order of time) lie, in order, for each turn.

    A number said in pieces is found across turns of one side; a question of one side ("暗証番号をお願いします")
    explains the other side's answer; and who repeats a part of a masked number is masked too.
    """
    found: list[list[Span]] = [[] for _ in turns]
    # The texts are joined by line breaks below, so none may lie inside one (a recogniser does write them).
    texts = [turn.text.replace("\n", " ") for turn in turns]
    known: dict[str, Secret] = {}
    everybody = list(range(len(turns)))
    for side in dict.fromkeys(turn.side for turn in turns):
        own = [n for n, turn in enumerate(turns) if turn.side == side]
        _apply(texts, own, found, _addresses, known)
        _apply(texts, own, found, _long_secrets, known)
    _apply(texts, everybody, found, _told_secrets, known)
    _apply(texts, everybody, found, lambda text: _echoes(text, known), {})
    _apply(texts, everybody, found, _names, {})
    return [sorted(spans, key=lambda span: span.start) for spans in found]


@dataclass(frozen=True, slots=True)
class _Found:
    start: int
    end: int
    digits: str
    secret: Secret


def _addresses(text: str) -> Iterator[_Found]:
    for start, end in addresses(text):
        yield _Found(start, end, "", Secret.ADDRESS)


def _names(text: str) -> Iterator[_Found]:
    for start, end in names(text):
        yield _Found(start, end, "", Secret.NAME)


def _long_secrets(text: str) -> Iterator[_Found]:
    runs = list(_without_count(text))
    for number, run in enumerate(runs):
        if len(run.digits) >= _LONG and not _harmless(text, run):
            found = _with_letters(text, run, _kind(text, run))
            before = runs[number - 1] if number else None
            after = runs[number + 1] if number + 1 < len(runs) else None
            yield _Found(
                before.start if before and _belongs(text, before, before.end, found.start) else found.start,
                after.end if after and _belongs(text, after, found.end, after.start) else found.end,
                found.digits,
                found.secret,
            )


def _belongs(text: str, neighbour: Run, start: int, end: int) -> bool:
    """Whether digits so near a long number are its own, parted from it by a syllable that was misheard."""
    between = text[start:end]
    return (
        len(between) <= _SYLLABLE
        and "\n" not in between
        and not _is_particle(text, neighbour)
        and not _UNITS_AFTER.match(text, neighbour.end)
    )


def _is_particle(text: str, run: Run) -> bool:
    """Whether the run is one に or し of the sentence."""
    own = text[run.start : run.end]
    return len(own) == 1 and "ぁ" <= own <= "ゖ"


def _with_letters(text: str, run: Run, secret: Secret) -> _Found:
    """The run with letters that belong to it: AB12345678CD."""
    folded = fold(text)
    before = _LETTERS_BEFORE.search(folded[: run.start])
    after = _LETTERS_AFTER.match(folded, run.end)
    start = run.start - len(before[0]) if before else run.start
    return _Found(start, after.end() if after else run.end, run.digits, secret)


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
    if run.digits in PUBLIC_NUMBERS:
        return True
    return bool(_DATE.fullmatch(fold(text[run.start : run.end])) or _MONEY_AFTER.match(text, run.end))


def _kind(text: str, run: Run) -> Secret:
    digits = run.digits
    if digits.startswith("81") and _ABROAD.search(text[: run.start]):
        return Secret.TELEPHONE
    if len(digits) == 12:
        return Secret.MY_NUMBER if my_number_is_valid(digits) else Secret.TWELVE_DIGITS
    return Secret.TELEPHONE if digits.startswith("0") and len(digits) in (10, 11) else Secret.NUMBER


def _told_secrets(text: str) -> Iterator[_Found]:
    folded = fold(text)
    runs = [
        run
        for run in _without_count(text)
        if not _UNITS_AFTER.match(text, run.end) and run.digits not in PUBLIC_NUMBERS
    ]
    for context in _CONTEXTS:
        for word in context.words.finditer(folded):
            first, last = word.end(), word.end() + _REACH
            for run in runs:
                ahead = first <= run.start <= last and len(run.digits) >= context.least
                behind = (
                    word.start() - _REACH_BACK <= run.end <= word.start() and len(run.digits) in context.back
                )
                if ahead or behind:
                    yield _with_letters(text, run, context.secret)
            if context.secret is Secret.PIN:
                yield from _broken_pin(text, runs, first)
                for found in _ALNUM_PIN.finditer(folded, first, min(len(folded), last)):
                    yield _Found(found.start(), found.end(), "", context.secret)


def _broken_pin(text: str, runs: Sequence[Run], at: int) -> Iterator[_Found]:
    """Digits right behind the word that told them, of which one was misheard: 暗証番号は、3、待ち、1、6."""
    own: list[Run] = []
    for run in runs:
        if run.start < at or _is_particle(text, run):
            continue
        gap = text[own[-1].end if own else at : run.start]
        if len(gap) > (_PIN_GAP if own else _PIN_NEAR) or "\n" in gap:
            break
        own.append(run)
    counts = [len(run.digits) for run in own]
    # A whole one is found without this.
    if sum(counts) >= _PIN_HEARD and max(counts) <= _PIN_HEARD:
        yield _Found(own[0].start, own[-1].end, "", Secret.PIN)


def _echoes(text: str, known: Mapping[str, Secret]) -> Iterator[_Found]:
    yield from _blurred_echoes(text, known)
    for run in digit_runs(text):
        if len(run.digits) >= _ECHO and not _UNITS_AFTER.match(text, run.end):
            for digits, secret in known.items():
                if run.digits in digits:
                    yield _Found(run.start, run.end, run.digits, secret)
                    break


def _blurred_echoes(text: str, known: Mapping[str, Secret]) -> Iterator[_Found]:
    """Whole turns that read a long number back, whatever the recogniser made of parts of it (4月21日、0937)."""
    at = 0
    for line in text.split("\n"):
        runs = [run for run in digit_runs(line) if not _is_particle(line, run)]
        said = "".join(run.digits for run in runs)
        for digits, secret in known.items():
            if len(digits) >= _LONG and len(said) <= len(digits) + _LONG:
                alike = sum(
                    part.size for part in SequenceMatcher(None, digits, said, False).get_matching_blocks()
                )
                if alike >= max(_ALIKE_LEAST, _ALIKE * len(digits)):
                    yield _Found(at + runs[0].start, at + runs[-1].end, "", secret)
                    break
        at += len(line) + 1


def _apply(
    texts: list[str],
    own: Sequence[int],
    spans: list[list[Span]],
    find: Callable[[str], Iterable[_Found]],
    known: dict[str, Secret],
) -> None:
    """Find in the joined texts of the turns `own`; what is found is blotted out of `texts`, places kept."""
    joined = "\n".join(texts[n] for n in own)
    result = list(joined)
    starts = [0]
    for n in own:
        starts.append(starts[-1] + len(texts[n]) + 1)
    covered = -1
    for found in sorted(find(joined), key=lambda found: (found.start, -found.end)):
        if found.start < covered or _GONE in joined[found.start : found.end]:
            continue
        if found.digits:
            known[found.digits] = found.secret
        covered = found.end
        first = True
        for n, start in zip(own, starts, strict=False):
            begin, end = max(found.start, start), min(found.end, start + len(texts[n]))
            if begin < end:
                spans[n].append(Span(start=begin - start, end=end - start, secret=found.secret, first=first))
                result[begin:end] = _GONE * (end - begin)
                first = False
    for n, text in zip(own, "".join(result).split("\n"), strict=False):
        texts[n] = text
