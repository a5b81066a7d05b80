"""Tags of a conversation: what a call to a My Number Card centre is about, told from the citizen's words first."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from speech.conversation import CITIZEN, Sentence

TAG_NAMES: Mapping[str, str] = {
    "booking": "予約", "pickup": "受け取り", "application": "申請", "renewal": "更新", "lost": "紛失・破損",
    "pin": "暗証番号", "certificate": "電子証明書", "insurance": "健康保険証", "account": "公金受取口座",
    "portal": "マイナポータル", "address": "住所変更", "name": "氏名変更", "proxy": "代理人", "fee": "手数料",
    "hours": "受付時間", "documents": "持ち物", "child": "子ども", "foreign": "外国籍", "convenience": "コンビニ交付",
    "visit": "出張申請", "photo": "写真", "status": "進み具合", "other": "その他",
}  # fmt: skip
"""By id, as people read them."""

Cues = Mapping[str, Sequence[tuple[re.Pattern[str], float]]]


def _cues(*table: tuple[float, str]) -> tuple[tuple[re.Pattern[str], float], ...]:
    return tuple((re.compile(pattern), weight) for weight, pattern in table)


CUES: Cues = {
    "booking": _cues(
        (
            2.0,
            r"予約(?:を|の|したい|した|なん|は)?.{0,8}(?:し?たい|お願い|変更|取り消|キャンセル|追加|取)",
        ),
        (
            0.8,
            r"予約",
        ),
        (
            0.6,
            r"空いて",
        ),
    ),
    "pickup": _cues(
        (
            1.6,
            r"受け取|受取(?!口座)|取りに(?:行|伺)",
        ),
        (
            0.9,
            r"交付通知書|葉書|はがき|ハガキ",
        ),
        (
            1.0,
            r"カードができた",
        ),
    ),
    "application": _cues(
        (
            1.0,
            r"申請(?!.*(?:してから|して).*(?:経|たつ|月))(?:を|書|する|し|の|した|会)?",
        ),
        (
            1.2,
            r"カードを作|作りたい|申請書",
        ),
        (
            0.8,
            r"一括",
        ),
    ),
    "renewal": _cues(
        (
            1.6,
            r"更新",
        ),
        (
            0.7,
            r"カードの期限|期限が.{0,6}切れ|期限が.{0,4}誕生日|有効期限",
        ),
    ),
    "lost": _cues(
        (
            1.5,
            r"なくし|無くし|落と(?:し|して)|紛失|失くし|盗ま|再発行|洗って|割れ|燃え|破損"
            r"|読み取れなくなった|止めたい|止めても",
        ),
    ),
    "pin": _cues(
        (
            1.6,
            r"暗証番号|パスワード|ロック(?:が|され)|ピンコード",
        ),
    ),
    "certificate": _cues(
        (
            1.6,
            r"電子証明書|署名用|証明書の期限|e-?Tax|失効",
        ),
    ),
    "insurance": _cues(
        (
            1.4,
            r"保険証|病院|薬局|資格確認",
        ),
    ),
    "account": _cues(
        (
            1.7,
            r"公金|口座",
        ),
    ),
    "portal": _cues(
        (
            1.7,
            r"マイナポータル|ポータル",
        ),
        (
            0.6,
            r"ログイン|アプリ",
        ),
    ),
    "address": _cues(
        (
            1.6,
            r"引っ越|転入|転出|住所(?:も|が|を|の)?(?:変|書き)|転居|継続利用",
        ),
    ),
    "name": _cues(
        (
            1.6,
            r"苗字|名字|氏名(?:変更)?|旧姓|名前(?:は|の|が|を)(?:どこで|漢字|変)|結婚",
        ),
    ),
    "proxy": _cues(
        (
            1.5,
            r"代わりに|代理|委任|施設に|寝たきり|(?:夫|妻|母|父)のカードを(?:私|わたし)",
        ),
    ),
    "fee": _cues(
        (
            1.2,
            r"手数料|お金|いくら|料金(?!の)|有料|無料(?!で撮)|費用",
        ),
    ),
    "hours": _cues(
        (
            1.7,
            r"何時(?:まで|から)|何日まで|(?:土曜|日曜|年末|祝日).{0,8}(?:やって|開い)|閉まって",
        ),
    ),
    "documents": _cues(
        (
            1.5,
            r"何を持って|持ち物|何が必要|必要な(?:もの|書類)|印鑑|書き方|免許証(?:だけ|で)",
        ),
    ),
    "child": _cues(
        (
            1.4,
            r"子ども|子供|息子|娘(?!に見て)|赤ちゃん|双子|生まれ|保育園|小学",
        ),
    ),
    "foreign": _cues(
        (
            1.8,
            r"在留|国籍|外国|実習生|ベトナム|ブラジル|日本語(?:すこし|少し)|英語",
        ),
    ),
    "convenience": _cues(
        (
            1.4,
            r"コンビニ",
        ),
    ),
    "visit": _cues(
        (
            1.7,
            r"出張|来て(?:くれ|いただけ|もらえ)|集会所|自宅に|モール|来ていただけ",
        ),
        (
            1.0,
            r"写真も撮れない",
        ),
    ),
    "photo": _cues(
        (
            1.4,
            r"写真",
        ),
        (
            0.6,
            r"眼鏡|帽子",
        ),
    ),
    "status": _cues(
        (
            2.0,
            r"(?:申請|申し込)(?:して|し).{0,8}(?:か月|週間|十日|たつ|経つ)|まだ(?:葉書|届|来)|届かない"
            r"|届くと|いつになったら|今どうなって|折り返しますって",
        ),
    ),
}
_SIDE = {CITIZEN: 1.0}
_OTHER_SIDE = 0.35
_MATTER, _MATTER_SENTENCES = 1.6, 3
"""The citizen's first sentences say what the call is about."""
_LEAST, _SHARE, _MOST = 1.4, 0.65, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """What a conversation is about, and the sentences that say so."""

    tag: str
    """A key of `TAG_NAMES`."""
    points: float
    sentences: tuple[int, ...]


def tags(conversation: Sequence[Sentence], cues: Cues = CUES) -> list[Tag]:
    """One or two tags, the strongest first; `other` when nothing speaks for any."""
    points: dict[str, float] = {}
    places: dict[str, list[int]] = {}
    said = 0
    for place, sentence in enumerate(conversation):
        weight = _SIDE.get(sentence.side, _OTHER_SIDE)
        if sentence.side == CITIZEN and sentence.says_something:
            said += 1
            if said <= _MATTER_SENTENCES:
                weight *= _MATTER
        for tag, own in cues.items():
            found = max((each for pattern, each in own if pattern.search(sentence.text)), default=0.0)
            if found:
                points[tag] = points.get(tag, 0.0) + found * weight
                places.setdefault(tag, []).append(place)
    ranked = sorted(points, key=lambda tag: -points[tag])
    best = points[ranked[0]] if ranked else 0.0
    if best < _LEAST:
        return [Tag(tag="other", points=0.0, sentences=())]
    return [
        Tag(tag=tag, points=round(points[tag], 2), sentences=tuple(places[tag]))
        for tag in ranked[:_MOST]
        if points[tag] >= max(_LEAST, _SHARE * best)
    ]
