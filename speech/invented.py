"""Words that a recogniser invents: known endings of videos, endless repetition, its own vocabulary read aloud."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

_NOT_WORD = re.compile(r"[\W_]+")
_VIDEO_WORDS = re.compile(
    r"ご視聴|ご清聴ありがとう|チャンネル登録|高評価|最後まで見て|次の動画|次回の動画|字幕(?:作成|視聴|提供)|提供は"
    r"|thanks? (?:you )?for watching|subscribe to|subtitles by|amara\.org",
    re.IGNORECASE,
)
_REPEATED = re.compile(r"(.{1,20}?)\1{4,}")
_COMMA = re.compile(r"[、,。]")
_LIST = 5
FASTEST = 22.0
"""Characters a second; quick Japanese speech has about 12."""


def is_invented(text: str, length_s: float, vocabulary: Iterable[str] = ()) -> bool:
    """Whether nobody can have said `text` in `length_s` seconds of a call to a city hall."""
    plain = _NOT_WORD.sub("", text)
    if not plain or _VIDEO_WORDS.search(text):
        return True
    if _REPEATED.search(re.sub(r"\d", "", plain)):
        return True
    if length_s > 0 and len(plain) / length_s > FASTEST and len(plain) > 12:
        return True
    words = set(vocabulary)
    return _is_nothing_but(words, plain) or _is_a_list_of(words, text)


def _is_nothing_but(vocabulary: Collection[str], plain: str) -> bool:
    """The words themselves, three or more, and nothing else."""
    rest, hits = plain, 0
    for word in sorted(vocabulary, key=len, reverse=True):
        rest, count = rest.replace(word, ""), rest.count(word)
        hits += count
    return hits >= 3 and not rest


def _is_a_list_of(vocabulary: Collection[str], text: str) -> bool:
    """Read aloud as they are told to it, some of them garbled, or a few again and again: people put more than commas
    between words.
    """
    parts = [_NOT_WORD.sub("", part) for part in _COMMA.split(text) if part.strip()]
    told = sum(part in vocabulary for part in parts)
    again = len(parts) > _LIST and 5 * len(set(parts)) <= 3 * len(parts)
    return len(parts) >= _LIST and (
        (told >= _LIST - 1 and 2 * told > len(parts)) or (again and told >= _LIST - 2)
    )
