"""Names and addresses in Japanese transcripts: Sudachi's proper nouns, believed where the words around them agree.

Whoever says 「印西市に住んでいます」 gives no address, and 「林の中の道」 is no Mr Hayashi: a place counts with a house
number behind it, a surname alone with a title, an introduction or a question for the name beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sudachipy import Dictionary, SplitMode, Tokenizer

Place = tuple[int, int]
"""Start and end in characters."""


@dataclass(frozen=True, slots=True)
class _Token:
    start: int
    end: int
    text: str
    kind: str
    """Sudachi's part of speech joined by hyphens, such as `名詞-固有名詞-人名-姓`."""


_DIGIT = r"[0-9０-９〇零一二三四五六七八九十百千]"
_NUMBER = rf"(?:{_DIGIT}++|いち|に|さん|よん|ご|ろく|なな|はち|きゅう|じゅう)"
_UNIT = r"(?:丁目|番地|番町|番|号(?!棟|室)|条|線)"
_HOUSE = re.compile(
    rf"\s*{_NUMBER}(?:{_UNIT}(?:の|ノ|、|-)?|の(?={_NUMBER})|[-ー－‐−](?={_DIGIT}))"
    rf"(?:{_NUMBER}(?!号?[棟室])(?:{_UNIT}(?:の|ノ|-)?|[のノ\-ー－‐−](?={_NUMBER}))?)*"
)
_BARE_HOUSE = re.compile(
    rf"\s*{_DIGIT}{{2,5}}(?!{_DIGIT})(?!\s*(?:[時分秒年月日円人件名個枚通回桁つ階歳才%％万度割週:：]|か月|ヶ月|番|号))"
)
_BUILDING = re.compile(
    r"(?:の)?(?:[ァ-ヶーA-Za-z][ァ-ヶーA-Za-z・\s]{1,12}[一-龥ぁ-んァ-ヶー]{0,6}?(?=\s*[0-9０-９])|[一-龥]{1,6}(?:荘|団地|アパート|マンション)(?=\s*[0-9０-９]))?"
    rf"\s*(?:{_DIGIT}{{1,3}}号?棟)?(?:の)?\s*(?:{_DIGIT}{{2,4}}号?室?|{_DIGIT}号室?)(?![0-9０-９])"
)
_COUNTED = re.compile(r"\s*(?:[時分年月日円人件名個枚回歳才階]|つ目|か月|ヶ月|窓口|会議室)")
_TOWN_WORDS = frozenset({"大字", "字", "町", "平方"})
_PLACE_ENDS = re.compile(r"(?:市|県|都|府|区|駅|役所|支所|郡|国)$")
_ENGLISH_ADDRESS = re.compile(r"\d{1,4}(?:-\d{1,4}){1,3} [A-Z][a-z]+(?:-[a-z]+)*(?:, [A-Z][a-z]+)*")

_LONGEST = 8_000
"""Characters that Sudachi gets at once; it refuses more than 49,149 bytes."""
_TITLES = frozenset({"様", "さま", "さん", "ちゃん", "くん", "君", "氏", "殿"})
_INTRODUCED = re.compile(
    r"\s*(?:と|って)(?:申(?:し|す)|もう(?:し|す)|(?:いい|言い)(?:ます|まし)|(?:いう|言う|いった|いっ(?=て))|(?:登録|書い))"
    r"|というん|というのが|という(?:名前|者|方)"
)
_PERSON = re.compile(
    r"\s*(?:ですけ|ですが|です。|です$|です、|ですよ|ですね|でし|本人|ご本人|という|の代理|と書い)"
)
_ASKED = re.compile(
    r"(?:名前|氏名|苗字|名字|旧姓|名義|フルネーム|宛名|宛先|世帯主|申請者|代理人?|代理の|名義人|カタカナ|漢字)(?:[はがもをの]|で|って)?"
    r"(?:お願いします|教えてください|いただけますか)?[、。\s]*(?:はい[、。]?|えっと[、。]?|えーと[、。]?|今は|私の?|わたくし)*$"
)
_RELATION = re.compile(
    r"(?:息子|娘|妻|夫|主人|家内|旦那|母|父|祖母|祖父|姉|兄|弟|妹|孫|子供|子ども|うちの子|お子様|わたくし|わたし|私|同居)(?:さん|様)?"
    r"(?:の|は|が|、|も|です、)\s*$"
)
_START = re.compile(r"(?:^|[。、？！\n]|はい[、。]?|もしもし[、。]?|から)\s*$")
_NOT_A_NAME = re.compile(
    r"\s*(?:市|町|村|区|県|駅|大臣|川|線|支所|公民館|小学校|中学校|でございます|が承り|が担当)"
)
_SAID_NAME = re.compile(
    r"(?:名前は|氏名は|(?<![一-龥])私は|^|[、。\n])(?P<name>[ァ-ヶー・]{2,16}|[ぁ-ん]{2,5}|[一-龥]{1,4})(?=(?:と|とも)(?:申し|申す|もうし))"
)
_ENGLISH_NAME = re.compile(
    r"(?:[Mm]y name is|[Tt]his is|[Nn]ame's|my (?:husband|wife|son|daughter|mother|father),) "
    r"(?P<name>[A-Z][a-z]+(?: [A-Z][a-z]+){0,2})"
)
_HELLO = re.compile("(?:はい|もしもし)、$")
_SHORT_KANJI = re.compile("[一-龥々ヶ]{2,3}")
_NO_ENGLISH_NAME = frozenset({"Japan", "Inzai", "Japanese", "English", "My", "The"})


@lru_cache(maxsize=1)
def _tokenizer() -> Tokenizer:
    # A dictionary of 70 MB, mapped once a process.
    return Dictionary(dict="core").tokenizer(SplitMode.C)


def _tokens(text: str) -> list[_Token]:
    result = []
    base = 0
    for line in text.split("\n"):
        for start in range(0, len(line), _LONGEST):
            for found in _tokenizer().tokenize(line[start : start + _LONGEST]):
                kind = "-".join(part for part in found.part_of_speech()[:4] if part != "*")
                at = base + start
                result.append(_Token(at + found.begin(), at + found.end(), found.surface(), kind))
        base += len(line) + 1
    return result


def addresses(text: str) -> Iterator[Place]:
    """Places in `text` from prefecture or town to house number and room."""
    for found in _ENGLISH_ADDRESS.finditer(text):
        yield found.span()
    tokens = _tokens(text)
    n = 0
    while n < len(tokens):
        if not _is_place(tokens[n]):
            n += 1
            continue
        last = n
        while last + 1 < len(tokens) and _goes_on(tokens, last + 1):
            last += 1
        start, end = tokens[n].start, _house_end(text, tokens[n : last + 1])
        if end:
            yield start, end
            while n < len(tokens) and tokens[n].start < end:
                n += 1
        else:
            n += 1


def _is_place(token: _Token) -> bool:
    return "固有名詞-地名" in token.kind and "国" not in token.kind


def _goes_on(tokens: Sequence[_Token], at: int) -> bool:
    token = tokens[at]
    return token.start == tokens[at - 1].end and (
        _is_place(token)
        or token.text in _TOWN_WORDS
        or ("人名" in token.kind)
        or (
            token.kind.startswith("名詞-普通名詞")
            and bool(re.fullmatch("[一-龥ヶケ台丘]{1,4}", token.text))
            and not _COUNTED.match(token.text)
        )
        or (token.kind.startswith("接尾辞-名詞的") and token.text in {"町", "台", "丘", "原"})
    )


def _house_end(text: str, tokens: Sequence[_Token]) -> int:
    """Where the address that begins with `tokens` ends; 0 when there is no house number behind a place."""
    for count in range(len(tokens), 0, -1):
        at = tokens[count - 1].end
        house = _HOUSE.match(text, at)
        if house and not _COUNTED.match(text, house.end()):
            return _with_building(text, house.end())
        if not _PLACE_ENDS.search(tokens[count - 1].text) or len(tokens[count - 1].text) > 5:
            bare = _BARE_HOUSE.match(text, at)
            if bare:
                return bare.end()
    return 0


def _with_building(text: str, end: int) -> int:
    building = _BUILDING.match(text, end)
    if building and not _COUNTED.match(text, building.end()):
        end = building.end()
    while end and text[end - 1] in "の、-ー":
        end -= 1
    return end


def names(text: str) -> Iterator[Place]:
    """Names of people in `text`, without titles. An operator's own (「佐藤でございます」) stays."""
    said = [
        found.span("name")
        for pattern in (_SAID_NAME, _ENGLISH_NAME)
        for found in pattern.finditer(text)
        if found["name"].split()[0] not in _NO_ENGLISH_NAME
    ]
    yield from sorted({*said, *_proper_names(text)})


def _proper_names(text: str) -> Iterator[Place]:
    tokens = _tokens(text)
    n = 0
    while n < len(tokens):
        if "人名" not in tokens[n].kind:
            if _is_place_as_name(text, tokens[n]):
                yield tokens[n].start, tokens[n].end
            n += 1
            continue
        last = n
        while last + 1 < len(tokens) and (
            "人名" in tokens[last + 1].kind
            or (
                tokens[last + 1].text in "・　 "
                and last + 2 < len(tokens)
                and "人名" in tokens[last + 2].kind
            )
        ):
            last += 1
        if _is_person(text, tokens[n : last + 1]):
            yield tokens[n].start, tokens[last].end
        n = last + 1


def _is_place_as_name(text: str, token: _Token) -> bool:
    """Whether a place is a surname here: 松本 is both, and nobody calls a town 様."""
    return (
        _is_place(token)
        and bool(_SHORT_KANJI.fullmatch(token.text))
        and not _PLACE_ENDS.search(token.text)
        and (
            not token.start or text[token.start - 1] != "、" or _HELLO.search(text[: token.start]) is not None
        )
        and _is_person(text, [token])
    )


def _is_person(text: str, found: Sequence[_Token]) -> bool:
    start, end = found[0].start, found[-1].end
    if _NOT_A_NAME.match(text, end):
        return False
    kinds = [token.kind.rpartition("-")[2] for token in found]
    if "姓" in kinds and "名" in kinds[1:]:
        return True
    before, after = text[max(0, start - 40) : start], text[end : end + 3]
    titled = any(after.startswith(title) for title in _TITLES)
    introduced = bool(_INTRODUCED.match(text, end))
    asked = bool(_ASKED.search(before) or _RELATION.search(before))
    told = bool(_START.search(before) and _PERSON.match(text, end)) and (
        kinds[0] == "姓" or "固有名詞" in found[0].kind
    )
    return titled or introduced or asked or told
